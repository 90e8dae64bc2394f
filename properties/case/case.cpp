// Case: draws data from its problem, and runs guarded operations on its subject.
#include "properties/case/case.h"

#include <algorithm>
#include <cstring>

#include "properties/problem/draw.h"
#include "properties/problem/specification.h"
#include "properties/problem/values.h"
#include "properties/subjects/float_mode.h"

namespace tileproof {

Tensor input(const char* name, const std::vector<std::uint8_t>& bytes, std::size_t element_bytes,
             std::size_t alignment) {
  // An empty vector may have no address; an input must have one to be told from an output.
  static const std::uint8_t nothing = 0;
  return {.name = name,
          .input = bytes.empty() ? &nothing : bytes.data(),
          .bytes = bytes.size(),
          .element_bytes = element_bytes,
          .alignment = alignment};
}

Tensor output(const char* name, std::vector<std::uint8_t>& bytes, std::size_t element_bytes, std::size_t alignment) {
  return {.name = name,
          .output = bytes.data(),
          .bytes = bytes.size(),
          .element_bytes = element_bytes,
          .alignment = alignment};
}

Matrix<std::uint32_t> in_rows(const Problem& p, Matrix<std::uint32_t> weights) {
  if (p.format->result == reference::ResultOrder::n_k) return weights;
  Matrix<std::uint32_t> rows(weights.rows, weights.columns);
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const std::int64_t expert = row / p.n;
    for (std::int64_t column = 0; column < p.k; ++column) {
      const std::int64_t at = expert * p.n * p.k + p.format->result_at({row % p.n, column}, p.size());
      rows(row, column) = weights.elements[static_cast<std::size_t>(at)];
    }
  }
  return rows;
}

Case::Case(const Problem& problem_, const Capabilities& capabilities_, Subject& subject, Coverage& coverage)
    : problem(problem_), capabilities(capabilities_), subject_(subject), coverage_(coverage) {
  compute_in_default_mode();  // an earlier call may have left another mode
  subject_.first_state();
  count_problem(problem, coverage_);
  if (problem.experts > 1) ++coverage_.classes["several experts"];
  subject_.fill_own_memory(fill_);
}

Case::~Case() { subject_.vary(0); }

namespace {

template <class T>
void keep_only(const Span& kept, std::vector<T>& elements, T neutral) {
  if (kept == Span()) return;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (!kept.holds(static_cast<std::int64_t>(i))) elements[i] = neutral;
  }
}

}  // namespace

Matrix<std::uint8_t> drawn_codes(const Problem& p) {
  Matrix<std::uint8_t> codes(p.experts * p.n, p.k);
  std::uint64_t run = 0;
  for (std::size_t i = 0; i < codes.elements.size(); ++i) {
    run = i % 16 == 0 ? sixteen_codes(p.seed, i / 16) : run >> 4;
    codes.elements[i] = run & 15;
  }
  keep_only<std::uint8_t>(p.codes, codes.elements, 8);
  return codes;
}

Matrix<std::uint8_t> Case::codes() {
  codes_ = drawn_codes(problem);
  // Soon all codes have been seen.
  for (std::int64_t row = 0; row < codes_.rows && !coverage_.has_every_code(); ++row) {
    const std::vector<int> nibbles = specified::nibbles_of_row(*problem.format, row % problem.n, problem.size());
    for (std::int64_t column = 0; column < codes_.columns; ++column) {
      coverage_.saw(codes_(row, column), nibbles[static_cast<std::size_t>(column)]);
    }
  }
  return codes_;
}

std::vector<std::uint32_t> Case::words() {
  const reference::Layout& layout = problem.layout();
  const int slots = layout.slots_of_unit();
  const std::uint32_t mask = 0xffffffff >> (32 - 4 * slots);
  std::vector<std::uint32_t> units(static_cast<std::size_t>(problem.experts * layout.units(problem.size())));
  for (std::size_t i = 0; i < units.size(); ++i) {
    units[i] = static_cast<std::uint32_t>(drawn(problem.seed, stream::words, i) >> 32) & mask;
    const std::int64_t first_code = slots * static_cast<std::int64_t>(i);  // in the order of units
    if (first_code + slots <= problem.codes.first || problem.codes.end <= first_code) units[i] = 0x88888888 & mask;
  }
  for (std::size_t i = 0; i < units.size() && !coverage_.has_every_code(); ++i) {
    for (int nibble = 0; nibble < slots; ++nibble) coverage_.saw(units[i] >> (4 * nibble) & 15, nibble);
  }
  return units;
}

