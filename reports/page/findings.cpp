// Sections of the page: speed, findings, known findings, and what the report does not show.
#include <algorithm>
#include <map>

#include "reports/assessment/causes.h"
#include "reports/assessment/groups.h"
#include "reports/page/section.h"
#include "reports/statistics.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

Markup card(const CampaignFinding& finding, const Campaign& campaign) {
  Markup facts = fact("rate", with_commas(finding.cases) + " of " + with_commas(campaign.cases) + " cases (" +
                                  percent(finding.cases, campaign.cases) + "); " + finding.how);
  facts += fact("first seen", finding.first_seen) + fact("last seen", finding.last_seen) +
           fact("first cases", joined(finding.examples, ", ", with_commas)) + fact("smallest case", finding.shrunk);
  return card(finding.fingerprint, facts,
              element("pre", finding.kind + ": " + finding.details) + to_copy(finding.replay));
}

Markup card(const Failure& failure) {
  const Finding& finding = failure.finding;
  return card(
      failure.judgement->property + " on " + failure.judgement->subject,
      fact("found", how_found(failure)) + fact("cases", with_commas(failure.judgement->cases)),
      element("pre", (finding.kind.empty() ? "" : finding.kind + ": ") + finding.details) + to_copy(finding.replay));
}

}  // namespace

Markup speed_section(ReportContext& context) {
  if (context.now.timed.empty()) return absent("how fast it is", "./tileproof bench --json FILE");
  const bool compares = context.before != nullptr && !context.before->timed.empty();
  TableRows rows;
  for (const TimedRow& row : parts_of(context.now.timed, &Bench::rows)) {
    const Item* item = context.assessment.find("speed", row.name);
    rows.push_back({item != nullptr ? badge(item->word) : Markup(), row.name,
                    lasting(statistics::median(row.operation())), spread_text(row), speed_text(row),
                    ratio_text(row, "copy"), compares && item != nullptr ? item->why : ""});
  }
  Markup all = paragraph(
      "Rows of host are the code for tensors in a host's memory, which the properties call cpu. Medians over the "
      "repeats; spread is their interquartile range as a part of the median; of copy, how fast beside a copy of as "
      "many bytes in the same repeat. " +
      std::string(compares ? "Against the baseline: a Mann-Whitney test, two-sided p < 0.01, and more than 2 %."
                           : "There is no baseline to compare with."));
  return all + shortened_table({{""},
                                {"what"},
                                {"median", true},
                                {"spread", true},
                                {"speed", true},
                                {"of copy", true},
                                {"against the baseline"}},
                               std::move(rows), 120);
}

Markup findings_section(ReportContext& context) {
  constexpr std::size_t most_cards = 20, most_lines = 40;
  if (context.now.verified.empty() && context.now.campaigns.empty()) {
    return absent("what was found", "./tileproof verify");
  }
  std::vector<Markup> cards;
  TableRows others;
  for (const auto& found : context.now.verified) {
    for (const Failure& failure : failures_of(found.record)) cards.push_back(card(failure));
  }
  for (const auto& found : context.now.campaigns) {
    for (const CampaignFinding* finding : in_order_of_cause(found.record)) {
      if (finding->was_looked_into) {
        cards.push_back(card(*finding, found.record));
        continue;
      }
      others.push_back({finding->fingerprint, with_commas(finding->cases), finding->first_seen, finding->last_seen,
                        to_copy(finding->replay)});
    }
  }
  if (cards.empty() && others.empty()) return paragraph("Nothing was found.");
  Markup all;
  for (std::size_t i = 0; i < std::min(cards.size(), most_cards); ++i) all += cards[i];
  if (cards.size() > most_cards) {
    all += paragraph("and " + std::to_string(cards.size() - most_cards) + " more: see report.json");
  }
  if (others.empty()) return all;
  return all + element("h3", "Of the same properties and kinds") +
         shortened_table({{"fingerprint"}, {"cases", true}, {"first seen"}, {"last seen"}, {"a case"}},
                         std::move(others), most_lines);
}

