/// Measures accuracy: runs the measurements' problems on the subjects of a run, and writes accuracy.json.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
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
  std::function<std::shared_ptr<CaseRunner>()> runner;
  std::function<bool()> stop = nullptr;
};

/// One problem of a row of the table, and its case.
struct MeasuredCase {
  std::size_t problem;                      // index in accuracy_problems()
  ComparedElements compared_elements = {};  // no elements if the case compared nothing
  std::string kind = "";                    // why it compared nothing; empty if it did
  std::string details = "";
};

/// A row of the table: the problems of one measurement on a subject that share format, scheme, types and group size.
struct MeasuredRow {
  std::string subject;
  const Measurement* measurement;
  std::vector<MeasuredCase> cases;  // at least one; in the order of their problems

  /// Gives format, scheme, types and group size; its size means nothing.
  const Problem& like() const { return accuracy_problems()[cases.front().problem]; }
};

/// Rows of one subject and measurement with the same kind of result, of all formats and group sizes.
using RowsOfAKind = std::vector<const MeasuredRow*>;

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
  using DataKey = std::pair<decltype(Measurement::expected), std::size_t>;

  void prepare(const std::vector<MeasuredRow>&);
  const AccuracyData& data_of(const Measurement&, std::size_t problem) const;
  /// Parts of the fields "rows", "curves" and "worst".
  nlohmann::json part_of(const RowsOfAKind&) const;
  nlohmann::json worst_of(const RowsOfAKind&) const;

  std::size_t threads_;
  std::function<bool(const Problem&)> wanted_;
  std::vector<MeasuredRow> rows_;  // in the order of subjects, then of measurements, then of problems
  std::map<std::string, std::vector<std::string>> replay_flags_;  // by subject
  std::map<std::string, std::string> left_out_;
  std::map<DataKey, AccuracyData> data_;
};

}  // namespace tileproof
