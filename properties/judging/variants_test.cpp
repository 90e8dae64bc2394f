// Judging properties with several ways of calling, subjects that refuse, machines that lack what a case needs, and
// properties with problems of their own.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <set>

#include "properties/judging/properties_for_tests.h"
#include "properties/registry.h"
#include "properties/subjects/mutable_operators_for_tests.h"

namespace tileproof {

namespace {

const std::vector<std::string> three = {"one", "two", "three"};

/// A judgement, and the problems that were run for it.
struct Judged {
  Judgement judgement;
  std::vector<Problem> problems;
  std::vector<Problem> failing;

  std::map<std::string, std::int64_t> cases_of_variants() const {
    std::map<std::string, std::int64_t> cases;
    for (const Problem& problem : problems) ++cases[problem.variant];
    return cases;
  }
};

Judged judged_with_problems(const Property& property, const Effort& effort = {.cases = 60, .seed = 3},
                            const Capabilities& capabilities = kernel_capabilities()) {
  Idle idle;
  Judged result;
  result.judgement = judge(property, row_with(capabilities), idle, effort, [&](const Observation& seen) {
    result.problems.push_back(seen.problem);
    if (seen.status == "failed") result.failing.push_back(seen.problem);
  });
  return result;
}

Property property_of_three(std::function<void(Case&)> body) {
  return property_with(std::move(body), {}, {.variants = three});
}

std::vector<std::string> variants_of(const std::vector<Finding>& findings) {
  std::vector<std::string> names;
  for (const Finding& finding : findings) names.push_back(finding.problem.variant);
  return names;
}

// --- Variants

TEST(Variants, AreJudgedEachForItself) {
  const Judged seen = judged_with_problems(property_of_three([](Case& c) {
    compare_something(c);
    if (c.problem.variant == "two") throw Failure("mismatch", "upside down");
  }));
  EXPECT_EQ(seen.judgement.verdict, Verdict::failed);
  EXPECT_EQ(variants_of(seen.judgement.findings), std::vector<std::string>{"two"});
  EXPECT_EQ(seen.cases_of_variants().at("one"), 20);
  EXPECT_EQ(seen.cases_of_variants().at("three"), 20) << "a finding ends its own variant only";
}

TEST(Variants, ThatAllFailHaveAFindingEach) {
  const Judged seen =
      judged_with_problems(property_of_three([](Case& c) { throw Failure("mismatch", "in " + c.problem.variant); }));
  EXPECT_EQ(variants_of(seen.judgement.findings), three);
  for (const Finding& finding : seen.judgement.findings) EXPECT_EQ(finding.details, "in " + finding.problem.variant);
  EXPECT_EQ(seen.judgement.cases, 3) << "shrinking is not counted";
}

TEST(Variants, ThatHoldPassTogether) {
  const Judged seen = judged_with_problems(property_of_three(compare_something));
  EXPECT_EQ(seen.judgement.verdict, Verdict::passed) << seen.judgement.reason;
  EXPECT_EQ(seen.judgement.cases, 60);
  for (const std::string& variant : three) EXPECT_EQ(seen.judgement.classes.at("variant " + variant), 20);
}

TEST(Variants, ShareTheCasesAndHaveThreeAtLeast) {
  const auto cases_each = [](std::int64_t cases, std::size_t variants) {
    Sampling sampling;
    sampling.variants.clear();
    for (std::size_t i = 0; i < variants; ++i) sampling.variants.push_back("number-" + std::to_string(i));
    const Judged seen =
        judged_with_problems(property_with(compare_something, {}, sampling), {.cases = cases, .seed = 3});
    EXPECT_EQ(seen.cases_of_variants().size(), variants);
    std::set<std::int64_t> counts;
    for (const auto& [variant, count] : seen.cases_of_variants()) counts.insert(count);
    return counts;
  };
  EXPECT_EQ(cases_each(60, 3), std::set<std::int64_t>{20});
  EXPECT_EQ(cases_each(62, 3), std::set<std::int64_t>{20});
  EXPECT_EQ(cases_each(60, 20), std::set<std::int64_t>{3});
  EXPECT_EQ(cases_each(60, 50), std::set<std::int64_t>{3});
  EXPECT_EQ(cases_each(1, 2), std::set<std::int64_t>{3});
  EXPECT_EQ(cases_each(60, 1), std::set<std::int64_t>{60});
  EXPECT_EQ(cases_each(1, 1), std::set<std::int64_t>{1});
}

TEST(Variants, DrawOtherProblemsEachAndTheSameForTheSameSeed) {
  const Judged first = judged_with_problems(property_of_three(compare_something));
  std::set<std::uint64_t> seeds;
  for (const Problem& problem : first.problems) seeds.insert(problem.seed);
  EXPECT_EQ(seeds.size(), first.problems.size());
  EXPECT_EQ(judged_with_problems(property_of_three(compare_something)).problems, first.problems);
}

TEST(Variants, AreShrunkWithinThemselvesAndWithinAKind) {
  // Small problems of "one" fail with another kind; all problems of "two" fail with that other kind.
  const auto body = [](Case& c) {
    compare_something(c);
    if (c.problem.variant == "three") return;
    const bool small = c.problem.n * c.problem.k <= 500;
    throw c.problem.variant == "one" && !small ? Failure("mismatch", "found") : Failure("guard", "something else");
  };
  int mismatches = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Judged seen = judged_with_problems(property_of_three(body), {.cases = 60, .seed = seed});
    ASSERT_EQ(variants_of(seen.judgement.findings), (std::vector<std::string>{"one", "two"}));
    const Finding& one = seen.judgement.findings[0];
    const Finding& two = seen.judgement.findings[1];
    const std::int64_t elements = one.problem.n * one.problem.k;
    EXPECT_EQ(one.kind, elements > 500 ? "mismatch" : "guard");
    mismatches += one.kind == "mismatch" ? 1 : 0;
    EXPECT_LE(elements, 1000);
    EXPECT_EQ(two.kind, "guard");
    EXPECT_EQ(two.problem.n * two.problem.k, 32);
    for (const Finding& finding : seen.judgement.findings) {
      std::vector<Problem> own;
      for (const Problem& problem : seen.failing) {
        if (problem.variant == finding.problem.variant) own.push_back(problem);
      }
      EXPECT_EQ(finding.shrinks + 1, static_cast<std::int64_t>(own.size())) << "counted for each variant anew";
      // The case also fails with neutral data, which were tried last, so the finding names no data of its own.
      EXPECT_EQ(finding.problem.codes, Span());
      EXPECT_EQ(own.back().parameters, (Span{0, 0}));
      EXPECT_EQ(finding.problem.n * finding.problem.k, own.back().n * own.back().k);
      for (const Problem& problem : own) EXPECT_EQ(problem.seed, finding.problem.seed) << "shrunk from another problem";
    }
  }
  EXPECT_GT(mismatches, 3);
}

TEST(Variants, ThatComparedNothingAreNotMet) {
  const auto body = [](Case& c) {
    if (c.problem.variant != "two") compare_something(c);
  };
  const Judgement judgement = judged_with_problems(property_of_three(body)).judgement;
  EXPECT_EQ(judgement.verdict, Verdict::mistrusted);
  EXPECT_EQ(judgement.reason, "never met: variant two");
}

TEST(Variants, AreEachPutToTheProblemsThatAPropertyBrings) {
  Property property = property_of_three([](Case& c) {
    compare_something(c);
    if (c.problem.variant == "two" && c.problem.n == 8) throw Failure("mismatch", "wrong");
  });
  property.sampling.fixed = {problem_with("--n=8"), problem_with("--n=9")};
  const Judged seen = judged_with_problems(property);
  EXPECT_EQ(seen.cases_of_variants(), (std::map<std::string, std::int64_t>{{"one", 2}, {"two", 1}, {"three", 2}}));
  EXPECT_EQ(variants_of(seen.judgement.findings), std::vector<std::string>{"two"});
}

TEST(Variants, AreNotGoneOnWithWhenTheDeviceIsLost) {
  for (const bool fixed : {false, true}) {
    Property property =
        property_of_three([](Case&) { throw Failure("error", "a sticky error", /*device_lost=*/true); });
    if (fixed) property.sampling.fixed = {problem_with("--n=8"), problem_with("--n=9")};
    const Judged seen = judged_with_problems(property);
    EXPECT_EQ(seen.problems.size(), 1u) << (fixed ? "fixed" : "drawn");
    EXPECT_TRUE(seen.judgement.device_lost);
    EXPECT_EQ(variants_of(seen.judgement.findings), std::vector<std::string>{"one"});
  }
}

// --- One problem of a variant

TEST(OneProblemOfAVariant, FailsAgainWithTheSameWords) {
  OperatorParts parts;
  parts.error = [](const std::string&) { return "no"; };
  MutableOperators subject(parts);
  const SubjectRow row = row_of_operators("scalar");
  const Property& property = property_of("reject/unpack_refuses_every_illegal_call_and_says_why");
  const Judgement found = judge(property, row, subject, {.cases = 1, .seed = 1});
  EXPECT_EQ(found.findings.size(), property.sampling.variants_for(row.capabilities).size());
  for (const Finding& finding : found.findings) {
    const std::string line = line_of(finding.problem);
    EXPECT_SAYS(line, " --variant=" + finding.problem.variant + " ");
    const Judgement again = judge_one(problem_of(line), row, subject);
    EXPECT_EQ(again.verdict, Verdict::failed);
    ASSERT_EQ(again.findings.size(), 1u);
    EXPECT_EQ(again.findings[0].problem, finding.problem);
    EXPECT_EQ(again.findings[0].kind, finding.kind);
    EXPECT_EQ(again.findings[0].details, finding.details);
  }
}

Judgement judged_one(const std::string& flags, OperatorParts parts = {}) {
  MutableOperators subject(std::move(parts));
  return judge_one(problem_of("--subject=scalar " + flags), row_of_operators("scalar"), subject);
}

TEST(OneProblemOfAVariant, PassesWithoutTheOthers) {
  const std::string stride = "--property=stride/unpack_reads_tensors_of_any_strides --variant=packed_w:";
  const Judgement judgement = judged_one(stride + "stepped");
  EXPECT_EQ(judgement.verdict, Verdict::passed) << judgement.reason;
  EXPECT_EQ(judgement.cases, 1);
  const auto refusal = [&](const std::string& flags) -> std::string {
    try {
      judged_one(flags);
    } catch (const UsageError& illegal) {
      return illegal.what();
    }
    return "";
  };
  EXPECT_SAYS(refusal(stride + "upside-down"), "--variant: given packed_w:upside-down, legal is packed_w:transposed,");
  EXPECT_SAYS(refusal("--property=stride/unpack_reads_tensors_of_any_strides"), "--variant: given none, legal is");
  EXPECT_SAYS(refusal("--property=accept/unpack_takes_every_legal_call --variant=x"),
              "--variant: given x, legal is none");
}

TEST(OneProblemOfAVariant, IsSkippedWhereItIsRefusedOrCannotBeRun) {
  OperatorParts parts;
  parts.rules[Operation::unpack] = {{"none", "packed_w", "nothing", [](const OperatorCall&) { return false; }}};
  const Judgement refused =
      judged_one("--property=stride/unpack_reads_tensors_of_any_strides --variant=packed_w:stepped", parts);
  EXPECT_EQ(refused.verdict, Verdict::skipped);
  EXPECT_SAYS(refused.reason, "packed_w: expected nothing, got int32 [1, 1, 32, 1]");
  EXPECT_EQ(refused.refused_cases, 1);
  const Judgement unavailable = judged_one("--property=stream/unpack_follows_the_current_stream --variant=graph");
  EXPECT_EQ(unavailable.verdict, Verdict::skipped);
  EXPECT_EQ(unavailable.reason, "a subject on the host has no streams");
}

// --- Refused

void refuse_partial_tiles(Case& c) {
  if (c.problem.n % 8 != 0) throw Refused("n: " + std::to_string(c.problem.n));
  compare_something(c);
}

TEST(ARefusedCase, IsCountedAndFailsNothing) {
  const Judged seen = judged_with_problems(property_with(refuse_partial_tiles));
  EXPECT_EQ(seen.judgement.verdict, Verdict::passed) << seen.judgement.reason;
  EXPECT_TRUE(seen.judgement.findings.empty());
  std::int64_t refused = 0;
  std::string first;
  for (const Problem& problem : seen.problems) {
    if (problem.n % 8 == 0) continue;
    if (refused++ == 0) first = "n: " + std::to_string(problem.n);
  }
  EXPECT_GT(refused, 10);
  EXPECT_LT(refused, 60);
  EXPECT_EQ(seen.judgement.refused_cases, refused);
  EXPECT_EQ(seen.judgement.first_refusal, first);
  EXPECT_EQ(seen.judgement.cases, 60);
  EXPECT_EQ(seen.judgement.elements, 2 * (60 - refused));
  EXPECT_TRUE(seen.failing.empty());
}

TEST(ARefusedCase, IsNoneWhereNothingIsRefused) {
  const Judgement judgement = judged_with_problems(property_with(compare_something)).judgement;
  EXPECT_EQ(judgement.refused_cases, 0);
  EXPECT_EQ(judgement.first_refusal, "");
}

TEST(ARefusedCase, SkipsThePropertyWhereAllAreAndMayBe) {
  int calls = 0;
  Property property =
      property_with([&](Case&) { throw Refused("number " + std::to_string(++calls)); }, {&with_padding});
  property.on_refusal = OnRefusal::allowed;
  const Judgement judgement = judged_with_problems(property).judgement;
  EXPECT_EQ(judgement.verdict, Verdict::skipped);
  EXPECT_EQ(judgement.reason, "the subject refuses every case: number 1");
  EXPECT_EQ(judgement.refused_cases, 60);
  EXPECT_EQ(calls, 60);
  // If the property only counts refusals, nothing has been shown; if it forbids them, it has failed.
  property.on_refusal = OnRefusal::counted;
  EXPECT_EQ(judged_with_problems(property).judgement.verdict, Verdict::mistrusted);
  property.on_refusal = OnRefusal::failed;
  const Judgement failed = judged_with_problems(property).judgement;
  ASSERT_EQ(failed.verdict, Verdict::failed);
  EXPECT_EQ(failed.findings.at(0).kind, "refusal");
}

TEST(ARefusedCase, ExcusesNoneThatComparedNothing) {
  Property property = property_with([](Case& c) {
    if (c.problem.n % 8 != 0) throw Refused("a padding");
  });
  property.on_refusal = OnRefusal::allowed;
  const Judgement judgement = judged_with_problems(property).judgement;
  ASSERT_GT(judgement.refused_cases, 0);
  ASSERT_LT(judgement.refused_cases, judgement.cases);
  EXPECT_EQ(judgement.verdict, Verdict::mistrusted);
  EXPECT_EQ(judgement.reason.find("refuses every case"), std::string::npos) << judgement.reason;
}

TEST(ARefusedCase, AndOneThatCannotBeRunHereTogetherSkipTheProperty) {
  Property property = property_with([](Case& c) {
    if (c.problem.variant == "one") throw Unavailable("no device");
    throw Refused("no");
  });
  property.sampling.variants = {"one", "two"};
  property.on_refusal = OnRefusal::allowed;
  const Judgement judgement = judged_with_problems(property).judgement;
  EXPECT_EQ(judgement.verdict, Verdict::skipped);
  EXPECT_EQ(judgement.reason, "the subject refuses every case: no");
}

TEST(ACaseThatCannotBeRunHere, ExcusesNoneThatComparedNothing) {
  Property property = property_with([](Case& c) {
    if (c.problem.variant == "one") throw Unavailable("no device");
  });
  property.sampling.variants = {"one", "two"};
  EXPECT_EQ(judged_with_problems(property).judgement.verdict, Verdict::mistrusted);
}

TEST(ARefusedCase, MeetsNoClassOfItsProblem) {
  const auto judged_on = [](std::vector<Problem> fixed) {
    return judged_with_problems(
               property_with(refuse_partial_tiles, {&with_padding, &several_groups}, {.fixed = std::move(fixed)}))
        .judgement;
  };
  const Problem grouped = problem_with("--n=8 --k=64");
  EXPECT_EQ(judged_on({grouped, problem_with("--n=9")}).reason, "never met: padding (but where the subject refuses)");
  const Judgement missed = judged_on({grouped});
  EXPECT_EQ(missed.verdict, Verdict::mistrusted);
  EXPECT_EQ(missed.reason, "never met: padding");
  // Classes of cases that compared nothing still do not count.
  EXPECT_EQ(judged_on({grouped, problem_with("--n=9")}).classes.count("padding"), 0u);
}

TEST(ARefusedCase, ShowsNothingOfItsVariant) {
  const auto body = [](Case& c) {
    if (c.problem.variant == "two") throw Refused("no");
    compare_something(c);
  };
  const Judgement judgement = judged_with_problems(property_of_three(body)).judgement;
  EXPECT_EQ(judgement.verdict, Verdict::mistrusted);
  EXPECT_EQ(judgement.reason, "never met: variant two (the subject refuses every case: no)");
  EXPECT_EQ(judgement.refused_cases, 20);
}

TEST(ARefusedCase, IsAsGoodAsAnyWhereThePropertyAllowsIt) {
  Property property = property_of_three([](Case& c) {
    if (c.problem.variant == "two") throw Refused("no");
    compare_something(c);
  });
  property.on_refusal = OnRefusal::allowed;
  const Judgement judgement = judged_with_problems(property).judgement;
  EXPECT_EQ(judgement.verdict, Verdict::passed) << judgement.reason;
}

TEST(ARefusedCase, IsNotWhatAFindingShrinksTo) {
  const auto body = [](Case& c) {
    compare_something(c);
    if (c.problem.n * c.problem.k <= 500) throw Refused("too small");
    throw Failure("mismatch", "wrong");
  };
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Judgement judgement = judged_with_problems(property_with(body), {.cases = 60, .seed = seed}).judgement;
    ASSERT_EQ(judgement.findings.size(), 1u);
    const Problem& problem = judgement.findings[0].problem;
    EXPECT_GT(problem.n * problem.k, 500);
    EXPECT_LE(problem.n * problem.k, 1000);
    EXPECT_EQ(judgement.refused_cases, judgement.cases - 1) << "while shrinking nothing is counted";
  }
}

