/// Feature cells: a coarse description of a problem. A campaign that has visited every cell that its subject can reach
/// has seen every combination of these features; otherwise it reports what it missed.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "properties/case/property.h"

namespace tileproof {

/// The size of a group relative to the layout's unit of k.
enum class GroupClass { within_a_block, a_block, across_blocks, beyond_256, no_power_of_two, an_uneven_row };
const char* name_of(GroupClass);
GroupClass group_class_of(std::int64_t group_size, const Format&);

/// The last operation that a property needs.
Operation operation_of(const Property&);

struct Cell {
  Operation operation;
  const Format* format;
  const Format* format_to;  // as of a problem
  const Scheme* scheme;
  Types types;
  GroupClass groups;
  std::int64_t n_tail;  // rows beyond a multiple of 8
  int log2_k;           // rounded down
  // True: tensors are aligned as allocators align; false: exactly to the least that a subject must accept.
  bool is_aligned;
  std::string profile;

  auto operator<=>(const Cell&) const = default;
};

Cell cell_of(const Property&, const Problem&);
/// "dequantize tinygemm-4 float bf16 groups=a_block n%8=3 k=2^9 aligned profile=ordinary"
std::string text_of(const Cell&);

}  // namespace tileproof
