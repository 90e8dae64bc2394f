// Tests which wrong elements a finding keeps, and groups that are counted along rows.
#include "properties/case/wrong_elements.h"

#include <gtest/gtest.h>

namespace tileproof {

namespace {

Problem flat_problem() {
  return problem_of(
      "--property=c --subject=s --format=nf4 --scheme=nf4 --n=3 --k=48 --group-size=32 --weight-type=fp32 "
      "--parameter-type=fp32");
}

TEST(WrongElements, AreTheFirstTenAndTheFirstOfEachSetOfPatterns) {
  const Problem problem = flat_problem();
  WrongElements wrong(problem);
  for (std::int64_t i = 0; i < 1000; ++i) wrong.add({0, i, 0x80000000, 0, true});
  EXPECT_EQ(wrong.kept().size(), 10u);
  wrong.add({1, 0, 0x3f800000, 0x40000000, true});
  wrong.add({1, 1, 0x3f800000, 0x40400000, true});
  wrong.add({1, 2, 0x3f800000, 0x40000000, true});
  ASSERT_EQ(wrong.kept().size(), 12u);
  EXPECT_EQ(wrong.kept()[10].got, 0x40000000u);
  EXPECT_EQ(wrong.kept()[11].got, 0x40400000u);
}

TEST(AGroupAlongItsRow, DiffersWhereGroupsCrossRows) {
  Problem problem = flat_problem();  // 48 columns: a row begins in the middle of a group
  EXPECT_FALSE(group_along_row(problem, 0, 47)) << "the first row's are its own";
  EXPECT_FALSE(group_along_row(problem, 1, 0)) << "group 1 by both counts";
  ASSERT_TRUE(group_along_row(problem, 1, 16));
  EXPECT_EQ(group_along_row(problem, 1, 16)->k, 1);
  EXPECT_EQ(problem.group_of(1, 16).k, 2);
  problem.k = 64;
  EXPECT_FALSE(group_along_row(problem, 2, 63));
}

TEST(AWeightOfGroupsAlongRows, MayLoseWhatTheTypeOfTheLibraryLoses) {
  const Problem problem = flat_problem();
  EXPECT_TRUE(is_of_row_groups(problem, 0x3f800000, 0x3f800000));
  EXPECT_TRUE(is_of_row_groups(problem, 0x3f800001, 0x3f800000));
  EXPECT_TRUE(is_of_row_groups(problem, 0x80000000, 0x00000001));
  EXPECT_TRUE(is_of_row_groups(problem, 0x7fc00000, 0x7fffffff));
  EXPECT_FALSE(is_of_row_groups(problem, 0x3f800002, 0x3f800000));
}

TEST(Patterns, ThatAFormulaReproducesExpectAnElementWhateverElseItShows) {
  const Problem problem = flat_problem();
  WrongElement element = {1, 16, 0x00000001, 0, true};
  EXPECT_TRUE(is_expected_by("a subnormal that became zero", problem, element));
  EXPECT_FALSE(is_expected_by("the scale of a group counted along its row", problem, element));
  element.of_row_groups = true;
  EXPECT_TRUE(is_expected_by("the scale of a group counted along its row", problem, element));
  EXPECT_TRUE(is_expected_by("a subnormal that became zero", problem, element));
}

}  // namespace

}  // namespace tileproof
