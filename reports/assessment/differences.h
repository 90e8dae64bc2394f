/// How an implementation differs from its format, in the words of the table of verdicts. Internal to reports/.
#pragma once

#include <string>

#include "reports/records/summary.h"

namespace tileproof::reports {

/// A few words for a finding of a property: "wrong where a group crosses rows", "loses the sign of a zero", "flushes
/// subnormals", "reads past its inputs", "raises: ...". The finding's own first words, where nothing in the table fits.
std::string difference(const std::string& property, const Finding&);

inline constexpr std::size_t most_quoted = 100;  // bytes of somebody's message

/// A known finding as one of a run.
Finding finding_of(const ExpectedFailure&);

}  // namespace tileproof::reports
