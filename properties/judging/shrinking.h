/// Leads from a failing case to the smallest one that fails in the same way, and says whether a case fails alone.
#pragma once

#include <functional>

#include "properties/case/sample_space.h"
#include "properties/judging/judge.h"

namespace tileproof {

/// Whether two findings show the same failure.
using Alike = std::function<bool(const Finding&, const Finding&)>;

inline bool are_of_one_kind(const Finding& a, const Finding& b) { return a.kind == b.kind; }

/// Runs a finding's problem again and again, each time in a process that has run nothing else.
/// @return how many of `times` runs failed alike; nothing if the runner cannot start afresh
std::optional<int> failures_alone(const Property&, const Finding&, CaseRunner& runner, const Alike&, int times);

struct ShrinkLimits {
  std::int64_t tries = 500;
  double seconds = 300;
  std::function<bool()> stop = nullptr;
};

struct Shrunk {
  Finding finding;
  std::string how_far;  // "to the smallest, in 41 tries"; or what ended it early
};

/// Shrinks first the dimensions, the layout and the profile; then the data: codes and parameters become neutral from
/// both ends while the case still fails, down to one of each. Codes (or parameters) that may all be neutral play no
/// part in the failure, and are left as they are.
/// @param runner  runs the candidates, and starts another process if a candidate ends one
Shrunk shrunk(const Property&, const SampleSpace&, const Finding&, CaseRunner& runner, const Alike&,
              const ShrinkLimits&);

}  // namespace tileproof
