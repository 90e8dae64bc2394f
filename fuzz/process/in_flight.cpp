#include "fuzz/process/in_flight.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace tileproof {

namespace {

std::int64_t steady_now() {  // the same for all processes of the machine
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{1000000000} * time.tv_sec + time.tv_nsec;
}

/// Reserves disk blocks: on a full disk, a store to a hole in the mapped file would end the process.
bool reserved(int descriptor, off_t bytes) {
  errno = posix_fallocate(descriptor, 0, bytes);
  return errno == 0;
}

}  // namespace

InFlight::InFlight(const std::filesystem::path& file, std::size_t slots) : bytes_(slots * sizeof(Slot)) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  const bool is_long_enough = descriptor >= 0 && (lseek(descriptor, 0, SEEK_END) >= static_cast<off_t>(bytes_) ||
                                                  reserved(descriptor, static_cast<off_t>(bytes_)));
  void* memory = is_long_enough ? mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) : MAP_FAILED;
  const int error = errno;
  if (descriptor >= 0) close(descriptor);
  if (memory == MAP_FAILED) throw std::runtime_error("cannot map " + file.string() + ": " + std::strerror(error));
  slots_ = static_cast<Slot*>(memory);
}

InFlight::~InFlight() { munmap(slots_, bytes_); }

void InFlight::begin(std::size_t slot, std::uint64_t index) {
  slots_[slot].begun = steady_now();
  slots_[slot].next_index = index + 1;
}

void InFlight::end(std::size_t slot) { slots_[slot].next_index = 0; }

std::optional<InFlight::Now> InFlight::now(std::size_t slot) const {
  const std::uint64_t next_index = slots_[slot].next_index;
  if (next_index == 0) return std::nullopt;
  return Now{next_index - 1, std::chrono::nanoseconds(steady_now() - slots_[slot].begun)};
}

}  // namespace tileproof
