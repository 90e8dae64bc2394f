#include "fuzz/campaign/accuracy_run.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <tuple>

#include "fuzz/process/in_threads.h"

namespace tileproof {

namespace {

/// The reason why a case compared nothing: kind and details.
std::pair<std::string, std::string> why_not(const CaseOutcome& outcome) {
  if (outcome.finding) return {outcome.finding->kind, outcome.finding->details};
  if (outcome.refused) return {"refused", *outcome.refused};
  if (outcome.unavailable) return {"unavailable", *outcome.unavailable};
  return {"nothing", "the case compared nothing"};
}

bool is_of_row(const MeasuredRow& row, const Measurement& measurement, const Problem& p) {
  const Problem& like = row.like();
  return row.measurement == &measurement && like.scheme == p.scheme && like.types == p.types &&
         like.format == p.format && like.group_size == p.group_size;
}

/// The crash budget of measurements.
struct Left {
  Patience patience = {.crashes = 30};
  std::string why_no_more = "";
};

/// @param runner  made for the first case that runs
void run_case(const MeasuredSubject& subject, const Measurement& measurement, MeasuredCase& one, Left& left,
              std::shared_ptr<CaseRunner>& runner) {
  one.kind = "not run";
  one.details = subject.stop && subject.stop() ? "interrupted" : left.why_no_more;
  if (!one.details.empty()) return;
  Coverage coverage;
  coverage.compared_elements.emplace();
  CaseOutcome outcome;
  try {
    if (runner == nullptr) runner = subject.runner();
    outcome = runner->run(measurement.property,
                          problem_for(measurement, accuracy_problems()[one.problem], subject.row.name), coverage);
  } catch (const std::runtime_error& error) {  // the machine gives no more processes
    one.details = left.why_no_more = error.what();
    return;
  }
  if (!left.patience.outlasts(outcome)) left.why_no_more = "too many processes have died of the cases before";
  if (coverage.compared_elements && coverage.compared_elements->elements != 0) {
    one.compared_elements = std::move(*coverage.compared_elements);
    one.kind.clear();
  } else {
    std::tie(one.kind, one.details) = why_not(outcome);
  }
}

}  // namespace

void AccuracyRun::add(const MeasuredSubject& subject) {
  std::vector<MeasuredRow> rows;
  for (const Measurement& measurement : measurements()) {
    for (std::size_t problem = 0; problem < accuracy_problems().size(); ++problem) {
      const Problem& p = accuracy_problems()[problem];
      if ((wanted_ && !wanted_(p)) || !is_measured(measurement, p, subject.row.capabilities)) continue;
      const bool goes_on = !rows.empty() && is_of_row(rows.back(), measurement, p);
      if (!goes_on) rows.push_back({subject.row.name, &measurement, {}});
      rows.back().cases.push_back({problem});
    }
  }
  prepare(rows);
  // The cases of a row run one after the other on one runner of their own, so that the number of threads changes no
  // result, even of a subject whose calls depend on earlier ones.
  Left of_all;
  in_threads(subject.jobs, rows.size(), [&](std::size_t, std::size_t i) {
    Left of_row;
    Left& left = subject.jobs == 1 ? of_all : of_row;  // a budget a row, so that timing changes no result
    std::shared_ptr<CaseRunner> runner;
    for (MeasuredCase& one : rows[i].cases) run_case(subject, *rows[i].measurement, one, left, runner);
  });
  replay_flags_[subject.row.name] = subject.replay_flags;
  std::move(rows.begin(), rows.end(), std::back_inserter(rows_));
}

void AccuracyRun::prepare(const std::vector<MeasuredRow>& rows) {
  std::vector<std::tuple<const Measurement*, std::size_t, AccuracyData*>> missing;
  for (const MeasuredRow& row : rows) {
    for (const MeasuredCase& one : row.cases) {
      const auto [at, is_new] = data_.try_emplace({row.measurement->expected, one.problem});
      if (is_new) missing.emplace_back(row.measurement, one.problem, &at->second);
    }
  }
  in_threads(threads_, missing.size(), [&](std::size_t, std::size_t i) {
    const auto& [measurement, problem, data] = missing[i];
    *data = tileproof::data_of(*measurement, accuracy_problems()[problem]);
  });
}

const AccuracyData& AccuracyRun::data_of(const Measurement& measurement, std::size_t problem) const {
  return data_.at({measurement.expected, problem});
}

}  // namespace tileproof
