#include "properties/case/coverage.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "properties/problem/values.h"
#include "reference/formats.h"

namespace tileproof {

namespace {

bool has_class(const Coverage& coverage, const std::string& name) { return coverage.classes.count(name) != 0; }
bool always(const Capabilities&) { return true; }
constexpr std::int64_t most_of_16_bits = 65535;
std::string in_format(const std::string& name, const Format& format) { return name + " as " + format.name; }
std::string format_class(const Format& format) { return std::string("format ") + format.name; }
std::string format_to_class(const Format& format) { return std::string("converted to ") + format.name; }
constexpr const char* row_of_odd_columns = "rows of an odd number of columns";
constexpr const char* last_group_short = "a last group that is short";
/// The class of a large extent of the packed tensor, by the number of the dimension.
std::string extent_class(int dimension) {
  return "more than 65,535 in dimension " + std::to_string(dimension) + " of packed";
}

/// A class of problems by their numbers alone.
struct ProblemClass {
  std::string name;
  std::function<bool(const Problem&)> holds;
  bool in_each_format = false;  // counted for each format by itself
};

const std::vector<ProblemClass>& problem_classes() {
  static const std::vector<ProblemClass> rows = [] {
    const auto block = [](const Problem& p) { return p.layout().legal.k; };
    const auto has_even_groups = [](const Problem& p) { return p.k != 0 && p.group_size % 16 == 0; };
    std::vector<ProblemClass> all = {
        {"padding", [](const Problem& p) { return has_padding(*p.format, p.size()); }},
        {"padding of what is converted to",
         [](const Problem& p) { return p.format_to != nullptr && has_padding(*p.format_to, p.size()); }},
        {"several groups", [](const Problem& p) { return p.groups().k > 1; }},
        {"group smaller than a block", [=](const Problem& p) { return has_even_groups(p) && p.group_size < block(p); }},
        {"group equal to a block", [=](const Problem& p) { return has_even_groups(p) && p.group_size == block(p); }},
        {"group larger than a block", [=](const Problem& p) { return has_even_groups(p) && p.group_size > block(p); }},
        {row_of_odd_columns, [](const Problem& p) { return p.n > 1 && p.k % 2 != 0; }},
        {last_group_short, [](const Problem& p) { return p.n * p.k % p.group_size != 0; }},
        {"group of more than 256", [](const Problem& p) { return p.group_size > 256; }},
        {"group of no power of two", [](const Problem& p) { return (p.group_size & (p.group_size - 1)) != 0; }},
        {"more groups than group_size", [](const Problem& p) { return p.groups().k > p.group_size; }},
        {"not square", [](const Problem& p) { return p.n != p.k; }},
        {"square", [](const Problem& p) { return p.n == p.k; }, true},
        {"more than 65,535 rows", [](const Problem& p) { return p.n > most_of_16_bits; }, true},
        {"more than 65,535 columns", [](const Problem& p) { return p.k > most_of_16_bits; }, true},
        {"more than 65,535 groups", [](const Problem& p) { return p.groups().k > most_of_16_bits; }, true}};
    for (int i = 0; i < reference::Dims::most; ++i) {
      const auto is_large = [i](const Problem& p) {
        const reference::Dims dims = p.layout().dims(p.size());
        return i < dims.count && dims.extents[i] > most_of_16_bits;
      };
      all.push_back({extent_class(i), is_large, true});
    }
    return all;
  }();
  return rows;
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

bool Coverage::has_every_code(int nibbles) const {
  return std::all_of(code_at_nibble.begin(), code_at_nibble.end(), [=](const auto& of_code) {
    return std::all_of(of_code.begin(), of_code.begin() + nibbles, [](bool seen) { return seen; });
  });
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
  if (p.format_to != nullptr) count(format_to_class(*p.format_to));
  count(std::string("weights ") + name_of(p.types.weight));
  if (!p.variant.empty()) count(variant_class(p.variant));
  for (const ProblemClass& row : problem_classes()) {
    if (row.holds(p)) count(row.in_each_format ? in_format(row.name, *p.format) : row.name);
  }
}

std::string variant_class(const std::string& variant) { return "variant " + variant; }

void count_values(reference::FloatFormat format, const std::vector<std::uint32_t>& scales, Coverage& coverage) {
  for (const ValueClass& row : value_classes()) {
    const std::uint64_t all_bits = (std::uint64_t{1} << format.bits()) - 1;  // a group's factor may stand above them
    const auto contains = [&](std::uint32_t scale) {
      return row.contains(format, static_cast<std::uint32_t>(scale & all_bits));
    };
    if (std::any_of(scales.begin(), scales.end(), contains)) ++coverage.classes[std::string("scale ") + row.name];
  }
}

namespace {

/// Whether some problem that the subject takes is in a class. It tries the extremes of each format and group size.
/// @param only  the format that the class is about, or nullptr
bool is_in_reach(const Capabilities& e, const Format* only, const std::function<bool(const Problem&)>& holds) {
  Problem p;
  /// @param group_size  the size of a group, or 0 if each row is one
  const auto is_some_size = [&](std::int64_t group_size) {
    const std::int64_t n = n_unit(*p.format, e.n_multiple, p.format_to);
    const std::int64_t k = k_unit(*p.format, std::max<std::int64_t>(group_size, 1), e.k_multiple, p.format_to);
    const std::int64_t side = std::lcm(n, k);
    if (n > e.most_n || k > e.most_k) return false;
    for (const Size size : {Size{n, k}, {2 * n, k}, {e.most_n / n * n, k}, {n, e.most_k / k * k}, {side, side}}) {
      p.n = size.n;
      p.k = size.k;
      p.group_size = group_size == 0 ? p.k : group_size;
      if (p.n <= e.most_n && p.k <= e.most_k && holds(p)) return true;
    }
    return false;
  };
  for (const Format* format : e.formats) {
    if (only != nullptr && format != only) continue;
    std::vector<std::int64_t> group_sizes = e.group_sizes_of(*format);
    if (e.takes_uneven_rows_of(*format)) group_sizes.push_back(0);
    for (const std::int64_t group_size : group_sizes) {
      for (const Format* format_to : e.formats_to_of(*format)) {
        p.format = format;
        p.format_to = format_to;
        if (is_some_size(group_size)) return true;
      }
    }
  }
  return false;
}

template <Type type>
bool takes_type(const Capabilities& e) {
  return std::any_of(e.types.begin(), e.types.end(), [](Types types) { return types.weight == type; });
}

/// A goal that is met once a case was counted in the class.
CoverageGoal of_class(const std::string& name, std::function<bool(const Capabilities&)> in_reach) {
  return {name, std::move(in_reach), has_class};
}

/// A goal about one of problem_classes().
/// @param format  for a class that is counted for each format by itself
CoverageGoal of_problems(const std::string& name, const Format* format = nullptr) {
  const std::vector<ProblemClass>& rows = problem_classes();
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const ProblemClass& one) { return one.name == name; });
  const auto in_reach = [format, holds = row->holds](const Capabilities& e) { return is_in_reach(e, format, holds); };
  return {format == nullptr ? name : in_format(name, *format), in_reach, has_class, format};
}

/// A goal about shapes that few formats have. It names one of them, so that other subjects are not reported to lack it.
CoverageGoal of_uneven(const std::string& name) {
  CoverageGoal goal = of_problems(name);
  goal.format = reference::format_named("nf4");
  return goal;
}

std::vector<CoverageGoal> in_every_format(const std::vector<std::string>& names) {
  std::vector<CoverageGoal> goals;
  for (const std::string& name : names) {
    for (const Format& format : reference::formats) goals.push_back(of_problems(name, &format));
  }
  return goals;
}

/// Leaves out the dimensions that do not grow with the matrix, such as those of lanes and of their words.
std::vector<CoverageGoal> sizes_beyond_16_bits() {
  std::vector<CoverageGoal> goals = in_every_format({"more than 65,535 rows", "more than 65,535 columns"});
  for (const Format& format : reference::formats) {
    Capabilities of_any_size;
    of_any_size.formats = {&format};
    for (int i = 0; i < reference::Dims::most; ++i) {
      CoverageGoal goal = of_problems(extent_class(i), &format);
      if (goal.in_reach(of_any_size)) goals.push_back(std::move(goal));
    }
  }
  return goals;
}

/// Whether a type has values of a class: powers of two alone are never negative.
bool is_in(const ValueClass& of_values, reference::FloatFormat format) {
  return of_values.contains(format, of_values.member(format, 1));
}

std::vector<CoverageGoal> classes_of_scale() {
  std::vector<CoverageGoal> goals;
  for (const ValueClass& row : value_classes()) {
    goals.push_back(of_class(std::string("scale ") + row.name, [&row](const Capabilities& capabilities) {
      return std::any_of(capabilities.types.begin(), capabilities.types.end(),
                         [&](Types types) { return is_in(row, float_format_of(types.parameter)); });
    }));
  }
  return goals;
}

/// Goals that consist of one class of problems.
CoverageGoals one_class(const std::string& name) { return {name, {of_problems(name)}}; }

template <int nibbles>
bool has_every_code(const Coverage& coverage, const std::string&) {
  return coverage.has_every_code(nibbles);
}

template <int slots>
bool has_units_of(const Capabilities& e) {
  return std::any_of(e.formats.begin(), e.formats.end(),
                     [](const Format* format) { return format->layout.slots_of_unit() == slots; });
}

// A goal about formats with words, or bytes, as storage units names one such format, so that a subject without any of
// them is not reported to lack it.
constexpr const Format* word_format = reference::format_named("tinygemm-2");
constexpr const Format* byte_format = reference::format_named("plain");

CoverageGoals formats_taken() {
  CoverageGoals goals = {"every format", {}};
  for (const Format& format : reference::formats) {
    const auto is_taken = [&format](const Capabilities& e) {
      return is_in_reach(e, &format, [](const Problem&) { return true; });
    };
    goals.goals.push_back({format_class(format), is_taken, has_class, &format});
  }
  return goals;
}

CoverageGoals formats_given() {
  CoverageGoals goals = {"every format that is converted to", {}};
  for (const Format& format : reference::formats) {
    const auto is_given = [&format](const Capabilities& e) {
      return is_in_reach(e, nullptr, [&format](const Problem& p) { return p.format_to == &format; });
    };
    goals.goals.push_back({format_to_class(format), is_given, has_class, &format, /*is_told=*/false});
  }
  return goals;
}

}  // namespace

const CoverageGoals every_code_at_every_nibble = {
    "every code at every nibble",
    {{"every code at every nibble of a word", has_units_of<8>, has_every_code<8>, word_format},
     {"every code at both nibbles of a byte", has_units_of<2>, has_every_code<2>, byte_format}}};
const CoverageGoals every_format = formats_taken();
const CoverageGoals every_format_to = formats_given();

const CoverageGoals with_padding = one_class("padding");
const CoverageGoals with_padding_to = one_class("padding of what is converted to");
const CoverageGoals several_groups = one_class("several groups");
const CoverageGoals groups_around_a_block = {
    "groups around a block",
    {of_problems("group smaller than a block"), of_problems("group equal to a block"),
     of_problems("group larger than a block")}};
const CoverageGoals uneven_shapes = {"uneven shapes", {of_uneven(row_of_odd_columns), of_uneven(last_group_short)}};
const CoverageGoals unusual_groups = {"unusual groups",
                                      {of_problems("group of more than 256"), of_problems("group of no power of two")}};
const CoverageGoals more_groups_than_a_group_has_columns = one_class("more groups than group_size");
const CoverageGoals not_square = one_class("not square");
const CoverageGoals every_class_of_scale = {"every class of scale", classes_of_scale()};

const CoverageGoals every_type = {
    "every type",
    {of_class("weights bf16", takes_type<Type::bf16>), of_class("weights fp16", takes_type<Type::fp16>),
     of_class("weights fp32", takes_type<Type::fp32>)}};

const CoverageGoals both_alignments = {
    "both alignments",
    {of_class("aligned to what must be taken", [](const Capabilities& e) { return e.any_alignment; }),
     of_class("aligned as allocators align", always)}};

const CoverageGoals beyond_16_bits = {"beyond 16 bits", sizes_beyond_16_bits()};
const CoverageGoals groups_beyond_16_bits = {"groups beyond 16 bits", in_every_format({"more than 65,535 groups"})};
const CoverageGoals square_in_every_format = {"square in every format", in_every_format({"square"})};

void Coverage::include(const Coverage& other) {
  for (std::size_t code = 0; code < code_at_nibble.size(); ++code) {
    for (std::size_t nibble = 0; nibble < code_at_nibble[code].size(); ++nibble) {
      code_at_nibble[code][nibble] |= other.code_at_nibble[code][nibble];
    }
  }
  for (const auto& [name, count] : other.classes) classes[name] += count;
}

namespace {

/// Whether a format that a subject does not take is missed: the property is about one of its schemes, and the subject
/// takes one of its family, as "tinygemm-2" and "tinygemm-4" are; "plain-int32" is not of the format "plain".
bool is_missed(const Capabilities& capabilities, const Format& format) {
  const auto family_of = [](const Format& one) {
    const std::string_view name = one.name, family = name.substr(0, name.find('-'));
    return reference::format_named(family) == nullptr ? family : name;
  };
  return !schemes_of(format, capabilities.schemes).empty() &&
         std::any_of(capabilities.formats.begin(), capabilities.formats.end(),
                     [&](const Format* own) { return family_of(*own) == family_of(format); });
}

}  // namespace

Goals goals_of(const std::vector<const CoverageGoals*>& wanted, const Capabilities& capabilities) {
  Goals goals;
  for (const CoverageGoals* row : wanted) {
    for (const CoverageGoal& goal : row->goals) {
      if (goal.in_reach(capabilities)) {
        goals.in_reach.push_back(&goal);
      } else if (goal.is_told && (goal.format == nullptr || is_missed(capabilities, *goal.format))) {
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
