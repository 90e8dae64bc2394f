// Judges the accuracy table. Measurements are reproducible, so rows are compared exactly.
#include <map>

#include "reports/assessment/verdict.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

struct Figure {
  const char* name;
  double (*value)(const AccuracyRow&);
};

double number(std::uint64_t count) { return static_cast<double>(count); }

// A larger figure is worse.
const Figure figures[] = {
    {"largest error in ulp", [](const AccuracyRow& row) { return row.max_ulp(); }},
    {"largest error in last places of the largest term",
     [](const AccuracyRow& row) { return row.max_of_terms.value_or(0); }},
    {"non-finite disagreements", [](const AccuracyRow& row) { return number(row.non_finite_disagreements); }},
    {"unexplained differences", [](const AccuracyRow& row) { return number(row.unexplained); }},
    {"elements that differ", [](const AccuracyRow& row) { return number(row.elements - row.bit_equal); }},
    {"signs of zero lost", [](const AccuracyRow& row) { return number(row.signs_of_zero_lost); }},
    {"subnormals that differ", [](const AccuracyRow& row) { return number(row.subnormals_differing); }},
    {"p99.9 in ulp", [](const AccuracyRow& row) { return row.ulp ? row.ulp->p99_9.value : 0; }},
    {"p99 in ulp", [](const AccuracyRow& row) { return row.ulp ? row.ulp->p99.value : 0; }},
    {"median in ulp", [](const AccuracyRow& row) { return row.ulp ? row.ulp->median.value : 0; }},
};

struct Row {
  const AccuracyRow* row = nullptr;
  std::string architecture;
};
using Rows = std::map<AccuracyKey, Row>;

Rows rows_in(const Records& records) {
  Rows rows;
  for (const auto& found : records.measured) {
    // If a row was measured several times, the worst measurement counts.
    for (const AccuracyRow& row : found.record.rows) {
      Row& kept = rows[row.key];
      const bool worse = kept.row == nullptr || std::pair(row.unexplained, row.max_ulp()) >
                                                    std::pair(kept.row->unexplained, kept.row->max_ulp());
      if (worse) kept = {&row, architecture_of(found.provenance)};
    }
  }
  return rows;
}

/// @return the first figure that is worse, and the first that is better; "" for none
std::pair<std::string, std::string> changes(const AccuracyRow& now, const AccuracyRow& before) {
  std::pair<std::string, std::string> changes;
  for (const Figure& figure : figures) {
    const double then = figure.value(before), here = figure.value(now);
    std::string& change = here > then ? changes.first : changes.second;
    if (here == then || !change.empty()) continue;
    change = std::string(figure.name) + ": " + error_text(then) + " in the baseline, " + error_text(here) + " here";
  }
  return changes;
}

Item judged(const std::string& name, const Row& now, const Row* before, const Budget* budget) {
  const AccuracyRow& row = *now.row;
  const auto item = [&](Status word, const std::string& why) {
    return Item{word, "accuracy", name, why, word == Status::not_run};
  };
  if (row.elements == 0 || row.not_run != 0) {
    return item(row.elements == 0 ? Status::not_run : Status::mistrusted,
                counted(row.not_run, "problem") + " could not be run: " + row.why_not_run);
  }
  // Rows that measured different inputs have only their worst cases to compare, which show little.
  const bool is_like = before != nullptr && before->row->inputs == row.inputs &&
                       before->row->elements == row.elements && before->row->not_run == 0;
  const auto [worse, better] = before != nullptr ? changes(row, *before->row) : std::pair<std::string, std::string>();
  const std::string of_others = before == nullptr || is_like ? "" : "; the baseline measured other inputs";
  if (!worse.empty() &&
      (is_like || row.max_ulp() > before->row->max_ulp() || row.unexplained > before->row->unexplained)) {
    return item(Status::regressed, worse + of_others);
  }
  if (row.unexplained != 0) {
    return item(Status::failed, counted(row.unexplained, "difference") + " that nothing explains" +
                                    (before != nullptr ? ", as in the baseline" : ""));
  }
  const bool has_others = budget != nullptr && !budget->inputs().empty() && budget->inputs() != row.inputs;
  const std::string of_other_inputs = has_others ? ", measured on other inputs" : "";
  if (budget != nullptr && (row.max_ulp() > budget->max_ulp || row.non_finite_disagreements > budget->non_finite)) {
    return item(Status::over_budget, error_text(row.max_ulp()) + " ulp and " +
                                         counted(row.non_finite_disagreements, "non-finite disagreement") +
                                         "; the budget is " + error_text(budget->max_ulp) + " and " +
                                         with_commas(budget->non_finite) + of_other_inputs);
  }
  if (!better.empty() && is_like) return item(Status::improved, better);
  if (row.is_exact()) return item(Status::exact, "");
  const std::string most = "at most " + error_text(row.max_ulp()) + " ulp, all explained";
  if (before == nullptr && budget == nullptr) {
    return item(Status::is_new, "neither a baseline nor a budget has it; " + most);
  }
  const std::string within = has_others ? "; within a budget" + of_other_inputs : "";
  return item(Status::passed, most + within + of_others);
}

}  // namespace

std::vector<Item> items_of_accuracy(const Records& now, const Records* before, const Budgets& budgets) {
  const Rows rows = rows_in(now);
  const Rows baseline = before != nullptr ? rows_in(*before) : Rows();
  std::vector<Item> items;
  for (const auto& [key, row] : rows) {
    const auto then = baseline.find(key);
    items.push_back(judged(key.text() + " of " + key.subject, row, then == baseline.end() ? nullptr : &then->second,
                           budgets.of(key, row.architecture)));
  }
  for (const auto& [key, row] : baseline) {
    if (rows.contains(key)) continue;
    items.push_back({Status::not_run, "accuracy", key.text() + " of " + key.subject, "only the baseline has it", true});
  }
  return items;
}

}  // namespace tileproof::reports
