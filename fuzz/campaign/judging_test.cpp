// Tests judging by several threads: who takes what, in which order it is written, and what is found.
#include "fuzz/campaign/judging.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "fuzz/process/in_threads.h"
#include "properties/judging/properties_for_tests.h"

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

TEST(DearFirst, AreThePropertiesOfFixedProblems) {
  const Property drawn = property_with(compare_something);
  const Property fixed = property_with(compare_something, {}, {.fixed = {Problem()}});
  EXPECT_EQ(dear_first({&drawn, &fixed, &drawn, &fixed}), (std::vector<std::size_t>{1, 3, 0, 2}));
}

// --- What is told

Property named(const std::string& name) {
  Property property = property_with(nullptr);
  property.name = "test/" + name;
  return property;
}

/// A runner whose outcomes come from a script.
class Scripted : public CaseRunner {
 public:
  using Script = std::function<CaseOutcome(const Property&, const Problem&)>;
  explicit Scripted(const Script& script) : script_(script) {}
  CaseOutcome run(const Property& property, const Problem& problem, Coverage& coverage) override {
    coverage.expected_value(1);
    coverage.expected_value(2);
    return script_(property, problem);
  }

 private:
  Script script_;
};

CaseOutcome found(const Problem& problem, const std::string& kind) {
  return {.finding = Finding{problem, kind, "as it was"}};
}

struct Told {
  std::vector<Judged> result;
  std::vector<std::string> lines;  // property of each record line
  std::set<std::string> begun;
};

Told judged_by(std::size_t jobs, const std::vector<Property>& properties, const Scripted::Script& script) {
  const SubjectRow row = row_with(kernel_capabilities());
  std::vector<const Property*> pointers;
  for (const Property& property : properties) pointers.push_back(&property);
  Told told;
  Round round = {row, pointers, {.cases = 20}, jobs};
  round.runner = [&] { return std::make_unique<Scripted>(script); };
  round.begins = [&](const Property& property) { told.begun.insert(property.name); };
  round.ends = [](const Judgement&) {};
  round.records = [&](const std::string& lines) {
    for (const char letter : lines) told.lines.push_back(std::string(1, letter));
  };
  round.line = [](const Observation& one) { return one.problem.property.substr(5); };
  told.result = judged(round);
  return told;
}

const Judgement& judgement_of(const Told& told, std::size_t i) { return told.result.at(i).judgement.value(); }

const std::vector<Property> four = {named("a"), named("b"), named("c"), named("d")};

TEST(Patience, IsEveryPropertiesOwnHoweverManyJudge) {
  for (const std::size_t jobs : {1, 4}) {
    SCOPED_TRACE(jobs);
    const Told told = judged_by(jobs, four, [](const Property&, const Problem& problem) -> CaseOutcome {
      CaseOutcome outcome = found(problem, "hang");
      outcome.process_lost = outcome.was_hang = true;
      return outcome;
    });
    for (std::size_t i = 0; i < four.size(); ++i) {
      const Finding& finding = judgement_of(told, i).findings.at(0);
      EXPECT_EQ(finding.kind, "hang");
      EXPECT_EQ(finding.shrinks, 2) << "three hangs are what a property may cost";
    }
  }
}

TEST(Judging, SaysWhyAPropertyWasNotRunWhereNoProcessCanBeHad) {
  const Told told = judged_by(1, four, [](const Property& property, const Problem&) -> CaseOutcome {
    if (property.name == "test/b") throw std::runtime_error("no process can be had");
    return {};
  });
  EXPECT_EQ(judgement_of(told, 0).verdict, Verdict::passed);
  for (const std::size_t i : {1, 2, 3}) {
    EXPECT_FALSE(told.result[i].judgement);
    EXPECT_EQ(told.result[i].not_run, "not run: no process can be had");
  }
}

TEST(AFinding, ThatNeedsTheCasesBeforeItIsTheSameHoweverManyJudge) {
  // The runner fails in its eleventh case, so the finding needs the property's cases in order and does not fail alone.
  std::vector<Told> by_jobs;
  for (const std::size_t jobs : {1, 3}) {
    const SubjectRow row = row_with(kernel_capabilities());
    std::vector<const Property*> properties;
    for (const Property& property : four) properties.push_back(&property);
    Round round = {row, properties, {.cases = 20}, jobs};
    round.runner = [] {
      return std::make_unique<Scripted>([calls = 0](const Property&, const Problem& problem) mutable {
        return ++calls == 11 ? found(problem, "mismatch") : CaseOutcome();
      });
    };
    round.begins = [](const Property&) {};
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

TEST(Records, AreInTheOrderOfThePropertiesHoweverManyJudge) {
  for (const std::size_t jobs : {1, 4}) {
    const Told told = judged_by(jobs, four, [](const Property& property, const Problem&) -> CaseOutcome {
      if (property.name < "test/c") std::this_thread::sleep_for(std::chrono::microseconds(200));
      return {};
    });
    ASSERT_EQ(told.lines.size(), 4 * 20u);
    EXPECT_TRUE(std::is_sorted(told.lines.begin(), told.lines.end()));
    EXPECT_EQ(told.begun.size(), 4u);
  }
}

}  // namespace

}  // namespace tileproof
