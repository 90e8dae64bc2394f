/// Warps: the lanes that run together and may exchange words.
#pragma once

#include <cstdint>

namespace tileproof::kernels {

inline constexpr int lane_bits = 5;  // that tell the lanes of a warp apart
inline constexpr int lanes_of_warp = 1 << lane_bits;

/// How many warps an operation has.
struct Warps {
  std::int64_t count;
  explicit operator std::int64_t() const { return count; }
};

}  // namespace tileproof::kernels
