/// The ledger: findings that are known and not ours to mend, each with what it is, since when, and what would make it
/// go away. One that no longer occurs is red until the ledger is corrected.
#pragma once

#include <string>
#include <vector>

#include "properties/judging/judge.h"

namespace tileproof {

/// The one that tileproof brings: reports/expected_failures.json as it was when the program was built.
const std::vector<ExpectedFailure>& own_expected_failures();

/// @throws UsageError where the file cannot be read, or a row lacks what it must say
std::vector<ExpectedFailure> expected_failures_of_file(const std::string& file);

/// The row that knows a finding, or nullptr.
const ExpectedFailure* known_as(const std::vector<ExpectedFailure>& expected_failures, const Finding&);

}  // namespace tileproof
