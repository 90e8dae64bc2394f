/// Flat: two codes a byte, of all elements one after another, the even one in the HIGH nibble. A row may begin in the
/// middle of a byte; an odd count leaves the last low nibble to the code whose weight is 0.
///
///   nf4, fp4   uint8 [ceil(n*k/2)][1]
///
/// Source: bytes recorded from bitsandbytes, see flat_test.cpp.
#pragma once

#include "reference/layouts/layout.h"

namespace tileproof::reference {

struct Flat {
  static constexpr Multiples legal = {};
  using Storage = std::uint8_t;
  static constexpr char dtype[] = "uint8";
  static constexpr char dims_text[] = "[ceil(n*k/2)][1]";

  static constexpr Dims dims(Size size) { return {(size.n * size.k + 1) / 2, 1}; }

  static constexpr std::int64_t slot_of(Element element, Size size) {
    const std::int64_t index = element.n * size.k + element.k;
    return index / 2 * 2 + 1 - index % 2;
  }

  static constexpr std::optional<Element> element_at(std::int64_t slot, Size size) {
    const std::int64_t index = slot % 2 == 0 ? slot + 1 : slot - 1;
    if (index >= size.n * size.k) return std::nullopt;
    return Element{index / size.k, index % size.k};
  }

  static constexpr Coordinates coordinates(std::int64_t slot, Size) {
    return {Coordinate{"byte", slot / 2}, Coordinate{"nibble", slot % 2}};
  }
};

struct Nf4 : Flat {
  static constexpr char name[] = "nf4";
  static constexpr int padding_code = 7;
};

struct Fp4 : Flat {
  static constexpr char name[] = "fp4";
  static constexpr int padding_code = 0;
};

namespace shown_before_anything_runs {
static_assert(IsLayout<Nf4> && IsLayout<Fp4> && !HasRuns<Nf4>);
static_assert(is_bijection<Nf4>({0, 3}) && is_bijection<Nf4>({1, 1}) && is_bijection<Nf4>({3, 5}));
static_assert(is_bijection<Nf4>({4, 16}));
static_assert(Nf4::slot_of({0, 0}, {2, 3}) == 1);  // the high nibble of byte 0
static_assert(Nf4::slot_of({1, 0}, {2, 3}) == 2);  // the fourth element: the low nibble of byte 1
static_assert(!Nf4::element_at(8, {3, 3}) && Nf4::element_at(9, {3, 3}) == Element{2, 2});
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
