// Operations of a case over generated tensors.
#include <algorithm>

#include "properties/case/case.h"
#include "reference/tile_map.h"

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
      {tensor_of("codes", pairs, 1, vector_alignment), tensor_of("packed", words, 4, vector_alignment, true)}, nullptr,
      wanted,
      [&](const std::vector<void*>& at) {
        subject_.run(PackCall{static_cast<const std::uint8_t*>(at[0]), static_cast<std::uint32_t*>(at[1]), problem.n,
                              problem.k, problem.inner_k_tiles});
      },
      reference::codes_of_word);
}

GeneratedResult Case::unpack(const generated::Codes& codes, const std::vector<std::int64_t>& wanted) {
  const GeneratedTensor words = generated::PackedWords{codes};
  const GeneratedTensor unpacked = generated::UnpackedCodes{codes};
  return run_generated(
      {tensor_of("packed_w", words, 4, 4), tensor_of("codes", unpacked, 4, vector_alignment, true)}, nullptr, wanted,
      [&](const std::vector<void*>& at) {
        subject_.run(UnpackCall{static_cast<const std::uint32_t*>(at[0]), static_cast<std::int32_t*>(at[1]), problem.n,
                                problem.k, problem.inner_k_tiles});
      });
}

GeneratedResult Case::dequantize(const generated::Codes& codes, const generated::Parameters& parameters,
                                 const std::vector<std::int64_t>& wanted) {
  const auto element_bytes = static_cast<std::size_t>(bytes_of(problem.out));
  const GeneratedTensor words = generated::PackedWords{codes};
  const GeneratedTensor scales = generated::ScaleElements{parameters};
  const bool integer = problem.domain == Domain::integer;
  const GeneratedTensor zero_points =
      integer ? GeneratedTensor(generated::ZeroPointElements{parameters}) : GeneratedTensor(generated::Constant{});
  const GeneratedTensor weights = generated::Weights{codes, parameters};
  const reference::FloatFormat format = format_of(problem.out);
  return run_generated(
      {tensor_of("packed_w", words, 4, 4),
       tensor_of(problem.domain == Domain::floating ? "scales_and_zeros" : "scales", scales, element_bytes,
                 element_bytes),
       tensor_of("zero_points", zero_points, 1, 1),
       tensor_of("weights", weights, element_bytes, vector_alignment, true)},
      capabilities.one_nan ? nullptr : &format, wanted, [&](const std::vector<void*>& at) {
        subject_.run(DequantizeCall{static_cast<const std::uint32_t*>(at[0]), at[1],
                                    static_cast<const std::int8_t*>(at[2]), at[3], problem.n, problem.k,
                                    problem.group_size, problem.inner_k_tiles, problem.domain, problem.out});
      });
}

}  // namespace tileproof
