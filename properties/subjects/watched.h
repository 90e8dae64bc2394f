/// Subjects for compute-sanitizer: the production kernels with every tensor in an allocation of its own, exactly as
/// long as it is, and the same with one mutant planted beside them that gives no wrong result. In the arena of the
/// subject `cuda`, what lies behind a tensor is a fence, which the tool takes for memory like any other.
#pragma once

#include <vector>

#include "properties/subjects/subject.h"

namespace tileproof {

/// "watched:cuda" first.
const std::vector<SubjectRow>& watched_subjects();

/// A mutant for one of the tool's tools: the subject that has it.
struct Plant {
  const char* tool;     // of compute-sanitizer
  const char* subject;  // "watched:..."
  const char* kernel;   // the planted kernel's name, which a report of it must hold
  const char* what;
};
const std::vector<Plant>& plants();

}  // namespace tileproof
