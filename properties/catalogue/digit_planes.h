/// Digit planes, read back: a plane holds, at every element, one digit of the element's number, and its complement
/// holds the largest digit minus it. The digits that arrive in all planes spell the source of an element, or show that
/// it has none: its value is wrong, or it is left from another call.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tileproof {

struct InPlane {
  std::int64_t sent;   // the digit that belongs there
  std::int64_t digit;  // the digit that arrived; -1: what arrived is no digit
  std::uint32_t bits;  // the bits that arrived
};

struct ElementInPlanes {
  std::int64_t number;                      // the number whose digits are sent here
  std::vector<InPlane> plain, complements;  // one per digit, the least significant first
};

/// How planes are made: numbers below `count`, cut into digits of `bits_of_digit` bits.
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
  moved,     // every element holds another element's code, or the padding's 0: the index is wrong
  nothing,   // 0 arrives in every plane: it comes from the padding, or nothing was written
  stale,     // each element shows a constant digit of its own in every plane: the result does not depend on the input
  by_value,  // the digit sent decides what arrives, at every element: the value is wrong
  mixed      // none of the above
};

/// The number that an element's planes and its complements both spell. Empty where they disagree, or where the number
/// is not below `count`.
std::optional<std::int64_t> source_of(const Planes&, const ElementInPlanes&);

/// @param wrong  the elements that are wrong in some plane, at least one
Arrival arrival_of(const Planes&, const std::vector<ElementInPlanes>& wrong);

/// Says what the planes show, as a sentence that follows "N elements are wrong in the plane of digit D. ".
/// @param moved  the sentence for Arrival::moved, which only the caller can word
std::string arrival_text(Arrival, const std::vector<ElementInPlanes>& wrong, const std::string& moved);

/// Failure::cause of an index property: "" where the index is wrong, else "value" or "state".
const char* cause_of(Arrival);

}  // namespace tileproof
