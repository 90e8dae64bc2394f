/// The cause of a finding, which decides what a reader meets first. Internal to reports/.
///
/// One mistake fails many properties: a wrong nibble fails every property that looks at codes, and a process that
/// writes where it must not may fail any. The order is that of what explains the others: memory, then what depends on
/// other calls, then the layout (index and bits), then groups, then the value of a weight, then whole enumerations of
/// arithmetic, then everything that follows from those or is a matter of its own.
///
/// A property about an index may fail where no index is wrong: code 15 that is read as 7 arrives as the code of another
/// element. The property says so in `cause`. Where it does, and no property about an index says otherwise, the
/// subject's findings about the layout are of the value, and stand behind those that are about it.
#pragma once

#include <vector>

#include "reports/assessment/groups.h"
#include "reports/records/records.h"

namespace tileproof::reports {

/// The most diagnostic first; of one property's findings, their order stays.
std::vector<Failure> in_order_of_cause(std::vector<Failure>);
std::vector<const CampaignFinding*> in_order_of_cause(const Campaign&);

}  // namespace tileproof::reports
