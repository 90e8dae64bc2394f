#include "fuzz/process/case_list.h"

#include <algorithm>

#include "properties/catalogue/properties.h"
#include "properties/registry.h"

namespace tileproof {

std::vector<const Property*> properties_named(const std::vector<std::string>& names) {
  std::vector<const Property*> properties;
  for (const std::string& name : names) properties.push_back(&property_of(name));
  return properties;
}

CaseList::CaseList(const std::vector<const Property*>& properties, const SubjectRow& subject, std::uint64_t seed) {
  for (const Property* property : properties) {
    std::string why_not;
    const SampleSpace space = sample_space_of(*property, subject.capabilities, &why_not);
    if (!why_not.empty() || property->heavy || property->sampling.is_fixed()) continue;
    Sampler problems(*property, subject.name, space, seed);
    if (problems.cell_count() != 0) turns_.push_back({property, std::move(problems)});
  }
}

ListedCase CaseList::at(std::uint64_t index) const {
  const Turns& turns = turns_[index % turns_.size()];
  return {turns.property, turns.problems.at(index / turns_.size())};
}

std::vector<ListedCase> CaseList::at(std::span<const std::uint64_t> indices) const {
  std::vector<ListedCase> cases;
  for (const std::uint64_t index : indices) cases.push_back(at(index));
  return cases;
}

std::set<Cell> CaseList::reachable() const {
  std::set<Cell> cells;
  for (std::size_t i = 0; i < turns_.size(); ++i) {
    const Sampler& problems = turns_[i].problems;
    const auto has_same_cells = [&](const Turns& seen) { return seen.problems.has_cells_of(problems); };
    if (std::any_of(turns_.begin(), turns_.begin() + static_cast<std::ptrdiff_t>(i), has_same_cells)) continue;
    for (std::uint64_t number = 0; number < problems.cell_count(); ++number) cells.insert(problems.cell(number));
  }
  return cells;
}

std::vector<std::string> CaseList::properties() const {
  std::vector<std::string> names;
  for (const Turns& turns : turns_) names.push_back(turns.property->name);
  return names;
}

}  // namespace tileproof
