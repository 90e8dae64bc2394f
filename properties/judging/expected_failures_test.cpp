// Judging over time: known failures, cases that end their process, and rounds of one property that add up to one
// judgement.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "properties/judging/properties_for_tests.h"
#include "properties/registry.h"

namespace tileproof {

namespace {

using Body = std::function<void(Case&)>;

ExpectedFailure known(const std::string& variant = "", const std::string& kind = "", const std::string& says = "") {
  return {"an-id", "mine", "test/property", variant, kind, says, "what it is", "when it was seen", "when it will go"};
}

constexpr std::int64_t all_cases = 60;

Judgement judged_against(const Property& property, const std::vector<ExpectedFailure>& expected_failures,
                         std::uint64_t seed = 3) {
  Idle idle;
  return judge(property, row_with(kernel_capabilities()), idle,
               {.cases = all_cases, .seed = seed, .expected_failures = &expected_failures});
}

Property property_of_two(Body body) { return property_with(std::move(body), {}, {.variants = {"one", "two"}}); }

/// A body that fails in variant two.
void two_is_wrong(Case& c) {
  compare_something(c);
  if (c.problem.variant == "two") throw Failure("mismatch", "the word is wrong");
}

std::string words_of(const Judgement& judgement) {
  std::string words = judgement.reason;
  for (const Finding& finding : judgement.findings) words += "\n" + finding.kind + ": " + finding.details;
  return words;
}

std::int64_t cases_of(const Judgement& judgement, std::size_t row = 0) { return judgement.known.at(row).cases; }

// --- Expected failures

TEST(AKnownFinding, IsOneThatARowOfTheLedgerMatches) {
  struct Row {
    ExpectedFailure row;
    bool matches;
  };
  const Row rows[] = {{known(), true},
                      {known("two"), true},
                      {known("", "mismatch"), true},
                      {known("", "", "word is"), true},
                      {known("two", "mismatch", "the word is wrong"), true},
                      {known("one"), false},
                      {known("two", "guard"), false},
                      {known("two", "mismatch", "the weight"), false},
                      {known("tw"), false},
                      {known("", "mism"), false}};
  for (const Row& row : rows) {
    const Judgement judgement = judged_against(property_of_two(two_is_wrong), {row.row});
    SCOPED_TRACE(row.row.variant + ", " + row.row.kind + ", " + row.row.says);
    EXPECT_EQ(judgement.verdict, row.matches ? Verdict::known : Verdict::failed) << judgement.reason;
    EXPECT_EQ(cases_of(judgement) > 0, row.matches);
    EXPECT_EQ(judgement.findings.empty(), row.matches);
  }
}

TEST(AKnownFinding, MayBeKnownOfSomeCasesAlone) {
  const auto flushes = [](Case& c) {
    compare_something(c);
    const bool is_half = c.problem.types.weight == Type::fp16;
    Failure failure("mismatch", "it is wrong");
    failure.wrong = {{0, 0, is_half ? 0x8001u : 0x8000u, is_half ? 0x8000u : 0u, true}};
    throw failure;
  };
  struct Row {
    const char* name;
    std::string ExpectedFailure::*member;
    const char* value;
    bool matches;
  };
  const Row rows[] = {{"scheme", &ExpectedFailure::scheme, "float", true},
                      {"scheme", &ExpectedFailure::scheme, "integer", false},
                      {"format", &ExpectedFailure::format, "tinygemm-4", true},
                      {"format", &ExpectedFailure::format, "tinygemm-2", false},
                      {"weight_type", &ExpectedFailure::weight_type, "fp16", true},
                      {"weight_type", &ExpectedFailure::weight_type, "bf16", false},
                      {"pattern", &ExpectedFailure::pattern, "a subnormal that became zero", true},
                      {"pattern", &ExpectedFailure::pattern, "the sign of a zero", false},
                      {"where", &ExpectedFailure::where, "a group crosses rows", false}};
  for (const Row& row : rows) {
    Capabilities halves = kernel_capabilities();
    halves.types = {Type::fp16};
    halves.formats = {tinygemm(4)};
    halves.schemes = {scheme::floating};
    ExpectedFailure expected = known();
    expected.*row.member = row.value;
    const std::vector<ExpectedFailure> ledger = {expected};
    Idle idle;
    const Judgement judgement =
        judge(property_with(flushes), row_with(halves), idle, {.cases = 10, .seed = 3, .expected_failures = &ledger});
    EXPECT_EQ(judgement.verdict, row.matches ? Verdict::known : Verdict::failed) << row.name << " " << row.value;
  }
  ExpectedFailure crossing = known();
  crossing.where = "a group crosses rows";
  Finding finding;
  finding.problem = problem_with("--format=nf4 --n=2 --k=80 --group-size=64 --weight-type=fp32 --parameter-type=fp32");
  EXPECT_FALSE(rows_that_expect({&crossing}, finding).empty());
  finding.problem.k = 128;
  EXPECT_TRUE(rows_that_expect({&crossing}, finding).empty());
  finding.problem.k = 80, finding.problem.n = 1;
  EXPECT_TRUE(rows_that_expect({&crossing}, finding).empty()) << "a single row is crossed by no group";
}

/// The cases of a property that always passes after which a row that no case has met is red.
std::int64_t cases_to_expire(const ExpectedFailure& row, const Capabilities& capabilities,
                             const Sampling& sampling = {}) {
  const std::vector<ExpectedFailure> ledger = {row};
  for (const std::int64_t cases : {1, 3, 29, 30, 999, 1000, 5000}) {
    Idle idle;
    const Judgement judgement = judge(property_with(compare_something, {}, sampling), row_with(capabilities), idle,
                                      {.cases = cases, .seed = 3, .expected_failures = &ledger});
    if (judgement.verdict == Verdict::failed) return judgement.cases;
    EXPECT_EQ(judgement.verdict, Verdict::passed) << judgement.reason;
  }
  return 0;
}

TEST(AKnownFinding, ThatCasesMeetByChanceIsNotMissedByAFew) {
  Capabilities halves = kernel_capabilities();
  halves.types = {Type::fp16};
  ExpectedFailure of_type = known(), of_values = known(), of_both = known();
  of_type.weight_type = of_both.weight_type = "fp16";
  of_values.pattern = of_both.pattern = "the sign of a zero";
  EXPECT_EQ(cases_to_expire(known(), halves), 1);
  EXPECT_EQ(cases_to_expire(of_type, halves), 30);
  EXPECT_EQ(cases_to_expire(of_values, halves), 1000);
  EXPECT_EQ(cases_to_expire(of_both, kernel_capabilities()), 5000) << "of which a third are of the type";
}

TEST(AKnownFinding, OfAPropertysOwnProblemsExpiresOnceTheyAllPass) {
  ExpectedFailure of_values = known(), elsewhere = known();
  of_values.pattern = "the sign of a zero";
  elsewhere.pattern = "the sign of a zero", elsewhere.where = "more n-tiles than 65,535";
  const Sampling own = {
      .fixed = {problem_with("--n=8 --k=32 --group-size=32"), problem_with("--n=24 --k=32 --group-size=32")}};
  EXPECT_EQ(cases_to_expire(of_values, kernel_capabilities(), own), 2);
  EXPECT_EQ(cases_to_expire(elsewhere, kernel_capabilities(), own), 0) << "no problem is of its class";
}

/// A result of `elements` elements, all right or a zero of the wrong sign, and one that is `got` in place of 1.
void zeros_and_one_more(Case& c, std::int64_t elements, std::uint32_t got) {
  Matrix<std::uint32_t> expected(1, elements), result(1, elements);
  for (std::int64_t i = 0; i < elements; ++i) result(0, i) = float_format_of(c.problem.types.weight).sign_bit();
  const std::uint32_t one = float_format_of(c.problem.types.weight).bits() == 32 ? 0x3f800000 : 0x3f80;
  expected(0, elements - 1) = one;
  result(0, elements - 1) = got == 0 ? one : got;
  c.expect_equal(result, expected);
}

TEST(AKnownFinding, IsOneWhoseEveryWrongElementIsExpected) {
  ExpectedFailure sign = known();
  sign.pattern = "the sign of a zero";
  const auto judged = [&](std::int64_t elements, std::uint32_t got) {
    return judged_against(property_with([=](Case& c) { zeros_and_one_more(c, elements, got); }), {sign});
  };
  EXPECT_EQ(judged(3, 0).verdict, Verdict::known);
  EXPECT_EQ(judged(5000, 0).verdict, Verdict::known);
  EXPECT_EQ(judged(3, 0x4040).verdict, Verdict::failed);
  EXPECT_EQ(judged(5000, 0x4040).verdict, Verdict::failed) << "ten that are expected come first";
}

TEST(AKnownFinding, MayBeExpectedByTwoRows) {
  ExpectedFailure sign = known(), flush = known();
  sign.pattern = "the sign of a zero";
  flush.pattern = "a subnormal that became zero";
  const auto both = [](Case& c) {
    Matrix<std::uint32_t> expected(1, 2), got(1, 2);
    expected(0, 0) = float_format_of(c.problem.types.weight).sign_bit();
    expected(0, 1) = 1;
    c.expect_equal(got, expected);
  };
  EXPECT_EQ(judged_against(property_with(both), {sign}).verdict, Verdict::failed);
  EXPECT_EQ(judged_against(property_with(both), {flush}).verdict, Verdict::failed);
  const Judgement judgement = judged_against(property_with(both), {sign, flush});
  EXPECT_EQ(judgement.verdict, Verdict::known) << words_of(judgement);
  EXPECT_EQ(cases_of(judgement, 0), all_cases);
  EXPECT_EQ(cases_of(judgement, 1), all_cases);
}

TEST(AKnownFinding, OfCallsThatGiveNothingIsMistrustedUnlessItSaysWhichCalls) {
  const auto raises = [](Case& c) {
    if (c.problem.n <= 8) throw SubjectError("raises");
    compare_something(c);
  };
  const auto always = [](Case&) { throw SubjectError("raises"); };
  ExpectedFailure any = known(), of_few_rows = known();
  of_few_rows.where = "at most eight rows";
  EXPECT_EQ(judged_against(property_with(raises), {any}).verdict, Verdict::known);
  EXPECT_EQ(judged_against(property_with(raises), {of_few_rows}).verdict, Verdict::known);
  EXPECT_EQ(judged_against(property_with(always), {of_few_rows}).verdict, Verdict::failed);
  const Judgement nothing = judged_against(property_with(always), {any});
  EXPECT_EQ(nothing.verdict, Verdict::mistrusted);
  EXPECT_SAYS(nothing.reason, "no element was compared");
  // A goal that only such calls meet is met if the row says that they are those.
  const CoverageGoals few_rows = {
      "few rows",
      {{"few rows", [](const Capabilities&) { return true; },
        [](const Coverage& coverage, const std::string& name) { return coverage.classes.contains(name); }}}};
  const auto meets = [&](Case& c) {
    if (c.problem.n <= 8) c.meets("few rows");
    raises(c);
  };
  EXPECT_EQ(judged_against(property_with(meets, {&few_rows}), {of_few_rows}).verdict, Verdict::known);
  EXPECT_EQ(judged_against(property_with(meets, {&few_rows}), {any}).verdict, Verdict::mistrusted);
}

TEST(AKnownFinding, OfAnotherSubjectOrPropertyHasNoPart) {
  ExpectedFailure of_another_subject = known(), of_another_property = known();
  of_another_subject.subject = "yours";
  of_another_property.property = "test/another";
  ExpectedFailure of_no_subject = known(), of_no_property = known();
  of_no_subject.subject = "";
  of_no_property.property = "";
  const std::vector<ExpectedFailure> expected_failures = {of_another_subject, of_another_property, of_no_subject,
                                                          of_no_property};
  const Judgement wrong = judged_against(property_of_two(two_is_wrong), expected_failures);
  EXPECT_EQ(wrong.verdict, Verdict::failed);
  EXPECT_EQ(wrong.findings.size(), 1u);
  EXPECT_TRUE(wrong.known.empty());
  const Judgement right = judged_against(property_of_two(compare_something), expected_failures);
  EXPECT_EQ(right.verdict, Verdict::passed) << "nothing of theirs expires here";
}

TEST(AKnownFinding, IsCountedInEveryCaseAndShownOnce) {
  int calls = 0;
  const auto body = [&](Case& c) {
    compare_something(c);
    if (c.problem.variant == "two") throw Failure("mismatch", "number " + std::to_string(++calls));
  };
  const Judgement judgement = judged_against(property_of_two(body), {known("two")});
  EXPECT_EQ(judgement.verdict, Verdict::known);
  EXPECT_EQ(judgement.reason, "");
  EXPECT_EQ(judgement.cases, all_cases) << "drawing goes on";
  EXPECT_EQ(cases_of(judgement), all_cases / 2);
  EXPECT_EQ(judgement.known[0].row.id, "an-id");
  EXPECT_EQ(judgement.known[0].first.kind, "mismatch");
  EXPECT_EQ(judgement.known[0].first.details, "number 1");
  EXPECT_EQ(judgement.known[0].first.problem.variant, "two");
}

TEST(AKnownFinding, IsNoFailureToAnObserver) {
  Idle idle;
  const std::vector<ExpectedFailure> expected_failures = {known("two")};
  std::int64_t seen = 0;
  judge(property_of_two(two_is_wrong), row_with(kernel_capabilities()), idle,
        {.cases = 10, .expected_failures = &expected_failures}, [&](const Observation& one) {
          ++seen;
          EXPECT_FALSE((one.status == "failed"));
        });
  EXPECT_EQ(seen, 10);
}

TEST(AKnownFinding, InEveryVariantIsKnownInEach) {
  const auto body = [](Case&) { throw Failure("unclear", "names nothing"); };
  const Judgement judgement = judged_against(property_of_two(body), {known("", "unclear")});
  EXPECT_EQ(judgement.verdict, Verdict::known) << judgement.reason;
  EXPECT_EQ(cases_of(judgement), all_cases);
}

TEST(AKnownFinding, BesideAnUnknownOneDoesNotHideIt) {
  // In variant two, large problems fail in a way of their own.
  const auto body = [](Case& c) {
    compare_something(c);
    if (c.problem.variant == "one") return;
    if (c.problem.n * c.problem.k > 3000) throw Failure("mismatch", "a new one");
    throw Failure("mismatch", "an old one");
  };
  int known_first = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Judgement judgement = judged_against(property_of_two(body), {known("two", "", "old")}, seed);
    EXPECT_EQ(judgement.verdict, Verdict::failed);
    ASSERT_EQ(judgement.findings.size(), 1u) << words_of(judgement);
    EXPECT_EQ(judgement.findings[0].details, "a new one") << "shrunk into the known one";
    const Problem& problem = judgement.findings[0].problem;
    EXPECT_GT(problem.n * problem.k, 3000);
    EXPECT_LE(problem.n * problem.k, 6000);
    EXPECT_EQ(cases_of(judgement), judgement.cases - all_cases / 2 - 1) << "while shrinking none is counted";
    known_first += judgement.cases > all_cases / 2 + 1 ? 1 : 0;
  }
  EXPECT_GT(known_first, 3) << "cases that were known before the new one came";
}

TEST(AKnownFinding, ThatAnUnknownOneKeptFromBeingMetHasNotExpired) {
  // The new failure comes first in every case, so nobody knows whether the old one is still there.
  const auto body = [](Case& c) {
    compare_something(c);
    if (c.problem.variant == "two") throw Failure("guard", "a new one");
  };
  for (const char* variant : {"two", ""}) {
    const Judgement judgement = judged_against(property_of_two(body), {known(variant, "mismatch")});
    EXPECT_EQ(judgement.verdict, Verdict::failed);
    ASSERT_EQ(judgement.findings.size(), 1u) << words_of(judgement);
    EXPECT_EQ(judgement.findings[0].details, "a new one");
  }
  // A row that could have been met in another variant, and was not, has expired.
  EXPECT_EQ(judged_against(property_of_two(body), {known("one", "mismatch")}).findings.size(), 2u);
}

TEST(AKnownFinding, LeavesAPropertyMistrustedThatMetTooLittle) {
  Property property = property_of_two(two_is_wrong);
  property.meets = {&every_class_of_scale};  // its profile, `ordinary`, has only one of them
  const Judgement judgement = judged_against(property, {known("two")});
  EXPECT_EQ(judgement.verdict, Verdict::mistrusted);
  EXPECT_SAYS(judgement.reason, "never met: scale ");
  // A variant in which nothing was compared is MISTRUSTED too.
  const auto nothing_in_one = [](Case& c) {
    if (c.problem.variant == "two") throw Failure("mismatch", "wrong");
  };
  const Judgement idle = judged_against(property_of_two(nothing_in_one), {known("two")});
  EXPECT_EQ(idle.verdict, Verdict::mistrusted);
  EXPECT_SAYS(idle.reason, "variant one");
}

TEST(AKnownFinding, IsAFailureWhereOneProblemIsAskedFor) {
  // A replayed line must show its failure.
  Idle idle;
  const Problem problem = problem_of("--property=bits/unpack_returns_every_packed_code --subject=mine");
  EXPECT_EQ(judge_one(problem, row_with(kernel_capabilities()), idle).verdict, Verdict::failed);
}

TEST(AKnownFinding, ThatLosesTheDeviceEndsTheProperty) {
  for (const bool fixed : {false, true}) {
    int calls = 0;
    Property property = property_of_two([&](Case&) {
      ++calls;
      throw Failure("error", "a sticky error", /*device_lost=*/true);
    });
    if (fixed) property.sampling.fixed = {problem_with("--n=8"), problem_with("--n=9")};
    const Judgement judgement = judged_against(property, {known()});
    EXPECT_EQ(calls, 1) << (fixed ? "fixed" : "drawn");
    EXPECT_TRUE(judgement.device_lost);
    EXPECT_NE(judgement.verdict, Verdict::passed);
  }
}

// --- Expired

void expect_expired(const Judgement& judgement, const std::string& variant) {
  EXPECT_EQ(judgement.verdict, Verdict::failed);
  ASSERT_EQ(judgement.findings.size(), 1u);
  EXPECT_EQ(judgement.findings[0].kind, "expired");
  EXPECT_EQ(judgement.findings[0].problem.variant, variant);
  for (const char* part : {"an-id", "what it is", "when it will go"}) EXPECT_SAYS(judgement.findings[0].details, part);
}

TEST(AnExpiredFinding, IsOneThatDidNotOccur) {
  expect_expired(judged_against(property_of_two(compare_something), {known("two")}), "two");
  expect_expired(judged_against(property_of_two(compare_something), {known()}), "");
  expect_expired(judged_against(property_of_two(two_is_wrong), {known("two"), known("one")}), "one");
}

TEST(AnExpiredFinding, IsOneThatIsRefusedNow) {
  const auto body = [](Case& c) {
    if (c.problem.variant == "two") throw Refused("no longer taken");
    compare_something(c);
  };
  expect_expired(judged_against(property_of_two(body), {known("two")}), "two");
}

TEST(AnExpiredFinding, IsNoneOfAPropertyThatWasNotRun) {
  Property property = property_of_two(compare_something);
  property.needs = {Operation::matmul};
  const Judgement lacking = judged_against(property, {known("two")});
  EXPECT_EQ(lacking.verdict, Verdict::skipped);
  EXPECT_TRUE(lacking.findings.empty());

  const Judgement unavailable =
      judged_against(property_of_two([](Case&) { throw Unavailable("no second device"); }), {known("two"), known()});
  EXPECT_EQ(unavailable.verdict, Verdict::skipped);
  EXPECT_EQ(unavailable.reason, "no second device");
  EXPECT_TRUE(unavailable.findings.empty());
}

TEST(AnExpiredFinding, IsNoneOfAVariantThatCouldNotBeRunHere) {
  const auto body = [](Case& c) {
    if (c.problem.variant == "two") throw Unavailable("no second device");
    compare_something(c);
  };
  const Judgement judgement = judged_against(property_of_two(body), {known("two")});
  EXPECT_EQ(judgement.verdict, Verdict::passed) << judgement.reason;
  EXPECT_TRUE(judgement.findings.empty());
  expect_expired(judged_against(property_of_two(body), {known("one")}), "one");
}

TEST(AnExpiredFinding, IsNoneOfWhatALostDeviceLeftOut) {
  const auto body = [](Case&) { throw Failure("error", "a sticky error", /*device_lost=*/true); };
  const Judgement judgement = judged_against(property_of_two(body), {known("two", "mismatch")});
  EXPECT_EQ(judgement.verdict, Verdict::failed);
  ASSERT_EQ(judgement.findings.size(), 1u) << words_of(judgement);
  EXPECT_EQ(judgement.findings[0].kind, "error");
}

// --- Lost processes

/// Stands for a runner with another process; a function gives the outcome of each case.
class Elsewhere : public CaseRunner {
 public:
  explicit Elsewhere(std::function<CaseOutcome(const Problem&)> outcome) : outcome_(std::move(outcome)) {}
  CaseOutcome run(const Property&, const Problem& problem, Coverage& coverage) override {
    problems.push_back(problem);
    CaseOutcome outcome = outcome_(problem);
    lost += outcome.process_lost ? 1 : 0;
    if (!outcome.finding) {
      coverage.expected_value(1);
      coverage.expected_value(2);
      if (!problem.variant.empty()) ++coverage.classes[variant_class(problem.variant)];
    }
    return outcome;
  }
  std::vector<Problem> problems;
  int lost = 0;

