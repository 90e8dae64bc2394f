#include "properties/case/cells.h"

#include <bit>

#include "properties/problem/draw.h"

namespace tileproof {

const char* name_of(GroupClass groups) {
  constexpr const char* names[] = {"within_a_block", "a_block",         "across_blocks",
                                   "beyond_256",     "no_power_of_two", "an_uneven_row"};
  return names[static_cast<int>(groups)];
}

GroupClass group_class_of(std::int64_t group_size, const Format& format) {
  if (group_size % 16 != 0) return GroupClass::an_uneven_row;
  const std::int64_t block = format.layout.legal.k;
  if (!std::has_single_bit(static_cast<std::uint64_t>(group_size))) return GroupClass::no_power_of_two;
  if (group_size > 256) return GroupClass::beyond_256;
  return group_size < block    ? GroupClass::within_a_block
         : group_size == block ? GroupClass::a_block
                               : GroupClass::across_blocks;
}

Operation operation_of(const Property& property) {
  return property.needs.empty() ? Operation::dequantize : property.needs.back();
}

Cell cell_of(const Property& property, const Problem& p) {
  return {.operation = operation_of(property),
          .format = p.format,
          .format_to = p.format_to,
          .scheme = p.scheme,
          .types = p.types,
          .groups = group_class_of(p.group_size, *p.format),
          .n_tail = p.n % 8,
          .log2_k = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(p.k))) - 1,
          .is_aligned = !draws_least_alignment(p.seed),
          .profile = p.profile};
}

std::string text_of(const Cell& cell) {
  const std::string to = cell.format_to == nullptr ? "" : std::string(" to ") + cell.format_to->name;
  return std::string(name_of(cell.operation)) + " " + cell.format->name + to + " " + cell.scheme->name + " " +
         name_of(cell.types) + " groups=" + name_of(cell.groups) + " n%8=" + std::to_string(cell.n_tail) + " k=2^" +
         std::to_string(cell.log2_k) + (cell.is_aligned ? " aligned" : " least_aligned") + " profile=" + cell.profile;
}

}  // namespace tileproof
