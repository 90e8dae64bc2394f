// What a case draws from its problem, and the operations it puts to its subject, guarded.
#include "properties/case/case.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "properties/problem/draw.h"
#include "properties/problem/specification.h"
#include "properties/problem/values.h"
#include "properties/subjects/float_mode.h"

namespace tileproof {

namespace {

template <class T>
Tensor input(const char* name, const std::vector<T>& elements, std::size_t element_bytes = sizeof(T),
             std::size_t alignment = 256) {
  // An empty vector may have no address; an input must have one to be told from an output.
  static const std::uint8_t nothing = 0;
  const void* data = elements.empty() ? static_cast<const void*>(&nothing) : elements.data();
  return {.name = name,
          .input = data,
          .bytes = elements.size() * sizeof(T),
          .element_bytes = element_bytes,
          .alignment = alignment};
}

template <class T>
Tensor output(const char* name, std::vector<T>& elements, std::size_t element_bytes = sizeof(T),
              std::size_t alignment = 256) {
  return {.name = name,
          .output = elements.data(),
          .bytes = elements.size() * sizeof(T),
          .element_bytes = element_bytes,
          .alignment = alignment};
}

}  // namespace

/// Weights in the order of their format's result, as rows of n.
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
  compute_in_default_mode();  // whatever the call before has left
  subject_.first_state();
  count_problem(problem, coverage_);
  if (problem.experts > 1) ++coverage_.classes["several experts"];
  subject_.fill_own_memory(fill_);
}

Case::~Case() { subject_.vary(0); }

namespace {

/// The codes that stand at each nibble, a bit for each code: as quick to note as a store, and soon all there are.
class Seen {
 public:
  void note(std::uint32_t code, int nibble) {
    codes_[static_cast<std::size_t>(nibble)] |= static_cast<std::uint16_t>(1u << code);
  }
  bool is_all() const {
    return std::all_of(codes_.begin(), codes_.end(), [](std::uint16_t codes) { return codes == 0xffff; });
  }
  void add_to(Coverage& coverage) const {
    for (std::size_t code = 0; code < coverage.code_at_nibble.size(); ++code) {
      for (std::size_t nibble = 0; nibble < codes_.size(); ++nibble) {
        if ((codes_[nibble] >> code & 1) != 0) coverage.code_at_nibble[code][nibble] = true;
      }
    }
  }

 private:
  std::array<std::uint16_t, codes_of_packed_word> codes_ = {};
};

template <class T>
void keep_only(const Span& kept, std::vector<T>& elements, T neutral) {
  if (kept == Span()) return;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (!kept.holds(static_cast<std::int64_t>(i))) elements[i] = neutral;
  }
}

}  // namespace

Matrix<std::uint8_t> Case::codes() {
  Matrix<std::uint8_t> codes(problem.experts * problem.n, problem.k);
  for (std::size_t i = 0; i < codes.elements.size(); ++i) {
    codes.elements[i] = static_cast<std::uint8_t>(drawn(problem.seed, stream::codes, i) >> 60);
  }
  keep_only<std::uint8_t>(problem.codes, codes.elements, 8);
  Seen seen;
  for (std::int64_t row = 0; row < codes.rows && !seen.is_all(); ++row) {
    const std::vector<int> nibbles = specified::nibbles_of_row(*problem.format, row % problem.n, problem.size());
    for (std::int64_t column = 0; column < codes.columns; ++column) {
      seen.note(codes(row, column), nibbles[static_cast<std::size_t>(column)]);
    }
  }
  seen.add_to(coverage_);
  codes_ = codes;
  return codes;
}

std::vector<std::uint32_t> Case::words() {
  std::vector<std::uint32_t> words(
      static_cast<std::size_t>(problem.experts * packed_words(*problem.format, problem.size())));
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i] = static_cast<std::uint32_t>(drawn(problem.seed, stream::words, i) >> 32);
    const auto first_code = static_cast<std::int64_t>(8 * i);  // in the order of words
    if (first_code + 8 <= problem.codes.first || problem.codes.end <= first_code) words[i] = 0x88888888;
  }
  Seen seen;
  for (std::size_t i = 0; i < words.size() && !seen.is_all(); ++i) {
    for (int nibble = 0; nibble < codes_of_packed_word; ++nibble) seen.note(words[i] >> (4 * nibble) & 15, nibble);
  }
  seen.add_to(coverage_);
  return words;
}

