// Tests judging kernels by raw pointers: right ones pass, each with a planted mistake is FAILED, and a file that is no
// such library is refused.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "fuzz/commands/running.h"

namespace tileproof {

namespace {

class KernelsOfAUser : public Command {
 protected:
  void TearDown() override {
    unsetenv("EXAMPLE_KERNEL_FAULT");
    Command::TearDown();
  }
  Ran judged(const char* fault, const std::string& more, const char* folder = "run") const {
    setenv("EXAMPLE_KERNEL_FAULT", fault, /*overwrite=*/1);
    return run("verify --no-accuracy --cases 60 --kernel '" TILEPROOF_EXAMPLE_KERNEL "' " + out(folder) + " " + more);
  }
};

TEST_F(KernelsOfAUser, ThatAreRightPass) {
  const Ran ran = judged("", "");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_GT(summary("run")["counts"]["PASSED"], 30) << ran.text;
}

TEST_F(KernelsOfAUser, ThatStateNoFormatAreJudgedInTheOneThatIsGiven) {
  const Ran ran = judged("no format", "--format plain --property index/ --property value/integer");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_GT(summary("run")["counts"]["PASSED"], 3) << ran.text;
  // In another format the same kernels are wrong; the finding's line says which.
  const Ran other = judged("no format", "--format plain-int32 --property index/unpack", "other");
  EXPECT_EQ(other.exit, 1) << other.text;
  const nlohmann::json judgement = summary("other")["judgements"][0];
  ASSERT_FALSE(judgement["findings"].empty()) << other.text;
  std::string line = "replay";
  for (const std::string word : judgement["findings"][0]["replay"]) line += " '" + word + "'";
  EXPECT_NE(line.find("--format=plain-int32"), std::string::npos) << line;
  const Ran replayed = run(line);
  EXPECT_EQ(replayed.exit, 1) << replayed.text;
}

struct OfKernels {
  const char* name;
  const char* fault;
  const char* property;
  const char* said;
};

class AFaultyKernel : public KernelsOfAUser, public testing::WithParamInterface<OfKernels> {};

TEST_P(AFaultyKernel, IsFailedAndReplayed) {
  if (is_sanitized && std::string(GetParam().name) == "WritesPast") GTEST_SKIP() << "the sanitizer sees it first";
  const Ran ran = judged(GetParam().fault, std::string("--property ") + GetParam().property);
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_NE(ran.text.find(GetParam().said), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("--kernel "), std::string::npos) << "in the line that replays it: " << ran.text;
}

INSTANTIATE_TEST_SUITE_P(
    Planted, AFaultyKernel,
    testing::Values(OfKernels{"Nibbles", "nibbles swapped", "index/unpack", "Each holds the code of another element"},
                    OfKernels{"Cut", "cut", "value/integer", "expected"},
                    OfKernels{"Groups", "groups by rows", "group/every_weight_uses_its_own_scale",
                              "made with another scale"},
                    OfKernels{"WritesPast", "writes past", "write/pack", "past"},
                    OfKernels{"Copies", "copies", "index/convert", "Each holds the code of another element"},
                    OfKernels{"Refuses", "refuses", "bits/unpack_returns", "tileproof_pack returned 3"},
                    OfKernels{"Crash", "crash", "bits/unpack_reads", "SIGABRT"}),
    [](const testing::TestParamInfo<OfKernels>& one) { return std::string(one.param.name); });

TEST_F(KernelsOfAUser, ThatAreNoneAreRefusedInOneLine) {
  const auto refused = [&](const std::string& options, const std::string& said) {
    const Ran ran = run("verify " + options);
    EXPECT_EQ(ran.exit, 2) << ran.text;
    EXPECT_NE(ran.text.find(said), std::string::npos) << ran.text;
  };
  refused("--kernel /there/is/none.so", "there is no such file");
  std::ofstream(folder_ / "text.so") << "no library";
  refused("--kernel '" + at("text.so") + "'", "file too short");
  refused("--kernel '" TILEPROOF_EXAMPLE_KERNEL "' --library '" + at("text.so") + "'",
          "--kernel: given beside --library");
  EXPECT_EQ(judged("no statement", "").exit, 2);
  expect_refused(judged("no equals", ""), "tileproof_takes: given 'FORMAT: plain', legal is lines NAME=VALUE");
  expect_refused(judged("no format", ""), "FORMAT: given none");
  expect_refused(judged("no format to", ""), "FORMAT_TO: given none");
  expect_refused(judged("no format", "--format awk"), "--format: given 'awk'");
  expect_refused(judged("", "--format awq"), "--format: given 'awq', legal is the file's own: plain");
  refused("--format plain", "--format: given without --python, --kernel or --map");
  const Ran other = judged("another format", "");
  EXPECT_EQ(other.exit, 2);
  EXPECT_NE(other.text.find("FORMAT: given 'int3', legal is tinygemm-2"), std::string::npos) << other.text;
}

}  // namespace

}  // namespace tileproof
