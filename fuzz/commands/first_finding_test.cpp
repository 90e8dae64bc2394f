// Tests which finding verify prints first: the one that explains the others.
#include <gtest/gtest.h>

#include "fuzz/commands/running.h"

namespace tileproof {

namespace {

class FirstFinding : public Command {
 protected:
  /// The first finding that verify prints about a mutant: its name and text.
  std::string of(const std::string& mutant) {
    std::string properties;
    for (const char* family : {"bits/", "codes/", "group/", "index/", "read/", "sense/", "value/", "write/"}) {
      properties += std::string(" --property ") + family;
    }
    const Ran ran = run("verify --subject mutant:" + mutant + properties + " --cases 40 --no-accuracy " + out(mutant));
    EXPECT_EQ(ran.exit, 1) << ran.text;
    const std::size_t begin = ran.text.find("\n\nFAILED ");
    EXPECT_NE(begin, std::string::npos) << ran.text;
    if (begin == std::string::npos) return "";
    const std::string first = ran.text.substr(begin + std::string("\n\nFAILED ").size());
    return first.substr(0, first.find("./tileproof replay"));
  }
};

TEST_F(FirstFinding, OfAMutantOfMemoryIsAboutMemory) {
  EXPECT_TRUE(of("last-tile-skipped").starts_with("write/"));
  EXPECT_TRUE(of("reads-past-the-scales").starts_with("read/"));
}

TEST_F(FirstFinding, OfAMutantOfTheLayoutIsAboutAnIndex) {
  EXPECT_TRUE(of("rows-of-tile-reversed").starts_with("index/"));
  for (const char* mutant : {"nibbles-in-order", "last-lane-off-by-one"}) {
    const std::string first = of(mutant);
    EXPECT_TRUE(first.starts_with("index/")) << first;
    EXPECT_NE(first.find("Each holds the code of another element"), std::string::npos) << first;
  }
}

TEST_F(FirstFinding, OfAMutantOfGroupsIsAboutAGroup) {
  for (const char* mutant : {"group-by-packed-byte", "groups-by-rows", "last-column-of-the-next-group"}) {
    const std::string first = of(mutant);
    EXPECT_TRUE(first.starts_with("group/")) << first;
    EXPECT_NE(first.find(", which is of group "), std::string::npos) << first;
  }
}

// Properties about indices and groups fail too, and would blame an index.
TEST_F(FirstFinding, OfAWrongValueIsAboutTheValue) {
  for (const char* mutant : {"unpack-gives-signed-codes", "midpoint-seven", "scale-and-zero-swapped", "fp16-as-bf16"}) {
    const std::string first = of(mutant);
    EXPECT_TRUE(first.starts_with("value/") || first.starts_with("codes/")) << first;
  }
  const std::string fifteen = of("code-fifteen-in-one-lane");
  EXPECT_TRUE(fifteen.starts_with("codes/")) << fifteen;
  EXPECT_NE(fifteen.find("expected 15, got 7"), std::string::npos) << fifteen;
  EXPECT_EQ(fifteen.find("expected 755"), std::string::npos) << fifteen;
}

TEST_F(FirstFinding, OfArithmeticIsAboutTheValue) {
  for (const char* mutant : {"two-roundings", "sign-of-scale-lost", "zero-points-unsigned"}) {
    EXPECT_TRUE(of(mutant).starts_with("value/")) << mutant;
  }
}

TEST_F(FirstFinding, OfAStaleResultSaysThatItIsStale) {
  const std::string first = of("cached-result");
  EXPECT_NE(first.find("stale"), std::string::npos) << first;
}

}  // namespace

}  // namespace tileproof
