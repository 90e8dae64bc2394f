/// float: (code - 8) * scale + zero, the zero a number of the scale's type, with one rounding to the weight's type.
///
/// The parenthesis is a whole number and exact, so that its zero is +0: 0 * -scale is -0, as in the hardware's fma.
/// Source: PyTorch's tinygemm; one rounding is what a fused multiply-add gives.
#pragma once

#include "reference/schemes/scheme.h"

namespace tileproof::reference {

/// @tparam offset  the code whose product is 0
template <int offset>
struct AffineFloatFrom {
  static constexpr Zero zero_kind = Zero::value;
  static constexpr Range zero_points = {};
  static constexpr int midpoint = offset;

  template <class Units>
  struct Group {
    ExactIn<Units> scale;
    ExactIn<Units> zero;
  };

  template <class Units>
  static constexpr Group<Units> decoded(FloatFormat /*weight_type*/, FloatFormat parameter_type, std::uint32_t scale,
                                        std::uint32_t zero) {
    return {decode<Units>(parameter_type, scale), decode<Units>(parameter_type, zero)};
  }

  template <class Units>
  static constexpr ExactIn<Units> unrounded(FloatFormat /*weight_type*/, int code, const Group<Units>& group) {
    return sum(product(whole<Units>(code - midpoint), group.scale), group.zero);
  }
};

struct AffineFloat : AffineFloatFrom<8> {  // half of the sixteen codes
  static constexpr char name[] = "float";
};

namespace shown_before_anything_runs {
constexpr std::uint32_t affine_float(FloatFormat type, int code, std::uint32_t scale, std::uint32_t zero) {
  return weight<AffineFloat>(type, type, code, scale, zero);
}
static_assert(affine_float(bf16, 15, 0x3f80, 0x0000) == 0x40e0);  // 7 * 1 + 0
static_assert(affine_float(bf16, 8, 0xbf80, 0x8000) == 0x8000);   // 0 * -1 + -0 is -0
static_assert(affine_float(bf16, 8, 0x3f80, 0x8000) == 0x0000);   // 0 * 1 + -0 is +0
static_assert(affine_float(bf16, 8, 0x7f80, 0x0000) == 0x7fff);   // 0 * infinity
static_assert(affine_float(bf16, 15, 0x7f7f, 0xff80) == 0xff80);  // an infinite zero point wins
static_assert(affine_float(bf16, 9, 0x3f80, 0x3b80) == 0x3f80);   // 1 + 2^-8 is a tie: to even
static_assert(affine_float(bf16, 9, 0x3f80, 0x3b81) == 0x3f81);   // just above it
static_assert(affine_float(bf16, 9, 0x3f81, 0x3b80) == 0x3f82);   // 1 + 2^-7 + 2^-8: to even, above
static_assert(affine_float(fp16, 0, 0x7bff, 0x0000) == 0xfc00);   // -8 * 65504 overflows
// fp32 weights of bf16 parameters: 1 + 2^-24 is a tie, and 1 + 2^-24 * 1.0078125 above it.
static_assert(weight<AffineFloat>(fp32, bf16, 9, 0x3f80, 0x3380) == 0x3f800000);
static_assert(weight<AffineFloat>(fp32, bf16, 9, 0x3f80, 0x3381) == 0x3f800001);
// bf16 weights of fp32 parameters: 1 + 2^-8 and what fp32 holds beside it.
static_assert(weight<AffineFloat>(bf16, fp32, 9, 0x3f800000, 0x3b800000) == 0x3f80);
static_assert(weight<AffineFloat>(bf16, fp32, 9, 0x3f800000, 0x3b800001) == 0x3f81);
// fp16 weights of bf16 parameters: -8 * 2^13 overflows; 2^-25 is half the smallest subnormal.
static_assert(weight<AffineFloat>(fp16, bf16, 0, 0x4600, 0x0000) == 0xfc00);
static_assert(weight<AffineFloat>(fp16, bf16, 9, 0x3300, 0x0000) == 0x0000);
static_assert(weight<AffineFloat>(fp16, bf16, 9, 0x3301, 0x0000) == 0x0001);
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
