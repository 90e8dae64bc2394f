#include "properties/selftest/selftest.h"

#include <algorithm>
#include <exception>
#include <map>
#include <sstream>

#include "properties/case/sample_space.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/stopwatch.h"
#include "properties/registry.h"

namespace tileproof {

namespace {

std::string in_seconds(double seconds) {
  std::ostringstream text;
  text.precision(seconds < 1 ? 3 : 1);
  text << std::fixed << seconds << "s";
  return text.str();
}

std::string counted(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

const std::string& text_in(const SelfResult& result, const std::string& name) {
  static const std::string nothing;
  for (const SelfField& field : result.fields) {
    if (field.first == name) return std::get<std::string>(field.second);
  }
  return nothing;
}

SelfProof proof_of_mutants() {
  SelfProof proof = {.name = "mutants", .what = "every mutant is FAILED by every property that says it finds it"};
  for (const Mutant& mutant : mutants()) {
    for (const std::string& name : mutant.found_by) {
      proof.steps.push_back({mutant.name + " by " + name, [&mutant, name](const SelfEffort& effort) {
                               return result_of(score_of(mutant, name, effort), mutant);
                             }});
    }
  }
  proof.summary = [](const std::vector<SelfResult>& results) {
    std::map<std::string, std::size_t> held;  // pairs by mutant
    for (const SelfResult& result : results) {
      if (result.verdict == SelfVerdict::held) ++held[text_in(result, "mutant")];
    }
    const auto found = std::ranges::count_if(mutants(), [&](const Mutant& mutant) {
      return held[mutant.name] == mutant.found_by.size() + (mutant.enumerated_by.empty() ? 0 : 1);
    });
    return std::to_string(found) + " of " + counted(static_cast<std::int64_t>(mutants().size()), "mutant") +
           " found by all of their properties; " + tally(results, "pairs", "as said");
  };
  return proof;
}

SelfResult passes_on_the_control(const Property& property, const SelfEffort& effort) {
  const SubjectRow& row = subject_row("mutant:nothing");
  const Judgement judgement = judge(property, row, *row.make().subject, {.cases = effort.cases, .seed = effort.seed});
  const std::string verdict = name_of(judgement.verdict);
  SelfResult result;
  result.verdict = judgement.verdict == Verdict::passed ? SelfVerdict::held : SelfVerdict::broken;
  result.said = verdict + ", " + counted(judgement.cases, "case");
  result.details = judgement.findings.empty() ? judgement.reason : judgement.findings.front().details;
  result.fields = {{"property", property.name},
                   {"verdict", verdict},
                   {"cases", judgement.cases},
                   {"elements", judgement.elements},
                   {"details", result.details}};
  return result;
}

/// A step for every property that can judge the control.
SelfProof proof_of_control() {
  SelfProof proof = {.name = "control", .what = "their correct control passes every property"};
  const Capabilities& takes = subject_row("mutant:nothing").capabilities;
  for (const Property& property : properties()) {
    std::string why_not;
    sample_space_of(property, takes, &why_not);
    if (!why_not.empty()) continue;
    proof.steps.push_back(
        {property.name, [&property](const SelfEffort& effort) { return passes_on_the_control(property, effort); }});
  }
  proof.summary = [](const std::vector<SelfResult>& results) { return tally(results, "properties", "passed"); };
  return proof;
}

}  // namespace

const char* name_of(SelfVerdict verdict) {
  constexpr const char* names[] = {"HELD", "BROKEN", "NOT SHOWN"};
  return names[static_cast<int>(verdict)];
}

std::string tally(const std::vector<SelfResult>& results, const std::string& things, const std::string& done) {
  std::int64_t held = 0, not_begun = 0;
  std::string others;
  for (const SelfResult& result : results) {
    if (result.verdict == SelfVerdict::held) {
      ++held;
    } else if (result.verdict == SelfVerdict::not_shown && result.fields.empty()) {
      ++not_begun;
    } else {
      others += std::string("\n  ") + name_of(result.verdict) + " " + result.name + ": " + result.details;
    }
  }
  if (not_begun != 0) others += "\n  NOT SHOWN " + std::to_string(not_begun) + " " + things + ": not begun";
  return std::to_string(held) + " of " + std::to_string(results.size()) + " " + things + " " + done + others;
}

MutantScore score_of(const Mutant& mutant, const std::string& name, const SelfEffort& effort) {
  MutantScore score;
  score.mutant = mutant.name;
  score.property = name;
  const SubjectRow& row = subject_row("mutant:" + mutant.name);
  const MadeSubject made = row.make();
  const Clock::time_point begin = Clock::now();
  const Observer observer = [&](const Observation& seen) {
    if (seen.status == "failed" && score.seconds_until_found == 0) score.seconds_until_found = seconds_since(begin);
  };
  const Judgement judgement = judge(property_of(name), row, *made.subject,
                                    {.cases = effort.cases, .seed = effort.seed, .stop = effort.stop}, observer);
  score.cases_until_found = judgement.cases;
  if (judgement.verdict != Verdict::failed) {
    score.details = std::string(name_of(judgement.verdict)) + " " + judgement.reason;
    return score;
  }
  const Finding& finding = judgement.findings.front();
  score.kind = finding.kind;
  score.shrinks = finding.shrinks;
  score.problem = line_of(finding.problem);
  score.details = finding.details;
  const bool as_said = name != mutant.found_by.front() || finding.kind == mutant.kind;
  score.verdict = as_said ? SelfVerdict::held : SelfVerdict::broken;
  if (!as_said) score.details = "found as " + finding.kind + ", not as " + mutant.kind + ": " + finding.details;
  return score;
}

SelfResult result_of(const MutantScore& score, const Mutant& mutant) {
  SelfResult result;
  result.verdict = score.verdict;
  result.said = score.verdict == SelfVerdict::held
                    ? score.kind + " after " + counted(score.cases_until_found, "case") + ", " +
                          in_seconds(score.seconds_until_found)
                    : std::string(score.verdict == SelfVerdict::broken ? "NOT FOUND" : "not shown");
  result.details = score.details;
  result.fields = {{"mutant", score.mutant},
                   {"what", mutant.what},
                   {"property", score.property},
                   {"found", score.verdict == SelfVerdict::held},
                   {"cases_until_found", score.cases_until_found},
                   {"seconds_until_found", score.seconds_until_found},
                   {"shrinks", score.shrinks},
                   {"kind", score.kind},
                   {"problem", score.problem},
                   {"details", score.details}};
  return result;
}

std::vector<SelfProof> self_proofs() {
  return {proof_of_mutants(), proof_of_control(), proof_of_starved_properties(), proof_of_peers()};
}

SelfResult run_step(const SelfStep& step, const SelfEffort& effort) {
  const Clock::time_point begin = Clock::now();
  SelfResult result;
  try {
    result = step.run(effort);
  } catch (const std::exception& error) {
    result.verdict = SelfVerdict::broken;
    result.said = "ended in an error";
    result.details = error.what();
  }
  result.name = step.name;
  result.seconds = seconds_since(begin);
  return result;
}

}  // namespace tileproof