TEST(ARefusedCase, ExcusesNoOtherThatComparesNothing) {
  const auto body = [](Case& c) {
    if (c.problem.n % 8 == 0) throw Refused("no");
  };
  const Judgement judgement = judged_with_problems(property_with(body)).judgement;
  ASSERT_GT(judgement.refused_cases, 0);
  ASSERT_LT(judgement.refused_cases, judgement.cases);
  EXPECT_EQ(judgement.verdict, Verdict::mistrusted) << judgement.reason;
}

// --- Unavailable

TEST(WhatIsUnavailable, SkipsThePropertyWhereNothingWasCompared) {
  const Judged seen =
      judged_with_problems(property_with([](Case&) { throw Unavailable("no second device"); }, {&with_padding}));
  EXPECT_EQ(seen.judgement.verdict, Verdict::skipped);
  EXPECT_EQ(seen.judgement.reason, "no second device");
  EXPECT_EQ(seen.judgement.cases, 1) << "the next would lack it too";
  EXPECT_TRUE(seen.judgement.findings.empty());
}

TEST(WhatIsUnavailable, EndsItsVariantOnly) {
  const auto body = [](Case& c) {
    if (c.problem.variant == "two") throw Unavailable("no stream");
    compare_something(c);
  };
  const Judged seen = judged_with_problems(property_of_three(body));
  EXPECT_EQ(seen.judgement.verdict, Verdict::passed) << seen.judgement.reason;
  EXPECT_EQ(seen.judgement.unavailable.begin()->second, "no stream");
  EXPECT_EQ(seen.cases_of_variants(), (std::map<std::string, std::int64_t>{{"one", 20}, {"two", 1}, {"three", 20}}));
}

