/// The measurement of accuracy: a fixed set of problems, drawn once and for all, to which every subject is put that
/// takes them, so that subjects stand beside each other on the same data. To measure another operation, add a row.
#pragma once

#include <string>
#include <vector>

#include "properties/case/property.h"

namespace tileproof {

struct Measurement {
  Operation operation;
  /// Its cases are run by this property, whose body compares once. It is none of properties(), whose verdicts need no
  /// such property; but property_of() knows it, so that `replay` does.
  Property property;
  /// The expected result for a problem's codes and parameters: weights as bits, or codes.
  Matrix<std::uint32_t> (*expected)(const Problem&, const Matrix<std::uint8_t>& codes, const Parameters&) = nullptr;
  bool of_weights = true;  // else of codes, which have no domain, type or groups
  bool is_packed = true;   // each element is of a nibble of a packed word
  std::string bound = "";  // why a correct subject's values are the specified ones; empty: they may differ, explained
};
const std::vector<Measurement>& measurements();

/// The problems, without property and subject: sizes, profile and seed are the same in every run.
const std::vector<Problem>& accuracy_problems();

/// Whether the measurement puts a problem to a subject of these capabilities.
bool is_measured(const Measurement&, const Problem&, const Capabilities&);
/// The problem as it is run, and replayed.
Problem problem_for(const Measurement&, Problem, const std::string& subject);

/// The data of a problem's cases, and their expected result.
struct AccuracyData {
  Matrix<std::uint8_t> codes;
  Parameters parameters;
  Matrix<std::uint32_t> expected;
};
AccuracyData data_of(const Measurement&, const Problem&);

}  // namespace tileproof
