/// Finds the runs at which a figure of the history changed permanently.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "reports/statistics.h"

namespace tileproof::statistics {

/// Runs before a step, and as many after it, that are compared: the fewest with which a Mann-Whitney test can reach
/// p < 0.01.
inline constexpr std::size_t runs_of_a_step = 5;

inline double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

inline double range(const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return *most - *least;
}

/// The indices of the values at which a new level begins. The five values before and the five from there on must differ
/// (Mann-Whitney, two-sided p < 0.01), and their medians must differ by more than 2 % and by more than 1.5 times the
/// larger range of the two, so that a steady climb has no step. Among candidates fewer than five places apart, the one
/// whose means differ most is kept.
inline std::vector<std::size_t> steps_in(const std::vector<double>& values) {
  constexpr double p_of_a_step = 0.01, least_change = 0.02, least_of_range = 1.5;
  std::vector<std::size_t> steps;
  double largest = 0;
  for (std::size_t i = runs_of_a_step; i + runs_of_a_step <= values.size(); ++i) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(i);
    const std::vector<double> before(at - runs_of_a_step, at), after(at, at + runs_of_a_step);
    const double then = median(before), now = median(after);
    const double change = std::fabs(now - then);
    const bool is_large = change > least_change * std::max(std::fabs(then), std::fabs(now)) &&
                          change > least_of_range * std::max(range(before), range(after));
    if (!is_large || mann_whitney_p(before, after) >= p_of_a_step) continue;
    const double parted = std::fabs(mean(after) - mean(before));
    const bool is_near = !steps.empty() && i - steps.back() < runs_of_a_step;
    if (is_near && parted <= largest) continue;
    if (is_near) steps.pop_back();
    steps.push_back(i);
    largest = parted;
  }
  return steps;
}

}  // namespace tileproof::statistics
