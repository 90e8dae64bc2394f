// Budgets: the most specific one wins, a tie is an error, and a budget of 0 stays 0.
#include "reports/assessment/budgets.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "reports/records/records_for_tests.h"

namespace tileproof::reports {

namespace {

json budget(const json& match, double max_ulp) {
  return {{"match", match}, {"max_ulp", max_ulp}, {"non_finite", 0}, {"from", {{"run_start", "2026"}}}};
}

Budgets budgets(const std::vector<json>& rows) { return read_budgets({{"schema", 3}, {"budgets", rows}}); }

const AccuracyKey key = {"dequantize", "float", "bf16", "tinygemm-2", "32", "host"};

TEST(Budgets, TheMostSpecificWins) {
  const Budgets all =
      budgets({budget({{"operation", "dequantize"}}, 9), budget({{"operation", "dequantize"}, {"type", "bf16"}}, 2),
               budget({{"operation", "pack"}, {"type", "bf16"}, {"group", "32"}}, 7)});
  EXPECT_EQ(all.of(key, "")->max_ulp, 2);
  EXPECT_EQ(all.of({"dequantize", "float", "fp16", "2", "32", "host"}, "")->max_ulp, 9);
  EXPECT_EQ(all.of({"matmul", "float", "bf16", "2", "32", "host"}, ""), nullptr);
}

TEST(Budgets, AnArchitectureIsPartOfTheKey) {
  const Budgets all = budgets({budget({{"operation", "dequantize"}, {"architecture", "9.0"}}, 3)});
  EXPECT_EQ(all.of(key, "8.0"), nullptr);
  EXPECT_EQ(all.of(key, "9.0")->max_ulp, 3);
}

TEST(Budgets, TiesAreErrorsThatNameBoth) {
  const Budgets all = budgets({budget({{"operation", "dequantize"}}, 1), budget({{"type", "bf16"}}, 2)});
  const std::string why = message_of([&] { all.of(key, ""); });
  expect_says(why, "operation=dequantize");
  expect_says(why, "type=bf16");
  // A more specific budget resolves the tie.
  EXPECT_EQ(budgets({budget({{"operation", "dequantize"}}, 1), budget({{"type", "bf16"}}, 2),
                     budget({{"type", "bf16"}, {"group", "32"}}, 5)})
                .of(key, "")
                ->max_ulp,
            5);
}

TEST(Budgets, WhatTheFileMayNotSay) {
  expect_says(message_of([] { budgets({budget({{"colour", "red"}}, 1)}); }), "expected one of subject");
  expect_says(message_of([] {
                budgets({budget({{"type", "bf16"}}, 1), budget({{"type", "bf16"}}, 2)});
              }),
              "each match once");
  // Schema 1 counted values in between.
  expect_says(message_of([] { read_budgets({{"schema", 1}, {"budgets", json::array()}}); }), "schema");
  json nameless = budget({{"type", "bf16"}}, 1);
  nameless["from"] = json::object();
  expect_says(message_of([&] { budgets({nameless}); }), "the run that it was measured in");
}

BudgetUpdate updated_by(const Budgets& before, const json& row) {
  return updated(before, read_accuracy(accuracy({row})), "9.0", {{"run_start", "later"}});
}

TEST(Budgets, AreWhatWasMeasuredAndSayInWhichRun) {
  const BudgetUpdate update = updated_by({}, accuracy_row(4, 3, 4));
  ASSERT_EQ(update.budgets.rows().size(), 1u);
  const Budget& made = update.budgets.rows().front();
  EXPECT_EQ(made.max_ulp, 3);
  EXPECT_EQ(made.match.at("architecture"), "9.0");
  EXPECT_EQ(made.from.at("run_start"), "later");
  EXPECT_EQ(made.from.at("elements"), "1000");
  EXPECT_EQ(read_budgets(json_of(update.budgets)).of(key, "9.0")->max_ulp, 3);
}

TEST(Budgets, AreRaisedByAMeasurementButNeverFromZero) {
  const Budgets three = updated_by({}, accuracy_row(4, 3, 4)).budgets;
  EXPECT_EQ(updated_by(three, accuracy_row(4, 5, 4)).budgets.of(key, "9.0")->max_ulp, 5);
  EXPECT_EQ(updated_by(three, accuracy_row(4, 2, 4)).budgets.of(key, "9.0")->max_ulp, 2);
  const Budgets zero = updated_by({}, accuracy_row(0, 0, 0)).budgets;
  const BudgetUpdate refused = updated_by(zero, accuracy_row(4, 1, 4));
  EXPECT_EQ(refused.budgets.of(key, "9.0")->max_ulp, 0);
  EXPECT_TRUE(refused.changed.empty());
  ASSERT_EQ(refused.refused.size(), 1u);
  expect_says(refused.refused[0], "stays 0");
}

json row_of(const char* format, double ulp) {
  json row = accuracy_row(4, ulp, 4);
  row["format"] = format;
  return row;
}

TEST(Budgets, OneIsForAllLayoutsThatMeasureTheSame) {
  const auto measured = [](const Budgets& before, const std::vector<json>& rows) {
    return updated(before, read_accuracy(accuracy(rows)), "", {{"run_start", "later"}}).budgets;
  };
  const Budgets same = measured({}, {row_of("tinygemm-2", 3), row_of("tinygemm-4", 3)});
  ASSERT_EQ(same.rows().size(), 1u);
  EXPECT_FALSE(same.rows()[0].match.contains("format"));
  EXPECT_EQ(measured({}, {row_of("tinygemm-2", 3), row_of("tinygemm-4", 5)}).rows().size(), 2u);
  // The format that now measures something else gets its own budget; the other one keeps the shared budget.
  const Budgets later = measured(same, {row_of("tinygemm-2", 3), row_of("tinygemm-4", 5)});
  EXPECT_EQ(later.rows().size(), 2u);
  // Only a budget of one row knows its inputs. It is measured anew where those are others.
  json other = row_of("tinygemm-4", 5);
  other["inputs"] = "0x0000000000000008";
  const auto own = [](const Budgets& all) {
    return all.of({"dequantize", "float", "bf16", "tinygemm-4", "32", "host"}, "")->from;
  };
  EXPECT_FALSE(same.rows()[0].from.contains("inputs"));
  EXPECT_EQ(own(later).at("inputs"), "0x0000000000000007");
  EXPECT_EQ(own(measured(later, {other})).at("inputs"), "0x0000000000000008");
  EXPECT_EQ(later.of({"dequantize", "float", "bf16", "tinygemm-4", "32", "host"}, "")->max_ulp, 5);
  EXPECT_EQ(later.of({"dequantize", "float", "bf16", "tinygemm-2", "32", "host"}, "")->max_ulp, 3);
}

TEST(Budgets, NoMutantBecomesOne) {
  const BudgetUpdate update = updated_by({}, accuracy_row(4, 3, 2));
  EXPECT_TRUE(update.budgets.rows().empty());
  ASSERT_EQ(update.refused.size(), 1u);
  json row = accuracy_row(0, 0, 0);
  row["not_run"].push_back({{"problem", 1}, {"kind", "crash"}, {"details", "died"}});
  EXPECT_TRUE(updated_by({}, row).budgets.rows().empty());
}

TEST(Budgets, WhatDidNotChangeIsNotWritten) {
  const Budgets once = updated_by({}, accuracy_row(4, 3, 4)).budgets;
  EXPECT_TRUE(updated_by(once, accuracy_row(4, 3, 4)).changed.empty());
}

}  // namespace

}  // namespace tileproof::reports
