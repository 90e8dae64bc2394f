/// Merges the journals of a campaign's shards: the result is that of one campaign which ran all of their cases.
#pragma once

#include <string>
#include <vector>

#include "fuzz/campaign/campaign_summary.h"

namespace tileproof {

struct CampaignOfFolders {
  CampaignFacts facts;
  std::string begun;  // the first of them: 2026-11-22T15:50:00Z
  /// The cases of which they ran a part.
  CaseList list() const;
};

/// @throws UsageError where a folder's journal cannot be read, or they are not shards of one campaign
CampaignOfFolders campaign_of_folders(const std::vector<std::string>& folders);

}  // namespace tileproof
