#include "properties/judging/patterns.h"

#include <algorithm>

namespace tileproof {

namespace {

/// A pattern of places, and whether a wrong element shows it.
struct Place {
  const char* name;
  bool (*shown)(const Problem&, const WrongElement&);
};
constexpr Place places[] = {
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

bool all_are_at(const Finding& finding, const Place& place) {
  return std::ranges::all_of(finding.wrong, [&](const WrongElement& e) { return place.shown(finding.problem, e); });
}

/// A class of problems.
struct Class {
  const char* name;
  bool (*holds)(const Problem&);
};
constexpr Class classes[] = {
    {"a group crosses rows", [](const Problem& p) { return p.n > 1 && p.k % p.group_size != 0; }},
    {"at most eight rows", [](const Problem& p) { return p.n <= 8; }},
    {"more n-tiles than 65,535", [](const Problem& p) { return p.n > std::int64_t{8} * 65535; }},
    {"more blocks of 32 columns than 65,535", [](const Problem& p) { return p.k > std::int64_t{32} * 65535; }},
};

}  // namespace

std::string pattern_of(const Finding& finding) {
  const std::vector<WrongElement>& wrong = finding.wrong;
  if (wrong.size() < 2) return "";  // one element fits any pattern
  std::string text = value_pattern_of(finding);
  const auto add = [&](const std::string& name) { text += (text.empty() || name.empty() ? "" : ", ") + name; };
  const auto place = std::ranges::find_if(places, [&](const Place& one) { return all_are_at(finding, one); });
  if (place != std::end(places)) add(place->name);
  add(constant_of(wrong));
  return text;
}

std::string value_pattern_of(const Finding& finding) {
  const std::vector<std::string> names = patterns_of_values();
  for (std::size_t i = 0; i < names.size() && !finding.wrong.empty(); ++i) {
    const auto shows = [&](const WrongElement& e) { return shows_pattern(finding.problem, e, i); };
    if (std::ranges::all_of(finding.wrong, shows)) return names[i];
  }
  return "";
}

bool is_of_class(const Problem& problem, const std::string& name) {
  const auto one = std::ranges::find_if(classes, [&](const Class& row) { return row.name == name; });
  return one != std::end(classes) && one->holds(problem);
}

std::vector<std::string> classes_of_problems() {
  std::vector<std::string> names;
  for (const Class& one : classes) names.emplace_back(one.name);
  return names;
}

}  // namespace tileproof
