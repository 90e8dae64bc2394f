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

/// The facts of a subject that a ledger's conditions are about.
struct SubjectFacts {
  std::string library;     // name and version; "" where nobody has said
  std::string device;      // "cpu" or "cuda"
  std::string capability;  // of the CPU
};

/// The entries whose conditions on a run hold for a subject here. Those of another library, version, CPU, device,
/// format or type are neither expected, nor missed if they do not occur.
std::vector<ExpectedFailure> expected_of(const std::vector<ExpectedFailure>&, const SubjectFacts&, const Capabilities&);

/// Names the conditions of an entry beside its subject, property and variant: "library bitsandbytes 0.50.2, device
/// cpu". "" if there are none.
std::string conditions_of(const ExpectedFailure&);

/// The entry that matches a finding, or nullptr.
const ExpectedFailure* known_as(const std::vector<ExpectedFailure>& expected_failures, const Finding&);

}  // namespace tileproof
