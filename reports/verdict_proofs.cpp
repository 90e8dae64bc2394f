// Proofs, sanitizers, and the harness's proofs about itself.
#include <map>

#include "chart.h"
#include "text.h"
#include "verdict.h"

namespace tileproof::reports {

namespace {

using Proved = std::map<std::string, const Proof*>;

Proved proofs_in(const Evidence& evidence) {
  Proved proofs;
  for (const auto& found : evidence.proved) {
    for (const Proof& proof : found.record.proofs) {
      const Proof*& kept = proofs[proof.claim + " on " + proof.subject + ": " + proof.point];
      // Of several, the one that failed; then the one that looked at most.
      const auto rank = [](const Proof& one) { return std::pair(one.verdict == "FAILED", one.points_done); };
      if (kept == nullptr || rank(proof) > rank(*kept)) kept = &proof;
    }
  }
  return proofs;
}

Item judged(const std::string& name, const Proof& now, const Proof* before) {
  Item item = {Word::exact, "proof", name, ""};
  const std::string part = with_commas(now.points_done) + " of " + with_commas(now.points);
  if (now.verdict == "FAILED") {
    const bool failed_before = before != nullptr && before->verdict == "FAILED";
    item.word = before != nullptr && !failed_before ? Word::regressed : Word::over_budget;
    item.why = now.finding.empty() ? now.reason : now.finding.substr(0, now.finding.find('\n'));
  } else if (now.verdict == "MISTRUSTED") {
    item.word = Word::mistrusted;
    item.why = now.reason;
  } else if (now.verdict == "SKIPPED") {
    item.word = Word::not_run;
    item.is_red = before != nullptr && before->verdict != "SKIPPED";
    item.why = now.reason;
  } else if (before != nullptr && before->verdict == "FAILED") {
    item.word = Word::improved;
    item.why = "failed in the baseline";
  } else if (now.verdict == "SAMPLED" && before != nullptr && before->verdict == "PROVED") {
    item.word = Word::mistrusted;
    item.why = "proved in the baseline, here a sample of " + part;
  } else if (now.verdict == "SAMPLED") {
    item.word = Word::pass;
    item.why = "a sample: " + part;
  } else if (before != nullptr && before->verdict == "SAMPLED") {
    item.word = Word::improved;
    item.why = "a sample in the baseline, here proved";
  }
  return item;
}

Item judged(const SelfProof& proof) {
  Item item = {Word::exact, "harness", proof.name + ": " + proof.what, ""};
  for (const SelfStep& step : proof.steps) {
    if (step.verdict == "BROKEN") {
      item.word = Word::over_budget;
      item.why = step.step + ": " + step.said;
      return item;
    }
    if (step.verdict == "HELD" || item.word == Word::mistrusted) continue;
    item.word = Word::mistrusted;
    item.why = "not shown: " + step.step;
  }
  return item;
}

}  // namespace

std::vector<Item> items_of_proofs(const Evidence& now, const Evidence* before) {
  const Proved proofs = proofs_in(now);
  const Proved baseline = before != nullptr ? proofs_in(*before) : Proved();
  std::vector<Item> items;
  for (const auto& [name, proof] : proofs) {
    const auto then = baseline.find(name);
    items.push_back(judged(name, *proof, then == baseline.end() ? nullptr : then->second));
  }
  for (const auto& [name, proof] : baseline) {
    if (proofs.contains(name) || proof->verdict == "SKIPPED") continue;
    items.push_back({Word::not_run, "proof", name, "only the baseline has it", true});
  }
  for (const auto& found : now.proved) {
    for (const SelfProof& proof : found.record.self) items.push_back(judged(proof));
    for (const SanitizerRun& run : found.record.sanitizers) {
      const Word word = run.verdict == "FAILED"    ? Word::over_budget
                        : run.verdict == "PASSED"  ? Word::exact
                        : run.verdict == "SKIPPED" ? Word::not_run
                                                   : Word::mistrusted;
      items.push_back({word, "harness", "compute-sanitizer " + run.tool, word == Word::exact ? "" : run.reason});
    }
    const bool says_why = found.record.exit_code == 3;
    if (says_why)
      items.push_back({Word::mistrusted, "proof", "the run of proofs as a whole", found.record.reason, true});
  }
  return items;
}

}  // namespace tileproof::reports
