// Judging subjects with narrow capabilities: goals out of reach are listed, goals in reach are drawn for, and each
// variant has its own verdict.
#include <gtest/gtest.h>

#include <algorithm>

#include "properties/case/sample_space.h"
#include "properties/catalogue/properties.h"
#include "properties/judging/properties_for_tests.h"
#include "properties/registry.h"

namespace tileproof {

namespace {

Judgement judged_on(const Property& property, const Capabilities& capabilities, std::int64_t cases = 60) {
  Idle idle;
  return judge(property, row_with(capabilities), idle, {.cases = cases, .seed = 3});
}

Capabilities with(std::vector<const Format*> formats, std::vector<std::int64_t> group_sizes,
                  std::int64_t n_multiple = 1) {
  Capabilities capabilities = kernel_capabilities();
  capabilities.formats = std::move(formats);
  capabilities.group_sizes = std::move(group_sizes);
  capabilities.any_group_size = false;
  capabilities.n_multiple = n_multiple;
  return capabilities;
}

using Names = std::vector<std::string>;

TEST(AGoalOutOfReach, IsListedAndIsNoWant) {
  const Property property = property_with(compare_something, {&every_format, &with_padding, &groups_around_a_block});
  const Judgement judgement = judged_on(property, with({tinygemm(4)}, {32, 64}, 8));
  EXPECT_EQ(judgement.verdict, Verdict::passed) << judgement.reason;
  EXPECT_EQ(judgement.out_of_reach,
            (Names{"format tinygemm-2", "format tinygemm-8", "padding", "group larger than a block"}));
}

TEST(AGoalOutOfReach, OfAllThereAreSkipsTheProperty) {
  const Property property = property_with([](Case&) { ADD_FAILURE() << "ran"; }, {&with_padding});
  const Judgement judgement = judged_on(property, with({tinygemm(2)}, {32}, 8));
  EXPECT_EQ(judgement.verdict, Verdict::skipped);
  EXPECT_EQ(judgement.reason, "out of reach of what the subject takes: padding");
}

TEST(AGoalInReach, IsAWantWhereNoCaseMeetsIt) {
  // The profile `ordinary` has only scales of ordinary size.
  const Judgement judgement = judged_on(property_with(
                                            [](Case& c) {
                                              c.parameters();
                                              compare_something(c);
                                            },
                                            {&every_class_of_scale}),
                                        with({tinygemm(2)}, {32}));
  EXPECT_EQ(judgement.verdict, Verdict::mistrusted);
  EXPECT_SAYS(judgement.reason, "never met: scale ");
}

TEST(AGoalInReach, IsDrawnForWhereChanceHasNotMetIt) {
  // The goals need 33 groups of 32 and both formats, but only one case is drawn by chance.
  const Property property = property_with(
      compare_something, {&more_groups_than_a_group_has_columns, &every_format, &with_padding, &several_groups});
  for (const std::vector<std::int64_t>& sizes : {std::vector<std::int64_t>{32}, {32, 64, 128, 256}}) {
    const Judgement judgement = judged_on(property, with({tinygemm(2), tinygemm(8)}, sizes), 1);
    EXPECT_EQ(judgement.verdict, Verdict::passed) << judgement.reason;
    EXPECT_LE(judgement.cases, 5);
  }
}

TEST(AGoalInReach, ThatIsDrawnForMayShowAFinding) {
  const auto wrong_with_many_groups = [](Case& c) {
    compare_something(c);
    if (c.problem.groups().k > 20) throw Failure("mismatch", "wrong");
  };
  Property property = property_with(wrong_with_many_groups, {&more_groups_than_a_group_has_columns});
  const Judgement judgement = judged_on(property, with({tinygemm(2)}, {32}), 1);
  EXPECT_EQ(judgement.verdict, Verdict::failed);
  ASSERT_EQ(judgement.findings.size(), 1u);
  EXPECT_EQ(judgement.findings[0].problem.groups().k, 21) << "shrunk";
}

TEST(AGoalInReach, IsMetByCasesThatFailAsTheLedgerSays) {
  const auto wrong_in_partial_tiles = [](Case& c) {
    compare_something(c);
    if (c.problem.n % 8 != 0) throw Failure("mismatch", "wrong");
  };
  ExpectedFailure known;
  known.id = "T-1";
  known.subject = "mine";
  known.property = "test/property";
  const std::vector<ExpectedFailure> expected_failures = {known};
  Idle idle;
  const Judgement judgement =
      judge(property_with(wrong_in_partial_tiles, {&with_padding}), row_with(with({tinygemm(2)}, {32})), idle,
            {.cases = 60, .seed = 3, .expected_failures = &expected_failures});
  EXPECT_EQ(judgement.verdict, Verdict::known) << judgement.reason;
}

TEST(WhatASubjectTakes, BoundsWhatIsDrawn) {
  Capabilities capabilities = with({tinygemm(2), tinygemm(4)}, {32, 256}, 4);
  capabilities.most_n = 12;
  capabilities.most_k = 200;  // less than the larger group
  const Judgement judgement = judged_on(property_with([](Case& c) {
                                          compare_something(c);
                                          EXPECT_LE(c.problem.n, 12);
                                          EXPECT_LE(c.problem.k, 200);
                                          EXPECT_EQ(c.problem.group_size, 32);
                                        }),
                                        capabilities, 200);
  EXPECT_EQ(judgement.verdict, Verdict::passed) << judgement.reason;
  EXPECT_EQ(judgement.asked.ranges.at("n").least, 4);
  EXPECT_EQ(judgement.asked.ranges.at("n").most, 12);
  EXPECT_EQ(judgement.asked.group_sizes, std::set<std::int64_t>{32});
  capabilities.most_k = 16;
  const Judgement nothing = judged_on(property_with(compare_something), capabilities);
  EXPECT_EQ(nothing.verdict, Verdict::skipped);
  EXPECT_SAYS(nothing.reason, "no k of at most 16 columns");
}

/// The fixed problems of a property, for a subject's capabilities.
std::vector<Problem> fixed_of(const char* property, const Capabilities& capabilities) {
  std::string why_not;
  const std::vector<Problem> problems = sample_space_of(property_of(property), capabilities, &why_not).sampling.fixed;
  EXPECT_EQ(why_not, "");
  return problems;
}

TEST(AGoalOutOfReach, IsSoByTheMostRowsAndColumnsToo) {
  Capabilities few_rows = kernel_capabilities(), few_columns = kernel_capabilities(),
               one_size = with({tinygemm(2)}, {32}, 32);
  few_rows.most_n = 16;
  few_columns.most_k = 96;
  one_size.most_n = one_size.most_k = 32;
  for (const Capabilities& capabilities : {few_rows, few_columns, one_size}) {
    const char* size_of_unpack = "size/unpack_of_a_large_matrix_is_as_specified";
    for (const char* name :
         {size_of_unpack, "bits/unpack_returns_every_packed_code", "value/float_domain_rounds_once"}) {
      const SubjectRow& row = subject_row("reference");
      SubjectRow narrow = row;
      narrow.capabilities = capabilities;
      narrow.capabilities.operations = row.capabilities.operations;
      const Judgement judgement = judge(property_of(name), narrow, *row.make().subject, {.cases = 200, .seed = 1});
      EXPECT_TRUE(judgement.verdict == Verdict::passed || judgement.verdict == Verdict::skipped)
          << name << " " << capabilities.most_n << " x " << capabilities.most_k << ": " << judgement.reason;
      EXPECT_TRUE(name != size_of_unpack || !judgement.out_of_reach.empty());
    }
  }
}

TEST(ManyExperts, AreAskedOfWhateverASubjectTakes) {
  for (const Capabilities& capabilities :
       {kernel_capabilities(), with({tinygemm(8)}, {64}, 4), with({tinygemm(2), tinygemm(4)}, {128}, 8)}) {
    const Property& property = property_of("batch/unpack_of_65537_experts_is_as_specified");
    std::string why_not;
    const SampleSpace space = sample_space_of(property, capabilities, &why_not);
    EXPECT_EQ(space.sampling.fixed.empty(), false);
    for (const Problem& problem : space.sampling.fixed) {
      EXPECT_TRUE(capabilities.takes(problem)) << line_of(problem);
      EXPECT_EQ(problem.experts, 65537);
    }
  }
}

TEST(LaunchProblems, SayWhereNoneHasMoreNTilesThanAGridDimension) {
  Capabilities capabilities = library_capabilities({Operation::unpack});
  capabilities.most_n = 8 * 65535;
  const char* name = "launch/unpack_takes_more_n_tiles_than_a_grid_dimension";
  const Judgement judgement = judged_on(property_of(name), capabilities);
  EXPECT_EQ(judgement.verdict, Verdict::skipped);
  EXPECT_EQ(judgement.reason, "out of reach of what the subject takes: more n-tiles than a grid dimension");
}

TEST(LargeMatrices, ReachBeyond16BitsInEveryLayoutWhateverASubjectTakes) {
  for (const char* name :
       {"size/pack_of_a_large_matrix_is_as_specified", "size/unpack_of_a_large_matrix_is_as_specified",
        "size/dequantize_of_a_large_matrix_is_as_specified"}) {
    for (Capabilities capabilities :
         {kernel_capabilities(), with({tinygemm(4)}, {64}, 8), with({tinygemm(8)}, {256}, 16),
          with({tinygemm(2), tinygemm(8)}, {32, 64, 128, 256}, 8),
          with({tinygemm(2), tinygemm(4), tinygemm(8)}, {128}, 64)}) {
      const Property& property = property_of(name);
      std::string why_not;
      const SampleSpace space = sample_space_of(property, capabilities, &why_not);
      Coverage coverage;
      coverage.compared = 1;
      coverage.several_values = true;
      for (const Problem& problem : space.sampling.fixed) {
        Problem named = problem;
        named.property = name;
        named.subject = "mine";
        require_possible(named);
        EXPECT_NO_THROW(require_within(named, space)) << line_of(named);
        count_problem(problem, coverage);
      }
      EXPECT_EQ(unmet(coverage, goals_of(property.meets, space.capabilities)), Names()) << name;
    }
  }
}

/// Subjects that take one format each, with its smallest group size, a larger one or all, and with or without rows of
/// one group of any k.
std::vector<Capabilities> of_one_format_each() {
  std::vector<Capabilities> all;
  for (const Format* format : every_format_there_is()) {
    for (const std::vector<std::int64_t>& sizes :
         std::vector<std::vector<std::int64_t>>{{32}, {256}, Capabilities().group_sizes}) {
      if (std::none_of(sizes.begin(), sizes.end(), [&](auto size) { return format->group_sizes.contains(size); })) {
        continue;
      }
      for (const auto& [uneven_rows, most] : {std::pair(false, 0), {true, 0}, {true, 32}, {false, 32}}) {
        Capabilities capabilities = with({format}, sizes);
        if (most != 0) capabilities.most_n = 8, capabilities.most_k = most;
        capabilities.operations = {std::begin(pointer_operations), std::end(pointer_operations)};
        capabilities.formats_to = {format_of("format", std::string(format->name) == "plain" ? "gptq" : "plain")};
        capabilities.schemes = schemes_of(*format);
        capabilities.types = every_types();
        capabilities.uneven_rows = uneven_rows;
        capabilities.takes_tensors = true;
        all.push_back(capabilities);
      }
    }
  }
  return all;
}

TEST(APropertysOwnProblems, MeetEveryGoalInReachWhateverASubjectTakes) {
  int passed = 0;
  for (Property property : properties()) {
    // The bodies of launch/ count the class of their goal, and no body runs here.
    if (!property.sampling.fixed_for || property.name.starts_with("launch/")) continue;
    property.body = compare_something;
    for (const Capabilities& capabilities : of_one_format_each()) {
      const Judgement judgement = judged_on(property, capabilities);
      passed += judgement.verdict == Verdict::passed;
      EXPECT_TRUE(judgement.verdict == Verdict::passed || judgement.verdict == Verdict::skipped)
          << property.name << " of " << capabilities.formats.front()->name << ", groups of "
          << capabilities.group_sizes.front() << ", at most " << capabilities.most_k << " columns"
          << (capabilities.uneven_rows ? ", uneven rows: " : ": ") << judgement.reason;
    }
  }
  EXPECT_GT(passed, 500);
}

TEST(LargeMatrices, OfASubjectWithALimitStayWithinIt) {
  Capabilities capabilities = with({tinygemm(4)}, {64}, 8);
  capabilities.most_n = 70000;
  capabilities.most_k = 10000;
  const Property& property = property_of("size/dequantize_of_a_large_matrix_is_as_specified");
  std::string why_not;
  const SampleSpace space = sample_space_of(property, capabilities, &why_not);
  ASSERT_FALSE(space.sampling.fixed.empty());
  std::int64_t most_n = 0, most_k = 0;
  for (const Problem& problem : space.sampling.fixed) {
    most_n = std::max(most_n, problem.n);
    most_k = std::max(most_k, problem.k);
  }
  EXPECT_EQ(most_n, 70000) << "as far as it goes";
  EXPECT_EQ(most_k, 9984);
  const Goals goals = goals_of(property.meets, space.capabilities);
  EXPECT_NE(std::find(goals.out_of_reach.begin(), goals.out_of_reach.end(), "more than 65,535 columns as tinygemm-4"),
            goals.out_of_reach.end());
  EXPECT_TRUE(std::any_of(goals.in_reach.begin(), goals.in_reach.end(), [](const CoverageGoal* goal) {
    return goal->name == "more than 65,535 rows as tinygemm-4";
  }));
}

TEST(LaunchProblems, AreOfWhatASubjectTakes) {
  Capabilities capabilities = with({tinygemm(8)}, {256}, 16);
  capabilities.operations = {Operation::unpack, Operation::dequantize};
  capabilities.takes_tensors = true;
  for (const char* name : {"launch/unpack_takes_more_n_tiles_than_a_grid_dimension",
                           "launch/dequantize_takes_more_elements_than_31_bits_count"}) {
    const std::vector<Problem> problems = fixed_of(name, capabilities);
    ASSERT_FALSE(problems.empty()) << name;
    for (const Problem& problem : problems) EXPECT_TRUE(capabilities.takes(problem)) << line_of(problem);
  }
  EXPECT_GT(fixed_of("launch/unpack_takes_more_n_tiles_than_a_grid_dimension", capabilities).back().n / 8, 65535);
  const Problem many = fixed_of("launch/dequantize_takes_more_elements_than_31_bits_count", capabilities).front();
  EXPECT_GT(many.n * many.k, std::int64_t{1} << 31);
}

// --- Variants

Property of_variants(std::vector<std::string> variants, std::function<void(Case&)> body) {
  return property_with(std::move(body), {}, {.variants = std::move(variants)});
}

TEST(AVariant, HasAVerdictOfItsOwn) {
  const Property property = of_variants({"right", "wrong", "idle", "lacking"}, [](Case& c) {
    if (c.problem.variant == "wrong") throw Failure("mismatch", "wrong");
    if (c.problem.variant == "lacking") throw Unavailable("no second device");
    if (c.problem.variant == "right") compare_something(c);
  });
  const Judgement judgement = judged_on(property, kernel_capabilities());
  ASSERT_EQ(judgement.variants.size(), 4u);
  EXPECT_EQ(judgement.variants.at("right").verdict, Verdict::passed);
  EXPECT_EQ(judgement.variants.at("right").cases, 15);
  EXPECT_EQ(judgement.variants.at("wrong").verdict, Verdict::failed);
  EXPECT_EQ(judgement.variants.at("wrong").reason, "mismatch");
  EXPECT_EQ(judgement.variants.at("idle").verdict, Verdict::mistrusted);
  EXPECT_EQ(judgement.variants.at("idle").reason, "nothing was compared");
  EXPECT_EQ(judgement.variants.at("lacking").verdict, Verdict::skipped);
  EXPECT_EQ(judgement.variants.at("lacking").reason, "no second device");
}

TEST(AVariant, OfAPropertyThatHasNoneIsNone) {
  EXPECT_TRUE(judged_on(property_with(compare_something), kernel_capabilities()).variants.empty());
}

TEST(AnUnclearError, DoesNotHideACallThatIsAccepted) {
  // The problem decides which of the two errors a case shows. The graver one is rare, so that it is not the first.
  const Property property = of_variants({"zero", "one"}, [](Case& c) {
    compare_something(c);
    if (c.problem.variant == "one") return;
    throw c.problem.seed % 8 == 0 ? Failure("accepted", "reads past the end") : Failure("unclear", "says 'no'");
  });
  const Judgement judgement = judged_on(property, kernel_capabilities(), 100);
  ASSERT_EQ(judgement.findings.size(), 2u);
  EXPECT_EQ(judgement.findings[0].kind, "accepted");
  EXPECT_EQ(judgement.findings[1].kind, "unclear");
  EXPECT_EQ(judgement.variants.at("zero").reason, "accepted");
  EXPECT_EQ(judgement.variants.at("one").verdict, Verdict::passed);
}

TEST(AnUnclearError, IsAFindingWhereNothingGraverIs) {
  const Property property = of_variants({"zero"}, [](Case&) { throw Failure("unclear", "says 'no'"); });
  const Judgement judgement = judged_on(property, kernel_capabilities(), 20);
  EXPECT_EQ(judgement.verdict, Verdict::failed);
  ASSERT_EQ(judgement.findings.size(), 1u);
  EXPECT_EQ(judgement.findings[0].kind, "unclear");
  EXPECT_EQ(judgement.findings[0].problem.n * judgement.findings[0].problem.k, 32) << "shrunk";
}

}  // namespace

}  // namespace tileproof
