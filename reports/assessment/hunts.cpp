// Hunts: a finding is red, whoever made it, and one that comes and goes is flaky.
#include <map>
#include <set>

#include "reports/assessment/causes.h"
#include "reports/assessment/verdict.h"
#include "reports/text.h"

namespace tileproof::reports {

std::vector<Item> items_of_hunts(const Evidence& now, const Evidence* before) {
  std::set<std::string> seen_before, hunted;
  if (before != nullptr) {
    for (const auto& found : before->hunted) {
      hunted.insert(found.record.subject);
      for (const HuntFinding& finding : found.record.findings) seen_before.insert(finding.signature);
    }
  }
  std::vector<Item> items;
  std::set<std::string> subjects;
  for (const auto& found : now.hunted) {
    const Hunt& hunt = found.record;
    subjects.insert(hunt.subject);
    // Those of properties and kinds that were looked into once are one more item together.
    std::map<Word, std::vector<const HuntFinding*>> others;
    for (const HuntFinding* in_order : in_order_of_cause(hunt)) {
      const HuntFinding& finding = *in_order;
      const bool is_new = hunted.contains(hunt.subject) && !seen_before.contains(finding.signature);
      const Word word = finding.how.starts_with("flaky") ? Word::flaky : is_new ? Word::regressed : Word::failed;
      if (finding.was_looked_into) {
        items.push_back({word, "hunt", finding.signature, counted(finding.cases, "case") + "; " + finding.how});
      } else {
        others[word].push_back(&finding);
      }
    }
    for (const auto& [word, findings] : others) {
      items.push_back(
          {word, "hunt",
           counted(findings.size(), "more signature") + " of the same properties and kinds on " + hunt.subject,
           "the first: " + findings.front()->signature});
    }
    const std::string name = "hunt through cases of " + hunt.subject + ", seed " + hunt.seed;
    const std::string cases = with_commas(hunt.cases) + " cases, " + with_commas(hunt.elements) + " elements";
    if (hunt.verdict == "PASSED" || hunt.verdict == "KNOWN") {
      std::string known;
      for (const auto& [id, times] : hunt.known) known += (known.empty() ? "known: " : "; ") + id;
      items.push_back({known.empty() ? Word::exact : Word::known, "hunt", name, known.empty() ? cases : known});
    }
    if (hunt.verdict == "MISTRUSTED") items.push_back({Word::mistrusted, "hunt", name, hunt.reason});
    if (hunt.verdict == "MACHINE") items.push_back({Word::mistrusted, "hunt", name, "the machine is at fault"});
  }
  for (const std::string& subject : hunted) {
    if (subjects.contains(subject)) continue;
    items.push_back({Word::not_run, "hunt", "hunt through cases of " + subject, "only the baseline has it", true});
  }
  return items;
}

}  // namespace tileproof::reports
