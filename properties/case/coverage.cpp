#include "properties/case/coverage.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "properties/problem/values.h"

namespace tileproof {

namespace {

bool has_class(const Coverage& coverage, const std::string& name) { return coverage.classes.count(name) != 0; }
std::string named(const char* what, std::int64_t value) { return std::string(what) + " " + std::to_string(value); }
bool always(const Capabilities&) { return true; }
std::string in_layout(const std::string& name, std::int64_t inner_k_tiles) {
  return name + " with " + named("inner_k_tiles", inner_k_tiles);
}

}  // namespace

void ComparedElements::expected(std::uint32_t value) {
  ++elements;
  expected_hash = folded(expected_hash, value);
}

void ComparedElements::differs(std::int64_t index, std::uint32_t got, const char* reason) {
  std::int64_t number = none;
  if (reason != nullptr) {
    const auto known = std::find(reasons.begin(), reasons.end(), reason);
    number = known - reasons.begin();
    if (known == reasons.end()) reasons.emplace_back(reason);
  }
  differences.push_back({index, got, number});
}

void Coverage::add(const Coverage& other) {
  if (other.compared == 0) return;  // what was drawn and never compared was not met
  several_values |= other.several_values || (compared != 0 && other.first_value != first_value);
  if (compared == 0) first_value = other.first_value;
  compared += other.compared;
  include(other);
  for (const auto& [name, count] : other.explained) explained[name] += count;
  for (const auto& [name, one] : other.largest) measured(name, one.value, one.where);
  for (const auto& [way, hash] : other.runs) {
    record_hash(way,
                std::vector<std::uint32_t>{static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32)});
  }
  output_value(static_cast<std::uint32_t>(other.output_hash));
  output_value(static_cast<std::uint32_t>(other.output_hash >> 32));
}

void Coverage::expected_value(std::uint32_t value) {
  if (compared++ == 0) first_value = value;
  several_values |= value != first_value;
}

void Coverage::measured(const std::string& name, double value, const std::string& where) {
  const auto [at, is_new] = largest.try_emplace(name, Largest{value, where});
  // Of several places, whichever process came to which first, the same one.
  const bool is_elsewhere = value == at->second.value && where < at->second.where;
  if (!is_new && (value > at->second.value || is_elsewhere)) at->second = {value, where};
}

void count_problem(const Problem& p, Coverage& coverage) {
  const auto count = [&coverage](const std::string& name) { ++coverage.classes[name]; };
  count(named("inner_k_tiles", p.inner_k_tiles));
  count(std::string("out ") + name_of(p.out));
  if (p.n % 8 != 0) count("partial tile");
  if (p.groups() > 1) count("several groups");
  if (p.group_size > 256) count("group of more than 256");
  if ((p.group_size & (p.group_size - 1)) != 0) count("group of no power of two");
  if (p.groups() > p.group_size) count("more groups than group_size");
  if (p.n != p.k) count("not square");
  const auto count_in_layout = [&](const char* name) { count(in_layout(name, p.inner_k_tiles)); };
  constexpr std::int64_t most_of_16_bits = 65535;
  if (p.n == p.k) count_in_layout("square");
  if (p.n > most_of_16_bits) count_in_layout("more than 65,535 rows");
  if ((p.n + 7) / 8 > most_of_16_bits) count_in_layout("more than 65,535 n-tiles");
  if (p.k > most_of_16_bits) count_in_layout("more than 65,535 columns");
  if (p.k / p.supertile_columns() > most_of_16_bits) count_in_layout("more than 65,535 supertiles of a row");
  if (p.groups() > most_of_16_bits) count_in_layout("more than 65,535 groups");
  if (!p.variant.empty()) count(variant_class(p.variant));
  if (p.k == 0) return;
  const std::int64_t supertile = p.supertile_columns();
  count(p.group_size < supertile    ? "group smaller than a supertile"
        : p.group_size == supertile ? "group equal to a supertile"
                                    : "group larger than a supertile");
}

