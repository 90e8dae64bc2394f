#include "properties/catalogue/enumerated_shapes.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <string>

#include "properties/case/sample_space.h"
#include "properties/catalogue/digit_planes.h"

namespace tileproof {

namespace {

struct Shape {
  std::int64_t n;
  std::int64_t k;
};

/// Weight matrices of decoder models: attention and both sides of the feed-forward of Llama 7B, 13B, 3 8B and 70B.
constexpr Shape shapes_of_models[] = {{4096, 4096},  {5120, 5120}, {11008, 4096}, {4096, 11008}, {14336, 4096},
                                      {4096, 14336}, {8192, 8192}, {28672, 8192}, {8192, 28672}};

/// Every possible tail of the last n-tile, alone and after full n-tiles.
constexpr std::int64_t rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 18, 23, 40};

/// Group sizes that are smaller than, equal to and larger than the layout's unit of k (at most 128), and some that are
/// no power of two.
const std::vector<std::int64_t> group_sizes = {16, 32, 48, 64, 96, 128, 256, 512};
const std::vector<std::int64_t> group_sizes_of_models = {32, 64, 128, 256};

/// How many digits of `bits` bits are needed to number `count` things. The planes that are sent count theirs in another
/// way, which this one is held against.
std::int64_t digits_of(std::int64_t count, int bits) {
  std::int64_t digits = 1;
  for (; (count - 1) >> bits != 0; count = ((count - 1) >> bits) + 1) ++digits;
  return digits;
}

/// One enumeration step: every digit plane of the elements, or of the groups' parameters, and its complement.
Enumeration one_matrix(const Problem& problem, const Property& property) {
  const bool has_groups = property.name.starts_with("group/");
  const bool with_padding = is_packed(result_role(property.needs.front()));  // the padding is compared too
  const bool of_zero = property.name.ends_with("_own_zero");
  const std::int64_t digits = has_groups ? digits_of(problem.group_count(), bits_of_group_digit(problem, of_zero))
                                         : digits_of(problem.n * problem.k, 4);
  const std::int64_t elements = with_padding ? problem.layout_of_result().slots(problem.size()) : problem.n * problem.k;
  return {.steps = 1,
          .points_of_step = static_cast<std::uint64_t>(problem.n * problem.k),
          .compared_of_step = static_cast<std::uint64_t>(2 * digits * elements),
          .point = "elements of matrices",
          .problem = [problem](std::int64_t) { return problem; },
          .order = "the smaller matrices first"};
}

/// The matrices that a property is proved on, small ones first.
std::vector<Enumeration> matrices_of(const Capabilities& capabilities, const Property& property) {
  std::string why_not;
  const SampleSpace space = sample_space_of(property, capabilities, &why_not);
  const Sampling& sampling = space.sampling;
  const bool has_groups = property.name.starts_with("group/");
  std::vector<Enumeration> all;
  std::set<std::string> lines;  // rounding n up to a multiple of 8 gives the same problem for several tails
  const auto add = [&](Problem problem) {
    const std::int64_t unit = n_unit(*problem.format, sampling.n_multiple, problem.format_to);
    problem.n = (problem.n + unit - 1) / unit * unit;
    // Matrices that the subject does not take are told apart from the proof of the others.
    const bool divides = !problem.format->groups_divide_rows || problem.k % problem.group_size == 0;
    const bool is_possible = divides && problem.format->group_sizes.contains(problem.group_size) &&
                             problem.k % k_unit(*problem.format, problem.group_size, 1, problem.format_to) == 0;
    if (is_possible && lines.insert(line_of(problem)).second) all.push_back(one_matrix(problem, property));
  };
  Problem problem;
  /// A property that is not about groups needs only one group size.
  const auto sizes_of = [&](const std::vector<std::int64_t>& sizes) {
    if (has_groups) return sizes;
    std::vector<std::int64_t> legal = space.capabilities.group_sizes_of(*problem.format);
    legal.resize(std::min<std::size_t>(1, legal.size()));
    return legal;
  };
  const auto add_format = [&](const Format* format, const Format* format_to) {
    problem.format = format;
    problem.format_to = format_to;
    for (const Scheme* scheme : schemes_of(*format, sampling.schemes)) {
      problem.scheme = scheme;
      for (const Types types : types_of(*scheme, sampling.types)) {
        problem.types = types;
        for (const std::int64_t group_size : sizes_of(group_sizes)) {
          problem.group_size = group_size;
          std::vector<std::int64_t> own_rows(std::begin(rows), std::end(rows));
          if (format_to != nullptr) own_rows.push_back(64);  // so many are together in some formats
          for (const std::int64_t n : own_rows) {
            problem.n = n;
            const std::int64_t unit = k_unit(*problem.format, group_size, capabilities.k_multiple, format_to);
            // Rows of few columns are of an odd number, and shorter and longer than a group.
            for (const std::int64_t times : unit < 16 ? std::vector{1, 17, 85} : std::vector{1, 2, 5}) {
              problem.k = unit * times;
              add(problem);
            }
          }
        }
        if (!capabilities.takes_uneven_rows_of(*format)) continue;
        for (const std::int64_t n : rows) {
          problem.n = n;
          for (const std::int64_t times : {1, 3, 17}) {
            problem.k = problem.group_size = k_unit(*format, 1, capabilities.k_multiple, format_to) * times;
            add(problem);
          }
        }
      }
    }
  };
  for (const Format* format : space.capabilities.formats) {
    for (const Format* format_to : space.capabilities.formats_to_of(*format)) add_format(format, format_to);
  }
  for (const Format* format : space.capabilities.formats) {
    problem.format = format;
    problem.format_to = space.capabilities.formats_to_of(*format).front();
    problem.scheme = schemes_of(*format, sampling.schemes).front();
    problem.types = types_of(*problem.scheme, sampling.types).front();
    for (const Shape& shape : shapes_of_models) {
      problem.n = shape.n;
      problem.k = shape.k;
      for (const std::int64_t group_size : sizes_of(group_sizes_of_models)) {
        problem.group_size = group_size;
        add(problem);
      }
    }
  }
  return all;
}

}  // namespace

Property proved_over_shapes(Property property) {
  property.proof = "layout";
  property.enumerations = [property](const Capabilities& capabilities) { return matrices_of(capabilities, property); };
  return property;
}

}  // namespace tileproof
