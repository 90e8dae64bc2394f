/// Climbing: a property with a bound says how close a case comes to it, and the cases around one that is close are
/// looked at too. A bit-exact property has nothing to climb: it holds or it does not.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "fuzz/records/closest.h"
#include "properties/case/generator.h"
#include "properties/judging/judge.h"

namespace tileproof {

/// How close a case came, of those that measure it; else 0.
double closeness_of(const Coverage&);

struct Climbed {
  Closest closest;
  std::int64_t tries = 0;
  std::optional<CaseOutcome> failed =
      std::nullopt;  // one beyond the bound, or that fails in another way: it ended there
};

/// From a case that has passed, a few steps to neighbours: smaller ones and other data, each taken where it comes
/// closer. A function of the case alone.
/// @param met  of the case; nothing is tried where it measures nothing
/// @param run  runs a problem and says what it has met
Climbed climbed(const Problem&, const SampleSpace&, const Coverage& coverage,
                const std::function<CaseOutcome(const Problem&, Coverage&)>& run);

}  // namespace tileproof
