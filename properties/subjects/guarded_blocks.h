/// Guards over the memory that a subject allocates itself, whatever hands it out.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <list>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "properties/memory/guarded.h"

namespace tileproof {

/// Size of each fence of a guarded allocation: [fence][bytes][fence].
inline constexpr std::size_t side_fence_bytes = 4096;

/// The memory that a subject allocates on a device. While guarding is on, it is poisoned and fenced. A block stays
/// until check(), even if it was given back: a read after the release finds fence bytes, which no tensor holds.
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
    find_violation();
    if (const std::string violation = std::exchange(violation_, ""); !violation.empty())
      throw GuardViolation(violation);
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
  virtual void copy(void* to, const void* from, std::size_t bytes, const Block&) = 0;
  virtual void recycle(const Block&) = 0;

  /// Keeps the first violation for check(), and recycles what was given back. The caller holds the mutex.
  void find_violation() {
    for (auto block = used_.begin(); block != used_.end();) {
      try {
        if (block->guarded) check_fences(*block);
      } catch (const GuardViolation& found) {
        if (violation_.empty()) violation_ = found.what();
        restore_fences(*block);  // report it only once
      }
      if (!block->given_back) {
        ++block;
        continue;
      }
      recycle(*block);
      block = used_.erase(block);
    }
  }

  std::mutex mutex_;
  std::list<Block> used_;
  Fill fill_;
  bool on_ = false;

 private:
  void check_fences(const Block& block) {
    std::vector<std::uint8_t> before(side_fence_bytes), behind(side_fence_bytes);
    copy(before.data(), block.memory, side_fence_bytes, block);
    copy(behind.data(), block.data() + block.bytes, side_fence_bytes, block);
    require_whole_fences(before, behind, block.fence, block.bytes);
  }

  void restore_fences(const Block& block) {
    const std::vector<std::uint8_t> fence(side_fence_bytes, block.fence);
    copy(block.memory, fence.data(), side_fence_bytes, block);
    copy(block.data() + block.bytes, fence.data(), side_fence_bytes, block);
  }

  std::string violation_;
};

/// Guarded blocks in this process's own memory.
class GuardedHostBlocks : public GuardedBlocks {
 protected:
  /// A poisoned block between fences. The caller holds the mutex.
  /// @param alignment  of its data, a power of two; torch's allocators align to 64 bytes
  /// @throws std::bad_alloc
  Block& fenced(std::size_t bytes, std::size_t alignment = 64) {
    constexpr std::size_t most = std::size_t{1} << 62;
    if (bytes > most || alignment > side_fence_bytes) throw std::bad_alloc();
    const std::size_t all = (bytes + 2 * side_fence_bytes + alignment - 1) / alignment * alignment;
    auto* memory = static_cast<std::uint8_t*>(std::aligned_alloc(alignment, all));
    if (memory == nullptr) throw std::bad_alloc();
    std::memset(memory, fill_.fence, all);
    Block& block = used_.emplace_back(Block{.memory = memory, .bytes = bytes, .fence = fill_.fence, .guarded = true});
    fill_with(fill_.poison, block.data(), bytes);
    return block;
  }

  /// Takes a block back. The caller holds the mutex.
  static void take_back(Block& block) {
    block.given_back = true;
    std::memset(block.data(), block.fence, block.bytes);
  }

  void copy(void* to, const void* from, std::size_t bytes, const Block&) override { std::memcpy(to, from, bytes); }
  void recycle(const Block& block) override { std::free(block.memory); }

 private:
  /// Fills memory with a repeated half-word: copies what is filled behind itself, twice as much each time.
  static void fill_with(std::uint16_t half_word, std::uint8_t* to, std::size_t bytes) {
    std::size_t filled = std::min(bytes, sizeof half_word);
    std::memcpy(to, &half_word, filled);
    while (filled < bytes) {
      const std::size_t more = std::min(filled, bytes - filled);
      std::memcpy(to + filled, to, more);
      filled += more;
    }
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

}  // namespace tileproof