 private:
  std::function<CaseOutcome(const Problem&)> outcome_;
};

CaseOutcome crash_of(const Problem& problem) {
  return {.finding = Finding{problem, "crash", "signal 11"}, .process_lost = true};
}
CaseOutcome hang_of(const Problem& problem) {
  return {.finding = Finding{problem, "hang", "no answer"}, .process_lost = true, .was_hang = true};
}

Judgement judged_elsewhere(const Property& property, Elsewhere& elsewhere,
                           const Effort& effort = {.cases = 60, .seed = 3}) {
  return judge(property, row_with(kernel_capabilities()), elsewhere, effort);
}

const Property never_run_here = property_with([](Case&) { ADD_FAILURE() << "ran here"; });

TEST(ALostProcess, IsAFindingThatShrinks) {
  Elsewhere elsewhere([](const Problem& p) { return p.n * p.k > 500 ? crash_of(p) : CaseOutcome(); });
  const Judgement judgement = judged_elsewhere(never_run_here, elsewhere);
  EXPECT_EQ(judgement.verdict, Verdict::failed);
  ASSERT_EQ(judgement.findings.size(), 1u);
  EXPECT_EQ(judgement.findings[0].kind, "crash");
  EXPECT_EQ(judgement.findings[0].details, "signal 11");
  const Problem& problem = judgement.findings[0].problem;
  EXPECT_GT(problem.n * problem.k, 500);
  EXPECT_LE(problem.n * problem.k, 1000);
  EXPECT_FALSE(judgement.device_lost) << "the next case runs in another one";
}

TEST(ALostProcess, IsPaidForOutOfThePatienceOfTheRun) {
  Elsewhere elsewhere(crash_of);
  judged_elsewhere(never_run_here, elsewhere);
  const int whole_way = elsewhere.lost;
  ASSERT_GT(whole_way, 4);
  Patience patience = {.crashes = whole_way + 3};
  const auto next = [&] {
    Elsewhere again(crash_of);
    const Judgement judgement =
        judged_elsewhere(never_run_here, again, {.cases = 60, .seed = 3, .patience = &patience});
    EXPECT_EQ(judgement.verdict, Verdict::failed);
    EXPECT_EQ(judgement.findings.size(), 1u);
    EXPECT_EQ(judgement.findings.at(0).shrinks + 1, again.lost);
    return again.lost;
  };
  EXPECT_EQ(next(), whole_way);
  EXPECT_EQ(next(), 3) << "what the first property left";
  EXPECT_EQ(next(), 1) << "reported as it was drawn";
}

TEST(ALostProcess, ThatHadToBeWaitedForCostsAsMuchAsTenCrashes) {
  const auto lost_of = [](CaseOutcome (*outcome)(const Problem&), std::int64_t crashes) {
    Elsewhere elsewhere([=](const Problem& p) { return outcome(p); });
    Patience patience = {.crashes = crashes};
    judged_elsewhere(never_run_here, elsewhere, {.cases = 60, .seed = 3, .patience = &patience});
    return elsewhere.lost;
  };
  const int whole_way = lost_of(crash_of, 1000);
  EXPECT_GT(whole_way, 3);
  EXPECT_EQ(lost_of(hang_of, 1000), whole_way);
  EXPECT_EQ(lost_of(hang_of, 20), 2);
  EXPECT_EQ(lost_of(crash_of, 2), 2);
}

TEST(ALostProcess, HasPatienceOfItsOwnWhereTheRunHasNone) {
  Elsewhere elsewhere(crash_of);
  judged_elsewhere(never_run_here, elsewhere);
  EXPECT_GT(elsewhere.lost, 1);
  EXPECT_LE(elsewhere.lost, 80);
}

TEST(ALostProcess, ThatIsKnownEndsItsVariant) {
  Elsewhere elsewhere([](const Problem& p) { return p.variant == "one" ? crash_of(p) : CaseOutcome(); });
  const std::vector<ExpectedFailure> expected_failures = {known("one", "crash")};
  const Judgement judgement = judged_elsewhere(property_of_two([](Case&) {}), elsewhere,
                                               {.cases = 60, .seed = 3, .expected_failures = &expected_failures});
  EXPECT_EQ(judgement.verdict, Verdict::known) << judgement.reason;
  EXPECT_EQ(elsewhere.lost, 1) << "seen once is enough";
  EXPECT_EQ(elsewhere.problems.size(), 31u) << "and the other variant is run";
  EXPECT_EQ(cases_of(judgement), 1);
}

TEST(ALostProcess, OfOneProblemIsItsFinding) {
  Elsewhere elsewhere(crash_of);
  const Problem problem = problem_of("--property=bits/unpack_returns_every_packed_code --subject=mine");
  const Judgement judgement = judge_one(problem, row_with(kernel_capabilities()), elsewhere);
  EXPECT_EQ(judgement.verdict, Verdict::failed);
  ASSERT_EQ(judgement.findings.size(), 1u);
  EXPECT_EQ(judgement.findings[0].problem, problem);
  EXPECT_EQ(judgement.findings[0].kind, "crash");
  EXPECT_EQ(elsewhere.problems.size(), 1u);
}

// --- Abilities of runners

/// A runner that can start a fresh process, if the test says so.
class AfreshElsewhere : public Elsewhere {
 public:
  using Elsewhere::Elsewhere;
  bool start_afresh() override {
    afresh += can_start_afresh ? 1 : 0;
    is_fresh_ = can_start_afresh;
    return can_start_afresh;
  }
  CaseOutcome run(const Property& property, const Problem& problem, Coverage& coverage) override {
    if (is_fresh_) problem_run_afresh = problem;
    is_fresh_ = false;
    return Elsewhere::run(property, problem, coverage);
  }
  bool can_start_afresh = true;
  int afresh = 0;
  Problem problem_run_afresh;

