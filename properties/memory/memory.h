/// Where a subject's tensors live, and how the harness reaches them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "properties/memory/page_guard.h"
#include "reference/float_bits.h"

namespace tileproof {

struct GeneratedTensor;

/// How a tensor differs from its formula.
struct Differences {
  struct One {
    std::int64_t index;
    std::uint32_t got;
  };
  static constexpr std::int64_t most_listed = 10;
  std::int64_t wrong = 0;
  std::int64_t other_nans = 0;  // NaN where NaN is expected, with other bits, where that is allowed
  std::vector<One> listed;      // the first ones, ascending
};

class Memory {
 public:
  virtual ~Memory() = default;
  /// At least `bytes` bytes, aligned to 256, valid until the next call; nothing else lives there.
  virtual void* arena(std::size_t bytes) = 0;
  /// Whether the arena is memory of this process: the harness then writes it and looks at it as it lies.
  virtual bool is_here() const { return false; }
  virtual void copy_in(void* to, const void* from_host, std::size_t bytes) = 0;
  virtual void copy_out(void* to_host, const void* from, std::size_t bytes) = 0;
  // Where the memory can tell: a touch of forbidden bytes ends the process with a report.
  virtual void forbid(void* /*begin*/, std::size_t /*bytes*/) {}
  virtual void allow(void* /*begin*/, std::size_t /*bytes*/) {}
  /// Where tensors can lie between pages that nobody may touch: such pages for each of so many bytes, valid until the
  /// next call. None where the arena is to be taken.
  virtual std::vector<Pages> pages(const std::vector<std::size_t>& /*bytes*/) { return {}; }
  virtual OnTouch on_touch() const { return OnTouch::ends_process; }
  /// Where a tool watches allocations: one for each of so many bytes, aligned to 256, with nothing written in them,
  /// valid until the next call. None where the arena is to be taken.
  virtual std::vector<void*> apart(const std::vector<std::size_t>& /*bytes*/) { return {}; }

  /// Writes the elements of a formula, of 1, 2 or 4 bytes each: of what it computes, the low ones.
  virtual void write(const GeneratedTensor&, std::size_t element_bytes, void* to);
  /// Compares a tensor with its formula, bit for bit.
  /// @param any_nan  of results whose NaN may have any bits: their format; else nullptr
  virtual Differences compare(const GeneratedTensor&, std::size_t element_bytes, const void* got,
                              const reference::FloatFormat* any_nan = nullptr);
};

// The same of bytes that this process reaches. @param to, got  aligned or not
void write_here(const GeneratedTensor&, std::size_t element_bytes, void* to);
Differences compare_here(const GeneratedTensor&, std::size_t element_bytes, const void* got,
                         const reference::FloatFormat* any_nan = nullptr);

/// Memory of this process, one for each subject: between pages that nobody may touch, or, under AddressSanitizer, bytes
/// that it forbids. A touch ends the call: for subjects of raw pointers, whose code holds nothing.
std::unique_ptr<Memory> make_host_memory();

/// One that subjects share which never run beside each other. A touch ends the process: torch has threads and locks.
Memory& host_memory();

/// Host memory without untouchable pages or forbidden bytes: for subjects that their fences are to catch, in a process
/// that goes on.
std::unique_ptr<Memory> make_lenient_host_memory();
Memory& lenient_host_memory();

}  // namespace tileproof
