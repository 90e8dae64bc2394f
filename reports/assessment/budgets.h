/// Accuracy budgets: the largest error that each kind of result may have, and the run in which it was measured
/// (reports/budgets.json, schema 3; schema 1 counted the values in between instead of ulp). Internal to reports/.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "reports/records/accuracy.h"

namespace tileproof::reports {

/// @example {"match": {"subject": "aten-cpu", "operation": "matmul", "type": "bf16"}, "max_ulp": 1, "non_finite": 0,
///           "from": {"run_start": "2026-11-23T05:00:00Z", "commit": "0123...", "elements": 16384}}
struct Budget {
  /// The fields that a row must have with these values; any of subject, operation, scheme, type, format, group and
  /// architecture.
  std::map<std::string, std::string> match;
  double max_ulp = 0;                       // |got - expected| / ulp(expected)
  std::uint64_t non_finite = 0;             // the most disagreements allowed
  std::map<std::string, std::string> from;  // the run in which it was measured

  std::string text() const;  // "operation=matmul type=bf16": the fields of `match`
  /// The hash of the inputs that it was measured on; "" of a budget for several rows.
  std::string inputs() const;
};

class Budgets {
 public:
  Budgets() = default;
  explicit Budgets(std::vector<Budget> rows) : rows_(std::move(rows)) {}

  const std::vector<Budget>& rows() const { return rows_; }
  /// The most specific budget that matches the row; nullptr if none matches.
  /// @param architecture  compute capability of the GPU, "9.0"; "" without a GPU
  /// @throws std::runtime_error naming two equally specific budgets that both match
  const Budget* of(const AccuracyKey&, const std::string& architecture) const;

 private:
  std::vector<Budget> rows_;
};

/// @throws std::runtime_error naming the field that is missing or mistyped, or a match that occurs twice
Budgets read_budgets(const nlohmann::json&);
nlohmann::json json_of(const Budgets&);

/// The budgets after an update by a measurement, and the changes.
struct BudgetUpdate {
  Budgets budgets;
  std::vector<std::string> changed;  // one line for each change, for people
  std::vector<std::string> refused;  // one line for each row that must not become a budget, and why
};
/// Sets the budgets of a measurement's rows to what was measured. A row without a budget gets one, which it shares with
/// the other formats and groups if they all measure the same. A row that measured something else than its budget gets a
/// budget for itself alone, higher or lower, but a budget of 0 is never raised. Rows with unexplained differences, and
/// rows that did not run completely, are refused.
BudgetUpdate updated(const Budgets&, const Accuracy&, const std::string& architecture,
                     const std::map<std::string, std::string>& from);

}  // namespace tileproof::reports
