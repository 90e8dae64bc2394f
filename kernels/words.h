/// The words a kernel is written in. nvcc takes CUDA's own; a host compiler takes the same few, so that the same source
/// runs as a loop under sanitizers, in CI, and as the operators' CPU implementation.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#include "words_cuda.h"
#else
#include "words_host.h"
#endif

namespace tileproof::kernels {

/// a / b for a >= 0, b > 0: a 64-bit division costs a GPU some seventy instructions, and nearly every matrix fits 32
/// bits.
TILEPROOF_WORD std::int64_t quotient_of(std::int64_t a, std::int64_t b) {
  if ((a | b) >> 32 == 0) return static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b);
  return a / b;
}

/// Calls `use` with what a kernel knows at compile time: inner_k_tiles, one of 2, 4 and 8, and whether there are more
/// experts than one.
template <class Use>
auto with_inner_k_tiles(std::int64_t inner_k_tiles, std::int64_t experts, Use use) {
  const auto with = [&]<bool is_batch>() {
    if (inner_k_tiles == 2) return use.template operator()<2, is_batch>();
    if (inner_k_tiles == 4) return use.template operator()<4, is_batch>();
    return use.template operator()<8, is_batch>();
  };
  return experts == 1 ? with.template operator()<false>() : with.template operator()<true>();
}

}  // namespace tileproof::kernels
