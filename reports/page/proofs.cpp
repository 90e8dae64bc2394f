// Sections of the page: zero-point domains, proofs, determinism, and the proofs about the harness itself.
#include <algorithm>
#include <map>
#include <set>

#include "reports/page/section.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

/// The figure for a format that says how much a weight changes at most if an integer zero point becomes a float zero;
/// nullptr if it was not measured.
const DomainFigure* answer(const std::vector<DomainFigure>& figures, const std::string& format) {
  for (const DomainFigure& one : figures) {
    const bool is_it = one.format == format && one.direction == "integer to float" && one.quantity == "weight" &&
                       one.unit == "scale" && one.zero_points == "0..15";
    if (is_it) return &one;
  }
  return nullptr;
}

Markup answer_text(const std::vector<DomainFigure>& figures) {
  std::set<std::string> formats;
  for (const DomainFigure& one : figures) formats.insert(one.format);
  std::string text;
  bool all_proved = true;
  for (const std::string& format : formats) {
    const DomainFigure* found = answer(figures, format);
    if (found == nullptr) continue;
    all_proved = all_proved && found->is_proved;
    text += (text.empty() ? "" : ", and ") + std::string(found->is_proved ? "at most " : "at least ") +
            short_number(found->value) + " of a scale in " + format;
  }
  if (text.empty()) return {};
  return paragraph(
      "An integer zero point becomes a float zero as zero = (8 - zero_point) * scale, rounded once. Where that product "
      "fits "
      "the format it is exact. Elsewhere, for zero points 0 to 15, the largest change of a weight is " +
      text +
      (all_proved ? "; of that, every scale and every zero point was looked at."
                  : "; not all was looked at: this is a sample."));
}

std::string part_of(const Proof& proof) {
  if (proof.points == 0) return "-";
  return with_commas(proof.points_done) + " of " + with_commas(proof.points);
}

const char* class_of(const std::string& verdict) {
  if (verdict == "PROVED" || verdict == "HELD" || verdict == "PASSED") return "badge exact";
  if (verdict == "FAILED" || verdict == "BROKEN") return "badge failed";
  return verdict == "SKIPPED" || verdict == "NOT SHOWN" || verdict == "NOT_SHOWN" ? "badge not-run"
         : verdict == "KNOWN"                                                     ? "badge known"
         : verdict == "SAMPLED"                                                   ? "badge sampled"
                                                                                  : "badge mistrusted";
}

Markup verdict_badge(const std::string& verdict) { return element("span", {{"class", class_of(verdict)}}, verdict); }

}  // namespace

Markup domains_section(ReportContext& context) {
  std::vector<DomainFigure> figures;
  std::vector<std::vector<Markup>> measures;
  for (const auto& found : context.now.proved) {
    figures.insert(figures.end(), found.record.domains.begin(), found.record.domains.end());
    for (const Proof& proof : found.record.proofs) {
      for (const Measure& one : proof.measures) {
        const std::string sign = proof.verdict == "PROVED" ? "= " : ">= ";
        measures.push_back({proof.property, one.name, sign + short_number(one.value), code_of(one.where)});
      }
    }
  }
  if (figures.empty() && measures.empty()) {
    return absent("what converting integer zero points to float ones costs", "./tileproof prove domains");
  }
  std::vector<std::vector<Markup>> rows;
  for (const DomainFigure& one : figures) {
    rows.push_back({one.format, one.direction, one.quantity, one.zero_points,
                    (one.is_proved ? "= " : ">= ") + short_number(one.value), one.unit, code_of(one.where)});
  }
  Markup all = answer_text(figures);
  all += paragraph(
      "= is the maximum of an enumeration, >= of a part of it. The other way, from float to integer, pairs of a scale "
      "and a zero whose nearest zero point is beyond int8 are left out: what clamping costs has no limit. Units: "
      "scale, that of the group; ulp, the last place of the zero; values apart, how many steps from one value of the "
      "format to the next, of which there are many where a weight nearly cancels; bound, what a property allows, which "
      "is "
      "one last place of the larger of the zero and the "
      "weight, and from float to integer half a scale more: it never passes 1.");
  if (!rows.empty()) {
    all += table({{"format"},
                  {"direction"},
                  {"what moves"},
                  {"zero points"},
                  {"at most", true},
                  {"in units of"},
                  {"attained at"}},
                 rows);
  }
  if (!measures.empty() && figures.empty()) {
    all += table({{"property"}, {"largest"}, {"value", true}, {"attained at"}}, measures);
  }
  return all;
}

