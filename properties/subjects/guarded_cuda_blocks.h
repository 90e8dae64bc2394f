/// Guarded blocks in the memory of CUDA devices: a subject's torch asks for it, in this process or in the interpreter
/// of a Python module.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>

#include "properties/memory/errors.h"
#include "properties/subjects/guarded_blocks.h"

namespace tileproof {

/// The functions of the CUDA driver that guarded blocks need. They are declared here, so that a build without the CUDA
/// toolkit has them too, and are the driver's rather than a runtime's: a torch has a runtime of its own, and an older
/// driver may serve that one and no other. A pointer of a device is a number, a context or a stream a void*, and each
/// returns 0 or an error.
struct CudaDriver {
  int (*init)(unsigned flags);
  int (*device_get)(int* device, int ordinal);
  int (*primary_context_retain)(void** context, int device);
  int (*context_push)(void* context);
  int (*context_pop)(void** context);
  int (*context_synchronize)();
  int (*allocate)(unsigned long long* memory, std::size_t bytes);
  int (*free)(unsigned long long memory);
  int (*fill_bytes)(unsigned long long to, unsigned char byte, std::size_t bytes, void* stream);
  int (*fill_half_words)(unsigned long long to, unsigned short half_word, std::size_t half_words, void* stream);
  int (*copy)(unsigned long long to, unsigned long long from, std::size_t bytes);
  int (*error_name)(int error, const char** name);
  int (*is_capturing)(void* stream, int* status);
  int (*exchange_capture_mode)(int* mode);
};

/// @return nullptr if there is no driver, or one that lacks a function
inline const CudaDriver* cuda_driver() {
  static CudaDriver driver;
  static const bool has_all = [] {
    void* const library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    bool found = library != nullptr;
    const auto find = [&](auto& function, const char* name) {
      if (found) function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      found = found && function != nullptr;
    };
    find(driver.init, "cuInit");
    find(driver.device_get, "cuDeviceGet");
    find(driver.primary_context_retain, "cuDevicePrimaryCtxRetain");
    find(driver.context_push, "cuCtxPushCurrent_v2");
    find(driver.context_pop, "cuCtxPopCurrent_v2");
    find(driver.context_synchronize, "cuCtxSynchronize");
    find(driver.allocate, "cuMemAlloc_v2");
    find(driver.free, "cuMemFree_v2");
    find(driver.fill_bytes, "cuMemsetD8Async");
    find(driver.fill_half_words, "cuMemsetD16Async");
    find(driver.copy, "cuMemcpy");
    find(driver.error_name, "cuGetErrorName");
    find(driver.is_capturing, "cuStreamIsCapturing");
    find(driver.exchange_capture_mode, "cuThreadExchangeStreamCaptureMode");
    return found;
  }();
  return has_all ? &driver : nullptr;
}

struct OutOfDeviceMemory : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Blocks that were given back are kept until the device has been waited for, and then used again, because to allocate
/// and to free would synchronize where the subject does not.
class GuardedCudaBlocks : public GuardedBlocks {
 public:
  explicit GuardedCudaBlocks(const CudaDriver& driver) : driver_(driver) {}

  /// @throws OutOfDeviceMemory; SubjectError if the device reports another error
  void* allocate(std::size_t bytes, int device, void* stream) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const InContext here(*this, device);
    const std::size_t all = (bytes + 2 * side_fence_bytes + 511) / 512 * 512;
    Block block = taken_from_free(all, device);
    if (block.memory == nullptr) block.memory = allocated(all);
    block.capacity = std::max(block.capacity, all);
    block.device = device;
    block.bytes = bytes;
    block.guarded = on_;
    block.fence = fill_.fence;
    if (on_) {
      fill_bytes(fill_.fence, block.memory, side_fence_bytes, stream);
      fill_with_poison(block.data(), bytes, stream);
      fill_bytes(fill_.fence, block.data() + bytes, all - side_fence_bytes - bytes, stream);
    }
    used_.push_back(block);
    return block.data();
  }