 private:
  bool is_fresh_ = false;
};

/// A runner that has no process left after the first failing case.
class GivesOut : public Elsewhere {
 public:
  using Elsewhere::Elsewhere;
  CaseOutcome run(const Property& property, const Problem& problem, Coverage& coverage) override {
    if (has_failed_) throw std::runtime_error("no process can be had");
    const CaseOutcome outcome = Elsewhere::run(property, problem, coverage);
    has_failed_ = outcome.finding.has_value();
    return outcome;
  }

 private:
  bool has_failed_ = false;
};

CaseOutcome mismatch_of(const Problem& problem) { return {.finding = Finding{problem, "mismatch", "wrong"}}; }

constexpr const char* had_its_part = "what ran before it had its part";

TEST(AFinding, IsKeptWhereNoProcessIsLeftToLookIntoIt) {
  for (const char* kind : {"mismatch", "unclear"}) {
    GivesOut elsewhere([=](const Problem& problem) { return CaseOutcome{.finding = Finding{problem, kind, "wrong"}}; });
    const Judgement judgement = judged_elsewhere(property_of_two([](Case&) {}), elsewhere);
    EXPECT_EQ(judgement.verdict, Verdict::failed);
    ASSERT_EQ(judgement.findings.size(), 1u);
    EXPECT_SAYS(judgement.findings[0].details, "it could not be looked into further: no process can be had");
  }
}

TEST(APropertyAboutTheProcess, BeginsInAFreshOne) {
  AfreshElsewhere elsewhere([](const Problem&) { return CaseOutcome(); });
  Property property = property_with([](Case&) {});
  judged_elsewhere(property, elsewhere);
  EXPECT_EQ(elsewhere.afresh, 0);
  property.begins_afresh = true;
  judged_elsewhere(property, elsewhere);
  EXPECT_EQ(elsewhere.afresh, 1);
  EXPECT_TRUE(property_of("state/pack_leaves_its_process_as_it_was").begins_afresh);
}

TEST(AFinding, OfALaterRoundIsNotHiddenByOneThatIsOnlyUnclear) {
  const Property property = property_with([](Case&) {});
  Judgement judgement, round;
  Problem problem;
  judgement.findings = {{problem, "unclear", "not named"}};
  round.findings = {{problem, "accepted", "accepts it"}};
  judgement.add(round, property, kernel_capabilities());
  ASSERT_EQ(judgement.findings.size(), 2u);
  EXPECT_EQ(judgement.findings[0].kind, "accepted");
}

TEST(AFinding, IsRunAgainAloneInAFreshProcess) {
  AfreshElsewhere elsewhere(mismatch_of), nowhere(mismatch_of);
  nowhere.can_start_afresh = false;
  const Judgement judgement = judged_elsewhere(property_of_two([](Case&) {}), elsewhere);
  judged_elsewhere(property_of_two([](Case&) {}), nowhere);
  ASSERT_EQ(judgement.findings.size(), 2u);
  EXPECT_EQ(elsewhere.afresh, 1) << "the property's first finding: each takes its time";
  EXPECT_EQ(judgement.findings[0].details, "wrong");
  EXPECT_EQ(elsewhere.problems.size(), nowhere.problems.size() + 1);
  EXPECT_EQ(judgement.cases, 2) << "and is no case of its own";
  EXPECT_EQ(elsewhere.problem_run_afresh, judgement.findings[0].problem);
}

TEST(AFinding, ThatDoesNotFailAloneSaysSo) {
  AfreshElsewhere* runner = nullptr;
  AfreshElsewhere elsewhere([&](const Problem& p) { return runner->afresh == 0 ? mismatch_of(p) : CaseOutcome(); });
  runner = &elsewhere;
  const Judgement judgement = judged_elsewhere(never_run_here, elsewhere);
  EXPECT_EQ(judgement.verdict, Verdict::failed) << "it failed all the same";
  ASSERT_EQ(judgement.findings.size(), 1u);
  EXPECT_TRUE(judgement.findings[0].details.starts_with("wrong")) << judgement.findings[0].details;
  EXPECT_SAYS(judgement.findings[0].details, had_its_part);
}

TEST(AFinding, IsNotRunAgainWhereThereIsNoFreshProcessNoPatienceOrNoTime) {
  const auto times_afresh = [](bool can, std::int64_t crashes, bool stop) {
    AfreshElsewhere elsewhere(mismatch_of);
    elsewhere.can_start_afresh = can;
    Patience patience = {.crashes = crashes};
    judged_elsewhere(never_run_here, elsewhere,
                     {.cases = 60, .seed = 3, .patience = &patience, .stop = [=] { return stop; }});
    return elsewhere.afresh;
  };
  EXPECT_EQ(times_afresh(true, 80, false), 1);
  EXPECT_EQ(times_afresh(false, 80, false), 0);
  EXPECT_EQ(times_afresh(true, 0, false), 0);
  EXPECT_EQ(times_afresh(true, 80, true), 0);
  // No fresh process is started if nothing was found.
  AfreshElsewhere elsewhere([](const Problem&) { return CaseOutcome(); });
  judged_elsewhere(never_run_here, elsewhere);
  EXPECT_EQ(elsewhere.afresh, 0);
}

TEST(AStop, EndsShrinkingAndNoDrawing) {
  Elsewhere failing(mismatch_of);
  const Judgement failed =
      judged_elsewhere(never_run_here, failing, {.cases = 60, .seed = 3, .stop = [] { return true; }});
  ASSERT_EQ(failed.findings.size(), 1u);
  EXPECT_EQ(failed.findings[0].shrinks, 0);
  EXPECT_EQ(failing.problems.size(), 1u);
  Elsewhere passing([](const Problem&) { return CaseOutcome(); });
  const Judgement passed =
      judged_elsewhere(never_run_here, passing, {.cases = 60, .seed = 3, .stop = [] { return true; }});
  EXPECT_EQ(passed.cases, 60);
  EXPECT_EQ(passed.verdict, Verdict::passed) << passed.reason;
}

TEST(ARunnerThatBreaks, IsNoFindingOfTheSubject) {
  int calls = 0;
  Elsewhere broken([&](const Problem&) -> CaseOutcome {
    if (++calls < 5) return {};
    throw std::runtime_error("no process to be had");
  });
  try {
    judged_elsewhere(property_of_two([](Case&) {}), broken);
    ADD_FAILURE() << "was taken for a judgement";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "no process to be had");
  }
  EXPECT_EQ(calls, 5) << "and is not asked again";
}

