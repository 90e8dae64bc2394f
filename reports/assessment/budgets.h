/// What the accuracy of each kind of result may be at most, as measured, and the run that it was measured in:
/// reports/budgets.json, schema 2 (schema 1 counted the values in between). Internal to reports/.
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
  /// The ones of subject, operation, scheme, type, format, group and architecture that must be equal.
  std::map<std::string, std::string> match;
  double max_ulp = 0;                       // |got - expected| / ulp(expected)
  std::uint64_t non_finite = 0;             // disagreements
  std::map<std::string, std::string> from;  // the run that it was measured in

  std::string text() const;  // of match
};

class Budgets {
 public:
  Budgets() = default;
  explicit Budgets(std::vector<Budget> rows) : rows_(std::move(rows)) {}

  const std::vector<Budget>& rows() const { return rows_; }
  /// The budget that names most of what a row is; nullptr where none is for it.
  /// @param architecture  of the GPU, "9.0"; "" where none
  /// @throws std::runtime_error where two that name as much are both for it: which
  const Budget* of(const AccuracyKey&, const std::string& architecture) const;

 private:
  std::vector<Budget> rows_;
};

/// @throws std::runtime_error naming the field that is missing or mistyped; two budgets for the same
Budgets read_budgets(const nlohmann::json&);
nlohmann::json json_of(const Budgets&);

/// The budgets after an update by a measurement, and what it changed.
struct BudgetUpdate {
  Budgets budgets;
  std::vector<std::string> changed;  // lines for people
  std::vector<std::string> refused;  // what was measured and must not become a budget
};
/// Budgets of the measurement's rows, one each. One that is there is raised or lowered to what was measured, but never
/// raised from 0; rows with unexplained differences, or that did not run whole, give none.
BudgetUpdate updated(const Budgets&, const Accuracy&, const std::string& architecture,
                     const std::map<std::string, std::string>& from);

}  // namespace tileproof::reports
