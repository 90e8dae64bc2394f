// Applies the peers' criteria to our mutants, shape by shape.
#include <algorithm>
#include <memory>
#include <optional>

#include "properties/selftest/peers.h"
#include "properties/selftest/selftest.h"

namespace tileproof {

namespace {

/// How many mutants at least one of the criteria first .. end - 1 rejects.
std::int64_t found_by(const Peers& peers, std::size_t first, std::size_t end) {
  std::int64_t found = 0;
  for (std::size_t mutant = 0; mutant < peers.mutants().size(); ++mutant) {
    const Rejections& rejections = peers.rejections_of(mutant);
    const auto begin = rejections.begin();
    const bool any =
        std::count(begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(end), true) != 0;
    found += any ? 1 : 0;
  }
  return found;
}

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
  for (std::size_t f = 0; f < peers.mutants().size(); ++f) {
    std::string name = peers.mutants()[f]->name;
    name.resize(width, ' ');
    text += "  " + name + "  ";
    for (std::size_t i = 0; i < criteria.size(); ++i) {
      text += peers.rejections_of(f)[i] ? " " + std::to_string(i + 1) : std::string(" .");
    }
    text += "\n";
  }
  const auto count = [&](std::size_t first, std::size_t end) {
    return std::to_string(found_by(peers, first, end)) + " of " + std::to_string(peers.mutants().size());
  };
  for (std::size_t i = 0; i < criteria.size(); ++i) text += criteria[i].name + ": finds " + count(i, i + 1) + "\n";
  return text + "any of the first four: " + count(0, 4) + "\nany of all: " + count(0, criteria.size());
}

}  // namespace

SelfResult result_of(const Peers& peers, bool complete) {
  SelfResult result;
  result.verdict = complete ? SelfVerdict::held : SelfVerdict::not_shown;
  const std::vector<PeerCriterion>& criteria = peer_criteria();
  for (std::size_t i = 0; i < criteria.size(); ++i) {
    const std::int64_t found = found_by(peers, i, i + 1);
    result.said += (i == 0 ? "" : ", ") + criteria[i].name + " " + std::to_string(found);
    result.fields.emplace_back(criteria[i].name, found);
    if (!peers.rejections_of_control()[i]) continue;
    result.verdict = SelfVerdict::broken;
    result.details += "'" + criteria[i].name + "' rejects the correct control: the criterion is not the suites'\n";
  }
  for (std::size_t f = 0; f < peers.mutants().size(); ++f) {
    std::string found_it;
    for (std::size_t i = 0; i < criteria.size(); ++i) {
      if (peers.rejections_of(f)[i]) found_it += (found_it.empty() ? "" : ", ") + criteria[i].name;
    }
    result.fields.emplace_back("mutant " + peers.mutants()[f]->name, found_it);
  }
  if (result.verdict == SelfVerdict::not_shown) result.details = "the budget ended before all subjects were judged";
  return result;
}

SelfProof proof_of_peers() {
  SelfProof proof = {.name = "peers",
                     .what = "what the criteria of public suites find of the same mutants, on the shapes they use"};
  const auto peers = std::make_shared<std::optional<Peers>>();  // made by the first step that is run
  for (const PeerShape& shape : peer_shapes()) {
    proof.steps.push_back({shape.text(), [peers, shape](const SelfEffort& effort) {
                             std::vector<const Mutant*> all;
                             for (const Mutant& mutant : mutants()) {
                               // The shapes are of tinygemm, and the suites convert nothing.
                               const bool is_of_kernels = mutant.parts.in != convert_alone;
                               const auto& formats = mutant.formats;
                               if (is_of_kernels && std::ranges::count(formats, first_format) != 0)
                                 all.push_back(&mutant);
                             }
                             if (!*peers) peers->emplace(std::move(all), effort.seed, effort.threads);
                             const bool complete = (*peers)->judge(shape, effort.stop);
                             return result_of(**peers, complete);
                           }});
  }
  proof.summary = [peers](const std::vector<SelfResult>&) { return *peers ? table_of(**peers) : "not run"; };
  return proof;
}

}  // namespace tileproof
