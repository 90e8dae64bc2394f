// Tests that the history shows a line for each figure, and a mark where it changed permanently.
#include <sqlite3.h>

#include "reports/page/report.h"
#include "reports/records/records_for_tests.h"
#include "reports/steps.h"

namespace tileproof::reports {

namespace {

TEST(Steps, AreWhereTheLevelChanges) {
  std::vector<double> values;
  for (int i = 0; i < 8; ++i) values.push_back(100 + i % 3);
  EXPECT_TRUE(statistics::steps_in(values).empty());
  for (int i = 0; i < 8; ++i) values.push_back(90 + i % 3);
  EXPECT_EQ(statistics::steps_in(values), std::vector<std::size_t>{8});
  for (int i = 0; i < 8; ++i) values.push_back(100 + i % 3);
  EXPECT_EQ(statistics::steps_in(values), (std::vector<std::size_t>{8, 16}));
}

TEST(Steps, NeitherOneOutlierNorAPercentIsOne) {
  std::vector<double> values(20, 100);
  values[10] = 50;
  EXPECT_TRUE(statistics::steps_in(values).empty());
  std::vector<double> little(20, 100);
  std::fill(little.begin() + 10, little.end(), 101);
  EXPECT_TRUE(statistics::steps_in(little).empty());
}

TEST(Steps, StandWhereTheChangeIsWhateverTheNoise) {
  std::vector<double> values;
  for (int i = 0; i < 30; ++i) values.push_back((i < 14 ? 35000 : 30000) * (1 + 0.004 * (i * 7 % 11 - 5)));
  EXPECT_EQ(statistics::steps_in(values), std::vector<std::size_t>{14});
}

TEST(Steps, WhatClimbsAllTheTimeHasNone) {
  std::vector<double> values;
  for (int i = 0; i < 30; ++i) values.push_back(25000 + 600 * i);
  EXPECT_TRUE(statistics::steps_in(values).empty());
}

TEST(Steps, FewerThanTenRunsCannotTell) {
  EXPECT_TRUE(statistics::steps_in({1, 1, 1, 1, 9, 9, 9, 9, 9}).empty());
  EXPECT_EQ(statistics::steps_in({1, 1, 1, 1, 1, 9, 9, 9, 9, 9}).size(), 1u);
}

class AHistory : public WithFolder {
 protected:
  std::filesystem::path made(int version, int runs) const {
    const std::filesystem::path file = folder_ / "history.sqlite";
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
    std::string sql =
        "PRAGMA user_version = " + std::to_string(version) +
        "; CREATE TABLE runs(id INTEGER PRIMARY KEY, folder TEXT, kind TEXT, subject TEXT, command TEXT, begun TEXT,"
        " seconds REAL, verdict TEXT, exit_code INTEGER, commit_hash TEXT, machine TEXT);"
        "CREATE TABLE figures(run INTEGER, name TEXT, unit TEXT, value REAL);";
    for (int i = 0; i < runs; ++i) {
      const std::string id = std::to_string(i), value = std::to_string((i < 6 ? 100 : 50) + i % 2);
      sql += "INSERT INTO runs VALUES (" + id + ", 'f" + id +
             "', 'fuzz', '<b>host', '', '2026-11-23T00:" + (i < 10 ? "0" : "") + id + ":00Z', 1, 'PASSED', 0, 'c" + id +
             "', '{\"cpu\":\"a cpu\",\"gpu\":\"\"}');";
      sql += "INSERT INTO figures VALUES (" + id + ", 'cases a second', '1/s', " + value + ");";
    }
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
    return file;
  }
};

TEST_F(AHistory, DrawsItsFiguresAndMarksTheirSteps) {
  const HistoryReport report = history_report(made(2, 11));
  EXPECT_EQ(report.trouble, "");
  EXPECT_EQ(report.said, "1 figure, 1 step\n");
  expect_says(report.html, "class=\"mark\"");
  expect_says(report.html, "<code>c6</code>");
  expect_says(report.html, "fuzz of &lt;b&gt;host: cases a second, on a cpu");
  const json data = json::parse(report.json);
  EXPECT_EQ(data["figures"][0]["steps"], json({6}));
}

TEST_F(AHistory, OfAnotherVersionOrNoneIsBadInput) {
  expect_says(history_report(made(1, 1)).trouble, "a history of version 1");
  expect_says(history_report(folder_ / "nowhere").trouble, "nowhere");
  expect_says(history_report(write("text", std::string("hello, this is no database at all"))).trouble, "text");
}

}  // namespace

}  // namespace tileproof::reports
