/// The harness judged, as the command runs it: the proofs of properties/selftest/selftest.h, and mutants that only an
/// enumeration shows.
#pragma once

#include <functional>
#include <iosfwd>
#include <nlohmann/json.hpp>

#include "fuzz/process/progress.h"

namespace tileproof {

struct SelfRun {
  nlohmann::json records;  // an object a proof, with its steps
  bool broken = false;
  bool not_shown = false;  // of some step
};

/// @param seconds  0: no limit
/// @param said     what people read, as it comes
SelfRun prove_self(double seconds, std::size_t processes, const std::function<bool()>& stop, std::ostream& said);

}  // namespace tileproof
