// Comparisons of a case, which name the first wrong elements.
#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>
#include <type_traits>

#include "properties/case/case.h"
#include "properties/problem/named.h"
#include "properties/problem/specification.h"

namespace tileproof {

std::string hex_text(std::uint32_t bits, int digits) {
  std::ostringstream text;
  text << "0x" << std::hex << std::setfill('0') << std::setw(digits) << bits;
  return text.str();
}

namespace {

/// Whether elements are the bits of weights; others are whole numbers.
template <class T>
constexpr bool are_weights = std::is_same_v<T, std::uint32_t>;

template <class T>
std::string printed(const Problem& problem, T value) {
  if constexpr (are_weights<T>) return weight_text(problem, value);
  return std::to_string(value);
}

/// "3 of 64 elements are wrong:", and the first of them.
std::string listing(std::int64_t wrong, std::int64_t all, const std::string& are_wrong, const std::string& listed) {
  return std::to_string(wrong) + " of " + std::to_string(all) + " " + are_wrong +
         (wrong > most_listed ? "; the first ten:" : ":") + listed;
}

template <class T>
void require_same_shape(const Matrix<T>& got, const Matrix<T>& expected) {
  if (got.rows == expected.rows && got.columns == expected.columns) return;
  throw Failure("mismatch", "the result has " + std::to_string(got.rows) + " x " + std::to_string(got.columns) +
                                " elements, expected " + std::to_string(expected.rows) + " x " +
                                std::to_string(expected.columns));
}

}  // namespace

std::string text_of(const reference::Coordinates& coordinates) {
  return joined(coordinates, ", ", [](const reference::Coordinate& one) {
    return std::string(one.name) + " " + std::to_string(one.value);
  });
}

std::string weight_text(const Problem& problem, std::uint32_t bits) {
  const reference::FloatFormat format = float_format_of(problem.types.weight);
  std::ostringstream text;
  text << hex_text(bits, format.bits() / 4) << " (" << specified::value(format, bits) << ")";
  return text.str();
}

std::string place_text(const Problem& problem, std::int64_t row, std::int64_t column) {
  std::ostringstream text;
  const bool is_of_batch = problem.experts > 1 && problem.n != 0;
  const std::int64_t expert = is_of_batch ? row / problem.n : 0;
  if (is_of_batch) text << "expert " << expert << ", ";
  row -= expert * problem.n;
  text << "row " << row << ", column " << column;
  if (row < problem.n && column < problem.k) {
    const reference::Layout& layout = problem.layout_of_result();
    const std::int64_t slot = layout.slot_of({row, column}, problem.size());
    const std::int64_t before = expert * layout.slots(problem.size());
    text << " (" << text_of(layout.coordinates(before + slot, problem.size())) << ")";
  }
  return text.str();
}

std::optional<reference::Element> Case::drawn_group(std::int64_t row, std::int64_t column) const {
  const std::int64_t expert = problem.n == 0 ? 0 : row / problem.n;
  const Size groups = problem.groups();
  const reference::Element group = problem.group_of(row - expert * problem.n, column);
  const bool has_parameters =
      parameters_.scales.rows == problem.experts * groups.k && parameters_.scales.columns == groups.n;
  if (!has_parameters || expert >= problem.experts || group.k >= groups.k) return std::nullopt;
  return reference::Element{group.n, expert * groups.k + group.k};
}

std::string Case::element_text(std::int64_t row, std::int64_t column) const {
  std::ostringstream text;
  text << place_text(problem, row, column);
  if (is_drawn(row, column)) text << ": code " << static_cast<int>(codes_(row, column));
  if (const auto group = drawn_group(row, column)) {
    const int digits = float_format_of(problem.types.parameter).bits() / 4;
    const std::uint32_t zero = specified::zero_of(problem, parameters_, *group);
    text << ", group " << group->k % problem.groups().k << ", scale "
         << hex_text(parameters_.scales(group->k, group->n), digits);
    if (problem.scheme->zero_kind == Zero::value) text << ", zero " << hex_text(zero, digits);
    if (problem.scheme->has_factor) text << ", global scale " << hex_text(zero, 8);
    if (problem.scheme->zero_kind == Zero::point) text << ", zero point " << static_cast<std::int32_t>(zero);
  }
  return text.str();
}

void Case::tell_mistake(WrongElement& element) const {
  const auto own = drawn_group(element.row, element.column);
  if (!own || !is_drawn(element.row, element.column) || !elements_are_.empty()) return;
  tell_mistakes(problem, element, codes_(element.row, element.column), *own, [&](reference::Element group) {
    return ScaleAndZero{parameters_.scales(group.k, group.n), specified::zero_of(problem, parameters_, group)};
  });
}

template <class T>
const char* Case::reason(T got, T expected, std::int64_t row, std::int64_t column,
                         const Explanation& explanation) const {
  if constexpr (are_weights<T>) {
    const reference::FloatFormat format = float_format_of(problem.types.weight);
    if (!capabilities.one_nan && format.is_nan(got) && format.is_nan(expected)) return other_nan;
  }
  return explanation ? explanation(row, column, static_cast<std::uint32_t>(got)) : nullptr;
}

template <class T>
void Case::measurement(const Matrix<T>& got, const Matrix<T>& expected, const Explanation& explanation) {
  if (coverage_.compared_elements->elements != 0) throw std::logic_error("a case that is measured compares twice");
  for (std::size_t i = 0; i < expected.elements.size(); ++i) {
    coverage_.compared_elements->expected(static_cast<std::uint32_t>(expected.elements[i]));
    if (got.elements[i] == expected.elements[i]) continue;
    const auto index = static_cast<std::int64_t>(i);
    coverage_.compared_elements->differs(
        index, static_cast<std::uint32_t>(got.elements[i]),
        reason(got.elements[i], expected.elements[i], index / expected.columns, index % expected.columns, explanation));
  }
}

template <class T>
void Case::compare(const Matrix<T>& got, const Matrix<T>& expected, const Explanation& explanation) {
  require_same_shape(got, expected);
  if (coverage_.compared_elements) measurement(got, expected, explanation);
  if (got.elements == expected.elements) return coverage_.expected_all(expected.elements);
  std::ostringstream listed;
  std::int64_t wrong = 0;
  std::int64_t first_row = -1;
  std::int64_t first_column = 0;
  std::string row_picture;  // the first wrong row, with an x under each wrong column
  WrongElements wrong_elements(problem);
  for (std::int64_t row = 0; row < got.rows; ++row) {
    for (std::int64_t column = 0; column < got.columns; ++column) {
      coverage_.expected_value(static_cast<std::uint32_t>(expected(row, column)));
      bool differs = got(row, column) != expected(row, column);
      const char* why = differs ? reason(got(row, column), expected(row, column), row, column, explanation) : nullptr;
      if (why != nullptr) {
        ++coverage_.explained[why];
        differs = false;
      }
      if (differs && first_row < 0) {
        first_row = row;
        first_column = column;
      }
      if (row == first_row) row_picture += differs ? 'x' : '.';  // starts at the first wrong column
      if (!differs) continue;
      WrongElement element = {row, column, static_cast<std::uint32_t>(expected(row, column)),
                              static_cast<std::uint32_t>(got(row, column)), are_weights<T>};
      if constexpr (are_weights<T>) tell_mistake(element);
      wrong_elements.add(element);
      if (++wrong > most_listed) continue;
      listed << "\n  " << element_text(row, column) << ": expected " << printed(problem, expected(row, column))
             << ", got " << printed(problem, got(row, column));
    }
  }
  if (wrong == 0) return;
  // Show a window of the row that contains the first wrong column.
  constexpr std::int64_t widest = 96;
  const std::int64_t from = first_column < widest ? 0 : first_column / 32 * 32;
  row_picture.insert(0, static_cast<std::size_t>(first_column - from), '.');
  const bool cut = static_cast<std::int64_t>(row_picture.size()) > widest;
  const std::string are_wrong = std::string(wrong == 1 ? "elements is wrong" : "elements are wrong") +
                                (elements_are_.empty() ? "" : " (an element here is " + elements_are_ + ")");
  listed << "\n  row " << first_row << (from > 0 ? ", from column " + std::to_string(from) : "") << ": "
         << row_picture.substr(0, static_cast<std::size_t>(widest)) << (cut ? "..." : "")
         << mistake_text(wrong_elements.kept());
  Failure failure("mismatch", listing(wrong, got.rows * got.columns, are_wrong, listed.str()));
  failure.wrong = wrong_elements.kept();
  throw failure;
}

template void Case::compare(const Matrix<std::int8_t>&, const Matrix<std::int8_t>&, const Explanation&);
template void Case::compare(const Matrix<std::uint8_t>&, const Matrix<std::uint8_t>&, const Explanation&);
template void Case::compare(const Matrix<std::int32_t>&, const Matrix<std::int32_t>&, const Explanation&);
template void Case::compare(const Matrix<std::uint32_t>&, const Matrix<std::uint32_t>&, const Explanation&);

void Case::expect_equal(const Result& got, const Result& expected) {
  if (is_packed(got.role)) return expect_equal(got.bits.elements, expected.bits.elements);
  if (got.role == Role::codes) return expect_equal(got.as_codes(), expected.as_codes());
  expect_equal(got.bits, expected.bits);
}

namespace {

/// The coordinates that two slots have in common, except the storage unit's number.
reference::Coordinates common_coordinates(const reference::Layout& layout, std::int64_t a, std::int64_t b, Size size) {
  const reference::Coordinates of_a = layout.coordinates(a, size), of_b = layout.coordinates(b, size);
  reference::Coordinates common;
  for (int i = 0; i < of_a.count; ++i) {
    const bool is_unit = of_a.all[i].name == std::string(layout.unit);
    if (!is_unit && of_a.all[i].value == of_b.all[i].value) common.all[common.count++] = of_a.all[i];
  }
  return common;
}

}  // namespace

void Case::expect_equal(const std::vector<std::uint32_t>& got, const std::vector<std::uint32_t>& expected) {
  // A byte is counted as four, so that units of one byte and of four that hold nothing but one byte are of one value.
  const std::uint32_t as_word = problem.layout_of_result().bytes_of_unit == 1 ? 0x1010101 : 1;
  const auto counted = [=](std::uint32_t unit) { return unit * as_word; };
  if (got == expected) {
    std::vector<std::uint32_t> words = expected;
    std::ranges::transform(words, words.begin(), counted);
    return coverage_.expected_all(words);
  }
  if (got.size() != expected.size()) {
    throw Failure("mismatch", "the result has " + std::to_string(got.size()) + " " + problem.layout_of_result().unit +
                                  "s, expected " + std::to_string(expected.size()));
  }
  const reference::Layout& layout = problem.layout_of_result();
  const int slots = layout.slots_of_unit();
  const std::int64_t slots_of_expert = layout.slots(problem.size());
  std::ostringstream listed;
  std::int64_t wrong = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    coverage_.expected_value(counted(expected[i]));
    if (got[i] == expected[i]) continue;
    if (++wrong > most_listed) continue;
    const std::int64_t first_slot = static_cast<std::int64_t>(i) * slots;
    const std::int64_t expert = slots_of_expert == 0 ? 0 : first_slot / slots_of_expert;
    const std::string expert_text = problem.experts > 1 ? "expert " + std::to_string(expert) + ", " : "";
    listed << "\n  " << layout.unit << " " << i << " (" << expert_text
           << text_of(common_coordinates(layout, first_slot, first_slot + slots - 1, problem.size())) << "): expected "
           << hex_text(expected[i], slots) << ", got " << hex_text(got[i], slots) << "; wrong nibbles:";
    for (int nibble = slots - 1; nibble >= 0; --nibble) {
      if (((got[i] ^ expected[i]) >> (4 * nibble) & 15) == 0) continue;
      const std::int64_t slot = first_slot + nibble - expert * slots_of_expert;
      const auto element = layout.element_at(slot, layout.padded(problem.size()));
      const bool is_padding = element && !(element->n < problem.n && element->k < problem.k);
      listed << " " << nibble << " ("
             << (element ? "row " + std::to_string(element->n) + " column " + std::to_string(element->k) : "no element")
             << (is_padding ? ", padding)" : ")");
    }
  }
  const std::string are_wrong = std::string(layout.unit) + (wrong == 1 ? "s is wrong" : "s are wrong");
  throw Failure("mismatch", listing(wrong, std::ssize(expected), are_wrong, listed.str()));
}

void Case::expect_within(const Matrix<double>& got, const Matrix<double>& exact, const Matrix<double>& bound,
                         const char* name) {
  require_same_shape(got, exact);
  require_same_shape(bound, exact);
  std::ostringstream listed;
  std::int64_t wrong = 0;
  for (std::int64_t row = 0; row < got.rows; ++row) {
    for (std::int64_t column = 0; column < got.columns; ++column) {
      coverage_.expected_value(static_cast<std::uint32_t>(std::hash<double>()(exact(row, column))));
      const double error = std::fabs(got(row, column) - exact(row, column));
      if (error <= bound(row, column) && std::isfinite(bound(row, column))) continue;  // false for NaN
      if (++wrong > most_listed) continue;
      listed << "\n  row " << row << ", column " << column << ": exact " << exact(row, column) << ", got "
             << got(row, column) << ", off by " << error << ", the bound is " << bound(row, column);
    }
  }
  if (wrong == 0) return;
  throw Failure("mismatch",
                listing(wrong, got.rows * got.columns, std::string("elements are outside the ") + name, listed.str()));
}

}  // namespace tileproof