namespace {

/// A zero point of those that the scheme has. Where those are all of int8, a byte of the bits.
std::int8_t drawn_zero_point(const Scheme& scheme, std::uint64_t bits) {
  const auto byte = static_cast<std::int8_t>(bits >> 56);
  const reference::Range range = scheme.zero_points;
  if (scheme.zero_kind != Zero::point || range.contains(byte)) return byte;
  return static_cast<std::int8_t>(range.lowest + below(range.highest - range.lowest + 1, mixed(bits)));
}

}  // namespace

Parameters Case::parameters() {
  Parameters result = zero_parameters(problem);
  const Profile& profile = profile_of(problem.scales);
  for (std::size_t i = 0; i < result.scales.elements.size(); ++i) {
    const ScaleAndZero both = profile.drawn(float_format_of(problem.types.parameter), problem.seed, i);
    result.scales.elements[i] = both.scale;
    result.zeros.elements[i] = both.zero;
    result.zero_points.elements[i] = drawn_zero_point(*problem.scheme, drawn(problem.seed, stream::zero_points, i));
  }
  const reference::FloatFormat format = float_format_of(problem.types.parameter);
  const auto one = static_cast<std::uint32_t>(format.bias()) << format.fraction_bits;
  keep_only<std::uint32_t>(problem.parameters, result.scales.elements, one);
  keep_only<std::uint32_t>(problem.parameters, result.zeros.elements, 0);
  keep_only<std::int8_t>(problem.parameters, result.zero_points.elements, 8);
  count_values(format, result.scales.elements, coverage_);
  parameters_ = result;
  return result;
}

std::uint64_t Case::choice(std::uint64_t index) const { return drawn(problem.seed, stream::choice, index); }

void Case::fill(const Fill& fill) {
  fill_ = fill;
  subject_.fill_own_memory(fill);
}

void Case::align(std::vector<Tensor>& tensors) {
  const bool no_better = capabilities.any_alignment && draws_least_alignment(problem.seed);
  ++coverage_.classes[no_better ? "aligned to what must be taken" : "aligned as allocators align"];
  const auto is_drawn = [&](std::uint64_t index) { return drawn(problem.seed, stream::pages, index) >> 63 != 0; };
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!no_better) tensors[i].alignment = 256;
    tensors[i].page_before = is_drawn(0);
    tensors[i].touches_page = is_drawn(i + 1);
  }
}

void Case::run(std::vector<Tensor> tensors, const std::function<void(const std::vector<void*>&)>& use) {
  guarded_call(tensors, [&] { guarded(subject_.memory(), tensors, fill_, use); });
}

std::vector<std::uint32_t> Case::pack(const Matrix<std::uint8_t>& codes) {
  const std::vector<std::uint8_t> pairs = specified::pairs(codes);
  const std::int64_t rows = codes.rows / problem.experts;
  std::vector<std::uint32_t> packed(
      static_cast<std::size_t>(problem.experts * packed_words(*problem.format, {rows, codes.columns})));
  Tensor words = output("packed", packed, 4, vector_alignment);
  words.may_equal_poison = true;
  run({input("codes", pairs, 1, vector_alignment), words}, [&](const std::vector<void*>& at) {
    subject_.run(PackCall{static_cast<const std::uint8_t*>(at[0]), static_cast<std::uint32_t*>(at[1]), rows,
                          codes.columns, problem.format, problem.experts});
  });
  coverage_.output_all(packed);
  return packed;
}

Matrix<std::int32_t> Case::unpack(const std::vector<std::uint32_t>& packed) {
  Matrix<std::int32_t> codes(problem.experts * problem.n, problem.k);
  run({input("packed_w", packed, 4, 4), output("codes", codes.elements, 4, vector_alignment)},
      [&](const std::vector<void*>& at) {
        subject_.run(UnpackCall{static_cast<const std::uint32_t*>(at[0]), static_cast<std::int32_t*>(at[1]), problem.n,
                                problem.k, problem.format, problem.experts});
      });
  coverage_.output_all(codes.elements);
  return codes;
}

