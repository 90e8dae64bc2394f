// Corpora: problems are read, moved between files, and run again on every commit.
#include "fuzz/corpus/corpus.h"

#include <gtest/gtest.h>

#include "fuzz/commands/running.h"
#include "properties/case/cells.h"
#include "properties/registry.h"
#include "properties/subjects/subject.h"

namespace tileproof {

namespace {

constexpr const char* a_line =
    "--property=bits/unpack_returns_every_packed_code --subject=host --format=tinygemm-4 --scheme=float "
    "--n=9 --k=64 --group-size=32 --weight-type=bf16 --parameter-type=bf16 --profile=ordinary --seed=0x7";

TEST(CorpusLines, HaveTheCommentAboveThem) {
  const std::string text = std::string("# of the file\n\n# one\n#  two \n") + a_line + "\n\n  " + a_line + "\t\r\n";
  const std::vector<CorpusLine> lines = corpus_lines(text, "some.txt");
  ASSERT_EQ(lines.size(), 2);
  EXPECT_EQ(lines[0].comment, "one\ntwo");
  EXPECT_EQ(lines[0].place, "some.txt, line 5");
  EXPECT_EQ(line_of(lines[0].problem), a_line);
  EXPECT_EQ(lines[1].comment, "");
  EXPECT_TRUE(corpus_lines("", "empty.txt").empty());
}

TEST(CorpusLines, ThatAreNoProblemAreRefusedByTheirPlace) {
  const auto refused = [](const std::string& line, const std::string& why) {
    try {
      corpus_lines("# comment\n" + line + "\n", "some.txt");
      ADD_FAILURE() << "took " << line;
    } catch (const UsageError& illegal) {
      EXPECT_NE(std::string(illegal.what()).find("some.txt, line 2: "), std::string::npos) << illegal.what();
      EXPECT_NE(std::string(illegal.what()).find(why), std::string::npos) << illegal.what();
    }
  };
  refused("--property=bits/unpack_returns_every_packed_code", "no --subject");
  refused("--property=bits/renamed_since --subject=host", "bits/renamed_since");
  refused(std::string(a_line) + " --k=96", "twice");
  refused("--property=bits/unpack_returns_every_packed_code --subject=host --k=33", "--k");
  refused("{}", "FLAG=VALUE");
}

// --- fuzz/corpus/ --------------------------------------------------------------------------------------------------

/// Runs a line of fuzz/corpus/ on a subject. One case may cover too little to be trusted, but it always compares
/// something.
void expect_failure(const CorpusLine& line, const std::string& subject, bool fails) {
  const SubjectRow& row = subject_row(subject);
  const MadeSubject made = row.make();
  if (made.subject == nullptr) return;
  Problem problem = line.problem;
  problem.subject = subject;
  const Judgement judgement = judge_one(problem, row, *made.subject);
  EXPECT_EQ(judgement.verdict == Verdict::failed, fails) << line.place << " on " << subject;
  EXPECT_TRUE(fails || judgement.elements > 0) << line.place << " on " << subject << ": " << judgement.reason;
}

TEST(OwnCorpus, FailsOnTheMutantsThatItsLinesAreOfAndPassesOnEverySubjectThatIsRight) {
  ASSERT_GE(own_corpus().size(), 100);
  for (const CorpusLine& line : own_corpus()) {
    if (line.problem.subject.starts_with("mutant:")) {
      expect_failure(line, line.problem.subject, true);
      EXPECT_NE(line.comment.find(subject_row(line.problem.subject).what), std::string::npos) << line.place;
    }
    const Operation operation = operation_of(property_of(line.problem.property));
    for (const char* right : {"mutant:nothing", "reference", "host", "cpu", "cuda"}) {
      const Capabilities& capabilities = subject_row(right).capabilities;
      const bool takes = capabilities.has(operation) && capabilities.takes(operation, *line.problem.format) &&
                         capabilities.takes(line.problem);
      if (takes) expect_failure(line, right, false);
      EXPECT_TRUE(takes || std::string(right) != "reference") << line.place;
    }
  }
}

// --- Working corpora -----------------------------------------------------------------------------------------------

class AWorkingCorpus : public Command {
 protected:
  std::string text(const char* file) const { return text_of(folder_ / file); }
  Problem problem_ = problem_of(a_line);
};

TEST_F(AWorkingCorpus, MovesWhatFailsNoMoreAndBack) {
  WorkingCorpus corpus(folder_);
  EXPECT_TRUE(corpus.of_subject("host").empty());
  corpus.keep_crashing(problem_, "what\nwhen");
  corpus.keep_crashing(problem_, "another time");
  EXPECT_EQ(text("crashing.txt"), std::string("# what\n# when\n") + a_line + "\n");
  corpus.keep_incubating(problem_, "mended");
  EXPECT_EQ(text("crashing.txt"), "");
  EXPECT_EQ(text("incubating.txt"), std::string("# mended\n") + a_line + "\n");
  EXPECT_EQ(WorkingCorpus(folder_).of_subject("host").size(), 1);
  EXPECT_EQ(WorkingCorpus(folder_).of_subject("cpu").size(), 0);
  corpus.keep_crashing(problem_, "again");
  EXPECT_EQ(text("incubating.txt"), "");
  EXPECT_EQ(text("crashing.txt"), std::string("# again\n") + a_line + "\n");
}

TEST_F(AWorkingCorpus, HoldsAMovedProblemSomewhereWhateverEndsTheMove) {
  WorkingCorpus corpus(folder_);
  corpus.keep_crashing(problem_, "what");
  // A folder in the place of the temporary file makes the write fail.
  std::filesystem::create_directories(folder_ / ("incubating.txt." + std::to_string(getpid()) + ".new"));
  EXPECT_ANY_THROW(corpus.keep_incubating(problem_, "what"));
  EXPECT_EQ(WorkingCorpus(folder_).of_subject("host").size(), 1);
}

TEST_F(AWorkingCorpus, ThatCannotBeReadIsNotTakenForAnEmptyOne) {
  std::filesystem::create_directories(folder_ / "crashing.txt");
  EXPECT_THROW(WorkingCorpus{folder_}, UsageError);
}

TEST_F(AWorkingCorpus, ThatCannotBeWrittenIsSaidAndTheCampaignGoesOn) {
  const std::filesystem::path memory = folder_ / "memory";
  // passes now, so the campaign must change the corpus
  WorkingCorpus(memory / "corpus").keep_crashing(problem_, "what");
  const std::optional<Ran> ran =
      run_beside_read_only(memory, program + " fuzz --subject host --property bits/ --cases 64 " +
                                       "--seed 1 --memory '" + memory.string() + "' " + out("run"));
  if (!ran) GTEST_SKIP() << "no mount of its own can be had here";
  EXPECT_EQ(ran->exit, 0) << ran->text;
  EXPECT_NE(ran->text.find("not in the corpus: "), std::string::npos) << ran->text;
}

class ACorpusOfCampaigns : public AWorkingCorpus {
 protected:
  Ran campaign(const std::string& arguments, const std::string& name) const {
    return run("fuzz --seed 1 --workers 1 --cases 64 " + arguments + " --memory '" + (folder_ / "memory").string() +
               "' " + out(name));
  }
  nlohmann::json result(const std::string& name) const {
    return nlohmann::json::parse(text_of(folder_ / name / "campaign.json"));
  }
  std::string memory(const char* file) const { return text_of(folder_ / "memory" / "corpus" / file); }
  void put(const char* file, const std::string& line) const {
    std::filesystem::create_directories(folder_ / "memory" / "corpus");
    std::ofstream(folder_ / "memory" / "corpus" / file) << line;
  }
};

TEST_F(ACorpusOfCampaigns, KeepsWhatTheyFindAndTheNextOneBeginsWithIt) {
  const std::string mutant = "--subject mutant:nibbles-in-order --shrink-seconds 2 --property value/float ";
  EXPECT_EQ(campaign(mutant, "first").exit, 1);
  const std::string kept = memory("crashing.txt");
  EXPECT_NE(kept.find("--subject=mutant:nibbles-in-order"), std::string::npos) << kept;
  const Ran second = campaign(mutant, "second");
  EXPECT_EQ(second.exit, 1) << second.text;
  EXPECT_NE(second.text.find("kept, and failing: "), std::string::npos) << second.text;
  // a kept problem counts under its old fingerprint
  EXPECT_EQ(result("first")["findings"].size(), result("second")["findings"].size());
  EXPECT_EQ(memory("crashing.txt"), kept);
}

TEST_F(ACorpusOfCampaigns, WatchesWhatFailsNoMore) {
  put("crashing.txt", std::string("# what it was\n") + a_line + "\n");
  const Ran ran = campaign("--subject host --property bits/", "run");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(memory("crashing.txt"), "");
  EXPECT_EQ(memory("incubating.txt"), std::string("# what it was\n") + a_line + "\n");
  EXPECT_GE(result("run")["corpus"]["replayed"], 2);  // includes those of fuzz/corpus/
}

TEST_F(ACorpusOfCampaigns, NamesWhatFailsByItselfAndNotByARemark) {
  put("crashing.txt", "# a remark\n" + line_of(own_corpus().front().problem) + "\n");
  const Ran ran = campaign("--subject " + own_corpus().front().problem.subject + " --property value/", "run");
  EXPECT_EQ(ran.exit, 1) << ran.text;
  const nlohmann::json campaigns = result("run");
  for (const nlohmann::json& finding : campaigns["findings"]) {
    EXPECT_NE(finding["fingerprint"].get<std::string>().find(" on mutant:"), std::string::npos)
        << finding["fingerprint"];
  }
}

TEST_F(ACorpusOfCampaigns, InNoFolderIsRefusedBeforeAnythingIsRun) {
  std::ofstream(folder_ / "file") << "";
  expect_refused(
      run("fuzz --subject host --seed 1 --cases 64 --memory '" + (folder_ / "file").string() + "' " + out("run")),
      "--memory");
}

TEST_F(ACorpusOfCampaigns, ThatIsNoneIsRefusedAndLeftAsItIs) {
  put("crashing.txt", "--property=bits/unpack_returns_every_packed_code --subject=host --n=ten\n");
  const Ran ran = campaign("--subject host --property bits/", "run");
  expect_refused(ran, "crashing.txt, line 1: ");
  EXPECT_EQ(memory("crashing.txt"), "--property=bits/unpack_returns_every_packed_code --subject=host --n=ten\n");
}

}  // namespace

}  // namespace tileproof
