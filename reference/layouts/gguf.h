/// GGUF's blocks of 32 consecutive elements of a row, each with its parameters before its codes:
///
///   q4_0         18 bytes: fp16 d, then 16 bytes of codes
///   q4_1         20 bytes: fp16 d, fp16 m, then 16 bytes of codes
///   mxfp4-gguf   17 bytes: e8m0, then 16 bytes of codes
///
/// Element i of a block is in byte i % 16 of the codes, in nibble i / 16. The blocks of a row lie one behind the other.
///
/// Source: weights recorded from the gguf package, see gguf_test.cpp.
#pragma once

#include "reference/layouts/layout.h"

namespace tileproof::reference {

/// @tparam before  the bytes of a block before its codes
template <int before>
struct BlocksOf32 {
  static constexpr std::int64_t of_block = 32;  // elements
  static constexpr std::int64_t bytes_of_block = before + of_block / 2;
  static constexpr Multiples legal = {.n = 1, .k = of_block};
  using Storage = std::uint8_t;
  static constexpr char dtype[] = "uint8";
  static constexpr int padding_code = 0;  // of the bytes of parameters, where none are given

  static constexpr Dims dims(Size size) { return {size.n, size.k / of_block * bytes_of_block}; }

  static constexpr std::int64_t slot_of(Element element, Size size) {
    const std::int64_t block = element.n * (size.k / of_block) + element.k / of_block, i = element.k % of_block;
    return (block * bytes_of_block + before + i % 16) * 2 + i / 16;
  }

  static constexpr std::optional<Element> element_at(std::int64_t slot, Size size) {
    const std::int64_t byte = slot / 2, block = byte / bytes_of_block;
    const std::int64_t of_codes = byte - block * bytes_of_block - before;
    if (of_codes < 0) return std::nullopt;
    const std::int64_t of_row = size.k / of_block;
    return Element{block / of_row, block % of_row * of_block + slot % 2 * 16 + of_codes};
  }

  static constexpr Coordinates coordinates(std::int64_t slot, Size) {
    return {Coordinate{"block", slot / 2 / bytes_of_block}, Coordinate{"byte", slot / 2},
            Coordinate{"nibble", slot % 2}};
  }

  static constexpr int run_columns = 16;
  static constexpr int slot_from_first(int column) { return 2 * column; }
};

struct Q40 : BlocksOf32<2> {
  static constexpr char name[] = "q4_0";
  static constexpr char dims_text[] = "[n][k/32*18]";
};

struct Q41 : BlocksOf32<4> {
  static constexpr char name[] = "q4_1";
  static constexpr char dims_text[] = "[n][k/32*20]";
};

struct Mxfp4Gguf : BlocksOf32<1> {
  static constexpr char name[] = "mxfp4-gguf";
  static constexpr char dims_text[] = "[n][k/32*17]";
};

namespace shown_before_anything_runs {
static_assert(HasRuns<Q40> && HasRuns<Q41> && HasRuns<Mxfp4Gguf>);
static_assert(is_bijection<Q40>({0, 32}) && is_bijection<Q40>({3, 96}) && is_bijection<Q41>({2, 64}));
static_assert(is_bijection<Mxfp4Gguf>({2, 96}) && runs_are_as_specified<Q40>({2, 96}));
static_assert(Q40::slot_of({0, 0}, {2, 64}) == 4 && Q40::slot_of({0, 16}, {2, 64}) == 5);
static_assert(Q40::slot_of({0, 32}, {2, 64}) == 40 && Q40::slot_of({1, 1}, {2, 64}) == 78);
static_assert(!Q40::element_at(3, {2, 64}) && !Q40::element_at(36, {2, 64}));
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
