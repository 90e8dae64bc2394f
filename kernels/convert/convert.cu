/// Convert: packed codes of one layout into those of another. Between tinygemm's layouts, and between them and each
/// other one, warps move whole words (convert_warp.h). Any other pair, and sizes and addresses that words do not fit,
/// go code by code (any_thread.h).
#include "kernels/convert/any_thread.h"
#include "kernels/convert/convert_warp.h"
#include "kernels/kernels.h"

namespace tileproof::kernels {

namespace {

/// A layout, and how many of its lowest bits a warp holds: 6 are 32 bytes, 8 are 128.
template <class L, int bits>
struct Held {
  using Layout = L;
  static constexpr int count = bits;
};
template <class... T>
struct List {};

// Measured on an H200, which moves memory in sectors of 32 bytes. Warps hold whole supertiles of tinygemm's layouts. Of
// gptq, 7 gave 0.85 of a copy's speed with tinygemm-4, and 8 gives 0.90 to 0.91; with the others both give that.
using OfTensorCores = List<Held<Tinygemm2, 8>, Held<Tinygemm4, 9>, Held<Tinygemm8, 10>>;
using Others = List<Held<Plain, 8>, Held<PlainInt32, 8>, Held<Gptq, 8>, Held<Awq, 6>, Held<Marlin, 8>,
                    Held<Int4PackCpuDefault, 7>, Held<Int4PackCpuAvx2, 7>, Held<Int4PackCpuAvx512, 6>>;

/// Whether codes lie alike in two layouts, whatever they are called.
bool is_alike(const Layout& a, const Layout& b) {
  return a.order == b.order && a.n_padded_to == b.n_padded_to && a.rows_of_block == b.rows_of_block;
}

/// Calls `use` with warps that convert from Source to Target, where the layouts are like those and the warps take the
/// sizes.
template <class Source, class Target, class Use>
bool use_of_pair(const ConvertArguments& a, Use& use) {
  if constexpr (std::is_same_v<Source, Target>) {
    return false;
  } else {
    using From = typename Source::Layout;
    using To = typename Target::Layout;
    using Warp = ConvertWarp<From, To, Source::count, Target::count>;
    if (!is_alike(*a.source, From::row) || !is_alike(*a.target, To::row) || !Warp::takes(a)) return false;
    const Warp warp(a);
    use(warp, warp.warps());
    return true;
  }
}

template <class... Sources, class... Targets, class Use>
bool use_of_pairs(const ConvertArguments& a, List<Sources...>, List<Targets...>, Use& use) {
  const auto from = [&]<class Source>() { return (use_of_pair<Source, Targets>(a, use) || ...); };
  return (from.template operator()<Sources>() || ...);
}

/// Calls `use` with what a conversion runs, and how many of it; not at all where there is nothing to convert.
template <class Use>
void with_kernel(const ConvertArguments& a, Use use) {
  if (a.experts == 0 || a.n == 0 || a.k == 0) return;
  if (use_of_pairs(a, OfTensorCores(), OfTensorCores(), use) || use_of_pairs(a, OfTensorCores(), Others(), use) ||
      use_of_pairs(a, Others(), OfTensorCores(), use)) {
    return;
  }
  const AnyThread thread(a);
  use(thread, thread.threads());
}

/// Pack is convert from plain.
ConvertArguments converting(const PackArguments& a) {
  const Layout& target = a.inner_k_tiles == 2 ? Tinygemm2::row : a.inner_k_tiles == 4 ? Tinygemm4::row : Tinygemm8::row;
  return {a.codes, a.packed, &Plain::row, &target, a.n, a.k, a.experts};
}

template <class Use>
void with_kernel(const PackArguments& a, Use use) {
  with_kernel(converting(a), use);
}

}  // namespace

TILEPROOF_DEFINE_OPERATION(pack, PackArguments)
TILEPROOF_DEFINE_OPERATION(convert, ConvertArguments)

#if !defined(__CUDACC__)
bool is_by_warps(const ConvertArguments& a) {
  return is_kernel_of_warps([&](auto use) { with_kernel(a, use); });
}
#endif

}  // namespace tileproof::kernels
