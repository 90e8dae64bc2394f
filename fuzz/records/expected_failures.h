/// The ledger: known findings that are not ours to fix, each with a description, a date and the condition for removing
/// it. A finding that no longer occurs is red until the ledger is corrected.
#pragma once

#include <string>
#include <vector>

#include "properties/judging/judge.h"

namespace tileproof {

/// tileproof's own ledger: reports/expected_failures.json when the program was built.
const std::vector<ExpectedFailure>& own_expected_failures();

/// The ledger of a file, or tileproof's own if `file` is empty.
/// @throws UsageError if the file cannot be read, or an entry lacks a required field
std::vector<ExpectedFailure> expected_failures_of(const std::string& file);

/// The entry that matches a finding, or nullptr.
const ExpectedFailure* known_as(const std::vector<ExpectedFailure>& expected_failures, const Finding&);

}  // namespace tileproof
