/// The device-specific part of running operators: memory, errors, streams. Internal to the torch subjects.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <functional>
#include <list>
#include <mutex>
#include <vector>

#include "properties/memory/guarded.h"
#include "properties/subjects/operators.h"

namespace tileproof {

/// Size of each fence of a guarded allocation: [fence][bytes][fence].
inline constexpr std::size_t side_fence_bytes = 4096;

/// The memory that torch allocates on a device. While guarding is on, it is poisoned and fenced. A block stays until
/// check(), even if it was given back: a read after the release finds fence bytes, which no tensor holds.
class GuardedBlocks {
 public:
  virtual ~GuardedBlocks() = default;

  void turn_on(const Fill& fill) {
    const std::lock_guard<std::mutex> lock(mutex_);
    fill_ = fill;
    on_ = true;
  }
  void turn_off() {
    const std::lock_guard<std::mutex> lock(mutex_);
    on_ = false;
  }

  /// Checks all fences, and recycles the blocks that were given back; the device must be idle.
  /// @throws GuardViolation
  void check() {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::string violation;
    for (auto block = used_.begin(); block != used_.end();) {
      try {
        if (block->guarded) check_fences(*block);
      } catch (const GuardViolation& found) {
        if (violation.empty()) violation = found.what();
        restore_fences(*block);  // report it only once
      }
      if (!block->given_back) {
        ++block;
        continue;
      }
      recycle(*block);
      block = used_.erase(block);
    }
    if (!violation.empty()) throw GuardViolation(violation);
  }

 protected:
  struct Block {
    std::uint8_t* memory = nullptr;
    std::size_t capacity = 0;
    std::size_t bytes = 0;
    int device = 0;
    std::uint8_t fence = 0;
    bool guarded = false;
    bool given_back = false;
    std::uint8_t* data() const { return memory + side_fence_bytes; }
  };

  /// Copies between a block and the host.
  virtual void copy(void* to, const void* from, std::size_t bytes) = 0;
  virtual void recycle(const Block&) = 0;

  std::mutex mutex_;
  std::list<Block> used_;
  Fill fill_;
  bool on_ = false;

 private:
  void check_fences(const Block& block) {
    std::vector<std::uint8_t> before(side_fence_bytes), behind(side_fence_bytes);
    copy(before.data(), block.memory, side_fence_bytes);
    copy(behind.data(), block.data() + block.bytes, side_fence_bytes);
    require_whole_fences(before, behind, block.fence, block.bytes);
  }

  void restore_fences(const Block& block) {
    const std::vector<std::uint8_t> fence(side_fence_bytes, block.fence);
    copy(block.memory, fence.data(), side_fence_bytes);
    copy(block.data() + block.bytes, fence.data(), side_fence_bytes);
  }
};

/// Guards what is allocated while it lives.
class Guarding {
 public:
  Guarding(GuardedBlocks& blocks, const Fill& fill) : blocks_(blocks) { blocks.turn_on(fill); }
  ~Guarding() { blocks_.turn_off(); }
  Guarding(const Guarding&) = delete;
  Guarding& operator=(const Guarding&) = delete;

 private:
  GuardedBlocks& blocks_;
};

class DeviceBackend {
 public:
  using Values = std::vector<c10::IValue>;
  using Operator = std::function<at::Tensor(const Values&)>;

  virtual ~DeviceBackend() = default;

  virtual c10::Device device() const = 0;
  virtual Memory& memory() = 0;

  virtual GuardedBlocks& blocks() = 0;
  /// Waits for the device, then checks the fences and looks for pending errors.
  /// @throws GuardViolation, SubjectError
  virtual void check() { blocks().check(); }

  /// Runs an operator in a mode.
  /// @param alternates  other contents for the same storages, in the order of the tensors
  virtual at::Tensor call(const Operator&, const Values&, const std::vector<at::Tensor>& alternates, CallMode) = 0;

  /// Runs the work of one of several threads, on a stream that the other threads' work does not wait for.
  virtual void in_a_stream_of_its_own(const std::function<void()>&) = 0;

  /// Selects another way of running that must give the same bits; 0 is the usual one.
  virtual void vary(std::uint64_t variation) = 0;
};

DeviceBackend& cpu_backend();

}  // namespace tileproof
