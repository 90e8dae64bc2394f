// Climbing to a bound on a known hill.
#include "fuzz/process/climbing.h"

#include <gtest/gtest.h>

#include "properties/registry.h"

namespace tileproof {

namespace {

/// How close a case comes to the bound: closer for smaller k, and for a larger last hexadecimal digit of the seed.
double height(const Problem& p) { return 64.0 / static_cast<double>(p.k) / 4 + static_cast<double>(p.seed % 16) / 64; }

class Climbing : public testing::Test {
 protected:
  Climbing() {
    const Property& property = property_of("value/float_domain_rounds_once");
    std::string why_not;
    space_ = sample_space_of(property, kernel_capabilities(), &why_not);
    problem_.property = property.name;
    problem_.subject = "host";
    problem_.k = 1024;
    problem_.seed = 0x10;
  }
  Climbed climb() {
    coverage_.measured("a bound", height(problem_), "");
    return climbed(problem_, space_, coverage_, [this](const Problem& p, Coverage& coverage) {
      asked_.push_back(p);
      CaseOutcome outcome;
      coverage.measured("a bound", height(p), "");
      if (height(p) > fails_above_) outcome.finding = Finding{p, "mismatch", "beyond"};
      return outcome;
    });
  }

  Problem problem_;
  SampleSpace space_;
  Coverage coverage_;
  double fails_above_ = 1e9;
  std::vector<Problem> asked_;
};

TEST_F(Climbing, EndsAtTheHighestOfWhatItTried) {
  const Climbed climb_result = climb();
  double highest = height(problem_);
  for (const Problem& p : asked_) highest = std::max(highest, height(p));
  EXPECT_EQ(climb_result.closest.of_bound, highest);
  EXPECT_GT(highest, height(problem_));
  EXPECT_EQ(height(problem_of(climb_result.closest.line)), highest);
  EXPECT_EQ(climb_result.tries, static_cast<std::int64_t>(asked_.size()));
  EXPECT_FALSE(climb_result.failed);
}

TEST_F(Climbing, IsTheSameEachTime) {
  const Climbed first = climb(), second = climb();
  EXPECT_EQ(first.closest, second.closest);
}

TEST_F(Climbing, EndsWithWhatIsBeyondTheBound) {
  fails_above_ = height(problem_);
  const Climbed climb_result = climb();
  ASSERT_TRUE(climb_result.failed);
  EXPECT_EQ(climb_result.failed->finding->problem, asked_.back());
  EXPECT_GT(height(asked_.back()), fails_above_);
}

TEST_F(Climbing, TriesNothingWhereNothingIsMeasured) {
  const Climbed nothing = climbed(problem_, space_, Coverage(), [](const Problem&, Coverage&) -> CaseOutcome {
    ADD_FAILURE() << "asked";
    return {};
  });
  EXPECT_EQ(nothing.tries, 0);
  EXPECT_EQ(nothing.closest.line, "");
}

TEST(ClosestOfProperties, DoNotDependOnTheOrder) {
  const Closest cases[] = {{0.5, "b"}, {0.5, "a"}, {0.25, "c"}};
  ClosestOfProperties forwards, backwards;
  for (const Closest& one : cases) keep_closer(forwards, "property", one);
  for (int i = 2; i >= 0; --i) keep_closer(backwards, "property", cases[i]);
  EXPECT_EQ(forwards, backwards);
  EXPECT_EQ(forwards["property"], (Closest{0.5, "a"}));
  EXPECT_EQ(closest_of(json_of(forwards)), forwards);
}

}  // namespace

}  // namespace tileproof
