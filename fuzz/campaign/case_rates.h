/// How many random cases a second the harness judges.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fuzz/campaign/selection.h"

namespace tileproof {

struct CaseRate {
  std::int64_t cases = 0;               // of a pass over all properties
  std::vector<double> seconds_of_pass;  // one each
  std::string slowest_property;
  double slowest_cases_a_second = 0;
  std::string failed;  // the first property that does not hold, and how
  std::size_t threads = 1;
};

/// The properties whose problems are drawn, small and medium ones as `verify` draws them: not those of a few large
/// matrices, of tensors, or of the specification.
std::vector<const Property*> core_properties();

/// Judges so many cases of each core property that the subject has the operations for, pass after pass; each case of
/// each property counts once. Nothing is printed or recorded.
/// @param threads  that judge, where there can be several of the subject
CaseRate case_rate(SubjectInstance&, std::int64_t cases_of_property, int passes, std::size_t threads);

}  // namespace tileproof
