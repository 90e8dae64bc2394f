/// Measures accuracy: puts the measurements' problems to the subjects of a run, and writes accuracy.json.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "properties/accuracy/figures.h"
#include "properties/judging/judge.h"

namespace tileproof {

/// A subject whose accuracy is measured, and who runs its cases.
struct MeasuredSubject {
  SubjectRow row;
  std::vector<std::string> replay_flags;
  std::size_t jobs = 1;
  /// Who runs the cases of a row of the table: another one for each, unless there is but one job.
  std::function<std::unique_ptr<CaseRunner>()> runner;
  std::function<bool()> stop = nullptr;
};

class AccuracyRun {
 public:
  /// @param threads  for what is computed here; no result depends on it
  /// @param wanted   which of the measurement's problems; all where it is empty
  explicit AccuracyRun(std::size_t threads, std::function<bool(const Problem&)> wanted = nullptr)
      : threads_(threads), wanted_(std::move(wanted)) {}

  void add(const MeasuredSubject&);
  void leave_out(const std::string& subject, const std::string& why) { left_out_[subject] = why; }

  /// The record but for what every record has.
  nlohmann::json record() const;

 private:
  /// One problem of one measurement on a subject.
  struct Task {
    std::size_t measurement;
    std::size_t problem;
    ComparedElements compared_elements = {};  // of no elements where it was not
    std::string kind = "";                    // why not
    std::string details = "";
  };
  struct Subject {
    std::string name;
    std::vector<std::string> replay_flags;
    std::vector<Task> tasks;  // in the order of measurements, then of problems
  };
  /// Who gave results: a subject by one of its operations.
  struct Source {
    std::size_t subject;
    std::size_t measurement;
    bool operator==(const Source&) const = default;
  };
  /// A row of the table: what its problems have in common.
  struct Row {
    Source source;
    Problem like;                    // its format, scheme, type and group; not its size
    std::vector<const Task*> tasks;  // in order
  };
  using DataKey =
      std::pair<Matrix<std::uint32_t> (*)(const Problem&, const Matrix<std::uint8_t>&, const Parameters&), std::size_t>;

  class Running;
  void prepare(const std::vector<Task>&);
  const AccuracyData& data_of(const Task&) const;
  std::vector<Row> rows() const;
  const Task* task_of(const Source&, std::size_t problem) const;
  std::string text_of(const Source&) const;
  static bool is_comparable(const Source&, const Source&);
  std::vector<AccuracyFigures> figures_of(const std::vector<Row>&) const;
  nlohmann::json json_of_row(const Row&, const AccuracyFigures&) const;
  nlohmann::json json_of_curve(const Row&, const AccuracyFigures&) const;
  nlohmann::json worst_of(const Row& curve) const;
  nlohmann::json pairs_of(const std::vector<Row>& curves) const;
  nlohmann::json pair_of(const Source&, const Source&, const Problem& like) const;

  std::size_t threads_;
  std::function<bool(const Problem&)> wanted_;
  std::vector<Subject> subjects_;
  std::map<std::string, std::string> left_out_;
  std::map<DataKey, AccuracyData> data_;
};

}  // namespace tileproof
