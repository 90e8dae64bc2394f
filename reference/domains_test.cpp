/// The two domains meet: which zero points survive the conversion, how many, and what is lost by the others.
#include "reference/domains.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace tileproof::reference {
namespace {

double value_of_bf16(std::uint32_t pattern) { return std::bit_cast<float>(pattern << 16); }

TEST(FloatZero, IsEightLessTheZeroPointTimesTheScale) {
  EXPECT_EQ(float_zero_of(bf16, 0x3f00, 0), 0x4080u);          // 8 * 0.5 = 4
  EXPECT_EQ(float_zero_of(bf16, 0x3f00, 15), 0xc060u);         // -7 * 0.5 = -3.5
  EXPECT_EQ(float_zero_of(bf16, 0x3f80, -128), 0x4308u);       // 136
  EXPECT_EQ(float_zero_of(bf16, 0x3f80, 127), 0xc2eeu);        // -119
  EXPECT_EQ(float_zero_of(fp16, 0x3e00, 5), 0x4480u);          // 3 * 1.5 = 4.5
  EXPECT_EQ(float_zero_of(fp32, 0x3f800001, 5), 0x40400002u);  // 3 + 3 * 2^-23 is a tie between 3 + 2^-22 and 3 + 2^-21
  EXPECT_EQ(float_zero_of(bf16, 0xbf80, 8), 0x8000u);          // 0 * -1
  EXPECT_EQ(float_zero_of(fp16, 0x7bff, 0), 0x7c00u);          // overflows
  EXPECT_EQ(float_zero_of(bf16, 0x7f80, 8), 0x7fffu);          // 0 * infinity
  EXPECT_EQ(float_zero_of(bf16, 0x0001, 0), 0x0008u);
}

TEST(ZeroPoint, IsFoundExactlyWhereItsFloatZeroIsThatZero) {
  EXPECT_EQ(zero_point_of(bf16, 0x3f00, 0x4080), 0);
  EXPECT_EQ(zero_point_of(bf16, 0x3f00, 0xc060), 15);
  EXPECT_EQ(zero_point_of(bf16, 0xbf80, 0x4100), 16);  // (8 - 16) * -1
  EXPECT_EQ(zero_point_of(bf16, 0x3f80, 0x0000), 8);
  EXPECT_EQ(zero_point_of(bf16, 0x3f80, 0x8000), 8);             // a zero of either sign
  EXPECT_EQ(zero_point_of(bf16, 0x3f80, 0x4308), -128);          // 136
  EXPECT_EQ(zero_point_of(bf16, 0x3f80, 0x4309), std::nullopt);  // 137
  EXPECT_EQ(zero_point_of(bf16, 0x3f80, 0xc2ee), 127);           // -119
  EXPECT_EQ(zero_point_of(bf16, 0x3f80, 0xc2f0), std::nullopt);  // -120
  EXPECT_EQ(zero_point_of(bf16, 0x3f80, 0x3f81), std::nullopt);  // one ulp beside a code
  EXPECT_EQ(zero_point_of(fp16, 0x0001, 0x0008), 0);             // subnormals
}

TEST(ZeroPoint, HasNoAnswerForWhatIsNotFiniteOrAScaleOfZero) {
  for (const FloatFormat format : {bf16, fp16, fp32}) {
    const std::uint32_t one = static_cast<std::uint32_t>(format.bias()) << format.fraction_bits;
    for (const std::uint32_t pattern :
         {format.infinity(), format.sign_bit() | format.infinity(), format.infinity() + 1, format.canonical_nan()}) {
      EXPECT_EQ(zero_point_of(format, pattern, one), std::nullopt);
      EXPECT_EQ(zero_point_of(format, one, pattern), std::nullopt);
    }
    EXPECT_EQ(zero_point_of(format, 0, 0), std::nullopt);
    EXPECT_EQ(zero_point_of(format, format.sign_bit(), one), std::nullopt);
  }
}

/// Walks all positive normal bf16 scales with the zero points of four bits.
template <class Visit>
void visit_normal_scales(Visit visit) {
  for (std::uint32_t scale = 0x0080; scale < 0x7f80; ++scale) {
    for (int zero_point = 0; zero_point <= 15; ++zero_point) visit(scale, zero_point);
  }
}

/// Whether a product of whole numbers fits bf16's eight significant bits.
bool fits_eight_bits(int product) {
  if (product == 0) return true;
  while (product % 2 == 0) product /= 2;
  return std::abs(product) < 256;
}

// How many of the 254 * 128 scales s * 2^e (128 <= s < 256) times 16 zero points convert exactly. m = 8 - zero_point:
//   m = 0, +-1, +-2, +-4, 8: always, 8 zero points: 128 s each.
//   |m| = 3 or 6: 3 s has 9 bits up to s = 170 and must be even: 22 s; else 10 bits, a multiple of 4: 21 s.
//   Together 43. |m| = 5: 5 s has 10 bits up to s = 204, a multiple of 4: 20 s; else 11 bits, of 8: 6 s. Together 26.
//   |m| = 7: 7 s has 10 bits up to s = 146, a multiple of 4: 5 s; else 11 bits, of 8: 13 s. Together 18.
// Each but 8 occurs with both signs: 8 * 128 + 4 * 43 + 2 * 26 + 2 * 18 = 1284 an exponent. Of these overflow |m| s *
// 2^e >= 2^128:
//   e = 120 (the largest): all |m| >= 2:                        2*128 + 2*43 + 2*128 + 2*26 + 2*43 + 2*18 + 128 = 900
//   e = 119: |m| = 3 with s >= 171, and all |m| >= 4:           2*21 + 2*128 + 2*26 + 2*43 + 2*18 + 128         = 600
//   e = 118: |m| = 5, s >= 205; 6, s >= 171; 7, s >= 147; 8:    2*6 + 2*21 + 2*13 + 128                         = 208
constexpr int pairs = 254 * 128 * 16;
constexpr int exact_pairs = 254 * 1284 - 900 - 600 - 208;

TEST(Conversion, IsExactForAsManyPairsAsCountedByHand) {
  int exact = 0;
  int inexact = 0;
  visit_normal_scales([&](std::uint32_t scale, int zero_point) {
    const double zero = value_of_bf16(float_zero_of(bf16, scale, zero_point));
    ++(zero == (8 - zero_point) * value_of_bf16(scale) ? exact : inexact);
  });
  EXPECT_EQ(exact, exact_pairs);
  EXPECT_EQ(exact, 324'428);
  EXPECT_EQ(inexact, pairs - exact_pairs);
  EXPECT_EQ(inexact, 195'764);
}

TEST(Conversion, GivesTheZeroPointBackExactlyWhereTheProductFitsTheFormat) {
  // Where it rounded, no other zero point is near enough to be hit: there is no answer, never a wrong one.
  int given_back = 0;
  int refused = 0;
  visit_normal_scales([&](std::uint32_t scale, int zero_point) {
    const int significand = static_cast<int>(128 + scale % 128);
    const bool overflows = std::fabs((8 - zero_point) * value_of_bf16(scale)) >= 0x1p128;
    const bool is_exact = fits_eight_bits((8 - zero_point) * significand) && !overflows;
    const std::optional<int> back = zero_point_of(bf16, scale, float_zero_of(bf16, scale, zero_point));
    if (is_exact) {
      ASSERT_EQ(back, zero_point) << std::hex << scale;
    } else {
      ASSERT_EQ(back, std::nullopt) << std::hex << scale << " with " << std::dec << zero_point;
    }
    ++(is_exact ? given_back : refused);
  });
  EXPECT_EQ(given_back, exact_pairs);
  EXPECT_EQ(refused, pairs - exact_pairs);
}

TEST(Conversion, MovesAZeroByHalfAnUlpAtMost) {
  // Relative to the exact product: at most 2^-8, half the distance of two neighbours at the low end of a binade.
  int rounded_up = 0;
  int rounded_down = 0;
  visit_normal_scales([&](std::uint32_t scale, int zero_point) {
    const double exact = (8 - zero_point) * value_of_bf16(scale);
    const double zero = value_of_bf16(float_zero_of(bf16, scale, zero_point));
    if (std::isinf(zero)) {
      ASSERT_GE(std::fabs(exact), 0x1.ffp127);
      return;
    }
    ASSERT_LE(std::fabs(zero - exact), 0x1p-8 * std::fabs(exact));
    if (zero > exact) ++rounded_up;
    if (zero < exact) ++rounded_down;
  });
  EXPECT_GT(rounded_up, 50'000);
  EXPECT_GT(rounded_down, 50'000);
}

TEST(Conversion, KeepsEveryWeightWhereItIsExact) {
  int compared = 0;
  visit_normal_scales([&](std::uint32_t scale, int zero_point) {
    const std::uint32_t zero = float_zero_of(bf16, scale, zero_point);
    if (value_of_bf16(zero) != (8 - zero_point) * value_of_bf16(scale)) return;
    for (int code = 0; code < 16; ++code, ++compared) {
      ASSERT_EQ(dequantized_float(bf16, code, scale, zero), dequantized_integer(bf16, code, scale, zero_point))
          << std::hex << scale << ", zero point " << std::dec << zero_point << ", code " << code;
    }
  });
  EXPECT_EQ(compared, 16 * exact_pairs);
}

TEST(Conversion, TurnsTheIntegerDomainsMinusZeroIntoPlusZero) {
  // A scale below zero: (code - zero_point) * scale is -0 where code == zero_point, but x - x is +0.
  EXPECT_EQ(dequantized_integer(bf16, 3, 0xbf80, 3), 0x8000u);
  EXPECT_EQ(dequantized_float(bf16, 3, 0xbf80, float_zero_of(bf16, 0xbf80, 3)), 0x0000u);
}

// --- The bounds of domains.h. `tileproof prove domains` looks at every scale; here are all significands of one binade,
// the subnormals and the largest binades, which is all that tells scales apart.

double value(const Exact& exact) {
  const double magnitude = std::ldexp(static_cast<double>(exact.magnitude), exact.exponent);
  return exact.negative ? -magnitude : magnitude;
}

/// Of a finite value or, for an infinity, the least power of two that is one.
double place(FloatFormat format, std::uint32_t pattern) {
  const Exact exact = decode(format, pattern);
  const double magnitude = exact.kind == Exact::Kind::infinite
                               ? std::ldexp(1, format.bias() + 1)
                               : std::ldexp(static_cast<double>(exact.magnitude), exact.exponent);
  return exact.negative ? -magnitude : magnitude;
}

/// Calls visit(format, scale, zero point) for scales of every significand, both signs, and every zero point.
template <class Visit>
void visit_scales_of_every_kind(Visit visit) {
  for (const FloatFormat format : {bf16, fp16}) {
    const std::uint32_t binade = std::uint32_t{1} << format.fraction_bits;
    const std::uint32_t one = static_cast<std::uint32_t>(format.bias()) << format.fraction_bits;
    for (const std::uint32_t begin : {std::uint32_t{0}, binade, one, format.infinity() - 8 * binade}) {
      const std::uint32_t count = begin > one ? 8 * binade : binade;
      // In fp16, of the largest binades, every seventh: its 1024 significands take longer and show the same.
      for (std::uint32_t i = 0; i<count; i += begin> one && format == fp16 ? 7 : 1) {
        for (int zero_point = -128; zero_point <= 127; ++zero_point) {
          visit(format, begin + i, zero_point);
          if (i % 16 == 1) visit(format, format.sign_bit() | (begin + i), zero_point);
        }
      }
    }
  }
}

TEST(Conversion, IsExactAndOverflowsWherePredicted) {
  std::int64_t exact = 0;
  std::int64_t infinite = 0;
  visit_scales_of_every_kind([&](FloatFormat format, std::uint32_t scale, int zero_point) {
    const std::uint32_t zero = float_zero_of(format, scale, zero_point);
    const bool is_infinite = (zero & (format.sign_bit() - 1)) == format.infinity();
    const bool is_exact = !is_infinite && place(format, zero) == (8 - zero_point) * place(format, scale);
    ASSERT_EQ(conversion_is_exact(format, scale, zero_point), is_exact) << std::hex << scale << ' ' << zero_point;
    ASSERT_EQ(conversion_overflows(format, scale, zero_point), is_infinite) << std::hex << scale << ' ' << zero_point;
    exact += is_exact;
    infinite += is_infinite;
  });
  EXPECT_GT(exact, 100'000);
  EXPECT_GT(infinite, 100'000);
}

TEST(Conversion, IsNeitherExactNorOverflowingForWhatIsNotFinite) {
  for (const FloatFormat format : {bf16, fp16, fp32}) {
    for (const std::uint32_t scale :
         {format.infinity(), format.sign_bit() | format.infinity(), format.infinity() + 1}) {
      EXPECT_FALSE(conversion_is_exact(format, scale, 8));
      EXPECT_FALSE(conversion_overflows(format, scale, 0));
    }
  }
}

TEST(ConversionBound, HoldsAndNoSmallerOneDoes) {
  double nearest_to_bound = 0;
  visit_scales_of_every_kind([&](FloatFormat format, std::uint32_t scale, int zero_point) {
    if (conversion_overflows(format, scale, zero_point)) return;
    const std::uint32_t zero = float_zero_of(format, scale, zero_point);
    for (int code = zero_point & 3; code < 16; code += 4) {
      const std::uint32_t of_integer = dequantized_integer(format, code, scale, zero_point);
      const std::uint32_t of_float = dequantized_float(format, code, scale, zero);
      const double bound = value(conversion_bound(format, code, scale, zero_point));
      const double difference = std::fabs(place(format, of_float) - place(format, of_integer));
      ASSERT_LE(difference, bound) << std::hex << scale << ' ' << std::dec << zero_point << ' ' << code;
      if (bound > 0) nearest_to_bound = std::max(nearest_to_bound, difference / bound);
      if (!conversion_is_exact(format, scale, zero_point)) continue;
      ASSERT_EQ(bound, 0) << std::hex << scale << ' ' << std::dec << zero_point;
      ASSERT_EQ(of_integer != of_float, conversion_turns_a_zero(format, code, scale, zero_point))
          << std::hex << scale << ' ' << std::dec << zero_point << ' ' << code;
    }
  });
  EXPECT_EQ(nearest_to_bound, 1);
}

TEST(ConversionBound, IsAttainedWhetherTheWeightOrTheZeroIsTheLarger) {
  // 129, zero point 1: 903 between 900 and 904 becomes 904. Code 6: 645 becomes 644; 904 - 258 = 646 is a tie between
  // 644 and 648 = 162 * 4: to even. Values lie 4 apart at 645 as at 903.
  EXPECT_EQ(float_zero_of(bf16, 0x4301, 1), 0x4462u);              // 904
  EXPECT_EQ(dequantized_integer(bf16, 6, 0x4301, 1), 0x4421u);     // 644
  EXPECT_EQ(dequantized_float(bf16, 6, 0x4301, 0x4462), 0x4422u);  // 648
  EXPECT_EQ(value(conversion_bound(bf16, 6, 0x4301, 1)), 4);
  // 174, zero point 2: 1044 is a tie between 1040 = 130 * 8 and 1048. Code 7: 870 is a tie between 868 and 872 =
  // 218 * 4; 1040 - 174 = 866 is one between 864 = 216 * 4 and 868. Values lie 8 apart at 1044, 4 at 870.
  EXPECT_EQ(float_zero_of(bf16, 0x432e, 2), 0x4482u);              // 1040
  EXPECT_EQ(dequantized_integer(bf16, 7, 0x432e, 2), 0x445au);     // 872
  EXPECT_EQ(dequantized_float(bf16, 7, 0x432e, 0x4482), 0x4458u);  // 864
  EXPECT_EQ(value(conversion_bound(bf16, 7, 0x432e, 2)), 8);
}

TEST(NearestZeroPoint, IsTheConvertedOneWhereverItsFloatZeroIsFinite) {
  std::int64_t given_back = 0;
  visit_scales_of_every_kind([&](FloatFormat format, std::uint32_t scale, int zero_point) {
    const std::uint32_t zero = float_zero_of(format, scale, zero_point);
    if (conversion_overflows(format, scale, zero_point) || decode(format, scale).magnitude == 0) return;
    ASSERT_EQ(nearest_zero_point(format, scale, zero), zero_point) << std::hex << scale;
    ++given_back;
  });
  EXPECT_GT(given_back, 500'000);
}

TEST(NearestZeroPoint, RoundsTiesToEvenAndClamps) {
  EXPECT_EQ(nearest_zero_point(bf16, 0x3f80, 0x3f00), 8);     // 7.5
  EXPECT_EQ(nearest_zero_point(bf16, 0x3f80, 0x3fc0), 6);     // 6.5
  EXPECT_EQ(nearest_zero_point(bf16, 0x3f80, 0xbfc0), 10);    // 9.5
  EXPECT_EQ(nearest_zero_point(bf16, 0x3f80, 0x3f01), 7);     // 7.496
  EXPECT_EQ(nearest_zero_point(bf16, 0x3f80, 0x4380), -128);  // -248
  EXPECT_EQ(nearest_zero_point(bf16, 0x3f80, 0xc380), 127);   // 264
  EXPECT_EQ(nearest_zero_point(bf16, 0xbf80, 0x4380), 127);
  EXPECT_EQ(nearest_zero_point(bf16, 0x0001, 0x7f7f), -128);
  EXPECT_EQ(nearest_zero_point(bf16, 0x7f7f, 0x8001), 8);
  EXPECT_EQ(nearest_zero_point(bf16, 0x0000, 0x3f80), std::nullopt);
  EXPECT_EQ(nearest_zero_point(bf16, 0x3f80, 0x7f80), std::nullopt);
}

TEST(NearestBound, HoldsAndHalfAScaleAloneDoesNot) {
  double most_beyond_half_a_scale = 0;
  double nearest_to_bound = 0;
  std::uint32_t drawn = 1;
  for (int index = 0; index < 400'000; ++index) {
    const FloatFormat format = index % 2 == 0 ? bf16 : fp16;
    drawn = drawn * 1664525 + 1013904223;  // a linear congruential generator
    const std::uint32_t scale = (drawn >> 9 & 0x7fff) % (format.infinity() - 1) + 1;
    const std::uint32_t times = drawn >> 24;  // 0..255 halves of a scale, and a part of one
    const Exact exact_scale = decode(format, scale);
    const Exact wanted = {.negative = (drawn & 1) != 0,
                          .magnitude = exact_scale.magnitude * (times * 64 + (drawn >> 3 & 63)),
                          .exponent = exact_scale.exponent - 7};
    const std::uint32_t zero = rounded(format, wanted);
    const std::optional<int> zero_point = nearest_zero_point(format, scale, zero);
    if (!zero_point) continue;  // the zero overflowed
    const double size = place(format, scale);
    const double moved = std::fabs(place(format, zero) - (8 - *zero_point) * size);
    if (moved > size / 2) continue;  // the clamp moved it
    for (int code = 0; code < 16; ++code) {
      const double of_integer = place(format, dequantized_integer(format, code, scale, *zero_point));
      const double of_float = place(format, dequantized_float(format, code, scale, zero));
      const double difference = std::fabs(of_float - of_integer);
      const double bound = value(nearest_bound(format, code, scale, *zero_point));
      ASSERT_LE(difference, bound) << std::hex << scale << ' ' << zero << ' ' << code;
      nearest_to_bound = std::max(nearest_to_bound, difference / bound);
      most_beyond_half_a_scale = std::max(most_beyond_half_a_scale, difference / size - 0.5);
    }
  }
  EXPECT_GT(nearest_to_bound, 0.9);
  EXPECT_GT(most_beyond_half_a_scale, 0.5);
}

/// Scales with zeros that lie nearly half a scale from the nearest zero point's, and weights whose rounding adds nearly
/// a last place to that, for weights of every number of bits beyond the precision up to where half a scale counts for
/// little; and one that is rounded to nothing.
TEST(NearestBound, IsAttainedToALastPlaceOfTheScaleWhateverTheExcessOfTheWeight) {
  struct Attained {
    int excess;  // of (|code - zero_point| + 1/2) scales
    std::uint32_t scale, zero;
    int code, zero_point;
  };
  for (const auto& [excess, scale, zero, code, zero_point] :
       {Attained{-1, 0x3fff, 0x3f7f, 8, 8}, Attained{0, 0x3fa9, 0x3f29, 9, 8}, Attained{1, 0x3f91, 0x3f11, 5, 8},
        Attained{2, 0x3f99, 0x3f18, 2, 8}, Attained{3, 0x3f91, 0x4108, 12, 0}, Attained{4, 0x3fa1, 0xc19c, 0, 24},
        Attained{5, 0x3fc2, 0x423f, 0, -24}, Attained{1, 0x3ffa, 0x3f7a, 9, 8}, Attained{2, 0x0079, 0x003c, 2, 8}}) {
    const double last_place = std::ldexp(1, decode(bf16, scale).exponent);
    const double farthest = (std::abs(code - zero_point) + 0.5) * value(decode(bf16, scale));
    EXPECT_EQ(std::ilogb(farthest / last_place) - 7, excess);
    ASSERT_EQ(nearest_zero_point(bf16, scale, zero), zero_point);
    const double difference = std::fabs(place(bf16, dequantized_float(bf16, code, scale, zero)) -
                                        place(bf16, dequantized_integer(bf16, code, scale, zero_point)));
    const double bound = value(nearest_bound(bf16, code, scale, zero_point));
    EXPECT_LE(difference, bound) << std::hex << scale << ' ' << zero;
    EXPECT_GE(difference, bound - last_place) << std::hex << scale << ' ' << zero;
  }
}

}  // namespace
}  // namespace tileproof::reference
