/// Subjects for compute-sanitizer: the production kernels with every tensor in an allocation of exactly its size, alone
/// or beside a canary that gives no wrong result. In the arena of the subject `cuda`, a fence lies behind a tensor, and
/// the tool takes it for memory like any other.
#pragma once

#include <vector>

#include "properties/subjects/subject.h"

namespace tileproof {

/// All subjects for compute-sanitizer; "watched:cuda", which has no canary, is the first.
const std::vector<SubjectRow>& watched_subjects();

/// A canary for one of compute-sanitizer's tools, and the subject that runs it.
struct Plant {
  const char* tool;     // a tool of compute-sanitizer
  const char* subject;  // "watched:..."
  const char* kernel;   // the canary kernel's name, which a report must contain
  const char* what;
};
const std::vector<Plant>& plants();

}  // namespace tileproof
