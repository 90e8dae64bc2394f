// Proofs, sanitizers, and the harness's proofs about itself.
#include <map>

#include "reports/assessment/verdict.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

using Proved = std::map<std::string, const Proof*>;

Proved proofs_in(const Records& records) {
  Proved proofs;
  for (const auto& found : records.proved) {
    for (const Proof& proof : found.record.proofs) {
      const Proof*& kept = proofs[proof.property + " on " + proof.subject + ": " + proof.point];
      // If records hold a proof several times, a failed one counts first, then the one that looked at most points.
      const auto rank = [](const Proof& one) { return std::pair(one.verdict == "FAILED", one.points_done); };
      if (kept == nullptr || rank(proof) > rank(*kept)) kept = &proof;
    }
  }
  return proofs;
}

/// "320 of 2,362,667,520 (0.000014 %)"
std::string part_of(const Proof& proof) {
  return with_commas(proof.points_done) + " of " + with_commas(proof.points) + " (" +
         percent(proof.points_done, proof.points) + ")";
}

Item judged(const std::string& name, const Proof& now, const Proof* before) {
  Item item = {Status::exact, "proof", name, ""};
  if (now.verdict == "FAILED") {
    const bool failed_before = before != nullptr && before->verdict == "FAILED";
    item.word = before != nullptr && !failed_before ? Status::regressed : Status::failed;
    item.why = now.finding.empty() ? now.reason : now.finding.substr(0, now.finding.find('\n'));
  } else if (now.verdict == "MISTRUSTED") {
    item.word = Status::mistrusted;
    item.why = now.reason;
  } else if (now.verdict == "SKIPPED") {
    item.word = Status::not_run;
    item.is_red = before != nullptr && before->verdict != "SKIPPED";
    item.why = now.reason;
  } else if (now.verdict == "SAMPLED") {
    // A sample may miss the points that failed before, and it shows less than an earlier proof did.
    item.word = before != nullptr && before->verdict == "PROVED" ? Status::mistrusted : Status::sampled;
    item.why = "sampled " + part_of(now) +
               (before == nullptr              ? ""
                : before->verdict == "PROVED"  ? "; proved in the baseline"
                : before->verdict == "FAILED"  ? "; it failed in the baseline"
                : before->verdict == "SAMPLED" ? "; in the baseline " + part_of(*before)
                                               : "");
  } else if (before != nullptr && before->verdict == "FAILED") {
    item.word = Status::improved;
    item.why = "failed in the baseline";
  } else if (before != nullptr && before->verdict == "SAMPLED") {
    item.word = Status::improved;
    item.why = "sampled " + part_of(*before) + " in the baseline, here proved";
  } else if (!now.explained.empty()) {
    item.word = Status::passed;
    std::uint64_t explained = 0;
    for (const auto& [reason, count] : now.explained) explained += count;
    item.why = counted(explained, "point") + " explained";
  }
  return item;
}

Item judged(const SelfProof& proof) {
  Item item = {Status::exact, "harness", proof.name + ": " + proof.what, ""};
  for (const SelfStep& step : proof.steps) {
    if (step.verdict == "BROKEN") {
      item.word = Status::failed;
      item.why = step.step + ": " + step.said;
      return item;
    }
    if (step.verdict == "HELD" || item.word == Status::mistrusted) continue;
    item.word = Status::mistrusted;
    item.why = "not shown: " + step.step;
  }
  return item;
}

}  // namespace

std::vector<std::string> samples_in(const Records& records) {
  struct OfSubject {
    std::size_t tried = 0, proved = 0, sampled = 0;
    const Proof* least = nullptr;  // the proof with the smallest share of its points sampled
  };
  const auto share = [](const Proof& proof) {
    return static_cast<double>(proof.points_done) / static_cast<double>(proof.points);
  };
  std::map<std::string, OfSubject> subjects;
  for (const auto& [name, proof] : proofs_in(records)) {
    OfSubject& of = subjects[proof->subject];
    of.tried += proof->verdict == "SKIPPED" ? 0 : 1;
    of.proved += proof->verdict == "PROVED" ? 1 : 0;
    if (proof->verdict != "SAMPLED") continue;
    ++of.sampled;
    if (of.least == nullptr || share(*proof) < share(*of.least)) of.least = proof;
  }
  std::vector<std::string> lines;
  for (const auto& [subject, of] : subjects) {
    if (of.sampled == 0) continue;
    lines.push_back(subject + ": " + std::to_string(of.proved) + " of " + counted(of.tried, "proof") + " whole, " +
                    std::to_string(of.sampled) + " SAMPLED; the smallest sample is " + part_of(*of.least) + " of " +
                    of.least->property);
  }
  return lines;
}

std::vector<Item> items_of_proofs(const Records& now, const Records* before) {
  const Proved proofs = proofs_in(now);
  const Proved baseline = before != nullptr ? proofs_in(*before) : Proved();
  std::vector<Item> items;
  for (const auto& [name, proof] : proofs) {
    const auto then = baseline.find(name);
    items.push_back(judged(name, *proof, then == baseline.end() ? nullptr : then->second));
  }
  for (const auto& [name, proof] : baseline) {
    if (proofs.contains(name) || proof->verdict == "SKIPPED") continue;
    items.push_back({Status::not_run, "proof", name, "only the baseline has it", true});
  }
  for (const auto& found : now.proved) {
    for (const SelfProof& proof : found.record.self) items.push_back(judged(proof));
    for (const SanitizerRun& run : found.record.sanitizers) {
      const Status word = run.verdict == "FAILED"    ? Status::failed
                          : run.verdict == "PASSED"  ? Status::exact
                          : run.verdict == "SKIPPED" ? Status::not_run
                                                     : Status::mistrusted;
      items.push_back({word, "harness", "compute-sanitizer " + run.tool, word == Status::exact ? "" : run.reason});
    }
    const bool says_why = found.record.exit_code == 3;
    if (says_why)
      items.push_back({Status::mistrusted, "proof", "the run of proofs as a whole", found.record.reason, true});
  }
  return items;
}

}  // namespace tileproof::reports
