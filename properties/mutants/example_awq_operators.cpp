// An operator library with schemas of its own, as a third party would write it: AWQ on the CPU, in the namespace
// `example_awq`. fuzz/commands/map_test.cpp judges it by a mapping. The variable EXAMPLE_AWQ_FAULT plants a mistake.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/SymInt.h>
#include <torch/library.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace {

using at::Tensor;

bool has(const char* fault) {
  static const char* const planted = std::getenv("EXAMPLE_AWQ_FAULT");
  return planted != nullptr && std::strcmp(planted, fault) == 0;
}

/// Where a word holds the code of one of its eight columns, in bits.
int shift_of(std::int64_t column) {
  static const bool in_order = has("nibbles in order");
  if (in_order) return static_cast<int>(4 * (column % 8));
  return static_cast<int>(4 * (column % 2 * 4 + column % 8 / 2));
}

void require_matrix(const Tensor& tensor, const char* name, at::ScalarType type) {
  TORCH_CHECK(tensor.scalar_type() == type, name, ": expected ", type, ", got ", tensor.scalar_type());
  TORCH_CHECK(tensor.dim() == 2, name, ": expected 2 dimensions, got ", tensor.dim());
}

/// A matrix of [k][n] and its groups.
struct Sizes {
  std::int64_t k, n, group_size;
};

/// @param name  of the kernel, in the operator's schema
Sizes checked(const Tensor& kernel, const Tensor& scales, const Tensor& zeros, const char* name = "kernel") {
  require_matrix(kernel, name, at::kInt);
  TORCH_CHECK(scales.is_floating_point(), "scales: expected floating-point numbers, got ", scales.scalar_type());
  require_matrix(scales, "scales", scales.scalar_type());
  require_matrix(zeros, "zeros", at::kInt);
  const std::int64_t k = kernel.size(0), n = kernel.size(1) * 8, groups = scales.size(0);
  TORCH_CHECK(has("trusts scales") || scales.size(1) == n, "scales: expected ", n, " columns, as of ", name);
  TORCH_CHECK(groups == 0 ? k == 0 : k % groups == 0, "scales: expected rows that divide those of ", name, ", ", k);
  TORCH_CHECK(zeros.size(0) == groups && zeros.size(1) * 8 == n, "zeros: expected [", groups, "][", n / 8, "]");
  return {k, n, groups == 0 ? 1 : k / groups};
}

template <class T>
void compute(Tensor& weights, const Tensor& kernel, const Tensor& scales, const Tensor& zeros, const Sizes& s) {
  const auto* words = static_cast<const std::int32_t*>(kernel.const_data_ptr());
  const auto* zero_words = static_cast<const std::int32_t*>(zeros.const_data_ptr());
  const auto* scale = static_cast<const T*>(scales.const_data_ptr());
  auto* out = static_cast<T*>(weights.mutable_data_ptr());
  const bool groups_of_32 = has("groups of 32"), two_roundings = has("two roundings");
  for (std::int64_t k = 0; k < s.k; ++k) {
    // Forgotten, by "groups of 32": the group size is the caller's.
    const std::int64_t group = groups_of_32 ? k / 32 % scales.size(0) : k / s.group_size;
    for (std::int64_t n = 0; n < s.n; ++n) {
      const int shift = shift_of(n);
      const int code = words[(k * s.n + n) / 8] >> shift & 15;
      const int zero = zero_words[(group * s.n + n) / 8] >> shift & 15;
      const auto by = static_cast<float>(scale[group * s.n + n]);
      // Forgotten, by "two roundings": the product of a difference of codes and a scale is exact in fp32.
      const float of_code = static_cast<T>(static_cast<float>(code) * by);
      const float of_zero = static_cast<T>(static_cast<float>(zero) * by);
      out[k * s.n + n] = static_cast<T>(two_roundings ? of_code - of_zero : static_cast<float>(code - zero) * by);
    }
  }
}

/// The weights, [k][n]. The last three numbers tune a launch elsewhere.
Tensor awq_dequantize(const Tensor& kernel, const Tensor& scales, const Tensor& zeros, std::int64_t split_k_iters,
                      std::int64_t, std::int64_t) {
  TORCH_CHECK(split_k_iters == 0, "split_k_iters: expected 0, got ", split_k_iters);
  const Sizes sizes = checked(kernel, scales, zeros);
  Tensor weights = at::empty({sizes.k, sizes.n}, scales.options());
  const bool ignores_strides = has("ignores strides");
  const auto dense = [&](const Tensor& tensor) { return ignores_strides ? tensor : tensor.contiguous(); };
  const Tensor words = dense(kernel), own_scales = dense(scales), own_zeros = dense(zeros);
  if (scales.scalar_type() == at::kFloat) compute<float>(weights, words, own_scales, own_zeros, sizes);
  if (scales.scalar_type() == at::kHalf) compute<c10::Half>(weights, words, own_scales, own_zeros, sizes);
  if (scales.scalar_type() == at::kBFloat16) compute<c10::BFloat16>(weights, words, own_scales, own_zeros, sizes);
  return weights;
}

