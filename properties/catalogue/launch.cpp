// Launch: operators over no elements, over more n-tiles than a grid dimension holds, and over more elements than 31
// bits count.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>
#include <numeric>
#include <optional>
#include <string>

#include "properties/catalogue/of_tensors.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/draw.h"
#include "properties/problem/specification.h"
#include "properties/problem/values.h"
#include "reference/matrix.h"

namespace tileproof {

namespace {

/// An empty call is refused, or gives an empty result of the same form as a full one. The next call must be right.
void nothing_gives_nothing(Case& c, Operation operation) {
  const std::string& variant = c.problem.variant;
  const OperatorCall something = legal_call(c.problem, operation, drawn_data(c, operation), c.capabilities);
  const OperatorResult before = c.call(something);
  try {
    const OperatorResult result = c.call(empty_call(c.problem, operation, variant, c.capabilities));
    expect_form_of_empty(c, operation, variant, result, before);
    // A matmul over k = 0 sums no terms, so all its elements are 0.
    const auto is_zero = [](std::uint8_t byte) { return byte == 0; };
    if (!std::all_of(result.bytes.begin(), result.bytes.end(), is_zero)) {
      throw Failure("mismatch", "gives " + result.text() + ", not all zeros, for sums of no terms");
    }
    c.count_check(1);
  } catch (const Refused&) {
    c.count_check(0);
  }
  c.elements_are("what a call gives after the empty one, expected what it gave before");
  expect_same(c, c.call_again(something), before);
}

/// The smallest problem that a subject takes with `rows` rows. Empty where the subject takes fewer rows, or no group
/// size of its formats.
std::optional<Problem> with_rows(const Capabilities& capabilities, std::int64_t rows) {
  Problem problem;
  std::int64_t least_k = 0;
  for (const Format* format : capabilities.formats) {
    for (const std::int64_t group_size : capabilities.group_sizes_of(*format)) {
      const std::int64_t k = k_unit(*format, group_size, capabilities.k_multiple);
      if (least_k != 0 && k >= least_k) continue;
      problem.format = format;
      problem.scheme = schemes_of(*format, capabilities.schemes).front();
      problem.types = types_of(*problem.scheme, capabilities.types).front();
      problem.group_size = group_size;
      problem.k = least_k = k;
    }
  }
  if (least_k == 0) return std::nullopt;
  const std::int64_t unit = n_unit(*problem.format, capabilities.n_multiple);
  problem.n = (rows + unit - 1) / unit * unit;
  if (problem.n > capabilities.most_n || problem.k > capabilities.most_k) return std::nullopt;
  return problem;
}

constexpr std::int64_t grid_dimension_most = 65535;

/// The rows in `n_tiles` n-tiles, in the format that with_rows() chooses.
std::int64_t rows_of_n_tiles(const Problem& problem, std::int64_t n_tiles) {
  return least_full_size(*problem.format).n * n_tiles;
}

std::optional<Problem> with_n_tiles(const Capabilities& capabilities, std::int64_t n_tiles) {
  const std::optional<Problem> any = with_rows(capabilities, 0);
  return any ? with_rows(capabilities, rows_of_n_tiles(*any, n_tiles)) : any;
}

/// The largest number of n-tiles that a grid dimension holds, and one more.
std::vector<Problem> around_a_grid_dimension(const Capabilities& capabilities) {
  std::vector<Problem> problems;
  for (const std::int64_t n_tiles : {grid_dimension_most, grid_dimension_most + 1}) {
    if (const auto problem = with_n_tiles(capabilities, n_tiles)) problems.push_back(*problem);
  }
  return problems;
}

const CoverageGoals more_n_tiles_than_a_grid_dimension = {
    "more n-tiles than a grid dimension",
    {{"more n-tiles than a grid dimension",
      [](const Capabilities& capabilities) { return with_n_tiles(capabilities, grid_dimension_most + 1).has_value(); },
      [](const Coverage& coverage, const std::string& name) { return coverage.classes.contains(name); }}}};

void more_n_tiles_as_specified(Case& c, Operation operation) {
  if (c.problem.n > rows_of_n_tiles(c.problem, grid_dimension_most)) c.meets(more_n_tiles_than_a_grid_dimension.name);
  const CallData data = drawn_data(c, operation);
  expect_specified(c, operation, data, c.call(legal_call(c.problem, operation, data, c.capabilities)));
}

// --- More than 2^31 elements: rows repeat, and the first period is compared with the specification, the rest with it -

constexpr std::int64_t period = 64;  // rows

/// The dimension in which a tensor grows with the rows: the first in which these sizes differ.
std::size_t dimension_of_rows(const Sizes& few, const Sizes& many) {
  return static_cast<std::size_t>(std::ranges::mismatch(few, many).in1 - few.begin());
}

/// The slices of a tensor beside each other in which its rows lie, one behind the other.
std::size_t slices_of_rows(const Sizes& sizes, std::size_t dimension) {
  return static_cast<std::size_t>(
      count_of(Sizes(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(dimension))));
}

/// The call of a problem with `rows` rows, which repeat the rows of the small call.
/// @param twice  a call of twice the small one's rows
OperatorCall of_periods(const OperatorCall& small, const OperatorCall& twice, std::int64_t rows) {
  OperatorCall call = small;
  for (std::size_t number = 0; number < call.arguments.size(); ++number) {
    Argument& argument = call.arguments[number];
    if (argument.name == "n") argument.number = rows;
    if (!argument.is_tensor()) continue;
    const std::size_t dimension = dimension_of_rows(argument.sizes, twice.arguments[number].sizes);
    Sizes sizes = argument.sizes;
    sizes[dimension] = rows * argument.sizes[dimension] / period;
    const std::size_t slices = slices_of_rows(sizes, dimension);
    const std::size_t small_slice = argument.storage.size() / slices;
    const std::size_t slice = small_slice * static_cast<std::size_t>(rows) / static_cast<std::size_t>(period);
    std::vector<std::uint8_t> bytes(slices * slice);
    for (std::size_t i = 0; i < slices; ++i) {
      for (std::size_t at = 0; at < slice; at += small_slice) {  // the last repetition may be cut
        std::copy_n(&argument.storage[i * small_slice], std::min(small_slice, slice - at), &bytes[i * slice + at]);
      }
    }
    argument = tensor_argument(argument.name, argument.element, sizes, std::move(bytes));
  }
  return call;
}

/// Bytes that this process may still allocate: the smaller of the machine's free memory and the container's limit.
std::int64_t memory_left() {
  std::int64_t left = std::numeric_limits<std::int64_t>::max();
  std::ifstream machine("/proc/meminfo");
  for (std::string key; machine >> key;) {
    std::int64_t kibibytes = 0;
    if (key == "MemAvailable:" && machine >> kibibytes) left = kibibytes << 10;
  }
  std::int64_t most = 0, used = 0;
  const bool limited =
      std::ifstream("/sys/fs/cgroup/memory.max") >> most && std::ifstream("/sys/fs/cgroup/memory.current") >> used;
  return limited ? std::min(left, most - used) : left;
}

/// Inputs, results and the copies to compare them with take at most twenty bytes an element.
/// @throws Unavailable if the machine has less memory
void require_memory(const Problem& p) {
  const std::int64_t needs = p.n * p.k * 20;
  const std::int64_t has = memory_left();
  if (has >= needs) return;
  throw Unavailable("needs " + std::to_string(needs >> 30) + " GiB of free memory, there are " +
                    std::to_string(has >> 30));
}

void more_elements_than_31_bits_count(Case& c, Operation operation) {
  require_memory(c.problem);
  Problem small = c.problem, twice = c.problem;
  small.n = period;
  twice.n = 2 * period;
  const CallData data = data_of(small, operation);
  const auto legal_call_of = [&](const Problem& problem, const CallData& with) {
    return legal_call(problem, operation, with, c.capabilities);
  };
  const OperatorCall of_twice = legal_call_of(twice, data_of(twice, operation));
  const OperatorResult result = c.call(of_periods(legal_call_of(small, data), of_twice, c.problem.n));

  expect_form(c, operation, result);
  // The first period of each slice, and every byte of it must equal the byte one period before it.
  OperatorResult first = result;
  first.sizes = sizes_of_result(small, operation, c.capabilities);
  const std::size_t slices = slices_of_rows(first.sizes, dimension_of_rows(first.sizes, result.sizes));
  const std::size_t slice_bytes = result.bytes.size() / slices;
  const std::size_t period_bytes =
      slice_bytes * static_cast<std::size_t>(period) / static_cast<std::size_t>(c.problem.n);
  first.bytes.clear();
  for (std::size_t slice = 0; slice < slices; ++slice) {
    const auto begin = result.bytes.begin() + static_cast<std::ptrdiff_t>(slice * slice_bytes);
    first.bytes.insert(first.bytes.end(), begin, begin + static_cast<std::ptrdiff_t>(period_bytes));
  }
  expect_specified_of(c, small, operation, data, first);
  for (std::size_t slice = 0; slice < slices; ++slice) {
    const std::uint8_t* bytes = result.bytes.data() + slice * slice_bytes;
    const std::uint8_t* end = bytes + slice_bytes;
    if (std::memcmp(bytes + period_bytes, bytes, slice_bytes - period_bytes) == 0) continue;
    const std::uint8_t* at = std::mismatch(bytes + period_bytes, end, bytes).first;
    const auto element = (at - result.bytes.data()) / bytes_of(result.element);
    throw Failure("mismatch", "element " + std::to_string(element) + " of " + std::to_string(count_of(result.sizes)) +
                                  " is not what the same inputs gave " + std::to_string(period) + " rows before it");
  }
  c.count_check(1);
}

/// Problems with more elements than 31 bits count.
std::vector<Problem> of_many_elements(const Capabilities& capabilities) {
  std::optional<Problem> problem = with_rows(capabilities, 65536);
  if (!problem) return {};
  problem->group_size = std::ranges::max(capabilities.group_sizes_of(*problem->format));
  const std::int64_t unit = k_unit(*problem->format, problem->group_size, capabilities.k_multiple);
  problem->k = (32768 + unit - 1) / unit * unit;
  if (problem->k > capabilities.most_k) return {};
  const std::int64_t rows = std::lcm(least_full_size(*problem->format).n, capabilities.n_multiple);
  problem->n = (65536 / rows + 1) * rows;
  if (problem->n > capabilities.most_n) return {};
  return {*problem};
}

}  // namespace

std::vector<Property> launch_properties() {
  std::vector<Property> rows;
  const auto add_heavy = [&rows](Operation operation, const std::string& sentence, const std::string& finds,
                                 std::vector<Problem> (*problems)(const Capabilities&),
                                 void (*body)(Case&, Operation)) {
    Sampling sampling = tensor_sampling(operation);
    sampling.most_k = Capabilities().most_k;
    sampling.fixed_for = problems;
    rows.push_back(tensor_property("launch", operation, sentence, finds, sampling, body));
    rows.back().heavy = true;
    rows.back().on_refusal = OnRefusal::failed;
  };
  for (const Operation operation : operator_operations) {
    rows.push_back(tensor_property("launch", operation, "of_nothing_gives_nothing",
                                   "a grid of no blocks; an error left pending",
                                   tensor_sampling(operation, empty_variants(operation)), nothing_gives_nothing));
  }
  for (const Operation operation : operator_operations) {
    add_heavy(operation, "takes_more_n_tiles_than_a_grid_dimension", "n/8 in a grid dimension of at most 65,535",
              around_a_grid_dimension, more_n_tiles_as_specified);
    rows.back().meets = {&more_n_tiles_than_a_grid_dimension};
  }
  for (const Operation operation : kernel_operations) {  // a matmul's result is too small
    add_heavy(operation, "takes_more_elements_than_31_bits_count", "an index of 32 bits", of_many_elements,
              more_elements_than_31_bits_count);
  }
  return rows;
}

}  // namespace tileproof