TEST(WhatIsUnavailable, ToFewCasesEndsNothing) {
  int calls = 0;
  const auto body = [&](Case& c) {
    compare_something(c);
    if (++calls % 7 == 0) throw Unavailable("too little memory");
  };
  const Judged seen = judged_with_problems(property_with(body));
  EXPECT_EQ(seen.judgement.verdict, Verdict::passed);
  EXPECT_EQ(seen.judgement.cases, 60);
}

TEST(WhatIsUnavailable, IsSaidOfAGreenThatLeavesItOut) {
  const auto body = [](Case& c) {
    if (c.problem.variant == "two") throw Unavailable("no stream");
    compare_something(c);
  };
  EXPECT_EQ(judged_with_problems(property_of_three(body)).judgement.reason, "in part, without two: no stream");
  EXPECT_EQ(judged_with_problems(property_of_three(compare_something)).judgement.reason, "");
}

TEST(WhatIsUnavailable, IsSaidOfAllVariantsWhereNoneCouldBeRun) {
  const Judged seen =
      judged_with_problems(property_of_three([](Case& c) { throw Unavailable("no " + c.problem.variant); }));
  EXPECT_EQ(seen.judgement.verdict, Verdict::skipped);
  EXPECT_EQ(seen.problems.size(), 3u);
  EXPECT_SAYS(seen.judgement.reason, "no ");
}

