// Size: matrices with more rows, columns, groups and packed dimensions than a 16-bit index counts, in every format that
// the subject takes, and square matrices, which are rarely drawn. Problems with indices of more than 32 bits are in
// index_beyond_32_bits_test.cpp.
#include <algorithm>
#include <map>
#include <numeric>
#include <sstream>

#include "properties/catalogue/properties.h"

namespace tileproof {

namespace {

constexpr std::int64_t beyond_16_bits_count = (1 << 16) + 1;
constexpr std::int64_t beyond_8_bits_count = (1 << 8) + 1;

/// The smallest multiple of `unit` that is at least `wanted`, or the largest multiple up to `most` if that is less.
std::int64_t multiple_near(std::int64_t wanted, std::int64_t unit, std::int64_t most) {
  return std::min((wanted + unit - 1) / unit, most / unit) * unit;
}

/// The problems of an operation that fit a subject. Types and schemes take turns over the problems.
class LargeProblems {
 public:
  LargeProblems(const Capabilities& capabilities, Operation operation) : capabilities_(capabilities) {
    for (const Format* format : capabilities.formats) {
      const std::vector<std::int64_t> sizes = sizes_of(*format);
      const std::vector<const Format*> formats_to = capabilities.formats_to_of(*format);
      format_to_ = formats_to[formats_begun_++ % formats_to.size()];
      if (!sizes.empty()) add_format(*format, sizes, operation);
    }
    if (result_role(operation) == Role::weights) add_many_groups();
  }
  std::vector<Problem> all() const { return problems_; }

 private:
  std::int64_t unit_of(const Format& format, std::int64_t group_size) const {
    return k_unit(format, group_size, capabilities_.k_multiple, format_to_);
  }

  /// The group sizes of a format that the subject takes, sorted by the smallest legal k.
  std::vector<std::int64_t> sizes_of(const Format& format) const {
    std::vector<std::int64_t> sizes = capabilities_.group_sizes_of(format);
    std::sort(sizes.begin(), sizes.end(), [&](std::int64_t a, std::int64_t b) {
      return std::pair(unit_of(format, a), a) < std::pair(unit_of(format, b), b);
    });
    return sizes;
  }

  void add_format(const Format& format, const std::vector<std::int64_t>& sizes, Operation operation) {
    const std::int64_t small = sizes.front();
    const std::int64_t unit = unit_of(format, small);
    // Use the largest group size that needs no more columns, one group a row where possible: the specification computes
    // a group's sixteen weights once.
    const std::int64_t of_row =
        *std::find_if(sizes.rbegin(), sizes.rend(), [&](std::int64_t size) { return unit_of(format, size) == unit; });
    const Format& other = format_to_ == nullptr ? format : *format_to_;
    const std::int64_t rows = std::max(rows_of_extent(format), rows_of_extent(other));
    const std::int64_t columns = std::max(least_full_size(format).k, least_full_size(other).k);
    const std::int64_t few = unit < 16 ? 17 * unit : unit;  // a row of one element may equal another by chance
    add(format, of_row, rows * (beyond_16_bits_count - 1) + 1, few);
    add(format, small, 1, columns * beyond_16_bits_count);
    const std::int64_t side = std::lcm(unit, n_unit(format, capabilities_.n_multiple, format_to_));
    add(format, small, multiple_near(1024, side, most()), multiple_near(1024, side, most()));
    add_uneven_rows(format, small);
    if (result_role(operation) != Role::weights) return;
    add(format, small, beyond_16_bits_count, small + 1);  // rows of several groups
    for (const std::int64_t size : sizes) add(format, size, 1, size * beyond_8_bits_count);
    std::size_t turn = 0;
    for (const Scheme* scheme : schemes_of(format, capabilities_.schemes)) {
      for (std::size_t i = 0; i < types_of(*scheme, capabilities_.types).size(); ++i) {
        add(format, sizes[turn++ % sizes.size()], 3, beyond_16_bits_count);
      }
    }
  }

