/// Pages around tensors that nobody may touch: a read outside of a tensor is seen even where its value is thrown away.
/// A touch becomes a message that names the tensor: "read past the end of packed_w: the byte 1 past its end".
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tileproof {

/// Whole pages for one tensor; the pages before and behind them cannot be touched.
struct Pages {
  std::uint8_t* begin = nullptr;
  std::uint8_t* end = nullptr;
};

/// So many bytes before and behind each of PageGuard's pages cannot be touched.
inline constexpr std::size_t untouchable_bytes = std::size_t{1} << 20;

/// Address space of its own: pages for several tensors, mapped once and again only where they must grow.
class PageGuard {
 public:
  PageGuard() = default;
  PageGuard(const PageGuard&) = delete;
  PageGuard& operator=(const PageGuard&) = delete;
  ~PageGuard() { unmap(); }

  /// Pages for each of so many bytes, with anything in them, valid until the next call.
  /// @throws std::bad_alloc
  const std::vector<Pages>& pages_for(const std::vector<std::size_t>& bytes);

 private:
  void unmap();

  void* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  std::vector<Pages> pages_;
};

/// A tensor of a call between untouchable pages.
struct GuardedTensor {
  const char* name;
  const std::uint8_t* begin;
  const std::uint8_t* end;
  Pages pages;
};

/// What a touched page does to the call that touched it.
enum class OnTouch {
  ends_call,    // the call is left by a jump, destructors of its frames are not run: for code that holds nothing
  ends_process  // the message is written on a descriptor, and the process dies of its signal
};

/// Where a message is written before the process dies; else on stderr.
void tell_touch_on(int descriptor);

/// Calls `use` while touches of the pages around these tensors are watched, by whatever thread.
/// @return what was touched, where that ended the call; else ""
std::string touched_by(const std::vector<GuardedTensor>&, OnTouch, const std::function<void()>& use);

}  // namespace tileproof
