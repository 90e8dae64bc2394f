// Every property that claims to find a mutant finds it, and shrinks it. The correct control is judged in
// selftest_test.cpp.
#include "properties/mutants/mutants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "properties/case/sample_space.h"
#include "properties/catalogue/properties.h"
#include "properties/judging/judge.h"
#include "properties/judging/properties_for_tests.h"
#include "properties/registry.h"

namespace tileproof {

namespace {

Judgement judged(const Property& property, const SubjectRow& row, std::int64_t cases,
                 const Observer& observer = nullptr) {
  const MadeSubject made = row.make();
  return judge(property, row, *made.subject, {.cases = cases, .seed = 1}, observer);
}

TEST(MutantTable, HasRowsOfDifferentNames) {
  std::set<std::string> names;
  for (const Mutant& mutant : mutants()) EXPECT_TRUE(names.insert(mutant.name).second) << mutant.name;
  EXPECT_GE(names.size(), 60u);
}

TEST(MutantTable, SaysOfEveryMutantWhichPropertyMustFindItAndHow) {
  for (const Mutant& mutant : mutants()) {
    EXPECT_NE(mutant.found_by.empty(), mutant.enumerated_by.empty()) << mutant.name;
    for (const std::string& property : mutant.found_by) EXPECT_NO_THROW(property_of(property)) << mutant.name;
    EXPECT_TRUE(mutant.kind == "mismatch" || mutant.kind == "guard") << mutant.name;
    EXPECT_EQ(&mutant_of(mutant.name), &mutant);
  }
  EXPECT_THROW(mutant_of("none of them"), UsageError);
}

TEST(MutantTable, KnowsWhichOperationsAMutantTouches) {
  // Operations that a mutant does not touch must not fail, on a sample of small problems.
  for (const Mutant& mutant : mutants()) {
    for (const Operation operation : kernel_operations) {
      if (mutant.parts.touches(operation)) continue;
      const std::string property = operation == Operation::pack     ? finds::pack_index
                                   : operation == Operation::unpack ? finds::unpack_index
                                                                    : finds::float_value;
      EXPECT_NE(judged(property_of(property), subject_row("mutant:" + mutant.name), 20).verdict, Verdict::failed)
          << mutant.name << property;
    }
  }
  EXPECT_FALSE(Mutation().touches(Operation::pack));
  EXPECT_TRUE(mutant_of("two-roundings").parts.touches(Operation::dequantize));
  for (const char* mutant : {"convert-swaps-lanes", "convert-leaves-padding", "convert-nibbles-reversed"}) {
    EXPECT_TRUE(mutant_of(mutant).parts.touches(Operation::convert)) << mutant;
  }
  EXPECT_FALSE(mutant_of("nibbles-in-order").parts.touches(Operation::convert));
}

/// A line whose expected and actual values are equal; "" if there is none.
std::string line_that_refutes_itself(const std::string& details) {
  std::istringstream lines(details);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t expected = line.find("expected "), got = line.find(", got ");
    if (expected == std::string::npos || got == std::string::npos) continue;
    const std::size_t begin = expected + std::string("expected ").size();
    std::string wanted = line.substr(begin, got - begin);
    for (const char* noun : {"code ", "digit "}) {
      if (wanted.starts_with(noun)) wanted = wanted.substr(std::string(noun).size());
    }
    const std::string found = line.substr(got + std::string(", got ").size());
    if (!found.starts_with(wanted)) continue;
    if (found == wanted || std::string(" ,;").find(found[wanted.size()]) != std::string::npos) return line;
  }
  return "";
}

TEST(Findings, RefuteThemselvesWhereTheLineSaysSo) {
  EXPECT_NE(line_that_refutes_itself("4 are wrong:\n  row 0, column 1: expected 0, got 0"), "");
  EXPECT_NE(line_that_refutes_itself("  row 0: expected code 7, got 7 in the word 0x77777777"), "");
  EXPECT_EQ(line_that_refutes_itself("  row 0: expected 1, got 15"), "");
  EXPECT_EQ(line_that_refutes_itself("  row 0: expected 0x3f80 (1), got 0x3f81 (1.00781)"), "");
}

class MutantIsFound : public testing::TestWithParam<std::string> {};

std::vector<std::string> names_of_mutants() {
  std::vector<std::string> names;
  for (const Mutant& mutant : mutants()) names.push_back(mutant.name);
  return names;
}

TEST_P(MutantIsFound, ByEveryPropertyThatSaysSo) {
  const Mutant& mutant = mutant_of(GetParam());
  for (const std::string& name : mutant.found_by) {
    const Property& property = property_of(name);
    const Judgement judgement = judged(property, subject_row("mutant:" + mutant.name), 100);
    EXPECT_EQ(judgement.verdict, Verdict::failed) << name;
    ASSERT_FALSE(judgement.findings.empty()) << name;
    const Finding& finding = judgement.findings.at(0);
    const std::string& wanted = name == mutant.found_by.front() ? mutant.kind : finding.kind;
    EXPECT_EQ(finding.kind, wanted) << name << "\n" << finding.details;
    EXPECT_EQ(line_that_refutes_itself(finding.details), "") << name << "\n" << finding.details;
    if (mutant.has_memory || property.sampling.is_fixed()) continue;
    // In a smaller problem another code or parameter is the one that changes, so a step may pass by chance.
    if (name.starts_with("sense/")) continue;
    EXPECT_LE(finding.problem.n * finding.problem.k, 8192) << "not shrunk: " << line_of(finding.problem);
  }
}

TEST_P(MutantIsFound, AndShrinksOnlyToSmallerProblemsThatFailAlike) {
  const Mutant& mutant = mutant_of(GetParam());
  if (mutant.found_by.empty()) return;
  const Property& property = property_of(mutant.found_by.front());
  if (property.sampling.is_fixed()) return;  // fixed problems are not shrunk
  std::string kind;
  std::int64_t elements = 0;  // of the first problem that failed
  std::set<std::int64_t> failing;
  std::int64_t tries = 0;
  const Judgement judgement = judged(property, subject_row("mutant:" + mutant.name), 100, [&](const Observation& seen) {
    tries += kind.empty() ? 0 : 1;
    if (seen.status != "failed") return;
    const std::int64_t now = seen.problem.n * seen.problem.k;
    // One that fails is not taken where it shows another cause, as few elements may.
    if (!kind.empty()) {
      EXPECT_LE(now, elements) << line_of(seen.problem);
      EXPECT_EQ(seen.kind, kind) << line_of(seen.problem);
    } else {
      elements = now;
    }
    kind = seen.kind;
    failing.insert(now);
  });
  ASSERT_FALSE(judgement.findings.empty());
  const Finding& finding = judgement.findings.front();
  EXPECT_EQ(finding.kind, kind);
  const std::int64_t smallest = finding.problem.n * finding.problem.k;
  EXPECT_EQ(failing.count(smallest), 1u);
  EXPECT_TRUE(!finding.cause.empty() || smallest == *failing.begin());
  EXPECT_LE(tries, 401);
}

/// A mutant in one format: its subject draws from nothing else.
TEST_P(MutantIsFound, InEachFormatThatIsNotTinygemms) {
  Mutant mutant = mutant_of(GetParam());
  if (mutant.found_by.empty()) return;
  const std::vector<const Format*> of_tinygemm = tinygemm_formats();
  for (const Format* format : std::exchange(mutant.formats, {})) {
    if (std::ranges::count(of_tinygemm, format) != 0) continue;
    SCOPED_TRACE(format->name);
    mutant.formats = {format};
    const SubjectRow row = mutant_subject(mutant);
    int asked = 0;
    for (const std::string& name : mutant.found_by) {
      std::string why_not;
      sample_space_of(property_of(name), row.capabilities, &why_not);
      if (!why_not.empty()) continue;
      ++asked;
      const Judgement judgement = judged(property_of(name), row, 100);
      EXPECT_EQ(judgement.verdict, Verdict::failed) << name << ": " << judgement.reason;
    }
    EXPECT_GT(asked, 0) << "no property that finds it is about this format";
  }
}

INSTANTIATE_TEST_SUITE_P(Mutants, MutantIsFound, testing::ValuesIn(names_of_mutants()), identifier_of_parameter);

}  // namespace

}  // namespace tileproof
