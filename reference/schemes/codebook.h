/// A code is looked up in a table of fp32 numbers, and scaled: table[code] * scale, rounded to fp32 and then to the
/// weight's type.
///
///   nf4   quantiles of the normal distribution, from -1 to 1; code 7 is 0
///   fp4   a sign (8), and 0, 1/192, 8, 12, 4, 6, 2, 3 twelfths; code 8 is -0
/// Scales are fp32: a product takes 48 bits.
///
/// Source: bitsandbytes; the tables are its functional.get_4bit_type(), but for code 8 of fp4, where that has +0, as
/// its CPU code gives.
#pragma once

#include "reference/schemes/scale_only.h"

namespace tileproof::reference {

/// @tparam Table  has `name` and the static function bits_of(code)
template <class Table>
struct Codebook : OfScaleAlone {
  static constexpr const auto& name = Table::name;

  template <class Units>
  static constexpr ExactIn<Units> unrounded(FloatFormat /*weight_type*/, int code, const Group<Units>& group) {
    constexpr FloatFormat of_table{8, 23};  // fp32; a device has no objects of namespaces
    const auto looked_up = decode<Units>(of_table, Table::bits_of(code));
    return decode<Units>(of_table, rounded(of_table, product(looked_up, group.scale)));
  }
};

struct Nf4Table {
  static constexpr char name[] = "nf4";
  static constexpr std::uint32_t bits_of(int code) {
    constexpr std::uint32_t table[] = {0xbf800000, 0xbf3239b1, 0xbf066b30, 0xbeca32a0, 0xbe91a24d, 0xbe3d353f,
                                       0xbdba7871, 0x00000000, 0x3da2faff, 0x3e24cae3, 0x3e7c04dd, 0x3ead033a,
                                       0x3ee1a4b8, 0x3f1007ab, 0x3f3913b3, 0x3f800000};
    return table[code & 15];
  }
};

struct Fp4Table {
  static constexpr char name[] = "fp4";
  static constexpr std::uint32_t bits_of(int code) {
    constexpr std::uint32_t table[] = {0x00000000, 0x3baaaaab, 0x3f2aaaab, 0x3f800000,
                                       0x3eaaaaab, 0x3f000000, 0x3e2aaaab, 0x3e800000};
    return table[code & 7] | ((code & 8) != 0 ? 0x80000000 : 0);
  }
};

namespace shown_before_anything_runs {
static_assert(weight<Codebook<Nf4Table>>(fp32, fp32, 15, 0x40490fdb, 0) == 0x40490fdb);
static_assert(weight<Codebook<Nf4Table>>(fp32, fp32, 7, 0xbf800000, 0) == 0x80000000);  // 0 * -1
static_assert(weight<Codebook<Fp4Table>>(bf16, fp32, 8, 0x3f800000, 0) == 0x8000);      // -0 * 1
static_assert(weight<Codebook<Fp4Table>>(fp16, fp32, 1, 0x3f800000, 0) == 0x1d55);      // 1/192
// fp32's 0.72295684814453125 * (1 + 2^-23) is rounded before it is rounded to bf16.
static_assert(weight<Codebook<Nf4Table>>(fp32, fp32, 14, 0x3f800001, 0) == 0x3f3913b4);
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
