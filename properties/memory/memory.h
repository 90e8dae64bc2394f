/// The memory that a subject's tensors live in, and how the harness reads and writes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "properties/memory/page_guard.h"
#include "reference/float_bits.h"

namespace tileproof {

struct GeneratedTensor;

/// The differences of a tensor from its formula.
struct Differences {
  struct One {
    std::int64_t index;
    std::uint32_t got;
  };
  static constexpr std::int64_t most_listed = 10;
  std::int64_t wrong = 0;
  std::int64_t other_nans = 0;  // NaN with other bits than the expected NaN, where any NaN is accepted
  std::vector<One> listed;      // the first ones, ascending
};

class Memory {
 public:
  virtual ~Memory() = default;
  /// At least `bytes` bytes, aligned to 256, used for nothing else and valid until the next call.
  virtual void* arena(std::size_t bytes) = 0;
  /// Whether the arena is memory of this process, which the harness can access directly.
  virtual bool is_here() const { return false; }
  virtual void copy_in(void* to, const void* from_host, std::size_t bytes) = 0;
  virtual void copy_out(void* to_host, const void* from, std::size_t bytes) = 0;
  // For memories that can forbid bytes: touching a forbidden byte ends the process with a report.
  virtual void forbid(void* /*begin*/, std::size_t /*bytes*/) {}
  virtual void allow(void* /*begin*/, std::size_t /*bytes*/) {}
  /// Pages for one tensor of each size in `bytes`, between pages that may not be touched; valid until the next call.
  /// Empty if the memory has none; use the arena then.
  virtual std::vector<Pages> pages(const std::vector<std::size_t>& /*bytes*/) { return {}; }
  virtual OnTouch on_touch() const { return OnTouch::ends_process; }
  /// One allocation for each size in `bytes`, aligned to 256, uninitialized and valid until the next call, for memories
  /// that a tool watches. Empty otherwise; use the arena then.
  virtual std::vector<void*> apart(const std::vector<std::size_t>& /*bytes*/) { return {}; }

  /// Writes the elements of a formula, of 1, 2 or 4 bytes each: the low bytes of each computed value.
  virtual void write(const GeneratedTensor&, std::size_t element_bytes, void* to);
  /// Compares a tensor with its formula, bit for bit.
  /// @param any_nan  the results' format, if any NaN may stand for an expected NaN; else nullptr
  virtual Differences compare(const GeneratedTensor&, std::size_t element_bytes, const void* got,
                              const reference::FloatFormat* any_nan = nullptr);
};

// Memory::write and Memory::compare for bytes that this process can access.
// @param to, got  need not be aligned
// @param each      called with each difference, also with those that are not listed; or nullptr
void write_here(const GeneratedTensor&, std::size_t element_bytes, void* to);
using EachDifference = std::function<void(const Differences::One&)>;
Differences compare_here(const GeneratedTensor&, std::size_t element_bytes, const void* got,
                         const reference::FloatFormat* any_nan = nullptr, const EachDifference& each = nullptr);

/// Memory of this process, one for each subject, between pages that may not be touched, or, under AddressSanitizer,
/// with forbidden bytes. A touch that ends the call does so by a jump, which is for kernels called through raw
/// pointers, whose code holds no locks.
std::unique_ptr<Memory> make_host_memory(OnTouch = OnTouch::ends_call);

/// One memory shared by subjects that never run at the same time. A touch ends the process, because torch has threads
/// and locks.
Memory& host_memory();

/// Host memory without untouchable pages or forbidden bytes, for subjects whose mistakes the fences must catch in a
/// process that goes on.
std::unique_ptr<Memory> make_lenient_host_memory();
Memory& lenient_host_memory();

}  // namespace tileproof
