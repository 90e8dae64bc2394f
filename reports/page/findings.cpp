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

std::string speed_of(const TimedRow& row) {
  const double speed = statistics::median(row.speeds());
  return row.unit == "cases" ? short_number(std::round(speed)) + " cases/s"
                             : short_number(std::round(speed / 1e8) / 10) + " GB/s";
}

std::string ratio_to(const TimedRow& row, const std::string& yardstick) {
  return row.has(yardstick) ? short_number(std::round(statistics::median(row.ratios_to(yardstick)) * 1000) / 1000)
                            : "-";
}

const Item* item_of(const ReportContext& context, const std::string& kind, const std::string& name) {
  for (const Item& item : context.assessment.items) {
    if (item.kind == kind && item.name == name) return &item;
  }
  return nullptr;
}

Markup fact(const std::string& name, const Markup& value) { return element("dt", name) + element("dd", value); }

Markup card(const CampaignFinding& finding, const Campaign& campaign) {
  std::string range;
  for (const std::uint64_t one : finding.examples) range += (range.empty() ? "" : ", ") + with_commas(one);
  Markup facts = fact("rate", with_commas(finding.cases) + " of " + with_commas(campaign.cases) + " cases (" +
                                  percent(finding.cases, campaign.cases) + "); " + finding.how);
  if (!finding.first_seen.empty()) {
    facts += fact("first seen", finding.first_seen) + fact("last seen", finding.last_seen);
  }
  if (!range.empty()) facts += fact("first cases", range);
  facts += fact("smallest case", finding.shrunk);
  return of_class("div", "card",
                  element("h4", finding.fingerprint) + element("dl", facts) +
                      element("pre", finding.kind + ": " + finding.details) + to_copy(finding.replay));
}

Markup card(const Failure& failure) {
  const Judgement& judgement = *failure.judgement;
  const Finding& finding = failure.finding;
  return of_class("div", "card",
                  element("h4", judgement.property + " on " + judgement.subject) +
                      element("dl", fact("found", how_found(failure)) + fact("cases", with_commas(judgement.cases))) +
                      element("pre", (finding.kind.empty() ? "" : finding.kind + ": ") + finding.details) +
                      to_copy(finding.replay));
}

}  // namespace