std::string variant_class(const std::string& variant) { return "variant " + variant; }

void count_values(reference::FloatFormat format, const std::vector<std::uint32_t>& scales, Coverage& coverage) {
  for (const ValueClass& row : value_classes()) {
    const auto contains = [&](std::uint32_t pattern) { return row.contains(format, pattern); };
    if (std::any_of(scales.begin(), scales.end(), contains)) ++coverage.classes[std::string("scale ") + row.name];
  }
}

namespace {

using GroupOfSupertile = bool (*)(std::int64_t group_size, std::int64_t supertile);

bool takes_group(const Capabilities& e, GroupOfSupertile is_wanted) {
  for (const std::int64_t inner_k_tiles : e.inner_k_tiles) {
    for (const std::int64_t group_size : e.group_sizes) {
      const bool fits = std::lcm(16 * inner_k_tiles, group_size) <= e.most_k;
      if (fits && is_wanted(group_size, 16 * inner_k_tiles)) return true;
    }
  }
  return false;
}

/// Whether k may hold so many groups, or more, of some size.
bool takes_groups(const Capabilities& e, std::int64_t (*groups_of)(std::int64_t group_size)) {
  return std::any_of(e.group_sizes.begin(), e.group_sizes.end(), [&](std::int64_t group_size) {
    return std::any_of(e.inner_k_tiles.begin(), e.inner_k_tiles.end(), [&](std::int64_t inner_k_tiles) {
      const std::int64_t unit = std::lcm(16 * inner_k_tiles, group_size);
      return (groups_of(group_size) * group_size + unit - 1) / unit * unit <= e.most_k;
    });
  });
}

/// Whether a layout is taken, and with some group a matrix of at least one supertile.
template <std::int64_t inner_k_tiles>
bool takes_layout(const Capabilities& e) {
  const bool fits = std::any_of(e.group_sizes.begin(), e.group_sizes.end(), [&](std::int64_t group_size) {
    return std::lcm(16 * inner_k_tiles, group_size) <= e.most_k;
  });
  return fits && std::find(e.inner_k_tiles.begin(), e.inner_k_tiles.end(), inner_k_tiles) != e.inner_k_tiles.end();
}

template <std::int64_t inner_k_tiles>
bool takes_square(const Capabilities& e) {
  std::int64_t unit = std::lcm(16 * inner_k_tiles, e.group_sizes.front());
  for (const std::int64_t group_size : e.group_sizes) unit = std::min(unit, std::lcm(16 * inner_k_tiles, group_size));
  return takes_layout<inner_k_tiles>(e) && std::lcm(unit, e.n_multiple) <= std::min(e.most_n, e.most_k);
}

/// Whether more than one size of n or of k is taken, or n and k differ.
bool takes_not_square(const Capabilities& e) {
  if (2 * e.n_multiple <= e.most_n) return true;
  return std::any_of(e.inner_k_tiles.begin(), e.inner_k_tiles.end(), [&](std::int64_t inner_k_tiles) {
    return std::any_of(e.group_sizes.begin(), e.group_sizes.end(), [&](std::int64_t group_size) {
      const std::int64_t unit = std::lcm(16 * inner_k_tiles, group_size);
      return 2 * unit <= e.most_k || (unit <= e.most_k && unit != e.n_multiple);
    });
  });
}

template <Type type>
bool takes_type(const Capabilities& e) {
  return std::find(e.types.begin(), e.types.end(), type) != e.types.end();
}

constexpr std::int64_t more_than_16_bits = (1 << 16) + 1;

template <std::int64_t inner_k_tiles>
bool takes_rows_beyond_16_bits(const Capabilities& e) {
  return takes_layout<inner_k_tiles>(e) && e.most_n / e.n_multiple * e.n_multiple >= more_than_16_bits - 1;
}
template <std::int64_t inner_k_tiles>
bool takes_n_tiles_beyond_16_bits(const Capabilities& e) {
  return takes_layout<inner_k_tiles>(e) && e.most_n / e.n_multiple * e.n_multiple > 8 * (more_than_16_bits - 2);
}
template <std::int64_t inner_k_tiles>
bool takes_columns_beyond_16_bits(const Capabilities& e) {
  return takes_layout<inner_k_tiles>(e) && e.most_k >= more_than_16_bits + 16 * inner_k_tiles * 16;
}
template <std::int64_t inner_k_tiles>
bool takes_supertiles_beyond_16_bits(const Capabilities& e) {
  return takes_layout<inner_k_tiles>(e) && e.most_k >= 16 * inner_k_tiles * (more_than_16_bits + 16);
}
template <std::int64_t inner_k_tiles>
bool takes_groups_beyond_16_bits(const Capabilities& e) {
  Capabilities of_layout = e;
  of_layout.inner_k_tiles = {inner_k_tiles};
  return takes_layout<inner_k_tiles>(e) && takes_groups(of_layout, [](std::int64_t) { return more_than_16_bits; });
}

/// A goal that is one of the classes that cases are counted in.
CoverageGoal of_class(const std::string& name, bool (*in_reach)(const Capabilities&)) {
  return {name, in_reach, has_class};
}

/// The same for each layout.
std::vector<CoverageGoal> in_every_layout(const std::string& name, bool (*in_2)(const Capabilities&),
                                          bool (*in_4)(const Capabilities&), bool (*in_8)(const Capabilities&)) {
  return {of_class(in_layout(name, 2), in_2), of_class(in_layout(name, 4), in_4), of_class(in_layout(name, 8), in_8)};
}

std::vector<CoverageGoal> joined(std::vector<std::vector<CoverageGoal>> parts) {
  std::vector<CoverageGoal> all;
  for (const std::vector<CoverageGoal>& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<CoverageGoal> classes_of_scale() {
  std::vector<CoverageGoal> goals;
  for (const ValueClass& row : value_classes()) goals.push_back(of_class(std::string("scale ") + row.name, always));
  return goals;
}

/// A property about one class, which is its only goal.
CoverageGoals one_class(const std::string& name, bool (*in_reach)(const Capabilities&)) {
  return {name, {of_class(name, in_reach)}};
}

}  // namespace

const CoverageGoals every_code_at_every_nibble = {
    "every code at every nibble",
    {{"every code at every nibble", always, [](const Coverage& coverage, const std::string&) {
        return std::all_of(coverage.code_at_nibble.begin(), coverage.code_at_nibble.end(), [](const auto& nibbles) {
          return std::all_of(nibbles.begin(), nibbles.end(), [](bool seen) { return seen; });
        });
      }}}};

const CoverageGoals every_inner_k_tiles = {
    "every inner_k_tiles",
    {of_class("inner_k_tiles 2", takes_layout<2>), of_class("inner_k_tiles 4", takes_layout<4>),
     of_class("inner_k_tiles 8", takes_layout<8>)}};

const CoverageGoals partial_tile =
    one_class("partial tile", [](const Capabilities& e) { return e.n_multiple % 8 != 0; });

const CoverageGoals several_groups = one_class("several groups", [](const Capabilities& e) {
  return takes_groups(e, [](std::int64_t) { return std::int64_t{2}; });
});

const CoverageGoals groups_around_a_supertile = {
    "groups around a supertile",
    {of_class("group smaller than a supertile",
              [](const Capabilities& e) {
                return takes_group(e, [](auto group, auto supertile) { return group < supertile; });
              }),
     of_class("group equal to a supertile",
              [](const Capabilities& e) {
                return takes_group(e, [](auto group, auto supertile) { return group == supertile; });
              }),
     of_class("group larger than a supertile", [](const Capabilities& e) {
       return takes_group(e, [](auto group, auto supertile) { return group > supertile; });
     })}};

const CoverageGoals unusual_groups = {
    "unusual groups",
    {of_class("group of more than 256",
              [](const Capabilities& e) { return takes_group(e, [](auto group, auto) { return group > 256; }); }),
     of_class("group of no power of two", [](const Capabilities& e) {
       return takes_group(e, [](auto group, auto) { return (group & (group - 1)) != 0; });
     })}};

const CoverageGoals more_groups_than_a_group_has_columns = one_class(
    "more groups than group_size",
    [](const Capabilities& e) { return takes_groups(e, [](std::int64_t group_size) { return group_size + 1; }); });

const CoverageGoals not_square = one_class("not square", takes_not_square);

const CoverageGoals every_class_of_scale = {"every class of scale", classes_of_scale()};

const CoverageGoals every_type = {
    "every type",
    {of_class("out bf16", takes_type<Type::bf16>), of_class("out fp16", takes_type<Type::fp16>),
     of_class("out fp32", takes_type<Type::fp32>)}};

const CoverageGoals both_alignments = {
    "both alignments",
    {of_class("aligned to what must be taken", [](const Capabilities& e) { return e.any_alignment; }),
     of_class("aligned as allocators align", always)}};

const CoverageGoals beyond_16_bits = {
    "beyond 16 bits",
    joined({in_every_layout("more than 65,535 rows", takes_rows_beyond_16_bits<2>, takes_rows_beyond_16_bits<4>,
                            takes_rows_beyond_16_bits<8>),
            in_every_layout("more than 65,535 n-tiles", takes_n_tiles_beyond_16_bits<2>,
                            takes_n_tiles_beyond_16_bits<4>, takes_n_tiles_beyond_16_bits<8>),
            in_every_layout("more than 65,535 columns", takes_columns_beyond_16_bits<2>,
                            takes_columns_beyond_16_bits<4>, takes_columns_beyond_16_bits<8>),
            in_every_layout("more than 65,535 supertiles of a row", takes_supertiles_beyond_16_bits<2>,
                            takes_supertiles_beyond_16_bits<4>, takes_supertiles_beyond_16_bits<8>)})};

const CoverageGoals groups_beyond_16_bits = {
    "groups beyond 16 bits", in_every_layout("more than 65,535 groups", takes_groups_beyond_16_bits<2>,
                                             takes_groups_beyond_16_bits<4>, takes_groups_beyond_16_bits<8>)};

const CoverageGoals square_in_every_layout = {
    "square in every layout", in_every_layout("square", takes_square<2>, takes_square<4>, takes_square<8>)};

void Coverage::include(const Coverage& other) {
  for (std::size_t code = 0; code < code_at_nibble.size(); ++code) {
    for (std::size_t nibble = 0; nibble < code_at_nibble[code].size(); ++nibble) {
      code_at_nibble[code][nibble] |= other.code_at_nibble[code][nibble];
    }
  }
  for (const auto& [name, count] : other.classes) classes[name] += count;
}

Goals goals_of(const std::vector<const CoverageGoals*>& wanted, const Capabilities& capabilities) {
  Goals goals;
  for (const CoverageGoals* row : wanted) {
    for (const CoverageGoal& goal : row->goals) {
      if (goal.in_reach(capabilities)) {
        goals.in_reach.push_back(&goal);
      } else {
        goals.out_of_reach.push_back(goal.name);
      }
    }
  }
  return goals;
}

std::vector<std::string> unmet(const Coverage& coverage, const Goals& goals) {
  if (coverage.compared == 0) return {"anything at all: no element was compared"};
  std::vector<std::string> names;
  if (!coverage.several_values) names.push_back("more than one value");
  std::int64_t explained = 0;
  for (const auto& [reason, count] : coverage.explained) explained += count;
  if (explained == coverage.compared) names.push_back("an element as specified: all of them were explained");
  for (const CoverageGoal* goal : goals.in_reach) {
    if (!goal->is_met(coverage, goal->name)) names.push_back(goal->name);
  }
  return names;
}

}  // namespace tileproof
