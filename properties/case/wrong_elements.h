/// Wrong elements of a result, and the patterns of values that they show.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "properties/memory/generated_tensor.h"
#include "properties/memory/memory.h"
#include "properties/problem/problem.h"
#include "properties/problem/values.h"

namespace tileproof {

/// An element that is not as expected: the bits of a weight in the problem's type, otherwise a whole number.
struct WrongElement {
  std::int64_t row;
  std::int64_t column;
  std::uint32_t expected;
  std::uint32_t got;
  bool of_weights;
  bool of_two_roundings = false;  // a weight that the formula gives with a rounding more
  bool of_row_groups = false;     // a weight with the parameters of group_along_row()
};

/// How many elements a finding lists.
inline constexpr int most_listed = 10;

/// The elements of a result that stand for all that are wrong: the first ten, and the first of each set of patterns, so
/// that what ten known elements are followed by is seen too.
class WrongElements {
 public:
  explicit WrongElements(const Problem& problem) : problem_(problem) {}
  void add(const WrongElement&);
  const std::vector<WrongElement>& kept() const { return kept_; }

 private:
  const Problem& problem_;
  std::int64_t added_ = 0;
  std::vector<WrongElement> kept_;
  std::vector<unsigned> sets_;  // of patterns that a kept one shows
};

/// The patterns of values, the most telling first.
std::vector<std::string> patterns_of_values();
/// Whether an element shows a pattern, by its number in patterns_of_values().
bool shows_pattern(const Problem&, const WrongElement&, std::size_t pattern);
/// Whether a known finding with a pattern expects an element: the pattern is the first that the element shows, or is a
/// formula that gives what was got. Later ones may show by chance: the bits of an infinity neighbour those of a NaN.
bool is_expected_by(const std::string& pattern, const Problem&, const WrongElement&);

/// The group that an element has if each row is taken to hold k / group_size groups, rounded down. Empty if that is the
/// element's own group, as it always is where groups do not cross rows; and of a batch.
std::optional<reference::Element> group_along_row(const Problem&, std::int64_t row, std::int64_t column);
/// Whether a weight is one with the parameters of that group; the sign of a zero, a flushed subnormal and the last
/// place may differ.
/// @param with_that_group  the specified weight with those parameters
bool is_of_row_groups(const Problem&, std::uint32_t got, std::uint32_t with_that_group);

/// Sets which mistakes give a wrong weight.
/// @param own        the element's group
/// @param parameters gives those of a group, the zero as Scheme::weight takes it
void tell_mistakes(const Problem&, WrongElement&, int code, reference::Element own,
                   const std::function<ScaleAndZero(reference::Element)>& parameters);

/// A wrong weight of generated codes and parameters.
/// @param one  numbered by row and column
WrongElement wrong_weight(const Problem&, const Differences::One& one, const generated::Codes&,
                          const generated::Parameters&);

/// A line of the mistake that gives each of the elements; "" if none is known that does.
std::string mistake_text(const std::vector<WrongElement>&);

}  // namespace tileproof
