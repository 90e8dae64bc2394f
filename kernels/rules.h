/// The rules about the numbers of a call, each beside the words for what is legal.
///
/// The launchers' refusals (arguments.h) and the PyTorch operators' (operator_rules.h) both ask here. Templates,
/// because a compiler's symbolic sizes obey the same rules; `Asked` is how such a number answers.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace tileproof::kernels {

/// How a rule asks about numbers. A symbolic integer has a specialisation of its own, beside the code that knows it.
template <class Int>
struct Asked;

template <>
struct Asked<std::int64_t> {
  static bool equal(std::int64_t a, std::int64_t b) { return a == b; }
  static bool at_most(std::int64_t a, std::int64_t b) { return a <= b; }
  /// The number itself, or nothing if it is not known yet.
  static std::optional<std::int64_t> known(std::int64_t a) { return a; }
  static std::string text(std::int64_t a) { return std::to_string(a); }
};

inline constexpr char legal_inner_k_tiles[] = "2, 4 or 8";
inline bool is_inner_k_tiles(std::int64_t inner_k_tiles) {
  return inner_k_tiles == 2 || inner_k_tiles == 4 || inner_k_tiles == 8;
}

inline constexpr char legal_k[] = "a multiple of 16 * inner_k_tiles";
template <class Int>
bool is_k(const Int& k, std::int64_t inner_k_tiles) {
  return Asked<Int>::at_most(0, k) && Asked<Int>::equal(k % (16 * inner_k_tiles), 0);
}

inline constexpr char legal_group_size[] = "a positive multiple of 16 that divides k";
template <class Int>
bool is_group_size(const Int& group_size, const Int& k) {
  using Ask = Asked<Int>;
  return Ask::at_most(1, group_size) && Ask::equal(group_size % 16, 0) && Ask::equal(k % group_size, 0);
}

/// Whether n rows fill so many n-tiles, the last at least in part.
template <class Int>
bool is_n_tiles(const Int& n_tiles, const Int& n) {
  return Asked<Int>::at_most(n, n_tiles * 8) && Asked<Int>::at_most(n_tiles * 8, n + 7);
}

/// The most elements that are addressed in 64 bits: eight rows of the last n-tile and eight bytes an element come on
/// top.
inline constexpr std::int64_t most_elements = std::numeric_limits<std::int64_t>::max() / 64;

inline constexpr char legal_elements[] = "experts * n * k within 64 bits";
/// Of sizes that are not negative. What is not known cannot be too large: the allocation will tell.
template <class Int>
bool is_addressable(const Int& experts, const Int& n, const Int& k) {
  const auto known_experts = Asked<Int>::known(experts), known_n = Asked<Int>::known(n), known_k = Asked<Int>::known(k);
  if (!known_experts || !known_n || !known_k) return true;
  if (*known_n > most_elements || *known_k > most_elements / (*known_n + 8)) return false;
  return *known_experts <= 1 || *known_experts <= most_elements / ((*known_n + 8) * (*known_k > 0 ? *known_k : 1));
}

}  // namespace tileproof::kernels
