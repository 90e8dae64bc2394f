/// Dequantize of any format that the kernels know. Of matrices, warps take what words fit (dequantize_warp.h), and
/// threads the rest, weight by weight (any_element.h). Flat codes go by warps too (flat_warp.h), and GGUF's blocks by
/// threads (blocks.h).
#include <bit>

#include "kernels/dequantize/any_element.h"
#include "kernels/dequantize/blocks.h"
#include "kernels/dequantize/dequantize_warp.h"
#include "kernels/dequantize/flat_warp.h"
#include "kernels/kernels.h"

namespace tileproof::kernels {

namespace {

using Arguments = AnyDequantizeArguments;

template <class... T>
struct List {};

std::int64_t groups_of(const Arguments& a) { return a.k / a.group_size; }
const std::int32_t* group_of_k(const Arguments& a) {
  constexpr int place = 2;
  return a.format->parameter_count() > place ? static_cast<const std::int32_t*>(a.parameters[place]) : nullptr;
}

template <class Source, class Groups, class Use>
bool use_warps(const Arguments& a, const Groups& groups, Use& use) {
  if (a.format->layout != &Source::row) return false;
  const DequantizeWarp<Source, Groups> warp(groups, a.packed, a.weights, a.n, a.k, a.experts);
  if (!warp.takes()) return false;
  use(warp, warp.warps());
  return true;
}

template <class T, class Parameters, class Use>
void use_any_element(const Arguments& a, const Parameters& parameters, Use& use) {
  const bool n_is_along = a.format->columns == Axis::n;
  const AnyElement<T, Parameters> thread = {parameters,
                                            Slots(*a.format->layout, a.n, a.k),
                                            static_cast<const std::uint8_t*>(a.packed),
                                            static_cast<typename T::Bits*>(a.weights),
                                            group_of_k(a),
                                            n_is_along,
                                            a.n,
                                            a.k,
                                            groups_of(a),
                                            FastDivmod(a.group_size),
                                            FastDivmod(n_is_along ? a.n : a.k),
                                            FastDivmod(a.n * a.k)};
  use(thread, a.experts * a.n * a.k);
}

/// Weights [n][k].
template <template <class> class DomainOf, class... Sources, class Use>
void use_along_rows(const Arguments& a, List<Sources...>, Use& use) {
  with_type(a.type, [&]<class T>(T) {
    const DomainOf<T> domain(a.parameters[0], static_cast<const std::int8_t*>(a.parameters[1]));
    const GroupsAlongRows<T, DomainOf> groups = {domain, a.n, groups_of(a), FastDivmod(a.group_size)};
    if ((use_warps<Sources>(a, groups, use) || ...)) return;
    use_any_element<T>(a, domain, use);
  });
}

/// Weights [k][n], with packed zero points.
template <ZeroPoints kind, class... Sources, class Use>
void use_across_rows(const Arguments& a, List<Sources...>, Use& use) {
  with_type(a.type, [&]<class T>(T) {
    const auto* zeros = static_cast<const std::uint32_t*>(a.parameters[1]);
    const bool one_group = group_of_k(a) == nullptr && a.group_size % rows_of_warp == 0;
    const GroupsAcrossRows<T, kind> groups = {{a.parameters[0], zeros}, group_of_k(a), a.n, a.k, groups_of(a),
                                              FastDivmod(a.group_size), one_group};
    if ((use_warps<Sources>(a, groups, use) || ...)) return;
    use_any_element<T>(a, PackedZeroPoint<T>{static_cast<const typename T::Bits*>(a.parameters[0]), zeros, kind}, use);
  });
}

template <bool is_nf4, class Use>
void use_flat(const Arguments& a, Use& use) {
  const std::int64_t elements = a.n * a.k, bytes = (elements + 1) / 2;
  const std::int64_t blocks = (elements + a.group_size - 1) / a.group_size;
  const bool is_nested = a.format->parameter_count() > 1;
  const auto numbers = [&](int i) { return is_nested ? static_cast<const float*>(a.parameters[i]) : nullptr; };
  const BlockScales scales = {a.parameters[0], numbers(1),
                              numbers(2),      numbers(3),
                              blocks,          (blocks + BlockScales::of_nested - 1) / BlockScales::of_nested};
  const auto address = reinterpret_cast<std::uintptr_t>(a.packed);
  with_type(a.type, [&]<class T>(T) {
    using Warp = FlatWarp<T, is_nf4>;
    constexpr std::int64_t of_store = sizeof(Quad) / sizeof(typename T::Bits);
    const Warp warp = {static_cast<const std::uint8_t*>(a.packed),
                       static_cast<typename T::Bits*>(a.weights),
                       scales,
                       std::countr_zero(static_cast<std::uint64_t>(a.group_size)),
                       elements,
                       bytes,
                       (address | static_cast<std::uintptr_t>(a.experts == 1 ? 0 : bytes)) % sizeof(Quad) == 0,
                       a.experts == 1 || elements % of_store == 0,
                       a.experts,
                       FastDivmod((elements + Warp::codes_of_warp - 1) / Warp::codes_of_warp)};
    use(warp, warp.warps());
  });
}

template <class Block, class Use>
void use_blocks(const Arguments& a, Use& use) {
  const BlockThread<Block> thread = {
      static_cast<const std::uint8_t*>(a.packed), static_cast<std::uint32_t*>(a.weights),
      static_cast<int>((reinterpret_cast<std::uintptr_t>(a.packed) | std::uintptr_t{Block::bytes}) % 4)};
  use(thread, a.experts * a.n * a.k / 8);
}

/// Calls `use` with what runs, and how many of it; not at all where there is nothing to dequantize, or a kernel of
/// tinygemm's layouts does it.
template <class Use>
void with_kernel(const Arguments& a, Use use) {
  if (a.experts == 0 || a.n == 0 || a.k == 0) return;
  switch (a.format->formula) {
    case Formula::floating:
      return use_along_rows<FloatDomain>(a, List<Plain>(), use);
    case Formula::integer:
      if (a.format->columns == Axis::k) return use_along_rows<IntegerDomain>(a, List<Plain, PlainInt32>(), use);
      if (a.format->zero_points == ZeroPoints::as_awq) {
        return use_across_rows<ZeroPoints::as_awq>(a, List<Awq>(), use);
      }
      if (a.format->zero_points == ZeroPoints::in_order) {
        return use_across_rows<ZeroPoints::in_order>(a, List<Gptq>(), use);
      }
      return use_across_rows<ZeroPoints::in_order_less_1>(a, List<GptqV1>(), use);
    case Formula::symmetric:
      return;  // of no format that is dequantized
    case Formula::none:
      return use_along_rows<NoZeroPoint>(a, List<Plain, PlainInt32>(), use);
    case Formula::nf4:
      return use_flat<true>(a, use);
    case Formula::fp4:
      return use_flat<false>(a, use);
    case Formula::q4_0:
      return use_blocks<Q40Block>(a, use);
    case Formula::q4_1:
      return use_blocks<Q41Block>(a, use);
    case Formula::q4_k:
      return use_blocks<Q4KBlock>(a, use);
  }
}

}  // namespace

#if defined(__CUDACC__)
cudaError_t dequantize(const Arguments& a, cudaStream_t stream) {
  if (const auto tinygemm = of_tinygemm(a)) return dequantize(*tinygemm, stream);
  return launch_kernel(a, stream, [&](auto use) { with_kernel(a, use); });
}
#else
void dequantize(const Arguments& a, Range range) {
  if (const auto tinygemm = of_tinygemm(a)) return dequantize(*tinygemm, range);
  run_kernel(range, [&](auto use) { with_kernel(a, use); });
}
std::int64_t threads_of(const Arguments& a) {
  if (const auto tinygemm = of_tinygemm(a)) return threads_of(*tinygemm);
  return threads_of_kernel([&](auto use) { with_kernel(a, use); });
}
bool is_by_warps(const Arguments& a) {
  return is_kernel_of_warps([&](auto use) { with_kernel(a, use); });
}
#endif

}  // namespace tileproof::kernels
