/// Measures how many random cases a second the harness judges.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fuzz/campaign/selection.h"

namespace tileproof {

struct CaseRate {
  std::int64_t cases = 0;               // in a pass over all properties
  std::vector<double> seconds_of_pass;  // one entry a pass
  std::string slowest_property;
  double slowest_cases_a_second = 0;
  std::string failed;  // the first property that failed, its kind and details; empty: none
  std::size_t threads = 1;
};

/// Judges `cases_of_property` cases of each core property whose operations the subject has, in one uncounted pass and
/// then `passes` timed ones; each case counts once. It prints and records nothing.
/// @param threads  at most; 1 if the subject cannot be made several times
CaseRate case_rate(SubjectInstance&, std::int64_t cases_of_property, int passes, std::size_t threads);

}  // namespace tileproof
