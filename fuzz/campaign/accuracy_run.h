/// Measures accuracy: runs the measurements' problems on the subjects of a run, and writes accuracy.json.
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

/// A subject whose accuracy is measured.
struct MeasuredSubject {
  SubjectRow row;
  std::vector<std::string> replay_flags;
  std::size_t jobs = 1;
  /// Gives the runner for the cases of one row of the table: a new one for each row, unless `jobs` is 1.
  std::function<std::unique_ptr<CaseRunner>()> runner;
  std::function<bool()> stop = nullptr;
};

class AccuracyRun {
 public:
  /// @param threads  for what is computed in this process; the number changes no result
  /// @param wanted   selects the problems to measure; empty: all
  explicit AccuracyRun(std::size_t threads, std::function<bool(const Problem&)> wanted = nullptr)
      : threads_(threads), wanted_(std::move(wanted)) {}

  void add(const MeasuredSubject&);
  void leave_out(const std::string& subject, const std::string& why) { left_out_[subject] = why; }

  /// The contents of accuracy.json without the fields that every record has: tool, run_start, provenance.
  nlohmann::json record() const;

 private:
  /// One problem of one measurement on a subject.
  struct Task {
    std::size_t measurement;
    std::size_t problem;
    ComparedElements compared_elements = {};  // no elements if the case compared nothing
    std::string kind = "";                    // why it compared nothing; empty if it did
    std::string details = "";
  };
  struct Subject {
    std::string name;
    std::vector<std::string> replay_flags;
    std::vector<Task> tasks;  // in the order of measurements, then of problems
  };
  /// The origin of results: a subject, by one of its operations.
  struct Source {
    std::size_t subject;
    std::size_t measurement;
    bool operator==(const Source&) const = default;
  };
  /// A row of the table: problems of one source that share format, scheme, types and group size where the measurement
  /// depends on them.
  struct Row {
    Source source;
    Problem like;                    // gives format, scheme, types and group size; its size means nothing
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
