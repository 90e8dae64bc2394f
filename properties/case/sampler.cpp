#include "properties/case/sampler.h"

#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>

#include "properties/problem/draw.h"

namespace tileproof {

namespace {

/// The multiples of a unit in a range of k, as factors first..last; none if last < first.
struct Factors {
  std::int64_t first;
  std::int64_t last;
};
Factors factors_of(std::int64_t unit, int log2_k, std::int64_t most_k) {
  const std::int64_t from = std::int64_t{1} << log2_k;
  return {(from + unit - 1) / unit, std::min(2 * from - 1, most_k) / unit};
}

constexpr std::int64_t row_is_group = 0;  // stands for the size of a group that is a row of no multiple of 16 elements

/// Leaves out a first and a last factor that give a multiple of 16 elements.
Factors factors_of_uneven_rows(std::int64_t unit, int log2_k, std::int64_t most_k) {
  Factors factors = factors_of(unit, log2_k, most_k);
  if (factors.first * unit % 16 == 0) ++factors.first;
  if (factors.last * unit % 16 == 0) --factors.last;
  return factors;
}

/// The factors of a group size, or of row_is_group.
Factors factors_of_group(const Cell& cell, std::int64_t group_size, std::int64_t k_multiple, std::int64_t most_k) {
  const bool is_row = group_size == row_is_group;
  const std::int64_t unit = k_unit(*cell.format, is_row ? 1 : group_size, k_multiple, cell.format_to);
  return is_row ? factors_of_uneven_rows(unit, cell.log2_k, most_k) : factors_of(unit, cell.log2_k, most_k);
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

/// The most columns of a matrix with so many rows. One of the fewest rows may have more elements than others.
/// @param n_unit  the fewest rows
std::int64_t most_columns(const Sampling& sampling, std::int64_t n_unit, std::int64_t rows) {
  if (rows == n_unit) return sampling.most_k;
  return std::min(sampling.most_k, sampling.most_elements / rows);
}

/// Whole numbers from `from` to `to`, both included.
rc::Gen<std::int64_t> within(std::int64_t from, std::int64_t to) {
  return rc::gen::inRange<std::int64_t>(from, to + 1);
}

/// Whole numbers from `first` to `last`: half of them one of the two, a quarter near the first.
rc::Gen<std::int64_t> at_an_edge_or_between(std::int64_t first, std::int64_t last) {
  return rc::gen::weightedOneOf<std::int64_t>(
      {{2, rc::gen::element(first, last)}, {1, within(first, std::min(last, first + 3))}, {1, within(first, last)}});
}

/// RapidCheck's draws for one problem, one after another, at the size at which its integers have their range.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : random_(seed) {}
  template <class T>
  T operator()(const rc::Gen<T>& values) {
    return values(random_.split(), rc::kNominalSize).value();
  }
  template <class T>
  const T& one_of(const std::vector<T>& values) {
    return values[static_cast<std::size_t>((*this)(within(0, static_cast<std::int64_t>(values.size()) - 1)))];
  }

 private:
  rc::Random random_;
};

/// The seed of a name, such as a property's, so that it draws the same problems whichever others are drawn for.
std::uint64_t seed_of(const std::string& name, std::uint64_t seed) {
  std::uint64_t hash = mixed(seed + 1);
  for (const char letter : name) hash = mixed(hash ^ static_cast<unsigned char>(letter));
  return hash;
}

/// The i-th of `count` numbers. It visits each once, evenly from the start, in steps of the golden ratio.
std::uint64_t in_turn(std::uint64_t i, std::uint64_t count) {
  auto step = static_cast<std::uint64_t>(0.6180339887498949 * static_cast<double>(count)) | 1;
  while (std::gcd(step, count) != 1) ++step;
  return i % count * step % count;
}

}  // namespace

std::vector<Sampler::Shape> Sampler::shapes_of(const SampleSpace& space, Operation operation) {
  const Sampling& sampling = space.sampling;
  std::vector<Shape> shapes;
  constexpr int most_log2_k = 20;
  const std::int64_t k_multiple = space.capabilities.k_multiple;
  const auto add = [&](Cell cell, const std::vector<std::int64_t>& group_sizes) {
    const std::int64_t fewest_rows = n_unit(*cell.format, sampling.n_multiple, cell.format_to);
    for (cell.n_tail = 0; cell.n_tail < 8; ++cell.n_tail) {
      const Rows rows = rows_of(cell.n_tail, fewest_rows);
      if (rows.first == 0 || rows.first > space.capabilities.most_n) continue;
      const std::int64_t most_k = most_columns(sampling, fewest_rows, rows.first);
      Shape shape = {cell};
      for (const std::int64_t size : group_sizes) {
        const Factors factors = factors_of_group(cell, size, k_multiple, most_k);
        if (factors.first <= factors.last) shape.group_sizes.push_back(size);
      }
      if (!shape.group_sizes.empty()) shapes.push_back(std::move(shape));
    }
  };
  const auto add_format = [&](const Format* format, const Format* format_to) {
    std::map<GroupClass, std::vector<std::int64_t>> groups;
    for (const std::int64_t size : space.capabilities.group_sizes_of(*format)) {
      groups[group_class_of(size, *format)].push_back(size);
    }
    if (space.capabilities.takes_uneven_rows_of(*format) && k_unit(*format, 1, k_multiple, format_to) % 16 != 0) {
      groups[GroupClass::an_uneven_row] = {row_is_group};
    }
    for (const Scheme* scheme : schemes_of(*format, sampling.schemes)) {
      for (const Types types : types_of(*scheme, sampling.types)) {
        for (int log2_k = 0; log2_k < most_log2_k; ++log2_k) {
          for (const auto& [of_class, sizes] : groups) {
            add({operation, format, format_to, scheme, types, of_class, 0, log2_k, /*is_aligned=*/true, /*profile=*/""},
                sizes);
          }
        }
      }
    }
  };
  for (const Format* format : space.capabilities.formats) {
    for (const Format* format_to : space.capabilities.formats_to_of(*format)) add_format(format, format_to);
  }
  return shapes;
}

Sampler::Sampler(const Property& property, const std::string& subject, const SampleSpace& space, std::uint64_t seed,
                 const std::string& name_beside)
    : property_(property),
      subject_(subject),
      space_(space),
      seed_(seed_of(property.name + name_beside, seed)),
      shapes_(shapes_of(space, operation_of(property))) {
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    const Cell &own = shapes_[i].cell, &before = shapes_[i == 0 ? 0 : i - 1].cell;
    const bool is_same = own.format == before.format && own.format_to == before.format_to &&
                         own.scheme == before.scheme && own.types == before.types;
    if (i == 0 || !is_same) kinds_.push_back(i);
  }
  kinds_.push_back(shapes_.size());
}

