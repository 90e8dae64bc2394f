/// The ledger: findings that are known and not ours to mend, each with what it is, since when, and what would make it
/// go away. One that no longer occurs is red until the ledger is corrected.
#pragma once

#include <string>
#include <vector>

#include "properties/judging/judge.h"

namespace tileproof {

/// The one that tileproof brings: reports/known_findings.json as it was when the program was built.
const std::vector<KnownFinding>& own_ledger();

/// @throws UsageError where the file cannot be read, or a row lacks what it must say
std::vector<KnownFinding> ledger_of_file(const std::string& file);

/// The row that knows a finding, or nullptr.
const KnownFinding* known_as(const std::vector<KnownFinding>& ledger, const Finding&);

}  // namespace tileproof
