/// Digit planes, read back. A plane holds, at every element, one digit of the element's number; its complement holds
/// the largest digit less that one. What arrives at an element in all planes tells where it came from, or that it came
/// from nowhere: from its value, or from another call.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tileproof {

struct InPlane {
  std::int64_t sent;   // the digit that belongs there
  std::int64_t digit;  // that arrived; -1: what arrived is no digit
  std::uint32_t bits;  // what arrived
};

struct ElementInPlanes {
  std::int64_t number;                      // that its digits spell
  std::vector<InPlane> plain, complements;  // by digit, the least significant first
};

/// How the planes are made: digits of so many bits, of numbers below `count`.
struct Planes {
  int bits_of_digit;
  std::int64_t count;

  std::int64_t base() const { return std::int64_t{1} << bits_of_digit; }
  int digits() const {
    int digits = 1;
    for (std::int64_t rest = (count - 1) >> bits_of_digit; rest > 0; rest >>= bits_of_digit) ++digits;
    return digits;
  }
  std::int64_t digit_of(std::int64_t number, int digit, bool complemented) const {
    const std::int64_t plain = number >> (bits_of_digit * digit) & (base() - 1);
    return complemented ? base() - 1 - plain : plain;
  }
};

enum class Arrival {
  moved,     // every element holds what belongs to another, or to the padding, which is 0: an index is wrong
  nothing,   // 0 arrives in every plane: from the padding, or from nowhere
  stale,     // each element shows a digit of its own in every plane: it is not made from what was sent
  by_value,  // the digit sent decides what arrives, at whatever element: the value is wrong
  mixed      // none of that
};

/// The number that an element's planes and their complements both spell; nothing where they do not agree, or spell
/// none.
std::optional<std::int64_t> source_of(const Planes&, const ElementInPlanes&);

/// @param wrong  elements that are wrong in some plane, at least one
Arrival arrival_of(const Planes&, const std::vector<ElementInPlanes>& wrong);

/// What the planes show, as a sentence that follows "N elements are wrong in the plane of digit D. ".
/// @param moved  the sentence where they are moved, which only the caller can word
std::string arrival_text(Arrival, const std::vector<ElementInPlanes>& wrong, const std::string& moved);

/// Failure::cause of a property about an index: "" where an index is wrong, else "value" or "state".
const char* cause_of(Arrival);

}  // namespace tileproof
