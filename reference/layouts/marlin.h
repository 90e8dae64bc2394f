/// Marlin: GPTQ's and AWQ's weights, moved to where the tensor cores' lanes load them.
///
///   packed int32 [k / 16][2 * n], in tiles of 16 k by 64 n, 128 words each
///
/// A word of a tile belongs to one of 32 lanes, which has four, and holds four k of two n: as tinygemm's words, lane
/// for lane, the fragments of two n-tiles of one k-tile (operand B of the tensor-core instruction m16n8k16).
///
/// Scales are [k / group_size][n], and zero points, packed, int32 [k / group_size][n / 8]: the columns of both lie in
/// an order that gives a lane the neighbours that it needs, of which scales have another one where a matrix has one
/// group a row.
///
/// Source: bytes recorded from vLLM's repacking, see marlin_test.cpp.
#pragma once

#include "reference/layouts/layout.h"

namespace tileproof::reference {

struct Marlin {
  static constexpr char name[] = "marlin";
  static constexpr Multiples legal = {.n = 64, .k = 16};
  using Storage = std::uint32_t;
  static constexpr char dtype[] = "int32";
  static constexpr char dims_text[] = "[k/16][2*n]";
  static constexpr int padding_code = 0;  // there is none

  static constexpr Dims dims(Size size) { return {size.k / 16, 2 * size.n}; }

  static constexpr std::int64_t slot_of(Element element, Size size) {
    const std::int64_t i = element.k % 16, j = element.n % 64;  // in the tile
    const std::int64_t tile = element.k / 16 * (size.n / 64) + element.n / 64;
    const std::int64_t lane = j % 8 * 4 + i % 8 / 2;
    return tile * 1024 + lane * 32 + j / 16 * 8 + slot_in_word(i, j);
  }

  static constexpr std::optional<Element> element_at(std::int64_t slot, Size size) {
    const std::int64_t word = slot / 8, nibble = slot % 8;
    const std::int64_t k_tile = word / (2 * size.n), of_row = word % (2 * size.n);
    const std::int64_t lane = of_row % 128 / 4;
    return Element{of_row / 128 * 64 + of_row % 4 * 16 + nibble / 2 % 2 * 8 + lane / 4,
                   k_tile * 16 + nibble % 2 * 8 + lane % 4 * 2 + nibble / 4};
  }

  static constexpr Coordinates coordinates(std::int64_t slot, Size size) {
    const std::int64_t tile = slot / 1024, of_row = size.n / 64;
    return {Coordinate{"k-tile", tile / of_row}, Coordinate{"tile of the row", tile % of_row},
            Coordinate{"lane", slot % 1024 / 32}, Coordinate{"word", slot / 8}, Coordinate{"nibble", slot % 8}};
  }

  static constexpr int run_columns = 16;
  static constexpr int slot_from_first(int column) {
    return column % 8 / 2 * 32 + static_cast<int>(slot_in_word(column, 0));
  }

 private:
  /// k and k + 8 lie side by side, n and n + 8 two nibbles apart, k and k + 1 four.
  static constexpr std::int64_t slot_in_word(std::int64_t i, std::int64_t j) {
    return i % 2 * 4 + j / 8 % 2 * 2 + i / 8;
  }
};

/// Zero points, as a matrix where k stands for the groups of a row.
struct MarlinZeros {
  static constexpr char name[] = "marlin's zeros";
  static constexpr Multiples legal = {.n = 64, .k = 1};
  using Storage = std::uint32_t;
  static constexpr char dtype[] = "int32";
  static constexpr char dims_text[] = "[k][n/8]";
  static constexpr int padding_code = 0;

  static constexpr Dims dims(Size size) { return {size.k, size.n / 8}; }

  static constexpr std::int64_t slot_of(Element element, Size size) {
    constexpr int nibble_of_eight[] = {0, 4, 1, 5, 2, 6, 3, 7};
    const std::int64_t j = element.n % 64;
    return element.k * size.n + element.n / 64 * 64 + j % 8 * 8 + nibble_of_eight[j / 8];
  }

  static constexpr std::optional<Element> element_at(std::int64_t slot, Size size) {
    const std::int64_t column = slot % size.n, nibble = slot % 8;
    const std::int64_t eight = nibble % 4 * 2 + nibble / 4;  // which eight columns of the 64
    return Element{column / 64 * 64 + eight * 8 + column % 64 / 8, slot / size.n};
  }

  static constexpr Coordinates coordinates(std::int64_t slot, Size) {
    return {Coordinate{"word", slot / 8}, Coordinate{"nibble", slot % 8}};
  }
};

namespace shown_before_anything_runs {
static_assert(IsLayout<Marlin> && HasRuns<Marlin> && IsLayout<MarlinZeros>);
static_assert(is_bijection<Marlin>({0, 16}) && is_bijection<Marlin>({64, 0}) && is_bijection<Marlin>({128, 32}));
static_assert(runs_are_as_specified<Marlin>({128, 48}));
static_assert(is_bijection<MarlinZeros>({128, 3}));
static_assert(Marlin::slot_of({0, 1}, {64, 16}) == 4 && Marlin::slot_of({0, 8}, {64, 16}) == 1);
static_assert(Marlin::slot_of({8, 0}, {64, 16}) == 2 && Marlin::slot_of({16, 0}, {64, 16}) == 8);
static_assert(Marlin::slot_of({1, 0}, {64, 16}) == 128 && Marlin::slot_of({0, 2}, {64, 16}) == 32);
static_assert(Marlin::slot_of({64, 0}, {128, 32}) == 1024 && Marlin::slot_of({0, 16}, {128, 32}) == 2048);
static_assert(MarlinZeros::slot_of({8, 0}, {64, 1}) == 4 && MarlinZeros::slot_of({1, 1}, {64, 2}) == 72);
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
