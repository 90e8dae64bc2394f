/// The rules about the numbers of a call, each beside the words for what is legal.
///
/// The launchers' refusals (arguments.h) and the PyTorch operators' (operator_rules.h) both ask here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace tileproof::kernels {

inline constexpr char legal_inner_k_tiles[] = "2, 4 or 8";
inline bool is_inner_k_tiles(std::int64_t inner_k_tiles) {
  return inner_k_tiles == 2 || inner_k_tiles == 4 || inner_k_tiles == 8;
}

inline constexpr char legal_k[] = "a multiple of 16 * inner_k_tiles";
inline bool is_k(std::int64_t k, std::int64_t inner_k_tiles) { return k >= 0 && k % (16 * inner_k_tiles) == 0; }

inline constexpr char legal_group_size[] = "a positive multiple of 16 that divides k";
inline bool is_group_size(std::int64_t group_size, std::int64_t k) {
  return group_size >= 1 && group_size % 16 == 0 && k % group_size == 0;
}

/// Whether n rows fill so many n-tiles, the last at least in part.
inline bool is_n_tiles(std::int64_t n_tiles, std::int64_t n) { return n <= n_tiles * 8 && n_tiles * 8 <= n + 7; }

/// The most elements that are addressed in 64 bits: eight rows of the last n-tile and eight bytes an element come on
/// top.
inline constexpr std::int64_t most_elements = std::numeric_limits<std::int64_t>::max() / 64;

inline constexpr char legal_elements[] = "experts * n * k within 64 bits";
/// @param experts, n, k  not negative
inline bool is_addressable(std::int64_t experts, std::int64_t n, std::int64_t k) {
  if (n > most_elements || k > most_elements / (n + 8)) return false;
  return experts <= 1 || experts <= most_elements / ((n + 8) * std::max<std::int64_t>(k, 1));
}

}  // namespace tileproof::kernels
