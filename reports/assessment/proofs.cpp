// Proofs, sanitizers, and the harness's proofs about itself.
#include <map>

#include "reports/assessment/verdict.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

using Proved = std::map<std::string, const Proof*>;

Proved proofs_in(const Records& records) {
  Proved proofs;
  for (const Proof& proof : parts_of(records.proved, &Proofs::proofs)) {
    const Proof*& kept = proofs[proof.property + " on " + proof.subject + ": " + proof.point];
    // If records hold a proof several times, a failed one counts first, then the one that looked at most points.
    const auto rank = [](const Proof& one) { return std::pair(one.verdict == "FAILED", one.points_done); };
    if (kept == nullptr || rank(proof) > rank(*kept)) kept = &proof;
  }
  return proofs;
}

Item judged(const std::string& name, const Proof& now, const Proof* before) {
  const auto is = [&](Status word, const std::string& why, bool is_red = false) {
    return Item{word, "proof", name, why, is_red};
  };
  const std::string then = before == nullptr ? "" : before->verdict;
  if (now.verdict == "FAILED") {
    return is(before != nullptr && then != "FAILED" ? Status::regressed : Status::failed,
              now.finding.empty() ? now.reason : first_line(now.finding));
  }
  if (now.verdict == "MISTRUSTED") return is(Status::mistrusted, now.reason);
  if (now.verdict == "SKIPPED") return is(Status::not_run, now.reason, before != nullptr && then != "SKIPPED");
  if (now.verdict == "SAMPLED") {
    // A sample may miss the points that failed before, and it shows less than an earlier proof did.
    return is(then == "PROVED" ? Status::mistrusted : Status::sampled,
              "sampled " + part_of(now) +
                  (then == "PROVED"    ? "; proved in the baseline"
                   : then == "FAILED"  ? "; it failed in the baseline"
                   : then == "SAMPLED" ? "; in the baseline " + part_of(*before)
                                       : ""));
  }
  if (then == "FAILED") return is(Status::improved, "failed in the baseline");
  if (then == "SAMPLED") return is(Status::improved, "sampled " + part_of(*before) + " in the baseline, here proved");
  if (now.explained.empty()) return is(Status::exact, "");
  std::uint64_t explained = 0;
  for (const auto& [reason, count] : now.explained) explained += count;
  return is(Status::passed, counted(explained, "point") + " explained");
}

Item judged(const SelfProof& proof) {
  Item item = {Status::exact, "harness", proof.name + ": " + proof.what, ""};
  for (const SelfStep& step : proof.steps) {
    if (step.verdict == "BROKEN") return {Status::failed, "harness", item.name, step.step + ": " + step.said};
    if (step.verdict == "HELD" || item.word == Status::mistrusted) continue;
    item.word = Status::mistrusted;
    item.why = "not shown: " + step.step;
  }
  return item;
}

}  // namespace

std::string part_of(const Proof& proof) {
  if (proof.points == 0) return "-";
  return with_commas(proof.points_done) + " of " + with_commas(proof.points) + " (" +
         percent(proof.points_done, proof.points) + ")";
}

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
    if (found.record.exit_code != 3) continue;
    items.push_back({Status::mistrusted, "proof", "the run of proofs as a whole", found.record.reason, true});
  }
  return items;
}

}  // namespace tileproof::reports
