// A part of what `tileproof prove self` checks in full. mutants_test.cpp runs every mutant against all of its
// properties.
#include "properties/selftest/selftest.h"

#include <gtest/gtest.h>

#include <cctype>
#include <limits>
#include <set>

#include "properties/judging/properties_for_tests.h"
#include "properties/selftest/peers.h"

namespace tileproof {

namespace {

const SelfProof& proof_named(const std::string& name) {
  static const std::vector<SelfProof> proofs = self_proofs();
  for (const SelfProof& proof : proofs) {
    if (proof.name == name) return proof;
  }
  throw UsageError("proof", name, "a name of self_proofs()");
}

std::vector<std::string> names_of_steps(const std::string& proof) {
  std::vector<std::string> names;
  for (const SelfStep& step : proof_named(proof).steps) names.push_back(step.name);
  return names;
}

void expect_held(const std::string& proof, const std::string& name) {
  for (const SelfStep& step : proof_named(proof).steps) {
    if (step.name != name) continue;
    const SelfResult result = run_step(step, {.cases = 100, .seed = 1});
    EXPECT_EQ(result.verdict, SelfVerdict::held) << result.said << "\n" << result.details;
    EXPECT_FALSE(result.said.empty());
    EXPECT_FALSE(result.fields.empty());
  }
}

class Starved : public testing::TestWithParam<std::string> {};
TEST_P(Starved, ComesOutAsWanted) { expect_held("starved", GetParam()); }
INSTANTIATE_TEST_SUITE_P(Properties, Starved, testing::ValuesIn(names_of_steps("starved")), identifier_of_parameter);

class Control : public testing::TestWithParam<std::string> {};
TEST_P(Control, Passes) { expect_held("control", GetParam()); }
INSTANTIATE_TEST_SUITE_P(Properties, Control, testing::ValuesIn(names_of_steps("control")), identifier_of_parameter);

TEST(Score, NamesTheCaseTheKindAndTheSmallestProblem) {
  const MutantScore score = score_of(mutant_of("two-roundings"), finds::float_value, {.cases = 100, .seed = 1});
  EXPECT_EQ(score.verdict, SelfVerdict::held);
  EXPECT_GE(score.cases_until_found, 1);
  EXPECT_EQ(score.kind, "mismatch");
  EXPECT_EQ(problem_of(score.problem).subject, "mutant:two-roundings");
  EXPECT_GE(score.seconds_until_found, 0);
}

TEST(Score, IsBrokenWhereAPropertyDoesNotFindTheMutant) {
  // A property about pack cannot find a mutant of dequantize.
  const MutantScore score = score_of(mutant_of("two-roundings"), finds::pack_index, {.cases = 50, .seed = 1});
  EXPECT_EQ(score.verdict, SelfVerdict::broken);
  EXPECT_EQ(score.details, "PASSED ");
}

TEST(Score, IsBrokenWhereTheMutantIsFoundAsAnotherKindOfFailure) {
  Mutant otherwise = mutant_of("two-roundings");
  otherwise.kind = "guard";
  const MutantScore score = score_of(otherwise, finds::float_value, {.cases = 50, .seed = 1});
  EXPECT_EQ(score.verdict, SelfVerdict::broken);
  EXPECT_NE(score.details.find("found as mismatch, not as guard"), std::string::npos) << score.details;
}

TEST(Steps, ThatEndInAnErrorAreBroken) {
  const SelfStep step = {"throws", [](const SelfEffort&) -> SelfResult { throw std::runtime_error("no"); }};
  const SelfResult result = run_step(step, {});
  EXPECT_EQ(result.verdict, SelfVerdict::broken);
  EXPECT_EQ(result.details, "no");
}

TEST(Steps, HaveNamesOfTheirOwnAndFieldsToo) {
  for (const SelfProof& proof : self_proofs()) {
    std::set<std::string> names;
    for (const SelfStep& step : proof.steps) EXPECT_TRUE(names.insert(step.name).second) << proof.name << step.name;
    EXPECT_FALSE(names.empty()) << proof.name;
    EXPECT_NE(proof.summary({}), "") << proof.name;
  }
}

TEST(Tally, NamesWhatWasBegunAndCountsWhatWasNot) {
  const auto result = [](const char* name, SelfVerdict verdict, const char* details) {
    SelfResult one;
    one.name = name;
    one.verdict = verdict;
    one.details = details;
    one.fields = {{"property", std::string(name)}};
    return one;
  };
  const std::vector<SelfResult> results = {result("a", SelfVerdict::held, ""),
                                           result("b", SelfVerdict::broken, "why"),
                                           result("c", SelfVerdict::not_shown, "cut off"),
                                           {},
                                           {}};
  EXPECT_EQ(tally(results, "properties", "passed"),
            "1 of 5 properties passed\n  BROKEN b: why\n  NOT SHOWN c: cut off\n  NOT SHOWN 2 properties: not begun");
  // A mutant whose pairs were not begun is none that was found.
  const SelfProof& mutants = proof_named("mutants");
  EXPECT_TRUE(mutants.summary(std::vector<SelfResult>(mutants.steps.size()))
                  .starts_with("0 of " + std::to_string(::tileproof::mutants().size()) + " mutants "))
      << mutants.summary({});
}

// --- The peers' criteria

Rejections rejections_of(const std::string& mutant, const PeerShape& shape) {
  Peers peers({&mutant_of(mutant)}, 1, 2);
  EXPECT_TRUE(peers.judge(shape));
  EXPECT_EQ(peers.rejections_of_control(), Rejections(peer_criteria().size(), false));
  return peers.rejections_of(0);
}

const PeerShape small = {256, 512, tinygemm(4), 64};

TEST(PeerCriteria, HaveNamesAndSources) {
  for (const PeerCriterion& criterion : peer_criteria()) {
    EXPECT_FALSE(criterion.name.empty() || criterion.what.empty() || criterion.source.empty());
  }
}

TEST(PeerCriteria, AcceptWhatIsRightAndRejectNaN) {
  ErrorSums right;
  right.sum_of_identity = right.squares_of_identity = 1;
  ErrorSums nan = right;
  nan.all_close = nan.codes_come_back = false;
  for (double* value :
       {&nan.largest_from_identity, &nan.largest_from_eager, &nan.sum_of_errors, &nan.squares_of_errors})
    *value = std::numeric_limits<double>::quiet_NaN();
  for (const PeerCriterion& criterion : peer_criteria()) {
    EXPECT_TRUE(criterion.accepts(right)) << criterion.name;
    EXPECT_FALSE(criterion.accepts(nan)) << criterion.name;
  }
}

TEST(PeerCriteria, FindWhatIsGrosslyWrong) {
  EXPECT_EQ(rejections_of("midpoint-seven", small), (Rejections{true, true, true, true, true, false}));
  EXPECT_EQ(rejections_of("pairs-swapped", small), Rejections(6, true));
  EXPECT_TRUE(rejections_of("unpack-gives-signed-codes", small)[5]);
  for (const char* mutant : {"nothing-written", "weights-added-to-the-output"}) {
    EXPECT_EQ(rejections_of(mutant, small), (Rejections{true, true, true, true, true, false})) << mutant;
  }
}

TEST(PeerCriteria, MissWhatTheirDataNeverShow) {
  for (const char* mutant : {"minus-zero-lost", "subnormals-flushed", "groups-modulo-group-size", "fp16-as-bf16",
                             "zero-points-unsigned", "last-tile-skipped", "one-triple"}) {
    EXPECT_EQ(rejections_of(mutant, small), Rejections(6, false)) << mutant;
  }
}

TEST(PeerCriteria, FindARoundingTooManyWhereTheyCompareExactlyAndInNorm) {
  // Rounding twice changes 14 % of the weights, each by one part in 128 to 256: 0.002 in norm, and less than 0.001 in
  // the mean.
  EXPECT_EQ(rejections_of("two-roundings", small), (Rejections{true, false, false, true, true, false}));
}

TEST(PeerCriteria, SeeStateThatAnEarlierTestLeft) {
  EXPECT_TRUE(rejections_of("cached-result", small)[4]);
  EXPECT_TRUE(rejections_of("unpack-cached", small)[5]);
}

TEST(PeerCriteria, AreNotAllAskedWhereTheBudgetEnds) {
  Peers peers({&mutant_of("midpoint-seven")}, 1, 2);
  EXPECT_FALSE(peers.judge(small, [] { return true; }));
  EXPECT_EQ(peers.rejections_of(0), Rejections(6, false));
  EXPECT_EQ(result_of(peers, false).verdict, SelfVerdict::not_shown);
}

TEST(PeerCriteria, HoldOnceAllSubjectsWereJudgedAndTheControlWasNotRejected) {
  Peers peers({&mutant_of("midpoint-seven")}, 1, 2);
  const bool complete = peers.judge(small);
  const SelfResult result = result_of(peers, complete);
  EXPECT_EQ(result.verdict, SelfVerdict::held) << result.details;
  EXPECT_NE(result.said, "");
}

}  // namespace

}  // namespace tileproof
