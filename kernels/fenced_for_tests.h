/// Memory at a page that nobody may touch, for the tests of the kernels on a host.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "kernels/elements_for_tests.h"

namespace tileproof::kernels {

enum class Side { end, beginning };

/// Memory between two pages that nobody may touch, and at one of them.
class Fenced {
 public:
  /// @param past  how far from alignment to 16 bytes; 0 at the end: right at the page, whatever its alignment is
  Fenced(const Elements& of, std::int64_t bytes, Side side, std::int64_t past = 0) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), size = static_cast<std::size_t>(bytes);
    const std::size_t pages = (size + 16 + page - 1) / page * page;
    all_ = pages + 2 * page;
    memory_ = static_cast<std::uint8_t*>(mmap(nullptr, all_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_EQ(mprotect(memory_ + page, pages, PROT_READ | PROT_WRITE), 0);
    data_ = side == Side::beginning ? memory_ + page : memory_ + page + pages - size;
    if (past != 0 && side == Side::end) data_ -= 16 + reinterpret_cast<std::uintptr_t>(data_) % 16;
    data_ += past;
    if (size != 0) std::memcpy(data_, of.data(), size);
  }
  ~Fenced() { munmap(memory_, all_); }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;

  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }
  bool holds(const Elements& expected, std::int64_t bytes) const {
    return std::memcmp(data_, expected.data(), static_cast<std::size_t>(bytes)) == 0;
  }

 private:
  std::size_t all_;
  std::uint8_t* memory_;
  std::uint8_t* data_;
};
inline constexpr Side both_sides[] = {Side::end, Side::beginning};

}  // namespace tileproof::kernels
