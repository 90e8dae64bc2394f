#include "fuzz/campaign/fingerprint.h"

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

constexpr Pattern patterns_of_values[] = {
    {"a NaN or an infinity",
     [](const Problem& p, const WrongElement& e) {
       return e.of_weights && !(std::isfinite(value_of(p, e.expected)) && std::isfinite(value_of(p, e.got)));
     }},
    {"the sign alone",
     [](const Problem& p, const WrongElement& e) {
       return e.of_weights && (e.expected ^ e.got) == float_format_of(p.types.weight).sign_bit();
     }},
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
};

constexpr Pattern patterns_of_places[] = {
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

}  // namespace

std::string pattern_of(const Finding& finding) {
  const std::vector<WrongElement>& wrong = finding.wrong;
  if (wrong.size() < 2) return "";  // one element fits any pattern
  std::string text;
  const auto add = [&](const std::string& name) { text += (text.empty() || name.empty() ? "" : ", ") + name; };
  for (const auto& patterns :
       {std::span<const Pattern>(patterns_of_values), std::span<const Pattern>(patterns_of_places)}) {
    for (const Pattern& pattern : patterns) {
      const bool all = std::all_of(wrong.begin(), wrong.end(),
                                   [&](const WrongElement& e) { return pattern.shown(finding.problem, e); });
      if (!all) continue;
      add(pattern.name);
      break;
    }
  }
  add(constant_of(wrong));
  return text;
}

bool are_alike(const Finding& a, const Finding& b) {
  const Problem &p = a.problem, &q = b.problem;
  const bool same_place = p.property == q.property && p.subject == q.subject && p.variant == q.variant &&
                          p.scheme == q.scheme && p.types == q.types && p.format == q.format;
  if (!same_place || a.kind != b.kind) return false;
  const std::string pattern = pattern_of(a), other = pattern_of(b);
  return pattern == other || a.wrong.size() < 2 || b.wrong.size() < 2;
}

std::string fingerprint_of(const Finding& finding) {
  const Problem& p = finding.problem;
  const std::string pattern = pattern_of(finding);
  return p.property + (p.variant.empty() ? "" : " (" + p.variant + ")") + " on " + p.subject + ": " + p.format->name +
         " " + p.scheme->name + " " + name_of(p.types) + ": " + finding.kind + (pattern.empty() ? "" : ": " + pattern);
}

}  // namespace tileproof
