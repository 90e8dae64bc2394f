/// Decoding and the one rounding: by hand at every boundary, and against the machine's own conversion from double to
/// float. (arithmetic_mpfr_test.cpp holds both against MPFR for every 16-bit pattern.)
#include "reference/float_bits.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>

namespace tileproof::reference {
namespace {

constexpr FloatFormat formats[] = {bf16, fp16, fp32};

Exact exactly(std::uint64_t magnitude, int exponent, bool negative = false) {
  return {.negative = negative, .magnitude = magnitude, .exponent = exponent};
}

/// A finite double as an Exact, by the field layout of IEEE 754 binary64.
Exact exactly(double value) {
  int exponent = 0;
  const double fraction = std::frexp(std::fabs(value), &exponent);
  return exactly(static_cast<std::uint64_t>(std::ldexp(fraction, 53)), exponent - 53, std::signbit(value));
}

TEST(FloatFormat, HasTheWidthsAndConstantsOfIts754Format) {
  struct Row {
    FloatFormat format;
    int bits, bias, smallest_exponent;
    std::uint32_t sign_bit, infinity, canonical_nan;
  };
  for (const Row& row :
       {Row{bf16, 16, 127, -133, 0x8000, 0x7f80, 0x7fff}, Row{fp16, 16, 15, -24, 0x8000, 0x7c00, 0x7fff},
        Row{fp32, 32, 127, -149, 0x80000000, 0x7f800000, 0x7fffffff}}) {
    EXPECT_EQ(row.format.bits(), row.bits);
    EXPECT_EQ(row.format.bias(), row.bias);
    EXPECT_EQ(row.format.smallest_exponent(), row.smallest_exponent);
    EXPECT_EQ(row.format.sign_bit(), row.sign_bit);
    EXPECT_EQ(row.format.infinity(), row.infinity);
    EXPECT_EQ(row.format.canonical_nan(), row.canonical_nan);
  }
}

TEST(FloatFormat, CallsNanWhatIsAboveInfinityInMagnitude) {
  for (const FloatFormat format : formats) {
    for (const std::uint32_t sign : {std::uint32_t{0}, format.sign_bit()}) {
      EXPECT_FALSE(format.is_nan(sign));
      EXPECT_FALSE(format.is_nan(sign | (format.infinity() - 1)));
      EXPECT_FALSE(format.is_nan(sign | format.infinity()));
      EXPECT_TRUE(format.is_nan(sign | (format.infinity() + 1)));  // the least signalling NaN
      EXPECT_TRUE(format.is_nan(sign | format.canonical_nan()));
    }
  }
}

TEST(Decode, GivesTheFieldsOfEachClass) {
  const auto expect = [](FloatFormat format, std::uint32_t pattern, Exact::Kind kind, bool negative, double value) {
    const Exact got = decode(format, pattern);
    EXPECT_EQ(got.kind, kind) << std::hex << pattern;
    EXPECT_EQ(got.negative, negative) << std::hex << pattern;
    if (kind == Exact::Kind::finite) {
      EXPECT_EQ(std::ldexp(static_cast<double>(got.magnitude), got.exponent), value) << std::hex << pattern;
    }
  };
  using enum Exact::Kind;
  expect(bf16, 0x0000, finite, false, 0);
  expect(bf16, 0x8000, finite, true, 0);
  expect(bf16, 0x0001, finite, false, 0x1p-133);
  expect(bf16, 0x807f, finite, true, 0x1.fcp-127);
  expect(bf16, 0x0080, finite, false, 0x1p-126);
  expect(bf16, 0x3fc0, finite, false, 1.5);
  expect(bf16, 0xff7f, finite, true, 0x1.fep127);
  expect(bf16, 0x7f80, infinite, false, 0);
  expect(bf16, 0xff80, infinite, true, 0);
  expect(bf16, 0x7f81, nan, false, 0);
  expect(fp16, 0x0001, finite, false, 0x1p-24);
  expect(fp16, 0x83ff, finite, true, 0x1.ff8p-15);
  expect(fp16, 0x0400, finite, false, 0x1p-14);
  expect(fp16, 0xc248, finite, true, 3.140625);
  expect(fp16, 0x7bff, finite, false, 65504);
  expect(fp16, 0xfc00, infinite, true, 0);
  expect(fp16, 0x7e00, nan, false, 0);
  expect(fp32, 0x00000001, finite, false, 0x1p-149);
  expect(fp32, 0x00800000, finite, false, 0x1p-126);
  expect(fp32, 0xbf800000, finite, true, 1);
  expect(fp32, 0x7f7fffff, finite, false, 0x1.fffffep127);
  expect(fp32, 0xffc00000, nan, false, 0);
}

TEST(BitWidth, IsThePlaceOfTheLeadingOne) {
  EXPECT_EQ(bit_width(std::uint64_t{0}), 0);
  EXPECT_EQ(bit_width(std::uint32_t{0}), 0);
  for (int width = 1; width <= 32; ++width) {
    EXPECT_EQ(bit_width(std::uint32_t{1} << (width - 1)), width);
    EXPECT_EQ(bit_width(~std::uint32_t{0} >> (32 - width)), width);
  }
  for (int width = 1; width <= 64; ++width) {
    EXPECT_EQ(bit_width(std::uint64_t{1} << (width - 1)), width);
    EXPECT_EQ(bit_width(~std::uint64_t{0} >> (64 - width)), width);
  }
}

TEST(ShiftedRightToNearestEven, IsTheNearestIntegerForEverySmallArgument) {
  for (std::uint64_t magnitude = 0; magnitude < 4096; ++magnitude) {
    for (int shift = 1; shift <= 14; ++shift) {
      const std::uint64_t divisor = std::uint64_t{1} << shift;
      const std::uint64_t units = shifted_right_to_nearest_even(magnitude, shift);
      ASSERT_EQ(shifted_right_to_nearest_even(static_cast<std::uint32_t>(magnitude), shift), units);
      const std::uint64_t back = units * divisor;
      const std::uint64_t twice_error = 2 * (back > magnitude ? back - magnitude : magnitude - back);
      ASSERT_LE(twice_error, divisor) << magnitude << " >> " << shift;
      if (twice_error == divisor) {
        ASSERT_EQ(units % 2, 0u) << magnitude << " >> " << shift;
      }
    }
  }
}

TEST(ShiftedRightToNearestEven, KeepsNothingOfAShiftOutOfTheWord) {
  const std::uint64_t all = ~std::uint64_t{0};
  const std::uint64_t top = std::uint64_t{1} << 63;
  EXPECT_EQ(shifted_right_to_nearest_even(all, 63), 2u);
  EXPECT_EQ(shifted_right_to_nearest_even(top, 63), 1u);
  EXPECT_EQ(shifted_right_to_nearest_even(top | top >> 1, 63), 2u);  // 1.5 is a tie: to even
  EXPECT_EQ(shifted_right_to_nearest_even(top >> 1, 63), 0u);        // 0.5 likewise
  EXPECT_EQ(shifted_right_to_nearest_even(top, 64), 0u);
  EXPECT_EQ(shifted_right_to_nearest_even(top + 1, 64), 1u);
  EXPECT_EQ(shifted_right_to_nearest_even(all, 64), 1u);
  EXPECT_EQ(shifted_right_to_nearest_even(all, 65), 0u);
  EXPECT_EQ(shifted_right_to_nearest_even(all, 100'000), 0u);

  const std::uint32_t all_of_32 = ~std::uint32_t{0};
  const std::uint32_t top_of_32 = std::uint32_t{1} << 31;
  EXPECT_EQ(shifted_right_to_nearest_even(all_of_32, 31), 2u);
  EXPECT_EQ(shifted_right_to_nearest_even(top_of_32 | top_of_32 >> 1, 31), 2u);
  EXPECT_EQ(shifted_right_to_nearest_even(top_of_32 >> 1, 31), 0u);
  EXPECT_EQ(shifted_right_to_nearest_even(top_of_32, 32), 0u);
  EXPECT_EQ(shifted_right_to_nearest_even(top_of_32 + 1, 32), 1u);
  EXPECT_EQ(shifted_right_to_nearest_even(all_of_32, 33), 0u);
}

TEST(Rounded, CarriesFromOneBinadeToTheNextAndToInfinity) {
  EXPECT_EQ(rounded(bf16, exactly(0x1ff, -8)), 0x4000u);           // 1.99609375 is a tie: up to 2
  EXPECT_EQ(rounded(bf16, exactly(0x1fe, -8)), 0x3fffu);           // 1.9921875 is exact
  EXPECT_EQ(rounded(bf16, exactly(0xff, -134)), 0x0080u);          // over the largest subnormal: to the smallest normal
  EXPECT_EQ(rounded(bf16, exactly(0xfd, -134)), 0x007eu);          // 126.5 units: to even
  EXPECT_EQ(rounded(bf16, exactly(0x1ff, 119)), 0x7f80u);          // the overflow threshold is a tie: to infinity
  EXPECT_EQ(rounded(bf16, exactly(0x1fefff, 107)), 0x7f7fu);       // just below it
  EXPECT_EQ(rounded(fp16, exactly(0xfff, 4)), 0x7c00u);            // 65520
  EXPECT_EQ(rounded(fp16, exactly(65519, 0)), 0x7bffu);            // 65519
  EXPECT_EQ(rounded(fp16, exactly(0x7ff, -25)), 0x0400u);          // 1023.5 units of 2^-24
  EXPECT_EQ(rounded(fp32, exactly(0x1ffffff, 103)), 0x7f800000u);  // (2 - 2^-24) * 2^127
  EXPECT_EQ(rounded(fp32, exactly(0x1ffffff, -25)), 0x3f800000u);  // 1 - 2^-25 is a tie: up to 1
}

TEST(Rounded, IsZeroWithItsSignUpToHalfTheSmallestSubnormal) {
  for (const FloatFormat format : formats) {
    for (const bool negative : {false, true}) {
      const std::uint32_t sign = negative ? format.sign_bit() : 0;
      const int smallest = format.smallest_exponent();
      EXPECT_EQ(rounded(format, exactly(0, 1000, negative)), sign);
      EXPECT_EQ(rounded(format, exactly(1, smallest - 1, negative)), sign);  // half: a tie, to even
      EXPECT_EQ(rounded(format, exactly(0x80000001, smallest - 32, negative)), sign | 1);
      EXPECT_EQ(rounded(format, exactly(3, smallest - 1, negative)), sign | 2);  // 1.5 units: to even
      EXPECT_EQ(rounded(format, exactly(1, smallest - 2, negative)), sign);
      EXPECT_EQ(rounded(format, exactly(~std::uint64_t{0} >> 1, smallest - 64, negative)),
                sign);  // a shift of 64, below half
      EXPECT_EQ(rounded(format, exactly(1, -100'000, negative)), sign);
      EXPECT_EQ(rounded(format, exactly(1, smallest, negative)), sign | 1);
    }
  }
}

TEST(Rounded, SeesTheLastOfSixtyThreeBits) {
  const std::uint64_t top = std::uint64_t{1} << 62;
  for (const FloatFormat format : formats) {
    const std::uint64_t half_ulp = top >> (format.fraction_bits + 1);
    const std::uint32_t one = static_cast<std::uint32_t>(format.bias()) << format.fraction_bits;
    EXPECT_EQ(rounded(format, exactly(top + half_ulp - 1, -62)), one);
    EXPECT_EQ(rounded(format, exactly(top + half_ulp, -62)), one);
    EXPECT_EQ(rounded(format, exactly(top + half_ulp + 1, -62)), one + 1);
    EXPECT_EQ(rounded(format, exactly(top + 3 * half_ulp - 1, -62)), one + 1);
    EXPECT_EQ(rounded(format, exactly(top + 3 * half_ulp, -62)), one + 2);
  }
}

TEST(Rounded, DoesNotDependOnHowAValueIsWritten) {
  for (const FloatFormat format : formats) {
    for (const std::uint64_t odd : {1u, 3u, 129u, 257u, 2047u, 2049u, 16777217u}) {
      const std::uint32_t written_short = rounded(format, exactly(odd, -10));
      for (int shift = 1; bit_width(odd) + shift <= 63; ++shift) {
        ASSERT_EQ(rounded(format, exactly(odd << shift, -10 - shift)), written_short) << odd << " << " << shift;
      }
    }
  }
}

TEST(Rounded, GivesInfinitiesTheirSignAndNansNone) {
  for (const FloatFormat format : formats) {
    EXPECT_EQ(rounded(format, {.kind = Exact::Kind::infinite}), format.infinity());
    EXPECT_EQ(rounded(format, {.kind = Exact::Kind::infinite, .negative = true}),
              format.sign_bit() | format.infinity());
    EXPECT_EQ(rounded(format, not_a_number()), format.canonical_nan());
    EXPECT_EQ(rounded(format, {.kind = Exact::Kind::nan, .negative = true, .magnitude = 5}), format.canonical_nan());
    EXPECT_EQ(rounded(format, exactly(1, 100'000)), format.infinity());
  }
}

TEST(Rounded, EqualsTheMachinesConversionOfDoubleToFloat) {
  std::mt19937_64 random(0x5eed);
  std::int64_t compared = 0;
  std::int64_t ties = 0;
  std::int64_t subnormal = 0;
  for (int index = 0; index < 2'000'000; ++index) {
    // Exponents from below the smallest subnormal to above overflow; a third of the fractions at or beside a tie.
    const std::uint64_t drawn = random();
    std::uint64_t fraction = drawn & ((std::uint64_t{1} << 52) - 1);
    if (index % 3 == 0) fraction = (fraction >> 29 << 29) + (std::uint64_t{1} << 28) + drawn % 5 - 2;
    const std::uint64_t exponent = 1023 - 155 + random() % (155 + 131);
    const double value = std::bit_cast<double>((drawn >> 63 << 63) | exponent << 52 | fraction);
    const auto expected = std::bit_cast<std::uint32_t>(static_cast<float>(value));
    ASSERT_EQ(rounded(fp32, exactly(value)), expected) << std::hexfloat << value;
    ++compared;
    if ((fraction & 0x1fffffff) == 0x10000000) ++ties;
    if ((expected & 0x7f800000) == 0 && (expected & 0x7fffff) != 0) ++subnormal;
  }
  EXPECT_GE(compared, 2'000'000);
  EXPECT_GT(ties, 100'000);
  EXPECT_GT(subnormal, 100'000);
}

}  // namespace
}  // namespace tileproof::reference