Tensor fake_awq_dequantize(const Tensor& kernel, const Tensor& scales, const Tensor& zeros, std::int64_t, std::int64_t,
                           std::int64_t) {
  const Sizes sizes = checked(kernel, scales, zeros);
  return at::empty({sizes.k, sizes.n}, scales.options());
}

/// The weights in rows, [n][k].
Tensor dequantize_rows(const Tensor& packed, const Tensor& scales, const Tensor& zeros, std::int64_t n, std::int64_t k,
                       std::int64_t group_size, std::optional<at::ScalarType> dtype, double factor, bool is_awq,
                       std::string_view order) {
  const Sizes sizes = checked(packed, scales, zeros, "packed");
  TORCH_CHECK(n == sizes.n, "n: expected ", sizes.n, ", got ", n);
  TORCH_CHECK(k == sizes.k, "k: expected ", sizes.k, ", got ", k);
  TORCH_CHECK(k == 0 || group_size == sizes.group_size, "group_size: expected ", sizes.group_size, ", got ",
              group_size);
  TORCH_CHECK(factor == 1 && is_awq && order == "rows", "factor, is_awq, order: expected 1, True, 'rows'");
  TORCH_CHECK(!dtype || *dtype == scales.scalar_type(), "dtype: expected that of scales");
  return awq_dequantize(packed, scales, zeros, 0, 0, 0).t().contiguous();
}

/// The codes, uint8 [k][n].
Tensor awq_unpack(const Tensor& packed) {
  require_matrix(packed, "packed", at::kInt);
  const Tensor dense = packed.contiguous();
  const std::int64_t rows = packed.size(0), columns = packed.size(1) * 8;
  Tensor codes = at::empty({rows, columns}, packed.options().dtype(at::kByte));
  const auto* words = static_cast<const std::int32_t*>(dense.const_data_ptr());
  auto* out = codes.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < codes.numel(); ++i) out[i] = words[i / 8] >> shift_of(i) & 15;
  return codes;
}

/// @param codes  uint8 [n][k]
Tensor awq_pack(const Tensor& codes) {
  require_matrix(codes, "codes", at::kByte);
  TORCH_CHECK(codes.size(0) % 8 == 0, "codes: expected rows in multiples of 8, got ", codes.size(0));
  const std::int64_t n = codes.size(0), k = codes.size(1);
  const Tensor dense = codes.contiguous();
  Tensor packed = at::empty({k, n / 8}, codes.options().dtype(at::kInt));
  const auto* in = static_cast<const std::uint8_t*>(dense.const_data_ptr());
  auto* words = packed.mutable_data_ptr<std::int32_t>();
  for (std::int64_t word = 0; word < packed.numel(); ++word) {
    const std::int64_t column = word / (n / 8), first_row = word % (n / 8) * 8;
    std::uint32_t bits = 0;
    for (std::int64_t row = first_row; row < first_row + 8; ++row) {
      bits |= static_cast<std::uint32_t>(in[row * k + column] & 15) << shift_of(row);
    }
    words[word] = static_cast<std::int32_t>(bits);
  }
  return packed;
}

bool awq_is_packed(const Tensor& packed) { return packed.scalar_type() == at::kInt && packed.dim() == 2; }

TORCH_LIBRARY(example_awq, library) {
  library.def(
      "awq_dequantize(Tensor kernel, Tensor scales, Tensor zeros, int split_k_iters, int thx, int thy) -> Tensor");
  library.def(
      "dequantize_rows(Tensor packed, Tensor scales, Tensor zeros, SymInt n, SymInt k, int group_size, *, "
      "ScalarType? dtype=None, float factor, bool is_awq, str order=\"rows\") -> Tensor");
  library.def("awq_unpack(Tensor packed) -> Tensor");
  library.def("awq_is_packed(Tensor packed) -> bool");
  library.def("awq_pack(Tensor codes) -> Tensor");
}

TORCH_LIBRARY_IMPL(example_awq, CPU, library) {
  library.impl("awq_dequantize", awq_dequantize);
  library.impl("dequantize_rows", dequantize_rows);
  library.impl("awq_unpack", awq_unpack);
  library.impl("awq_is_packed", awq_is_packed);
  library.impl("awq_pack", awq_pack);
}

TORCH_LIBRARY_IMPL(example_awq, Meta, library) { library.impl("awq_dequantize", fake_awq_dequantize); }

}  // namespace
