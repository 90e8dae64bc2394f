/// The cases of a campaign: an endless list that depends only on the seed, the properties and the subject's
/// capabilities. Any process may run any part of it in any order and gets the same cases.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "fuzz/records/coverage_cells.h"
#include "properties/case/generator.h"
#include "properties/catalogue/properties.h"

namespace tileproof {

// Properties take turns. Each visits all cells that its problems can lie in before it visits any again: first at the
// edges of the cells, the smallest and largest n and k, then anywhere in them.

/// Properties by their full names, in the given order.
/// @throws UsageError if no property has a name
std::vector<const Property*> properties_named(const std::vector<std::string>& names);

struct ListedCase {
  const Property* property;
  Problem problem;
};

class CaseList {
 public:
  /// @param properties  those that the subject cannot run are left out, as are those of a few large matrices
  CaseList(const std::vector<const Property*>& properties, const SubjectRow& subject, std::uint64_t seed);

  bool is_empty() const { return walks_.empty(); }
  ListedCase at(std::uint64_t index) const;
  /// Every cell that contains some case of the list.
  std::set<Cell> reachable() const;
  /// The names of the properties that take turns.
  std::vector<std::string> properties() const;

 private:
  /// The format and the ranges of n and k of some cells.
  struct Shape {
    const Format* format;
    GroupClass groups;
    std::vector<std::int64_t> group_sizes;  // the class's sizes that have a multiple in the range of k
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
    /// True if both properties reach the same cells. Other differences in what they draw lie within cells, or already
    /// show in their shapes.
    bool has_cells_of(const Walk&) const;
  };
  static std::vector<Shape> shapes_of(const SampleSpace&);
  Problem problem_in(const Walk&, std::uint64_t cell, bool at_an_edge, std::uint64_t index) const;

  std::string subject_;
  std::uint64_t seed_;
  std::vector<Walk> walks_;
};

}  // namespace tileproof
