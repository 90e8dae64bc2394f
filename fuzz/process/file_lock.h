/// A file that one process at a time holds. The lock goes with the process, however that ends.
#pragma once

#include <filesystem>

namespace tileproof {

class FileLock {
 public:
  enum class Where { waits, gives_up };
  /// Makes the file where it is not there. @throws std::runtime_error where that cannot be
  explicit FileLock(const std::filesystem::path& file, Where held_by_another = Where::waits);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  /// False where another process holds it, and this one was not to wait.
  bool is_held() const { return is_held_; }

 private:
  int file_;
  bool is_held_ = false;
};

}  // namespace tileproof