namespace {

/// A byte of the bits if the scheme takes it as a zero point or has none; otherwise a draw from the scheme's range.
std::int8_t drawn_zero_point(const Scheme& scheme, std::uint64_t bits) {
  const auto byte = static_cast<std::int8_t>(bits >> 56);
  const reference::Range range = scheme.zero_points;
  if (scheme.zero_kind != Zero::point || range.contains(byte)) return byte;
  return static_cast<std::int8_t>(range.lowest + below(range.highest - range.lowest + 1, mixed(bits)));
}

/// The factor of a matrix: one of ordinary size with a full fraction, so that every rounding shows, or, one time in
/// four, one of the profile.
std::uint32_t drawn_factor(const Problem& p, std::uint64_t expert) {
  const bool is_of_profile = below(4, drawn(p.seed, stream::choice, expert)) == 0;
  return profile_of(is_of_profile ? p.profile : ordinary_profile).drawn(reference::fp32, p.seed, expert).zero;
}

/// Gives groups that have one number that of the first, and each factors of its own above it, which are 1 half of the
/// time, so that a profile's numbers meet as it says.
void put_factors(const Problem& p, Parameters& parameters) {
  const auto rows = static_cast<std::size_t>(p.groups().n);
  const auto of_number = static_cast<std::size_t>(p.scheme->groups_of_number);
  const auto put = [&](std::vector<std::uint32_t>& numbers, int shift) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const std::size_t group = i / rows, first = group - group % of_number;
      const std::uint64_t bits = drawn(p.seed, stream::choice, i) >> shift;
      const std::uint32_t factor = (bits & 1) != 0 || !p.parameters.holds(static_cast<std::int64_t>(i))
                                       ? 1
                                       : static_cast<std::uint32_t>(bits >> 1 & 63);
      numbers[i] = reference::with_factor(numbers[first * rows + i % rows], factor);
    }
  };
  put(parameters.scales.elements, 0);
  put(parameters.zeros.elements, 8);
}

}  // namespace

Parameters drawn_parameters(const Problem& p) {
  Parameters result = zero_parameters(p);
  const Profile& profile = profile_of(p.profile);
  const reference::FloatFormat format = float_format_of(p.types.parameter);
  for (std::size_t i = 0; i < result.scales.elements.size(); ++i) {
    const ScaleAndZero both = profile.drawn(format, p.seed, i);
    result.scales.elements[i] = both.scale;
    result.zeros.elements[i] = both.zero;
    result.zero_points.elements[i] = drawn_zero_point(*p.scheme, drawn(p.seed, stream::zero_points, i));
  }
  const auto one = static_cast<std::uint32_t>(format.bias()) << format.fraction_bits;
  keep_only<std::uint32_t>(p.parameters, result.scales.elements, one);
  keep_only<std::uint32_t>(p.parameters, result.zeros.elements, 0);
  for (std::int64_t expert = 0; p.scheme->has_factor && expert < p.experts; ++expert) {
    const auto first = result.zeros.elements.begin() + expert * p.group_count();
    std::fill_n(first, p.group_count(), drawn_factor(p, static_cast<std::uint64_t>(expert)));
  }
  keep_only<std::int8_t>(p.parameters, result.zero_points.elements, 8);
  if (p.scheme->groups_of_number > 1) put_factors(p, result);
  return result;
}

Parameters Case::parameters() {
  parameters_ = drawn_parameters(problem);
  count_values(float_format_of(problem.types.parameter), parameters_.scales.elements, coverage_);
  return parameters_;
}

std::uint64_t Case::choice(std::uint64_t index) const { return drawn(problem.seed, stream::choice, index); }

namespace {

/// The elements that held each of two poisons: under_both, less those that held its poison alone.
std::vector<bool> held_both(const NotWritten& under_one, const NotWritten& under_both) {
  std::vector<bool> both = under_both.holds_poison;
  if (under_one.output != under_both.output) both.assign(both.size(), false);
  for (std::size_t i = 0; i < both.size(); ++i) both[i] = both[i] && under_one.holds_poison[i];
  return both;
}

}  // namespace

void Case::fill(const Fill& fill) {
  fill_ = fill;
  subject_.fill_own_memory(fill);
}

void Case::align(std::vector<Tensor>& tensors) {
  const bool no_better = capabilities.any_alignment && draws_least_alignment(problem.seed);
  ++coverage_.classes[no_better ? "aligned to what must be taken" : "aligned as allocators align"];
  const auto is_drawn = [&](std::uint64_t index) { return drawn(problem.seed, stream::pages, index) >> 63 != 0; };
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!no_better) tensors[i].alignment = alignment_of_allocators;
    tensors[i].page_before = is_drawn(0);
    tensors[i].touches_page = is_drawn(i + 1);
  }
}

