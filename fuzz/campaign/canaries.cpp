#include "fuzz/campaign/canaries.h"

#include "fuzz/campaign/selection.h"
#include "fuzz/process/worker.h"
#include "fuzz/records/journal.h"
#include "properties/mutants/mutants.h"
#include "properties/problem/draw.h"
#include "properties/registry.h"

namespace tileproof {

namespace {

/// The properties of a list that must find the mutant.
std::vector<std::string> finders_of(const Mutant& mutant, const CaseList& list) {
  std::vector<std::string> finders;
  for (const std::string& property : list.properties()) {
    if (is_in(mutant.found_by, property)) finders.push_back(property);
  }
  return finders;
}

Canary looked_for(const Mutant& mutant, const std::vector<const Property*>& properties, std::uint64_t seed) {
  const SubjectRow& row = subject_row("mutant:" + mutant.name);
  const CaseList list(properties, row, seed);
  const std::vector<std::string> finders = finders_of(mutant, list);
  Canary planted = {.mutant = mutant.name, .property = ""};
  Worker worker({row.name, std::nullopt}, std::chrono::seconds(10));
  const std::uint64_t most = turns_for_canaries * list.properties().size();
  for (std::uint64_t batch = 0; planted.cases < most && !planted.found; ++batch) {
    const std::vector<std::uint64_t> indices = cases_of(batch);
    const std::vector<ListedCase> cases = list.at(indices);
    worker.run_all(cases, [&](std::size_t i, const CaseOutcome& outcome, std::int64_t) {
      const std::string& property = cases[i].property->name;
      if (planted.found || !outcome.finding || !is_in(finders, property)) return;
      planted = {mutant.name, true, indices[i] + 1, property};
    });
    if (!planted.found) planted.cases += cases_of_batch;
  }
  return planted;
}

/// The mutants without memory that at least one of the properties must find.
std::vector<const Mutant*> mutants_for(const std::vector<const Property*>& properties, std::uint64_t seed) {
  std::vector<const Mutant*> candidates;
  // All mutants can be asked the same properties, in whichever formats.
  const CaseList list(properties, subject_row("mutant:nothing"), seed);
  for (const Mutant& mutant : mutants()) {
    if (!mutant.has_memory && !finders_of(mutant, list).empty()) candidates.push_back(&mutant);
  }
  return candidates;
}

}  // namespace

std::vector<Canary> canaries_found(const std::vector<const Property*>& wanted_properties, std::uint64_t seed) {
  constexpr std::size_t wanted = 3;
  std::vector<const Property*> properties = wanted_properties;
  std::vector<const Mutant*> candidates = mutants_for(properties, seed);
  if (candidates.empty()) {  // no mutant is for these properties, so all properties show that a campaign finds mutants
    properties = selected_properties({});
    candidates = mutants_for(properties, seed);
  }
  std::vector<Canary> all;
  for (std::uint64_t i = 0; all.size() < wanted && !candidates.empty(); ++i) {
    const auto selected = below(static_cast<std::int64_t>(candidates.size()), drawn(seed, stream::choice, i));
    all.push_back(looked_for(*candidates[static_cast<std::size_t>(selected)], properties, seed));
    candidates.erase(candidates.begin() + selected);
  }
  return all;
}

}  // namespace tileproof
