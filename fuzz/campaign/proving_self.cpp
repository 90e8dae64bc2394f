#include "fuzz/campaign/proving_self.h"

#include <algorithm>
#include <ostream>

#include "fuzz/campaign/proving.h"
#include "properties/problem/stopwatch.h"
#include "properties/registry.h"
#include "properties/selftest/selftest.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

using nlohmann::json;

json json_of(const SelfStep& step, const SelfResult& result) {
  json fields = json::object();
  for (const SelfField& field : result.fields) {
    std::visit([&](const auto& value) { fields[field.first] = value; }, field.second);
  }
  return {{"step", step.name},         {"verdict", name_of(result.verdict)}, {"said", result.said},
          {"details", result.details}, {"seconds", result.seconds},          {"fields", fields}};
}

/// Runs the whole domain of the mutant's property, in several processes, until it finds a mutant that random
/// cases do not find.
MutantScore enumerated(const Mutant& mutant, double seconds, std::size_t processes, const std::function<bool()>& stop) {
  MutantScore score;
  score.mutant = mutant.name;
  score.property = mutant.enumerated_by;
  const SelectedSubject subject = selected_subjects({"mutant:" + mutant.name}).front();
  constexpr std::chrono::minutes deadline(10);
  const auto workers = started(subject, processes, deadline);
  ProofTask task = proof_tasks(property_of(mutant.enumerated_by), subject, workers).front();
  task.run(seconds, stop, [](std::uint64_t) {});
  const ProofResult& result = task.result();
  score.cases_until_found = result.steps_done + 1;
  score.seconds_until_found = result.seconds;
  if (!result.finding) {
    score.verdict = result.steps_done == result.steps ? SelfVerdict::broken : SelfVerdict::not_shown;
    score.details = "not met in " + std::to_string(result.steps_done) + " of " + std::to_string(result.steps) +
                    " steps of the enumeration: " + result.reason;
    return score;
  }
  score.verdict = result.finding->kind == mutant.kind ? SelfVerdict::held : SelfVerdict::broken;
  score.kind = result.finding->kind;
  score.problem = line_of(result.finding->problem);
  score.details = result.finding->details;
  return score;
}

}  // namespace

SelfRun prove_self(double seconds, std::size_t processes, const std::function<bool()>& stop, std::ostream& said) {
  const Clock::time_point begin = Clock::now();
  const auto left = [&] { return seconds - seconds_since(begin); };
  const auto ends = [&] { return stop() || (seconds > 0 && left() <= 0); };
  SelfRun run;
  run.records = json::array();
  const std::vector<SelfProof> proofs = self_proofs();
  constexpr std::size_t most_threads = 8;  // a machine of many cores may lack the memory for a thread on each
  const SelfEffort effort = {.cases = 300, .seed = 1, .stop = ends, .threads = std::min(processes, most_threads)};
  std::size_t steps = 0;
  for (const SelfProof& proof : proofs) steps += proof.steps.size();
  Progress progress(steps);

  struct Ran {
    std::vector<SelfResult> results;
    json records = json::array();
  };
  const auto add = [&](Ran& ran, const SelfStep& step, const SelfResult& result) {
    ran.results.push_back(result);
    ran.records.push_back(json_of(step, result));
    run.broken |= result.verdict == SelfVerdict::broken;
    run.not_shown |= result.verdict == SelfVerdict::not_shown;
  };
  const auto tell = [&](const SelfProof& proof, const Ran& ran) {
    progress.clear();
    const std::string summary = proof.summary(ran.results);
    said << "self/" << proof.name << ": " << proof.what << "\n" << reports::visible(summary) << "\n\n" << std::flush;
    run.records.push_back({{"name", proof.name}, {"what", proof.what}, {"summary", summary}, {"steps", ran.records}});
  };

  // The proof of the mutants is the first, and told last: with the mutants that are enumerated.
  std::vector<Ran> all(proofs.size());
  SelfResult not_begun;  // NOT SHOWN
  not_begun.details = "the budget ended";
  for (std::size_t i = 0; i < proofs.size(); ++i) {
    const SelfProof& proof = proofs[i];
    for (const SelfStep& step : proof.steps) {
      progress.step("self", proof.name + ": " + step.name);
      add(all[i], step, ends() ? not_begun : run_step(step, effort));
    }
    if (i != 0) tell(proof, all[i]);
  }
  // Mutants that are enumerated come last, because they use all the time that is left.
  for (const Mutant& mutant : mutants()) {
    if (mutant.enumerated_by.empty()) continue;
    const SelfStep step = {mutant.name + " by " + mutant.enumerated_by, nullptr};
    progress.say("enumerating " + step.name);
    const Clock::time_point start = Clock::now();
    SelfResult result =
        result_of(enumerated(mutant, seconds > 0 ? std::max(left(), 0.001) : 0, processes, ends), mutant);
    result.name = step.name;
    result.seconds = seconds_since(start);
    add(all.front(), step, result);
  }
  tell(proofs.front(), all.front());
  return run;
}

}  // namespace tileproof
