#include <cstdlib>
#include <cstring>
#include <new>

#include "properties/memory/memory.h"

// GCC defines __SANITIZE_ADDRESS__ under AddressSanitizer; clang has __has_feature(address_sanitizer).
#if defined(__SANITIZE_ADDRESS__)
#define TILEPROOF_FORBIDS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TILEPROOF_FORBIDS
#endif
#endif

#if defined(TILEPROOF_FORBIDS)
#include <sanitizer/asan_interface.h>
#endif

namespace tileproof {

namespace {

class HostMemory : public Memory {
 public:
  /// @param forbids  whether bytes outside tensors are forbidden
  explicit HostMemory(bool forbids, OnTouch on_touch = OnTouch::ends_process)
      : forbids_(forbids), on_touch_(on_touch) {}
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;
  ~HostMemory() override { std::free(memory_); }

  void* arena(std::size_t bytes) override {
    constexpr std::size_t alignment = 256;
    if (bytes > bytes_) {
      std::free(memory_);
      memory_ = nullptr;
      bytes_ = 0;
      const std::size_t wanted = (bytes + bytes / 2 + alignment - 1) / alignment * alignment;
      memory_ = std::aligned_alloc(alignment, wanted);
      if (memory_ == nullptr) throw std::bad_alloc();
      bytes_ = wanted;
    }
    return memory_;
  }
  bool is_here() const override { return true; }
  void copy_in(void* to, const void* from, std::size_t bytes) override { std::memcpy(to, from, bytes); }
  void copy_out(void* to, const void* from, std::size_t bytes) override { std::memcpy(to, from, bytes); }
#if defined(TILEPROOF_FORBIDS)
  void forbid(void* begin, std::size_t bytes) override {
    // Also forbid the rest of the arena, which an earlier, larger case has grown.
    static_cast<void>(bytes);
    if (forbids_) ASAN_POISON_MEMORY_REGION(begin, bytes_);
  }
  void allow(void* begin, std::size_t bytes) override {
    ASAN_UNPOISON_MEMORY_REGION(begin, begin == memory_ ? bytes_ : bytes);
  }
#else
  std::vector<Pages> pages(const std::vector<std::size_t>& bytes) override {
    return forbids_ ? page_guard_.pages_for(bytes) : std::vector<Pages>();
  }
#endif
  OnTouch on_touch() const override { return on_touch_; }

 private:
  bool forbids_;
  OnTouch on_touch_;
  PageGuard page_guard_;
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<Memory> make_host_memory(OnTouch on_touch) { return std::make_unique<HostMemory>(true, on_touch); }
std::unique_ptr<Memory> make_lenient_host_memory() { return std::make_unique<HostMemory>(false); }

Memory& host_memory() {
  static HostMemory memory(true);
  return memory;
}

Memory& lenient_host_memory() {
  static HostMemory memory(false);
  return memory;
}

}  // namespace tileproof
