#include "properties/case/wrong_elements.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "properties/problem/specification.h"

namespace tileproof {

namespace {

double value_of(const Problem& p, std::uint32_t bits) {
  return specified::value(float_format_of(p.types.weight), bits);
}

/// Whether two patterns of bits are zeros.
bool are_zeros(const Problem& p, std::uint32_t a, std::uint32_t b) {
  return ((a | b) & ~float_format_of(p.types.weight).sign_bit()) == 0;
}

/// Whether flushing makes a zero of it. The smallest normal number may have been rounded from a subnormal of more bits.
bool is_flushed(const Problem& p, std::uint32_t bits) {
  const reference::FloatFormat format = float_format_of(p.types.weight);
  return (bits & ~format.sign_bit()) <= std::uint32_t{1} << format.fraction_bits;
}

bool are_neighbours(std::uint32_t a, std::uint32_t b) { return a == b + 1 || b == a + 1; }

struct Pattern {
  const char* name;
  bool (*shown)(const Problem&, const WrongElement&);
  bool is_reproduced = false;  // by a formula, which gives what was got
};

constexpr Pattern patterns[] = {
    {"the sign of a zero",
     [](const Problem& p, const WrongElement& e) { return e.of_weights && are_zeros(p, e.expected, e.got); }},
    {"a NaN that became a number",
     [](const Problem& p, const WrongElement& e) {
       return e.of_weights && std::isnan(value_of(p, e.expected)) && std::isfinite(value_of(p, e.got));
     }},
    {"a NaN or an infinity",
     [](const Problem& p, const WrongElement& e) {
       return e.of_weights && !(std::isfinite(value_of(p, e.expected)) && std::isfinite(value_of(p, e.got)));
     }},
    {"the sign alone",
     [](const Problem& p, const WrongElement& e) {
       return e.of_weights && (e.expected ^ e.got) == float_format_of(p.types.weight).sign_bit();
     }},
    {"a subnormal that became zero",
     [](const Problem& p, const WrongElement& e) {
       return e.of_weights && are_zeros(p, e.got, e.got) && !are_zeros(p, e.expected, e.expected) &&
              is_flushed(p, e.expected);
     }},
    {"a zero in place of another zero or of a subnormal",
     [](const Problem& p, const WrongElement& e) {
       return e.of_weights && are_zeros(p, e.got, e.got) && is_flushed(p, e.expected);
     }},
    {"a weight of two roundings", [](const Problem&, const WrongElement& e) { return e.of_two_roundings; }, true},
    {"the neighbouring value",
     [](const Problem&, const WrongElement& e) { return e.of_weights && are_neighbours(e.got, e.expected); }},
    {"a power of two",
     [](const Problem& p, const WrongElement& e) {
       if (!e.of_weights) return false;
       int ignored = 0;
       const double ratio = std::fabs(value_of(p, e.got) / value_of(p, e.expected));
       return std::isfinite(ratio) && ratio != 1 && std::frexp(ratio, &ignored) == 0.5;
     }},
    // Last, as it shows of a weight of another cause too where both groups' weights are alike.
    {"the scale of a group counted along its row",
     [](const Problem&, const WrongElement& e) { return e.of_row_groups; }, true},
};

}  // namespace

std::vector<std::string> patterns_of_values() {
  std::vector<std::string> names;
  for (const Pattern& one : patterns) names.emplace_back(one.name);
  return names;
}

bool shows_pattern(const Problem& problem, const WrongElement& element, std::size_t pattern) {
  return patterns[pattern].shown(problem, element);
}

bool is_expected_by(const std::string& pattern, const Problem& problem, const WrongElement& element) {
  const auto is_shown = [&](const Pattern& one) { return one.shown(problem, element); };
  const auto first = std::ranges::find_if(patterns, is_shown);
  return std::ranges::any_of(patterns, [&](const Pattern& one) {
    return one.name == pattern && is_shown(one) && (one.is_reproduced || &one == first);
  });
}

void WrongElements::add(const WrongElement& element) {
  unsigned set = 0;
  for (std::size_t i = 0; i < std::size(patterns); ++i) {
    set |= static_cast<unsigned>(patterns[i].shown(problem_, element)) << i;
  }
  const bool is_new = std::ranges::find(sets_, set) == sets_.end();
  if (is_new) sets_.push_back(set);
  if (added_++ < most_listed || is_new) kept_.push_back(element);
}

std::optional<reference::Element> group_along_row(const Problem& p, std::int64_t row, std::int64_t column) {
  if (p.experts != 1 || p.format->groups_divide_rows || p.k % p.group_size == 0) return std::nullopt;
  const reference::Element own = p.group_of(row, column);
  const reference::Element other = {0, row * (p.k / p.group_size) + column / p.group_size};
  return other == own ? std::nullopt : std::optional(other);
}

bool is_of_row_groups(const Problem& p, std::uint32_t got, std::uint32_t with_that_group) {
  const reference::FloatFormat format = float_format_of(p.types.weight);
  return got == with_that_group || (format.is_nan(got) && format.is_nan(with_that_group)) ||
         (are_zeros(p, got, got) && is_flushed(p, with_that_group)) || are_neighbours(got, with_that_group);
}

void tell_mistakes(const Problem& p, WrongElement& element, int code, reference::Element own,
                   const std::function<ScaleAndZero(reference::Element)>& parameters) {
  const ScaleAndZero right = parameters(own);
  element.of_two_roundings = specified::is_of_two_roundings(p, code, right.scale, right.zero, element.got);
  if (const auto other = group_along_row(p, element.row, element.column)) {
    const ScaleAndZero wrong = parameters(*other);
    element.of_row_groups =
        is_of_row_groups(p, element.got,
                         p.scheme->weight(float_format_of(p.types.weight), float_format_of(p.types.parameter), code,
                                          wrong.scale, wrong.zero));
  }
}

WrongElement wrong_weight(const Problem& p, const Differences::One& one, const generated::Codes& codes,
                          const generated::Parameters& parameters) {
  const generated::UnpackedCodes unpacked = {codes};
  const std::int64_t row = one.index / p.k, column = one.index % p.k;
  const GeneratedTensor expected = generated::Weights{codes, parameters, reference::ResultOrder::n_k, p.types.weight};
  WrongElement element = {row, column, element_of(expected, one.index), one.got, true};
  const bool is_point = p.scheme->zero_kind == Zero::point;
  tell_mistakes(p, element, static_cast<int>(element_of(unpacked, one.index)), p.group_of(row, column),
                [&](reference::Element group) {
                  const generated::Pair pair = generated::pair_of(parameters, group);
                  return ScaleAndZero{pair.scale, is_point ? static_cast<std::uint32_t>(pair.zero_point) : pair.zero};
                });
  return element;
}

std::string mistake_text(const std::vector<WrongElement>& wrong) {
  const bool all = std::ranges::all_of(wrong, [](const WrongElement& one) { return one.of_two_roundings; });
  return all && !wrong.empty() ? "\n  The formula with one rounding more gives what was got." : "";
}

}  // namespace tileproof
