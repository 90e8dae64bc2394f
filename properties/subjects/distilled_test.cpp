#include "properties/subjects/distilled.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "properties/case/sample_space.h"
#include "properties/judging/judge.h"
#include "properties/registry.h"
#include "properties/subjects/watched.h"

namespace tileproof {

namespace {

TEST(Distilled, ProblemsReachEveryPathOfTheKernels) {
  std::set<std::tuple<std::string, const Format*, std::int64_t>> tails;     // for each property and format
  std::set<std::tuple<std::string, Types, const Format*, int>> arithmetic;  // with the size class of the group
  std::set<std::tuple<std::string, Types, std::int64_t>> tails_of_arithmetic;
  std::set<std::pair<const Format*, const Format*>> pairs;           // of convert
  std::set<std::tuple<const Format*, const Scheme*, Types>> others;  // of dequantize in other formats
  for (const Problem& p : distilled_problems("host")) {
    const std::int64_t tail = p.n < 8 ? -1 : p.n % 8;  // -1: one row alone; 0: whole n-tiles; else a part of one
    const bool is_convert = p.format_to != nullptr;
    if (is_convert) pairs.emplace(p.format, p.format_to);
    if (!p.property.starts_with("value/") && !is_convert) tails.emplace(p.property, p.format, tail);
    if (!p.property.starts_with("value/")) continue;
    if (!is_tinygemm(*p.format)) {
      others.emplace(p.format, p.scheme, p.types);
      continue;
    }
    const int size = (p.group_size > p.layout().legal.k) - (p.group_size < p.layout().legal.k);
    arithmetic.emplace(p.property, p.types, p.format, size);
    tails_of_arithmetic.emplace(p.property, p.types, tail);
    EXPECT_GT(p.groups().k, 1);
  }
  EXPECT_EQ(tails.size(), 2 * 3 * 3);
  EXPECT_EQ(pairs.size(), 3 * 11 + 9 * 3 + 1);
  EXPECT_EQ(others.size(), (3 + 2 + 3 + 2) * 3 + 3);  // in three types, but for GGUF's
  EXPECT_EQ(arithmetic.size(), 3 * 3 * 3 * 3);
  EXPECT_EQ(tails_of_arithmetic.size(), 3 * 3 * 3);
}

TEST(Distilled, ProblemsAreTakenByTheSubjectsThatToolsWatch) {
  for (const SubjectRow& row : watched_subjects()) {
    for (const Problem& p : distilled_problems(row.name)) {
      const Property& property = property_of(p.property);
      std::string why_not;
      EXPECT_NO_THROW(require_within(p, sample_space_of(property, row.capabilities, &why_not))) << line_of(p);
      EXPECT_EQ(why_not, "") << line_of(p);
    }
  }
}

TEST(Distilled, ProblemsPassOnTheHost) {
  const SubjectRow& row = subject_row("host");
  const MadeSubject made = row.make();
  const std::vector<Problem> problems = distilled_problems("host");
  for (const Problem& problem : problems) {
    EXPECT_EQ(judge_one(problem, row, *made.subject).verdict, Verdict::passed) << line_of(problem);
    EXPECT_LE(problem.n * problem.k, 16 * 1024);
  }
  EXPECT_LE(problems.size(), 300);
}

}  // namespace

}  // namespace tileproof
