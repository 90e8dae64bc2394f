/// Feature cells: what a problem is like, coarsely. A campaign that has been in every cell that its subject can reach
/// has seen every combination of them; where it has not, it says so.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "properties/case/property.h"

namespace tileproof {

/// How groups lie in a row of supertiles.
enum class GroupClass { within_a_supertile, a_supertile, across_supertiles, beyond_256, no_power_of_two };
const char* name_of(GroupClass);
GroupClass group_class_of(std::int64_t group_size, std::int64_t inner_k_tiles);

struct Cell {
  Operation operation;  // the last that the property needs
  Domain domain;
  Type out;
  std::int64_t inner_k_tiles;
  GroupClass groups;
  std::int64_t n_tail;  // rows of the last n-tile, 0 where it is whole
  int log2_k;           // rounded down
  bool is_aligned;      // as allocators align; else to the least that a subject must take
  std::string scales;

  auto operator<=>(const Cell&) const = default;
};

Cell cell_of(const Property&, const Problem&);
/// "dequantize float bf16 inner_k_tiles=4 groups=a_supertile n%8=3 k=2^9 aligned scales=ordinary"
std::string text_of(const Cell&);

}  // namespace tileproof