Markup known_section(ReportContext& context) {
  if (context.now.verified.empty() && context.now.campaigns.empty()) {
    return absent("which known findings occurred", "./tileproof verify");
  }
  TableRows rows;
  for (const auto& found : context.now.verified) {
    for (const auto& [judgement, finding] : known_failures(found.record)) {
      rows.push_back({finding->id, judgement->subject, finding->what, finding->since, finding->expires,
                      with_commas(finding->cases), to_copy(finding->replay)});
    }
  }
  for (const auto& found : context.now.campaigns) {
    for (const auto& [id, cases] : found.record.known) {
      rows.push_back({id, found.record.subject, "met by a campaign", "", "", with_commas(cases), ""});
    }
  }
  if (rows.empty()) return paragraph("None occurred, of the subjects that ran.");
  return paragraph(
             "Mutants that the ledger lists, of somebody else's operators: no failures of this run. They have no "
             "budget of exactness.") +
         table({{"name"}, {"subject"}, {"what"}, {"since"}, {"until"}, {"cases", true}, {"a case"}}, rows);
}

std::vector<Markup> not_shown(const ReportContext& context) {
  std::vector<Markup> all;
  const Records& now = context.now;
  const auto lacks = [&](bool is_there, const std::string& what, const std::string& command) {
    if (!is_there) all.push_back(Markup(what + " ") + code_of(command) + " would.");
  };
  const auto each_why = [&](const std::string& before, const std::map<std::string, std::string>& why_not,
                            const std::string& after) {
    for (const auto& [name, why] : why_not) all.push_back(before + name + after + ": " + why + ".");
  };
  for (const std::string& trouble : now.troubles) all.push_back("A record could not be used: " + trouble);
  lacks(!now.verified.empty(), "Whether properties hold: no property was judged.", "./tileproof verify");
  lacks(!now.measured.empty(), "How far results are from the specification: no measurement of accuracy is there.",
        "./tileproof verify");
  lacks(!now.proved.empty(), "What holds everywhere: nothing was enumerated.", "./tileproof prove");
  lacks(!now.campaigns.empty(), "What a long search would find: there was no campaign.", "./tileproof fuzz");
  lacks(!now.timed.empty(), "Whether it is fast: nothing was timed.", "./tileproof bench --json FILE");
  if (context.before == nullptr) all.push_back("Whether anything became worse: no baseline was given (--against).");
  for (const auto& found : now.verified) {
    for (const Group& group : subjects_not_run(found.record)) {
      all.push_back("What " + group.subject + " does: " + group.reason + ".");
    }
    std::size_t skipped = 0;
    for (const Group& group : properties_skipped(found.record)) skipped += group.count;
    if (skipped == 0) continue;
    all.push_back(counted(skipped, "property") + " were SKIPPED, in whole or in part: see summary.json of the run.");
  }
  for (const auto& found : now.measured) {
    const auto& rows = found.record.rows;
    const auto sampled = std::count_if(rows.begin(), rows.end(), [](const AccuracyRow& row) { return row.is_sampled; });
    if (sampled != 0) {
      all.push_back("The largest error there is: " + counted(static_cast<std::uint64_t>(sampled), "row") +
                    " of the accuracy table are samples, whose maxima are lower limits.");
    }
    each_why("How accurate ", found.record.skipped, " is");
  }
  for (const auto& found : now.proved) {
    for (const Proof& proof : found.record.proofs) {
      if (proof.verdict != "SAMPLED") continue;
      all.push_back("All of " + proof.property + " on " + proof.subject + ": " + part_of(proof) + ".");
    }
    each_why("Proofs of ", found.record.not_here, "");
    lacks(!found.record.self.empty(), "What the harness itself can find.", "./tileproof prove self");
  }
  for (const auto& found : now.campaigns) {
    const Campaign& campaign = found.record;
    if (campaign.cells_hit < campaign.cells_reachable) {
      all.push_back(with_commas(campaign.cells_reachable - campaign.cells_hit) +
                    " feature cells that the campaign of " + campaign.subject + " did not reach.");
    }
    for (const std::string& property : campaign.never_asked) {
      all.push_back("A campaign through " + property + " of " + campaign.subject + ": no case could be asked.");
    }
  }
  for (const auto& found : now.timed) each_why("The speed of ", found.record.not_measured, "");
  const Provenance provenance = now.provenance();
  const bool has_gpu = !architecture_of(provenance).empty() || !value_named(provenance, "gpu").empty();
  if (!has_gpu) all.push_back("Anything of a GPU: no record here was made on one.");
  return all;
}

Markup not_shown_section(ReportContext& context) {
  Markup items;
  for (const Markup& one : not_shown(context)) items += element("li", one);
  return element("ul", items);
}

}  // namespace tileproof::reports
