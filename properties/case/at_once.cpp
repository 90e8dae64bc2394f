// An operation that several host threads call at once. The tensors of all callers lie in one guarded arena.
#include "properties/case/case.h"
#include "properties/problem/specification.h"
#include "properties/subjects/together.h"

namespace tileproof {

namespace {

/// One caller's tensors as bytes, and their places in the call.
struct Caller {
  std::vector<std::uint8_t> codes;
  std::vector<ParameterBytes> parameters;
  std::vector<std::uint8_t> out[calls_of_caller];
  std::vector<std::uint32_t> packed;
  std::size_t first = 0;      // of its tensors, among all
  std::size_t first_out = 0;  // of its results, one for each call
};

template <class T>
Tensor input(const char* name, const std::vector<T>& elements, std::size_t element_bytes) {
  static const std::uint8_t nothing = 0;
  return {.name = name,
          .input = elements.empty() ? static_cast<const void*>(&nothing) : elements.data(),
          .bytes = elements.size() * sizeof(T),
          .element_bytes = element_bytes};
}

}  // namespace

std::vector<std::vector<std::uint32_t>> Case::at_once(Operation operation,
                                                      const std::vector<Matrix<std::uint8_t>>& codes,
                                                      const std::vector<Parameters>& parameters) {
  const Problem& p = problem;
  const bool packs = operation == Operation::pack;
  const bool dequantizes = operation == Operation::dequantize;
  const std::int64_t out_bytes = dequantizes ? bytes_of(p.types.weight) : 4;
  const std::int64_t out_elements = packs ? packed_words(*p.format, p.size()) : p.n * p.k;
  std::vector<Caller> all(codes.size());
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Caller& one = all[i];
    one.first = tensors.size();
    if (packs) {
      one.codes = specified::pairs(codes[i]);
      tensors.push_back(input("codes", one.codes, 1));
    } else {
      one.packed = specified::packed(*p.format, codes[i]);
      tensors.push_back(input("packed_w", one.packed, 4));
    }
    if (dequantizes) one.parameters = tensors_of(p, parameters[i]);
    for (const ParameterBytes& tensor : one.parameters) {
      tensors.push_back(input(tensor.role, tensor.bytes, static_cast<std::size_t>(tensor.element_bytes)));
    }
    one.first_out = tensors.size();
    for (std::vector<std::uint8_t>& out : one.out) {
      out.resize(static_cast<std::size_t>(out_elements * out_bytes));
      tensors.push_back({.name = "the result",
                         .output = out.data(),
                         .bytes = out.size(),
                         .element_bytes = static_cast<std::size_t>(out_bytes),
                         .may_equal_poison = packs});
    }
  }
  const auto call = [&](const Caller& one, std::size_t number, const std::vector<void*>& at) {
    void* const* own = &at[one.first];
    void* const out = at[one.first_out + number];
    if (packs) {
      subject_.run(
          PackCall{static_cast<const std::uint8_t*>(own[0]), static_cast<std::uint32_t*>(out), p.n, p.k, p.format});
    } else if (!dequantizes) {
      subject_.run(
          UnpackCall{static_cast<const std::uint32_t*>(own[0]), static_cast<std::int32_t*>(out), p.n, p.k, p.format});
    } else {
      subject_.run(DequantizeCall{static_cast<const std::uint32_t*>(own[0]), own[1],
                                  one.parameters.size() > 1 ? own[2] : nullptr, out, p.n, p.k, p.group_size, p.format,
                                  p.scheme, p.types});
    }
  };
  run(tensors, [&](const std::vector<void*>& at) {
    together(all.size(), [&](std::size_t thread) {
      for (std::size_t i = 0; i < calls_of_caller; ++i) call(all[thread], i, at);
    });
  });
  std::vector<std::vector<std::uint32_t>> results;
  for (const Caller& one : all) {
    for (const std::vector<std::uint8_t>& out : one.out) {
      results.push_back(widened(out, out_bytes));
      coverage_.output_all(results.back());
      if (!dequantizes) continue;
      Matrix<std::uint32_t> weights(p.n, p.k);
      weights.elements = std::move(results.back());
      results.back() = in_rows(p, std::move(weights)).elements;
    }
  }
  return results;
}

}  // namespace tileproof
