/// Merges the journals of a campaign's shards. The result is that of one campaign which ran all of their cases.
#pragma once

#include <string>
#include <vector>

#include "fuzz/campaign/campaign_summary.h"

namespace tileproof {

struct CampaignOfFolders {
  CampaignFacts facts;
  std::string begun;  // start of the earliest shard: 2026-11-22T15:50:00Z
  /// The list of cases of which the shards ran a part.
  CaseList list() const;
};

/// @throws UsageError if a folder's journal cannot be read, or the folders are not different shards of one campaign
CampaignOfFolders campaign_of_folders(const std::vector<std::string>& folders);

}  // namespace tileproof