Markup proofs_section(ReportContext& context) {
  if (context.now.proved.empty()) return absent("what was enumerated", "./tileproof prove");
  std::vector<std::vector<Markup>> rows;
  std::size_t proved = 0;
  for (const auto& found : context.now.proved) {
    for (const Proof& proof : found.record.proofs) {
      proved += proof.verdict == "PROVED" ? 1 : 0;
      Markup why = proof.finding.empty() ? Markup(proof.reason) : element("pre", proof.finding);
      why += to_copy(proof.replay);
      rows.push_back({verdict_badge(proof.verdict), Markup(proof.property) + of_class("div", "soft", proof.point),
                      proof.subject, part_of(proof), percent(proof.points_done, proof.points), why,
                      lasting(proof.seconds)});
    }
  }
  Markup all = paragraph(std::to_string(rows.size()) + " tried: " + std::to_string(proved) +
                         " PROVED, every point of their domain compared. SAMPLED is a part of it, and no proof.");
  if (!rows.empty()) {
    all += table({{""}, {"property"}, {"subject"}, {"looked at", true}, {"", true}, {"why not more"}, {"time", true}},
                 rows);
  }
  std::vector<std::vector<Markup>> sanitizers;
  for (const auto& found : context.now.proved) {
    for (const SanitizerRun& run : found.record.sanitizers) {
      sanitizers.push_back({verdict_badge(run.verdict), run.tool, run.reason});
    }
  }
  if (!sanitizers.empty())
    all += element("h3", "compute-sanitizer") + table({{""}, {"tool"}, {"what it said"}}, sanitizers);
  return all;
}

Markup determinism_section(ReportContext& context) {
  std::vector<std::vector<Markup>> rows;
  for (const auto& found : context.now.verified) {
    for (const Judgement& one : found.record.judgements) {
      if (!one.property.starts_with("determinism/") || one.verdict == Verdict::skipped) continue;
      Markup hashes;
      for (const auto& [way, hash] : one.runs) hashes += element("div", Markup(way) + ": " + code_of(hash));
      if (one.runs.empty()) hashes = code_of(one.output_hash);
      rows.push_back({verdict_badge(name_of(one.verdict)), one.property, one.subject, with_commas(one.cases), hashes});
    }
  }
  if (rows.empty()) return absent("whether repeats give the same bits", "./tileproof verify --property determinism/");
  return paragraph(
             "The same problems again in other ways, which each row names as far as its subject has them (repeats, "
             "pieces, streams, launch shapes): a hash of all bits of all results, which must be one and the same.") +
         table({{""}, {"property"}, {"subject"}, {"cases", true}, {"hash of all results"}}, rows);
}

Markup power_section(ReportContext& context) {
  std::vector<const SelfProof*> proofs;
  for (const auto& found : context.now.proved) {
    for (const SelfProof& proof : found.record.self) proofs.push_back(&proof);
  }
  Markup planted;
  for (const auto& found : context.now.campaigns) {
    if (found.record.planted.empty()) continue;
    std::string names;
    std::size_t met = 0;
    for (const auto& [mutant, is_found] : found.record.planted) {
      names += (names.empty() ? "" : ", ") + mutant + (is_found ? "" : " (not found)");
      met += is_found ? 1 : 0;
    }
    planted += paragraph("Before its campaign of " + found.record.subject + ": " + std::to_string(met) + " of " +
                         counted(found.record.planted.size(), "planted mutant") + " found: " + names + ".");
  }
  if (proofs.empty()) {
    return absent("how many planted mutants the harness finds", "./tileproof prove self") + planted;
  }
  Markup all;
  std::vector<std::vector<Markup>> rows, criteria;
  for (const SelfProof* proof : proofs) {
    std::map<std::string, std::size_t> verdicts;
    for (const SelfStep& step : proof->steps) ++verdicts[step.verdict];
    const std::string worst = verdicts.contains("BROKEN")      ? "BROKEN"
                              : verdicts.contains("NOT_SHOWN") ? "NOT SHOWN"
                                                               : "HELD";
    const bool compares = proof->name == "peers";
    rows.push_back({verdict_badge(worst), proof->name, proof->what,
                    compares ? std::string("see below") : proof->summary.substr(0, proof->summary.find('\n'))});
    if (!compares || proof->steps.empty()) continue;
    std::size_t mutants = 0;
    for (const auto& [name, value] : proof->steps.back().fields) mutants += name.starts_with("mutant ") ? 1 : 0;
    for (const auto& [name, value] : proof->steps.back().fields) {
      if (!name.starts_with("mutant ")) criteria.push_back({name, value + " of " + std::to_string(mutants)});
    }
  }
  all += table({{""}, {"part"}, {"what it shows"}, {"result"}}, rows);
  if (!criteria.empty()) {
    all += element("h3", "The same mutants before criteria of public suites") +
           table({{"criterion"}, {"mutants that it finds", true}}, criteria);
  }
  return all + planted;
}

}  // namespace tileproof::reports
