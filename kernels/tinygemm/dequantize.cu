/// Dequantize: weights from the tensor-core-tiled layout, in three domains and three types, each with one rounding, by
/// strips or by warps. The walk of strips is strips.h; here a pair of codes becomes two weights. A store's columns
/// never straddle a group: groups are multiples of 16.
#include "kernels/dequantize/dequantize_warp.h"
#include "kernels/tinygemm/strips.h"

namespace tileproof::kernels {

namespace {

/// @tparam T  Bf16 or Fp16: two weights a register; Fp32: one
template <class T, class DomainOfT>
struct CodesAsWeights {
  static constexpr int element_bytes = sizeof(typename T::Bits);
  static constexpr int strips_of_thread = 2;  // one: 4 % slower; four: 2 %, with groups of 32 8 % (H100)

  DomainOfT domain;
  std::int64_t n;
  std::int64_t groups;
  FastDivmod group_size;

  std::int64_t columns_of_group() const { return group_size.divisor; }
  /// Where the row's first group is among [expert][group][n].
  TILEPROOF_DEVICE std::int64_t parameters_of(std::int64_t expert, std::int64_t row) const {
    return expert * groups * n + row;
  }
  TILEPROOF_DEVICE typename DomainOfT::Parameters group(std::int64_t parameters, std::int64_t column) const {
    return domain.of(group_size.quotient(column) * n + parameters);
  }

  TILEPROOF_DEVICE Quad operator()(const std::uint32_t (&pairs)[8 / element_bytes],
                                   const typename DomainOfT::Parameters& p) const {
    return weights_of<T>(pairs, domain, p);
  }
};

/// Whether warps (dequantize_warp.h) are faster than strips. Measured on an H200 in bf16, as a part of a copy's speed,
/// 32768 x 32768, strips and warps: groups of 32 0.884 and 0.943, of 64 0.975 and 0.956, of 128 0.975 and 0.955; eight
/// experts of 14336 x 4096, groups of 128, 0.929 and 0.958.
bool is_for_warps(const DequantizeArguments& a) { return a.group_size < 64 || a.experts > 1; }

template <int inner_k_tiles>
struct LayoutOf;
template <>
struct LayoutOf<2> : Tinygemm2 {};
template <>
struct LayoutOf<4> : Tinygemm4 {};
template <>
struct LayoutOf<8> : Tinygemm8 {};

template <class T, template <class> class DomainOf, class Use>
void with_kernel_of(const DequantizeArguments& a, Use& use) {
  const DomainOf<T> domain(a.scales, a.zero_points);
  const std::int64_t groups = a.k / a.group_size;
  const FastDivmod group_size(a.group_size);
  bool is_done = false;
  if (is_for_warps(a)) {
    with_inner_k_tiles(a.inner_k_tiles, [&]<int inner_k_tiles>() {
      const GroupsAlongRows<T, DomainOf> of_rows = {domain, a.n, groups, group_size};
      const DequantizeWarp<LayoutOf<inner_k_tiles>, GroupsAlongRows<T, DomainOf>> warp(of_rows, a.packed, a.weights,
                                                                                       a.n, a.k, a.experts);
      is_done = warp.takes();
      if (is_done) use(warp, warp.warps());
    });
  }
  if (!is_done) use_strips(a, a.weights, CodesAsWeights<T, DomainOf<T>>{domain, a.n, groups, group_size}, use);
}

template <class T, class Use>
void with_kernel_of(const DequantizeArguments& a, Use& use) {
  if (a.domain == Domain::floating) return with_kernel_of<T, FloatDomain>(a, use);
  if (a.domain == Domain::integer) return with_kernel_of<T, IntegerDomain>(a, use);
  with_kernel_of<T, NoZeroPoint>(a, use);
}

template <class Use>
void with_kernel(const DequantizeArguments& a, Use use) {
  if (a.experts == 0 || a.n == 0 || a.k == 0) return;
  if (a.type == Type::bf16) return with_kernel_of<Bf16>(a, use);
  if (a.type == Type::fp16) return with_kernel_of<Fp16>(a, use);
  with_kernel_of<Fp32>(a, use);
}

}  // namespace

TILEPROOF_DEFINE_OPERATION(dequantize, DequantizeArguments)

}  // namespace tileproof::kernels