  /// Adds a matrix with padding along k if a format has it: its rows are one group each, or groups cross them. If few
  /// columns are taken, only rows of one group may be square.
  void add_uneven_rows(const Format& format, std::int64_t small) {
    const bool are_groups = capabilities_.takes_uneven_rows_of(format);
    const std::int64_t least = unit_of(format, are_groups ? 1 : small);
    if (least > capabilities_.most_k) return;
    // Odd numbers, as codes of rows beside each other may fill their units together.
    const auto odd_below = [](std::int64_t most) { return (most - 1) | 1; };
    const std::int64_t k = least * odd_below(std::min(capabilities_.most_k, std::int64_t{1025}) / least);
    const std::int64_t n = odd_below(std::min(capabilities_.most_n, std::int64_t{512}));
    if (k % 16 != 0) add(format, are_groups ? k : small, n, k);
    const std::int64_t unit = std::lcm(least, n_unit(format, capabilities_.n_multiple, format_to_));
    const std::int64_t side = std::min(most(), std::int64_t{1024}) / unit * unit;
    if (are_groups && side != 0) add(format, side, side, side);
  }

  /// Adds matrices with more groups than 16 bits count. They are large, most of all where n must be a large multiple,
  /// so each format gets one, with its smallest groups, and each group size gets one, in a format with the smallest
  /// multiple of n.
  void add_many_groups() {
    constexpr std::int64_t largest_size = 256;
    std::map<std::int64_t, std::vector<const Format*>> smallest_in;
    for (const Format* format : capabilities_.formats) {
      const std::vector<std::int64_t> sizes = sizes_of(*format);
      if (!sizes.empty()) add(*format, sizes.front(), 1, sizes.front() * beyond_16_bits_count);
      const auto rows_of = [&](const Format* one) { return n_unit(*one, capabilities_.n_multiple); };
      for (const std::int64_t size : sizes) {
        std::vector<const Format*>& formats = smallest_in[size];
        if (!formats.empty() && rows_of(format) < rows_of(formats.front())) formats.clear();
        if (formats.empty() || rows_of(format) == rows_of(formats.front())) formats.push_back(format);
      }
    }
    std::size_t turn = 0;
    for (const auto& [size, formats] : smallest_in) {
      if (size <= largest_size) add(*formats[turn++ % formats.size()], size, 1, size * beyond_16_bits_count);
    }
  }

  /// How many rows share one index of the packed tensor's row dimension.
  static std::int64_t rows_of_extent(const Format& format) {
    constexpr std::int64_t many = 64;
    const Size least = least_full_size(format);
    const std::int64_t rows = many * least.n;
    const reference::Dims dims = format.layout.dims({rows, least.k});
    std::int64_t most = 1;  // the dimension that grows least with n
    for (int i = 0; i < dims.count; ++i) {
      if (dims.extents[i] % many == 0 && dims.extents[i] > 1) most = std::max(most, rows / dims.extents[i]);
    }
    return most;
  }

  std::int64_t most() const { return std::min(capabilities_.most_n, capabilities_.most_k); }

  /// Adds a problem with at least n rows and k columns, or as many as the subject takes.
  void add(const Format& format, std::int64_t group_size, std::int64_t n, std::int64_t k) {
    Problem problem;
    problem.format = &format;
    problem.format_to = format_to_;
    problem.group_size = group_size;
    problem.n = multiple_near(n, n_unit(format, capabilities_.n_multiple, format_to_), capabilities_.most_n);
    problem.k = multiple_near(k, unit_of(format, group_size), capabilities_.most_k);
    if (problem.n == 0 || problem.k == 0) return;
    const std::size_t turn = problems_.size();
    const std::vector<const Scheme*> schemes = schemes_of(format, capabilities_.schemes);
    problem.scheme = schemes[turn % schemes.size()];
    const std::vector<Types> types = types_of(*problem.scheme, capabilities_.types);
    problem.types = types[turn / schemes.size() % types.size()];
    problem.seed = turn;
    const auto is_the_same = [&](const Problem& one) {
      return one.n == problem.n && one.k == problem.k && one.format == &format && one.group_size == group_size &&
             one.scheme == problem.scheme && one.types == problem.types;
    };
    if (std::none_of(problems_.begin(), problems_.end(), is_the_same)) problems_.push_back(problem);
  }

