// Tests bench as a user runs it: its files, its comparisons, its refusals. No test depends on a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "fuzz/commands/running.h"

namespace tileproof {

namespace {

using nlohmann::json;

const std::string quick_bench = "bench --subject host --shapes 64x128 ";
const std::string one_row = "bench --subject host --shapes 64x128 --only unpack --only none ";

class Bench : public Command {
 protected:
  void write(const std::string& name, const std::string& text) const { std::ofstream(at(name)) << text; }
};

std::vector<std::string> names_of(const json& record) {
  std::vector<std::string> names;
  for (const json& row : record["rows"]) names.push_back(row["name"]);
  return names;
}

TEST_F(Bench, LeavesEveryRepeatAndTheMachine) {
  const Ran ran = run(quick_bench + "--repeats 2 --cases 1 --json '" + at("now.json") + "'");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  const json record = json_in("now.json");
  EXPECT_EQ(record["schema"], 2);
  for (const char* what : {"compiler", "cpu", "gpu", "commit"})
    EXPECT_TRUE(record["machine"][what].is_string()) << what;
  EXPECT_GE(record["machine"]["cores"], 1);
  const std::vector<std::string> names = names_of(record);
  EXPECT_EQ(names.size(), 3 * 3 + 4 + 12 + 1u);
  for (const std::string name : {"host pack 64x128 tinygemm-2 warm", "host unpack 64x128 tinygemm-8 warm",
                                 "host dequantize bf16 float 64x128 tinygemm-4 group=128 warm",
                                 "host dequantize fp32 float 64x128 tinygemm-8 group=128 warm", "host random cases"}) {
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
    EXPECT_NE(ran.text.find(name), std::string::npos) << ran.text;
  }
  for (const json& row : record["rows"]) {
    EXPECT_EQ(row["seconds"]["operation"].size(), 2u);
    EXPECT_EQ(row["wrong"], "");
    EXPECT_EQ(row["seconds"].contains("copy"), row["unit"] == "bytes");
  }
  EXPECT_GT(record["rows"].back()["amount"], 10);
  EXPECT_NE(record["rows"].back()["slowest"]["property"], "");
}

TEST_F(Bench, NeverGivesTheSpeedOfAWrongResult) {
  const Ran ran = run("bench --subject mutant:two-roundings --shapes 64x128 --repeats 2 --cases 0 --only 'bf16 float'");
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_NE(ran.text.find("WRONG mutant:two-roundings dequantize bf16 float"), std::string::npos) << ran.text;
}

TEST_F(Bench, NeverGivesTheRateOfCasesThatFail) {
  const Ran ran = run("bench --subject mutant:two-roundings --repeats 2 --cases 20 --only cases");
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_NE(ran.text.find("mismatch"), std::string::npos) << ran.text;
}

TEST_F(Bench, SaysWhatItLeavesOut) {
  const Ran ran = run("bench --subject host --shapes 8x96 --repeats 2 --cases 0 --only unpack");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("left out: host unpack 8x96 tinygemm-4 warm: k: given 96"), std::string::npos) << ran.text;
}

TEST_F(Bench, OfNothingIsRed) { EXPECT_EQ(run("bench --subject host --shapes 8x40 --repeats 2 --cases 0").exit, 3); }

/// A baseline whose copies took `factor` times as long claims operations that were `factor` times as fast beside them.
TEST_F(Bench, MarksWhatHasBecomeSlowerAndNothingElse) {
  const std::string against = one_row + "--repeats 6 --cases 0 --against '" + at("baseline.json") + "'";
  ASSERT_EQ(run(one_row + "--repeats 6 --cases 0 --json '" + at("now.json") + "'").exit, 0);
  const auto write_baseline = [&](double factor) {
    json baseline = json_in("now.json");
    for (json& row : baseline["rows"]) {
      for (json& seconds : row["seconds"]["copy"]) seconds = seconds.get<double>() * factor;
    }
    baseline["rows"].erase(0);
    baseline["rows"][0]["name"] = "another";
    baseline["machine"]["cpu"] = "another CPU";
    write("baseline.json", baseline.dump());
  };
  write_baseline(1e6);
  const Ran slower = run(against);
  EXPECT_EQ(slower.exit, 1) << slower.text;
  EXPECT_NE(slower.text.find("SLOWER host unpack 64x128 tinygemm-8"), std::string::npos) << slower.text;
  EXPECT_NE(slower.text.find("only here: host unpack 64x128 tinygemm-2"), std::string::npos) << slower.text;
  EXPECT_NE(slower.text.find("only in the baseline: another"), std::string::npos) << slower.text;
  EXPECT_NE(slower.text.find("WARNING: ANOTHER CPU"), std::string::npos) << slower.text;
  write_baseline(1e-6);
  const Ran faster = run(against);
  EXPECT_EQ(faster.exit, 0) << faster.text;
  EXPECT_NE(faster.text.find("faster host unpack 64x128 tinygemm-8"), std::string::npos) << faster.text;
}

TEST_F(Bench, ThatCanCompareNothingIsRed) {
  const std::string now = one_row + "--repeats 2 --cases 0 ";
  ASSERT_EQ(run(now + "--json '" + at("now.json") + "'").exit, 0);
  const Ran ran = run(now + "--against '" + at("now.json") + "'");
  EXPECT_EQ(ran.exit, 3) << ran.text;
  EXPECT_NE(ran.text.find("too few repeats to tell"), std::string::npos) << ran.text;
}

TEST_F(Bench, RefusesABaselineThatIsNone) {
  ASSERT_EQ(run(one_row + "--repeats 2 --cases 0 --json '" + at("now.json") + "'").exit, 0);
  const auto refuses = [&](const std::string& text, const std::string& named) {
    write("bad.json", text);
    expect_refused(run(quick_bench + "--against '" + at("bad.json") + "'"), "--against");
    expect_refused(run(quick_bench + "--against '" + at("bad.json") + "'"), named);
  };
  const std::string good = text_of(at("now.json"));
  json other_schema = json::parse(good);
  other_schema["schema"] = 1;
  expect_refused(run(quick_bench + "--against '" + folder_.string() + "'"), "it is a folder");
  refuses(other_schema.dump(), "schema: expected 2, the only one that this version reads, got 1");
  refuses(good.substr(0, good.size() / 2), "it is no JSON, or not all of it");
  refuses("", "it is no JSON");
  refuses("a table", "it is no JSON");
  refuses("{}", "schema: expected");
  expect_refused(run(quick_bench + "--against '" + at("none.json") + "'"), "it cannot be read");
  expect_refused(run(quick_bench + "--against ''"), "--against");
}

TEST_F(Bench, RefusesShapesThatAreNone) {
  for (const std::string shape : {"64", "64x", "ax64", "64x128x2", "0x64", "8x64,8x64", "''"}) {
    expect_refused(run("bench --shapes " + shape), "--shapes");
  }
}

TEST_F(Bench, RefusesWhatItDoesNotKnow) {
  expect_refused(run("bench --subject hots"), "did you mean 'host'");
  expect_refused(run(quick_bench + "--only nothing"), "--only: given 'nothing'");
  expect_refused(run(quick_bench + "--repeats 1"), "--repeats");
  expect_refused(run(quick_bench + "--cases -1"), "--cases");
  expect_refused(run(quick_bench + "--json /proc/nowhere/now.json"), "--json");
  expect_refused(run("bench --shape 8x64"), "--shapes");
}

TEST_F(Bench, KeepsTheOldFileWhereItIsRefused) {
  write("now.json", "old");
  expect_refused(run("bench --shapes 64 --json '" + at("now.json") + "'"), "--shapes");
  EXPECT_EQ(text_of(at("now.json")), "old");
}

}  // namespace

}  // namespace tileproof
