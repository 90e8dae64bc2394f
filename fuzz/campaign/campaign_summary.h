/// The result of a campaign as JSON: campaign.json, which reports/ reads.
#pragma once

#include <nlohmann/json.hpp>

#include "fuzz/campaign/campaign.h"

namespace tileproof {

/// Provenance of this process, for a campaign: hashes the binaries and asks for the GPU.
nlohmann::json provenance_of(const CampaignIdentity&);

/// Verdict, exit code and figures. Everything but times depends only on the cases that were run.
/// @param list  the cases of the campaign, or of all merged shards
nlohmann::json campaign_summary(const CampaignFacts&, const CaseList& list);

}  // namespace tileproof