std::uint64_t Sampler::number_at(std::uint64_t turn) const {
  const std::uint64_t kinds = kinds_.size() - 1, place = turn % kinds;
  const std::uint64_t kind = in_turn(place + mixed(seed_) % kinds, kinds);
  const std::uint64_t cells = (kinds_[kind + 1] - kinds_[kind]) * cells_of_shape();
  // Even numbers are aligned cells, and in_turn() keeps what is even: aligned and not so take turns from the start.
  const std::uint64_t first = mixed(seed_ + kind) % cells / 2 * 2 + place % 2;
  return kinds_[kind] * cells_of_shape() + in_turn(turn / kinds % cells + first, cells);
}

Cell Sampler::cell(std::uint64_t number) const {
  Cell cell = shape_of(number).cell;
  cell.is_aligned = number % 2 == 0;
  cell.profile = space_.sampling.profiles[number / 2 % space_.sampling.profiles.size()];
  return cell;
}

bool Sampler::has_cells_of(const Sampler& other) const {
  return shapes_ == other.shapes_ && space_.sampling.profiles == other.space_.sampling.profiles;
}

Problem Sampler::at(std::uint64_t turn) const {
  const Sampling& sampling = space_.sampling;
  if (cell_count() == 0) throw std::logic_error("there is no problem to draw");
  const std::uint64_t number = number_at(turn);
  const Cell in = cell(number);
  Draws draw(drawn(seed_, stream::problems, turn));
  Problem p;
  p.property = property_.name;
  p.subject = subject_;
  p.format = in.format;
  p.format_to = in.format_to;
  p.scheme = in.scheme;
  p.types = in.types;
  p.profile = in.profile;
  p.group_size = draw.one_of(shape_of(number).group_sizes);
  const std::int64_t fewest_rows = n_unit(*p.format, sampling.n_multiple, p.format_to);
  const Rows rows = rows_of(in.n_tail, fewest_rows);
  const bool is_uneven_row = p.group_size == row_is_group;
  const std::int64_t k_multiple = space_.capabilities.k_multiple;
  const std::int64_t unit = k_unit(*p.format, is_uneven_row ? 1 : p.group_size, k_multiple, p.format_to);
  const Factors factors =
      factors_of_group(in, p.group_size, k_multiple, most_columns(sampling, fewest_rows, rows.first));
  p.k = unit * draw(at_an_edge_or_between(factors.first, factors.last));
  if (is_uneven_row) {
    if (p.k % 16 == 0) p.k += unit;  // at most unit * factors.last, which is no multiple of 16
    p.group_size = p.k;
  }
  const std::int64_t most_rows =
      std::max(rows.first, std::min(sampling.most_elements / p.k, space_.capabilities.most_n));
  p.n = rows.first + rows.step * draw(at_an_edge_or_between(0, (most_rows - rows.first) / rows.step));
  p.variant = draw.one_of(sampling.variants);
  p.seed = draw(rc::gen::suchThat(rc::gen::arbitrary<std::uint64_t>(),
                                  [&](std::uint64_t seed) { return draws_least_alignment(seed) != in.is_aligned; }));
  p.experts = experts_of(p.seed, sampling.most_experts);
  return p;
}

}  // namespace tileproof
