/// The two domains of a zero point, and the way from each to the other.
///
/// Both describe code * scale + constant, so
///
///   zero = (8 - zero_point) * scale        zero_point = 8 - zero / scale
///
/// The first rounds once, to the format of the scale, where 8 - zero_point has more significant bits than the format
/// has to spare. The second is exact where the quotient is a whole number within int8; otherwise there is a nearest
/// zero point. What either costs is proved here, and checked for every scale of bf16 and fp16 by `tileproof prove
/// domains`.
///
/// Words of the proofs. The format has p bits of precision, and values s * 2^e with |s| < 2^p and e at least that of
/// the smallest subnormal. R rounds to nearest, ties to even, as if there were no largest exponent. The scale is
/// S = s * 2^e as decode() gives it: e is the least exponent, or |s| has p bits. m = 8 - zero_point (-119..136),
/// n = code - zero_point (-127..143), so that (code - 8) + m = n. Z is the float-domain zero. ulp(v) is the distance of
/// the format's values at v, from |v| upwards: 2^e times 2^max(0, width(|v| / 2^e) - p), for whole multiples v of 2^e.
///
///   integer-domain weight   I = R(n S)
///   float-domain weight     F = R((code - 8) S + Z)
///
/// **Integer to float.** Z = R(m S), D = Z - m S.
///
/// 1. D = 0 exactly where the odd part of |m s| has at most p bits. Nothing is lost among subnormals: m S is a whole
///    multiple of 2^e, and every such multiple below 2^(p + e) is a value of the format. Always exact are therefore
///    m = 0 and +-2^i, and of 0..15 the zero points 0, 4, 6, 7, 8, 9, 10, 12. Z overflows where
///    |m S| >= (2^(p + 1) - 1) * 2^(bias - p), half a last place above the largest finite value.
/// 2. |D| <= ulp(m S) / 2 <= |m| * |S| / 2^p, by rounding to nearest. Of zero points 0..15: at most 7 / 2^p scales, for
///    m = 8 is exact.
/// 3. D = 0: F = I, but for the sign of a zero, since both round the same real number.
/// 4. D != 0, Z finite: |F - I| <= ulp(larger of |m S| and |n S|), one last place.
///    Proof. In units of 2^e let x = n s, y = x + D, ulp(m S) = 2^a with a >= 1, ulp(n S) = 2^b; |D| <= 2^(a-1). R is
///    odd, so let x >= 0. R is monotone and leaves values as they are.
///    a <= b: all multiples of 2^b up to 2^(p+b) are values, and x is below. Let g be such that g <= x < g + 2^b = h,
///    so that R(x) is in g..h. Where y is in g..h, so is R(y). Where y > h, x > h - 2^(b-1), so R(x) = h; and
///    y < h + 2^(b-1), where values lie 2^b apart or more, so R(y) = h. Where y < g, x < g + 2^(b-1), so R(x) = g; and
///    y > g - 2^b, a value, so R(y) >= g - 2^b.
///    a > b: all multiples of G = 2^(a-1) up to T = 2^(p+a-1) are values, and x < 2^(p+b) <= T. Let g be such that
///    g <= x <= g + G <= T, so that R(x) is in g..g + G. y >= g - G, a value, so R(y) >= g - G. y <= g + 2 G, so
///    R(y) <= g + 2 G where that is at most T; else g + G = T, and y < T + G, half way to the next value, so R(y) <= T.
///    In every case |R(y) - R(x)| is at most the larger of 2^a = 2 G and 2^b.  QED
///    It is attained: see domains_test.cpp. In scales, since ulp(v) <= 2^(1-p) |v|: at most max(|m|, |n|) * 2^(1-p),
///    for zero points 0..15 in bf16 15/128, and more than one scale (143/128) for a zero point of int8.
/// 5. Beyond the largest finite value R is an infinity: with infinity taken for 2^(bias + 1), the least value that is
///    one, 4 still holds, for taking the lesser of two numbers and a third for each brings them no further apart.
/// 6. Z infinite: every F is that infinity, whatever I is. Nothing bounds the loss.
///
/// **Float to integer.** S finite and not zero, Z finite, r = 8 - Z / S, zero_point = r to nearest, ties to even, then
/// clamped to -128..127. E = Z - m S.
///
/// 7. -128.5 <= r <= 127.5: |E| <= |S| / 2. Elsewhere the clamp decides, and |E| is as large as Z says.
/// 8. E = 0: F = I but for the sign of a zero. |E| <= |S| / 2: |F - I| <= |S| / 2 + ulp((|n| + 1/2) S), since rounding
///    moves x = n S by ulp(x) / 2 at most and y = x + E by ulp(y) / 2, and neither is larger than (|n| + 1/2) |S|. In
///    scales: at most 1/2 + (|n| + 1/2) * 2^(1-p).
///
/// **There and back.** Integer to float to integer gives the zero point back wherever Z is finite and S is not zero:
/// |D| < |S| / 2. By 2 for |m| < 2^(p-1). That leaves bf16 with m = 129..136: where |m s| < 2^15, |D| is 2^6 at most
/// and less than |s| / 2, for |s| = 128 is exact; all others, |s| > 240, are tried (static_assert below). Float to
/// integer to float gives Z back where it is R(m S) for a zero point, and otherwise the nearest such value.
#pragma once

