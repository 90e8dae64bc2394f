/// One guarded call: inputs and outputs in one arena of the subject's memory, fenced on both sides, outputs poisoned
/// before, everything looked at afterwards.
///
/// In a host's memory a tensor lies between pages that nobody may touch (page_guard.h): before it begins or behind its
/// end there is such a page, and a fence on the other side. A fence shows a read only where its value reaches the
/// result.
///
/// The fences are as long as a cache line is wide many times over, and hold 0xff: NaN in every type, code 15, zero
/// point -1. The poison is a NaN that arithmetic never makes (its NaN is 0x7fff...), and no code; only a packed word
/// can equal it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "properties/memory/memory.h"

namespace tileproof {

/// Who broke a rule of memory: left an element unwritten, touched a fence, changed an input.
struct GuardViolation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What memory holds before a call.
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
  std::size_t alignment = 256;    // of its address, in bytes: exactly this, where it is less than 256
  bool page_before = false;       // where memory has untouchable pages: whether it begins behind one, or ends before
  bool touches_page = false;      // whether it lies exactly there, though it then may be aligned better
  bool may_equal_poison = false;  // an output whose legal values include the poison: packed words
  const GeneratedTensor* formula =
      nullptr;             // what it holds, or is expected to hold, where that is judged in its memory
  bool is_output = false;  // of one with a formula

  bool is_input() const { return formula != nullptr ? !is_output : input != nullptr; }
};

/// Lays the tensors out, calls `use` with their addresses in the order given, and checks.
/// @throws GuardViolation; whatever `use` throws
void guarded(Memory&, const std::vector<Tensor>&, const Fill&,
             const std::function<void(const std::vector<void*>&)>& use);

/// What a call over formulas gave.
struct GeneratedResult {
  Differences differences;          // of the output
  std::vector<std::uint32_t> read;  // the elements of the output that were asked for
};

/// Arenas of so many bytes are quicker carried to the host as a whole than asked about tensor by tensor.
inline constexpr std::size_t most_bytes_carried = std::size_t{1} << 20;

/// The same over tensors that have formulas, one of which is the output. In a large arena inputs are written by their
/// memory and the output is compared there; a small one is written and looked at here, as guarded() does.
/// @param any_nan       as Memory::compare takes it
/// @param wanted        elements of the output to read
/// @param most_carried  bytes of the largest arena that is a small one
GeneratedResult guarded_generated(Memory&, const std::vector<Tensor>&, const Fill&,
                                  const reference::FloatFormat* any_nan, const std::vector<std::int64_t>& wanted,
                                  const std::function<void(const std::vector<void*>&)>& use,
                                  std::size_t most_carried = most_bytes_carried);

/// The fences beside an allocation of the subject's own. @throws GuardViolation where one is not whole
void require_whole_fences(const std::vector<std::uint8_t>& before, const std::vector<std::uint8_t>& behind,
                          std::uint8_t fence, std::size_t bytes);

}  // namespace tileproof
