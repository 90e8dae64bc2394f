// Runs the sanitizers with a short script in place of compute-sanitizer, and another in place of our program.
#include "fuzz/process/sanitizers.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tileproof {

namespace {

namespace fs = std::filesystem;

/// A tool that runs its program, and reports what the program says is its canary.
constexpr const char* good_tool = R"(#!/bin/sh
[ "$1" = --version ] && exit 0
while [ "${1#--}" != "$1" ]; do shift 2; done
said=$("$@"); status=$?
echo "$said"
case $said in *mutant*) echo "Invalid read in planted_read"; exit 86;; esac
exit $status
)";
constexpr const char* good_program = R"(#!/bin/sh
case $1 in plant) echo "a mutant";; esac
)";

class Sanitizers : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("tileproof-sanitizers-" + std::to_string(getpid()));
    fs::create_directories(folder_);
    path_ = std::getenv("PATH");
    setenv("PATH", (folder_.string() + ":/usr/bin:/bin").c_str(), 1);
    write("it's a program", good_program);
  }
  void TearDown() override {
    setenv("PATH", path_.c_str(), 1);
    fs::remove_all(folder_);
  }

  void write(const std::string& name, const std::string& script) {
    std::ofstream(folder_ / name) << script;
    fs::permissions(folder_ / name, fs::perms::owner_all);
  }
  SanitizerResult result() {
    const auto all = run_sanitizers((folder_ / "it's a program").string(), "cases",
                                    {{"memcheck", "a read past the end", "planted_read", "plant"}});
    EXPECT_EQ(all.size(), 1);
    EXPECT_EQ(all.at(0).tool, "memcheck");
    return all.at(0);
  }
  void expect(Verdict verdict, const std::string& says) {
    const SanitizerResult got = result();
    EXPECT_EQ(got.verdict, verdict) << got.reason;
    EXPECT_NE(got.reason.find(says), std::string::npos) << got.reason;
  }

  fs::path folder_;
  std::string path_;
};

TEST_F(Sanitizers, PassWhereTheToolNoticesThePlantAndNothingElse) {
  write("compute-sanitizer", good_tool);
  expect(Verdict::passed, "noticed a read past the end; found nothing in the cases");
}

TEST_F(Sanitizers, AreSkippedWithoutATool) {
  if (run_sanitizers("true", "", {{"memcheck", "", "", ""}})[0].verdict != Verdict::skipped) {
    GTEST_SKIP() << "compute-sanitizer is in /usr/bin";
  }
  expect(Verdict::skipped, "no compute-sanitizer on PATH");
}

TEST_F(Sanitizers, AreSkippedWhereTheCasesCannotRun) {
  write("compute-sanitizer", good_tool);
  write("it's a program", "#!/bin/sh\necho no CUDA device\nexit 3\n");
  expect(Verdict::skipped, "no CUDA device");
}

TEST_F(Sanitizers, AreMistrustedWhereTheToolIsBlind) {
  write("compute-sanitizer", "#!/bin/sh\nexit 0\n");
  expect(Verdict::mistrusted, "did not notice what was planted, a read past the end (exit code 0)");
}

TEST_F(Sanitizers, AreMistrustedWhereTheToolFindsAnythingButThePlant) {
  write("compute-sanitizer", "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\necho no such tool\nexit 86\n");
  expect(Verdict::mistrusted, "no such tool");
}

TEST_F(Sanitizers, FailWhereTheToolFindsSomethingInTheCases) {
  write("compute-sanitizer", good_tool);
  // The program reports the canary only under the tool, as a real finding would be.
  write("it's a program", "#!/bin/sh\n[ \"$PYTORCH_NO_CUDA_MEMORY_CACHING\" = 1 ] && echo a mutant\nexit 0\n");
  expect(Verdict::failed, "found:\na mutant\nInvalid read in planted_read");
}

TEST_F(Sanitizers, FailWhereTheCasesFailWithoutATool) {
  write("compute-sanitizer", good_tool);
  write("it's a program", "#!/bin/sh\necho row 0 is wrong\nexit 1\n");
  expect(Verdict::failed, "the cases fail without a tool (exit code 1):\nrow 0 is wrong");
}

TEST_F(Sanitizers, FailWhereTheCasesFailUnderATool) {
  write("compute-sanitizer", good_tool);
  write("it's a program",
        "#!/bin/sh\n[ \"$1\" = plant ] && echo a mutant\n[ \"$PYTORCH_NO_CUDA_MEMORY_CACHING\" != 1 ] || exit 1\n");
  expect(Verdict::failed, "exit code 1");
}

}  // namespace

}  // namespace tileproof
