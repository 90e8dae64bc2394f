/// The kernels as PyTorch operators.
///
/// One function an operator serves CPU, CUDA and fake tensors: all three ask the rules of operator_rules.h and give the
/// same shape; only then does a fake one return without having computed anything. A call that is refused throws
/// c10::ValueError. Strides and storage offsets are free: what a kernel cannot load from is copied first.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/SymInt.h>

#include <cstdint>

namespace tileproof::kernels {

using at::Tensor;

Tensor pack_tensor(const Tensor& codes, std::int64_t inner_k_tiles);
Tensor unpack_tensor(const Tensor& packed_w, std::int64_t inner_k_tiles);
Tensor dequantize_tensor(const Tensor& packed_w, const Tensor& scales_and_zeros, c10::SymInt group_size,
                         std::int64_t inner_k_tiles);
Tensor dequantize_tensor_integer(const Tensor& packed_w, const Tensor& scales, const Tensor& zero_points,
                                 c10::SymInt group_size, std::int64_t inner_k_tiles);
Tensor dequantize_tensor_scale_only(const Tensor& packed_w, const Tensor& scales, c10::SymInt group_size,
                                    std::int64_t inner_k_tiles);

}  // namespace tileproof::kernels
