#include "reports/records/summary.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "reports/field.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

constexpr Verdict verdicts[] = {Verdict::passed, Verdict::failed, Verdict::skipped, Verdict::mistrusted,
                                Verdict::known};

Verdict verdict_of(const Field& field, const std::vector<Verdict>& legal, const std::string& expected) {
  const std::string name = field.text();
  const auto found = std::find_if(legal.begin(), legal.end(), [&](Verdict v) { return name == name_of(v); });
  field.require(found != legal.end(), expected);
  return *found;
}

Verdict verdict_of_property(const Field& field) {
  return verdict_of(field, {std::begin(verdicts), std::end(verdicts)}, "PASSED, FAILED, SKIPPED, MISTRUSTED or KNOWN");
}

/// None in older records.
std::set<std::string> read_classes(const Field& field) {
  std::set<std::string> classes;
  for (const Field& item : field.items_if_any()) classes.insert(item.text());
  return classes;
}

Finding read_finding(const Field& field) {
  return {field["problem"].text(),  field["kind"].text(),    field["details"].text(),  field["cause"].label(),
          field["shrinks"].count(), field["replay"].texts(), field["pattern"].label(), read_classes(field["classes"])};
}

ExpectedFailure read_expected(const Field& field) {
  return {field["id"].text(),     field["what"].text(),     field["since"].text(),         field["expires"].text(),
          field["cases"].count(), field["details"].text(),  field["replay"].texts(),       field["problem"].label(),
          field["kind"].label(),  field["pattern"].label(), read_classes(field["classes"])};
}

Variant read_variant(const Field& field) {
  return {field["variant"].text(), verdict_of_property(field["verdict"]), field["reason"].text()};
}

Refused read_refused(const Field& field) {
  const Refused refused = {field["cases"].count(), field["message"].text()};
  field["message"].require(refused.cases != 0 || refused.message.empty(), "\"\" where no case was refused");
  return refused;
}

Asked read_asked(const Field& field) {
  Asked asked;
  for (const Field& item : field["formats"].items()) asked.formats.insert(item.text());
  if (!field["schemes"].is_nothing()) {
    for (const Field& item : field["schemes"].items()) asked.schemes.insert(item.text());
  }
  for (const Field& item : field["group_sizes"].items()) asked.group_sizes.insert(item.count());
  for (const char* name : {"n", "k", "groups"}) {
    if (field[name].is_nothing()) continue;  // there was no case
    const std::vector<Field> ends = field[name].items();
    field[name].require(ends.size() == 2, "the least and the most");
    asked.ranges[name] = {ends[0].count(), ends[1].count()};
  }
  if (const Field cells = field["cells"]; !cells.is_nothing()) {
    const std::vector<Field> both = cells.items();
    cells.require(both.size() == 2 && both[0].count() <= both[1].count(), "cells visited, of those in reach");
    asked.cells = both[0].count();
    asked.cells_in_reach = both[1].count();
  }
  return asked;
}

/// Findings require FAILED. Known findings require KNOWN, or FAILED or MISTRUSTED, which are red anyway.
void require_verdict_of_findings(const Field& verdict, const Judgement& judgement) {
  const bool red = judgement.verdict == Verdict::failed || judgement.verdict == Verdict::mistrusted;
  const bool known = judgement.verdict == Verdict::known;
  verdict.require(judgement.findings.empty() || judgement.verdict == Verdict::failed, "FAILED over findings");
  verdict.require(judgement.known.empty() || known || red, "KNOWN, FAILED or MISTRUSTED over known findings");
  verdict.require(!judgement.known.empty() || !known, "no KNOWN where no finding is known");
}

Judgement read_judgement(const Field& field) {
  Judgement judgement;
  judgement.property = field["property"].text();
  judgement.subject = field["subject"].text();
  for (const Field& item : field["needs"].items_if_any()) judgement.needs.push_back(item.text());
  judgement.verdict = verdict_of_property(field["verdict"]);
  judgement.reason = field["reason"].text();
  judgement.cases = field["cases"].count();
  judgement.seconds = field["seconds"].seconds();
  judgement.output_hash = field["output_hash"].text();
  judgement.explained = field["explained"].counts();
  for (const Field& item : field["findings"].items()) judgement.findings.push_back(read_finding(item));
  for (const Field& item : field["known"].items()) judgement.known.push_back(read_expected(item));
  judgement.refused = read_refused(field["refused"]);
  // Older summaries have no runs, variants, goals or sizes.
  if (!field["runs"].is_nothing()) judgement.runs = field["runs"].texts_by_name();
  for (const Field& item : field["variants"].items_if_any()) judgement.variants.push_back(read_variant(item));
  if (!field["out_of_reach"].is_nothing()) judgement.out_of_reach = field["out_of_reach"].texts();
  if (!field["asked"].is_nothing()) judgement.asked = read_asked(field["asked"]);
  require_verdict_of_findings(field["verdict"], judgement);
  return judgement;
}

