/// Two codes a byte, row by row: uint8 [n][k / 2].
///
///   plain   the even column in the HIGH nibble; pack takes its codes so
///   mxfp4   the even column in the low nibble
///
/// Source: aten::_convert_weight_to_int4pack, whose input plain is on CUDA; bytes recorded from torchao and
/// compressed-tensors, see plain_test.cpp.
#pragma once

#include "reference/layouts/layout.h"

namespace tileproof::reference {

/// @tparam of_even  the nibble of the even column
template <int of_even>
struct Pairs {
  static constexpr Multiples legal = {.n = 1, .k = 2};
  using Storage = std::uint8_t;
  static constexpr char dtype[] = "uint8";
  static constexpr char dims_text[] = "[n][k/2]";
  static constexpr int padding_code = 0;  // there is none

  static constexpr Dims dims(Size size) { return {size.n, size.k / 2}; }

  static constexpr std::int64_t slot_of(Element element, Size size) {
    const std::int64_t byte = element.n * (size.k / 2) + element.k / 2;
    return byte * 2 + (element.k + of_even) % 2;
  }

  static constexpr std::optional<Element> element_at(std::int64_t slot, Size size) {
    return Element{slot / size.k, slot % size.k / 2 * 2 + (slot % 2 == of_even ? 0 : 1)};
  }

  static constexpr Coordinates coordinates(std::int64_t slot, Size) {
    return {Coordinate{"byte", slot / 2}, Coordinate{"nibble", slot % 2}};
  }

  static constexpr int run_columns = 16;
  static constexpr int slot_from_first(int column) {
    return column / 2 * 2 + (of_even == 0 ? column % 2 : -(column % 2));
  }
};

struct Plain : Pairs<1> {
  static constexpr char name[] = "plain";
};

struct Mxfp4 : Pairs<0> {
  static constexpr char name[] = "mxfp4";
};

struct Nvfp4 : Pairs<0> {
  static constexpr char name[] = "nvfp4";
};

namespace shown_before_anything_runs {
static_assert(IsLayout<Plain> && HasRuns<Plain> && IsLayout<Mxfp4> && HasRuns<Mxfp4>);
static_assert(is_bijection<Mxfp4>({3, 10}) && runs_are_as_specified<Mxfp4>({3, 48}));
static_assert(Mxfp4::slot_of({0, 0}, {2, 4}) == 0 && Mxfp4::slot_of({1, 1}, {2, 4}) == 5);
static_assert(is_bijection<Plain>({0, 2}) && is_bijection<Plain>({3, 0}) && is_bijection<Plain>({1, 2}));
static_assert(is_bijection<Plain>({3, 10}));
static_assert(runs_are_as_specified<Plain>({3, 48}) && runs_are_as_specified<Plain>({3, 10}));
static_assert(Plain::slot_of({0, 0}, {2, 4}) == 1);  // the high nibble of byte 0
static_assert(Plain::slot_of({0, 1}, {2, 4}) == 0);
static_assert(Plain::slot_of({0, 2}, {2, 4}) == 3);
static_assert(Plain::slot_of({1, 0}, {2, 4}) == 5);
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
