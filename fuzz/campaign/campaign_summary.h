/// The result of a campaign as JSON: campaign.json, which reports/ reads.
#pragma once

#include <nlohmann/json.hpp>

#include "fuzz/campaign/campaign.h"

namespace tileproof {

struct CampaignFacts {
  CampaignIdentity identity;
  std::string command;
  std::string why;  // it ended
  std::map<std::uint64_t, BatchCounts> done;
  std::map<std::string, Signed> findings;
  nlohmann::json planted = nlohmann::json::array();
  nlohmann::json corpus = nlohmann::json::object();  // counts of what was run again
  std::vector<std::uint64_t> missing_shards = {};    // of those that were merged
  std::size_t unfinished = 0;                        // batches of theirs, begun and not ended
  std::int64_t lost_workers = 0;
  bool machine_is_at_fault = false;
  nlohmann::json before = nlohmann::json::object();  // seconds for what comes before the cases, by name
  double starting_seconds = 0;                       // processes; summed over workers
  double findings_seconds = 0;                       // looking into them; likewise
  double seconds = 0;
  nlohmann::json provenance = nullptr;  // of the process that ran the cases, or merged them
};

/// Provenance of this process, for a campaign: hashes the binaries and asks for the GPU.
nlohmann::json provenance_of(const CampaignIdentity&);

/// Verdict, exit code and figures. Everything but times depends on the cases alone that were run.
/// @param list  of the campaign, or of the shards together
nlohmann::json campaign_summary(const CampaignFacts&, const CaseList& list);

}  // namespace tileproof
