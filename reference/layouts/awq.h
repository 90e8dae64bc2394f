/// AWQ's layout, of AutoAWQ's GEMM version: eight rows of one column a word, interleaved.
///
///   packed int32 [k][n / 8]
///
/// Nibble i of a word holds row 8 * c + {0, 2, 4, 6, 1, 3, 5, 7}[i] (a row of n x k is a column of the [k][n] that the
/// library stores), so that shifting by 4 * i and masking with 0x000f000f leaves two neighbours in the two halves of a
/// register. Zero points are packed alike, as a matrix of one column a group.
///
/// Source: bytes recorded from AutoAWQ and GPTQModel, see awq_test.cpp. AutoAWQ's packer takes n in multiples of 32;
/// GPTQModel's in multiples of 8, as the buffer's shape does.
#pragma once

#include "reference/layouts/layout.h"

namespace tileproof::reference {

struct Awq {
  static constexpr char name[] = "awq";
  static constexpr Multiples legal = {.n = 8, .k = 1};
  using Storage = std::uint32_t;
  static constexpr char dtype[] = "int32";
  static constexpr char dims_text[] = "[k][n/8]";
  static constexpr int padding_code = 0;  // there is none

  static constexpr Dims dims(Size size) { return {size.k, size.n / 8}; }

  static constexpr std::int64_t slot_of(Element element, Size size) {
    const std::int64_t word = element.k * (size.n / 8) + element.n / 8;
    const std::int64_t row = element.n % 8;  // the even ones in the low half, the odd ones in the high half
    return word * 8 + row % 2 * 4 + row / 2;
  }

  static constexpr std::optional<Element> element_at(std::int64_t slot, Size size) {
    constexpr int row_of_nibble[] = {0, 2, 4, 6, 1, 3, 5, 7};
    return Element{slot % size.n / 8 * 8 + row_of_nibble[slot % 8], slot / size.n};
  }

  static constexpr Coordinates coordinates(std::int64_t slot, Size) {
    return {Coordinate{"word", slot / 8}, Coordinate{"nibble", slot % 8}};
  }
};

namespace shown_before_anything_runs {
static_assert(IsLayout<Awq>);
static_assert(is_bijection<Awq>({0, 3}) && is_bijection<Awq>({8, 0}) && is_bijection<Awq>({8, 1}));
static_assert(is_bijection<Awq>({24, 5}));
static_assert(Awq::slot_of({1, 0}, {16, 2}) == 4);
static_assert(Awq::slot_of({2, 0}, {16, 2}) == 1);
static_assert(Awq::slot_of({8, 0}, {16, 2}) == 8);
static_assert(Awq::slot_of({7, 1}, {16, 2}) == 23);
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
