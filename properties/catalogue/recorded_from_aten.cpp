#include "properties/catalogue/recorded_from_aten.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "recorded_from_aten_text.h"
#include "reference/formats.h"

namespace tileproof {

namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t length = std::min(line.find(' '), line.size());
    if (length != 0) words.push_back(line.substr(0, length));
    line.remove_prefix(std::min(length + 1, line.size()));
  }
  return words;
}

}  // namespace

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
        r.codes.empty() && std::ssize(r.parameters) == 2 * p.group_count() && std::ssize(r.weights) == p.n * p.k;
    require(std::ssize(r.packed) == p.layout().units(p.size()) && (is_pack || is_weights),
            "the matrix ends too early or too late");
  };
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::vector<std::string_view> words = words_of(line);
    if (words.empty() || words[0][0] == '#') continue;
    const std::string name(words[0]);
    if (name == "matrix") {
      if (!all.empty()) require_whole_matrix(all.back());
      Problem& p = all.emplace_back().problem;
      std::istringstream fields(line.substr(name.size()));
      std::string format;
      require(fields >> p.n >> p.k >> format >> p.group_size && std::min({p.n, p.k, p.group_size}) > 0,
              "no size, format and group size");
      require((p.format = reference::format_named(format)) != nullptr, "no such format: " + format);
      continue;
    }
    require(!all.empty() && names.contains(name), "not expected: " + name);
    const auto& [values, digits] = names.at(name);
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::string_view word = words[i];
      if (word.size() != digits || word.find_first_not_of("0123456789abcdef") != word.npos) {
        require(false, "not of " + std::to_string(digits) + " hexadecimal digits: " + std::string(word));
      }
      std::from_chars(word.data(), word.data() + digits, (all.back().*values).emplace_back(), 16);
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
