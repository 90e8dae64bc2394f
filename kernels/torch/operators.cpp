#include "kernels/torch/operators.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <vector>

#include "kernels/kernels.h"
#include "kernels/tinygemm/n_tiles.h"
#include "kernels/torch/given.h"
#include "kernels/torch/registration.h"

namespace tileproof::kernels {

namespace {

Tensor empty_result(const Call<Given>& call, std::vector<c10::SymInt> sizes, const c10::TensorOptions& options) {
  if (call.has_experts()) sizes.insert(sizes.begin(), call.experts());
  return at::empty_symint(sizes, options);
}

/// The elements one after the other, from an aligned address: the tensor itself where it is like that.
Tensor dense(const Tensor& tensor, std::uintptr_t alignment_bytes) {
  Tensor elements = tensor.contiguous();
  const auto address = reinterpret_cast<std::uintptr_t>(elements.const_data_ptr());
  return address % alignment_bytes == 0 ? elements : elements.clone();
}

/// Runs an operation over its legal arguments.
/// @param operation  called with the arguments and where: some n-tiles, or a stream
template <class Arguments, class Operation>
void run(const Operator& of, const Arguments& arguments, const Tensor& result, Operation operation) {
  if (result.numel() == 0) return;
  refuse(of, validate(arguments));  // what is left: the alignment of what the allocators gave
  const c10::Device device = result.device();
  if (device.is_cpu()) {
    constexpr std::int64_t elements_worth_a_task = 32'768;  // torch's own grain
    const std::int64_t n_tiles_worth_a_task = elements_worth_a_task / (8 * arguments.k) + 1;
    at::parallel_for(0, n_tiles_of(arguments), n_tiles_worth_a_task, [&](std::int64_t begin, std::int64_t end) {
      operation(arguments, NTiles{begin, end});
    });
    return;
  }
#if defined(TILEPROOF_HAS_CUDA)
  // c10's device interface knows the current stream: this library needs none of torch's CUDA libraries, and so loads
  // where they are not.
  const c10::DeviceGuard guard(device);
  const c10::Stream stream = c10::impl::VirtualGuardImpl(device.type()).getStream(device);
  const cudaError_t error = operation(arguments, static_cast<cudaStream_t>(stream.native_handle()));
  TORCH_CHECK(error == cudaSuccess, of.name, ": ", cudaGetErrorName(error), ", ", cudaGetErrorString(error));
#endif
}

Tensor dequantized(const Call<Given>& call, Domain domain, const Tensor& packed_w, const Tensor& scales,
                   const Tensor* zero_points) {
  refuse(call.of, validate(call));
  const Tensor weights = empty_result(call, {call.n(), call.k()}, scales.options());
  if (weights.is_meta()) return weights;

  const Tensor packed = dense(packed_w, 4);
  const Tensor parameters = dense(scales, static_cast<std::uintptr_t>(scales.element_size()));
  const Tensor zeros = zero_points != nullptr ? dense(*zero_points, 1) : Tensor();
  const Type type = scales.scalar_type() == at::kBFloat16 ? Type::bf16
                    : scales.scalar_type() == at::kHalf   ? Type::fp16
                                                          : Type::fp32;
  run(call.of,
      DequantizeArguments{.packed = static_cast<const std::uint32_t*>(packed.const_data_ptr()),
                          .scales = parameters.const_data_ptr(),
                          .zero_points = zeros.defined() ? zeros.const_data_ptr<std::int8_t>() : nullptr,
                          .weights = weights.mutable_data_ptr(),
                          .n = weights.size(-2),
                          .k = weights.size(-1),
                          .group_size = call.group_size.guard_int(__FILE__, __LINE__),
                          .inner_k_tiles = call.inner_k_tiles,
                          .domain = domain,
                          .type = type,
                          .experts = call.has_experts() ? weights.size(0) : 1},
      weights, [](const DequantizeArguments& a, auto where) { return dequantize(a, where); });
  return weights;
}

}  // namespace

Tensor pack_tensor(const Tensor& codes, std::int64_t inner_k_tiles) {
  const Given given_codes(codes);
  const Call<Given> call = {pack_operator, {&given_codes}, 0, inner_k_tiles};
  refuse(call.of, validate(call));
  const Tensor packed = empty_result(call, {call.n_tiles(), call.k() / (16 * inner_k_tiles), 32, inner_k_tiles / 2},
                                     codes.options().dtype(at::kInt));
  if (packed.is_meta()) return packed;

  const Tensor bytes = dense(codes, 16);
  run(call.of,
      PackArguments{.codes = bytes.const_data_ptr<std::uint8_t>(),
                    .packed = static_cast<std::uint32_t*>(packed.mutable_data_ptr()),
                    .n = codes.size(-2),
                    .k = codes.size(-1) * 2,
                    .inner_k_tiles = inner_k_tiles,
                    .experts = call.has_experts() ? packed.size(0) : 1},
      packed, [](const PackArguments& a, auto where) { return pack(a, where); });
  return packed;
}

Tensor unpack_tensor(const Tensor& packed_w, std::int64_t inner_k_tiles) {
  const Given given_packed(packed_w);
  const Call<Given> call = {unpack_operator, {nullptr, &given_packed}, 0, inner_k_tiles};
  refuse(call.of, validate(call));
  const Tensor codes = empty_result(call, {call.n(), call.k()}, packed_w.options());
  if (codes.is_meta()) return codes;

  const Tensor packed = dense(packed_w, 4);
  run(call.of,
      UnpackArguments{.packed = static_cast<const std::uint32_t*>(packed.const_data_ptr()),
                      .codes = codes.mutable_data_ptr<std::int32_t>(),
                      .n = codes.size(-2),
                      .k = codes.size(-1),
                      .inner_k_tiles = inner_k_tiles,
                      .experts = call.has_experts() ? codes.size(0) : 1},
      codes, [](const UnpackArguments& a, auto where) { return unpack(a, where); });
  return codes;
}

Tensor dequantize_tensor(const Tensor& packed_w, const Tensor& scales_and_zeros, c10::SymInt group_size,
                         std::int64_t inner_k_tiles) {
  const Given packed(packed_w), scales(scales_and_zeros);
  return dequantized({dequantize_operator, {nullptr, &packed, &scales}, group_size, inner_k_tiles}, Domain::floating,
                     packed_w, scales_and_zeros, nullptr);
}

Tensor dequantize_tensor_integer(const Tensor& packed_w, const Tensor& scales, const Tensor& zero_points,
                                 c10::SymInt group_size, std::int64_t inner_k_tiles) {
  const Given packed(packed_w), given_scales(scales), zeros(zero_points);
  return dequantized(
      {dequantize_integer_operator, {nullptr, &packed, nullptr, &given_scales, &zeros}, group_size, inner_k_tiles},
      Domain::integer, packed_w, scales, &zero_points);
}

Tensor dequantize_tensor_scale_only(const Tensor& packed_w, const Tensor& scales, c10::SymInt group_size,
                                    std::int64_t inner_k_tiles) {
  const Given packed(packed_w), given_scales(scales);
  return dequantized(
      {dequantize_scale_only_operator, {nullptr, &packed, nullptr, &given_scales}, group_size, inner_k_tiles},
      Domain::none, packed_w, scales, nullptr);
}

namespace {

[[maybe_unused]] const bool is_enrolled = enrolled("libtileproof_torch.so", [] {
  torch::Library library(torch::Library::DEF, "tileproof", std::nullopt, __FILE__, __LINE__);
  register_no_derivative(library);
  register_operator<pack_operator>(library, pack_tensor);
  register_operator<unpack_operator>(library, unpack_tensor);
  register_operator<dequantize_operator>(library, dequantize_tensor);
  register_operator<dequantize_integer_operator>(library, dequantize_tensor_integer);
  register_operator<dequantize_scale_only_operator>(library, dequantize_tensor_scale_only);
  static const torch::Library kept = std::move(library);  // what is not kept is taken back
});

}  // namespace

}  // namespace tileproof::kernels