TEST(AnObservation, SaysHowItsCaseEndedAndWhy) {
  struct Row {
    CaseOutcome outcome;
    std::string status;
    std::string kind;
  };
  const Problem problem = problem_with("--n=8");
  const Finding old_one = {problem_of("--property=test/property --subject=mine"), "mismatch", "an old one"};
  for (const Row& row : {Row{{}, "passed", ""}, Row{mismatch_of(problem), "failed", "mismatch"},
                         Row{{.finding = old_one}, "gave_up", "known"}, Row{{.refused = "no"}, "gave_up", "refused"},
                         Row{{.unavailable = "no device"}, "gave_up", "no device"}}) {
    Elsewhere elsewhere([&](const Problem&) { return row.outcome; });
    const std::vector<ExpectedFailure> expected_failures = {known("", "", "old")};
    Property property = never_run_here;
    property.sampling.fixed = {problem};
    std::vector<std::string> seen;
    judge(property, row_with(kernel_capabilities()), elsewhere, {.expected_failures = &expected_failures},
          [&](const Observation& one) {
            seen = {one.status, one.kind};
          });
    EXPECT_EQ(seen, (std::vector<std::string>{row.status, row.kind}));
  }
}

// --- Rounds

/// One judgement of several rounds of a property, each with a body of its own.
Judgement in_rounds(const Property& property, const std::vector<Body>& bodies,
                    const std::vector<ExpectedFailure>& expected_failures = {}) {
  const Capabilities capabilities = kernel_capabilities();
  std::optional<Judgement> all;
  for (const Body& body : bodies) {
    Property round = property;
    round.body = body;
    const Judgement judgement = judged_against(round, expected_failures, 3 + (all ? all->cases : 0));
    if (all) {
      all->add(judgement, property, capabilities);
    } else {
      all = judgement;
    }
  }
  return *all;
}