std::vector<Subject> read_subjects(const Field& field) {
  std::vector<Subject> subjects;
  std::set<std::string> names;
  for (const Field& item : field.items()) {
    subjects.push_back({item["name"].text(), item["what"].text(), item["why_not"].text(), item["library"].label(),
                        item["device"].label(), item["capability"].label()});
    item["name"].require(names.insert(subjects.back().name).second, "each name once");
  }
  return subjects;
}

/// Requires that each subject is listed, and each pair of property and subject occurs once: a table has one column for
/// a listed subject and one cell for a pair.
std::vector<Judgement> read_judgements(const Field& field, const std::vector<Subject>& subjects) {
  std::vector<Judgement> judgements;
  std::set<std::string> names;
  for (const Subject& subject : subjects) names.insert(subject.name);
  std::set<std::pair<std::string, std::string>> judged;
  for (const Field& item : field.items()) {
    judgements.push_back(read_judgement(item));
    const Judgement& last = judgements.back();
    item["subject"].require(names.contains(last.subject), "a name of subjects");
    item["property"].require(judged.emplace(last.property, last.subject).second,
                             "one judgement of a property on a subject");
  }
  return judgements;
}

std::map<Verdict, std::uint64_t> read_counts(const Field& field, const std::vector<Judgement>& judgements) {
  std::map<Verdict, std::uint64_t> counts;
  for (const Judgement& judgement : judgements) ++counts[judgement.verdict];
  for (const Verdict verdict : verdicts) {
    const Field count = field[name_of(verdict)];
    count.require(count.count() == counts[verdict], std::to_string(counts[verdict]) + ", as many as judgements holds");
  }
  return counts;
}

/// Reads the verdict of the run. With known findings it is KNOWN unless it is red; older runs say PASSED instead.
Verdict read_verdict(const Field& field, const std::map<Verdict, std::uint64_t>& counts) {
  const Verdict verdict = verdict_of(field, {Verdict::passed, Verdict::failed, Verdict::mistrusted, Verdict::known},
                                     "PASSED, FAILED, MISTRUSTED or KNOWN");
  const bool all_well = counts.at(Verdict::failed) == 0 && counts.at(Verdict::mistrusted) == 0;
  const bool is_red = verdict == Verdict::failed || verdict == Verdict::mistrusted;
  field.require(is_red || all_well,
                std::string("no ") + name_of(verdict) + " over judgements that are FAILED or MISTRUSTED");
  field.require(verdict != Verdict::passed || counts.at(Verdict::passed) > 0, "no PASSED where nothing passed");
  field.require(verdict != Verdict::known || counts.at(Verdict::known) > 0, "no KNOWN where nothing is known");
  return verdict;
}

}  // namespace

const char* name_of(Verdict verdict) {
  constexpr const char* names[] = {"PASSED", "FAILED", "SKIPPED", "MISTRUSTED", "KNOWN"};
  return names[static_cast<int>(verdict)];
}

Summary read(const json& summary) {
  const Field root(summary, "summary.json");
  root.require_schema(3);
  Summary result;
  result.tool = root["tool"].text();
  result.command = root["command"].text();
  result.run_start = root["run_start"].text();
  result.seconds = root["seconds"].seconds();
  result.seed = root["seed"].text();
  result.cases_per_property = root["cases_per_property"].count();
  const Field machine = root["machine"];
  result.machine = {machine["compiler"].text(), machine["cpu"].text(), machine["gpu"].text()};
  result.reason = root["reason"].text();
  result.exit_code = root["exit_code"].count();
  result.output_hash = root["output_hash"].text();
  result.subjects = read_subjects(root["subjects"]);
  result.judgements = read_judgements(root["judgements"], result.subjects);
  result.counts = read_counts(root["counts"], result.judgements);
  result.verdict = read_verdict(root["verdict"], result.counts);
  if (const Field observations = root["observations"]; !observations.is_nothing()) {  // older runs kept all cases
    result.observations = {observations["cases"].count(), observations["kept"].count(), observations["rule"].text()};
  }
  return result;
}

}  // namespace tileproof::reports
