// Subjects on the host run every way that they have: a claim that varies a subject need not know which there are.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "subject.h"

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
    made.subject->run(PackCall{codes.front().bytes, reinterpret_cast<std::uint32_t*>(packed.data()), 16, 32, 2});
    EXPECT_EQ(made.subject->way(), ways[i % ways.size()]);
  }
  made.subject->vary(0);
  EXPECT_EQ(subject_row("host").make().subject->ways(), std::vector<std::string>());
}

}  // namespace

}  // namespace tileproof
