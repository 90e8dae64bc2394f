/// One guarded call: inputs and outputs in one arena of the subject's memory, fenced on both sides, with outputs
/// poisoned before the call and everything checked after it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "properties/memory/memory.h"

namespace tileproof {

// In host memory, a tensor lies between pages that may not be touched (page_guard.h): such a page touches one end of
// the tensor, and a fence lies at the other. A fence shows a read only if the value read reaches the result.
// The fences are many cache lines long and hold 0xff: NaN in every type, code 15, zero point -1. The poison is a NaN
// that arithmetic on a GPU never makes (it gives 0x7fff...) and is no code. A packed word can equal it, and a NaN whose
// payload a subject keeps.

/// A call broke a rule of memory: it left an element unwritten, touched a fence or changed an input.
struct GuardViolation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Elements of an output still hold the poison.
struct NotWritten : GuardViolation {
  /// @param holds_poison_  for each element of the output; true for one at least
  NotWritten(const std::string& output_, std::vector<bool> holds_poison_);
  std::string output;
  std::vector<bool> holds_poison;
};

/// The bytes that memory holds before a call.
struct Fill {
  std::uint16_t poison = 0xffa5;  // of outputs, repeated
  std::uint8_t fence = 0xff;
};

/// A tensor of a call: a copy of an input, or room for an output.
struct Tensor {
  std::string name;             // for messages
  const void* input = nullptr;  // host bytes to copy in, or nullptr for an output
  void* output = nullptr;       // host bytes to copy out to
  std::size_t bytes = 0;
  std::size_t element_bytes = 1;
  std::size_t alignment = 256;    // of its address, in bytes; below 256 it is aligned to exactly this and no better
  bool page_before = false;       // with untouchable pages: true: it begins after one; false: it ends before one
  bool touches_page = false;      // lies directly at that page, even if this aligns it better
  bool may_equal_poison = false;  // an output that may hold the poison after the call: packed words
  const GeneratedTensor* formula =
      nullptr;             // the formula of its contents, actual or expected, where the memory itself compares them
  bool is_output = false;  // only for a tensor with a formula

  bool is_input() const { return formula != nullptr ? !is_output : input != nullptr; }
};

/// Lays the tensors out, calls `use` with their addresses in the order given, and checks the memory afterwards.
/// @throws GuardViolation, of it NotWritten; and whatever `use` throws
void guarded(Memory&, const std::vector<Tensor>&, const Fill&,
             const std::function<void(const std::vector<void*>&)>& use);

/// The result of a call over formulas.
struct GeneratedResult {
  Differences differences;          // of the output from its formula
  std::vector<std::uint32_t> read;  // the requested elements of the output
};

/// An arena of at most this many bytes is faster to copy to the host whole than to check tensor by tensor.
inline constexpr std::size_t most_bytes_carried = std::size_t{1} << 20;

/// An output of at most this many bytes is copied to the host where it has more differences than are listed.
inline constexpr std::size_t most_bytes_visited = std::size_t{1} << 28;

/// A guarded call over tensors that have formulas, one of which is the output. In a large arena, the memory writes the
/// inputs and compares the output in place; a small arena is written and checked on the host, as in guarded().
/// @param any_nan       as in Memory::compare
/// @param wanted        elements of the output to read
/// @param each          as in compare_here, if the output has at most most_bytes_visited bytes; else of those listed
/// @param most_carried  the largest number of bytes of a small arena
GeneratedResult guarded_generated(Memory&, const std::vector<Tensor>&, const Fill&,
                                  const reference::FloatFormat* any_nan, const std::vector<std::int64_t>& wanted,
                                  const std::function<void(const std::vector<void*>&)>& use,
                                  const EachDifference& each = nullptr, std::size_t most_carried = most_bytes_carried);

/// Checks the fences beside an allocation that the subject made itself.
/// @throws GuardViolation if a fence was changed
void require_whole_fences(const std::vector<std::uint8_t>& before, const std::vector<std::uint8_t>& behind,
                          std::uint8_t fence, std::size_t bytes);

/// Whether memory still holds what is written to it, and a comparison tells right from wrong. Where not, the machine is
/// at fault, and no subject.
/// @throws SubjectError or std::bad_alloc if the memory cannot be used, which a subject can bring about
bool holds_what_is_written(Memory&);

}  // namespace tileproof
