/// The cases of a campaign: an endless list that depends only on the seed, the properties and the subject's
/// capabilities. Any part of it may be run in any order, and has the same cases.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "properties/case/cells.h"
#include "properties/case/sampler.h"
#include "properties/catalogue/properties.h"

namespace tileproof {

/// Properties by their full names, in the given order.
/// @throws UsageError if no property has a name
std::vector<const Property*> properties_named(const std::vector<std::string>& names);

struct ListedCase {
  const Property* property;
  Problem problem;
};

/// Properties take turns; each draws as a Sampler does.
class CaseList {
 public:
  /// @param properties  those that the subject cannot run are left out, as are those of a few large matrices
  CaseList(const std::vector<const Property*>& properties, const SubjectRow& subject, std::uint64_t seed);

  bool is_empty() const { return turns_.empty(); }
  ListedCase at(std::uint64_t index) const;
  std::vector<ListedCase> at(std::span<const std::uint64_t> indices) const;
  // The property and the cell of at(index), at less cost.
  const Property& property_at(std::uint64_t index) const { return *turns_[index % turns_.size()].property; }
  Cell cell_at(std::uint64_t index) const {
    return turns_[index % turns_.size()].problems.cell_at(index / turns_.size());
  }
  /// Every cell that contains some case of the list.
  std::set<Cell> reachable() const;
  /// The names of the properties that take turns.
  std::vector<std::string> properties() const;

 private:
  struct Turns {
    const Property* property;
    Sampler problems;
  };
  std::vector<Turns> turns_;
};

}  // namespace tileproof
