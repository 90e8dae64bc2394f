// Tests of the texts about proofs.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "reports/records/records_for_tests.h"
#include "reports/reports.h"

namespace tileproof::reports {

namespace {

/// A proof without a finding, and so without a replay command.
json proof_record(const std::string& verdict, std::uint64_t done = std::uint64_t{1} << 36,
                  const std::string& reason = "") {
  json one = proof(verdict, done, std::uint64_t{1} << 36);
  one["reason"] = reason;
  return one;
}

json run_of(const std::vector<json>& all, int exit_code = 0) {
  json run = proofs(all);
  run["exit_code"] = exit_code;
  return run;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

TEST(ProofLines, GroupTheDigitsOfNumbers) {
  expect_says(proof_line(proof_record("PROVED"), false), "all 68,719,476,736 triples");
  expect_says(proof_line(proof_record("SAMPLED", 1000, "x"), false), "1,000 of 68,719,476,736 triples");
  expect_says(proof_line(proof_record("SAMPLED", 999, "x"), false), "           999 of ");
  expect_says(proof_line(proof_record("SAMPLED", 123456, "x"), false), "           123,456 of ");
}

TEST(ProofLines, CallNothingProvedButWhatHasThatVerdict) {
  expect_says(proof_line(proof_record("PROVED"), false), "PROVED     host  arithmetic/rounds_once");
  for (const char* verdict : {"SAMPLED", "FAILED", "MISTRUSTED", "SKIPPED"}) {
    const json other = proof_record(verdict, std::uint64_t{1} << 36, "of some reason");  // all points are done
    for (const bool colours : {false, true}) {
      expect_says_not(lower(proof_line(other, colours)), "proved");
      expect_says_not(lower(proofs_end(run_of({other}), colours)), "proved");
    }
    expect_says(proof_line(other, false), verdict);
    expect_says_not(lower(proofs_plan(run_of({other}))), "proved");
    expect_says_not(lower(proofs_markdown(run_of({other}))), "proved");
  }
  expect_says(proof_line(proof_record("SAMPLED", 5, "the budget was used up"), false),
              "lying all over the domain: the budget was used up");
}

TEST(ProofLines, ColourTheVerdictAlone) {
  const std::string plain = proof_line(proof_record("PROVED"), false);
  expect_says_not(plain, "\033");
  expect_says(proof_line(proof_record("PROVED"), true), "\033[32mPROVED    \033[0m");
  expect_says(proof_line(proof_record("FAILED"), true), "\033[31mFAILED    \033[0m");
  expect_says(proof_line(proof_record("MISTRUSTED"), true), "\033[31mMISTRUSTED\033[0m");
}

TEST(ProofLines, SayHowToReplayAndShowHostileTextHarmless) {
  json failed = proof_record("FAILED", 17);
  failed["finding"] = {{"kind", "mismatch"},
                       {"details", "\033[2J\033[32mPASSED\033[0m\r\n\xe2\x80\xaereversed\xff"},
                       {"problem", "--property=x --seed=0x1"},
                       {"replay", {"--property=x", "--seed=0x1", "a b", "\033]0;"}}};
  failed["subject"] = "host\033[1A";
  failed["measures"] = {{{"name", "worst\033[8m"}, {"value", 0.25}, {"where", "row 1\033[0m"}}};
  failed["explained"] = {{"because\033[5m", 1234}};
  const std::string text = proof_line(failed, false);
  for (const char letter : text) EXPECT_TRUE(letter == '\n' || static_cast<unsigned char>(letter) >= 0x20) << text;
  expect_says(text, "\\x1b[2J\\x1b[32mPASSED\\x1b[0m\\x0d\n");
  expect_says(text, "\\x202ereversed");
  expect_says(text, "host\\x1b[1A");
  expect_says(text, "explained: 1,234 because\\x1b[5m");
  expect_says(text, "worst\\x1b[8m: 0.25 at row 1\\x1b[0m");
  expect_says(text, "  ./tileproof replay --property=x --seed=0x1 'a b' ");
}

TEST(ProofPlans, SayHowLongAndWhetherTheBudgetSuffices) {
  const std::string plan = proofs_plan(run_of({proof_record("SAMPLED")}));
  expect_says(plan, "68,719,476,736 triples, about 67 min");
  expect_says(plan, "all of it takes about 67 min here; the budget is 30 min, so that some of it will be a sample");
  json without = proof_record("SAMPLED");
  without["estimated_seconds"] = nullptr;
  const std::string part = proofs_plan(run_of({proof_record("SAMPLED"), without}));
  expect_says(part, "68,719,476,736 triples, not estimated\n");
  expect_says(part, "what is estimated takes about 67 min here, without the 1 that were not estimated; the");
  json failing = proof_record("SAMPLED");
  failing["finding"] = {{"kind", "mismatch"}};
  expect_says(proofs_plan(run_of({failing})), "68,719,476,736 triples, fails\n");
  json unlimited = run_of({proof_record("SAMPLED")});
  unlimited["budget_seconds"] = 0;
  expect_says(proofs_plan(unlimited), "the budget is not limited");
  expect_says_not(proofs_plan(unlimited), "will be a sample");
}

TEST(ProofEnds, CountVerdictsAndSayWhetherTheRunIsRed) {
  const std::vector<json> proofs = {proof_record("SAMPLED"), proof_record("PROVED"), proof_record("PROVED"),
                                    proof_record("SKIPPED")};
  EXPECT_EQ(proofs_end(run_of(proofs), false), "\nSAMPLED: 2 PROVED, 1 SAMPLED, 1 SKIPPED in 12 s\n");
  expect_says(proofs_end(run_of({proof_record("PROVED"), proof_record("SKIPPED")}), false),
              "\nDONE: 1 PROVED, 1 SKIPPED");
  expect_says(proofs_end(run_of({proof_record("PROVED")}), false), "\nPROVED: 1 PROVED");
  expect_says(proofs_end(run_of({}), false), "\nDONE in 12 s");
  expect_says(proofs_end(run_of(proofs, 1), false), "\nFAILED: ");
  expect_says(proofs_end(run_of(proofs, 3), false), "\nMISTRUSTED: ");
  expect_says(proofs_end(run_of({}, 3), false), "\nMISTRUSTED in 12 s");
}

TEST(ProofTables, HaveFiveCellsWhateverTheTextSays) {
  json hostile = proof_record("SAMPLED", 1, "a | b\n| PROVED | `x` <img src=x> | @somebody");
  hostile["subject"] = "sub|ject";
  hostile["property"] = "c|laim\n";
  json run = run_of({proof_record("PROVED"), hostile});
  run["command"] = "prove --out 'a`|\n# PROVED'";
  const std::string text = proofs_markdown(run);
  std::istringstream lines(text);
  int rows = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| ") && !line.starts_with("|-")) continue;
    ++rows;
    EXPECT_EQ(std::count(line.begin(), line.end(), '|'), 6) << line;
  }
  EXPECT_EQ(rows, 4) << text;
  expect_says_not(text, "<img");
  expect_says_not(text, "`");
  EXPECT_EQ(text.find("\n# ", 1), std::string::npos) << text;
}

TEST(ProofTables, SayWhatTheRunAndASanitizerCameTo) {
  json run = run_of({}, 3);
  run["reason"] = "a sanitizer has shown nothing";
  run["sanitizers"] = {{{"tool", "memcheck"}, {"verdict", "SKIPPED"}, {"reason", "no compute-sanitizer on PATH"}}};
  const std::string text = proofs_markdown(run);
  expect_says(text, "MISTRUSTED in 12 s; a sanitizer has shown nothing");
  expect_says(text, "| SKIPPED | | <code>sanitizers/memcheck</code> | <code>no compute-sanitizer on PATH</code> | |");
}

}  // namespace

}  // namespace tileproof::reports
