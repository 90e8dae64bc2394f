#include "fuzz/campaign/nearest.h"

#include <algorithm>

namespace tileproof {

namespace {

/// Insertions, deletions and substitutions between two words (V. Levenshtein, 1966).
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(const std::string& given, const std::vector<std::string>& names) {
  if (given.empty()) return "";
  std::string best;
  const std::size_t letters = given.size() - std::min(given.find_first_not_of('-'), given.size());
  std::size_t best_distance = std::min<std::size_t>(letters / 2, 2) + 1;
  for (const std::string& name : names) {
    // Names may be given by how they begin.
    const std::size_t distance =
        std::min(edit_distance(given, name), edit_distance(given, name.substr(0, given.size())));
    if (distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace tileproof
