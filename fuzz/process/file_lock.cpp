#include "fuzz/process/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace tileproof {

FileLock::FileLock(const std::filesystem::path& file, Where held_by_another)
    : file_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (file_ < 0) throw std::runtime_error("cannot open " + file.string() + ": " + std::strerror(errno));
  int result;
  do {
    result = flock(file_, LOCK_EX | (held_by_another == Where::waits ? 0 : LOCK_NB));
  } while (result != 0 && errno == EINTR);
  is_held_ = result == 0;
  if (is_held_ || (held_by_another == Where::gives_up && errno == EWOULDBLOCK)) return;
  const std::string why = std::strerror(errno);
  close(file_);
  throw std::runtime_error("cannot lock " + file.string() + ": " + why);
}

FileLock::~FileLock() { close(file_); }

}  // namespace tileproof
