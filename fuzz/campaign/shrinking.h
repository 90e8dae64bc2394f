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

/// Whether two findings are of one failure: of one property, subject, types and layout, kind and pattern, where both
/// have enough wrong elements to show one.
bool are_alike(const Finding&, const Finding&);

/// First the dimensions, the layout and the profile; then the data: codes and parameters are made neutral from both
/// ends, as long as it goes on failing, down to one of each.
/// @param runner  runs the candidates; of a process that dies of one it starts another
Shrunk shrunk(const Property&, const SampleSpace&, const Finding&, CaseRunner& runner, const ShrinkLimits&);

}  // namespace tileproof
