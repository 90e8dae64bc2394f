// The history: what it keeps, what it says about a finding, and that it can be rebuilt from records.
#include "fuzz/records/history.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "fuzz/commands/running.h"
#include "fuzz/records/provenance.h"
#include "properties/problem/problem.h"

namespace tileproof {

namespace {

class AHistory : public Command {
 protected:
  std::filesystem::path file() const { return folder_ / "history.sqlite"; }
  static RunOfHistory campaign(const std::string& folder, const std::string& begun, std::vector<RunFinding> findings) {
    return {.folder = folder,
            .kind = "fuzz",
            .subject = "host",
            .command = "fuzz --it's \"quoted\"",
            .begun = begun,
            .seconds = 1.5,
            .verdict = "FAILED",
            .exit_code = 1,
            .commit = "c",
            .machine = "{}",
            .figures = {{"cases", "", 64}, {"cases a second", "1/s", 42.7}},
            .findings = std::move(findings)};
  }
  std::vector<std::string> folders(const History& history) const {
    std::vector<std::string> all;
    for (const RunOfHistory& run : history.runs()) all.push_back(run.folder);
    return all;
  }
};

TEST_F(AHistory, GivesBackWhatItKeepsInTheOrderOfTime) {
  const RunOfHistory late = campaign("/b", "2026-11-23T00:00:00Z", {{"s", 3, "h", "t", "p"}});
  const RunOfHistory early = campaign("/c", "2026-11-22T00:00:00Z", {});
  {
    History history(file());
    history.keep(late);
    history.keep(early);
  }
  EXPECT_EQ(History(file()).runs(), (std::vector<RunOfHistory>{early, late}));
}

TEST_F(AHistory, HasAFolderOnce) {
  History history(file());
  history.keep(campaign("/a", "2026-11-22T00:00:00Z", {{"s", 3, "h", "t", "p"}}));
  history.keep(campaign("/a", "2026-11-22T00:00:00Z", {}));
  EXPECT_EQ(folders(history), std::vector<std::string>{"/a"});
  EXPECT_TRUE(history.seen().empty());
}

TEST_F(AHistory, SaysSinceWhenAFindingIsSeenAndHowOften) {
  History history(file());
  history.keep(campaign("/a", "2026-11-20T00:00:00Z", {{"s", 3, "h", "t", "first"}}));
  history.keep(campaign("/b", "2026-11-21T00:00:00Z", {}));
  history.keep(campaign("/c", "2026-11-22T00:00:00Z", {{"s", 4, "h", "t", "last"}, {"other", 1, "h", "t", "p"}}));
  RunOfHistory elsewhere = campaign("/d", "2026-11-23T00:00:00Z", {});
  elsewhere.subject = "cuda";
  history.keep(elsewhere);
  ASSERT_EQ(history.seen().size(), 2);
  ASSERT_EQ(history.seen("s").size(), 1);
  const SeenFinding seen = history.seen("s")[0];
  EXPECT_EQ(seen.first, "2026-11-20T00:00:00Z");
  EXPECT_EQ(seen.last, "2026-11-22T00:00:00Z");
  EXPECT_EQ(seen.runs, 2);
  EXPECT_EQ(seen.of_runs, 3);
  EXPECT_EQ(seen.cases, 7);
  EXPECT_EQ(seen.problem, "last");
  EXPECT_TRUE(history.seen("none").empty());
}

TEST_F(AHistory, ThatIsNoneOrOfAnotherVersionIsRefused) {
  std::ofstream(file()) << "no database, but a text that is long enough to be taken for one: "
                        << std::string(4096, 'x');
  EXPECT_THROW(History{file()}, UsageError);
  std::filesystem::remove(file());
  { History history(file()); }
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file().c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "PRAGMA user_version = 7", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  try {
    const History history(file());
    ADD_FAILURE() << "opened";
  } catch (const UsageError& illegal) {
    EXPECT_NE(std::string(illegal.what()).find("of version 7"), std::string::npos) << illegal.what();
  }
}

TEST_F(AHistory, OfCampaignsIsMadeAgainOfTheirJournals) {
  const std::string memory = " --memory '" + folder_.string() + "' ";
  const std::string mutant =
      "fuzz --subject mutant:nibbles-in-order --property value/float --cases 64 --shrink-seconds 1";
  run(mutant + " --seed 1" + memory + out("one"));
  const Ran second = run(mutant + " --seed 2" + memory + out("two"));
  EXPECT_NE(second.text.find("seen in 2 of 2 campaigns since 20"), std::string::npos) << second.text;
  run("verify --subject host --property bits/ --cases 20 " + out("verified"));
  const std::vector<RunOfHistory> kept = History(file()).runs();
  ASSERT_EQ(kept.size(), 2);
  EXPECT_GE(kept[0].findings.size(), 1);
  const std::string commit = json_in("one/campaign.json")["provenance"]["commit"];

  std::filesystem::remove(file());
  const Ran again = run("fuzz history" + memory);
  EXPECT_EQ(again.exit, 0) << again.text;
  EXPECT_NE(again.text.find("3 runs and "), std::string::npos) << again.text;
  std::vector<RunOfHistory> made = History(file()).runs();
  ASSERT_EQ(made.size(), 3);
  EXPECT_EQ(made.back().kind, "verify");
  made.pop_back();
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(made[i].folder, kept[i].folder);
    EXPECT_EQ(made[i].begun, kept[i].begun);
    EXPECT_EQ(made[i].verdict, kept[i].verdict);
    EXPECT_EQ(made[i].commit, commit);
    EXPECT_EQ(kept[i].commit, commit);
    EXPECT_EQ(made[i].findings, kept[i].findings);
    EXPECT_EQ(made[i].figures[0], kept[i].figures[0]);
  }
}

TEST_F(AHistory, KnowsCampaignsWhoseRecordsLieElsewhere) {
  const std::string memory = " --memory '" + at("memory") + "' ";
  run("fuzz --subject host --property bits/ --cases 64 --seed 1" + memory + out("elsewhere"));
  run("fuzz --cases 128 --resume '" + at("elsewhere") + "'");  // in the memory that it was begun with
  const Ran shown = run("fuzz history" + memory);
  EXPECT_EQ(shown.exit, 0) << shown.text;
  EXPECT_NE(shown.text.find("1 run and "), std::string::npos) << shown.text;
  const std::vector<RunOfHistory> runs = History(folder_ / "memory" / "history.sqlite").runs();
  ASSERT_EQ(runs.size(), 1);
  EXPECT_EQ(runs[0].folder, std::filesystem::canonical(at("elsewhere")));
  const auto cases = std::ranges::find(runs[0].figures, "cases", &Figure::name);
  ASSERT_NE(cases, runs[0].figures.end());
  EXPECT_EQ(cases->value, 128);
}

TEST_F(AHistory, ThatCannotBeWrittenIsSaidAndTheCampaignIsWhatItIs) {
  std::ofstream(file()) << std::string(4096, 'x');
  const Ran ran =
      run("fuzz --subject host --property bits/ --cases 64 --seed 1 --memory '" + folder_.string() + "' " + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("not in the history: "), std::string::npos) << ran.text;
  EXPECT_EQ(text_of(file()), std::string(4096, 'x'));
  expect_refused(run("fuzz history --memory '" + folder_.string() + "'"), "history.sqlite");
  expect_refused(run("fuzz history '" + folder_.string() + "' --memory '" + at("other") + "'"), "the folder of a run");
}

RunOfHistory timed_on(const char* gpu, const std::string& folder) {
  RunOfHistory run;
  run.folder = folder;
  run.kind = "bench";
  run.begun = "2026-11-22T15:50:00Z";
  run.machine = machine_of({{"gpu", {{"name", gpu}}}}).dump();
  run.figures = {{"cuda unpack", "bytes/s", 1e12}};
  return run;
}

TEST_F(AHistory, HasASeriesForEachGpu) {
  History(file()).keep(timed_on("NVIDIA H100", "/one"));
  History(file()).keep(timed_on("NVIDIA H200", "/two"));
  const Ran ran = run("report --history '" + file().string() + "'");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("2 figures"), std::string::npos) << ran.text;
}

TEST_F(AHistory, IsShownWhereNothingCanBeWrittenBesideIt) {
  const std::filesystem::path mount = folder_ / "mount", here = folder_ / "here";
  std::filesystem::create_directories(mount);
  std::filesystem::create_directories(here);
  {
    // A killed run leaves its last entry only in the write-ahead log.
    History history(file());
    history.keep(timed_on("NVIDIA H200", "/one"));
    for (const char* part : {"", "-wal"}) {
      std::filesystem::copy_file(file().string() + part, mount / ("history.sqlite" + std::string(part)));
    }
  }
  ASSERT_GT(std::filesystem::file_size(mount / "history.sqlite-wal"), 0u);
  const std::optional<Ran> had = run_beside_read_only(
      mount, "cd '" + here.string() + "' && " + program + " report --history '" + mount.string() + "/history.sqlite'");
  if (!had) GTEST_SKIP() << "no mount of its own can be had here";
  const Ran& ran = *had;
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("1 figure"), std::string::npos) << ran.text;
  EXPECT_TRUE(std::filesystem::exists(here / "history.html")) << ran.text;
}

}  // namespace

}  // namespace tileproof
