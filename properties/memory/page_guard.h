/// Untouchable pages around tensors: a read outside a tensor is found even if its value is thrown away. A touch becomes
/// a message that names the tensor: "read past the end of packed_w: the byte 1 past its end".
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tileproof {

/// Whole pages for one tensor; the pages before and after them are untouchable.
struct Pages {
  std::uint8_t* begin = nullptr;
  std::uint8_t* end = nullptr;
};

/// The untouchable bytes before and after each of PageGuard's pages.
inline constexpr std::size_t untouchable_bytes = std::size_t{1} << 20;

/// Reserves address space and maps pages for several tensors; maps anew only when they must grow.
class PageGuard {
 public:
  PageGuard() = default;
  PageGuard(const PageGuard&) = delete;
  PageGuard& operator=(const PageGuard&) = delete;
  ~PageGuard() { unmap(); }

  /// Pages for each size in `bytes`, with unspecified contents, valid until the next call.
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

/// The effect of touching an untouchable page.
enum class OnTouch {
  // Leaves the call by a jump that skips the destructors of its frames; for code that holds no resources.
  ends_call,
  ends_process  // writes the message on a descriptor, and the process dies of the signal
};

/// Sets the descriptor for the message that is written before the process dies; the default is stderr.
void tell_touch_on(int descriptor);

/// Calls `use` while touches of the pages around these tensors are watched, on any thread.
/// @return the message of the touch that ended the call; else ""
std::string touched_by(const std::vector<GuardedTensor>&, OnTouch, const std::function<void()>& use);

}  // namespace tileproof
