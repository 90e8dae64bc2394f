/// The value of a dequantized weight, in the three domains of a zero point, with one rounding to the output's format.
///
///   float    (code - 8) * scale + zero          zero in the format of the scale
///   integer  (code - zero_point) * scale        zero_point int8
///   none     code * scale
///
/// The parentheses are whole numbers and exact, so that their zero is +0: 0 * -scale is -0, as in the hardware's fma.
/// Source: PyTorch's tinygemm (float) and affine quantization (integer); one rounding is what a fused multiply-add
/// gives.
#pragma once

#include "reference/arithmetic.h"

namespace tileproof::reference {

inline constexpr int float_domain_midpoint = 8;  // half of the sixteen codes

/// Calls `use` with the units that a weight of the format needs. A scale has at most 11 bits in bf16 and fp16, 24 in
/// fp32, a code less the midpoint 4, less a zero point 8: a product has 15 (28) bits where a zero is added to it, and
/// 19 (32) where none is. Of a GPU's instructions, 32 bits take a third of what 64 take.
template <class Use>
constexpr auto with_units(FloatFormat format, Use use) {
  if (format.bits() <= 16) return use.template operator()<std::uint32_t>();
  return use.template operator()<std::uint64_t>();
}

// Of a scale and a zero that have been decoded, as the sixteen codes of a group share them.
template <class Units>
constexpr std::uint32_t dequantized_float(FloatFormat format, int code, ExactIn<Units> scale, ExactIn<Units> zero) {
  return rounded(format, sum(product(whole<Units>(code - float_domain_midpoint), scale), zero));
}
template <class Units>
constexpr std::uint32_t dequantized_integer(FloatFormat format, int code, ExactIn<Units> scale, int zero_point) {
  return rounded(format, product(whole<Units>(code - zero_point), scale));
}
template <class Units>
constexpr std::uint32_t dequantized_none(FloatFormat format, int code, ExactIn<Units> scale) {
  return rounded(format, product(whole<Units>(code), scale));
}

/// @param code   0..15
/// @param scale  bits of a value of the format; zero likewise
/// @return       bits of a value of the format
constexpr std::uint32_t dequantized_float(FloatFormat format, int code, std::uint32_t scale, std::uint32_t zero) {
  return with_units(format, [=]<class Units>() {
    return dequantized_float(format, code, decode<Units>(format, scale), decode<Units>(format, zero));
  });
}

/// @param zero_point  -128..127
constexpr std::uint32_t dequantized_integer(FloatFormat format, int code, std::uint32_t scale, int zero_point) {
  return with_units(format, [=]<class Units>() {
    return dequantized_integer(format, code, decode<Units>(format, scale), zero_point);
  });
}

constexpr std::uint32_t dequantized_none(FloatFormat format, int code, std::uint32_t scale) {
  return with_units(format,
                    [=]<class Units>() { return dequantized_none(format, code, decode<Units>(format, scale)); });
}

namespace shown_before_anything_runs {
static_assert(dequantized_float(bf16, 15, 0x3f80, 0x0000) == 0x40e0);        // 7 * 1 + 0
static_assert(dequantized_float(bf16, 8, 0xbf80, 0x8000) == 0x8000);         // 0 * -1 + -0 is -0
static_assert(dequantized_float(bf16, 8, 0x3f80, 0x8000) == 0x0000);         // 0 * 1 + -0 is +0
static_assert(dequantized_float(bf16, 8, 0x7f80, 0x0000) == 0x7fff);         // 0 * infinity
static_assert(dequantized_float(bf16, 15, 0x7f7f, 0xff80) == 0xff80);        // an infinite zero point wins
static_assert(dequantized_float(bf16, 9, 0x3f80, 0x3b80) == 0x3f80);         // 1 + 2^-8 is a tie: to even
static_assert(dequantized_float(bf16, 9, 0x3f80, 0x3b81) == 0x3f81);         // just above it
static_assert(dequantized_float(bf16, 9, 0x3f81, 0x3b80) == 0x3f82);         // 1 + 2^-7 + 2^-8: to even, above
static_assert(dequantized_float(fp16, 0, 0x7bff, 0x0000) == 0xfc00);         // -8 * 65504 overflows
static_assert(dequantized_integer(bf16, 3, 0xbf80, 3) == 0x8000);            // 0 * -1 is -0
static_assert(dequantized_integer(fp32, 0, 0x3f800000, 127) == 0xc2fe0000);  // -127
static_assert(dequantized_none(bf16, 15, 0x0001) == 0x000f);                 // subnormals are kept
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
