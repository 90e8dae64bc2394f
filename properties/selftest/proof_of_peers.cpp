// Applies the peers' criteria to our mutants, shape by shape.
#include <algorithm>
#include <memory>

#include "properties/selftest/peers.h"
#include "properties/selftest/selftest.h"

namespace tileproof {

namespace {

/// A line for each mutant with a mark for each criterion, and how many mutants each criterion finds.
std::string table_of(const Peers& peers) {
  const std::vector<PeerCriterion>& criteria = peer_criteria();
  std::size_t width = 0;
  for (const Mutant* mutant : peers.mutants()) width = std::max(width, mutant->name.size());
  std::string text = "criteria of public suites, by number:\n";
  for (std::size_t i = 0; i < criteria.size(); ++i) {
    text += "  " + std::to_string(i + 1) + " " + criteria[i].name + ": " + criteria[i].what +
            "\n      source: " + criteria[i].source + "\n";
  }
  std::vector<std::size_t> found(criteria.size(), 0);
  std::size_t by_any_of_four = 0, by_any = 0;
  for (std::size_t f = 0; f < peers.mutants().size(); ++f) {
    const Rejections& rejections = peers.rejections_of(f);
    std::string name = peers.mutants()[f]->name;
    name.resize(width, ' ');
    text += "  " + name + "  ";
    bool four = false, any = false;
    for (std::size_t i = 0; i < rejections.size(); ++i) {
      text += rejections[i] ? " " + std::to_string(i + 1) : std::string(" .");
      found[i] += rejections[i] ? 1 : 0;
      four |= i < 4 && rejections[i];
      any |= rejections[i];
    }
    by_any_of_four += four ? 1 : 0;
    by_any += any ? 1 : 0;
    text += "\n";
  }
  const std::string of = " of " + std::to_string(peers.mutants().size());
  for (std::size_t i = 0; i < criteria.size(); ++i) {
    text += criteria[i].name + ": finds " + std::to_string(found[i]) + of + "\n";
  }
  text += "any of the first four: " + std::to_string(by_any_of_four) + of + "\n";
  text += "any of all: " + std::to_string(by_any) + of;
  return text;
}

}  // namespace

SelfResult result_of(const Peers& peers, bool complete) {
  SelfResult result;
  result.verdict = complete ? SelfVerdict::held : SelfVerdict::not_shown;
  const std::vector<PeerCriterion>& criteria = peer_criteria();
  for (std::size_t i = 0; i < criteria.size(); ++i) {
    std::int64_t found = 0;
    for (std::size_t f = 0; f < peers.mutants().size(); ++f) found += peers.rejections_of(f)[i] ? 1 : 0;
    result.said += (i == 0 ? "" : ", ") + criteria[i].name + " " + std::to_string(found);
    result.fields.emplace_back(criteria[i].name, found);
    if (!peers.rejections_of_control()[i]) continue;
    result.verdict = SelfVerdict::broken;
    result.details += "'" + criteria[i].name + "' rejects the correct control: the criterion is not the suites'\n";
  }
  for (std::size_t f = 0; f < peers.mutants().size(); ++f) {
    std::string found_by;
    for (std::size_t i = 0; i < criteria.size(); ++i) {
      if (peers.rejections_of(f)[i]) found_by += (found_by.empty() ? "" : ", ") + criteria[i].name;
    }
    result.fields.emplace_back("mutant " + peers.mutants()[f]->name, found_by);
  }
  if (result.verdict == SelfVerdict::not_shown) result.details = "the budget ended before all subjects were judged";
  return result;
}

SelfProof proof_of_peers() {
  SelfProof proof = {.name = "peers",
                     .what = "what the criteria of public suites find of the same mutants, on the shapes they use",
                     .takes_minutes = true,
                     .steps = {},
                     .summary = nullptr};
  const auto peers = std::make_shared<std::unique_ptr<Peers>>();
  for (const PeerShape& shape : peer_shapes()) {
    proof.steps.push_back({shape.text(), [peers, shape](const SelfEffort& effort) {
                             if (*peers == nullptr) {
                               std::vector<const Mutant*> all;
                               for (const Mutant& mutant : mutants()) all.push_back(&mutant);
                               *peers = std::make_unique<Peers>(std::move(all), effort.seed, effort.threads);
                             }
                             const bool complete = (*peers)->judge(shape, effort.stop);
                             return result_of(**peers, complete);
                           }});
  }
  proof.summary = [peers](const std::vector<SelfResult>&) {
    return *peers == nullptr ? std::string("not run") : table_of(**peers);
  };
  return proof;
}

}  // namespace tileproof
