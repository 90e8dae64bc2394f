// Sections of the page: zero-point domains, proofs, determinism, and the proofs about the harness itself.
#include <algorithm>
#include <map>

#include "reports/page/section.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

/// Says how much a weight changes at most, in each format, if an integer zero point becomes a float zero.
Markup answer_text(const Records& records) {
  std::map<std::string, const DomainFigure*> of_format;
  for (const DomainFigure& one : parts_of(records.proved, &Proofs::domains)) {
    const bool is_it = one.direction == "integer to float" && one.quantity == "weight" && one.unit == "scale" &&
                       one.zero_points == "0..15";
    if (is_it) of_format.emplace(one.format, &one);
  }
  if (of_format.empty()) return {};
  bool all_proved = true;
  for (const auto& [format, figure] : of_format) all_proved = all_proved && figure->is_proved;
  const auto text_of = [](const auto& one) {
    const DomainFigure& figure = *one.second;
    return (figure.is_proved ? "at most " : "at least ") + short_number(figure.value) + " of a scale in " + one.first;
  };
  return paragraph(
      "An integer zero point becomes a float zero as zero = (8 - zero_point) * scale, rounded once. Where that product "
      "fits the format it is exact. Elsewhere, for zero points 0 to 15, the largest change of a weight is " +
      joined(of_format, ", and ", text_of) +
      (all_proved ? "; of that, every scale and every zero point was looked at."
                  : "; not all was looked at: this is a sample."));
}

}  // namespace

Markup domains_section(ReportContext& context) {
  TableRows rows;
  for (const DomainFigure& one : parts_of(context.now.proved, &Proofs::domains)) {
    rows.push_back({one.format, one.direction, one.quantity, one.zero_points,
                    (one.is_proved ? "= " : ">= ") + short_number(one.value), one.unit, code_of(one.where)});
  }
  if (rows.empty()) {
    return absent("what converting integer zero points to float ones costs", "./tileproof prove domains");
  }
  return answer_text(context.now) +
         paragraph(
             "= is the maximum of an enumeration, >= of a part of it. The other way, from float to integer, pairs of a "
             "scale and a zero whose nearest zero point is beyond int8 are left out: what clamping costs has no limit. "
             "Units: scale, that of the group; ulp, the last place of the zero; values apart, how many steps from one "
             "value of the format to the next, of which there are many where a weight nearly cancels; bound, what a "
             "property allows, which is one last place of the larger of the zero and the weight, and from float to "
             "integer half a scale more: it never passes 1.") +
         table({{"format"},
                {"direction"},
                {"what moves"},
                {"zero points"},
                {"at most", true},
                {"in units of"},
                {"attained at"}},
               rows);
}

Markup proofs_section(ReportContext& context) {
  if (context.now.proved.empty()) return absent("what was enumerated", "./tileproof prove");
  TableRows rows, sanitizers;
  std::size_t proved = 0;
  for (const Proof& proof : parts_of(context.now.proved, &Proofs::proofs)) {
    proved += proof.verdict == "PROVED" ? 1 : 0;
    const Markup why = proof.finding.empty() ? Markup(proof.reason) : element("pre", proof.finding);
    rows.push_back({badge(proof.verdict), Markup(proof.property) + of_class("div", "soft", proof.point), proof.subject,
                    part_of(proof), why + to_copy(proof.replay), lasting(proof.seconds)});
  }
  for (const SanitizerRun& run : parts_of(context.now.proved, &Proofs::sanitizers)) {
    sanitizers.push_back({badge(run.verdict), run.tool, run.reason});
  }
  Markup all = paragraph(std::to_string(rows.size()) + " tried: " + std::to_string(proved) +
                         " PROVED, every point of their domain compared. SAMPLED is a part of it, and no proof.");
  if (!rows.empty()) {
    all += table({{""}, {"property"}, {"subject"}, {"looked at", true}, {"why not more"}, {"time", true}}, rows);
  }
  return all + titled_table("compute-sanitizer", {{""}, {"tool"}, {"what it said"}}, sanitizers);
}

Markup determinism_section(ReportContext& context) {
  TableRows rows;
  for (const Judgement& one : parts_of(context.now.verified, &Summary::judgements)) {
    if (!one.property.starts_with("determinism/") || one.verdict == Verdict::skipped) continue;
    Markup hashes;
    for (const auto& [way, hash] : one.runs) hashes += element("div", Markup(way) + ": " + code_of(hash));
    if (one.runs.empty()) hashes = code_of(one.output_hash);
    rows.push_back({badge(name_of(one.verdict)), one.property, one.subject, with_commas(one.cases), hashes});
  }
  if (rows.empty()) return absent("whether repeats give the same bits", "./tileproof verify --property determinism/");
  return paragraph(
             "The same problems again in other ways, which each row names as far as its subject has them (repeats, "
             "pieces, streams, launch shapes): a hash of all bits of all results, which must be one and the same.") +
         table({{""}, {"property"}, {"subject"}, {"cases", true}, {"hash of all results"}}, rows);
}

Markup power_section(ReportContext& context) {
  Markup planted;
  for (const auto& found : context.now.campaigns) {
    const auto& mutants = found.record.planted;
    if (mutants.empty()) continue;
    const auto met = std::count_if(mutants.begin(), mutants.end(), [](const auto& mutant) { return mutant.second; });
    const std::string names =
        joined(mutants, ", ", [](const auto& mutant) { return mutant.first + (mutant.second ? "" : " (not found)"); });
    planted += paragraph("Before its campaign of " + found.record.subject + ": " + std::to_string(met) + " of " +
                         counted(mutants.size(), "planted mutant") + " found: " + names + ".");
  }
  TableRows rows, criteria;
  for (const SelfProof& proof : parts_of(context.now.proved, &Proofs::self)) {
    const auto has = [&](const char* verdict) {
      return std::any_of(proof.steps.begin(), proof.steps.end(),
                         [&](const SelfStep& step) { return step.verdict == verdict; });
    };
    const bool compares = proof.name == "peers";
    rows.push_back({badge(has("BROKEN")      ? "BROKEN"
                          : has("NOT_SHOWN") ? "NOT SHOWN"
                                             : "HELD"),
                    proof.name, proof.what, compares ? "see below" : first_line(proof.summary)});
    if (!compares || proof.steps.empty()) continue;
    const std::map<std::string, std::string>& fields = proof.steps.back().fields;
    const auto is_mutant = [](const auto& field) { return field.first.starts_with("mutant "); };
    const auto mutants = std::count_if(fields.begin(), fields.end(), is_mutant);
    for (const auto& field : fields) {
      if (!is_mutant(field)) criteria.push_back({field.first, field.second + " of " + std::to_string(mutants)});
    }
  }
  if (rows.empty()) return absent("how many planted mutants the harness finds", "./tileproof prove self") + planted;
  return table({{""}, {"part"}, {"what it shows"}, {"result"}}, rows) +
         titled_table("The same mutants before criteria of public suites",
                      {{"criterion"}, {"mutants that it finds", true}}, criteria) +
         planted;
}

}  // namespace tileproof::reports
