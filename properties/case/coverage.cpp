#include "properties/case/coverage.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "properties/problem/values.h"

namespace tileproof {

namespace {

bool has_class(const Coverage& coverage, const std::string& name) { return coverage.classes.count(name) != 0; }
bool always(const Capabilities&) { return true; }
constexpr std::int64_t most_of_16_bits = 65535;
std::string in_format(const std::string& name, const Format& format) { return name + " as " + format.name; }
std::string format_class(const Format& format) { return std::string("format ") + format.name; }
/// The class of a large extent of the packed tensor, by the number of the dimension.
std::string extent_class(int dimension) {
  return "more than 65,535 in dimension " + std::to_string(dimension) + " of packed";
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
  if (other.compared == 0) return;  // data that were drawn but never compared do not count
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
  // Among equal values keep the least place, so that the result does not depend on the order of processes.
  const bool is_elsewhere = value == at->second.value && where < at->second.where;
  if (!is_new && (value > at->second.value || is_elsewhere)) at->second = {value, where};
}

void count_problem(const Problem& p, Coverage& coverage) {
  const auto count = [&coverage](const std::string& name) { ++coverage.classes[name]; };
  count(format_class(*p.format));
  count(std::string("weights ") + name_of(p.types.weight));
  if (p.layout().padded(p.size()) != p.size()) count("padding");
  if (p.groups() > 1) count("several groups");
  if (p.group_size > 256) count("group of more than 256");
  if ((p.group_size & (p.group_size - 1)) != 0) count("group of no power of two");
  if (p.groups() > p.group_size) count("more groups than group_size");
  if (p.n != p.k) count("not square");
  const auto count_in_format = [&](const std::string& name) { count(in_format(name, *p.format)); };
  if (p.n == p.k) count_in_format("square");
  if (p.n > most_of_16_bits) count_in_format("more than 65,535 rows");
  if (p.k > most_of_16_bits) count_in_format("more than 65,535 columns");
  const reference::Dims dims = p.layout().dims(p.size());
  for (int i = 0; i < dims.count; ++i) {
    if (dims.extents[i] > most_of_16_bits) count_in_format(extent_class(i));
  }
  if (p.groups() > most_of_16_bits) count_in_format("more than 65,535 groups");
  if (!p.variant.empty()) count(variant_class(p.variant));
  if (p.k == 0) return;
  const std::int64_t block = p.layout().legal.k;
  count(p.group_size < block    ? "group smaller than a block"
        : p.group_size == block ? "group equal to a block"
                                : "group larger than a block");
}

std::string variant_class(const std::string& variant) { return "variant " + variant; }

void count_values(reference::FloatFormat format, const std::vector<std::uint32_t>& scales, Coverage& coverage) {
  for (const ValueClass& row : value_classes()) {
    const auto contains = [&](std::uint32_t pattern) { return row.contains(format, pattern); };
    if (std::any_of(scales.begin(), scales.end(), contains)) ++coverage.classes[std::string("scale ") + row.name];
  }
}

namespace {

/// Whether something holds for a format and a group size that the subject takes with some k.
template <class Holds>
bool any_format_and_group(const Capabilities& e, Holds holds) {
  return std::any_of(e.formats.begin(), e.formats.end(), [&](const Format* format) {
    return std::any_of(e.group_sizes.begin(), e.group_sizes.end(), [&](std::int64_t group_size) {
      return format->group_sizes.contains(group_size) && k_unit(*format, group_size) <= e.most_k &&
             holds(*format, group_size);
    });
  });
}

/// Whether something holds for one format and a group size that the subject takes with some k.
template <class Holds>
bool any_group(const Capabilities& e, const Format& format, Holds holds) {
  return any_format_and_group(
      e, [&](const Format& one, std::int64_t group_size) { return &one == &format && holds(group_size); });
}

using GroupOfBlock = bool (*)(std::int64_t group_size, std::int64_t block);

bool takes_group(const Capabilities& e, GroupOfBlock is_wanted) {
  return any_format_and_group(
      e, [&](const Format& format, std::int64_t group_size) { return is_wanted(group_size, format.layout.legal.k); });
}

/// Whether the largest k has room for this many groups.
bool holds_groups(const Capabilities& e, const Format& format, std::int64_t groups, std::int64_t group_size) {
  const std::int64_t unit = k_unit(format, group_size);
  return (groups * group_size + unit - 1) / unit * unit <= e.most_k;
}

/// Whether the subject takes a matrix of the format that is not empty, with some group size.
bool takes_format(const Capabilities& e, const Format& format) {
  return any_group(e, format, [](std::int64_t) { return true; });
}

bool takes_square(const Capabilities& e, const Format& format) {
  std::int64_t unit = 0;  // the smallest unit of k, which the square matrix uses
  for (const std::int64_t group_size : e.group_sizes) {
    const std::int64_t own = k_unit(format, group_size);
    if (format.group_sizes.contains(group_size) && (unit == 0 || own < unit)) unit = own;
  }
  return takes_format(e, format) && std::lcm(unit, n_unit(format, e.n_multiple)) <= std::min(e.most_n, e.most_k);
}

/// Whether some matrix with n != k is taken: n or k has more than one legal size, or their units differ.
bool takes_not_square(const Capabilities& e) {
  return any_format_and_group(e, [&](const Format& format, std::int64_t group_size) {
    const std::int64_t unit = k_unit(format, group_size);
    return 2 * n_unit(format, e.n_multiple) <= e.most_n || 2 * unit <= e.most_k || unit != n_unit(format, e.n_multiple);
  });
}

template <Type type>
bool takes_type(const Capabilities& e) {
  return std::any_of(e.types.begin(), e.types.end(), [](Types types) { return types.weight == type; });
}

/// The taken matrix with the most rows, or columns; its other size is the smallest.
Size of_most_rows(const Capabilities& e, const Format& format) {
  const std::int64_t unit = n_unit(format, e.n_multiple);
  return {e.most_n / unit * unit, format.layout.legal.k};
}
Size of_most_columns(const Capabilities& e, const Format& format) {
  std::int64_t most = 0;
  for (const std::int64_t group_size : e.group_sizes) {
    if (!format.group_sizes.contains(group_size)) continue;
    const std::int64_t unit = k_unit(format, group_size);
    most = std::max(most, e.most_k / unit * unit);
  }
  return {n_unit(format, e.n_multiple), most};
}

bool takes_rows_beyond_16_bits(const Capabilities& e, const Format& format) {
  return takes_format(e, format) && of_most_rows(e, format).n > most_of_16_bits;
}
bool takes_columns_beyond_16_bits(const Capabilities& e, const Format& format) {
  return takes_format(e, format) && of_most_columns(e, format).k > most_of_16_bits;
}
bool takes_groups_beyond_16_bits(const Capabilities& e, const Format& format) {
  return any_group(e, format,
                   [&](std::int64_t group_size) { return holds_groups(e, format, most_of_16_bits + 2, group_size); });
}

/// Whether a dimension of the packed tensor may exceed 16 bits.
bool takes_extent_beyond_16_bits(const Capabilities& e, const Format& format, int dimension) {
  const auto extent = [&](Size size) { return format.layout.dims(size).extents[dimension]; };
  return takes_format(e, format) &&
         std::max(extent(of_most_rows(e, format)), extent(of_most_columns(e, format))) > most_of_16_bits;
}

/// Whether a dimension grows with the matrix; the dimensions of lanes and of their words do not.
bool grows(const Format& format, int dimension) {
  const reference::Multiples unit = format.layout.legal;
  const auto extent = [&](std::int64_t times) {
    return format.layout.dims({64 * times * unit.n, 64 * times * unit.k}).extents[dimension];
  };
  return extent(2) > extent(1);
}

/// A goal that is met once a case was counted in the class.
CoverageGoal of_class(const std::string& name, std::function<bool(const Capabilities&)> in_reach) {
  return {name, std::move(in_reach), has_class};
}

using InReach = bool (*)(const Capabilities&, const Format&);

/// A goal about a class for each format.
std::vector<CoverageGoal> in_every_format(const std::string& name, InReach in_reach) {
  std::vector<CoverageGoal> goals;
  for (const Format& format : reference::formats) {
    goals.push_back(
        of_class(in_format(name, format), [=, &format](const Capabilities& e) { return in_reach(e, format); }));
    goals.back().format = &format;
  }
  return goals;
}

std::vector<CoverageGoal> extents_beyond_16_bits() {
  std::vector<CoverageGoal> goals;
  for (const Format& format : reference::formats) {
    for (int i = 0; i < format.layout.dims({0, 0}).count; ++i) {
      if (!grows(format, i)) continue;
      goals.push_back(of_class(in_format(extent_class(i), format), [=, &format](const Capabilities& e) {
        return takes_extent_beyond_16_bits(e, format, i);
      }));
      goals.back().format = &format;
    }
  }
  return goals;
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

/// Goals that consist of one class.
CoverageGoals one_class(const std::string& name, std::function<bool(const Capabilities&)> in_reach) {
  return {name, {of_class(name, std::move(in_reach))}};
}

}  // namespace

namespace {

bool has_every_code(const Coverage& coverage, std::size_t nibbles) {
  return std::all_of(coverage.code_at_nibble.begin(), coverage.code_at_nibble.end(), [=](const auto& of_code) {
    return std::all_of(of_code.begin(), of_code.begin() + static_cast<std::ptrdiff_t>(nibbles),
                       [](bool seen) { return seen; });
  });
}

bool has_units_of(const Capabilities& e, int slots) {
  return std::any_of(e.formats.begin(), e.formats.end(),
                     [=](const Format* format) { return format->layout.slots_of_unit() == slots; });
}

// A goal about formats with words, or bytes, as storage units names one such format, so that a subject without any of
// them is not reported to lack it.
constexpr const Format* word_format = reference::format_named("tinygemm-2");
constexpr const Format* byte_format = reference::format_named("plain");

CoverageGoals formats_taken() {
  CoverageGoals goals = {"every format", {}};
  for (const Format& format : reference::formats) {
    goals.goals.push_back(
        of_class(format_class(format), [&format](const Capabilities& e) { return takes_format(e, format); }));
    goals.goals.back().format = &format;
  }
  return goals;
}

}  // namespace

const CoverageGoals every_code_at_every_nibble = {
    "every code at every nibble",
    {{"every code at every nibble of a word", [](const Capabilities& e) { return has_units_of(e, 8); },
      [](const Coverage& coverage, const std::string&) { return has_every_code(coverage, 8); }, word_format},
     {"every code at both nibbles of a byte", [](const Capabilities& e) { return has_units_of(e, 2); },
      [](const Coverage& coverage, const std::string&) { return has_every_code(coverage, 2); }, byte_format}}};

const CoverageGoals every_format = formats_taken();

const CoverageGoals with_padding = one_class("padding", [](const Capabilities& e) {
  return any_format_and_group(e, [&](const Format& format, std::int64_t group_size) {
    const Size size = {n_unit(format, e.n_multiple), k_unit(format, group_size)};
    return format.layout.padded(size) != size;
  });
});

const CoverageGoals several_groups = one_class("several groups", [](const Capabilities& e) {
  return any_format_and_group(
      e, [&](const Format& format, std::int64_t group_size) { return holds_groups(e, format, 2, group_size); });
});

const CoverageGoals groups_around_a_block = {
    "groups around a block",
    {of_class(
         "group smaller than a block",
         [](const Capabilities& e) { return takes_group(e, [](auto group, auto block) { return group < block; }); }),
     of_class(
         "group equal to a block",
         [](const Capabilities& e) { return takes_group(e, [](auto group, auto block) { return group == block; }); }),
     of_class("group larger than a block", [](const Capabilities& e) {
       return takes_group(e, [](auto group, auto block) { return group > block; });
     })}};

const CoverageGoals unusual_groups = {
    "unusual groups",
    {of_class("group of more than 256",
              [](const Capabilities& e) { return takes_group(e, [](auto group, auto) { return group > 256; }); }),
     of_class("group of no power of two", [](const Capabilities& e) {
       return takes_group(e, [](auto group, auto) { return (group & (group - 1)) != 0; });
     })}};

const CoverageGoals more_groups_than_a_group_has_columns =
    one_class("more groups than group_size", [](const Capabilities& e) {
      return any_format_and_group(e, [&](const Format& format, std::int64_t group_size) {
        return holds_groups(e, format, group_size + 1, group_size);
      });
    });

const CoverageGoals not_square = one_class("not square", takes_not_square);

const CoverageGoals every_class_of_scale = {"every class of scale", classes_of_scale()};

const CoverageGoals every_type = {
    "every type",
    {of_class("weights bf16", takes_type<Type::bf16>), of_class("weights fp16", takes_type<Type::fp16>),
     of_class("weights fp32", takes_type<Type::fp32>)}};

const CoverageGoals both_alignments = {
    "both alignments",
    {of_class("aligned to what must be taken", [](const Capabilities& e) { return e.any_alignment; }),
     of_class("aligned as allocators align", always)}};

const CoverageGoals beyond_16_bits = {
    "beyond 16 bits",
    joined({in_every_format("more than 65,535 rows", takes_rows_beyond_16_bits),
            in_every_format("more than 65,535 columns", takes_columns_beyond_16_bits), extents_beyond_16_bits()})};

const CoverageGoals groups_beyond_16_bits = {"groups beyond 16 bits",
                                             in_every_format("more than 65,535 groups", takes_groups_beyond_16_bits)};

const CoverageGoals square_in_every_format = {"square in every format", in_every_format("square", takes_square)};

void Coverage::include(const Coverage& other) {
  for (std::size_t code = 0; code < code_at_nibble.size(); ++code) {
    for (std::size_t nibble = 0; nibble < code_at_nibble[code].size(); ++nibble) {
      code_at_nibble[code][nibble] |= other.code_at_nibble[code][nibble];
    }
  }
  for (const auto& [name, count] : other.classes) classes[name] += count;
}

namespace {

/// Whether a subject has a format of the same family, as "tinygemm-2" and "tinygemm-4" are.
bool takes_family_of(const Capabilities& capabilities, const Format& format) {
  const auto family_of = [](const Format& one) {
    return std::string_view(one.name).substr(0, std::string_view(one.name).find('-'));
  };
  return std::any_of(capabilities.formats.begin(), capabilities.formats.end(),
                     [&](const Format* own) { return family_of(*own) == family_of(format); });
}

}  // namespace

Goals goals_of(const std::vector<const CoverageGoals*>& wanted, const Capabilities& capabilities) {
  Goals goals;
  for (const CoverageGoals* row : wanted) {
    for (const CoverageGoal& goal : row->goals) {
      if (goal.in_reach(capabilities)) {
        goals.in_reach.push_back(&goal);
      } else if (goal.format == nullptr || takes_family_of(capabilities, *goal.format)) {
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
