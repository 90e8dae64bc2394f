/// Judges the harness, for `prove self`: runs the proofs of properties/selftest/selftest.h, and mutants that only an
/// enumeration shows.
#pragma once

#include <functional>
#include <iosfwd>
#include <nlohmann/json.hpp>

#include "fuzz/process/progress.h"

namespace tileproof {

struct SelfRun {
  nlohmann::json records;  // one object a proof, with its steps
  bool broken = false;
  bool not_shown = false;  // true if some step was not shown
};

/// @param seconds  0: no limit
/// @param said     receives a summary of each proof for people, as it ends
SelfRun prove_self(double seconds, std::size_t processes, const std::function<bool()>& stop, std::ostream& said);

}  // namespace tileproof
