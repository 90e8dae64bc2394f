/// A scale without a zero, with one rounding to the weight's type.
///
///   none        code * scale, codes not signed           torchao's ZeroPointDomain.NONE
///   symmetric   (code - 8) * scale, codes offset by 8    compressed-tensors' symmetric quantization
#pragma once

#include "reference/schemes/scheme.h"

namespace tileproof::reference {

/// A group that is a scale; `weight` is left to each scheme.
struct OfScaleAlone {
  static constexpr Zero zero_kind = Zero::none;
  static constexpr Range zero_points = {};
  static constexpr int midpoint = 0;

  template <class Units>
  struct Group {
    ExactIn<Units> scale;
  };

  template <class Units>
  static constexpr Group<Units> decoded(FloatFormat /*weight_type*/, FloatFormat parameter_type, std::uint32_t scale,
                                        std::uint32_t /*zero*/) {
    return {decode<Units>(parameter_type, scale)};
  }
};

/// @tparam offset  the code of 0
template <int offset>
struct ScaledFrom : OfScaleAlone {
  static constexpr int midpoint = offset;

  template <class Units>
  static constexpr ExactIn<Units> unrounded(FloatFormat /*weight_type*/, int code, const Group<Units>& group) {
    return product(whole<Units>(code - offset), group.scale);
  }
};

struct ScaleOnly : ScaledFrom<0> {
  static constexpr char name[] = "none";
};

struct Symmetric : ScaledFrom<8> {
  static constexpr char name[] = "symmetric";
};

namespace shown_before_anything_runs {
static_assert(weight<ScaleOnly>(bf16, bf16, 15, 0x0001, 0) == 0x000f);      // subnormals are kept
static_assert(weight<ScaleOnly>(bf16, bf16, 0, 0xbf80, 0) == 0x8000);       // 0 * -1 is -0
static_assert(weight<ScaleOnly>(bf16, bf16, 15, 0x3f8f, 0) == 0x4186);      // 15 * 143/128: 16.7578125, to 16.75
static_assert(weight<ScaleOnly>(fp32, bf16, 15, 0x3f8f, 0) == 0x41861000);  // the same, exact in fp32
static_assert(weight<Symmetric>(bf16, bf16, 0, 0x3f80, 0) == 0xc100);       // -8
static_assert(weight<Symmetric>(fp16, fp16, 8, 0xbc00, 0) == 0x8000);       // 0 * -1 is -0
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
