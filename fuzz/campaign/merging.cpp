#include "fuzz/campaign/merging.h"

#include <algorithm>

#include "fuzz/campaign/fingerprint.h"
#include "fuzz/records/protocol.h"
#include "fuzz/records/records.h"

namespace tileproof {

namespace fs = std::filesystem;
using nlohmann::json;

CampaignOfFolders campaign_of_folders(const std::vector<std::string>& folders) {
  CampaignOfFolders campaign;
  CampaignFacts& facts = campaign.facts;
  facts.why = "its shards ended";
  std::map<std::uint64_t, std::string> shards;
  std::set<std::uint64_t> has_run;
  for (const std::string& folder : folders) {
    JournalContents one = journal_of(fs::path(folder) / "journal.jsonl");
    facts.unfinished += unfinished_batches(one).size();
    if (campaign.begun.empty() || utc_of(one.since) < campaign.begun) campaign.begun = utc_of(one.since);
    const std::uint64_t shard = one.identity.shard;
    one.identity.shard = 0;
    if (shards.empty()) facts.identity = one.identity;
    if (one.identity != facts.identity) {
      throw UsageError("merge", "'" + folder + "' beside '" + folders.front() + "'",
                       "shards of one campaign: the same subject, properties and seed, and as many shards");
    }
    if (!shards.emplace(shard, folder).second) {
      throw UsageError("merge", "'" + folder + "' beside '" + shards[shard] + "', both shard " + std::to_string(shard),
                       "each shard once");
    }
    if (!one.done.empty()) has_run.insert(shard);  // a shard without an ended batch counts as missing
    facts.done.merge(one.done);
    facts.seconds = std::max(facts.seconds, one.seconds());
    for (const json& planted : one.planted) facts.planted.push_back(planted);
    if (shard == 0) facts.corpus = one.corpus;
    if (one.planted.empty()) facts.planted.push_back({{"mutant", "none, in " + folder}, {"found", false}});
    for (const FailedCase& failed : one.failed) {
      Signed& with_fingerprint = facts.findings[fingerprint_of(failed.finding)];
      if (with_fingerprint.examples.empty()) with_fingerprint.finding.smallest = failed.finding;
      with_fingerprint.add(failed.index);
    }
    for (const CampaignFinding& found : one.findings) {
      CampaignFinding& kept = facts.findings[found.fingerprint].finding;
      if (kept.fingerprint.empty() || (found.was_looked_into && !kept.was_looked_into)) kept = found;
    }
  }
  facts.missing_shards = facts.identity.shards - has_run.size();
  constexpr std::size_t most_named = 10;
  for (std::uint64_t shard = 0; facts.first_missing.size() < std::min<std::uint64_t>(facts.missing_shards, most_named);
       ++shard) {
    if (!has_run.contains(shard)) facts.first_missing.push_back(shard);
  }
  facts.identity.shards = 1;
  return campaign;
}

CaseList CampaignOfFolders::list() const {
  SubjectRow row;
  row.name = facts.identity.subject;
  row.capabilities = capabilities_of(json::parse(facts.identity.capabilities));
  return CaseList(properties_named(facts.identity.properties), row, facts.identity.seed);
}

}  // namespace tileproof
