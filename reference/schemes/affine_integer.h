/// integer: (code - zero_point) * scale, the zero point a whole number, with one rounding to the weight's type.
///
/// The parenthesis is a whole number and exact, so that its zero is +0: 0 * -scale is -0.
/// Source: affine quantization as PyTorch and torchao have it.
#pragma once

#include "reference/schemes/scheme.h"

namespace tileproof::reference {

/// @tparam lowest, highest  the range of a zero point, within int8
template <int lowest, int highest>
struct AffineIntegerIn {
  static_assert(-128 <= lowest && lowest <= highest && highest <= 127);

  static constexpr char name[] = "integer";
  static constexpr Zero zero_kind = Zero::point;
  static constexpr Range zero_points = {lowest, highest};
  static constexpr int midpoint = 0;

  template <class Units>
  struct Group {
    ExactIn<Units> scale;
    int zero_point;
  };

  template <class Units>
  static constexpr Group<Units> decoded(FloatFormat /*weight_type*/, FloatFormat parameter_type, std::uint32_t scale,
                                        std::uint32_t zero) {
    return {decode<Units>(parameter_type, scale), static_cast<int>(zero)};
  }

  template <class Units>
  static constexpr ExactIn<Units> unrounded(FloatFormat /*weight_type*/, int code, const Group<Units>& group) {
    return product(whole<Units>(code - group.zero_point), group.scale);
  }
};

using AffineInteger = AffineIntegerIn<-128, 127>;

/// The zero point is a code, and packed as codes are. AWQ's weights; vLLM's CUDA kernel alone writes +0 for every zero.
using AffineIntegerOfCodes = AffineIntegerIn<0, 15>;

/// The zero point is stored less one: GPTQ's first version.
using AffineIntegerFromOne = AffineIntegerIn<1, 16>;

namespace shown_before_anything_runs {
constexpr std::uint32_t affine_integer(FloatFormat weight_type, FloatFormat parameter_type, int code,
                                       std::uint32_t scale, int zero_point) {
  return weight<AffineInteger>(weight_type, parameter_type, code, scale, static_cast<std::uint32_t>(zero_point));
}
static_assert(affine_integer(bf16, bf16, 3, 0xbf80, 3) == 0x8000);            // 0 * -1 is -0
static_assert(affine_integer(fp32, fp32, 0, 0x3f800000, 127) == 0xc2fe0000);  // -127
static_assert(affine_integer(bf16, bf16, 15, 0x3f80, -128) == 0x430f);        // 143
static_assert(affine_integer(fp32, bf16, 15, 0x3fff, -128) == 0x438e7100);    // 143 * 255/128: 16 bits, in fp32 exact
static_assert(affine_integer(fp32, fp16, 1, 0x0001, 0) == 0x33800000);        // a subnormal of fp16 is none of fp32
static_assert(affine_integer(fp16, fp32, 1, 0x477ff000, 0) == 0x7c00);        // 65520 is a tie between 65504 and 2^16
static_assert(affine_integer(fp16, fp32, 1, 0x477fefff, 0) == 0x7bff);        // just below it
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
