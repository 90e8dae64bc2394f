#include "properties/selftest/selftest.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <set>
#include <sstream>

#include "properties/case/generator.h"
#include "properties/catalogue/properties.h"
#include "properties/registry.h"

namespace tileproof {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

std::string in_seconds(double seconds) {
  std::ostringstream text;
  text.precision(seconds < 1 ? 3 : 1);
  text << std::fixed << seconds << "s";
  return text.str();
}

std::string counted(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// Runs the steps of a property's enumerations in order until one fails.
MutantScore enumerated(const Property& property, const SubjectRow& row, MutantScore score, const SelfEffort& effort) {
  const Clock::time_point begin = Clock::now();
  const MadeSubject made = row.make();
  InThisProcess here(row.capabilities, *made.subject);
  std::int64_t steps = 0;
  for (const Enumeration& enumeration : property.enumerations(row.capabilities)) {
    steps += enumeration.steps;
    for (std::int64_t step = 0; step < enumeration.steps; ++step) {
      if (effort.stop && effort.stop()) {
        score.verdict = SelfVerdict::not_shown;
        score.details = "not met in " + counted(score.cases_until_found, "step") +
                        " of the enumeration: the budget ended, nothing is shown";
        return score;
      }
      Problem problem = enumeration.problem(step);
      problem.property = property.name;
      problem.subject = row.name;
      Coverage coverage;
      ++score.cases_until_found;
      const CaseOutcome outcome = here.run(property, problem, coverage);
      if (!outcome.finding) continue;
      score.verdict = SelfVerdict::held;
      score.seconds_until_found = seconds_since(begin);
      score.kind = outcome.finding->kind;
      score.problem = line_of(problem);
      score.details = outcome.finding->details;
      return score;
    }
  }
  score.details = "all " + counted(steps, "step") + " of the enumeration passed";
  return score;
}

bool is_property(const std::string& name) {
  return std::any_of(properties().begin(), properties().end(),
                     [&](const Property& property) { return property.name == name; });
}

}  // namespace

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

namespace {

const std::string& text_in(const SelfResult& result, const std::string& name) {
  static const std::string nothing;
  for (const SelfField& field : result.fields) {
    if (field.first == name) return std::get<std::string>(field.second);
  }
  return nothing;
}

/// How many steps held, and the names of the others.
/// @param done  the word for a step that held: "found", "passed"
std::string tally(const std::vector<SelfResult>& results, const std::string& named_by, const std::string& noun,
                  const std::string& done) {
  std::int64_t held = 0;
  std::string others;
  for (const SelfResult& result : results) {
    held += result.verdict == SelfVerdict::held ? 1 : 0;
    if (result.verdict == SelfVerdict::held) continue;
    others += std::string("\n  ") + name_of(result.verdict) + " " + text_in(result, named_by) + ": " + result.details;
  }
  return std::to_string(held) + " of " + counted(static_cast<std::int64_t>(results.size()), noun) + " " + done + others;
}

std::vector<const Property*> properties_of_kernels() {
  std::vector<const Property*> chosen;
  for (const Property& property : properties()) {
    std::string why_not;
    sample_space_of(property, kernel_capabilities(), &why_not);
    if (why_not.empty()) chosen.push_back(&property);
  }
  return chosen;
}

}  // namespace

const char* name_of(SelfVerdict verdict) {
  constexpr const char* names[] = {"HELD", "BROKEN", "NOT SHOWN"};
  return names[static_cast<int>(verdict)];
}

MutantScore score_of(const Mutant& mutant, const std::string& name, const SelfEffort& effort) {
  MutantScore score;
  score.mutant = mutant.name;
  score.property = name;
  if (!is_property(name)) {
    score.verdict = SelfVerdict::not_shown;
    score.details = "there is no property of this name";
    return score;
  }
  const Property& property = property_of(name);
  const SubjectRow& row = subject_row("mutant:" + mutant.name);
  if (name == mutant.enumerated_by) return enumerated(property, row, score, effort);

  const MadeSubject made = row.make();
  const Clock::time_point begin = Clock::now();
  const Observer observer = [&](const Observation& seen) {
    if (seen.status == "failed" && score.seconds_until_found == 0) score.seconds_until_found = seconds_since(begin);
  };
  Effort drawn;
  drawn.cases = effort.cases;
  drawn.seed = effort.seed;
  drawn.stop = effort.stop;
  const Judgement judgement = judge(property, row, *made.subject, drawn, observer);
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

SelfProof proof_of_mutants() {
  SelfProof proof = {.name = "mutants",
                     .what = "every mutant is FAILED by every property that says it finds it",
                     .takes_minutes = false,
                     .steps = {},
                     .summary = nullptr};
  for (const Mutant& mutant : mutants()) {
    for (const std::string& name : mutant.found_by) {
      proof.steps.push_back({mutant.name + " by " + name, [&mutant, name](const SelfEffort& effort) {
                               return result_of(score_of(mutant, name, effort), mutant);
                             }});
    }
  }
  proof.summary = [](const std::vector<SelfResult>& results) {
    std::set<std::string> seen, missed, waiting;
    for (const SelfResult& result : results) {
      seen.insert(text_in(result, "mutant"));
      if (result.verdict == SelfVerdict::broken) missed.insert(text_in(result, "mutant"));
      if (result.verdict == SelfVerdict::not_shown) waiting.insert(text_in(result, "mutant"));
    }
    const std::size_t found = seen.size() - missed.size() - waiting.size();
    return std::to_string(found) + " of " + std::to_string(seen.size()) +
           " mutants found by all of their properties; " + tally(results, "mutant", "pair", "as said");
  };
  return proof;
}

SelfProof proof_of_control() {
  SelfProof proof = {.name = "control",
                     .what = "their correct control passes every property",
                     .takes_minutes = false,
                     .steps = {},
                     .summary = nullptr};
  for (const Property* property : properties_of_kernels()) {
    proof.steps.push_back({property->name, [property](const SelfEffort& effort) {
                             const SubjectRow& row = subject_row("mutant:nothing");
                             const MadeSubject made = row.make();
                             Effort drawn;
                             drawn.cases = effort.cases;
                             drawn.seed = effort.seed;
                             const Judgement judgement = judge(*property, row, *made.subject, drawn);
                             SelfResult result;
                             const bool passed = judgement.verdict == Verdict::passed;
                             result.verdict = passed ? SelfVerdict::held : SelfVerdict::broken;
                             result.said =
                                 std::string(name_of(judgement.verdict)) + ", " + counted(judgement.cases, "case");
                             result.details = judgement.reason;
                             if (!judgement.findings.empty()) result.details = judgement.findings.front().details;
                             result.fields = {{"property", property->name},
                                              {"verdict", std::string(name_of(judgement.verdict))},
                                              {"cases", judgement.cases},
                                              {"elements", judgement.elements},
                                              {"details", result.details}};
                             return result;
                           }});
  }
  proof.summary = [](const std::vector<SelfResult>& results) {
    return tally(results, "property", "property", "passed");
  };
  return proof;
}

SelfProof proof_of_starved_properties() {
  SelfProof proof = {.name = "starved",
                     .what = "a property that looked at too little is MISTRUSTED, and is not once it is fed",
                     .takes_minutes = false,
                     .steps = {},
                     .summary = nullptr};
  for (const StarvedRow& row : starved_rows()) {
    proof.steps.push_back({row.name, [&row](const SelfEffort& effort) {
                             const Judgement judgement = row.judged(effort);
                             std::string said = judgement.reason;
                             if (!judgement.findings.empty()) said = judgement.findings.front().details;
                             const bool as_wanted =
                                 judgement.verdict == row.wanted && said.find(row.says) != std::string::npos;
                             const bool fed = !row.fed || row.fed(effort).verdict == Verdict::passed;
                             SelfResult result;
                             result.verdict = as_wanted && fed ? SelfVerdict::held : SelfVerdict::broken;
                             result.said = std::string(name_of(judgement.verdict)) + ": " + said;
                             if (!as_wanted)
                               result.details = "wanted " + std::string(name_of(row.wanted)) + ": " + row.says;
                             if (!fed) result.details += " does not pass where it is fed";
                             result.fields = {{"row", row.name},
                                              {"what", row.what},
                                              {"wanted", std::string(name_of(row.wanted))},
                                              {"verdict", std::string(name_of(judgement.verdict))},
                                              {"reason", said}};
                             return result;
                           }});
  }
  proof.summary = [](const std::vector<SelfResult>& results) { return tally(results, "row", "row", "as wanted"); };
  return proof;
}

SelfProof proof_of_harness() {
  SelfProof proof = {.name = "harness",
                     .what = "properties about the comparator, the generators, the problem's text and shrinking",
                     .takes_minutes = false,
                     .steps = {},
                     .summary = nullptr};
  for (const HarnessProperty& property : harness_properties()) {
    proof.steps.push_back({property.name, [&property](const SelfEffort& effort) {
                             SelfResult result = property.run(effort);
                             result.fields.insert(result.fields.begin(), {"property", property.name});
                             return result;
                           }});
  }
  proof.summary = [](const std::vector<SelfResult>& results) { return tally(results, "property", "property", "held"); };
  return proof;
}

std::vector<SelfProof> self_proofs() {
  return {proof_of_mutants(), proof_of_control(), proof_of_starved_properties(), proof_of_harness(), proof_of_peers()};
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
  result.seconds = seconds_since(begin);
  return result;
}

}  // namespace tileproof