const Property of_two = property_of_two(compare_something);

Body failing_in(const std::string& variant, const std::string& details) {
  return [=](Case& c) {
    compare_something(c);
    if (c.problem.variant == variant) throw Failure("mismatch", details);
  };
}

TEST(RoundsOfVariants, KeepTheFirstFindingOfEach) {
  const Judgement all =
      in_rounds(of_two, {compare_something, failing_in("two", "a"), failing_in("one", "b"), failing_in("two", "c")});
  EXPECT_EQ(all.verdict, Verdict::failed);
  ASSERT_EQ(all.findings.size(), 2u);
  EXPECT_EQ(all.findings[0].problem.variant, "two");
  EXPECT_EQ(all.findings[0].details, "a");
  EXPECT_EQ(all.findings[1].problem.variant, "one");
  EXPECT_EQ(all.findings[1].details, "b");
}

TEST(RoundsOfVariants, MeetThemTogether) {
  const auto only = [](const std::string& variant) {
    return [=](Case& c) {
      if (c.problem.variant == variant) compare_something(c);
    };
  };
  EXPECT_EQ(in_rounds(of_two, {only("one"), only("one")}).reason, "never met: variant two");
  EXPECT_EQ(in_rounds(of_two, {only("one"), only("two")}).verdict, Verdict::passed);
}

