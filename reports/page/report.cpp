#include "reports/page/report.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "reports/page/page.h"
#include "reports/page/report_files.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

/// The subjects that the records have results of.
std::set<std::string> subjects_of(const Records& records) {
  std::set<std::string> names;
  for (const Judgement& one : parts_of(records.verified, &Summary::judgements)) {
    if (one.verdict != Verdict::skipped) names.insert(one.subject);
  }
  if (!names.empty()) return names;
  for (const AccuracyRow& row : parts_of(records.measured, &Accuracy::rows)) names.insert(row.key.subject);
  for (const Proof& proof : parts_of(records.proved, &Proofs::proofs)) names.insert(proof.subject);
  for (const auto& found : records.campaigns) names.insert(found.record.subject);
  return names;
}

void rename_subject(Records& records, const std::string& from, const std::string& to) {
  const auto rename = [&](std::string& name) {
    if (name == from) name = to;
  };
  for (auto& found : records.verified) {
    for (Judgement& one : found.record.judgements) rename(one.subject);
  }
  for (auto& found : records.measured) {
    for (AccuracyRow& one : found.record.rows) rename(one.key.subject);
  }
  for (auto& found : records.proved) {
    for (Proof& one : found.record.proofs) rename(one.subject);
  }
  for (auto& found : records.campaigns) rename(found.record.subject);
}

/// If each side has exactly one subject and they differ, the baseline's is renamed, so that a kernel can be compared
/// with its successor.
/// @return a remark for the report; "" if nothing was renamed
std::string matched_subjects(const Records& now, Records& before) {
  const std::set<std::string> here = subjects_of(now), there = subjects_of(before);
  if (here.size() != 1 || there.size() != 1 || here == there) return "";
  rename_subject(before, *there.begin(), *here.begin());
  return "Not like for like: the baseline is of " + *there.begin() + ", this run of " + *here.begin() +
         ". What one does is held against what the other did.";
}

bool have_a_kind_in_common(const Records& a, const Records& b) {
  const std::vector<std::string> here = a.kinds(), there = b.kinds();
  return std::find_first_of(here.begin(), here.end(), there.begin(), there.end()) != here.end();
}

std::string kinds_in(const Records& records) { return records.empty() ? "none" : joined(records.kinds(), ", "); }

Budgets budgets_in(const std::filesystem::path& file, std::vector<std::string>& troubles) {
  std::ifstream stream(file);
  if (!stream) return {};
  try {
    const json whole = json::parse(stream, nullptr, /*allow_exceptions=*/false);
    if (whole.is_discarded()) throw std::runtime_error("it is no JSON, or not all of it");
    return read_budgets(whole);
  } catch (const std::runtime_error& error) {
    troubles.push_back("--budgets: given '" + file.string() + "' (" + error.what() +
                       "), legal is what 'report --update-budgets' writes");
    return {};
  }
}

std::string for_terminal(const Assessment& assessment) {
  std::string text = std::string(name_of(headline_of(assessment))) + ": " + assessment.sentence + "\n";
  for (const std::string& line : assessment.samples) text += "  " + one_line(line) + "\n";
  const ToRead first = to_read(assessment, 4);
  for (const Item& item : first.items) {
    text += "  " + std::string(name_of(item.word)) + " " + one_line(item.name) + (item.why.empty() ? "" : ": ") +
            one_line(shortened(item.why, 160)) + "\n";
  }
  for (const std::string& more : first.left_out) text += "  and " + more + "\n";
  return text + counts_text(assessment, words_met(assessment)) + "\n";
}

}  // namespace

Report report(const ReportRequest& request) {
  Records now = records_in("RUN", request.runs);
  Records before = records_in("--against", request.against);
  const Budgets budgets = budgets_in(request.budgets, now.troubles);
  bool compares = !before.empty();
  if (compares && !now.empty() && !have_a_kind_in_common(now, before)) {
    before.troubles.push_back("--against: given records of " + kinds_in(before) +
                              ", legal is a baseline of the same shape, with records of " + kinds_in(now));
    compares = false;
  }
  if (!compares) {  // the baseline is not shown, only what is wrong with it
    now.troubles.insert(now.troubles.end(), before.troubles.begin(), before.troubles.end());
    before = {};
  }
  const Records* baseline = compares ? &before : nullptr;
  std::vector<std::string> remarks;
  if (compares) {
    if (const std::string remark = matched_subjects(now, before); !remark.empty()) remarks.push_back(remark);
  }
  Assessment judged;
  try {
    judged = assess(now, baseline, budgets);
  } catch (const std::runtime_error& error) {  // two equally specific budgets match one result
    now.troubles.push_back("--budgets: given two budgets for one result (" + std::string(error.what()) +
                           "), legal is one that names more of it than any other");
    judged = assess(now, baseline, {});
  }
  ReportContext context = {now, baseline, judged, remarks};
  Markup contents, body;
  for (const Section& section : sections()) {
    contents += link_to(section.id, section.title) + " ";
    body += element("section", {{"id", std::string(section.id.text())}},
                    element("h2", section.title) + section.body(context));
  }
  Report result;
  result.html = page("tileproof report: " + std::string(name_of(headline_of(context.assessment))), contents, body);
  result.markdown = report_markdown(context);
  result.junit = report_junit(context);
  result.json = report_json(context).dump(1, ' ', false, json::error_handler_t::replace) + "\n";
  result.said = for_terminal(judged);
  result.troubles = now.troubles;
  result.troubles.insert(result.troubles.end(), before.troubles.begin(), before.troubles.end());
  result.is_empty = now.empty();
  result.exit_code = !result.troubles.empty() ? 2 : judged.exit_code();
  return result;
}

BudgetsUpdate updated_budgets(const ReportRequest& request) {
  BudgetsUpdate result;
  const Records now = records_in("RUN", request.runs);
  result.troubles = now.troubles;
  Budgets budgets = budgets_in(request.budgets, result.troubles);
  if (result.troubles.empty() && now.measured.empty()) {
    result.troubles.push_back("RUN: given records of " + kinds_in(now) +
                              ", legal is a run of verify with accuracy.json in it");
  }
  if (!result.troubles.empty()) return result;
  for (const auto& found : now.measured) {
    std::map<std::string, std::string> from = {{"run_start", found.run_start}};
    for (const char* name : {"commit", "dirty"}) {
      if (found.provenance.contains(name)) from[name] = value_named(found.provenance, name);
    }
    const BudgetUpdate update = updated(budgets, found.record, architecture_of(found.provenance), from);
    budgets = update.budgets;
    result.changed.insert(result.changed.end(), update.changed.begin(), update.changed.end());
    result.refused.insert(result.refused.end(), update.refused.begin(), update.refused.end());
  }
  if (!result.changed.empty()) result.json = json_of(budgets).dump(1) + "\n";
  return result;
}

}  // namespace tileproof::reports
