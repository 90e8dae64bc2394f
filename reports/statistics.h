/// Statistics of repeated timings: median, spread, and whether one sample is larger than another. They do not assume a
/// normal distribution, because times do not have one.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace tileproof::statistics {

/// A quantile by linear interpolation between the two nearest order statistics.
/// @param values  at least one
/// @param part    0 for the smallest, 1 for the largest
inline double quantile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  const double at = part * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (at - static_cast<double>(below));
}

inline double median(const std::vector<double>& values) { return quantile(values, 0.5); }

/// The interquartile range divided by the median; 0 if the median is 0.
inline double spread(const std::vector<double>& values) {
  const double middle = median(values);
  return middle == 0 ? 0 : (quantile(values, 0.75) - quantile(values, 0.25)) / middle;
}

/// Twice the rank of each value among both samples together; the values of `a` come first. Equal values share the mean
/// of their ranks, and doubling makes that mean a whole number.
inline std::vector<std::size_t> doubled_ranks(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> all = a;
  all.insert(all.end(), b.begin(), b.end());
  std::vector<double> sorted = all;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::size_t> ranks;
  for (const double value : all) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
    ranks.push_back(static_cast<std::size_t>(first - sorted.begin()) + 1 +
                    static_cast<std::size_t>(last - sorted.begin()));
  }
  return ranks;
}

/// The two-sided probability of a rank sum at least as extreme as that of the first `count` ranks, if every choice of
/// `count` ranks is equally likely. All choices are counted, so ties need no correction.
inline double exact_p(const std::vector<std::size_t>& ranks, std::size_t count) {
  std::size_t observed = 0, most = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    most += ranks[i];
    if (i < count) observed += ranks[i];
  }
  // ways[chosen][sum] counts the choices among the ranks so far. Counts are exact below 2^53, and good to fifteen
  // digits above.
  std::vector<std::vector<double>> ways(count + 1, std::vector<double>(most + 1));
  ways[0][0] = 1;
  for (const std::size_t rank : ranks) {
    for (std::size_t chosen = count; chosen > 0; --chosen) {
      for (std::size_t sum = most; sum >= rank; --sum) ways[chosen][sum] += ways[chosen - 1][sum - rank];
    }
  }
  double all = 0, at_most = 0, at_least = 0;
  for (std::size_t sum = 0; sum <= most; ++sum) {
    all += ways[count][sum];
    if (sum <= observed) at_most += ways[count][sum];
    if (sum >= observed) at_least += ways[count][sum];
  }
  return std::min(1.0, 2 * std::min(at_most, at_least) / all);
}

/// Approximates exact_p by the normal distribution, with the variance corrected for ties and a continuity correction.
inline double approximate_p(const std::vector<std::size_t>& ranks, std::size_t count) {
  const auto all = static_cast<double>(ranks.size());
  const auto of_first = static_cast<double>(count);
  double sum = 0, variance_of_ranks = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const double rank = static_cast<double>(ranks[i]) / 2;
    if (i < count) sum += rank;
    variance_of_ranks += (rank - (all + 1) / 2) * (rank - (all + 1) / 2) / (all - 1);
  }
  const double variance = of_first * (all - of_first) / all * variance_of_ranks;
  if (variance == 0) return 1;
  const double distance = std::max(0.0, std::fabs(sum - of_first * (all + 1) / 2) - 0.5);
  return std::erfc(distance / std::sqrt(2 * variance));
}

/// The two-sided Mann-Whitney U test: the probability of samples that differ this much if both come from one
/// distribution. It is exact up to sixty values together; above, the normal approximation differs from the exact value
/// by less than 0.001.
/// @param a, b  at least one value each
inline double mann_whitney_p(const std::vector<double>& a, const std::vector<double>& b) {
  constexpr std::size_t most_exact = 60;
  const std::vector<std::size_t> ranks = doubled_ranks(a, b);
  return ranks.size() <= most_exact ? exact_p(ranks, a.size()) : approximate_p(ranks, a.size());
}

/// The smallest p that samples of these sizes can have. If it is not below the threshold, there are too few repeats.
inline double least_p(std::size_t a, std::size_t b) {
  double choices = 1;
  for (std::size_t i = 1; i <= a; ++i) choices *= static_cast<double>(b + i) / static_cast<double>(i);
  return std::min(1.0, 2 / choices);
}

}  // namespace tileproof::statistics
