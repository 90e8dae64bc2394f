/// Climbing: a property with a bound measures how close a case comes to it, and the neighbours of a close case are run
/// too. A bit-exact property has nothing to climb.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "fuzz/records/closest.h"
#include "properties/case/generator.h"
#include "properties/judging/judge.h"

namespace tileproof {

/// The largest closeness that the case measured; 0 if it measured none.
double closeness_of(const Coverage&);

struct Climbed {
  Closest closest;
  std::int64_t tries = 0;
  std::optional<CaseOutcome> failed =
      // The neighbour that ended the climb: it exceeded the bound, or failed in another way.
      std::nullopt;
};

/// Takes a few steps from a passing case to neighbours, smaller problems and other data, and moves to each one that
/// comes closer. The steps depend only on the case.
/// @param coverage  of the case; nothing is tried if it measured nothing
/// @param run       runs a problem and fills in its coverage
Climbed climbed(const Problem&, const SampleSpace&, const Coverage& coverage,
                const std::function<CaseOutcome(const Problem&, Coverage&)>& run);

}  // namespace tileproof