Matrix<std::uint32_t> Case::dequantize(const std::vector<std::uint32_t>& packed, const Parameters& parameters) {
  const auto element_bytes = static_cast<std::size_t>(bytes_of(problem.types.weight));
  const std::vector<ParameterBytes> of_scheme = tensors_of(problem, parameters);
  std::vector<std::uint8_t> weights(static_cast<std::size_t>(problem.experts * problem.n * problem.k) * element_bytes);
  std::vector<Tensor> tensors = {input("packed_w", packed, 4, 4)};
  for (const ParameterBytes& one : of_scheme) {
    const auto bytes = static_cast<std::size_t>(one.element_bytes);
    tensors.push_back(input(one.role, one.bytes, bytes, bytes));
  }
  tensors.push_back(output("weights", weights, element_bytes, vector_alignment));
  run(tensors, [&](const std::vector<void*>& at) {
    subject_.run(DequantizeCall{static_cast<const std::uint32_t*>(at[0]), at[1], of_scheme.size() > 1 ? at[2] : nullptr,
                                at.back(), problem.n, problem.k, problem.group_size, problem.format, problem.scheme,
                                problem.types, problem.experts});
  });
  Matrix<std::uint32_t> result(problem.experts * problem.n, problem.k);
  result.elements = widened(weights, bytes_of(problem.types.weight));
  coverage_.output_all(result.elements);
  return in_rows(problem, std::move(result));
}

Matrix<std::uint32_t> Case::matmul(const Matrix<std::uint16_t>& activations, const Matrix<std::uint8_t>& codes,
                                   const Parameters& parameters) {
  const std::vector<std::uint8_t> pairs = specified::pairs(codes);
  const std::vector<std::uint8_t> scales_and_zeros = narrowed(interleaved(parameters), 2);
  Matrix<std::uint16_t> out(activations.rows, problem.n);
  run({input("activations", activations.elements), input("codes", pairs),
       input("scales_and_zeros", scales_and_zeros, 2), output("out", out.elements)},
      [&](const std::vector<void*>& at) {
        subject_.run(MatmulCall{static_cast<const std::uint16_t*>(at[0]), static_cast<const std::uint8_t*>(at[1]),
                                static_cast<const std::uint16_t*>(at[2]), static_cast<std::uint16_t*>(at[3]),
                                activations.rows, problem.n, problem.k, problem.group_size, problem.format,
                                problem.scheme, problem.types});
      });
  coverage_.output_all(out.elements);
  const auto bits_beyond = 8 * bytes_of(problem.types.weight) - 16;  // a bf16 is the upper half of an fp32
  Matrix<std::uint32_t> products(out.rows, out.columns);
  std::transform(out.elements.begin(), out.elements.end(), products.elements.begin(),
                 [=](std::uint32_t bits) { return bits << bits_beyond; });
  return products;
}

namespace {

/// The zeros of a problem's groups where its domain has them, and nothing where not; the same of zero points.
std::vector<std::uint8_t> zeros_of(const Problem& p, const Parameters& parameters) {
  return p.scheme->zero_kind == Zero::value ? narrowed(parameters.zeros.elements, bytes_of(p.types.weight))
                                            : std::vector<std::uint8_t>();
}
std::vector<std::int8_t> zero_points_of(const Problem& p, const Parameters& parameters) {
  return p.scheme->zero_kind == Zero::point ? parameters.zero_points.elements : std::vector<std::int8_t>();
}

}  // namespace

Parameters Case::choose(const Matrix<std::uint32_t>& weights) {
  const auto element_bytes = static_cast<std::size_t>(bytes_of(problem.types.weight));
  const std::vector<std::uint8_t> inputs = narrowed(weights.elements, bytes_of(problem.types.weight));
  Parameters chosen = zero_parameters(problem);
  std::vector<std::uint8_t> scales = narrowed(chosen.scales.elements, bytes_of(problem.types.weight));
  std::vector<std::uint8_t> zeros = zeros_of(problem, chosen);
  std::vector<std::int8_t> zero_points = zero_points_of(problem, chosen);
  const bool floating = problem.scheme->zero_kind == Zero::value;
  run({input("weights", inputs, element_bytes), output("scales", scales, element_bytes),
       floating ? output("zeros", zeros, element_bytes) : output("zero_points", zero_points)},
      [&](const std::vector<void*>& at) {
        subject_.run(ChooseCall{at[0], at[1], floating ? at[2] : nullptr,
                                floating ? nullptr : static_cast<std::int8_t*>(at[2]), problem.n, problem.k,
                                problem.group_size, problem.scheme, problem.types.weight});
      });
  chosen.scales.elements = widened(scales, bytes_of(problem.types.weight));
  if (floating) chosen.zeros.elements = widened(zeros, bytes_of(problem.types.weight));
  if (!floating) chosen.zero_points.elements = zero_points;
  coverage_.output_all(chosen.scales.elements);
  coverage_.output_all(chosen.zeros.elements);
  coverage_.output_all(chosen.zero_points.elements);
  return chosen;
}