  /// Takes a block back; an error of the device is left to wait() and check(). Memory of another allocator is left
  /// alone.
  void give_back(void* data, void* stream) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (Block& block : used_) {
      if (block.data() != data || block.given_back) continue;
      block.given_back = true;
      if (!block.guarded || !on_) return;
      try {
        const InContext here(*this, block.device);
        fill_bytes(block.fence, block.data(), block.bytes, stream);
      } catch (const SubjectError&) {  // torch's destructors call this
      }
      return;
    }
  }

  /// Memory for a stream that records a graph: without guards, and never taken back, because the graph works in it as
  /// long as there is one.
  /// @return nullptr if the stream records none
  void* allocate_for_graph(std::size_t bytes, int device, void* stream) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const InContext here(*this, device);
    int status = 0;
    if (driver_.is_capturing(stream, &status) != 0 || status == 0) return nullptr;
    int mode = 2;  // CU_STREAM_CAPTURE_MODE_RELAXED: this thread may allocate
    require(driver_.exchange_capture_mode(&mode), "cuThreadExchangeStreamCaptureMode");
    unsigned long long memory = 0;
    const int error = driver_.allocate(&memory, std::max(bytes, std::size_t{1}));
    driver_.exchange_capture_mode(&mode);
    if (error != 0) throw out_of_memory(bytes, error);
    return address_of(memory);
  }

  /// Waits for a device on which blocks were allocated.
  /// @throws SubjectError if the device was lost
  void wait() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [device, context] : contexts_) {
      const InContext here(*this, device);
      require(driver_.context_synchronize(), "the kernel");
    }
  }

 private:
  /// A device's context, which the runtimes of this process share, as this thread's.
  class InContext {
   public:
    InContext(GuardedCudaBlocks& blocks, int device) : driver_(blocks.driver_) {
      require(driver_.context_push(blocks.context_of(device)), "cuCtxPushCurrent");
    }
    ~InContext() {
      void* popped = nullptr;
      driver_.context_pop(&popped);
    }
    InContext(const InContext&) = delete;
    InContext& operator=(const InContext&) = delete;

   private:
    void require(int error, const char* doing) const { GuardedCudaBlocks::require(driver_, error, doing); }
    const CudaDriver& driver_;
  };

  static void require(const CudaDriver& driver, int error, const char* doing) {
    if (error == 0) return;
    const bool is_lost = driver.context_synchronize() != 0;
    throw SubjectError(std::string(doing) + ": " + name_of(driver, error), is_lost);
  }
  void require(int error, const char* doing) const { require(driver_, error, doing); }

  static std::string name_of(const CudaDriver& driver, int error) {
    const char* name = nullptr;
    const bool has_name = driver.error_name(error, &name) == 0 && name != nullptr;
    return has_name ? name : "error " + std::to_string(error);
  }

  OutOfDeviceMemory out_of_memory(std::size_t bytes, int error) const {
    return OutOfDeviceMemory("out of the device's memory: " + std::to_string(bytes) + " bytes, " +
                             name_of(driver_, error));
  }

  static std::uint8_t* address_of(unsigned long long memory) { return reinterpret_cast<std::uint8_t*>(memory); }
  static unsigned long long number_of(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory); }

  void* context_of(int device) {
    if (const auto found = contexts_.find(device); found != contexts_.end()) return found->second;
    int number = 0;
    void* context = nullptr;
    int error = driver_.init(0);
    if (error == 0) error = driver_.device_get(&number, device);
    if (error == 0) error = driver_.primary_context_retain(&context, number);
    if (error != 0) throw SubjectError("cuDevicePrimaryCtxRetain: " + name_of(driver_, error));
    return contexts_[device] = context;
  }

  /// Memory of the current device. What was given back is freed where there is no other.
  std::uint8_t* allocated(std::size_t bytes) {
    unsigned long long memory = 0;
    int error = driver_.allocate(&memory, bytes);
    if (error != 0 && driver_.context_synchronize() == 0) {
      find_violation();
      for (const Block& block : free_) driver_.free(number_of(block.memory));
      free_.clear();
      error = driver_.allocate(&memory, bytes);
    }
    if (error != 0) throw out_of_memory(bytes, error);
    return address_of(memory);
  }

  void fill_bytes(std::uint8_t byte, void* to, std::size_t bytes, void* stream) {
    if (bytes != 0) require(driver_.fill_bytes(number_of(to), byte, bytes, stream), "cuMemsetD8Async");
  }

  /// Fills in stream order, so that a capture of the stream includes it.
  void fill_with_poison(std::uint8_t* to, std::size_t bytes, void* stream) {
    if (bytes >= 2) {
      require(driver_.fill_half_words(number_of(to), fill_.poison, bytes / 2, stream), "cuMemsetD16Async");
    }
    if (bytes % 2 != 0) fill_bytes(static_cast<std::uint8_t>(fill_.poison & 0xff), to + bytes - 1, 1, stream);
  }

  void copy(void* to, const void* from, std::size_t bytes, const Block& block) override {
    const InContext here(*this, block.device);
    require(driver_.copy(number_of(to), number_of(from), bytes), "copying a fence");
  }

  void recycle(const Block& block) override {
    constexpr std::size_t large = std::size_t{64} << 20;
    if (block.capacity >= large) {
      const InContext here(*this, block.device);
      driver_.free(number_of(block.memory));
      return;
    }
    free_.push_back(block);
    free_.back().given_back = false;
  }

  Block taken_from_free(std::size_t all, int device) {
    for (auto block = free_.begin(); block != free_.end(); ++block) {
      if (block->device != device || block->capacity < all || block->capacity > 2 * all + (1 << 20)) continue;
      const Block taken = *block;
      free_.erase(block);
      return taken;
    }
    return {};
  }

  const CudaDriver& driver_;
  std::map<int, void*> contexts_;  // by device
  std::list<Block> free_;
};

}  // namespace tileproof
