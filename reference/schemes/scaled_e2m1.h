/// e2m1: a code is a number of four bits, scaled: e2m1[code] * scale, the scale and the product rounded to the weight's
/// type.
///
/// A code is a sign (8), and 0, 0.5, 1, 1.5, 2, 3, 4 or 6. Scales are powers of two (e8m0), of which NaN is 255 as OCP
/// has it; compressed-tensors and mlx take 255 for an infinity.
///
/// e2m1-gguf, GGUF's: scales are powers of two up to 2^127, for 255, and code 8 is +0.
///
/// Scaled twice, NVFP4: scales are e4m3, and a number of the whole matrix, fp32, multiplies each (torchao, vLLM), or
/// divides it (compressed-tensors); that product, and a code's with it, are rounded to fp32, and the weight to its
/// type. multiplied and swizzled differ in where scales lie.
///
/// Source: OCP Microscaling Formats (MX) 1.0, sections 5.3.3 and 6.3; weights recorded from torchao and
/// compressed-tensors, see layouts/plain_test.cpp, and from the gguf package, see layouts/gguf_test.cpp.
#pragma once

#include "reference/schemes/scale_only.h"

namespace tileproof::reference {

struct ScaledE2m1 : OfScaleAlone {
  static constexpr char name[] = "e2m1";

  template <class Units>
  static constexpr Group<Units> decoded(FloatFormat weight_type, FloatFormat parameter_type, std::uint32_t scale,
                                        std::uint32_t /*zero*/) {
    return {decode<Units>(weight_type, rounded(weight_type, decode<Units>(parameter_type, scale)))};
  }

  template <class Units>
  static constexpr ExactIn<Units> unrounded(FloatFormat /*weight_type*/, int code, const Group<Units>& group) {
    constexpr std::uint32_t halves[] = {0, 1, 2, 3, 4, 6, 8, 12};
    const ExactIn<Units> number = {.negative = (code & 8) != 0, .magnitude = halves[code & 7], .exponent = -1};
    return product(number, group.scale);
  }
};

struct ScaledE2m1OfGguf : ScaledE2m1 {
  static constexpr char name[] = "e2m1-gguf";

  /// A code counts halves, and its scale twice the power that e8m0 says.
  template <class Units>
  static constexpr Group<Units> decoded(FloatFormat /*weight_type*/, FloatFormat parameter_type, std::uint32_t scale,
                                        std::uint32_t /*zero*/) {
    return {{.magnitude = 1, .exponent = static_cast<int>(scale & 255) - parameter_type.bias()}};
  }

  template <class Units>
  static constexpr ExactIn<Units> unrounded(FloatFormat weight_type, int code, const Group<Units>& group) {
    return ScaledE2m1::unrounded<Units>(weight_type, code == 8 ? 0 : code, group);
  }
};

/// @tparam divides  the scale by the factor, or multiplies them
template <bool divides>
struct E2m1ScaledTwice : OfScaleAlone {
  static constexpr bool has_factor = true;

  /// Of 64 bits, whatever is enough for others: a code's product with the scale takes 26.
  template <class Units>
  struct Group {
    Exact scale;
  };

  template <class Units>
  static constexpr Group<Units> decoded(FloatFormat /*weight_type*/, FloatFormat parameter_type, std::uint32_t scale,
                                        std::uint32_t factor) {
    constexpr FloatFormat of_factor{8, 23};  // fp32; a device has no objects of namespaces
    const Exact one = decode(parameter_type, scale), other = decode(of_factor, factor);
    return {decode(of_factor, rounded(of_factor, divides ? quotient(one, other) : product(one, other)))};
  }

  template <class Units>
  static constexpr Exact unrounded(FloatFormat weight_type, int code, const Group<Units>& group) {
    constexpr FloatFormat of_step{8, 23};
    const ScaledE2m1::Group<std::uint64_t> scaled = {group.scale};
    return decode(of_step, rounded(of_step, ScaledE2m1::unrounded(weight_type, code, scaled)));
  }
};

struct MultipliedE2m1 : E2m1ScaledTwice<false> {
  static constexpr char name[] = "multiplied";
};
struct SwizzledE2m1 : E2m1ScaledTwice<false> {
  static constexpr char name[] = "swizzled";
};
struct DividedE2m1 : E2m1ScaledTwice<true> {
  static constexpr char name[] = "divided";
};

namespace shown_before_anything_runs {
static_assert(weight<MultipliedE2m1>(fp32, e4m3, 7, 0x38, 0x3f800001) == 0x40c00002);  // 6 * (1 + 2^-23), a tie
static_assert(weight<MultipliedE2m1>(bf16, e4m3, 9, 0x38, 0x40000000) == 0xbf80);      // -0.5 * 2
static_assert(weight<DividedE2m1>(fp32, e4m3, 2, 0x38, 0x40400000) == 0x3eaaaaab);     // 1 / 3
static_assert(weight<DividedE2m1>(fp32, e4m3, 2, 0x38, 0x00000000) == 0x7f800000);     // 1 / 0
static_assert(weight<DividedE2m1>(fp32, e4m3, 0, 0x38, 0x00000000) == 0x7fffffff);     // 0 * infinity
static_assert(weight<ScaledE2m1OfGguf>(fp32, e8m0, 1, 255, 0) == 0x7f000000);          // 2^127
static_assert(weight<ScaledE2m1OfGguf>(fp32, e8m0, 1, 0, 0) == 0x00200000);            // 2^-128
static_assert(weight<ScaledE2m1OfGguf>(fp32, e8m0, 8, 127, 0) == 0);
static_assert(weight<ScaledE2m1>(bf16, e8m0, 7, 127, 0) == 0x40c0);  // 6
static_assert(weight<ScaledE2m1>(bf16, e8m0, 8, 127, 0) == 0x8000);  // -0
static_assert(weight<ScaledE2m1>(bf16, e8m0, 1, 0, 0) == 0x0020);    // 2^-128
static_assert(weight<ScaledE2m1>(fp16, e8m0, 4, 102, 0) == 0x0000);  // 2 * 2^-25: the scale is a tie, to 0
static_assert(weight<ScaledE2m1>(fp16, e8m0, 0, 143, 0) == 0x7fff);  // 0 * 2^16, which is infinite in fp16
static_assert(weight<ScaledE2m1>(fp32, e8m0, 9, 255, 0) == 0x7fffffff);
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
