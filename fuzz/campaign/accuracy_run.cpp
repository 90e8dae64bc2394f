#include "fuzz/campaign/accuracy_run.h"

#include <algorithm>
#include <stdexcept>

#include "fuzz/campaign/judging.h"

namespace tileproof {

namespace {

/// The reason why a case compared nothing.
struct WhyNot {
  std::string kind;
  std::string details;
};
WhyNot why_not(const CaseOutcome& outcome) {
  if (outcome.finding) return {outcome.finding->kind, outcome.finding->details};
  if (outcome.refused) return {"refused", *outcome.refused};
  if (outcome.unavailable) return {"unavailable", *outcome.unavailable};
  return {"nothing", "the case compared nothing"};
}

/// Whether two problems of one measurement belong to the same row of the table.
bool share_a_row(const Problem& a, const Problem& b) {
  return a.scheme == b.scheme && a.types == b.types && a.format == b.format && a.group_size == b.group_size;
}

}  // namespace

/// Runs the tasks of a subject. The tasks of a row run one after the other on one runner of their own, so that the
/// number of threads changes no result, even of a subject whose calls depend on earlier ones.
class AccuracyRun::Running {
 public:
  Running(const MeasuredSubject& subject, std::vector<Task>& tasks) : subject_(subject), tasks_(tasks) {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const bool goes_on =
          i > 0 && tasks[i].measurement == tasks[i - 1].measurement &&
          share_a_row(accuracy_problems()[tasks[i].problem], accuracy_problems()[tasks[i - 1].problem]);
      if (!goes_on) rows_.emplace_back(i, i);
      rows_.back().second = i + 1;
    }
  }

  void all() {
    Left of_all;
    in_threads(subject_.jobs, rows_.size(), [&](std::size_t, std::size_t row) {
      const auto [first, end] = rows_[row];
      Left of_row;
      Left& left = subject_.jobs == 1 ? of_all : of_row;  // a budget a row, so that timing changes no result
      std::unique_ptr<CaseRunner> runner;
      for (std::size_t i = first; i < end; ++i) {
        run(tasks_[i], left, [&]() -> CaseRunner& {
          if (runner == nullptr) runner = subject_.runner();
          return *runner;
        });
      }
    });
  }

 private:
  /// The crash budget of measurements, in crashes; a hang costs ten.
  struct Left {
    std::int64_t crashes = 30;
    std::string why_no_more;
  };

  template <class Runner>
  void run(Task& task, Left& left, Runner runner) {
    task.kind = "not run";
    task.details = subject_.stop && subject_.stop() ? "interrupted" : left.why_no_more;
    if (!task.details.empty()) return;
    const Measurement& measurement = measurements()[task.measurement];
    Coverage coverage;
    coverage.compared_elements.emplace();
    CaseOutcome outcome;
    try {
      outcome = runner().run(measurement.property,
                             problem_for(measurement, accuracy_problems()[task.problem], subject_.row.name), coverage);
    } catch (const std::runtime_error& error) {  // the machine gives no more processes
      task.details = left.why_no_more = error.what();
      return;
    }
    if (outcome.process_lost && (left.crashes -= outcome.was_hang ? 10 : 1) <= 0) {
      left.why_no_more = "too many processes have died of the cases before";
    }
    task.kind.clear();
    if (coverage.compared_elements && coverage.compared_elements->elements != 0) {
      task.compared_elements = std::move(*coverage.compared_elements);
      return;
    }
    const WhyNot why = why_not(outcome);
    task.kind = why.kind;
    task.details = why.details;
  }

  const MeasuredSubject& subject_;
  std::vector<Task>& tasks_;
  std::vector<std::pair<std::size_t, std::size_t>> rows_;  // first task and end (exclusive) of each row
};

void AccuracyRun::add(const MeasuredSubject& subject) {
  std::vector<Task> tasks;
  for (std::size_t measurement = 0; measurement < measurements().size(); ++measurement) {
    for (std::size_t problem = 0; problem < accuracy_problems().size(); ++problem) {
      if (wanted_ && !wanted_(accuracy_problems()[problem])) continue;
      if (is_measured(measurements()[measurement], accuracy_problems()[problem], subject.row.capabilities)) {
        tasks.push_back({measurement, problem});
      }
    }
  }
  prepare(tasks);
  std::vector<Task> done = tasks;
  Running(subject, done).all();
  subjects_.push_back({subject.row.name, subject.replay_flags, std::move(done)});
}

void AccuracyRun::prepare(const std::vector<Task>& tasks) {
  std::vector<std::pair<const Task*, AccuracyData*>> missing;
  for (const Task& task : tasks) {
    const auto [at, is_new] = data_.try_emplace({measurements()[task.measurement].expected, task.problem});
    if (is_new) missing.emplace_back(&task, &at->second);
  }
  in_threads(threads_, missing.size(), [&](std::size_t, std::size_t i) {
    const auto& [task, data] = missing[i];
    *data = tileproof::data_of(measurements()[task->measurement], accuracy_problems()[task->problem]);
  });
}

const AccuracyData& AccuracyRun::data_of(const Task& task) const {
  return data_.at({measurements()[task.measurement].expected, task.problem});
}

}  // namespace tileproof