TEST(RoundsOfKnownFindings, AddUp) {
  const Judgement all = in_rounds(of_two, {failing_in("two", "a"), failing_in("two", "b")}, {known("two")});
  EXPECT_EQ(all.verdict, Verdict::known) << all.reason;
  EXPECT_EQ(cases_of(all), all_cases);
  EXPECT_EQ(all.known[0].first.details, "a");
  EXPECT_EQ(all.cases, 2 * all_cases);
}

TEST(RoundsOfKnownFindings, ExpireInAllOrNot) {
  for (const bool first : {true, false}) {
    const Body fails = failing_in("two", "a");
    const Judgement coverage = first ? in_rounds(of_two, {fails, compare_something}, {known("two")})
                                     : in_rounds(of_two, {compare_something, fails}, {known("two")});
    EXPECT_EQ(coverage.verdict, Verdict::known) << words_of(coverage);
    EXPECT_EQ(coverage.known[0].first.details, "a");
  }
  expect_expired(in_rounds(of_two, {compare_something, compare_something, compare_something}, {known("two")}), "two");
}

TEST(RoundsOfKnownFindings, KeepTheUnknownOneThatCameBesideThem) {
  const Judgement all =
      in_rounds(of_two, {failing_in("two", "old"), failing_in("one", "new"), failing_in("two", "old")},
                {known("two", "", "old")});
  EXPECT_EQ(all.verdict, Verdict::failed);
  ASSERT_EQ(all.findings.size(), 1u);
  EXPECT_EQ(all.findings[0].details, "new");
  EXPECT_EQ(cases_of(all), all_cases);
  // A later round finds an unknown failure in a variant whose row had expired until then.
  const Judgement later = in_rounds(of_two, {compare_something, failing_in("two", "new"), failing_in("two", "old")},
                                    {known("two", "", "old")});
  EXPECT_EQ(later.verdict, Verdict::failed);
  ASSERT_EQ(later.findings.size(), 1u);
  EXPECT_EQ(later.findings[0].details, "new");
}

