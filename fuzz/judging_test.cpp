// Judging by several threads: who takes what, in which order it is written, and who is blamed.
#include "judging.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "../properties/claims_for_tests.h"

namespace tileproof {

namespace {

TEST(InThreads, EachIsTakenOnceAndByNoMoreThreadsThanThereAre) {
  for (const std::size_t threads : {1, 2, 5, 40}) {
    std::vector<std::atomic<int>> taken(20);
    std::atomic<std::size_t> most = 0;
    in_threads(threads, taken.size(), [&](std::size_t thread, std::size_t i) {
      ++taken[i];
      for (std::size_t seen = most; seen < thread && !most.compare_exchange_weak(seen, thread);) {
      }
    });
    for (const std::atomic<int>& one : taken) EXPECT_EQ(one, 1);
    EXPECT_LT(most, std::min<std::size_t>(threads, taken.size()));
  }
}

TEST(InThreads, WhatOneThrowsEndsTheTakingAndIsThrown) {
  for (const std::size_t threads : {1, 3}) {
    std::atomic<int> taken = 0;
    const auto work = [&](std::size_t, std::size_t i) {
      ++taken;
      if (i >= 5) throw std::runtime_error(std::to_string(i));
    };
    try {
      in_threads(threads, 1000, work);
      ADD_FAILURE() << "threw nothing";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "5");
    }
    EXPECT_LE(taken, 5 + static_cast<int>(threads));
  }
}

TEST(InOrder, WritersAreWrittenInTheirOrderHoweverTheyEnd) {
  std::string text;
  InOrder in_order(4, [&](const std::string& more) { text += more; });
  in_order.add(1, "b");
  in_order.add(0, "a");
  EXPECT_EQ(text, "a") << "the first need not wait";
  in_order.end(2);
  in_order.add(1, "B");
  in_order.add(3, "d");
  in_order.add(0, "A");
  in_order.end(1);
  EXPECT_EQ(text, "aA");
  in_order.end(0);
  EXPECT_EQ(text, "aAbBd");
  in_order.add(3, "D");
  in_order.end(3);
  EXPECT_EQ(text, "aAbBdD");
}

TEST(DearFirst, AreTheClaimsOfFixedProblems) {
  const Claim drawn = claim_with(compare_something);
  const Claim fixed = claim_with(compare_something, {}, {.fixed = {Problem()}});
  EXPECT_EQ(dear_first({&drawn, &fixed, &drawn, &fixed}), (std::vector<std::size_t>{1, 3, 0, 2}));
}

// --- Who is blamed

Claim named(const std::string& name) {
  Claim claim = claim_with(nullptr);
  claim.name = "test/" + name;
  return claim;
}

/// Says of each case what it is told to.
class Scripted : public CaseRunner {
 public:
  using Script = std::function<CaseOutcome(const Claim&, const Problem&)>;
  explicit Scripted(const Script& script) : script_(script) {}
  CaseOutcome run(const Claim& claim, const Problem& problem, Met& met) override {
    met.expected_value(1);
    met.expected_value(2);
    return script_(claim, problem);
  }

