#include "fuzz/records/summary.h"

#include <algorithm>
#include <sstream>

#include "fuzz/records/exit_code.h"
#include "fuzz/records/provenance.h"
#include "fuzz/records/records.h"
#include "properties/catalogue/properties.h"
#include "properties/judging/patterns.h"
#include "properties/problem/draw.h"

namespace tileproof {

namespace {

using nlohmann::json;

/// The verdict of the whole run, and the reason if it is not PASSED.
struct Overall {
  Verdict verdict;
  std::string reason;
  int exit;
};

std::int64_t count(const RunFacts& run, Verdict verdict) {
  return std::count_if(run.judgements.begin(), run.judgements.end(),
                       [&](const Judgement& j) { return j.verdict == verdict; });
}

/// "288 of 300 cases of 1 property fail as the ledger says"; "" if no property is KNOWN.
std::string known_cases(const RunFacts& run) {
  std::int64_t properties = 0, failing = 0, cases = 0;
  for (const Judgement& judgement : run.judgements) {
    if (judgement.verdict != Verdict::known) continue;
    ++properties;
    cases += judgement.cases;
    for (const auto& [variant, count] : judgement.known_of) failing += count;
  }
  if (properties == 0) return "";
  return std::to_string(failing) + " of " + std::to_string(cases) + " cases of " + std::to_string(properties) +
         (properties == 1 ? " property" : " properties") + " fail as the ledger says";
}

Overall overall(const RunFacts& run) {
  if (count(run, Verdict::failed) != 0) return {Verdict::failed, "", exit_code::failed};
  const auto mistrusted = [](const std::string& why) {
    return Overall{Verdict::mistrusted, why, exit_code::mistrusted};
  };
  for (const JudgedSubject& subject : run.subjects) {
    if (subject.why_not.empty()) continue;
    bool required = subject.asked_for;
#if defined(TILEPROOF_REQUIRE_GPU)
    required |= subject.needs_gpu;
#endif
    if (required) return mistrusted(subject.name + " was asked for and did not run: " + subject.why_not);
  }
  for (const JudgedSubject& subject : run.subjects) {
    const bool judged = std::any_of(run.judgements.begin(), run.judgements.end(), [&](const Judgement& j) {
      return j.subject == subject.name && j.verdict != Verdict::skipped;
    });
    if (subject.asked_for && !judged) return mistrusted(subject.name + " was asked for and has nothing to run");
  }
  const auto not_run = std::count_if(run.judgements.begin(), run.judgements.end(), [](const Judgement& j) {
    return j.verdict == Verdict::mistrusted && j.reason == "not run: interrupted";
  });
  if (not_run != 0) return mistrusted("interrupted: " + std::to_string(not_run) + " properties were not run");
  if (count(run, Verdict::mistrusted) != 0) return mistrusted("some properties prove too little");
  if (const std::string known = known_cases(run); !known.empty()) return {Verdict::known, known, exit_code::passed};
  if (count(run, Verdict::passed) == 0) return mistrusted("nothing passed");
  return {count(run, Verdict::known) == 0 ? Verdict::passed : Verdict::known, "", exit_code::passed};
}

/// The classes of problems that a known finding may be about, and this one is of.
json classes_of(const Problem& problem) {
  json names = json::array();
  for (const std::string& name : classes_of_problems()) {
    if (is_of_class(problem, name)) names.push_back(name);
  }
  return names;
}

json json_of(const Judgement& j, const std::vector<std::string>& flags) {
  json findings = json::array();
  for (const Finding& finding : j.findings) {
    const bool replays = !finding.problem.property.empty();
    findings.push_back({{"problem", replays ? line_of(finding.problem) : ""},
                        {"kind", finding.kind},
                        {"details", finding.details},
                        {"cause", finding.cause},
                        {"pattern", value_pattern_of(finding)},
                        {"classes", classes_of(finding.problem)},
                        {"shrinks", finding.shrinks},
                        {"replay", replays ? replay_words(flags, finding.problem) : std::vector<std::string>()}});
  }
  json known = json::array();
  for (const KnownCases& one : j.known) {
    if (one.cases == 0) continue;
    // A ledger entry may cover several variants, and still counts as one finding.
    const auto same = std::find_if(known.begin(), known.end(), [&](const json& k) { return k["id"] == one.row.id; });
    if (same != known.end()) {
      (*same)["cases"] = (*same)["cases"].get<std::int64_t>() + one.cases;
      continue;
    }
    known.push_back({{"id", one.row.id},
                     {"what", one.row.what},
                     {"since", one.row.since},
                     {"expires", one.row.expires},
                     {"cases", one.cases},
                     {"problem", line_of(one.first.problem)},
                     {"kind", one.first.kind},
                     {"pattern", value_pattern_of(one.first)},
                     {"classes", classes_of(one.first.problem)},
                     {"details", one.first.details},
                     {"replay", replay_words(flags, one.first.problem)}});
  }
  json runs = json::object();
  for (const auto& [way, hash] : j.coverage.runs) runs[way] = in_hex(hash);
  json variants = json::array();
  for (const auto& [variant, one] : j.variants) {
    variants.push_back(
        {{"variant", variant}, {"verdict", name_of(one.verdict)}, {"cases", one.cases}, {"reason", one.reason}});
  }
  json asked = {{"formats", j.asked.formats}, {"schemes", j.asked.schemes}, {"group_sizes", j.asked.group_sizes}};
  for (const auto& [name, range] : j.asked.ranges) asked[name] = {range.least, range.most};
  if (j.cells_in_reach != 0 && j.cases != 0) asked["cells"] = {j.asked.cells.size(), j.cells_in_reach};
  json needs = json::array();
  for (const Property& property : properties()) {
    if (property.name != j.property) continue;
    for (const Operation operation : property.needs) needs.push_back(name_of(operation));
  }
  json measures = json::array();
  for (const auto& [name, one] : j.coverage.largest) {
    measures.push_back({{"name", name}, {"value", one.value}, {"where", one.where}});
  }
  return {{"property", j.property},
          {"subject", j.subject},
          {"needs", needs},
          {"verdict", name_of(j.verdict)},
          {"reason", j.reason},
          {"cases", j.cases},
          {"elements", j.elements},
          {"seconds", j.seconds},
          {"output_hash", in_hex(j.output_hash)},
          {"runs", runs},
          {"measures", measures},
          {"classes", j.classes},
          {"variants", variants},
          {"out_of_reach", j.out_of_reach},
          {"asked", asked},
          {"explained", j.explained},
          {"findings", findings},
          {"known", known},
          {"refused", {{"cases", j.refused_cases}, {"message", j.first_refusal}}}};
}

}  // namespace

std::vector<std::string> replay_words(const std::vector<std::string>& flags, const Problem& problem) {
  std::vector<std::string> words = flags;
  std::istringstream line(line_of(problem));
  for (std::string word; line >> word;) words.push_back(word);
  return words;
}

json summary_of(const RunFacts& run) {
  json counts = json::object();
  for (const Verdict verdict :
       {Verdict::passed, Verdict::failed, Verdict::skipped, Verdict::mistrusted, Verdict::known}) {
    counts[name_of(verdict)] = count(run, verdict);
  }
  json judgements = json::array();
  std::uint64_t hash = 0;
  for (const Judgement& judgement : run.judgements) {
    std::vector<std::string> flags;
    for (const JudgedSubject& subject : run.subjects) {
      if (subject.name == judgement.subject) flags = subject.replay_flags;
    }
    judgements.push_back(json_of(judgement, flags));
    hash = mixed(hash ^ judgement.output_hash);
  }
  json named = json::array();
  for (const JudgedSubject& subject : run.subjects) {
    named.push_back({{"name", subject.name},
                     {"what", subject.what},
                     {"why_not", subject.why_not},
                     {"library", subject.facts.library},
                     {"device", subject.facts.device},
                     {"capability", subject.facts.capability}});
  }
  const Overall verdict = overall(run);
  return {{"schema", 3},
          {"tool", "tileproof " TILEPROOF_VERSION},
          {"command", run.command},
          {"run_start", run.run_start},
          {"seconds", run.seconds},
          {"seed", in_hex(run.seed)},
          {"cases_per_property", run.cases_per_property},
          {"machine", machine_of(run.provenance)},
          {"provenance", run.provenance},
          {"verdict", name_of(verdict.verdict)},
          {"reason", verdict.reason},
          {"exit_code", verdict.exit},
          {"output_hash", in_hex(hash)},
          {"counts", counts},
          {"observations", run.observations},
          {"subjects", named},
          {"judgements", judgements}};
}

}  // namespace tileproof
