// Tests the command as a user meets it: run as a process, judged by its exit code and its output.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include "fuzz/commands/running.h"

namespace tileproof {

namespace {

namespace fs = std::filesystem;

const std::string quick = "verify --subject host --property bits/ --cases 60 ";

TEST_F(Command, VerifyOfTheHostKernelsPasses) {
  const Ran ran = run(quick + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("PASSED"), std::string::npos);
  EXPECT_EQ(summary("run")["verdict"], "PASSED");
  EXPECT_EQ(summary("run")["counts"]["PASSED"], 4);
  EXPECT_TRUE(fs::exists(folder_ / "run" / "summary.md"));
  EXPECT_TRUE(fs::exists(folder_ / "run" / "junit.xml"));
}

TEST_F(Command, VerifyRecordsEveryCaseAsOneLine) {
  ASSERT_EQ(run(quick + out("run")).exit, 0);
  std::ifstream lines(folder_ / "run" / "observations.jsonl");
  int cases = 0;
  for (std::string line; std::getline(lines, line); ++cases) {
    const nlohmann::json observation = nlohmann::json::parse(line);
    EXPECT_EQ(observation["type"], "test_case");
    EXPECT_EQ(observation["status"], "passed");
    EXPECT_EQ(observation["features"]["subject"], "host");
  }
  EXPECT_EQ(cases, 4 * 60);
}

TEST_F(Command, TheSameSeedGivesTheSameVerdictsAndOutputs) {
  ASSERT_EQ(run(quick + "--seed 7 " + out("one")).exit, 0);
  ASSERT_EQ(run(quick + "--seed 7 " + out("two")).exit, 0);
  ASSERT_EQ(run(quick + "--seed 8 " + out("other")).exit, 0);
  EXPECT_EQ(summary("one")["output_hash"], summary("two")["output_hash"]);
  EXPECT_NE(summary("one")["output_hash"], summary("other")["output_hash"]);
}

TEST_F(Command, RunsOfDeterminismLeaveAHashEach) {
  const std::string judge = "verify --property determinism/unpack --property bits/ --cases 40 --subject ";
  run(judge + "host " + out("same"));
  run(judge + "mutant:unpack-wrong-when-split " + out("other"));
  const auto runs = [&](const std::string& name, const std::string& property) -> nlohmann::json {
    const nlohmann::json all = summary(name);
    for (const nlohmann::json& judgement : all["judgements"]) {
      if (judgement["property"].get<std::string>().starts_with(property)) return judgement["runs"];
    }
    return nullptr;
  };
  const nlohmann::json same = runs("same", "determinism/");
  ASSERT_EQ(same.size(), 4u);
  for (const auto& [way, hash] : same.items()) EXPECT_EQ(hash, same["first"]) << way;
  EXPECT_EQ(runs("same", "bits/"), nlohmann::json::object());
  const nlohmann::json other = runs("other", "determinism/");
  EXPECT_EQ(other["again"], other["first"]);
  EXPECT_NE(other["varied once"], other["first"]);
}

TEST_F(Command, NoResultDependsOnTheNumberOfJobs) {
  // Two subjects are right, one is wrong, and one's calls depend on earlier calls.
  const std::string judge =
      "verify --subject host --subject reference --subject mutant:two-roundings --subject "
      "mutant:wrong-after-the-first-call "
      "--property bits/ --property value/ --property sense/ --property determinism/ --cases 40 ";
  const auto timeless = [&](const std::string& name) {
    nlohmann::json all = summary(name);
    for (const char* field : {"command", "run_start", "seconds"}) all.erase(field);
    for (nlohmann::json& judgement : all["judgements"]) judgement.erase("seconds");
    nlohmann::json& observations = all["observations"] = nlohmann::json::array();
    std::ifstream lines(folder_ / name / "observations.jsonl");
    for (std::string line; std::getline(lines, line);) {
      observations.push_back(nlohmann::json::parse(line));
      for (const char* field : {"timing", "run_start"}) observations.back().erase(field);
    }
    return all;
  };
  const int exit = run(judge + "--jobs 1 " + out("one")).exit;
  EXPECT_EQ(exit, 1);
  EXPECT_EQ(run(judge + "--jobs 3 " + out("three")).exit, exit);
  const nlohmann::json one = timeless("one");
  EXPECT_GT(one["observations"].size(), 1000u);
  EXPECT_TRUE(one == timeless("three")) << nlohmann::json::diff(one, timeless("three")).dump(1).substr(0, 2000);
}

TEST_F(Command, VerifyOfAMutantSubjectFailsAndItsLineReplays) {
  const Ran ran = run("verify --subject mutant:two-roundings --property value/float " + out("run"));
  EXPECT_EQ(ran.exit, 1) << ran.text;
  const nlohmann::json finding = summary("run")["judgements"][0]["findings"][0];
  const std::string line = finding["problem"];
  EXPECT_NE(ran.text.find("replay " + line), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("The formula with one rounding more gives what was got."), std::string::npos);
  EXPECT_EQ(finding["pattern"], "a weight of two roundings");
  const Ran replayed = run("replay " + line);
  EXPECT_EQ(replayed.exit, 1) << replayed.text;
  EXPECT_NE(replayed.text.find(finding["details"].get<std::string>()), std::string::npos) << replayed.text;
  EXPECT_EQ(run("replay '" + line + "'").text, replayed.text);
}

/// The verdicts of verify on a misbehaving subject, with one property more that the subject survives.
struct MisbehaviourVerdict {
  const char* subject;
  const char* kind;
  const char* details;
  const char* problem;
};
void PrintTo(const MisbehaviourVerdict& misbehaviour, std::ostream* stream) { *stream << misbehaviour.subject; }
class VerifyOfAMisbehavingSubject : public Command, public testing::WithParamInterface<MisbehaviourVerdict> {};

TEST_P(VerifyOfAMisbehavingSubject, FindsTheSmallestProblemThatItDiesOfAndTheRestGoesOn) {
  if (is_sanitized) GTEST_SKIP() << "a sanitized process dies in a way of its own, and takes long to start";
  const MisbehaviourVerdict& misbehaviour = GetParam();
  const Ran ran =
      run(std::string("verify --no-accuracy --case-deadline 0.5 --cases 100 --property bits/unpack_returns ") +
          "--property index/pack --subject host --subject misbehaving:" + misbehaviour.subject + " " + out("run"));
  EXPECT_EQ(ran.exit, 1) << ran.text;
  const nlohmann::json judgements = summary("run")["judgements"];
  ASSERT_EQ(judgements.size(), 4) << ran.text;
  for (const nlohmann::json& judgement : judgements) {
    const bool is_its =
        judgement["subject"] != "host" && judgement["property"] == "bits/unpack_returns_every_packed_code";
    EXPECT_EQ(judgement["verdict"], is_its ? "FAILED" : "PASSED") << judgement;
    if (!is_its) continue;
    const nlohmann::json& finding = judgement["findings"][0];
    EXPECT_EQ(finding["kind"], misbehaviour.kind);
    EXPECT_NE(finding["details"].get<std::string>().find(misbehaviour.details), std::string::npos) << finding;
    EXPECT_NE(finding["problem"].get<std::string>().find(misbehaviour.problem), std::string::npos) << finding;
    const Ran replayed = run("replay --case-deadline 0.5 " + finding["problem"].get<std::string>());
    EXPECT_EQ(replayed.exit, 1) << replayed.text;
    EXPECT_NE(replayed.text.find(misbehaviour.details), std::string::npos) << replayed.text;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Isolation, VerifyOfAMisbehavingSubject,
    testing::Values(MisbehaviourVerdict{"crashes", "crash", "the process died of SIGSEGV", "--n=3 --k=32"},
                    MisbehaviourVerdict{"exits", "crash", "ended itself with exit code 7", "--n=3 --k=32"},
                    MisbehaviourVerdict{"corrupts-memory", "crash", "the process died of SIGSEGV", "--n=3 --k=32"},
                    MisbehaviourVerdict{"hangs", "hang", "no answer within 500 ms", "--n="},
                    MisbehaviourVerdict{"reads-outside", "guard",
                                        "read past the end of packed: the byte 1 past its end", "--n=3 --k=32"}),
    [](const auto& misbehaviour) {
      return std::regex_replace(std::string(misbehaviour.param.subject), std::regex("-"), "_");
    });

TEST_F(Command, OneCaseProvesTooLittleAndIsMistrusted) {
  const Ran ran = run("verify --subject cpu --property value/float --cases 1 " + out("run"));
  EXPECT_EQ(ran.exit, 3) << ran.text;
  EXPECT_NE(ran.text.find("never met"), std::string::npos) << ran.text;
}

TEST_F(Command, ASubjectThatWasAskedForAndCannotRunIsRed) {
  const Ran listed = run("list subjects");
  ASSERT_EQ(listed.exit, 0);
  if (listed.text.find("not here: ") == std::string::npos) GTEST_SKIP() << "every subject runs on this machine";
  const std::string before = listed.text.substr(0, listed.text.find("    the production kernels on a GPU (not here"));
  if (before.size() == listed.text.size()) GTEST_SKIP() << "cuda runs on this machine";
  EXPECT_EQ(run("verify --subject cuda --property bits/ " + out("run")).exit, 3);
}

TEST_F(Command, ReplayOfAPassingProblemSaysWhatItCompared) {
  const Ran ran = run("replay --property=bits/unpack_returns_every_packed_code --subject=host --n=3 --k=32 --seed=0x5");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("PASSED: 96 elements compared"), std::string::npos) << ran.text;
}

TEST_F(Command, ListsNamePropertiesSubjectsFormatsMutantsAndProfiles) {
  EXPECT_NE(run("list properties").text.find("index/pack_puts_every_code_where_the_specification_says"),
            std::string::npos);
  EXPECT_NE(run("list subjects").text.find("reference"), std::string::npos);
  EXPECT_NE(run("list mutants").text.find("mutant:nibbles-in-order"), std::string::npos);
  const std::string formats = run("list formats").text;
  EXPECT_NE(formats.find("tinygemm-4\n    packed int32 [ceil(n/8)][k/64][32][2]: any n, k % 64 = 0;"),
            std::string::npos)
      << formats;
  EXPECT_NE(formats.find("awq\n    packed int32 [k][n/8]: n % 8 = 0, any k;"), std::string::npos) << formats;
  EXPECT_NE(formats.find("schemes integer (scales [k/group_size][n], zeros int32 [k/group_size][n/8]);"),
            std::string::npos)
      << formats;
  EXPECT_NE(formats.find("schemes nf4 (scales [ceil(n*k/group_size)][1]);"), std::string::npos) << formats;
  EXPECT_NE(run("list profiles").text.find("cancelling"), std::string::npos);
}

TEST_F(Command, EveryHelpEndsWithTwoExamples) {
  for (const std::string command : {"verify", "bench", "replay", "list"}) {
    const Ran ran = run(command + " --help");
    EXPECT_EQ(ran.exit, 0);
    const std::size_t examples = ran.text.find("Examples:");
    ASSERT_NE(examples, std::string::npos) << ran.text;
    const std::string rest = ran.text.substr(examples);
    EXPECT_NE(rest.find("tileproof " + command, rest.find("tileproof " + command) + 1), std::string::npos) << ran.text;
  }
}

/// README shows a real counterexample: the command after "$ ./tileproof", and its output except for times.
TEST_F(Command, PrintsTheCounterexampleThatReadmeShows) {
  const std::string readme = text_of(TILEPROOF_README);
  const std::string prompt = "$ ./tileproof ";
  const std::size_t begin = readme.find(prompt);
  ASSERT_NE(begin, std::string::npos);
  const std::size_t end_of_line = readme.find('\n', begin);
  const std::string arguments = readme.substr(begin + prompt.size(), end_of_line - begin - prompt.size());
  const std::string shown = readme.substr(end_of_line + 1, readme.find("```", begin) - end_of_line - 1);
  const std::string printed = run(arguments + " " + out("run")).text;
  const std::regex seconds("[0-9]+\\.[0-9]+s");
  const std::string timeless = std::regex_replace(printed, seconds, "_");
  EXPECT_NE(timeless.find(std::regex_replace(shown, seconds, "_")), std::string::npos) << printed;
}

const std::string problem = "replay --property=bits/unpack_returns_every_packed_code --subject=host ";

TEST_F(Command, RefusesAnUnknownFlagAndNamesTheNearest) { expect_refused(run("verify --sed 1"), "--seed"); }
TEST_F(Command, RefusesAnUnknownCommandAndNamesTheNearest) { expect_refused(run("verfy"), "verify"); }
TEST_F(Command, RefusesAnUnknownSubject) { expect_refused(run("verify --subject hots"), "did you mean 'host'"); }
TEST_F(Command, RefusesAnUnknownProperty) { expect_refused(run("verify --property valeu/"), "did you mean 'value/'?"); }
TEST_F(Command, RefusesAPropertyThatIsNearlyOne) {
  expect_refused(run("verify --property value/flot"), "did you mean 'value/float_");
}
TEST_F(Command, RefusesNumbersThatAreNone) {
  for (const char* cases : {"0", "-3", "010", "1e3", "many"}) {
    expect_refused(run("verify --cases " + std::string(cases)),
                   "--cases: given '" + std::string(cases) + "', legal is a whole number from 1 to 1000000000");
  }
}
TEST_F(Command, RefusesTheLibraryWithoutItsFile) { expect_refused(run("verify --subject library"), "--library FILE"); }
TEST_F(Command, RefusesNoJobs) { expect_refused(run("verify --jobs 0"), "--jobs"); }
TEST_F(Command, RefusesATimeWithoutSense) { expect_refused(run("verify --for 5x"), "--for"); }
TEST_F(Command, RefusesColumnsThatAreNoMultiple) { expect_refused(run(problem + "--k=40"), "--k: given 40"); }
TEST_F(Command, RefusesAGroupThatDoesNotDivide) {
  expect_refused(run(problem + "--k=64 --group-size=48"), "--group-size: given 48");
}
TEST_F(Command, RefusesAPartThatIsNotInTheProblem) {
  const std::string one = problem + "--n=1 --k=32 --group-size=32 ";
  expect_refused(run(one + "--codes=30..40"), "--codes: given 30..40, legal is FIRST..END within the 32");
  expect_refused(run(one + "--parameters=1..2"), "--parameters: given 1..2");
}
TEST_F(Command, RefusesAProblemWithoutElements) { expect_refused(run(problem + "--n=0"), "--n: given 0"); }
TEST_F(Command, RefusesAFormatThatThereIsNot) {
  expect_refused(run(problem + "--format=tinygemm-3"), "tinygemm-2, tinygemm-4");
}
TEST_F(Command, RefusesAnUnreadableLine) { expect_refused(run(problem + "--n=eight"), "--n: given 'eight'"); }
TEST_F(Command, RefusesAnUnknownFieldOfALine) { expect_refused(run(problem + "--m=8"), "--m"); }
TEST_F(Command, RefusesALineWithoutAProperty) { expect_refused(run("replay --subject=host"), "--property"); }
TEST_F(Command, RefusesAnUnknownList) { expect_refused(run("list property"), "properties"); }
TEST_F(Command, RefusesAFolderThatCannotBeMade) { expect_refused(run(quick + "--out /proc/nowhere/run"), "--out"); }

TEST_F(Command, RefusesAFolderWithAnotherRunAndLeavesItAlone) {
  ASSERT_EQ(run(quick + out("run")).exit, 0);
  const std::string before = text_of(folder_ / "run" / "summary.json");
  expect_refused(run(quick + out("run")), "another run");
  EXPECT_EQ(text_of(folder_ / "run" / "summary.json"), before);
  // The two runs may be of different commands.
  const std::string campaign = "fuzz --subject host --property bits/ --seed 1 --cases 64" + own_memory();
  expect_refused(run(campaign + out("run")), "another run's observations.jsonl");
  ASSERT_EQ(run(campaign + out("campaign")).exit, 0);
  expect_refused(run(quick + out("campaign")), "another run's campaign.json");
  // A run that has written nothing yet is one too.
  fs::create_directories(folder_ / "begun");
  std::ofstream(folder_ / "begun" / "observations.jsonl.new");
  expect_refused(run(quick + out("begun")), "another run");
  expect_refused(run(campaign + out("begun")), "another run");
}

}  // namespace

}  // namespace tileproof