  const Capabilities& capabilities_;
  const Format* format_to_ = nullptr;  // of what is being added; those that there are take turns
  std::size_t formats_begun_ = 0;
  std::vector<Problem> problems_;
};

/// Drawn codes, of which the last stands for 0 in no format: a last element that is left out, or 0, shows.
generated::Codes codes_of(const Problem& p) {
  generated::Codes codes = generated::codes_of(p, generated::Codes::Kind::drawn);
  codes.first = static_cast<std::uint32_t>(p.seed);
  const auto stands_for_zero = [&] {
    const std::uint32_t last = element_of(generated::UnpackedCodes{codes}, p.n * p.k - 1);
    return last == 0 || last == 7 || last == 8;
  };
  while (stands_for_zero()) codes.first += 1u << 16;
  return codes;
}

void large_matrix(Case& c, Operation operation) {
  const Problem& p = c.problem;
  const generated::Codes codes = codes_of(p);
  generated::Parameters parameters = generated::parameters_of(p, generated::Parameters::Kind::ordinary);
  parameters.first = p.seed;
  const ComparedResult judged = c.run(operation, codes, parameters);
  if (judged.differences.wrong == 0) return;
  const Role result = result_role(operation);
  const reference::Layout& layout = p.layout_of_result();
  const GeneratedTensor expected = formula_of(result, reference::ResultOrder::n_k, p.types.weight,
                                              generated::in_format(format_in(p, result), codes), parameters);
  const bool of_units = is_packed(result);
  const std::string unit = layout.unit;
  std::ostringstream text;
  text << judged.differences.wrong << " of " << elements_of(expected) << (of_units ? " " + unit + "s" : " elements")
       << (judged.differences.wrong == 1 ? " is wrong:" : " are wrong:");
  const int digits = result == Role::weights ? static_cast<int>(2 * bytes_of(p.types.weight))
                     : of_units              ? layout.slots_of_unit()
                                             : 8;
  for (const Differences::One& one : judged.differences.listed) {
    text << "\n  "
         << (of_units ? unit + " " + std::to_string(one.index) : place_text(p, one.index / p.k, one.index % p.k))
         << ": expected " << hex_text(element_of(expected, one.index), digits) << ", got " << hex_text(one.got, digits);
  }
  Failure failure("mismatch", text.str());
  failure.wrong = judged.wrong;
  throw failure;
}

}  // namespace

std::vector<Property> size_properties() {
  std::vector<Property> rows;
  for (const Operation operation : pointer_operations) {
    Property property = operation_property("size", operation, "of_a_large_matrix_is_as_specified",
                                           "an index of 8 or 16 bits; a row, column, supertile or group that wraps",
                                           {&with_padding, &beyond_16_bits, &square_in_every_format}, large_matrix);
    // Padding depends on both formats of a conversion, and not all pairs are asked.
    if (operation == Operation::convert) std::erase(property.meets, &with_padding);
    if (result_role(operation) == Role::weights) {
      property.meets.insert(property.meets.end(), {&several_groups, &groups_beyond_16_bits});
    }
    property.sampling.most_k = Capabilities().most_k;
    property.sampling.fixed_for = [operation](const Capabilities& capabilities) {
      return LargeProblems(capabilities, operation).all();
    };
    property.heavy = true;
    property.on_refusal = OnRefusal::failed;
    rows.push_back(std::move(property));
  }
  return rows;
}

}  // namespace tileproof
