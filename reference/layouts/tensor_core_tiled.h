/// tinygemm's layout: where each int4 weight of a matrix lives once it is packed for the tensor core.
///
/// A matrix of n rows and k columns is cut into n-tiles of 8 rows and k-tiles of 16 columns. inner_k_tiles k-tiles of
/// one n-tile are stored together, as a supertile: 32 lanes of inner_k_tiles / 2 words of eight codes.
///
///   packed int32 [ceil(n / 8)][k / (16 * inner_k_tiles)][32 lanes][inner_k_tiles / 2]
///
/// A word is two consecutive B fragments of the tensor-core instruction mma.m16n8k16. Within a k-tile, lane t holds row
/// t / 4 and the four columns 2 * (t % 4) + {0, 1, 8, 9}. The eight codes of a word, first k-tile first, are
/// interleaved so that shifting by 4 * i and masking with 0x000f000f leaves two neighbouring columns in the two halves
/// of a register. Rows past n in the last n-tile are packed as code 0.
///
/// Source: PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type", multiplicand B (k x n, 16 x 8);
/// aten::_convert_weight_to_int4pack for the padding.
#pragma once

#include "reference/layouts/layout.h"

namespace tileproof::reference {

/// Where a code lives: a 32-bit word of the packed matrix, and the nibble 0..7 in it, 0 = least significant.
struct Place {
  std::int64_t word;
  int nibble;
  constexpr bool operator==(const Place&) const = default;
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

/// The layout tinygemm-2, tinygemm-4 or tinygemm-8.
template <int inner_k_tiles>
struct TensorCoreTiled {
  static_assert(inner_k_tiles == 2 || inner_k_tiles == 4 || inner_k_tiles == 8);

  static constexpr char name[] = {'t', 'i', 'n', 'y', 'g', 'e', 'm', 'm', '-', '0' + inner_k_tiles, '\0'};
  static constexpr Multiples legal = {.n = 1, .k = columns_of_tile * inner_k_tiles};
  using Storage = std::uint32_t;
  static constexpr char dtype[] = "int32";
  static constexpr const char* dims_text = inner_k_tiles == 2   ? "[ceil(n/8)][k/32][32][1]"
                                           : inner_k_tiles == 4 ? "[ceil(n/8)][k/64][32][2]"
                                                                : "[ceil(n/8)][k/128][32][4]";
  static constexpr int padding_code = 0;
  static constexpr Multiples padded_to = {.n = rows_of_tile};

  static constexpr Dims dims(Size size) {
    return {(size.n + rows_of_tile - 1) / rows_of_tile, size.k / (columns_of_tile * inner_k_tiles), lanes_of_tile,
            inner_k_tiles / 2};
  }

  static constexpr std::int64_t slot_of(Element element, Size size) {
    const Place place = place_of(element.n, element.k, size.k, inner_k_tiles);
    return place.word * codes_of_word + place.nibble;
  }

  static constexpr std::optional<Element> element_at(std::int64_t slot, Size size) {
    const Element element = reference::element_at(place_at(slot), size.k, inner_k_tiles);
    if (element.n >= size.n) return std::nullopt;  // a row past the end of the last n-tile
    return element;
  }

  static constexpr Coordinates coordinates(std::int64_t slot, Size size) {
    const Place place = place_at(slot);
    const Element element = reference::element_at(place, size.k, inner_k_tiles);
    return {Coordinate{"n-tile", element.n / rows_of_tile}, Coordinate{"k-tile", element.k / columns_of_tile},
            Coordinate{"lane", place.word / (inner_k_tiles / 2) % lanes_of_tile}, Coordinate{"word", place.word},
            Coordinate{"nibble", place.nibble}};
  }

  /// Sixteen columns from a k-tile's first on lie in four neighbouring lanes.
  static constexpr int run_columns = columns_of_tile;
  static constexpr int slot_from_first(int column) {
    const int lane = column % 8 / 2;
    const int nibble = column % 2 * 4 + column / 8;
    return lane * (inner_k_tiles / 2) * codes_of_word + nibble;
  }

  /// A supertile.
  static constexpr Size block = {rows_of_tile, columns_of_tile* inner_k_tiles};

 private:
  static constexpr Place place_at(std::int64_t slot) {
    return {slot / codes_of_word, static_cast<int>(slot % codes_of_word)};
  }
};

namespace shown_before_anything_runs {

// clang evaluates a million steps for one assertion, so each has its own.
static_assert(IsLayout<TensorCoreTiled<4>> && HasRuns<TensorCoreTiled<4>>);
static_assert(is_bijection<TensorCoreTiled<2>>({16, 64}));
static_assert(is_bijection<TensorCoreTiled<4>>({16, 128}));
static_assert(is_bijection<TensorCoreTiled<8>>({11, 256}));
static_assert(is_bijection<TensorCoreTiled<2>>({9, 64}) && slots<TensorCoreTiled<2>>({9, 64}) == 16 * 64);
static_assert(is_bijection<TensorCoreTiled<4>>({0, 64}) && is_bijection<TensorCoreTiled<8>>({8, 0}));
static_assert(runs_are_as_specified<TensorCoreTiled<2>>({16, 64}));
static_assert(runs_are_as_specified<TensorCoreTiled<4>>({9, 128}));
static_assert(runs_are_as_specified<TensorCoreTiled<8>>({9, 256}));
static_assert(blocks_are_as_specified<TensorCoreTiled<2>>({9, 96}));
static_assert(blocks_are_as_specified<TensorCoreTiled<4>>({9, 128}));
static_assert(blocks_are_as_specified<TensorCoreTiled<8>>({9, 256}));
static_assert(padded<TensorCoreTiled<4>>({9, 128}) == Size{16, 128});

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
