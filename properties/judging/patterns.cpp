#include "properties/judging/patterns.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "properties/problem/specification.h"

namespace tileproof {

namespace {

/// A pattern, and whether a wrong element shows it.
struct Pattern {
  const char* name;
  bool (*shown)(const Problem&, const WrongElement&);
};

double value_of(const Problem& p, std::uint32_t bits) {
  return specified::value(float_format_of(p.types.weight), bits);
}

/// Whether two patterns of a format are zeros.
bool are_zeros(const reference::FloatFormat& format, std::uint32_t a, std::uint32_t b) {
  return ((a | b) & ~format.sign_bit()) == 0;
}

/// Whether flushing makes a zero of it. The smallest normal number may have been rounded from a subnormal of more bits.
bool is_flushed(const reference::FloatFormat& format, std::uint32_t pattern) {
  return (pattern & ~format.sign_bit()) <= std::uint32_t{1} << format.fraction_bits;
}

// The first that all elements show is the finding's.
constexpr Pattern values[] = {
    {"the sign of a zero",
     [](const Problem& p, const WrongElement& e) {
       return e.of_weights && are_zeros(float_format_of(p.types.weight), e.expected, e.got);
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
       const reference::FloatFormat format = float_format_of(p.types.weight);
       return e.of_weights && are_zeros(format, e.got, e.got) && !are_zeros(format, e.expected, e.expected) &&
              is_flushed(format, e.expected);
     }},
    {"a zero in place of another zero or of a subnormal",
     [](const Problem& p, const WrongElement& e) {
       const reference::FloatFormat format = float_format_of(p.types.weight);
       return e.of_weights && are_zeros(format, e.got, e.got) && is_flushed(format, e.expected);
     }},
    {"a weight of two roundings", [](const Problem&, const WrongElement& e) { return e.of_two_roundings; }},
    {"the neighbouring value",
     [](const Problem&, const WrongElement& e) {
       return e.of_weights && (e.got == e.expected + 1 || e.expected == e.got + 1);
     }},
    {"a power of two",
     [](const Problem& p, const WrongElement& e) {
       if (!e.of_weights) return false;
       int ignored = 0;
       const double ratio = std::fabs(value_of(p, e.got) / value_of(p, e.expected));
       return std::isfinite(ratio) && ratio != 1 && std::frexp(ratio, &ignored) == 0.5;
     }},
    {"a change that does not show",  // the elements of these properties are 1 where the result changed
     [](const Problem& p, const WrongElement& e) {
       return !e.of_weights && p.property.starts_with("sense/") && e.expected == 1 && e.got == 0;
     }},
};

constexpr Pattern places[] = {
    {"the last n-tile, which is no whole one",
     [](const Problem& p, const WrongElement& e) { return p.n % 8 != 0 && p.n > 8 && e.row >= p.n / 8 * 8; }},
    {"the first column of a group",
     [](const Problem& p, const WrongElement& e) { return e.column % p.group_size == 0; }},
    {"the last column of a group",
     [](const Problem& p, const WrongElement& e) { return (e.column + 1) % p.group_size == 0; }},
    {"groups after the first",
     [](const Problem& p, const WrongElement& e) { return p.groups().k > 1 && e.column >= p.group_size; }},
};

/// "plus 8" or "-8" if all codes are off by the same difference; "" otherwise, and for weights.
std::string constant_of(const std::vector<WrongElement>& wrong) {
  const auto difference = [](const WrongElement& e) {
    return static_cast<std::int64_t>(static_cast<std::int32_t>(e.got)) - static_cast<std::int32_t>(e.expected);
  };
  for (const WrongElement& element : wrong) {
    if (element.of_weights || difference(element) != difference(wrong.front())) return "";
  }
  return std::string(difference(wrong.front()) < 0 ? "" : "plus ") + std::to_string(difference(wrong.front()));
}

/// Whether all listed elements show a pattern.
bool all_show(const Finding& finding, const Pattern& pattern) {
  return std::all_of(finding.wrong.begin(), finding.wrong.end(),
                     [&](const WrongElement& e) { return pattern.shown(finding.problem, e); });
}

/// A class of problems.
struct Class {
  const char* name;
  bool (*holds)(const Problem&);
};
constexpr Class classes[] = {
    {"a group crosses rows", [](const Problem& p) { return p.n > 1 && p.k % p.group_size != 0; }},
};

/// The row of a table with a name, or nullptr.
template <class Rows>
auto row_named(const Rows& rows, const std::string& name) {
  const auto found = std::ranges::find_if(rows, [&](const auto& row) { return row.name == name; });
  return found == std::end(rows) ? nullptr : &*found;
}

template <class Rows>
std::vector<std::string> names_in(const Rows& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.emplace_back(row.name);
  return names;
}

}  // namespace

std::string pattern_of(const Finding& finding) {
  const std::vector<WrongElement>& wrong = finding.wrong;
  if (wrong.size() < 2) return "";  // one element fits any pattern
  std::string text;
  const auto add = [&](const std::string& name) { text += (text.empty() || name.empty() ? "" : ", ") + name; };
  for (const auto& patterns : {std::span<const Pattern>(values), std::span<const Pattern>(places)}) {
    for (const Pattern& pattern : patterns) {
      if (!all_show(finding, pattern)) continue;
      add(pattern.name);
      break;
    }
  }
  add(constant_of(wrong));
  return text;
}

bool shows(const Finding& finding, const std::string& pattern_of_values) {
  const Pattern* pattern = row_named(values, pattern_of_values);
  return pattern != nullptr && !finding.wrong.empty() && all_show(finding, *pattern);
}

std::string value_pattern_of(const Finding& finding) {
  const auto found = std::ranges::find_if(values, [&](const Pattern& one) { return shows(finding, one.name); });
  return found == std::end(values) ? "" : found->name;
}

std::vector<std::string> patterns_of_values() { return names_in(values); }

bool is_of_class(const Problem& problem, const std::string& name) {
  const Class* one = row_named(classes, name);
  return one != nullptr && one->holds(problem);
}

std::vector<std::string> classes_of_problems() { return names_in(classes); }

}  // namespace tileproof