TEST(WhatIsUnavailable, DoesNotUndoAFinding) {
  const auto body = [](Case& c) {
    if (c.problem.variant == "two") throw Failure("mismatch", "wrong");
    throw Unavailable("nothing");
  };
  const Judgement judgement = judged_with_problems(property_of_three(body)).judgement;
  EXPECT_EQ(judgement.verdict, Verdict::failed);
  EXPECT_EQ(variants_of(judgement.findings), std::vector<std::string>{"two"});
}

TEST(WhatIsUnavailable, IsTheMachinesAndARefusalTheSubjects) {
  // If both a refusal and a lack skip the property, its reason is the subject's refusal.
  const auto body = [](Case& c) {
    if (c.problem.variant == "two") throw Refused("not that");
    throw Unavailable("nothing");
  };
  Property property = property_of_three(body);
  property.on_refusal = OnRefusal::allowed;
  const Judgement judgement = judged_with_problems(property).judgement;
  EXPECT_EQ(judgement.verdict, Verdict::skipped);
  EXPECT_SAYS(judgement.reason, "not that");
}

// --- A property's own problems

Capabilities narrow_capabilities() {
  Capabilities capabilities = kernel_capabilities();
  capabilities.group_sizes = {32};
  capabilities.any_group_size = false;
  return capabilities;
}