Body refusing(const std::string& words) {
  return [=](Case&) { throw Refused(words); };
}

TEST(RoundsOfRefusals, AreCountedAndKeepTheFirstWords) {
  const Judgement all = in_rounds(of_two, {compare_something, refusing("a"), refusing("b")});
  EXPECT_EQ(all.verdict, Verdict::passed) << all.reason;
  EXPECT_EQ(all.refused_cases, 2 * all_cases);
  EXPECT_EQ(all.first_refusal, "a");
}

TEST(RoundsOfRefusals, AreMistrustedUntilSomethingIsCompared) {
  const Judgement none = in_rounds(of_two, {refusing("a"), refusing("b")});
  EXPECT_EQ(none.verdict, Verdict::mistrusted);
  EXPECT_EQ(none.reason, "the subject refuses every case: a");
  const Judgement some = in_rounds(of_two, {refusing("a"), refusing("b"), compare_something});
  EXPECT_EQ(some.verdict, Verdict::passed) << some.reason;
}

TEST(RoundsOfRefusals, ExcuseNoneThatComparedNothing) {
  Property property = of_two;
  property.on_refusal = OnRefusal::allowed;
  const Body compares_nothing = [](Case&) {};
  EXPECT_EQ(in_rounds(property, {refusing("a"), refusing("b")}).verdict, Verdict::skipped);
  EXPECT_EQ(in_rounds(property, {refusing("a"), compares_nothing}).verdict, Verdict::mistrusted);
  EXPECT_EQ(in_rounds(property, {compares_nothing, refusing("a")}).verdict, Verdict::mistrusted);
}

