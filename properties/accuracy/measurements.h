/// The measurement of accuracy: a fixed set of problems for every subject that takes them, so that subjects are
/// compared on the same data. To measure another operation, add a row.
#pragma once

#include <string>
#include <vector>

#include "properties/case/property.h"

namespace tileproof {

struct Measurement {
  Operation operation;
  /// The property that runs the measurement's cases; its body compares once. It is not in properties(), because it
  /// gives no verdict of its own, but property_of() finds it for `replay`.
  Property property;
  /// The expected result for a problem's codes and parameters: bits of weights, or codes.
  Matrix<std::uint32_t> (*expected)(const Problem&, const Matrix<std::uint8_t>& codes, const Parameters&) = nullptr;
  bool of_weights = true;  // false: of codes, which have no domain, type or groups
  bool is_packed = true;   // each element comes from a nibble of a packed word
  // Why a correct subject gives exactly the specified values; empty if differences may be explained instead.
  std::string bound = "";
};
const std::vector<Measurement>& measurements();

/// The problems, without property and subject. Sizes, profiles and seeds are the same in every run.
const std::vector<Problem>& accuracy_problems();

/// Whether the measurement runs a problem on a subject with these capabilities.
bool is_measured(const Measurement&, const Problem&, const Capabilities&);
/// The problem in the form in which it is run and replayed.
Problem problem_for(const Measurement&, Problem, const std::string& subject);

/// The data of a problem's case, and the expected result.
struct AccuracyData {
  Matrix<std::uint8_t> codes;
  Parameters parameters;
  Matrix<std::uint32_t> expected;
  /// A hash of the codes and parameters. Figures of two runs can be compared where these are equal: a change of what is
  /// drawn changes them, and no seed.
  std::uint64_t inputs = 0;
};
AccuracyData data_of(const Measurement&, const Problem&);

}  // namespace tileproof
