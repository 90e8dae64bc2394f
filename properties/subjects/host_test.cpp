// Subjects on the host run in every way that they name, so a property that varies a subject need not know the ways.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "properties/judging/judge.h"
#include "properties/registry.h"
#include "properties/subjects/subject.h"

namespace tileproof {

namespace {

struct alignas(16) Sixteen {
  std::uint8_t bytes[16];
};

TEST(SubjectCpu, RunsEachOfItsWaysWhenVaried) {
  const MadeSubject made = subject_row("cpu").make();
  const std::vector<std::string> ways = made.subject->ways();
  ASSERT_GE(ways.size(), 2u);
  EXPECT_EQ(std::set<std::string>(ways.begin(), ways.end()).size(), ways.size());
  for (std::size_t i = 0; i < 2 * ways.size(); ++i) {
    std::vector<Sixteen> codes(16 * 16 / 16), packed(16 * 16 / 16);
    made.subject->vary(2 * i + 1);
    Call call = {.operation = Operation::pack, .format = tinygemm(2), .n = 16, .k = 32};
    call.at(Role::pairs) = codes.data();
    call.at(Role::packed) = packed.data();
    made.subject->run(call);
    EXPECT_EQ(made.subject->way(), ways[i % ways.size()]);
  }
  made.subject->vary(0);
  EXPECT_EQ(subject_row("host").make().subject->ways(), std::vector<std::string>());
}

/// The subject cpu, except that one of its ways cannot be forced.
class LeavesAWayOut : public Subject {
 public:
  Memory& memory() override { return made_.subject->memory(); }
  void run(const Call& call) override { made_.subject->run(call); }
  void vary(std::uint64_t variation) override { made_.subject->vary(variation == 3 ? 1 : variation); }
  std::vector<std::string> ways() const override { return made_.subject->ways(); }
  std::string way() const override { return made_.subject->way(); }

 private:
  MadeSubject made_ = subject_row("cpu").make();
};

TEST(EveryWay, OfComputingIsAGoal) {
  const Property& property = property_of("determinism/pack_gives_the_same_bits_however_it_is_run");
  const SubjectRow& row = subject_row("cpu");
  const Judgement all = judge(property, row, *row.make().subject, {.cases = 20, .seed = 1});
  EXPECT_EQ(all.verdict, Verdict::passed) << all.reason;
  LeavesAWayOut subject;
  // A drawn variation may take the way by chance, which must not count as forcing it.
  const Judgement judgement = judge(property, row, subject, {.cases = 20, .seed = 1});
  EXPECT_EQ(judgement.verdict, Verdict::mistrusted);
  EXPECT_EQ(judgement.reason, "never met: every way of computing");
}

}  // namespace

}  // namespace tileproof
