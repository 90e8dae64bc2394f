/// Layouts of words of 32 bits that hold eight neighbours along k or n, the first in the lowest nibble.
///
///   plain-int32      int32  [n][k/8]        nibble k % 8    torchao's PLAIN_INT32, before XPU's operators
///   mlx              uint32 [n][k/8]        nibble k % 8
///   pack-quantized   int32  [n][ceil(k/8)]  nibble k % 8    compressed-tensors; a row's last word is filled with 0
///   gptq, gptq-v1    int32  [k/8][n]        nibble k % 8    the two differ in how zero points are stored
///
/// Zero points are packed so too: gptq's along n as [k/group_size][n/8], pack-quantized's along n as
/// [ceil(n/8)][k/group_size].
///
/// Source: bytes recorded from mlx, compressed-tensors and auto-round, see words_of_eight_test.cpp; torchao's
/// documentation for plain-int32.
#pragma once

#include "reference/layouts/layout.h"

namespace tileproof::reference {

/// @tparam along_k  neighbours along k share a word, else along n
/// @tparam by_rows  the words of a row (of a block of eight rows) lie together, else those of a column
/// @tparam pads     the extent that words lie along need not be a multiple of eight
template <bool along_k, bool by_rows, bool pads>
struct WordsOfEight {
  using Storage = std::uint32_t;
  static constexpr char dtype[] = "int32";
  static constexpr int padding_code = 0;
  static constexpr std::int64_t of_word = 8;
  static constexpr Multiples whole_words = {.n = along_k ? 1 : of_word, .k = along_k ? of_word : 1};
  static constexpr Multiples legal = pads ? Multiples{} : whole_words;
  static constexpr Multiples padded_to = whole_words;

  static constexpr Dims dims(Size size) {
    const std::int64_t rows = along_k ? size.n : words_along(size.n);
    const std::int64_t columns = along_k ? words_along(size.k) : size.k;
    return by_rows ? Dims{rows, columns} : Dims{columns, rows};
  }

  static constexpr std::int64_t slot_of(Element element, Size size) {
    const Dims extents = dims(size);
    const std::int64_t row = along_k ? element.n : element.n / of_word;
    const std::int64_t column = along_k ? element.k / of_word : element.k;
    const std::int64_t word = by_rows ? row * extents.extents[1] + column : column * extents.extents[1] + row;
    return word * of_word + (along_k ? element.k : element.n) % of_word;
  }

  static constexpr std::optional<Element> element_at(std::int64_t slot, Size size) {
    const std::int64_t word = slot / of_word, nibble = slot % of_word;
    const std::int64_t in_line = dims(size).extents[1];
    const std::int64_t line = word / in_line, of_line = word % in_line;
    const std::int64_t row = by_rows ? line : of_line, column = by_rows ? of_line : line;
    const Element element = along_k ? Element{row, column * of_word + nibble} : Element{row * of_word + nibble, column};
    if (element.n >= size.n || element.k >= size.k) return std::nullopt;
    return element;
  }

  static constexpr Coordinates coordinates(std::int64_t slot, Size) {
    return {Coordinate{"word", slot / of_word}, Coordinate{"nibble", slot % of_word}};
  }

 private:
  static constexpr std::int64_t words_along(std::int64_t extent) { return (extent + of_word - 1) / of_word; }
};

/// Words along k, those of a row together: sixteen columns are two words.
template <bool pads>
struct RowsOfWords : WordsOfEight</*along_k=*/true, /*by_rows=*/true, pads> {
  static constexpr int run_columns = 16;
  static constexpr int slot_from_first(int column) { return column; }
};

struct PlainInt32 : RowsOfWords<false> {
  static constexpr char name[] = "plain-int32";
  static constexpr char dims_text[] = "[n][k/8]";
};

struct Mlx : RowsOfWords<false> {
  static constexpr char name[] = "mlx";
  static constexpr char dims_text[] = "[n][k/8]";
  static constexpr char dtype[] = "uint32";
};

struct PackQuantized : RowsOfWords<true> {
  static constexpr char name[] = "pack-quantized";
  static constexpr char dims_text[] = "[n][ceil(k/8)]";
};

/// Zero points of eight rows share a word, so that n is a multiple of eight too.
struct Gptq : WordsOfEight</*along_k=*/true, /*by_rows=*/false, /*pads=*/false> {
  static constexpr char name[] = "gptq";
  static constexpr Multiples legal = {.n = 8, .k = 8};
  static constexpr char dims_text[] = "[k/8][n]";
};

struct GptqV1 : Gptq {
  static constexpr char name[] = "gptq-v1";
};

/// Layouts of zero points, where k stands for the groups of a row.
struct GptqZeros : WordsOfEight</*along_k=*/false, /*by_rows=*/false, /*pads=*/false> {
  static constexpr char name[] = "gptq's zeros";
  static constexpr char dims_text[] = "[k][n/8]";
};

struct PackQuantizedZeros : WordsOfEight</*along_k=*/false, /*by_rows=*/true, /*pads=*/true> {
  static constexpr char name[] = "pack-quantized's zeros";
  static constexpr char dims_text[] = "[ceil(n/8)][k]";
};

namespace shown_before_anything_runs {
static_assert(IsLayout<PlainInt32> && IsLayout<Mlx> && IsLayout<Gptq> && HasRuns<PackQuantized> && !HasRuns<Gptq>);
static_assert(is_bijection<Mlx>({0, 8}) && is_bijection<Mlx>({3, 0}) && is_bijection<Mlx>({3, 24}));
static_assert(is_bijection<PackQuantized>({3, 1}) && is_bijection<PackQuantized>({2, 19}));
static_assert(is_bijection<Gptq>({0, 8}) && is_bijection<Gptq>({8, 16}));
static_assert(is_bijection<GptqZeros>({16, 3}) && is_bijection<PackQuantizedZeros>({11, 3}));
static_assert(runs_are_as_specified<Mlx>({3, 48}) && runs_are_as_specified<PackQuantized>({3, 37}));
static_assert(Mlx::slot_of({1, 9}, {2, 16}) == 25);
static_assert(PackQuantized::slot_of({1, 0}, {2, 9}) == 16 && slots<PackQuantized>({2, 9}) == 32);
static_assert(Gptq::slot_of({1, 0}, {4, 16}) == 8 && Gptq::slot_of({0, 8}, {4, 16}) == 32);
static_assert(GptqZeros::slot_of({1, 0}, {16, 2}) == 1 && GptqZeros::slot_of({0, 1}, {16, 2}) == 16);
static_assert(PackQuantizedZeros::slot_of({8, 0}, {16, 2}) == 16 && PackQuantizedZeros::slot_of({0, 1}, {9, 2}) == 8);
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
