/// The layouts of aten's int4 weights for CPUs: blocks of rows, column by column. There are three, by the capability
/// that aten's dispatch found on the machine that packed; the tensor does not say which.
///
///   packed uint8 [n][k / 2], which is the size of the buffer and not the place of a code
///
/// A block is 64 rows for avx512, 32 for avx2 and for default; the last one may be shorter. Blocks follow each other,
/// and the columns of a block: column k of a block of h rows is h / 2 bytes. Two neighbouring rows share a byte, the
/// even one in the low nibble; but avx2 and avx512 let row r of the first half of a whole block share one with row r +
/// h / 2, in the high nibble, so that a vector's low and high nibbles are two vectors of consecutive rows.
///
/// Source: bytes recorded from aten::_convert_weight_to_int4pack_for_cpu, see int4pack_cpu_test.cpp.
#pragma once

#include "reference/layouts/layout.h"

namespace tileproof::reference {

/// As in the environment variable ATEN_CPU_CAPABILITY; `standard` is its "default".
enum class CpuCapability { standard, avx2, avx512 };

template <CpuCapability capability>
struct Int4PackCpu {
  static constexpr const char* name = capability == CpuCapability::standard ? "int4pack-cpu-default"
                                      : capability == CpuCapability::avx2   ? "int4pack-cpu-avx2"
                                                                            : "int4pack-cpu-avx512";
  static constexpr Multiples legal = {.n = 16, .k = 2};
  using Storage = std::uint8_t;
  static constexpr char dtype[] = "uint8";
  static constexpr char dims_text[] = "[n][k/2]";
  static constexpr int padding_code = 0;  // there is none

  static constexpr Dims dims(Size size) { return {size.n, size.k / 2}; }

  static constexpr std::int64_t slot_of(Element element, Size size) {
    const std::int64_t block = element.n / rows_of_block;
    const std::int64_t row = element.n % rows_of_block;
    const std::int64_t rows = rows_of(block, size);
    const std::int64_t column = block * rows_of_block * size.k + element.k * rows;
    return column + (is_halved(rows) ? row % (rows / 2) * 2 + row / (rows / 2) : row);
  }

  static constexpr std::optional<Element> element_at(std::int64_t slot, Size size) {
    const std::int64_t block = slot / (rows_of_block * size.k);
    const std::int64_t rows = rows_of(block, size);
    const std::int64_t of_block = slot - block * rows_of_block * size.k;
    const std::int64_t byte = of_block / 2 % (rows / 2);  // of the column
    const std::int64_t nibble = of_block % 2;
    const std::int64_t row = is_halved(rows) ? byte + nibble * (rows / 2) : byte * 2 + nibble;
    return Element{block * rows_of_block + row, of_block / rows};
  }

  static constexpr Coordinates coordinates(std::int64_t slot, Size size) {
    return {Coordinate{"row block", slot / (rows_of_block * size.k)}, Coordinate{"byte", slot / 2},
            Coordinate{"nibble", slot % 2}};
  }

 private:
  static constexpr std::int64_t rows_of_block = capability == CpuCapability::avx512 ? 64 : 32;

  static constexpr std::int64_t rows_of(std::int64_t block, Size size) {
    const std::int64_t left = size.n - block * rows_of_block;
    return left < rows_of_block ? left : rows_of_block;
  }
  static constexpr bool is_halved(std::int64_t rows) {
    return capability != CpuCapability::standard && rows == rows_of_block;
  }
};

namespace shown_before_anything_runs {
using Int4PackDefault = Int4PackCpu<CpuCapability::standard>;
using Int4PackAvx2 = Int4PackCpu<CpuCapability::avx2>;
using Int4PackAvx512 = Int4PackCpu<CpuCapability::avx512>;
static_assert(IsLayout<Int4PackDefault> && IsLayout<Int4PackAvx2> && IsLayout<Int4PackAvx512>);
// A short block alone, whole blocks, and both.
static_assert(is_bijection<Int4PackDefault>({16, 2}) && is_bijection<Int4PackDefault>({80, 6}));
static_assert(is_bijection<Int4PackAvx2>({16, 2}) && is_bijection<Int4PackAvx2>({80, 6}));
static_assert(is_bijection<Int4PackAvx512>({48, 2}) && is_bijection<Int4PackAvx512>({80, 6}));
static_assert(is_bijection<Int4PackAvx512>({0, 2}) && is_bijection<Int4PackAvx512>({64, 0}));
// Rows 0, 16 and 32 of column 1 of 64 x 2.
static_assert(Int4PackDefault::slot_of({16, 1}, {64, 2}) == 32 + 16);
static_assert(Int4PackAvx2::slot_of({16, 1}, {64, 2}) == 32 + 1);
static_assert(Int4PackAvx2::slot_of({32, 1}, {64, 2}) == 64 + 32);
static_assert(Int4PackAvx512::slot_of({32, 1}, {64, 2}) == 64 + 1);
// Row 65 lies in a block of 16 rows.
static_assert(Int4PackAvx512::slot_of({65, 1}, {80, 2}) == 128 + 16 + 1);
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