 private:
  Script script_;
};

CaseOutcome found(const Problem& problem, const std::string& kind, bool device_lost = false) {
  return {.finding = Finding{problem, kind, "as it was"}, .device_lost = device_lost};
}

struct Told {
  RoundResult result;
  std::vector<std::string> lines;  // the claims of the records
  std::set<std::string> begun;
};

Told judged_by(std::size_t jobs, const std::vector<Claim>& claims, const Scripted::Script& here,
               const Scripted::Script& apart) {
  const SubjectRow row = row_with(kernel_envelope());
  std::vector<const Claim*> pointers;
  for (const Claim& claim : claims) pointers.push_back(&claim);
  Told told;
  Round round = {row, pointers, {.cases = 20}, jobs};
  round.runner = [&] { return std::make_unique<Scripted>(here); };
  round.apart = [&]() -> std::unique_ptr<CaseRunner> {
    if (!apart) throw std::runtime_error("no process can be had");
    return std::make_unique<Scripted>(apart);
  };
  round.begins = [&](const Claim& claim) { told.begun.insert(claim.name); };
  round.ends = [](const Judgement&) {};
  round.records = [&](const std::string& lines) {
    for (const char letter : lines) told.lines.push_back(std::string(1, letter));
  };
  round.line = [](const Observation& one) { return one.problem.claim.substr(5); };
  told.result = judged(round);
  return told;
}

const Judgement& judgement_of(const Told& told, std::size_t i) { return told.result.claims.at(i).judgement.value(); }

const std::vector<Claim> four = {named("a"), named("b"), named("c"), named("d")};

/// In this process: b loses the device. With more jobs than one, a runs until it has.
Scripted::Script lost_by_b(std::size_t jobs, std::shared_ptr<std::atomic<bool>> lost) {
  return [jobs, lost](const Claim& claim, const Problem& problem) -> CaseOutcome {
    while (claim.name == "test/a" && jobs > 1 && !*lost) std::this_thread::yield();
    if (claim.name == "test/b") *lost = true;
    return *lost ? found(problem, "error", /*device_lost=*/true) : CaseOutcome();
  };
}

CaseOutcome passes(const Claim&, const Problem&) { return {}; }
CaseOutcome b_fails(const Claim& claim, const Problem& problem) {
  return claim.name == "test/b" ? found(problem, "error") : CaseOutcome();
}

TEST(ALostDevice, IsBlamedOnTheClaimThatLosesItAlone) {
  for (const std::size_t jobs : {1, 2, 4}) {
    SCOPED_TRACE(jobs);
    const Told told = judged_by(jobs, four, lost_by_b(jobs, std::make_shared<std::atomic<bool>>(false)), b_fails);
    EXPECT_TRUE(told.result.device_lost);
    for (const std::size_t i : {0, 1, 2, 3}) {
      EXPECT_EQ(judgement_of(told, i).verdict, i == 1 ? Verdict::failed : Verdict::passed) << i;
      EXPECT_FALSE(judgement_of(told, i).device_lost);
      EXPECT_EQ(judgement_of(told, i).cases, i == 1 ? 1 : 20);
    }
    EXPECT_EQ(judgement_of(told, 1).findings.at(0).details, "as it was");
  }
}

TEST(ALostDevice, ThatNobodyLosesAloneDoesNotVanish) {
  const Told told = judged_by(2, four, lost_by_b(2, std::make_shared<std::atomic<bool>>(false)), passes);
  EXPECT_EQ(judgement_of(told, 0).verdict, Verdict::failed);
  EXPECT_SAYS(judgement_of(told, 0).findings.at(0).details, "it was not lost when the claim was judged again");
  for (const std::size_t i : {1, 2, 3}) EXPECT_EQ(judgement_of(told, i).verdict, Verdict::passed) << i;
}

TEST(ALostDevice, WithNoOtherProcessIsTheFirstClaimsThatReportedItAndTheOthersAreNotRun) {
  for (const std::size_t jobs : {1, 2}) {
    const Told told = judged_by(jobs, four, lost_by_b(jobs, std::make_shared<std::atomic<bool>>(false)), nullptr);
    const std::size_t first = jobs == 1 ? 1 : 0;
    EXPECT_EQ(judgement_of(told, first).findings.at(0).details, "as it was");
    for (std::size_t i = first + 1; i < 4; ++i) {
      EXPECT_FALSE(told.result.claims[i].judgement);
      EXPECT_EQ(told.result.claims[i].not_run, "not run: the device was lost, and then no process can be had");
    }
  }
}

TEST(AFinding, OfAClaimThatFailsBesideOthersOnlySaysSo) {
  // a fails while b runs, and b while a does.
  const auto beside = std::make_shared<std::atomic<int>>(0);
  const Told told = judged_by(
      2, {four[0], four[1]},
      [beside](const Claim& claim, const Problem& problem) -> CaseOutcome {
        if (*beside >= 2) return {};
        ++*beside;
        while (*beside < 2) std::this_thread::yield();
        return claim.name == "test/a" ? found(problem, "guard") : CaseOutcome();
      },
      nullptr);
  EXPECT_EQ(judgement_of(told, 0).verdict, Verdict::failed);
  EXPECT_SAYS(judgement_of(told, 0).findings.at(0).details, "what ran beside it had its part");
  EXPECT_EQ(judgement_of(told, 1).verdict, Verdict::passed);
}

TEST(AFinding, ThatNeedsTheCasesBeforeItIsTheSameHoweverManyJudge) {
  // Fails in the eleventh case of a runner: not as a case of its own, but in the claim's order.
  std::vector<Told> by_jobs;
  for (const std::size_t jobs : {1, 3}) {
    const SubjectRow row = row_with(kernel_envelope());
    std::vector<const Claim*> claims;
    for (const Claim& claim : four) claims.push_back(&claim);
    Round round = {row, claims, {.cases = 20}, jobs};
    round.runner = [] {
      return std::make_unique<Scripted>([calls = 0](const Claim&, const Problem& problem) mutable {
        return ++calls == 11 ? found(problem, "mismatch") : CaseOutcome();
      });
    };
    round.begins = [](const Claim&) {};
    round.ends = [](const Judgement&) {};
    round.records = [](const std::string&) {};
    round.line = [](const Observation&) { return ""; };
    by_jobs.push_back({judged(round), {}, {}});
  }
  for (std::size_t i = 0; i < four.size(); ++i) {
    const Finding& one = judgement_of(by_jobs[0], i).findings.at(0);
    const Finding& other = judgement_of(by_jobs[1], i).findings.at(0);
    EXPECT_EQ(one.problem, other.problem);
    EXPECT_EQ(one.details, other.details);
    EXPECT_EQ(judgement_of(by_jobs[1], i).cases, 11);
  }
}

TEST(Records, AreInTheOrderOfTheClaimsHoweverManyJudge) {
  for (const std::size_t jobs : {1, 4}) {
    const Told told = judged_by(
        jobs, four,
        [](const Claim& claim, const Problem&) -> CaseOutcome {
          if (claim.name < "test/c") std::this_thread::sleep_for(std::chrono::microseconds(200));
          return {};
        },
        nullptr);
    ASSERT_EQ(told.lines.size(), 4 * 20u);
    EXPECT_TRUE(std::is_sorted(told.lines.begin(), told.lines.end()));
    EXPECT_EQ(told.begun.size(), 4u);
  }
}

}  // namespace

}  // namespace tileproof