Matrix<std::int32_t> Case::quantize(const Matrix<std::uint32_t>& weights, const Parameters& parameters) {
  const auto element_bytes = static_cast<std::size_t>(bytes_of(problem.types.weight));
  Matrix<std::int32_t> codes(problem.n, problem.k);
  run({input("weights", narrowed(weights.elements, bytes_of(problem.types.weight)), element_bytes),
       input("scales", narrowed(parameters.scales.elements, bytes_of(problem.types.weight)), element_bytes),
       input("zeros", zeros_of(problem, parameters), element_bytes),
       input("zero_points", zero_points_of(problem, parameters)), output("codes", codes.elements)},
      [&](const std::vector<void*>& at) {
        subject_.run(QuantizeCall{at[0], at[1], at[2], static_cast<const std::int8_t*>(at[3]),
                                  static_cast<std::int32_t*>(at[4]), problem.n, problem.k, problem.group_size,
                                  problem.scheme, problem.types.weight});
      });
  coverage_.output_all(codes.elements);
  return codes;
}

Matrix<std::uint32_t> Case::dequantize_eagerly(const Matrix<std::int32_t>& codes, const Parameters& parameters) {
  const auto element_bytes = static_cast<std::size_t>(bytes_of(problem.types.weight));
  std::vector<std::uint8_t> weights(static_cast<std::size_t>(problem.n * problem.k) * element_bytes);
  run({input("codes", codes.elements),
       input("scales", narrowed(parameters.scales.elements, bytes_of(problem.types.weight)), element_bytes),
       input("zeros", zeros_of(problem, parameters), element_bytes),
       input("zero_points", zero_points_of(problem, parameters)), output("weights", weights, element_bytes)},
      [&](const std::vector<void*>& at) {
        subject_.run(DequantizeEagerlyCall{static_cast<const std::int32_t*>(at[0]), at[1], at[2],
                                           static_cast<const std::int8_t*>(at[3]), at[4], problem.n, problem.k,
                                           problem.group_size, problem.scheme, problem.types.weight});
      });
  Matrix<std::uint32_t> result(problem.n, problem.k);
  result.elements = widened(weights, bytes_of(problem.types.weight));
  coverage_.output_all(result.elements);
  return result;
}

OperatorResult Case::call(const OperatorCall& call, CallMode mode, const OperatorCall* alternate) {
  std::vector<Tensor> tensors;
  for (const Argument& argument : call.arguments) {
    if (argument.number) continue;
    tensors.push_back(
        input(argument.name.c_str(), argument.storage, static_cast<std::size_t>(bytes_of(argument.element))));
  }
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
  try {
    return call(one);
  } catch (const Refused& refused) {
    throw Failure("error", std::string("refuses a call that it has taken before: ") + refused.what());
  }
}

std::vector<OperatorResult> Case::call_at_once(const std::vector<OperatorCall>& calls) {
  std::vector<Tensor> tensors;
  for (const OperatorCall& call : calls) {
    for (const Argument& argument : call.arguments) {
      if (argument.number) continue;
      tensors.push_back(
          input(argument.name.c_str(), argument.storage, static_cast<std::size_t>(bytes_of(argument.element))));
    }
  }
  std::vector<OperatorResult> results;
  try {
    run(tensors, [&](const std::vector<void*>& at) { results = subject_.operators()->call_at_once(calls, at); });
  } catch (const Refused& refused) {
    for (const OperatorCall& one : calls) call(one);  // refused by one caller too: no matter of several
    throw Failure("error", std::string("several callers are refused what one is given: ") + refused.what());
  }
  return results;
}

OperatorResult Case::call_on_meta(const OperatorCall& call) { return subject_.operators()->call_on_meta(call); }

std::vector<std::string> Case::argument_names(Operation operation) {
  return subject_.operators()->argument_names(operation);
}

}  // namespace tileproof
