/// The float scheme with a rounding more: how aten's CPU kernels compute an int4 weight inside a matmul, by capability.
///
///   float-stepped  R((code - 8) * scale) + zero, rounded          default: two operations
///   float-folded   code * scale + R(zero - 8 * scale), rounded    avx2: the zero is folded once a group, for bf16
///
/// R rounds to the weight's type, which is fp32 whatever the parameters are. fp32 holds the product of 16-bit
/// parameters exactly, so float-stepped differs from float for fp32 parameters alone. avx2 folds bf16 zeros alone; fp16
/// and fp32 parameters take aten's scalar code, which that build fuses: as float. avx512 computes as float for all
/// three.
///
/// Source: weights recorded from aten::_weight_int4pack_mm_for_cpu, see layouts/int4pack_cpu_test.cpp.
#pragma once

#include "reference/schemes/affine_float.h"

namespace tileproof::reference {

struct AffineFloatStepped : AffineFloat {
  static constexpr char name[] = "float-stepped";

  template <class Units>
  static constexpr ExactIn<Units> unrounded(FloatFormat weight_type, int code, const Group<Units>& group) {
    const std::uint32_t step = rounded(weight_type, product(whole<Units>(code - midpoint), group.scale));
    return sum(decode<Units>(weight_type, step), group.zero);
  }
};

struct AffineFloatFolded : AffineFloat {
  static constexpr char name[] = "float-folded";

  template <class Units>
  struct Group {
    ExactIn<Units> scale;
    ExactIn<Units> zero;
    int own_midpoint;  // 0 where the zero has taken it in
  };

  template <class Units>
  static constexpr Group<Units> decoded(FloatFormat weight_type, FloatFormat parameter_type, std::uint32_t scale,
                                        std::uint32_t zero) {
    constexpr FloatFormat folded = bf16;  // a copy: a device has no objects of namespaces
    const auto exact_scale = decode<Units>(parameter_type, scale);
    const auto exact_zero = decode<Units>(parameter_type, zero);
    if (parameter_type != folded) return {exact_scale, exact_zero, midpoint};
    const auto with_midpoint = sum(product(whole<Units>(-midpoint), exact_scale), exact_zero);
    return {exact_scale, decode<Units>(weight_type, rounded(weight_type, with_midpoint)), 0};
  }

  template <class Units>
  static constexpr ExactIn<Units> unrounded(FloatFormat /*weight_type*/, int code, const Group<Units>& group) {
    return sum(product(whole<Units>(code - group.own_midpoint), group.scale), group.zero);
  }
};

namespace shown_before_anything_runs {
// 0 * 1 + 2^-22: the zero is lost in -8 + 2^-22, where fp32 holds multiples of 2^-21.
static_assert(weight<AffineFloat>(fp32, bf16, 8, 0x3f80, 0x3480) == 0x34800000);
static_assert(weight<AffineFloatFolded>(fp32, bf16, 8, 0x3f80, 0x3480) == 0x00000000);
static_assert(weight<AffineFloatFolded>(fp32, fp32, 8, 0x3f800000, 0x34800000) == 0x34800000);
static_assert(weight<AffineFloatFolded>(fp32, bf16, 15, 0x3f80, 0x3f80) == 0x41000000);  // 7 * 1 + 1
// 3 * (1 + 2^-23) is 3 + 3 * 2^-23, of which fp32 holds multiples of 2^-22: 3 + 2^-21 in a step of its own.
static_assert(weight<AffineFloat>(fp32, fp32, 11, 0x3f800001, 0xc0400000) == 0x34c00000);
static_assert(weight<AffineFloatStepped>(fp32, fp32, 11, 0x3f800001, 0xc0400000) == 0x35000000);
static_assert(weight<AffineFloatStepped>(fp32, bf16, 11, 0x3f81, 0xc040) == 0x3cc00000);  // 3/128, exact
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
