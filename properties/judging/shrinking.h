/// From a case that fails to the smallest that fails in the same way.
#pragma once

#include <functional>

#include "properties/case/generator.h"
#include "properties/judging/judge.h"

namespace tileproof {

struct ShrinkLimits {
  std::int64_t tries = 500;
  double seconds = 300;
  std::function<bool()> stop = nullptr;
};

struct Shrunk {
  Finding finding;
  std::string how_far;  // "to the smallest, in 41 tries"; or what ended it before
};

/// First the dimensions, the layout and the profile; then the data: codes and parameters are made neutral from both
/// ends, as long as it goes on failing, down to one of each. Where it fails with neutral ones alone, they have no part
/// in it, and are left as they are.
/// @param runner    runs the candidates; of a process that dies of one it starts another
/// @param are_alike  whether two findings are of one failure
Shrunk shrunk(const Property&, const SampleSpace&, const Finding&, CaseRunner& runner,
              const std::function<bool(const Finding&, const Finding&)>& are_alike, const ShrinkLimits&);

}  // namespace tileproof
