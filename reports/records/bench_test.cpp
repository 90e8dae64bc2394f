// Tests of the bench's table and its comparison with a baseline, on repeats that are given here and not measured.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "reports/records/records_for_tests.h"
#include "reports/reports.h"

namespace tileproof::reports {

namespace {

using Samples = std::vector<double>;

/// Repeats in seconds, from `value` milliseconds on and one microsecond apart, in a shuffled order.
Samples milliseconds(double value, int repeats = 20) {
  Samples samples;
  for (int i = 0; i < repeats; ++i) samples.push_back(value * 1e-3 + (i * 7 % repeats) * 1e-6);
  return samples;
}

json row(const std::string& name, const Samples& operation, const Samples& copy) {
  json one = timed_row(name, operation, copy);
  one["seconds"]["fill"] = copy;
  return one;
}

json cases(const Samples& seconds) {
  return {{"name", "host random cases"},         {"unit", "cases"}, {"amount", 5000},
          {"seconds", {{"operation", seconds}}}, {"wrong", ""},     {"note", ""}};
}

BenchComparison compared(const json& now, const json& before) {
  return bench_comparison(bench_of({now}), bench_of({before}), false);
}

TEST(BenchTable, SaysMediansSpreadsSpeedsAndRatios) {
  // The median of 10, 20 and 30 ms is 20 ms; the quartiles are 15 and 25 ms, so that the spread is 10 ms, 50 %.
  json one = row("cuda unpack", {0.01, 0.03, 0.02}, {0.005, 0.015, 0.01});
  one["seconds"]["fill"] = {0.004, 0.012, 0.008};
  one["seconds"]["identity"] = {5, 15, 10};
  const std::string text = bench_table(bench_of({one}), false);
  expect_says(text, "cuda unpack  20.0 ms  50.0 %  50.0 GB/s    0.500    0.400         500x  ██████████\n");
  expect_says(text, "CPU: a CPU; GPU: a GPU (l2_bytes 50, sms 132)\n");
}

TEST(BenchTable, LeavesOutWhatNobodyHas) {
  expect_says_not(bench_table(bench_of({row("x", {1}, {1})}), false), "of identity");
  const std::string of_cases = bench_table(bench_of({cases({1})}), false);
  for (const std::string title : {"of copy", "of fill", "of identity", "1.0 is a copy"})
    expect_says_not(of_cases, title);
}

TEST(BenchTable, TakesRatiosWithinARepeat) {
  // The ratios are 2, 1 and 4, with median 2. The ratio of the two medians, 4 and 4, would be 1.
  const json drifting = row("x", {1, 4, 8}, {2, 4, 32});
  expect_says(bench_table(bench_of({drifting}), false), " 2.000 ");
}

TEST(BenchTable, DrawsABarOfTwentyForACopyInEighths) {
  const auto bar_of = [](double part) {
    const std::string text = bench_table(bench_of({row("x", {1}, {part})}), false);
    const std::string line = text.substr(text.find("\nx ") + 1);
    const std::size_t begin = line.find_first_of("\xe2");
    return begin == std::string::npos ? "" : line.substr(begin, line.find('\n') - begin);
  };
  std::string twenty;
  for (int i = 0; i < 20; ++i) twenty += "█";
  EXPECT_EQ(bar_of(1), twenty);
  EXPECT_EQ(bar_of(0.15), "███");
  EXPECT_EQ(bar_of(0.125), "██▌");
  EXPECT_EQ(bar_of(0.00625), "▏");
  EXPECT_EQ(bar_of(100).size(), 30 * 3u);  // the longest bar is 30 characters of 3 bytes
}

TEST(BenchTable, SaysCasesASecondAndWhatIsSlowest) {
  json one = cases({0.5, 0.5, 0.5});
  one["note"] = "the slowest is size/large, 12 cases a second";
  const std::string text = bench_table(bench_of({one}), false);
  expect_says(text, "host random cases  500 ms   0.0 %  10000 cases/s");
  expect_says(text, "host random cases: the slowest is size/large, 12 cases a second");
}

TEST(BenchTable, SaysWhatIsWrongWhatWasLeftOutAndWhatWasNotMeasured) {
  json record = bench_of({row("x", {1}, {1})});
  record["rows"][0]["wrong"] = "3 of 8 elements are wrong\x1b[2J";
  record["skipped"] = {"cuda unpack 8x33: k: given 33"};
  record["not_measured"] = {{"torch", "no CUDA device"}};
  const std::string text = bench_table(record, false);
  expect_says(text, "WRONG x: 3 of 8 elements are wrong\\x1b[2J");
  expect_says(text, "left out: cuda unpack 8x33: k: given 33");
  expect_says(text, "not measured: torch: no CUDA device");
}

TEST(BenchComparison, OfTheSameRepeatsIsTheSame) {
  const json one = row("x", milliseconds(10), milliseconds(9));
  const BenchComparison result = compared(one, one);
  EXPECT_EQ(result.slower, 0u);
  EXPECT_EQ(result.compared, 1u);
  expect_says_not(result.text, "SLOWER");
  expect_says_not(result.text, "WARNING");
  expect_says(result.text, "1 row compared: 0 slower, 0 faster, 1 the same");
}

TEST(BenchComparison, MarksWhatHasBecomeSlower) {
  const BenchComparison result =
      compared(row("x", milliseconds(10.5), milliseconds(9)), row("x", milliseconds(10), milliseconds(9)));
  EXPECT_EQ(result.slower, 1u);
  expect_says(result.text, "SLOWER x: 0.900 -> 0.857 of copy (-4.8 %, p = ");
}

TEST(BenchComparison, MarksWhatHasBecomeFasterAndIsGreen) {
  const BenchComparison result =
      compared(row("x", milliseconds(9.5), milliseconds(9)), row("x", milliseconds(10), milliseconds(9)));
  EXPECT_EQ(result.slower, 0u);
  expect_says(result.text, "faster x: 0.900 -> 0.947");
  expect_says(result.text, "0 slower, 1 faster, 0 the same");
}

TEST(BenchComparison, SeesNoDifferenceInAnotherClock) {
  EXPECT_EQ(compared(row("x", milliseconds(20), milliseconds(18)), row("x", milliseconds(10), milliseconds(9))).slower,
            0u);
}

TEST(BenchComparison, SeesADifferenceThatAnotherClockHides) {
  EXPECT_EQ(compared(row("x", milliseconds(10), milliseconds(8)), row("x", milliseconds(10), milliseconds(9))).slower,
            1u);
}

TEST(BenchComparison, LetsPassLessThanTwoPercentHoweverSure) {
  const BenchComparison result =
      compared(row("x", milliseconds(10.15), milliseconds(9)), row("x", milliseconds(10), milliseconds(9)));
  EXPECT_EQ(result.slower, 0u);
  expect_says(result.text, "1 the same");
}

TEST(BenchComparison, LetsPassWhatTheSpreadExplains) {
  // The median is about five percent worse, but the repeats of each row spread over a factor of five.
  Samples wide, wider;
  for (int i = 0; i < 20; ++i) {
    wide.push_back(0.005 + 0.001 * i);
    wider.push_back(0.0055 + 0.00102 * i);
  }
  const Samples copy(20, 0.009);
  const BenchComparison result = compared(row("x", wider, copy), row("x", wide, copy));
  EXPECT_EQ(result.slower, 0u) << result.text;
  EXPECT_EQ(result.compared, 1u);
}

TEST(BenchComparison, SaysWhereRepeatsAreTooFewToTell) {
  const BenchComparison result =
      compared(row("x", milliseconds(30, 3), milliseconds(9, 3)), row("x", milliseconds(10, 3), milliseconds(9, 3)));
  EXPECT_EQ(result.slower, 0u);
  EXPECT_EQ(result.compared, 0u);
  expect_says(result.text, "too few repeats to tell: x: ");
}

TEST(BenchComparison, ListsRowsThatAreMissingOnEitherSide) {
  const json shared = row("both", milliseconds(10), milliseconds(9));
  const BenchComparison result =
      bench_comparison(bench_of({shared, row("new", {1}, {1})}), bench_of({row("old", {1}, {1}), shared}), false);
  EXPECT_EQ(result.compared, 1u);
  expect_says(result.text, "only here: new\n");
  expect_says(result.text, "only in the baseline: old\n");
}

TEST(BenchComparison, WarnsOfAnotherMachineAndComparesAllTheSame) {
  const json one = row("x", milliseconds(10), milliseconds(9));
  json before = bench_of({one});
  before["machine"]["gpu"] = "another GPU";
  const BenchComparison other_gpu = bench_comparison(bench_of({one}), before, false);
  EXPECT_EQ(other_gpu.compared, 1u);
  expect_says(other_gpu.text, "WARNING: ANOTHER GPU: the baseline is of another GPU, this run of a GPU");
  expect_says_not(other_gpu.text, "ANOTHER CPU");
  before["machine"]["cpu"] = "";
  expect_says(bench_comparison(bench_of({one}), before, false).text, "ANOTHER CPU: the baseline is of none");
}

TEST(BenchComparison, ComparesCasesASecondWhereThereIsNoCopy) {
  const Samples before = {1.0, 1.01, 1.02, 1.03, 1.04}, slower = {1.1, 1.11, 1.12, 1.13, 1.14};
  const BenchComparison result = compared(cases(slower), cases(before));
  EXPECT_EQ(result.slower, 1u);
  expect_says(result.text, "SLOWER host random cases: 4902 -> 4464 cases/s (-8.9 %, p = 0.0079)");
  json more = cases(before);  // as fast, with twice as many cases
  more["amount"] = 10000;
  for (json& one : more["seconds"]["operation"]) one = one.get<double>() * 2;
  EXPECT_EQ(compared(more, cases(before)).slower, 0u);
}

std::string validate(const json& record) {
  return message_of([&] { require_bench(record); });
}

TEST(BenchRecords, AreReadBackFromTheirText) {
  const json record = bench_of({row("x", milliseconds(10), milliseconds(9)), cases({1, 2, 3})});
  const json again = json::parse(record.dump());
  EXPECT_EQ(bench_table(again, true), bench_table(record, true));
  EXPECT_EQ(validate(again), "nothing was thrown");
}

TEST(BenchRecords, AreRefusedWhereTheyAreNone) {
  const json good = bench_of({row("x", {1, 2}, {1, 2})});
  const auto with = [&](const char* pointer, const json& value) {
    json bad = good;
    bad[json::json_pointer(pointer)] = value;
    return validate(bad);
  };
  EXPECT_EQ(validate(json::array()), "bench.json: expected an object, got []");
  EXPECT_EQ(validate({{"rows", 1}}), "bench.json: schema: expected a whole number, not negative, got nothing");
  EXPECT_EQ(with("/schema", 1), "bench.json: schema: expected 2, the only one that this version reads, got 1");
  EXPECT_EQ(with("/rows", 7), "bench.json: rows: expected an array, got 7");
  EXPECT_EQ(with("/rows/1", good["rows"][0]), "bench.json: rows[1].name: expected each name once, got \"x\"");
  EXPECT_EQ(with("/rows/0/unit", "m"), "bench.json: rows[0].unit: expected bytes or cases, got \"m\"");
  EXPECT_EQ(with("/rows/0/amount", 0), "bench.json: rows[0].amount: expected some, got 0");
  EXPECT_EQ(with("/rows/0/seconds/copy", {1}),
            "bench.json: rows[0].seconds.copy: expected as many repeats as of the operation, got [1]");
  EXPECT_EQ(with("/rows/0/seconds/operation/1", 0),
            "bench.json: rows[0].seconds.operation[1]: expected more than no seconds, got 0");
  EXPECT_EQ(with("/rows/0/seconds/operation/1", "fast"),
            "bench.json: rows[0].seconds.operation[1]: expected a number of seconds, got \"fast\"");
  EXPECT_EQ(with("/rows/0/seconds/operation", json::array()),
            "bench.json: rows[0].seconds.operation: expected one repeat at least, got []");
  EXPECT_EQ(with("/rows/0/seconds", json::object()),
            "bench.json: rows[0].seconds.operation: expected an array, got nothing");
  EXPECT_EQ(with("/machine", 1), "bench.json: machine: expected an object, got 1");
}

}  // namespace

}  // namespace tileproof::reports
