/// A file lock that one process holds at a time. It is released when the process ends, however it ends.
#pragma once

#include <filesystem>

namespace tileproof {

class FileLock {
 public:
  enum class Where { waits, gives_up };
  /// Creates the file if it does not exist.
  /// @throws std::runtime_error if the file cannot be opened or locked
  explicit FileLock(const std::filesystem::path& file, Where held_by_another = Where::waits);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  /// False if another process holds it and this one was not to wait.
  bool is_held() const { return is_held_; }

 private:
  int file_;
  bool is_held_ = false;
};

}  // namespace tileproof
