/// Puts findings in the order of their causes, so that a reader meets the most diagnostic one first. Internal to
/// reports/.
#pragma once

#include <vector>

#include "reports/assessment/groups.h"
#include "reports/records/records.h"

namespace tileproof::reports {

/// Sorts findings, the most diagnostic first; the findings of one property keep their order. One mistake fails many
/// properties: a wrong nibble fails every property that looks at codes, and a process that writes out of bounds may
/// fail any. A cause therefore comes before the failures that it explains: memory, then what depends on other calls,
/// then the layout (index and bits), then groups, then the value of a weight, then whole enumerations of arithmetic,
/// then everything that follows from those or is a matter of its own.
std::vector<Failure> in_order_of_cause(std::vector<Failure>);
std::vector<const CampaignFinding*> in_order_of_cause(const Campaign&);

}  // namespace tileproof::reports
