// Tests how a limited time is shared: tasks that fit are done whole, and each of the rest has a part.
#include "fuzz/campaign/shares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace tileproof {

namespace {

/// The seconds that each task takes if tasks run one after the other, each for as long as it needs or may.
/// @param takes  true seconds; `needs` are the estimates
std::vector<double> done_one_by_one(const std::vector<double>& takes, const std::vector<double>& needs, double left) {
  std::vector<double> done(takes.size());
  std::vector<double> rest;
  const std::vector<std::size_t> order = least_first(needs);
  for (const std::size_t i : order) rest.push_back(needs[i]);
  for (const std::size_t i : order) {
    done[i] = std::min(takes[i], share_of_first(rest, left));
    left -= done[i];
    rest.erase(rest.begin());
  }
  return done;
}

TEST(Shares, WhatNeedsLeastIsDoneFirstAndEqualsAsTheyStand) {
  EXPECT_EQ(least_first({5, 1, 3, 1}), (std::vector<std::size_t>{1, 3, 2, 0}));
  EXPECT_EQ(least_first({}), std::vector<std::size_t>());
}

TEST(Shares, WhatCanBeDoneWholeIsAndTheOthersShareTheRest) {
  const std::vector<double> needs = {4000, 10, 1000, 30, 20};
  const std::vector<double> done = done_one_by_one(needs, needs, 100);
  EXPECT_EQ(done[1], 10);
  EXPECT_EQ(done[4], 20);
  EXPECT_EQ(done[3], 30);
  EXPECT_NEAR(done[2], 20, 1e-9);
  EXPECT_NEAR(done[0], 20, 1e-9);
}

TEST(Shares, OfManyThatAreTooLongEachHasAPartAndNoTimeIsLost) {
  std::vector<double> needs(120, 5000.0);
  needs[60] = 200;
  const std::vector<double> done = done_one_by_one(needs, needs, 660);
  EXPECT_EQ(done[60], 200);
  EXPECT_GT(*std::min_element(done.begin(), done.end()), 0.5);
  EXPECT_NEAR(std::accumulate(done.begin(), done.end(), 0.0), 660, 1e-6);
}

TEST(Shares, WhatWasThoughtToNeedTooLittleIsDoneWholeAllTheSame) {
  const std::vector<double> enough = {1, 2, 3};
  EXPECT_EQ(done_one_by_one({2, 4, 6}, enough, 100), (std::vector<double>{2, 4, 6}));
  // Tasks that are too long use up the time, so that nothing is left over.
  const std::vector<double> needs = {3, 5, 8, 5000, 9000};
  std::vector<double> takes;
  for (const double one : needs) takes.push_back(2.7 * one);
  const std::vector<double> done = done_one_by_one(takes, needs, 200);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(done[i], takes[i]) << i;
  EXPECT_GT(done[4], 50);
}

TEST(Shares, ATaskThatTakesLongerThanItMayLeavesNothingToLose) {
  EXPECT_EQ(share_of_first({1, 2}, 0), 0);
  EXPECT_EQ(share_of_first({1, 2}, -3), 0);
  EXPECT_EQ(share_of_first({7}, 5), 5);
}

}  // namespace

}  // namespace tileproof
