/// GGUF's blocks of consecutive elements of a row, each with its parameters before its codes:
///
///   q4_0         18 bytes for 32 elements: fp16 d, then 16 bytes of codes
///   q4_1         20 bytes for 32: fp16 d, fp16 m, then 16 bytes of codes
///   mxfp4-gguf   17 bytes for 32: e8m0, then 16 bytes of codes
///   q4_k         144 bytes for 256: fp16 d, fp16 dmin, 12 bytes of eight groups' factors, then 128 bytes of codes
///
/// Elements i and i + h of 2h neighbours share a byte, the first in the low nibble: h is 16, in q4_k 32. The blocks of
/// a row lie one behind the other.
///
/// Source: weights recorded from the gguf package, see gguf_test.cpp.
#pragma once

#include "reference/layouts/layout.h"

namespace tileproof::reference {

/// @tparam before    the bytes of a block before its codes
/// @tparam elements  of a block
/// @tparam half      of the elements whose codes share bytes
template <int before, int elements = 32, int half = 16>
struct Blocks {
  static constexpr std::int64_t of_block = elements;
  static constexpr std::int64_t bytes_of_block = before + of_block / 2;
  static constexpr Multiples legal = {.n = 1, .k = of_block};
  using Storage = std::uint8_t;
  static constexpr char dtype[] = "uint8";
  static constexpr int padding_code = 0;  // of the bytes of parameters, where none are given

  static constexpr Dims dims(Size size) { return {size.n, size.k / of_block * bytes_of_block}; }

  static constexpr std::int64_t slot_of(Element element, Size size) {
    const std::int64_t block = element.n * (size.k / of_block) + element.k / of_block, i = element.k % of_block;
    return (block * bytes_of_block + before + i / (2 * half) * half + i % half) * 2 + i / half % 2;
  }

  static constexpr std::optional<Element> element_at(std::int64_t slot, Size size) {
    const std::int64_t byte = slot / 2, block = byte / bytes_of_block;
    const std::int64_t of_codes = byte - block * bytes_of_block - before;
    if (of_codes < 0) return std::nullopt;
    const std::int64_t of_row = size.k / of_block;
    return Element{block / of_row,
                   block % of_row * of_block + of_codes / half * 2 * half + slot % 2 * half + of_codes % half};
  }

  static constexpr Coordinates coordinates(std::int64_t slot, Size) {
    return {Coordinate{"block", slot / 2 / bytes_of_block}, Coordinate{"byte", slot / 2},
            Coordinate{"nibble", slot % 2}};
  }

  static constexpr int run_columns = 16;
  static constexpr int slot_from_first(int column) { return 2 * column; }
};

struct Q40 : Blocks<2> {
  static constexpr char name[] = "q4_0";
  static constexpr char dims_text[] = "[n][k/32*18]";
};

struct Q41 : Blocks<4> {
  static constexpr char name[] = "q4_1";
  static constexpr char dims_text[] = "[n][k/32*20]";
};

struct Mxfp4Gguf : Blocks<1> {
  static constexpr char name[] = "mxfp4-gguf";
  static constexpr char dims_text[] = "[n][k/32*17]";
};

struct Q4K : Blocks<16, 256, 32> {
  static constexpr char name[] = "q4_k";
  static constexpr char dims_text[] = "[n][k/256*144]";
};

namespace shown_before_anything_runs {
static_assert(HasRuns<Q4K> && is_bijection<Q4K>({3, 512}) && runs_are_as_specified<Q4K>({2, 512}));
static_assert(Q4K::slot_of({0, 0}, {2, 256}) == 32 && Q4K::slot_of({0, 32}, {2, 256}) == 33);
static_assert(Q4K::slot_of({0, 65}, {2, 256}) == 98 && Q4K::slot_of({1, 0}, {2, 256}) == 320);
static_assert(HasRuns<Q40> && HasRuns<Q41> && HasRuns<Mxfp4Gguf>);
static_assert(is_bijection<Q40>({0, 32}) && is_bijection<Q40>({3, 96}) && is_bijection<Q41>({2, 64}));
static_assert(is_bijection<Mxfp4Gguf>({2, 96}) && runs_are_as_specified<Q40>({2, 96}));
static_assert(Q40::slot_of({0, 0}, {2, 64}) == 4 && Q40::slot_of({0, 16}, {2, 64}) == 5);
static_assert(Q40::slot_of({0, 32}, {2, 64}) == 40 && Q40::slot_of({1, 1}, {2, 64}) == 78);
static_assert(!Q40::element_at(3, {2, 64}) && !Q40::element_at(36, {2, 64}));
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
