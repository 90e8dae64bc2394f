// Tests report as a user meets it, over new runs and over the committed examples. The examples are parts of the records
// of `verify --subject host --property bits/ --property determinism/ --cases 40 --accuracy`, and the same with
// mutant:unpack-sign-extends-the-top-nibble.
#include <gtest/gtest.h>

#include "fuzz/commands/running.h"
#include "fuzz/records/records.h"
#include "properties/accuracy/measurements.h"

namespace tileproof {

namespace {

namespace fs = std::filesystem;

class ReportCommand : public Command {
 protected:
  std::string quoted(const std::string& name) const { return "'" + at(name) + "' "; }
  static std::string example(const std::string& name) { return "'" TILEPROOF_REPORT_EXAMPLES "/" + name + "' "; }
  std::string page() const { return "--out " + quoted("made/report.html"); }
  nlohmann::json data() const { return json_in("made/report.json"); }
};

TEST_F(ReportCommand, WritesThePageBesideTheRunInAFolderOfItsOwn) {
  ASSERT_EQ(run("verify --subject host --property bits/ --cases 60 " + out("run")).exit, 0);
  const Ran ran = run("report " + quoted("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("EXACT: Nothing fails"), std::string::npos) << ran.text;
  for (const char* name : {"report.html", "summary.md", "junit.xml", "report.json"}) {
    EXPECT_TRUE(fs::exists(folder_ / "run" / "report" / name)) << name;
  }
  EXPECT_EQ(run("report " + quoted("run")).exit, 0) << "its own page is no record";
}

TEST_F(ReportCommand, OfAMutantAgainstARunWithoutItIsRegressed) {
  ASSERT_EQ(run("verify --subject host --property value/ --cases 60 " + out("clean")).exit, 0);
  ASSERT_EQ(run("verify --subject mutant:two-roundings --property value/ --cases 60 " + out("mutant")).exit, 1);
  const Ran ran = run("report " + quoted("mutant") + "--against " + quoted("clean") + page());
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_EQ(data()["verdict"], "REGRESSED");
  EXPECT_EQ(run("report " + quoted("clean") + "--against " + quoted("clean") + page()).exit, 0);
}

TEST_F(ReportCommand, TakesRecordsOfSeveralCommandsTogether) {
  ASSERT_EQ(run("verify --subject host --property bits/ --cases 60 " + out("all/verify")).exit, 0);
  ASSERT_EQ(
      run("prove arithmetic --subject cpu --property arithmetic/every_bf16_weight_without " + out("all/prove")).exit,
      0);
  ASSERT_EQ(run("fuzz --subject host --property bits/ --seed 1 --cases 64 " + out("all/fuzz")).exit, 0);
  const std::string bench = "bench --subject host --shapes 64x256 --repeats 5 --cases 0 --only pack --json ";
  ASSERT_EQ(run(bench + quoted("all/bench.json")).exit, 0);
  const Ran ran = run("report " + quoted("all") + page());
  EXPECT_EQ(ran.exit, 0) << ran.text;
  std::map<std::string, int> kinds;
  const nlohmann::json items = data()["items"];
  for (const nlohmann::json& item : items) ++kinds[item["kind"].get<std::string>()];
  for (const char* kind : {"property", "proof", "campaign", "speed"}) EXPECT_GT(kinds[kind], 0) << kind;
  EXPECT_EQ(data()["records"].size(), 4u);
}

TEST_F(ReportCommand, OfTheMutantExampleIsRegressedAndItsHeatmapShowsThePattern) {
  const Ran ran = run("report " + example("mutant") + "--against " + example("clean") + page());
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_EQ(data()["verdict"], "REGRESSED");
  // The mutant is wrong in the top nibble of a word, which holds every second column of the upper half of 32.
  const nlohmann::json map = data()["charts"]["place-0"]["data"][0];
  std::set<std::size_t> columns;
  for (const nlohmann::json& row : map["z"]) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      if (row[column] != 0) columns.insert(column);
    }
  }
  EXPECT_EQ(columns, (std::set<std::size_t>{25, 27, 29, 31, 57, 59, 61, 63}));
  EXPECT_EQ(run("report " + example("clean") + "--against " + example("clean") + page()).exit, 0);
}

TEST_F(ReportCommand, WritesBudgetsAndHoldsRunsToThem) {
  const std::string budgets = "--budgets " + quoted("budgets.json");
  EXPECT_EQ(run("report " + example("clean") + "--update-budgets " + budgets).exit, 0);
  const std::string written = text_of(folder_ / "budgets.json");
  EXPECT_NE(written.find("\"max_ulp\": 0"), std::string::npos) << written.substr(0, 400);
  const Ran ran = run("report " + example("mutant") + "--update-budgets " + budgets);
  EXPECT_EQ(ran.exit, 1);
  EXPECT_NE(ran.text.find("NOT TAKEN unpack"), std::string::npos) << ran.text;
}

TEST_F(ReportCommand, RefusesWhatItCannotDo) {
  expect_refused(run("report " + quoted("nowhere")), "legal is a folder that verify, prove or fuzz wrote");
  ASSERT_EQ(run("verify --subject host --property bits/ --cases 60 " + out("run")).exit, 0);
  expect_refused(run("report " + quoted("run") + "--out " + quoted("page.txt")), "it does not end in .html");
  expect_refused(run("report " + quoted("run") + "--out " + quoted("run/report.html")), "its folder holds a run");
  expect_refused(run("report " + quoted("run") + "--against ''"), "--against");
  expect_refused(run("report " + quoted("run") + "--history"), "beside RUN");
  expect_refused(run("report " + quoted("run") + "--budgets " + quoted("nowhere.json")), "--budgets");
  expect_refused(run("report " + quoted("run") + "--budgets " + quoted("run")), "--budgets");
  fs::create_directories(folder_ / "empty");
  expect_refused(run("report " + quoted("empty")), "no record is in it");
  fs::remove(folder_ / "run" / "summary.json");
  expect_refused(run("report " + quoted("run")), "still being written, or was killed");
}

class Baseline : public ReportCommand, public testing::WithParamInterface<const char*> {
 protected:
  static std::string folder() { return std::string(TILEPROOF_BASELINES "/") + GetParam(); }
};

/// A first verify must not be compared with figures of other codes and parameters.
TEST_P(Baseline, MeasuredTheInputsThatThisTreeDraws) {
  std::map<std::string, std::string> here;  // the hash of a problem's inputs, by its seed
  for (const Problem& problem : accuracy_problems()) {
    here[in_hex(problem.seed)] = in_hex(data_of(measurements().front(), problem).inputs);
  }
  const nlohmann::json measured = nlohmann::json::parse(text_of(folder() + "/accuracy.json"));
  ASSERT_GT(measured["problems"].size(), 100u);
  for (const nlohmann::json& problem : measured["problems"]) {
    ASSERT_EQ(here[problem.at("seed")], problem.value("inputs", "no hash of them"))
        << "measure baselines and budgets anew: " << problem;
  }
}

TEST_P(Baseline, IsWithinItsBudgets) {
  const Ran ran = run("report '" + folder() + "' " + page());
  const nlohmann::json report = data();
  EXPECT_TRUE(report["bad_input"].empty()) << report["bad_input"];
  std::size_t measured = 0;
  for (const nlohmann::json& item : report["items"]) {
    EXPECT_NE(item["word"], "OVER BUDGET") << item;
    measured += item["kind"] == "accuracy" ? 1 : 0;
  }
  EXPECT_GT(measured, 100u);
}

INSTANTIATE_TEST_SUITE_P(Report, Baseline, testing::Values("h200", "two-cores"));

}  // namespace

}  // namespace tileproof