void Case::under_poisons(std::vector<Tensor>& tensors, bool may_equal_poison,
                         const std::function<void(const Fill&)>& run) {
  const auto run_under = [&](const Fill& fill) {
    subject_.fill_own_memory(fill);
    run(fill);
  };
  try {
    return run_under(fill_);
  } catch (const NotWritten& under_one) {
    if (!may_equal_poison) throw;
    // A legal value may equal one poison; an element that was not written holds each.
    Fill other = fill_;
    other.poison ^= 0x7f;
    try {
      return run_under(other);
    } catch (const NotWritten& under_both) {
      std::vector<bool> unwritten = held_both(under_one, under_both);
      if (std::ranges::find(unwritten, true) != unwritten.end())
        throw NotWritten(under_one.output, std::move(unwritten));
    }
  }
  // Each element was written in one of the two calls: legal values have become both poisons.
  for (Tensor& tensor : tensors) tensor.may_equal_poison = true;
  run_under(fill_);
}

void Case::run(std::vector<Tensor> tensors, const std::function<void(const std::vector<void*>&)>& use) {
  guarded_call(tensors, [&] {
    under_poisons(tensors, !capabilities.one_nan,
                  [&](const Fill& fill) { guarded(subject_.memory(), tensors, fill, use); });
  });
}

Contents Case::run(Call call, Contents contents) {
  std::vector<Tensor> tensors;
  std::vector<Role> roles;
  for (const RoleRow& row : roles_of(call.operation)) {
    const auto form = form_of(call, row);
    if (!form) continue;
    std::vector<std::uint8_t>& bytes = contents[row.role];
    const auto element_bytes = static_cast<std::size_t>(form->element_bytes);
    const std::size_t alignment = alignment_of(call, row, element_bytes);
    const auto size = static_cast<std::size_t>(call.experts * form->bytes());
    if (row.is_output) bytes.resize(size);
    if (bytes.size() != size) throw std::logic_error(std::string("a call without all of its ") + form->name);
    tensors.push_back(row.is_output ? output(form->name, bytes, element_bytes, alignment)
                                    : input(form->name, bytes, element_bytes, alignment));
    tensors.back().may_equal_poison = row.is_output && is_packed(row.role);
    roles.push_back(row.role);
  }
  run(tensors, [&](const std::vector<void*>& at) {
    for (std::size_t i = 0; i < roles.size(); ++i) call.at(roles[i]) = at[i];
    subject_.run(call);
  });
  return contents;
}

std::size_t Case::alignment_of(const Call& call, RoleRow row, std::size_t element_bytes) {
  constexpr std::size_t of_vectors = 16;  // bytes, for codes and results
  if (is_eager(call.operation) || call.operation == Operation::matmul) return alignment_of_allocators;
  return row.is_output || row.role == Role::pairs ? of_vectors : element_bytes;
}

Result Case::result_of(const Call& call, Contents contents) {
  return result_in(call, run(call, std::move(contents))[result_role(call.operation)]);
}

Result Case::result_in(const Call& call, const std::vector<std::uint8_t>& bytes) {
  const RoleRow row = roles_of(call.operation).back();
  Result result = {row.role, {}};
  Matrix<std::uint32_t>& bits = result.bits;
  bits.elements = widened(bytes, form_of(call, row)->element_bytes);
  coverage_.output_all(bits.elements);
  bits.rows = call.experts * call.n;
  bits.columns = call.k;
  if (is_packed(row.role)) {
    bits.rows = call.experts;
    bits.columns = std::ssize(bits.elements) / call.experts;
  }
  if (row.role == Role::weights && !is_eager(call.operation)) bits = in_rows(problem, std::move(bits));
  if (row.role == Role::products) {
    bits.rows = call.m;
    bits.columns = call.n;
    const auto bits_beyond = 8 * bytes_of(problem.types.weight) - 16;  // a bf16 is the upper half of an fp32
    for (std::uint32_t& product : bits.elements) product <<= bits_beyond;
  }
  return result;
}

Result Case::run(Operation operation, const CallData& data) {
  Call call = call_of(operation, problem);
  call.m = data.activations.rows;
  return result_of(call, contents_of(operation, problem, data));
}

std::vector<std::uint32_t> Case::pack(const Matrix<std::uint8_t>& codes) {
  return run(Operation::pack, CallData{codes}).bits.elements;
}

Matrix<std::int32_t> Case::unpack(const std::vector<std::uint32_t>& packed) {
  Contents contents;
  contents[Role::packed] = narrowed(packed, problem.layout().bytes_of_unit);
  return result_of(call_of(Operation::unpack, problem), std::move(contents)).as_codes();
}

std::vector<std::uint32_t> Case::convert(const std::vector<std::uint32_t>& packed) {
  Contents contents;
  contents[Role::packed] = narrowed(packed, problem.layout().bytes_of_unit);
  return result_of(call_of(Operation::convert, problem), std::move(contents)).bits.elements;
}

