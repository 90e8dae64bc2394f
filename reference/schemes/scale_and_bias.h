/// code * scale + a number of the scale's type.
///
///   bias      the product rounded before the sum: two roundings to the weight's type
///   minimum   one rounding
///   minimum-of-factors   scale and minimum each times a factor of six bits, the minimum subtracted: one rounding
///
/// Source: weights recorded from mlx's mx.dequantize on a CPU, see layouts/words_of_eight_test.cpp, and from the gguf
/// package, see layouts/gguf_test.cpp.
#pragma once

#include "reference/schemes/affine_float.h"

namespace tileproof::reference {

struct ScaleAndBias : AffineFloatFrom<0> {
  static constexpr char name[] = "bias";

  template <class Units>
  static constexpr ExactIn<Units> unrounded(FloatFormat weight_type, int code, const Group<Units>& group) {
    const std::uint32_t scaled = rounded(weight_type, product(whole<Units>(code), group.scale));
    return sum(decode<Units>(weight_type, scaled), group.zero);
  }
};

struct ScaleAndMinimum : AffineFloatFrom<0> {
  static constexpr char name[] = "minimum";
};

/// Several groups share the numbers of scale and minimum; each group has factors of its own above them (with_factor).
struct FactoredScaleAndMinimum : AffineFloatFrom<0> {
  static constexpr char name[] = "minimum-of-factors";
  static constexpr int groups_of_number = 8;

  template <class Units>
  static constexpr Group<Units> decoded(FloatFormat /*weight_type*/, FloatFormat parameter_type, std::uint32_t scale,
                                        std::uint32_t minimum) {
    const auto number = [=](std::uint32_t bits) {
      return product(decode<Units>(parameter_type, number_below_factor(bits)),
                     whole<Units>(static_cast<int>(factor_above(bits))));
    };
    ExactIn<Units> subtracted = number(minimum);
    subtracted.negative = !subtracted.negative;
    return {number(scale), subtracted};
  }
};

namespace shown_before_anything_runs {
static_assert(weight<FactoredScaleAndMinimum>(fp32, fp16, 15, 0x023c00, 0x033c00) == 0x41d80000);  // 15*2*1 - 3*1
static_assert(weight<FactoredScaleAndMinimum>(fp32, fp16, 0, 0x01bc00, 0x003c00) == 0x80000000);   // -0 - 0
static_assert(weight<FactoredScaleAndMinimum>(fp32, fp16, 0, 0x013c00, 0x003c00) == 0x00000000);   // 0 - 0
static_assert(weight<ScaleAndMinimum>(fp32, fp16, 15, 0x3c00, 0x3c00) == 0x41800000);              // 15 * 1 + 1
static_assert(weight<ScaleAndBias>(bf16, bf16, 15, 0x3f80, 0x3f80) == 0x4180);                     // 15 * 1 + 1
static_assert(weight<ScaleAndBias>(bf16, bf16, 0, 0xbf80, 0x8000) == 0x8000);                      // 0 * -1 + -0 is -0
// 15 * 143/128 is 16.7578125, in bf16 16.75, where 16.7578125 - 16.75 would be 2^-7.
static_assert(weight<ScaleAndBias>(bf16, bf16, 15, 0x3f8f, 0xc186) == 0x0000);
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