Markup speed_section(ReportContext& context) {
  if (context.now.timed.empty()) return absent("how fast it is", "./tileproof bench --json FILE");
  const bool compares = context.before != nullptr && !context.before->timed.empty();
  std::vector<std::vector<Markup>> rows;
  for (const auto& found : context.now.timed) {
    for (const TimedRow& row : found.record.rows) {
      const Item* item = item_of(context, "speed", row.name);
      rows.push_back({item != nullptr ? badge(item->word) : Markup(), row.name,
                      lasting(statistics::median(row.operation())),
                      percent(static_cast<std::uint64_t>(statistics::spread(row.operation()) * 1e4), 10000),
                      speed_of(row), ratio_to(row, "copy"), compares && item != nullptr ? item->why : ""});
    }
  }
  Markup all = paragraph(
      "Rows of host are the code for tensors in a host's memory, which the properties call cpu. Medians over the "
      "repeats; "
      "spread is their interquartile range as a part of the median; of copy, how fast "
      "beside a copy of as many bytes in the same repeat. " +
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
  std::vector<Markup> cards;
  std::vector<std::vector<Markup>> others;
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
  if (context.now.verified.empty() && context.now.campaigns.empty())
    return absent("what was found", "./tileproof verify");
  if (cards.empty() && others.empty()) return paragraph("Nothing was found.");
  Markup all;
  for (std::size_t i = 0; i < std::min(cards.size(), most_cards); ++i) all += cards[i];
  if (cards.size() > most_cards)
    all += paragraph("and " + std::to_string(cards.size() - most_cards) + " more: see report.json");
  if (!others.empty()) {
    all += element("h3", "Of the same properties and kinds") +
           shortened_table({{"fingerprint"}, {"cases", true}, {"first seen"}, {"last seen"}, {"a case"}},
                           std::move(others), most_lines);
  }
  return all;
}

Markup known_section(ReportContext& context) {
  std::vector<std::vector<Markup>> rows;
  for (const auto& found : context.now.verified) {
    for (const KnownFailure& known : known_failures(found.record)) {
      rows.push_back({known.finding->id, known.judgement->subject, known.finding->what, known.finding->since,
                      known.finding->expires, with_commas(known.finding->cases), to_copy(known.finding->replay)});
    }
  }
  for (const auto& found : context.now.campaigns) {
    for (const auto& [id, cases] : found.record.known) {
      rows.push_back({id, found.record.subject, "met by a campaign", "", "", with_commas(cases), ""});
    }
  }
  if (context.now.verified.empty() && context.now.campaigns.empty())
    return absent("which known findings occurred", "./tileproof verify");
  if (rows.empty()) return paragraph("None occurred, of the subjects that ran.");
  return paragraph(
             "Mutants that the ledger lists, of somebody else's operators: no failures of this run. They have no "
             "budget "
             "of exactness.") +
         table({{"name"}, {"subject"}, {"what"}, {"since"}, {"until"}, {"cases", true}, {"a case"}}, rows);
}

std::vector<Markup> not_shown(const ReportContext& context) {
  std::vector<Markup> all;
  const Records& now = context.now;
  const auto lacks = [&](bool is_there, const std::string& what, const std::string& command) {
    if (!is_there) all.push_back(Markup(what + " ") + code_of(command) + " would.");
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
    for (const Group& group : subjects_not_run(found.record))
      all.push_back("What " + group.subject + " does: " + group.reason + ".");
    std::size_t skipped = 0;
    for (const Group& group : properties_skipped(found.record)) skipped += group.count;
    if (skipped != 0)
      all.push_back(counted(skipped, "property") + " were SKIPPED, in whole or in part: see summary.json of the run.");
  }
  for (const auto& found : now.measured) {
    std::size_t sampled = 0;
    for (const AccuracyRow& row : found.record.rows) sampled += row.is_sampled ? 1 : 0;
    if (sampled != 0) {
      all.push_back("The largest error there is: " + counted(sampled, "row") +
                    " of the accuracy table are samples, whose maxima are lower limits.");
    }
    for (const auto& [subject, why] : found.record.skipped)
      all.push_back("How accurate " + subject + " is: " + why + ".");
  }
  for (const auto& found : now.proved) {
    for (const Proof& proof : found.record.proofs) {
      if (proof.verdict != "SAMPLED") continue;
      all.push_back("All of " + proof.property + " on " + proof.subject + ": " + with_commas(proof.points_done) +
                    " of " + with_commas(proof.points) + " points.");
    }
    for (const auto& [subject, why] : found.record.not_here) all.push_back("Proofs of " + subject + ": " + why + ".");
    if (found.record.self.empty()) {
      all.push_back(Markup("What the harness itself can find. ") + code_of("./tileproof prove self") + " would.");
    }
  }
  for (const auto& found : now.campaigns) {
    const Campaign& campaign = found.record;
    if (campaign.cells_hit < campaign.cells_reachable) {
      all.push_back(with_commas(campaign.cells_reachable - campaign.cells_hit) +
                    " feature cells that the campaign of " + campaign.subject + " did not reach.");
    }
    for (const std::string& property : campaign.never_asked)
      all.push_back("A campaign through " + property + " of " + campaign.subject + ": no case could be asked.");
  }
  for (const auto& found : now.timed) {
    for (const auto& [name, why] : found.record.not_measured) all.push_back("The speed of " + name + ": " + why + ".");
  }
  const Provenance provenance = now.provenance();
  const bool has_gpu =
      !architecture_of(provenance).empty() || (provenance.contains("gpu") && !provenance.at("gpu").empty());
  if (!has_gpu) all.push_back("Anything of a GPU: no record here was made on one.");
  return all;
}

Markup not_shown_section(ReportContext& context) {
  Markup items;
  for (const Markup& one : not_shown(context)) items += element("li", one);
  return element("ul", items);
}

}  // namespace tileproof::reports
