/// The tile map: where each int4 weight of a matrix lives once it is packed for the tensor core.
///
/// A matrix of n rows and k columns is cut into n-tiles of 8 rows and k-tiles of 16 columns. inner_k_tiles k-tiles of
/// one n-tile are stored together, as a supertile: 32 lanes of inner_k_tiles / 2 words of eight codes.
///
///   packed int32 [ceil(n / 8)][k / (16 * inner_k_tiles)][32 lanes][inner_k_tiles / 2]
///
/// A word is two consecutive B fragments of the tensor-core instruction mma.m16n8k16. Within a k-tile, lane t holds row
/// t / 4 and the four columns 2 * (t % 4) + {0, 1, 8, 9}. The eight codes of a word, first k-tile first, are
/// interleaved so that shifting by 4 * i and masking with 0x000f000f leaves two neighbouring columns in the two halves
/// of a register.
///
/// Source: PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type", multiplicand B (k x n, 16 x 8).
#pragma once

#include <cstdint>

namespace tileproof::reference {

/// Where a code lives: a 32-bit word of the packed matrix, and the nibble 0..7 in it, 0 = least significant.
struct Place {
  std::int64_t word;
  int nibble;
  constexpr bool operator==(const Place&) const = default;
};

/// Which element of the unpacked matrix a code is: row n, column k.
struct Element {
  std::int64_t n;
  std::int64_t k;
  constexpr bool operator==(const Element&) const = default;
};

inline constexpr int rows_of_tile = 8;
inline constexpr int columns_of_tile = 16;
inline constexpr int lanes_of_tile = 32;
inline constexpr int codes_of_word = 8;

/// @return whether a matrix may be packed so: inner_k_tiles is 2, 4 or 8, and k whole supertiles; n is free.
constexpr bool is_legal(std::int64_t n, std::int64_t k, int inner_k_tiles) {
  return n >= 0 && k >= 0 && (inner_k_tiles == 2 || inner_k_tiles == 4 || inner_k_tiles == 8) &&
         k % (columns_of_tile * inner_k_tiles) == 0;
}

/// @return the 32-bit words of a packed matrix; rows past n in the last n-tile are stored too.
constexpr std::int64_t words_of(std::int64_t n, std::int64_t k) {
  return (n + rows_of_tile - 1) / rows_of_tile * rows_of_tile * k / codes_of_word;
}

/// Where code (n, k) lives in a packed matrix.
/// @param n        row, 0 <= n < 8 * n_tiles
/// @param k        column, 0 <= k < k_total
/// @param k_total  columns of the matrix, a multiple of 16 * inner_k_tiles
constexpr Place place_of(std::int64_t n, std::int64_t k, std::int64_t k_total, int inner_k_tiles) {
  const std::int64_t supertiles_of_row = k_total / (columns_of_tile * inner_k_tiles);
  const std::int64_t k_tile = k / columns_of_tile;
  const std::int64_t supertile = n / rows_of_tile * supertiles_of_row + k_tile / inner_k_tiles;
  const int column = static_cast<int>(k % columns_of_tile);
  const int lane = static_cast<int>(n % rows_of_tile) * 4 + column % 8 / 2;
  const int word_of_lane = static_cast<int>(k_tile % inner_k_tiles) / 2;
  // The word's eight codes in the order: k-tile, then column 2 * (lane % 4) + {0, 1, 8, 9}.
  const int value = static_cast<int>(k_tile % 2) * 4 + column / 8 * 2 + column % 2;
  constexpr int nibble_of_value[codes_of_word] = {0, 4, 1, 5, 2, 6, 3, 7};
  return {(supertile * lanes_of_tile + lane) * (inner_k_tiles / 2) + word_of_lane, nibble_of_value[value]};
}

/// Which element lives at a place: the inverse of place_of, derived from the storage order rather than from place_of.
constexpr Element element_at(Place place, std::int64_t k_total, int inner_k_tiles) {
  const int words_of_lane = inner_k_tiles / 2;
  const int word_of_lane = static_cast<int>(place.word % words_of_lane);
  const int lane = static_cast<int>(place.word / words_of_lane % lanes_of_tile);
  const std::int64_t supertile = place.word / words_of_lane / lanes_of_tile;
  const std::int64_t supertiles_of_row = k_total / (columns_of_tile * inner_k_tiles);
  const int half_word = place.nibble / 4;  // the upper half holds the odd columns
  const int fragment_of_word = place.nibble % 4 / 2;
  const int column = 2 * (lane % 4) + half_word + place.nibble % 2 * 8;
  const std::int64_t k_tile = supertile % supertiles_of_row * inner_k_tiles + word_of_lane * 2 + fragment_of_word;
  return {supertile / supertiles_of_row * rows_of_tile + lane / 4, k_tile * columns_of_tile + column};
}

namespace shown_before_anything_runs {

/// Every place of two n-tiles by two supertiles is taken by exactly one element, and element_at finds it again.
constexpr bool tile_map_is_a_bijection(int inner_k_tiles) {
  constexpr std::int64_t n_total = 16;
  const std::int64_t k_total = 2 * columns_of_tile * inner_k_tiles;
  bool taken[n_total * 2 * columns_of_tile * 8] = {};
  for (std::int64_t n = 0; n < n_total; ++n) {
    for (std::int64_t k = 0; k < k_total; ++k) {
      const Place place = place_of(n, k, k_total, inner_k_tiles);
      const std::int64_t slot = place.word * codes_of_word + place.nibble;
      if (place.nibble < 0 || place.nibble >= codes_of_word || slot < 0 || slot >= n_total * k_total) return false;
      if (taken[slot] || element_at(place, k_total, inner_k_tiles) != Element{n, k}) return false;
      taken[slot] = true;
    }
  }
  return words_of(n_total, k_total) * codes_of_word == n_total * k_total;
}
static_assert(tile_map_is_a_bijection(2) && tile_map_is_a_bijection(4) && tile_map_is_a_bijection(8));

// Golden positions, worked out by hand from the fragment tables of the PTX ISA.
static_assert(place_of(0, 0, 64, 2) == Place{0, 0});      // lane 0, b0
static_assert(place_of(0, 1, 64, 2) == Place{0, 4});      // lane 0, b1
static_assert(place_of(0, 8, 64, 2) == Place{0, 1});      // lane 0, b2
static_assert(place_of(0, 9, 64, 2) == Place{0, 5});      // lane 0, b3
static_assert(place_of(0, 16, 64, 2) == Place{0, 2});     // the second fragment of the word
static_assert(place_of(0, 25, 64, 2) == Place{0, 7});     // its b3
static_assert(place_of(0, 2, 64, 2) == Place{1, 0});      // lane 1
static_assert(place_of(1, 0, 64, 2) == Place{4, 0});      // row 1 starts at lane 4
static_assert(place_of(0, 32, 64, 2) == Place{32, 0});    // the second supertile of a row
static_assert(place_of(8, 0, 64, 2) == Place{64, 0});     // the second n-tile, past two supertiles
static_assert(place_of(0, 32, 64, 4) == Place{1, 0});     // the second word of lane 0
static_assert(place_of(7, 63, 64, 4) == Place{63, 7});    // the last code of a supertile
static_assert(place_of(3, 2, 128, 8) == Place{52, 0});    // lane 13 of four words each
static_assert(place_of(0, 127, 128, 8) == Place{15, 7});  // lane 3, fourth word

}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