#include <cstdint>
#include <optional>

#include "reference/arithmetic.h"
#include "reference/dequantize.h"
#include "reference/quantize.h"

namespace tileproof::reference {

/// @param scale  bits of a value of the format
/// @return       the float-domain zero, rounded once
constexpr std::uint32_t float_zero_of(FloatFormat format, std::uint32_t scale, int zero_point) {
  return rounded(format, product(whole(AffineFloat::midpoint - zero_point), decode(format, scale)));
}

/// How many bits a finite value has beyond the precision of the format. Its last place is 2^(exponent + excess).
constexpr int excess_bits(FloatFormat format, const Exact& value) {
  const int excess = bit_width(value.magnitude) - (format.fraction_bits + 1);
  return excess > 0 ? excess : 0;
}

/// Whether the float-domain zero is (8 - zero_point) * scale itself: statement 1.
constexpr bool conversion_is_exact(FloatFormat format, std::uint32_t scale, int zero_point) {
  const Exact zero = product(whole(AffineFloat::midpoint - zero_point), decode(format, scale));
  if (zero.kind != Exact::Kind::finite) return false;
  const std::uint64_t dropped = (std::uint64_t{1} << excess_bits(format, zero)) - 1;
  return (zero.magnitude & dropped) == 0 && bit_width(zero.magnitude) + zero.exponent <= format.bias() + 1;
}

/// Whether a finite scale has an infinite float-domain zero: statement 1.
constexpr bool conversion_overflows(FloatFormat format, std::uint32_t scale, int zero_point) {
  const Exact zero = product(whole(AffineFloat::midpoint - zero_point), decode(format, scale));
  if (zero.kind != Exact::Kind::finite) return false;
  const int width = bit_width(zero.magnitude);
  const int above = width + zero.exponent - (format.bias() + 1);  // of the leading bit, above the last finite binade
  if (above != 0) return above > 0;
  const int precision = format.fraction_bits + 1;
  const std::uint64_t all_ones = (std::uint64_t{2} << precision) - 1;
  return width > precision && zero.magnitude >> (width - precision - 1) == all_ones;
}

/// The most by which the float-domain weight of a converted zero point differs from the integer-domain weight:
/// statements 3 and 4. For a finite scale whose conversion does not overflow; infinite weights are 2^(bias + 1).
constexpr Exact conversion_bound(FloatFormat format, int code, std::uint32_t scale, int zero_point) {
  if (conversion_is_exact(format, scale, zero_point)) return whole(0);
  const Exact exact_scale = decode(format, scale);
  const int of_zero = excess_bits(format, product(whole(AffineFloat::midpoint - zero_point), exact_scale));
  const int of_weight = excess_bits(format, product(whole(code - zero_point), exact_scale));
  return {.magnitude = 1, .exponent = exact_scale.exponent + (of_zero > of_weight ? of_zero : of_weight)};
}

/// Whether an exact conversion turns a weight's zero into the zero of the other sign. A sum that cancels is +0 (IEEE
/// 754-2019, 6.3), where 0 times a negative scale is -0.
constexpr bool conversion_turns_a_zero(FloatFormat format, int code, std::uint32_t scale, int zero_point) {
  const bool negative = (scale & format.sign_bit()) != 0;
  const int midpoint = AffineFloat::midpoint;
  if (decode(format, scale).magnitude != 0) return negative && code == zero_point && zero_point != midpoint;
  // Every weight is a zero: a sum of two is -0 only where both are.
  const bool of_sum = negative ? code >= midpoint && zero_point <= midpoint : code < midpoint && zero_point > midpoint;
  const bool of_product = negative ? code >= zero_point : code < zero_point;
  return of_sum != of_product;
}

/// @return the zero point -128..127 nearest to 8 - zero / scale, ties to even, for a finite zero and a finite scale
/// that is not zero. The quotient's sticky last bit does not change what it is nearest to.
constexpr std::optional<int> nearest_zero_point(FloatFormat format, std::uint32_t scale, std::uint32_t zero) {
  const Exact exact_scale = decode(format, scale);
  const Exact exact_zero = decode(format, zero);
  const bool both_finite = exact_scale.kind == Exact::Kind::finite && exact_zero.kind == Exact::Kind::finite;
  if (!both_finite || exact_scale.magnitude == 0) return std::nullopt;
  const int highest = AffineFloat::midpoint + 128;
  const int lowest = AffineFloat::midpoint - 127;
  return AffineFloat::midpoint - rounded_and_clamped(quotient(exact_zero, exact_scale), lowest, highest);
}

/// @return the zero point -128..127 whose float-domain zero is exactly `zero`, if there is one; scale finite and not
/// zero
constexpr std::optional<int> zero_point_of(FloatFormat format, std::uint32_t scale, std::uint32_t zero) {
  const std::optional<int> nearest = nearest_zero_point(format, scale, zero);
  if (!nearest) return std::nullopt;
  const Exact of_nearest = product(whole(AffineFloat::midpoint - *nearest), decode(format, scale));
  const Exact difference = sum(of_nearest, negated(decode(format, zero)));
  return difference.magnitude == 0 ? nearest : std::nullopt;
}

/// The most by which the integer-domain weight of the nearest zero point differs from the float-domain weight, where no
/// clamp moved it: statement 8. Infinite weights are 2^(bias + 1).
constexpr Exact nearest_bound(FloatFormat format, int code, std::uint32_t scale, int zero_point) {
  const Exact exact_scale = decode(format, scale);
  Exact farthest = product(whole(2 * (code - zero_point)), exact_scale);  // (|n| + 1/2) * |scale|, in halves
  farthest.magnitude += exact_scale.magnitude;
  const int excess = excess_bits(format, farthest);  // of its doubled magnitude: one more than of itself
  const Exact half_scale = {.magnitude = exact_scale.magnitude, .exponent = exact_scale.exponent - 1};
  return sum(half_scale, {.magnitude = 1, .exponent = exact_scale.exponent + (excess > 0 ? excess - 1 : 0)});
}

namespace shown_before_anything_runs {
static_assert(float_zero_of(bf16, 0x3f80, 8) == 0x0000);
static_assert(float_zero_of(bf16, 0x3f80, 0) == 0x4100);
static_assert(zero_point_of(bf16, 0x3f80, 0x4100) == 0);
static_assert(!zero_point_of(bf16, 0x3f80, 0x3f00));      // half a scale: between two codes
static_assert(float_zero_of(bf16, 0x3fff, 3) == 0x411f);  // 5 * 1.9921875 = 9.9609375 rounds: no way back
static_assert(!zero_point_of(bf16, 0x3fff, 0x411f));
static_assert(nearest_zero_point(bf16, 0x3fff, 0x411f) == 3);  // but to the nearest
static_assert(nearest_zero_point(bf16, 0x3f80, 0x3f00) == 8);  // 7.5: to even
static_assert(!conversion_is_exact(bf16, 0x3fff, 3) && conversion_is_exact(bf16, 0x3fff, 4));
static_assert(conversion_is_exact(bf16, 0x0001, 3) && conversion_is_exact(bf16, 0x007f, 7));  // subnormals
static_assert(conversion_overflows(fp16, 0x7bff, 6) && !conversion_overflows(fp16, 0x7bff, 7));

// There and back, for significands of more than 240.
constexpr bool every_large_multiple_moves_by_less_than_half_a_scale() {
  for (std::uint32_t scale = 0x3ff0; scale < 0x4000; ++scale) {
    for (int zero_point = -121; zero_point >= -128; --zero_point) {
      if (nearest_zero_point(bf16, scale, float_zero_of(bf16, scale, zero_point)) != zero_point) return false;
    }
  }
  return true;
}
static_assert(every_large_multiple_moves_by_less_than_half_a_scale());
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
