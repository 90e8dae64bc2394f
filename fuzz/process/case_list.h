/// The cases of a campaign: an endless list that depends on the seed, the properties and what the subject takes, and on
/// nothing else. Whoever runs a part of it, in whatever order, runs these cases.
///
/// Properties take turns. Each walks the cells that its problems can lie in, all of them before any again: first at
/// their edges, the smallest and largest n and k that a cell holds, then anywhere in them.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "fuzz/records/coverage_cells.h"
#include "properties/case/generator.h"
#include "properties/catalogue/properties.h"

namespace tileproof {

/// Properties by their whole names, in that order. @throws UsageError for a name that is no property
std::vector<const Property*> properties_named(const std::vector<std::string>& names);

struct ListedCase {
  const Property* property;
  Problem problem;
};

class CaseList {
 public:
  /// @param properties  those that the subject cannot be asked are left out, as are those of a few large matrices
  CaseList(const std::vector<const Property*>& properties, const SubjectRow& subject, std::uint64_t seed);

  bool is_empty() const { return walks_.empty(); }
  ListedCase at(std::uint64_t index) const;
  /// Every cell that some case of the list lies in.
  std::set<Cell> reachable() const;
  /// The names of the properties that take turns.
  std::vector<std::string> properties() const;

 private:
  /// Where n and k can lie.
  struct Shape {
    const Format* format;
    GroupClass groups;
    std::vector<std::int64_t> group_sizes;  // of the class, with a multiple in the range of k
    std::int64_t n_tail;
    int log2_k;
    bool operator==(const Shape&) const = default;
  };
  /// A property's cells: every shape with every scheme, type, profile and alignment.
  struct Walk {
    const Property* property;
    SampleSpace space;
    std::vector<Shape> shapes;
    std::uint64_t cells() const;
    /// True where both properties reach the same cells. All else that they draw differently lies within cells, or has
    /// made other shapes.
    bool has_cells_of(const Walk&) const;
  };
  static std::vector<Shape> shapes_of(const SampleSpace&);
  Problem problem_in(const Walk&, std::uint64_t cell, bool at_an_edge, std::uint64_t index) const;

  std::string subject_;
  std::uint64_t seed_;
  std::vector<Walk> walks_;
};

}  // namespace tileproof
