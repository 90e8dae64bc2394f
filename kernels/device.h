/// CUDA's types and intrinsics that the kernels use. nvcc takes CUDA's own; a host compiler takes the same few in C++,
/// so that the same source runs as a loop under sanitizers, in CI, and as the operators' CPU implementation.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#include "kernels/device_cuda.h"
#else
#include "kernels/device_host.h"
#endif

namespace tileproof::kernels {

/// Division, of numbers that are not negative, by one that a launch knows. 64 bits cost a GPU some seventy
/// instructions, 32 bits twenty, and this four, where both numbers are below 2^31 as of nearly every matrix. With the
/// least l such that divisor <= 2^l, and m = ceil(2^(31 + l) / divisor), which 32 bits hold: m * a / 2^(31 + l) exceeds
/// a / divisor by less than a * 2^l / (divisor * 2^(31 + l)) < 1 / divisor, and so never reaches the next whole number.
struct FastDivmod {
  std::int64_t divisor;
  std::uint32_t multiplier = 0;  // 0 where the divisor is too large
  int shift = 31;

  explicit FastDivmod(std::int64_t number) : divisor(number) {
    if (number <= 0 || number >> 31 != 0) return;
    while (std::int64_t{1} << (shift - 31) < number) ++shift;
    multiplier = static_cast<std::uint32_t>(((std::int64_t{1} << shift) + number - 1) / number);
  }

  TILEPROOF_HOST_DEVICE std::int64_t quotient(std::int64_t a) const {
    if (multiplier == 0 || a >> 31 != 0) return a / divisor;
    return static_cast<std::int64_t>((static_cast<std::uint64_t>(static_cast<std::uint32_t>(a)) * multiplier) >> shift);
  }
};

/// Calls `use` with the type of weights.
template <class Use>
void with_type(Type type, Use use) {
  if (type == Type::bf16) return use(Bf16());
  if (type == Type::fp16) return use(Fp16());
  use(Fp32());
}

/// Calls `use` with the constant inner_k_tiles, one of 2, 4 and 8.
template <class Use>
void with_inner_k_tiles(std::int64_t inner_k_tiles, Use use) {
  if (inner_k_tiles == 2) return use.template operator()<2>();
  if (inner_k_tiles == 4) return use.template operator()<4>();
  use.template operator()<8>();
}

}  // namespace tileproof::kernels
