#include "properties/catalogue/recorded_from_aten.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <stdexcept>

#include "recorded_from_aten_text.h"
#include "reference/formats.h"

namespace tileproof {

std::vector<Recorded> recorded_in(const std::string& text) {
  using Digits = std::pair<std::vector<std::uint32_t> Recorded::*, std::size_t>;
  const std::map<std::string, Digits> names = {{"codes", {&Recorded::codes, 2}},
                                               {"packed", {&Recorded::packed, 8}},
                                               {"parameters", {&Recorded::parameters, 4}},
                                               {"weights", {&Recorded::weights, 4}}};
  std::vector<Recorded> all;
  std::istringstream lines(text);
  int number = 0;
  const auto require = [&](bool holds, const std::string& reason) {
    if (!holds) throw std::logic_error("recorded_from_aten.txt, line " + std::to_string(number) + ": " + reason);
  };
  const auto require_whole_matrix = [&](const Recorded& r) {
    const Problem& p = r.problem;
    const bool is_pack = std::ssize(r.codes) * 2 == p.n * p.k && r.parameters.empty() && r.weights.empty();
    const bool is_weights =
        r.codes.empty() && std::ssize(r.parameters) == 2 * p.n * p.groups() && std::ssize(r.weights) == p.n * p.k;
    require(std::ssize(r.packed) == p.layout().units(p.size()) && (is_pack || is_weights),
            "the matrix ends too early or too late");
  };
  for (std::string line, name, word; std::getline(lines, line);) {
    ++number;
    std::istringstream words(line);
    if (!(words >> name) || name[0] == '#') continue;
    if (name == "matrix") {
      if (!all.empty()) require_whole_matrix(all.back());
      Problem& p = all.emplace_back().problem;
      require(words >> p.n >> p.k >> word >> p.group_size && std::min({p.n, p.k, p.group_size}) > 0,
              "no size, format and group size");
      require((p.format = reference::format_named(word)) != nullptr, "no such format: " + word);
      continue;
    }
    require(!all.empty() && names.contains(name), "not expected: " + name);
    for (const auto& [values, digits] = names.at(name); words >> word;) {
      require(word.size() == digits && word.find_first_not_of("0123456789abcdef") == std::string::npos,
              "not of " + std::to_string(digits) + " hexadecimal digits: " + word);
      (all.back().*values).push_back(static_cast<std::uint32_t>(std::stoul(word, nullptr, 16)));
    }
  }
  require(!all.empty(), "no matrix");
  require_whole_matrix(all.back());
  return all;
}

const std::vector<Recorded>& recorded_from_aten() {
  static const std::vector<Recorded> all = recorded_in(recorded_from_aten_text);
  return all;
}

}  // namespace tileproof
