// The CPU as a device backend: an allocator under torch's dispatcher that poisons and fences.
#include <ATen/Parallel.h>
#include <c10/core/CPUAllocator.h>

#include <optional>

#include "properties/subjects/device_backend.h"

namespace tileproof {

namespace {

/// While guarding is off, torch's previous allocator is used.
class GuardingAllocator : public GuardedHostBlocks, public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!on_) return usual_->allocate(bytes);
    Block& block = fenced(bytes);
    return {block.data(), &block, give_back, c10::Device(c10::kCPU)};
  }

  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }

 private:
  static void give_back(void* context);
  c10::Allocator* usual_ = c10::GetCPUAllocator();
};

GuardingAllocator& allocator() {
  static auto* one = new GuardingAllocator();  // never deleted: torch may free tensors after everything else
  return *one;
}

void GuardingAllocator::give_back(void* context) {
  const std::lock_guard<std::mutex> lock(allocator().mutex_);
  take_back(*static_cast<Block*>(context));
}

class CpuBackend : public DeviceBackend {
 public:
  CpuBackend() {
    constexpr std::uint8_t above_all = 255;
    c10::SetCPUAllocator(&allocator(), above_all);
  }

  c10::Device device() const override { return c10::kCPU; }
  Memory& memory() override { return host_memory(); }
  GuardedBlocks& blocks() override { return allocator(); }

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
  std::optional<int> threads_before_;  // set during a variation
};

}  // namespace

DeviceBackend& cpu_backend() {
  static CpuBackend side;
  return side;
}

}  // namespace tileproof
