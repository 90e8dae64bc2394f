#include "fuzz/process/case_list.h"

#include <algorithm>
#include <numeric>

#include "properties/catalogue/properties.h"
#include "properties/problem/draw.h"
#include "properties/registry.h"

namespace tileproof {

namespace {

/// The multiples of a unit in a range of k, as factors first..last; none if last < first.
struct Factors {
  std::int64_t first;
  std::int64_t last;
};
Factors factors_of(std::int64_t unit, int log2_k, std::int64_t most_k) {
  const std::int64_t from = std::int64_t{1} << log2_k;
  // At least one unit is drawn, even where most_k does not allow it.
  const std::int64_t to = std::min(2 * from - 1, std::max(most_k, unit));
  return {(from + unit - 1) / unit, to / unit};
}

/// The row counts with a certain tail: first, first + step, ...
struct Rows {
  std::int64_t first;  // 0: none
  std::int64_t step;
};
Rows rows_of(std::int64_t n_tail, std::int64_t n_multiple) {
  const std::int64_t step = std::lcm(std::int64_t{8}, n_multiple);
  for (std::int64_t n = n_multiple; n <= step; n += n_multiple) {
    if (n % 8 == n_tail) return {n, step};
  }
  return {0, step};
}

/// The random draws of one case, in sequence.
class Choices {
 public:
  Choices(std::uint64_t seed, std::uint64_t index) : seed_(drawn(seed, stream::choice, index)) {}
  std::uint64_t bits() { return drawn(seed_, stream::choice, next_++); }
  /// A number in first..last. At an edge it is one of the two ends; otherwise mostly small, sometimes any.
  std::int64_t between(std::int64_t first, std::int64_t last, bool at_an_edge) {
    if (at_an_edge) return bits() >> 63 != 0 ? first : last;
    const std::int64_t most = bits() >> 62 != 0 ? std::min(last, first + 3) : last;
    return first + below(most - first + 1, bits());
  }
  template <class T>
  const T& one_of(const std::vector<T>& values) {
    return values[static_cast<std::size_t>(below(static_cast<std::int64_t>(values.size()), bits()))];
  }

