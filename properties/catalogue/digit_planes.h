/// Digit planes, read back: a plane holds, at every element, one digit of the element's number, and its complement
/// holds the largest digit minus it. The digits that arrive in all planes spell the source of an element, or show that
/// it has none: its value is wrong, or it is left from another call.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "properties/case/case.h"

namespace tileproof {

/// The bits of a digit that the scale, or the zero, of a group stands for: 6, or 4 where zero points are only sixteen,
/// or where scales are powers of two.
int bits_of_group_digit(const Problem&, bool of_zero);

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

/// A wrong place of a matrix, and the element of the result that holds what arrived there.
struct WrongPlace {
  std::int64_t number;  // the number whose digits are sent there
  std::int64_t row, column;
  std::int64_t in_result;  // the index of the result's element
  std::uint32_t got;       // its value
};

/// Numbers that are sent through an operation digit by digit, and how to read and to tell what arrives.
struct SentPlanes {
  Planes planes;
  /// Runs the operation over one plane.
  /// @param wanted  the elements of the result to read
  std::function<ComparedResult(int digit, bool complemented, const std::vector<std::int64_t>& wanted)> run;
  /// The places that a wrong element of the result makes wrong, without padding.
  /// @param sent  the digit that is sent to the place of a number
  std::function<std::vector<WrongPlace>(const Differences::One&, const std::function<std::int64_t(std::int64_t)>& sent)>
      wrong_in;
  /// The digit that arrived at a place, -1 for none, and the bits that show it.
  std::function<std::pair<std::int64_t, std::uint32_t>(std::uint32_t element, const WrongPlace&)> read;
  std::string elements;    // of the result: "the codes"
  std::string of_numbers;  // " of the scales", or ""
  std::string moved;       // the sentence for Arrival::moved
  std::string digit;       // "code "
  /// The number of the place that something came from, as text for people; nothing: it came from no place.
  std::function<std::string(std::optional<std::int64_t> number)> source_text;
  /// The value that arrived at a place, as text for people.
  std::function<std::string(const WrongPlace&, std::int64_t sent)> got_text;
  const char* (*cause)(Arrival);
};

/// Runs every digit plane and its complement. The plane shows where something came from; the pair shows that no bit is
/// stuck.
/// @throws Failure
void expect_every_plane_arrives(const Problem&, const SentPlanes&);

}  // namespace tileproof
