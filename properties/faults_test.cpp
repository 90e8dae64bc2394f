// The harness judged: every fault of the table is found by every claim that says it finds it, and its correct twin
// passes all.
#include "faults.h"

#include <gtest/gtest.h>

#include "generator.h"
#include "judge.h"

namespace tileproof {

namespace {

Judgement judged(const std::string& claim, const std::string& subject) {
  const SubjectRow& row = subject_row(subject);
  const MadeSubject made = row.make();
  return judge(claim_of(claim), row, *made.subject, {.cases = 100, .seed = 1});
}

class FaultIsFound : public testing::TestWithParam<std::string> {};

std::vector<std::string> names_of_faults() {
  std::vector<std::string> names;
  for (const Fault& fault : faults()) names.push_back(fault.name);
  return names;
}

std::string identifier_of(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& letter : name) letter = letter == '-' || letter == '/' ? '_' : letter;
  return name;
}

TEST_P(FaultIsFound, ByEveryClaimThatSaysSo) {
  for (const Fault& fault : faults()) {
    if (fault.name != GetParam()) continue;
    for (const std::string& claim : fault.found_by) {
      const Judgement judgement = judged(claim, "faulty:" + fault.name);
      EXPECT_EQ(judgement.verdict, Verdict::failed) << claim;
      ASSERT_FALSE(judgement.findings.empty()) << claim;
      EXPECT_LE(judgement.findings.at(0).problem.n * judgement.findings.at(0).problem.k, 4096)
          << "not shrunk: " << line_of(judgement.findings.at(0).problem);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, FaultIsFound, testing::ValuesIn(names_of_faults()), identifier_of);

class TwinPasses : public testing::TestWithParam<std::string> {};

std::vector<std::string> names_of_claims() {
  std::vector<std::string> names;
  for (const Claim& claim : claims()) {
    std::string why_not;
    domains_of(claim, kernel_envelope(), &why_not);
    if (why_not.empty()) names.push_back(claim.name);
  }
  return names;
}

TEST_P(TwinPasses, TheClaim) { EXPECT_EQ(judged(GetParam(), "faulty:nothing").verdict, Verdict::passed); }

INSTANTIATE_TEST_SUITE_P(Faults, TwinPasses, testing::ValuesIn(names_of_claims()), identifier_of);

}  // namespace

}  // namespace tileproof