Matrix<std::uint32_t> Case::dequantize(const std::vector<std::uint32_t>& packed, const Parameters& parameters) {
  Contents contents = contents_of(Operation::dequantize, problem, parameters);
  std::vector<std::uint32_t> with_parameters = packed;
  put_parameters(problem, parameters, with_parameters);
  contents[Role::packed] = narrowed(with_parameters, problem.layout().bytes_of_unit);
  return result_of(call_of(Operation::dequantize, problem), std::move(contents)).bits;
}

Matrix<std::uint32_t> Case::matmul(const Matrix<std::uint16_t>& activations, const Matrix<std::uint8_t>& codes,
                                   const Parameters& parameters) {
  return run(Operation::matmul, CallData{codes, parameters, activations}).bits;
}

Parameters Case::choose(const Matrix<std::uint32_t>& weights) {
  Contents contents;
  contents[Role::weights] = narrowed(weights.elements, bytes_of(problem.types.weight));
  const Contents given = run(call_of(Operation::choose, problem), std::move(contents));
  Parameters chosen = zero_parameters(problem);
  chosen.scales.elements = widened(given[Role::scales], bytes_of(problem.types.parameter));
  const std::vector<std::uint8_t>& zeros = given[Role::zeros];
  if (problem.scheme->zero_kind == Zero::value) {
    chosen.zeros.elements = widened(zeros, bytes_of(problem.types.parameter));
  } else {
    std::transform(zeros.begin(), zeros.end(), chosen.zero_points.elements.begin(),
                   [](std::uint8_t byte) { return static_cast<std::int8_t>(byte); });
  }
  coverage_.output_all(chosen.scales.elements);
  coverage_.output_all(chosen.zeros.elements);
  coverage_.output_all(chosen.zero_points.elements);
  return chosen;
}

Matrix<std::int32_t> Case::quantize(const Matrix<std::uint32_t>& weights, const Parameters& parameters) {
  Contents contents = contents_of(Operation::quantize, problem, parameters);
  contents[Role::weights] = narrowed(weights.elements, bytes_of(problem.types.weight));
  return result_of(call_of(Operation::quantize, problem), std::move(contents)).as_codes();
}

Matrix<std::uint32_t> Case::dequantize_eagerly(const Matrix<std::int32_t>& codes, const Parameters& parameters) {
  Contents contents = contents_of(Operation::dequantize_eagerly, problem, parameters);
  contents[Role::codes] = narrowed(codes.as<std::uint32_t>().elements, 4);
  return result_of(call_of(Operation::dequantize_eagerly, problem), std::move(contents)).bits;
}

namespace {

/// Appends the tensors of an operator's call.
void append_inputs(std::vector<Tensor>& tensors, const OperatorCall& call) {
  for (const Argument& argument : call.arguments) {
    if (!argument.is_tensor()) continue;
    tensors.push_back(
        input(argument.name.c_str(), argument.storage, static_cast<std::size_t>(bytes_of(argument.element))));
  }
}

}  // namespace

OperatorResult Case::call(const OperatorCall& call, CallMode mode, const OperatorCall* alternate) {
  std::vector<Tensor> tensors;
  append_inputs(tensors, call);
  OperatorResult result;
  run(tensors, [&](const std::vector<void*>& at) { result = subject_.operators()->call(call, at, mode, alternate); });
  for (std::size_t i = 0; i < result.bytes.size(); i += 4) {
    std::uint32_t four = 0;
    std::memcpy(&four, &result.bytes[i], std::min<std::size_t>(4, result.bytes.size() - i));
    coverage_.output_value(four);
  }
  return result;
}

OperatorResult Case::call_again(const OperatorCall& one) {
  return taken_again([&] { return call(one); });
}

std::vector<OperatorResult> Case::call_at_once(const std::vector<OperatorCall>& calls) {
  std::vector<Tensor> tensors;
  for (const OperatorCall& call : calls) append_inputs(tensors, call);
  std::vector<OperatorResult> results;
  try {
    run(tensors, [&](const std::vector<void*>& at) { results = subject_.operators()->call_at_once(calls, at); });
  } catch (const Refused& refused) {
    for (const OperatorCall& one : calls) call(one);  // throws Refused if a single caller is refused too
    throw Failure("error", std::string("several callers are refused what one is given: ") + refused.what());
  }
  return results;
}

OperatorResult Case::call_on_meta(const OperatorCall& call) { return subject_.operators()->call_on_meta(call); }

std::vector<std::string> Case::argument_names(Operation operation) {
  return subject_.operators()->argument_names(operation);
}

}  // namespace tileproof
