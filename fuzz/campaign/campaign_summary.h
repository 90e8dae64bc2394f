/// The result of a campaign as JSON: campaign.json, which reports/ reads.
#pragma once

#include <nlohmann/json.hpp>

#include "fuzz/campaign/campaign.h"

namespace tileproof {

struct CampaignFacts {
  CampaignIdentity identity;
  std::string command;
  std::string why;  // why it ended
  std::map<std::uint64_t, BatchCounts> done;
  std::map<std::string, Signed> findings;
  nlohmann::json planted = nlohmann::json::array();
  nlohmann::json corpus = nlohmann::json::object();  // counts of the corpus' lines that ran again
  std::vector<std::uint64_t> missing_shards = {};    // shards that were not given to the merge, or ran no batch
  std::size_t unfinished = 0;                        // batches begun and not ended, of all shards
  std::int64_t lost_workers = 0;
  bool machine_is_at_fault = false;
  nlohmann::json before = nlohmann::json::object();  // seconds of the phases before the cases, by name
  double starting_seconds = 0;                       // waiting for processes to start, summed over workers
  double findings_seconds = 0;                       // looking into findings, summed over workers
  double seconds = 0;
  nlohmann::json provenance = nullptr;  // of the process that ran the cases, or merged the shards
};

/// Provenance of this process, for a campaign: hashes the binaries and asks for the GPU.
nlohmann::json provenance_of(const CampaignIdentity&);

/// Verdict, exit code and figures. Everything but times depends only on the cases that were run.
/// @param list  the cases of the campaign, or of all merged shards
nlohmann::json campaign_summary(const CampaignFacts&, const CaseList& list);

}  // namespace tileproof
