/// Pack, unpack and dequantize of whole matrices: the specification of the three operations, as loops over the tile
/// map.
///
/// Codes before packing are uint8 [n][k / 2], the even column in the HIGH nibble. Rows past n in the last n-tile are
/// packed as code 0. Scales, zeros and outputs are bits, in the low bits of the element type that the caller chose.
/// Source: aten::_convert_weight_to_int4pack; the tile map's sources.
#pragma once

#include <cassert>
#include <cstdint>

#include "reference/dequantize.h"
#include "reference/tile_map.h"

namespace tileproof::reference {

/// Code (n, k) of a matrix of pairs uint8 [n][k_total / 2].
constexpr int code_of_pairs(const std::uint8_t* pairs, std::int64_t n, std::int64_t k, std::int64_t k_total) {
  const std::uint8_t pair = pairs[n * (k_total / 2) + k / 2];
  return k % 2 == 0 ? pair >> 4 : pair & 15;
}

/// Code (n, k) of a packed matrix.
constexpr int code_of_packed(const std::uint32_t* packed, std::int64_t n, std::int64_t k, std::int64_t k_total,
                             int inner_k_tiles) {
  const Place place = place_of(n, k, k_total, inner_k_tiles);
  return static_cast<int>(packed[place.word] >> (4 * place.nibble) & 15);
}

/// @param pairs   uint8 [n][k / 2]
/// @param packed  words_of(n, k) words, all written
constexpr void pack(const std::uint8_t* pairs, std::int64_t n, std::int64_t k, int inner_k_tiles,
                    std::uint32_t* packed) {
  assert(is_legal(n, k, inner_k_tiles));
  for (std::int64_t word = 0; word < words_of(n, k); ++word) packed[word] = 0;
  for (std::int64_t row = 0; row < n; ++row) {
    for (std::int64_t column = 0; column < k; ++column) {
      const Place place = place_of(row, column, k, inner_k_tiles);
      packed[place.word] |= static_cast<std::uint32_t>(code_of_pairs(pairs, row, column, k)) << (4 * place.nibble);
    }
  }
}

/// @param codes  int32 [n][k]
constexpr void unpack(const std::uint32_t* packed, std::int64_t n, std::int64_t k, int inner_k_tiles,
                      std::int32_t* codes) {
  assert(is_legal(n, k, inner_k_tiles));
  for (std::int64_t row = 0; row < n; ++row) {
    for (std::int64_t column = 0; column < k; ++column) {
      codes[row * k + column] = code_of_packed(packed, row, column, k, inner_k_tiles);
    }
  }
}

/// Float domain.
/// @param scales_and_zeros  [k / group_size][n][2], scale first
/// @param weights           [n][k]
template <class Bits>
constexpr void dequantize_float(FloatFormat format, const std::uint32_t* packed, const Bits* scales_and_zeros,
                                std::int64_t n, std::int64_t k, std::int64_t group_size, int inner_k_tiles,
                                Bits* weights) {
  assert(is_legal(n, k, inner_k_tiles) && group_size > 0 && k % group_size == 0);
  for (std::int64_t row = 0; row < n; ++row) {
    for (std::int64_t column = 0; column < k; ++column) {
      const Bits* scale_and_zero = scales_and_zeros + (column / group_size * n + row) * 2;
      const int code = code_of_packed(packed, row, column, k, inner_k_tiles);
      weights[row * k + column] =
          static_cast<Bits>(dequantized_float(format, code, scale_and_zero[0], scale_and_zero[1]));
    }
  }
}

/// Integer domain.
/// @param scales       [k / group_size][n]
/// @param zero_points  int8 [k / group_size][n]
template <class Bits>
constexpr void dequantize_integer(FloatFormat format, const std::uint32_t* packed, const Bits* scales,
                                  const std::int8_t* zero_points, std::int64_t n, std::int64_t k,
                                  std::int64_t group_size, int inner_k_tiles, Bits* weights) {
  assert(is_legal(n, k, inner_k_tiles) && group_size > 0 && k % group_size == 0);
  for (std::int64_t row = 0; row < n; ++row) {
    for (std::int64_t column = 0; column < k; ++column) {
      const std::int64_t group = column / group_size * n + row;
      const int code = code_of_packed(packed, row, column, k, inner_k_tiles);
      weights[row * k + column] =
          static_cast<Bits>(dequantized_integer(format, code, scales[group], zero_points[group]));
    }
  }
}

/// No zero point.
/// @param scales  [k / group_size][n]
template <class Bits>
constexpr void dequantize_none(FloatFormat format, const std::uint32_t* packed, const Bits* scales, std::int64_t n,
                               std::int64_t k, std::int64_t group_size, int inner_k_tiles, Bits* weights) {
  assert(is_legal(n, k, inner_k_tiles) && group_size > 0 && k % group_size == 0);
  for (std::int64_t row = 0; row < n; ++row) {
    for (std::int64_t column = 0; column < k; ++column) {
      const int code = code_of_packed(packed, row, column, k, inner_k_tiles);
      weights[row * k + column] =
          static_cast<Bits>(dequantized_none(format, code, scales[column / group_size * n + row]));
    }
  }
}

}  // namespace tileproof::reference