 private:
  std::uint64_t seed_;
  std::uint64_t next_ = 0;
};

/// The i-th of `count` numbers. It visits each once, evenly from the start, in steps of the golden ratio.
std::uint64_t in_turn(std::uint64_t i, std::uint64_t count) {
  auto step = static_cast<std::uint64_t>(0.6180339887498949 * static_cast<double>(count)) | 1;
  while (std::gcd(step, count) != 1) ++step;
  return i % count * step % count;
}

}  // namespace

std::uint64_t CaseList::Walk::cells() const {
  const Sampling& sampling = space.sampling;
  return shapes.size() * sampling.schemes.size() * sampling.types.size() * sampling.profiles.size() * 2;
}

std::vector<const Property*> properties_named(const std::vector<std::string>& names) {
  std::vector<const Property*> properties;
  for (const std::string& name : names) properties.push_back(&property_of(name));
  return properties;
}

std::vector<CaseList::Shape> CaseList::shapes_of(const SampleSpace& space) {
  const Sampling& sampling = space.sampling;
  std::vector<Shape> shapes;
  constexpr int most_log2_k = 20;
  for (const Format* format : space.capabilities.formats) {
    for (int log2_k = 4; log2_k < most_log2_k; ++log2_k) {
      for (const GroupClass groups : {GroupClass::within_a_block, GroupClass::a_block, GroupClass::across_blocks,
                                      GroupClass::beyond_256, GroupClass::no_power_of_two}) {
        Shape shape = {format, groups, {}, 0, log2_k};
        for (const std::int64_t group_size : space.capabilities.group_sizes) {
          const Factors factors = factors_of(k_unit(*format, group_size), log2_k, sampling.most_k);
          if (group_class_of(group_size, *format) != groups || factors.last < factors.first) continue;
          shape.group_sizes.push_back(group_size);
        }
        if (shape.group_sizes.empty()) continue;
        for (shape.n_tail = 0; shape.n_tail < 8; ++shape.n_tail) {
          const Rows rows = rows_of(shape.n_tail, n_unit(*format, sampling.n_multiple));
          const bool fits = rows.first <= space.capabilities.most_n &&
                            rows.first << log2_k <= std::max(sampling.most_elements, sampling.n_multiple << log2_k);
          if (rows.first != 0 && fits) shapes.push_back(shape);
        }
      }
    }
  }
  return shapes;
}

CaseList::CaseList(const std::vector<const Property*>& properties, const SubjectRow& subject, std::uint64_t seed)
    : subject_(subject.name), seed_(seed) {
  for (const Property* property : properties) {
    std::string why_not;
    const SampleSpace space = sample_space_of(*property, subject.capabilities, &why_not);
    if (!why_not.empty() || property->heavy || property->sampling.is_fixed()) continue;
    Walk walk = {property, space, shapes_of(space)};
    if (!walk.shapes.empty()) walks_.push_back(std::move(walk));
  }
}

ListedCase CaseList::at(std::uint64_t index) const {
  const Walk& walk = walks_[index % walks_.size()];
  const std::uint64_t turn = index / walks_.size();
  const std::uint64_t cell = in_turn(turn + mixed(seed_) % walk.cells(), walk.cells());
  return {walk.property, problem_in(walk, cell, turn < walk.cells(), index)};
}

Problem CaseList::problem_in(const Walk& walk, std::uint64_t cell, bool at_an_edge, std::uint64_t index) const {
  const Sampling& sampling = walk.space.sampling;
  const auto digit = [&cell](std::size_t base) {
    const std::uint64_t value = cell % base;
    cell /= base;
    return static_cast<std::size_t>(value);
  };
  Choices choices(seed_, index);
  Problem p;
  p.property = walk.property->name;
  p.subject = subject_;
  const bool is_aligned = digit(2) == 0;
  const std::size_t scheme = digit(sampling.schemes.size());
  const std::size_t types = digit(sampling.types.size());
  p.scales = sampling.profiles[digit(sampling.profiles.size())];
  const Shape& shape = walk.shapes[digit(walk.shapes.size())];
  p.format = shape.format;
  p.scheme = scheme_in_turn(walk.space, *p.format, scheme);
  p.types = types_in_turn(walk.space, *p.scheme, types);
  p.group_size = choices.one_of(shape.group_sizes);
  const std::int64_t unit = k_unit(*p.format, p.group_size);
  const Factors factors = factors_of(unit, shape.log2_k, sampling.most_k);
  p.k = unit * choices.between(factors.first, factors.last, at_an_edge);
  const Rows rows = rows_of(shape.n_tail, n_unit(*p.format, sampling.n_multiple));
  const std::int64_t most_rows =
      std::max(rows.first, std::min(sampling.most_elements / p.k, walk.space.capabilities.most_n));
  p.n = rows.first + rows.step * choices.between(0, (most_rows - rows.first) / rows.step, at_an_edge);
  p.variant = choices.one_of(sampling.variants);
  do {
    p.seed = choices.bits();
  } while (draws_least_alignment(p.seed) == is_aligned);
  p.experts = experts_of(p.seed, sampling.most_experts);
  return p;
}

bool CaseList::Walk::has_cells_of(const Walk& other) const {
  const Sampling &own = space.sampling, &others = other.space.sampling;
  return property->needs == other.property->needs && shapes == other.shapes && own.schemes == others.schemes &&
         own.types == others.types && own.profiles == others.profiles;
}

std::set<Cell> CaseList::reachable() const {
  std::set<Cell> cells;
  for (auto walk_at = walks_.begin(); walk_at != walks_.end(); ++walk_at) {
    const Walk& walk = *walk_at;
    if (std::any_of(walks_.begin(), walk_at, [&](const Walk& seen) { return seen.has_cells_of(walk); })) continue;
    for (std::uint64_t cell = 0; cell < walk.cells(); ++cell) {
      cells.insert(cell_of(*walk.property, problem_in(walk, cell, true, cell)));
    }
  }
  return cells;
}

std::vector<std::string> CaseList::properties() const {
  std::vector<std::string> names;
  for (const Walk& walk : walks_) names.push_back(walk.property->name);
  return names;
}

}  // namespace tileproof
