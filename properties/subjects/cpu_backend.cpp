// The CPU as a device backend: an allocator under torch's dispatcher that poisons and fences.
#include <ATen/Parallel.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <list>
#include <mutex>
#include <optional>

#include "properties/subjects/device_backend.h"

namespace tileproof {

namespace {

/// Fills memory with a repeated half-word: copies what is filled behind itself, twice as much each time.
void fill_with(std::uint16_t half_word, std::uint8_t* to, std::size_t bytes) {
  std::size_t filled = std::min(bytes, sizeof half_word);
  std::memcpy(to, &half_word, filled);
  while (filled < bytes) {
    const std::size_t more = std::min(filled, bytes - filled);
    std::memcpy(to + filled, to, more);
    filled += more;
  }
}

/// Poisons and fences what is allocated while it is on; otherwise torch's previous allocator is used.
class GuardingAllocator : public c10::Allocator {
 public:
  explicit GuardingAllocator(c10::Allocator* usual) : usual_(usual) {}

  c10::DataPtr allocate(std::size_t bytes) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!on_) return usual_->allocate(bytes);
    constexpr std::size_t most = std::size_t{1} << 62;
    if (bytes > most) throw std::bad_alloc();
    Block& block = blocks_.emplace_back();
    block.bytes = bytes;
    block.fence = fill_.fence;
    // Torch's allocators align to 64 bytes.
    const std::size_t all = (bytes + 2 * side_fence_bytes + 63) / 64 * 64;
    block.memory = static_cast<std::uint8_t*>(std::aligned_alloc(64, all));
    if (block.memory == nullptr) {
      blocks_.pop_back();
      throw std::bad_alloc();
    }
    std::memset(block.memory, fill_.fence, all);
    std::uint8_t* data = block.memory + side_fence_bytes;
    fill_with(fill_.poison, data, bytes);
    block.owner = this;
    return {data, &block, release, c10::Device(c10::kCPU)};
  }

  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }

  void turn_on(const Fill& fill) {
    const std::lock_guard<std::mutex> lock(mutex_);
    fill_ = fill;
    on_ = true;
  }
  void turn_off() {
    const std::lock_guard<std::mutex> lock(mutex_);
    on_ = false;
  }

  /// Checks the fences of every block, and frees the blocks that have been given back.
  /// @throws GuardViolation
  void check() {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::string violation;
    for (auto block = blocks_.begin(); block != blocks_.end();) {
      try {
        const std::uint8_t* begin = block->memory;
        const std::uint8_t* data = begin + side_fence_bytes;
        const std::uint8_t* end = data + block->bytes;
        require_whole_fences(std::vector<std::uint8_t>(begin, data),
                             std::vector<std::uint8_t>(end, end + side_fence_bytes), block->fence, block->bytes);
      } catch (const GuardViolation& found) {
        if (violation.empty()) violation = found.what();
        std::memset(block->memory, block->fence, side_fence_bytes);  // report it only once
        std::memset(block->memory + side_fence_bytes + block->bytes, block->fence, side_fence_bytes);
      }
      if (!block->given_back) {
        ++block;
        continue;
      }
      std::free(block->memory);
      block = blocks_.erase(block);
    }
    if (!violation.empty()) throw GuardViolation(violation);
  }

 private:
  struct Block {
    GuardingAllocator* owner = nullptr;
    std::uint8_t* memory = nullptr;
    std::size_t bytes = 0;
    std::uint8_t fence = 0;
    bool given_back = false;
  };

  static void release(void* context) {
    auto* block = static_cast<Block*>(context);
    const std::lock_guard<std::mutex> lock(block->owner->mutex_);
    block->given_back = true;
    // The block stays until check(): a read after the release finds fence bytes, which no tensor holds.
    std::memset(block->memory + side_fence_bytes, block->fence, block->bytes);
  }

  c10::Allocator* usual_;
  std::mutex mutex_;
  std::list<Block> blocks_;
  Fill fill_;
  bool on_ = false;
};

class CpuBackend : public DeviceBackend {
 public:
  CpuBackend() : allocator_(c10::GetCPUAllocator()) {
    constexpr std::uint8_t above_all = 255;
    c10::SetCPUAllocator(&allocator_, above_all);
  }

  c10::Device device() const override { return c10::kCPU; }
  Memory& memory() override { return host_memory(); }
  void guard(const Fill& fill) override { allocator_.turn_on(fill); }
  void unguard() override { allocator_.turn_off(); }
  void check() override { allocator_.check(); }

  at::Tensor call(const Operator& run, const Values& values, const std::vector<at::Tensor>&, CallMode mode) override {
    if (mode == CallMode::second_device) throw Unavailable("the subject runs on the CPU: there is one device");
    if (mode != CallMode::usual) throw Unavailable("the subject runs on the CPU: there are no streams");
    return run(values);
  }

  void in_a_stream_of_its_own(const std::function<void()>& run) override { run(); }

  /// A variation runs with another number of threads.
  void vary(std::uint64_t variation) override {
    // Restore the number from before the variation, not the first one, so that a change by an operator stays visible.
    if (!threads_before_ && variation != 0) threads_before_ = at::get_num_threads();
    if (variation != 0) at::set_num_threads(1 + static_cast<int>(variation % 3));
    if (variation == 0 && threads_before_) at::set_num_threads(*threads_before_);
    if (variation == 0) threads_before_.reset();
  }

 private:
  GuardingAllocator allocator_;
  std::optional<int> threads_before_;  // set during a variation
};

}  // namespace

DeviceBackend& cpu_backend() {
  static CpuBackend* side = new CpuBackend();  // never deleted: torch may free tensors after everything else
  return *side;
}

}  // namespace tileproof