TEST(FixedProblems, OutsideTheSubjectsCapabilitiesAreLeftOut) {
  const Property property = property_with(compare_something, {},
                                          {.fixed = {problem_with("--k=64 --group-size=64"), problem_with("--n=9"),
                                                     problem_with("--k=64 --group-size=16")}});
  const Judged seen = judged_with_problems(property, {}, narrow_capabilities());
  EXPECT_EQ(seen.judgement.verdict, Verdict::passed) << seen.judgement.reason;
  ASSERT_EQ(seen.problems.size(), 1u);
  EXPECT_EQ(seen.problems[0].n, 9);
  EXPECT_EQ(judged_with_problems(property).problems.size(), 3u);
}

TEST(FixedProblems, ThatAreLeftOutAreNotMissed) {
  const Property property =
      property_with(compare_something, {&with_padding},
                    {.fixed = {problem_with("--n=9 --k=64 --group-size=64"), problem_with("--n=8")}});
  const Judgement part = judged_with_problems(property, {}, narrow_capabilities()).judgement;
  EXPECT_EQ(part.verdict, Verdict::passed);
  EXPECT_EQ(part.out_of_reach, (std::vector<std::string>{"padding", "1 of 2 recorded matrices"}));
  Property missing = property;
  missing.sampling.fixed = {problem_with("--n=8")};
  EXPECT_EQ(judged_with_problems(missing, {}, narrow_capabilities()).judgement.verdict, Verdict::mistrusted);
}

TEST(FixedProblems, SkipThePropertyWhereNoneIsLeft) {
  const Property property =
      property_with([](Case&) { ADD_FAILURE() << "ran"; }, {}, {.fixed = {problem_with("--k=64 --group-size=64")}});
  const Judgement judgement = judged_with_problems(property, {}, narrow_capabilities()).judgement;
  EXPECT_EQ(judgement.verdict, Verdict::skipped);
  EXPECT_EQ(judgement.reason, "out of reach of what the subject takes: 1 of 1 recorded matrices");
}

TEST(FixedProblems, ThatAreDiscardedShowNothing) {
  const Property property = property_with(
      [](Case& c) {
        compare_something(c);
        if (c.problem.n == 9) RC_DISCARD("not this one");
      },
      {}, {.fixed = {problem_with("--n=8"), problem_with("--n=9")}});
  const Judgement judgement = judged_with_problems(property).judgement;
  EXPECT_EQ(judgement.verdict, Verdict::mistrusted);
  EXPECT_EQ(judgement.reason, "the generator gave up: a property's own problem was discarded");
  EXPECT_EQ(judgement.cases, 1);
}

}  // namespace

}  // namespace tileproof
