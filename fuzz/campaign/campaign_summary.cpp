#include "fuzz/campaign/campaign_summary.h"

#include <algorithm>

#include "fuzz/campaign/selection.h"
#include "fuzz/records/exit_code.h"
#include "fuzz/records/protocol.h"
#include "fuzz/records/provenance.h"
#include "fuzz/records/records.h"
#include "fuzz/records/summary.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

using nlohmann::json;

struct Overall {
  const char* verdict;
  std::string reason;
  int exit;
};

Overall overall(const CampaignFacts& facts, const BatchCounts& counts, const std::vector<std::string>& idle) {
  if (facts.machine_is_at_fault) return {"MACHINE", "", exit_code::machine_at_fault};
  const auto number = [](std::uint64_t shard) { return std::to_string(shard); };
  const std::string missing =
      facts.missing_shards == 0
          ? ""
          : "shards are missing: " + reports::joined(facts.first_missing, ", ", number) +
                (facts.missing_shards == facts.first_missing.size()
                     ? ""
                     : " and " + std::to_string(facts.missing_shards - facts.first_missing.size()) + " more");
  if (!facts.findings.empty()) return {"FAILED", missing, exit_code::failed};
  const bool finds = !facts.planted.empty() && std::all_of(facts.planted.begin(), facts.planted.end(),
                                                           [](const json& one) { return one.at("found") == true; });
  const auto mistrusted = [](const std::string& why) { return Overall{"MISTRUSTED", why, exit_code::mistrusted}; };
  if (!finds) return mistrusted("it does not find what was planted");
  if (!missing.empty()) return mistrusted(missing);
  if (facts.unfinished != 0) {
    return mistrusted("batches were begun and not ended: " + std::to_string(facts.unfinished));
  }
  if (facts.corpus.value("left", 0) != 0) {
    return mistrusted("problems of the corpus were not run again: " + facts.corpus["left"].dump());
  }
  if (!idle.empty()) return mistrusted("no case of it compared anything: " + idle.front());
  if (counts.elements == 0) return mistrusted("nothing was compared");
  return {counts.known.empty() ? "PASSED" : "KNOWN", "", exit_code::passed};
}

/// The cells that the cases lie in, and when a case was in a cell for the first time.
struct Discovery {
  std::map<Cell, std::int64_t> cases_in;
  std::vector<std::uint64_t> first_cases;  // ascending positions among the cases that were run
  std::set<std::string> have_compared;     // names of properties
};

Discovery discovered(const CampaignFacts& facts, const CaseList& list) {
  Discovery discovery;
  std::uint64_t run = 0;
  for (const auto& [batch, counts] : facts.done) {
    for (const std::uint64_t index : cases_of(batch)) {
      const std::string& property = list.property_at(index).name;
      if (!is_in(counts.idle, property) && !is_in(counts.absent, property)) discovery.have_compared.insert(property);
      if (++discovery.cases_in[list.cell_at(index)] == 1) discovery.first_cases.push_back(run);
      ++run;
    }
  }
  return discovery;
}

json counts_alone(const BatchCounts& counts) {
  json all = json_of(counts);
  for (const char* apart : {"fingerprints", "known", "idle", "absent"}) all.erase(apart);
  return all;
}

/// Properties that have a batch listed in `why` (idle: they compared nothing; absent: they could not run) and compared
/// nothing in any batch.
std::vector<std::string> without_comparison(const CampaignFacts& facts, const Discovery& discovery,
                                            std::vector<std::string> BatchCounts::*why) {
  std::set<std::string> names;
  for (const auto& [batch, counts] : facts.done) names.insert((counts.*why).begin(), (counts.*why).end());
  std::vector<std::string> never;
  for (const std::string& name : names) {
    if (!discovery.have_compared.contains(name)) never.push_back(name);
  }
  return never;
}

/// How many cells were known after 1, 2, 4, ... cases.
json curve_of(const Discovery& discovery, std::uint64_t cases) {
  json curve = json::array();
  for (std::uint64_t so_many = 1; so_many < 2 * cases; so_many *= 2) {
    const std::uint64_t run = std::min(so_many, cases);
    const auto end = std::lower_bound(discovery.first_cases.begin(), discovery.first_cases.end(), run);
    curve.push_back({{"cases", run}, {"cells", end - discovery.first_cases.begin()}});
  }
  return curve;
}

}  // namespace

json provenance_of(const CampaignIdentity& identity) {
  const std::vector<std::string>& flags = identity.replay_flags;
  const GivenSubjectRow* given = given_subject_row(identity.subject);
  const auto flag = given == nullptr ? flags.end() : std::find(flags.begin(), flags.end(), given->flag);
  return provenance(identity.seed, flag == flags.end() ? "" : *(flag + 1));
}

json campaign_summary(const CampaignFacts& facts, const CaseList& list) {
  BatchCounts counts;
  for (const auto& [batch, one] : facts.done) counts.add(one);
  const Discovery discovery = discovered(facts, list);
  const Overall verdict = overall(facts, counts, without_comparison(facts, discovery, &BatchCounts::idle));
  const auto cases = static_cast<std::uint64_t>(facts.done.size()) * cases_of_batch;
  const auto once = std::count_if(discovery.cases_in.begin(), discovery.cases_in.end(),
                                  [](const auto& cell) { return cell.second == 1; });
  const std::set<Cell> reachable = list.reachable();
  const auto hit = std::count_if(discovery.cases_in.begin(), discovery.cases_in.end(),
                                 [&](const auto& cell) { return reachable.contains(cell.first); });
  json findings = json::array();
  for (const auto& [fingerprint, one] : facts.findings) {
    const Finding& smallest = one.finding.smallest;
    findings.push_back({{"fingerprint", fingerprint},
                        {"cases", counts.fingerprints[fingerprint]},
                        {"examples", one.examples},
                        {"looked_into", one.finding.was_looked_into},
                        {"how", one.finding.how},
                        {"shrunk", one.finding.shrunk},
                        {"problem", line_of(smallest.problem)},
                        {"kind", smallest.kind},
                        {"details", smallest.details},
                        {"cause", smallest.cause},
                        {"replay", replay_words(facts.identity.replay_flags, smallest.problem)}});
  }
  return {{"schema", 1},
          {"tool", "tileproof"},
          {"command", facts.command},
          {"subject", facts.identity.subject},
          {"properties", facts.identity.properties},
          {"seed", in_hex(facts.identity.seed)},
          {"shard", facts.identity.shard},
          {"shards", facts.identity.shards},
          {"verdict", verdict.verdict},
          {"reason", verdict.reason},
          {"exit_code", verdict.exit},
          {"why_it_ended", facts.why},
          {"cases", cases},
          {"counts", counts_alone(counts)},
          {"cells", {{"hit", hit}, {"reachable", reachable.size()}}},
          {"chance_that_the_next_is_new", cases == 0 ? 1.0 : static_cast<double>(once) / static_cast<double>(cases)},
          {"discovery", curve_of(discovery, cases)},
          {"findings", findings},
          {"known", counts.known},
          {"never_asked", without_comparison(facts, discovery, &BatchCounts::absent)},
          {"planted", facts.planted},
          {"corpus", facts.corpus},
          {"lost_workers", facts.lost_workers},
          {"seconds", facts.seconds},
          {"seconds_before", facts.before},
          {"seconds_of_workers",
           {{"cases", counts.seconds}, {"processes", facts.starting_seconds}, {"findings", facts.findings_seconds}}},
          {"machine", machine_of(facts.provenance)},
          {"provenance", facts.provenance}};
}

}  // namespace tileproof
