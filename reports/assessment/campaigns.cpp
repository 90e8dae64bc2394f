// Campaigns: every finding is red, and one that comes and goes is FLAKY.
#include <map>
#include <set>

#include "reports/assessment/causes.h"
#include "reports/assessment/verdict.h"
#include "reports/text.h"

namespace tileproof::reports {

std::vector<Item> items_of_campaigns(const Records& now, const Records* before) {
  std::set<std::string> seen_before, campaigns;
  if (before != nullptr) {
    for (const auto& found : before->campaigns) {
      campaigns.insert(found.record.subject);
      for (const CampaignFinding& finding : found.record.findings) seen_before.insert(finding.fingerprint);
    }
  }
  std::vector<Item> items;
  std::set<std::string> subjects;
  for (const auto& found : now.campaigns) {
    const Campaign& campaign = found.record;
    subjects.insert(campaign.subject);
    // Findings that were not looked into share property and kind with one that was; they become one item per status.
    std::map<Status, std::vector<const CampaignFinding*>> others;
    for (const CampaignFinding* in_order : in_order_of_cause(campaign)) {
      const CampaignFinding& finding = *in_order;
      const bool is_new = campaigns.contains(campaign.subject) && !seen_before.contains(finding.fingerprint);
      const Status word = finding.how.starts_with("flaky") ? Status::flaky
                          : is_new                         ? Status::regressed
                                                           : Status::failed;
      if (finding.was_looked_into) {
        items.push_back({word, "campaign", finding.fingerprint, counted(finding.cases, "case") + "; " + finding.how});
      } else {
        others[word].push_back(&finding);
      }
    }
    for (const auto& [word, findings] : others) {
      items.push_back(
          {word, "campaign",
           counted(findings.size(), "more fingerprint") + " of the same properties and kinds on " + campaign.subject,
           "the first: " + findings.front()->fingerprint});
    }
    const std::string name = "campaign through cases of " + campaign.subject + ", seed " + campaign.seed;
    const std::string cases = with_commas(campaign.cases) + " cases, " + with_commas(campaign.elements) + " elements";
    if (campaign.verdict == "PASSED" || campaign.verdict == "KNOWN") {
      const std::string known = joined(campaign.known, "; ", [](const auto& one) { return one.first; });
      items.push_back(
          {known.empty() ? Status::exact : Status::known, "campaign", name, known.empty() ? cases : "known: " + known});
    }
    if (campaign.verdict == "MISTRUSTED") items.push_back({Status::mistrusted, "campaign", name, campaign.reason});
    if (campaign.verdict == "MACHINE")
      items.push_back({Status::mistrusted, "campaign", name, "the machine is at fault"});
  }
  for (const std::string& subject : campaigns) {
    if (subjects.contains(subject)) continue;
    items.push_back(
        {Status::not_run, "campaign", "campaign through cases of " + subject, "only the baseline has it", true});
  }
  return items;
}

}  // namespace tileproof::reports