TEST(RoundsOfRefusals, MeetNoClassOfTheirProblems) {
  Property property = property_with(compare_something, {&with_padding});
  property.sampling.fixed = {problem_with("--n=8"), problem_with("--n=9")};
  const auto whole_tiles = [](Case& c) {
    if (c.problem.n % 8 == 0) compare_something(c);
  };
  const auto no_partial_tiles = [&](Case& c) {
    if (c.problem.n % 8 != 0) throw Refused("no");
    compare_something(c);
  };
  EXPECT_EQ(in_rounds(property, {whole_tiles, whole_tiles}).reason, "never met: padding");
  const std::string refused = "never met: padding (but where the subject refuses)";
  EXPECT_EQ(in_rounds(property, {no_partial_tiles, whole_tiles}).reason, refused);
  EXPECT_EQ(in_rounds(property, {whole_tiles, no_partial_tiles}).reason, refused);
}

TEST(RoundsOfWhatIsUnavailable, AreSkippedUntilSomethingIsCompared) {
  const Body unavailable = [](Case&) { throw Unavailable("no device"); };
  const Judgement none = in_rounds(of_two, {unavailable, unavailable});
  EXPECT_EQ(none.verdict, Verdict::skipped);
  EXPECT_EQ(none.reason, "no device");
  for (const auto& bodies : {std::vector<Body>{unavailable, compare_something}, {compare_something, unavailable}}) {
    const Judgement some = in_rounds(of_two, bodies);
    EXPECT_EQ(some.verdict, Verdict::passed) << some.reason;
    EXPECT_EQ(some.unavailable.begin()->second, "no device");
  }
}

}  // namespace

}  // namespace tileproof
