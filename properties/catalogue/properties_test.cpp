// Runs every property on every subject that takes it, as a GoogleTest test of the same name with a fixed seed. This is
// what ctest runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "properties/case/sample_space.h"
#include "properties/catalogue/properties.h"
#include "properties/judging/judge.h"

namespace tileproof {

namespace {

class PropertyOnSubject : public testing::Test {
 public:
  PropertyOnSubject(const Property& property, const SubjectRow& row) : property_(property), row_(row) {}

  void TestBody() override {
    const MadeSubject made = row_.make();
    if (made.subject == nullptr) {
#if defined(TILEPROOF_REQUIRE_GPU)
      if (row_.needs_gpu) FAIL() << made.why_not;
#endif
      GTEST_SKIP() << made.why_not;
    }
    // 100 cases find every mutant of the table (mutants_test.cpp); `tileproof verify` draws more.
    SubjectRow row = row_;
    if (made.capabilities) row.capabilities = *made.capabilities;
    const Judgement judgement = judge(property_, row, *made.subject, {.cases = 100, .seed = 1});
    std::string finding;
    for (const Finding& one : judgement.findings) {
      finding += "\n" + one.details + "\n  replay: " + line_of(one.problem);
    }
    EXPECT_EQ(judgement.verdict, Verdict::passed) << judgement.reason << finding;
    EXPECT_GT(judgement.elements, 0);
  }

 private:
  const Property& property_;
  const SubjectRow& row_;
};

/// GoogleTest's filters read '-' as "but not".
std::string suite_of(std::string subject) {
  std::replace(subject.begin(), subject.end(), '-', '_');
  return subject;
}

void register_properties() {
  for (const SubjectRow& row : subjects()) {
    if (row.capabilities.takes_tensors) continue;  // the tests of the command run these in a process of their own
    for (const Property& property : properties()) {
      std::string why_not;
      sample_space_of(property, row.capabilities, &why_not);
      if (!why_not.empty()) continue;  // `tileproof verify` lists these as SKIPPED
      testing::RegisterTest(suite_of(row.name).c_str(), property.name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [&property, &row]() -> testing::Test* { return new PropertyOnSubject(property, row); });
    }
  }
}

}  // namespace

}  // namespace tileproof

int main(int count, char** arguments) {
  testing::InitGoogleTest(&count, arguments);
  tileproof::register_properties();
  const int failed = RUN_ALL_TESTS();
  const bool looked = testing::UnitTest::GetInstance()->test_to_run_count() > 0 || testing::GTEST_FLAG(list_tests);
  if (!looked) std::fprintf(stderr, "no test was run: the filter matches none\n");
  return looked ? failed : 1;
}
