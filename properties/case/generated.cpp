// Operations of a case over generated tensors.
#include <algorithm>

#include "properties/case/case.h"

namespace tileproof {

namespace {

/// @param is_output  what the formula says is then what is expected
Tensor tensor_of(const char* name, const GeneratedTensor& formula, std::size_t element_bytes, std::size_t alignment,
                 bool is_output = false) {
  return {.name = name,
          .bytes = static_cast<std::size_t>(elements_of(formula)) * element_bytes,
          .element_bytes = element_bytes,
          .alignment = alignment,
          .formula = &formula,
          .is_output = is_output};
}

/// A packed matrix, whose formula has the storage units of its layout.
Tensor packed_tensor(const char* name, const GeneratedTensor& formula, const reference::Layout& layout,
                     std::size_t alignment, bool is_output) {
  return tensor_of(name, formula, static_cast<std::size_t>(layout.bytes_of_unit), alignment, is_output);
}

}  // namespace

GeneratedResult Case::run_generated(std::vector<Tensor> tensors, const reference::FloatFormat* any_nan,
                                    const std::vector<std::int64_t>& wanted,
                                    const std::function<void(const std::vector<void*>&)>& use,
                                    std::int64_t codes_of_element) {
  const GeneratedTensor& expected = *tensors.back().formula;
  const std::int64_t elements = elements_of(expected);
  const GeneratedResult judged =
      guarded_call(tensors, [&] { return guarded_generated(subject_.memory(), tensors, fill_, any_nan, wanted, use); });
  // Whether more than one value was expected, as far as a few hundred elements show.
  constexpr std::int64_t most_looked_at = 256;
  std::int64_t looked_at = 0;
  for (; looked_at < std::min(elements, most_looked_at) && !coverage_.several_values; ++looked_at) {
    const std::int64_t step = elements <= most_looked_at ? 1 : elements / most_looked_at;
    coverage_.expected_value(element_of(expected, step * looked_at));
  }
  coverage_.compared_more(elements * codes_of_element - looked_at);
  // Equal elements are those expected: what differs is the hash's part.
  coverage_.output_value(static_cast<std::uint32_t>(elements));
  for (const Differences::One& one : judged.differences.listed) coverage_.output_value(one.got);
  count_explained("a NaN with other bits: the subject does not promise the hardware's", judged.differences.other_nans);
  return judged;
}

GeneratedResult Case::pack(const generated::Codes& codes, const std::vector<std::int64_t>& wanted) {
  const GeneratedTensor pairs = generated::CodePairs{codes};
  const GeneratedTensor words = generated::PackedWords{codes};
  return run_generated(
      {tensor_of("codes", pairs, 1, vector_alignment),
       packed_tensor("packed", words, problem.layout(), vector_alignment, true)},
      nullptr, wanted,
      [&](const std::vector<void*>& at) {
        subject_.run(PackCall{static_cast<const std::uint8_t*>(at[0]), static_cast<std::uint32_t*>(at[1]), problem.n,
                              problem.k, problem.format});
      },
      problem.layout().slots_of_unit());
}

GeneratedResult Case::unpack(const generated::Codes& codes, const std::vector<std::int64_t>& wanted) {
  const GeneratedTensor words = generated::PackedWords{codes};
  const GeneratedTensor unpacked = generated::UnpackedCodes{codes};
  return run_generated(
      {packed_tensor("packed_w", words, problem.layout(), 4, false),
       tensor_of("codes", unpacked, 4, vector_alignment, true)},
      nullptr, wanted, [&](const std::vector<void*>& at) {
        subject_.run(UnpackCall{static_cast<const std::uint32_t*>(at[0]), static_cast<std::int32_t*>(at[1]), problem.n,
                                problem.k, problem.format});
      });
}

GeneratedResult Case::dequantize(const generated::Codes& codes, const generated::Parameters& parameters,
                                 const std::vector<std::int64_t>& wanted) {
  const auto element_bytes = static_cast<std::size_t>(bytes_of(problem.types.weight));
  const auto parameter_bytes = static_cast<std::size_t>(bytes_of(problem.types.parameter));
  const Scheme& scheme = *problem.scheme;
  const GeneratedTensor words = generated::PackedWords{codes};
  const GeneratedTensor scales = generated::ScaleElements{parameters};
  const GeneratedTensor zeros = generated::ZeroPointElements{parameters};
  const GeneratedTensor weights = generated::Weights{codes, parameters, problem.format->result};
  const reference::FloatFormat format = float_format_of(problem.types.weight);
  std::vector<Tensor> tensors = {packed_tensor("packed_w", words, problem.layout(), 4, false),
                                 tensor_of(scheme.tensors[0].role, scales, parameter_bytes, parameter_bytes)};
  const bool has_zeros = scheme.tensor_count > 1;
  if (has_zeros) {
    const auto bytes = static_cast<std::size_t>(bytes_of(scheme.tensors[1], problem.types));
    tensors.push_back(tensor_of(scheme.tensors[1].role, zeros, bytes, bytes));
  }
  tensors.push_back(tensor_of("weights", weights, element_bytes, vector_alignment, true));
  // The results lie in the order of the format: elements are asked for and named by row and column.
  std::vector<std::int64_t> places;
  for (const std::int64_t element : wanted) {
    places.push_back(problem.format->result_at({element / problem.k, element % problem.k}, problem.size()));
  }
  GeneratedResult judged =
      run_generated(tensors, capabilities.one_nan ? nullptr : &format, places, [&](const std::vector<void*>& at) {
        subject_.run(DequantizeCall{static_cast<const std::uint32_t*>(at[0]), at[1], has_zeros ? at[2] : nullptr,
                                    at.back(), problem.n, problem.k, problem.group_size, problem.format, problem.scheme,
                                    problem.types});
      });
  if (problem.format->result == reference::ResultOrder::k_n) {
    for (Differences::One& one : judged.differences.listed) {
      one.index = one.index % problem.n * problem.k + one.index / problem.n;
    }
  }
  return judged;
}

}  // namespace tileproof
