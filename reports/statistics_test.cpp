#include "reports/statistics.h"

#include <gtest/gtest.h>

namespace tileproof::statistics {

namespace {

TEST(Quantile, LiesBetweenTheNearestOrderStatistics) {
  EXPECT_EQ(median({7}), 7);
  EXPECT_EQ(median({3, 1}), 2);
  EXPECT_EQ(median({5, 1, 3}), 3);
  EXPECT_EQ(quantile({1, 2, 3, 4, 5}, 0.25), 2);
  EXPECT_EQ(quantile({4, 3, 2, 1}, 0.25), 1.75);
  EXPECT_EQ(quantile({1, 2, 9}, 1), 9);
}

TEST(Spread, IsTheInterquartileRangeOverTheMedian) {
  EXPECT_EQ(spread({1, 2, 3, 4, 5}), 2.0 / 3);
  EXPECT_EQ(spread({2, 2, 2}), 0);
  EXPECT_EQ(spread({0, 0}), 0);
}

TEST(Ranks, AreSharedByEqualValues) {
  // Sorted: 1, 2, 2, 3 with ranks 1, 2.5, 2.5, 4.
  EXPECT_EQ(doubled_ranks({2, 3}, {1, 2}), (std::vector<std::size_t>{5, 8, 2, 5}));
}

// The values are counted by hand. Two ranks of four can be chosen in six ways: {1,2} has the smallest sum, 3, so one
// choice of six is at least as extreme on its side. Three ranks of six can be chosen in twenty ways.
TEST(MannWhitney, CountsChoicesOfRanks) {
  EXPECT_DOUBLE_EQ(mann_whitney_p({1, 2}, {3, 4}), 2.0 / 6);
  EXPECT_DOUBLE_EQ(mann_whitney_p({1, 3}, {2, 4}), 4.0 / 6);  // sums up to 4: {1,2}, {1,3}
  EXPECT_DOUBLE_EQ(mann_whitney_p({1, 4}, {2, 3}), 1);
  EXPECT_DOUBLE_EQ(mann_whitney_p({1, 2, 3}, {4, 5, 6}), 2.0 / 20);
  EXPECT_DOUBLE_EQ(mann_whitney_p({4, 5, 6}, {1, 2, 3}), 2.0 / 20);
  EXPECT_DOUBLE_EQ(mann_whitney_p({1, 2, 4}, {3, 5, 6}), 4.0 / 20);  // sums 6 and 7
  EXPECT_DOUBLE_EQ(mann_whitney_p({1}, {2, 3, 4}), 2.0 / 4);
}

// The ranks 1.5, 1.5, 3, 4 have the six sums 3, 4.5, 4.5, 5.5, 5.5, 7; the smallest is 3.
TEST(MannWhitney, CountsTiesAsTheyAre) {
  EXPECT_DOUBLE_EQ(mann_whitney_p({1, 1}, {2, 3}), 2.0 / 6);
  EXPECT_DOUBLE_EQ(mann_whitney_p({1, 2}, {1, 3}), 6.0 / 6);  // sums up to 4.5: three of six
  EXPECT_DOUBLE_EQ(mann_whitney_p({5, 5, 5}, {5, 5}), 1);
}

TEST(MannWhitney, DoesNotDependOnTheOrder) {
  EXPECT_DOUBLE_EQ(mann_whitney_p({9, 1, 5}, {2, 8, 7, 6}), mann_whitney_p({6, 2, 7, 8}, {5, 9, 1}));
}

TEST(LeastP, IsThatOfSamplesThatDoNotMeet) {
  EXPECT_DOUBLE_EQ(least_p(2, 2), mann_whitney_p({1, 2}, {3, 4}));
  EXPECT_DOUBLE_EQ(least_p(5, 5), 2.0 / 252);
  EXPECT_DOUBLE_EQ(least_p(3, 4), mann_whitney_p({1, 2, 3}, {4, 5, 6, 7}));
  EXPECT_DOUBLE_EQ(least_p(1, 1), 1);
}

// The mean of U for 2 and 2 is 2, its variance 2 * 2 * 5 / 12; the distance is 2 - 0.5; 0.5 is the
// continuity correction.
TEST(Approximation, IsTheNormalOneWithContinuity) {
  EXPECT_DOUBLE_EQ(approximate_p(doubled_ranks({1, 2}, {3, 4}), 2), std::erfc(1.5 / std::sqrt(2 * 20.0 / 12)));
}

// With ties 1, 1 | 2, 3 the variance is n m / (12 N (N - 1)) * (N^3 - N - sum(t^3 - t)) = 4 / (12 * 12) * (60 - 6).
TEST(Approximation, CorrectsTheVarianceForTies) {
  EXPECT_DOUBLE_EQ(approximate_p(doubled_ranks({1, 1}, {2, 3}), 2), std::erfc(1.5 / std::sqrt(2 * 4.0 * 54 / 144)));
  EXPECT_EQ(approximate_p(doubled_ranks({5, 5}, {5, 5}), 2), 1);
}

TEST(Approximation, IsNearTheExactTestWhereItTakesOver) {
  std::vector<double> a, b;
  for (int i = 0; i < 30; ++i) {
    a.push_back(i);
    b.push_back(i * 1.3 + 2.5);
  }
  const std::vector<std::size_t> ranks = doubled_ranks(a, b);
  const double exact = exact_p(ranks, a.size());
  EXPECT_GT(exact, 0.001);
  EXPECT_LT(exact, 0.05);
  EXPECT_NEAR(approximate_p(ranks, a.size()), exact, 0.001);
}

}  // namespace

}  // namespace tileproof::statistics
