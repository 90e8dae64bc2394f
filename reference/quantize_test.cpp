/// Choosing and applying parameters: examples worked out by hand, properties, and the machine's own float arithmetic
/// taken one step at a time.
#include "reference/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <random>

#include "reference/dequantize.h"

namespace tileproof::reference {

// A group of one sign: its least weight is fifteen steps below zero, and its zero point at the end of the codes.
static_assert(chosen_integer(fp32, {0xc1700000, 0}, 1).zero_point == 15);
static_assert(quantized_integer(fp32, 0xc1700000, chosen_integer(fp32, {0xc1700000, 0}, 1)) == 0);
static_assert(quantized_integer(fp32, 0x41700000, chosen_integer(fp32, {0, 0x41700000}, 1)) == 15);

// A zero with an exponent beyond every shift is a zero.
static_assert(rounded_and_clamped(product(whole(0), decode(fp32, 0x7f7fffff)), 0, 15) == 0);

namespace {

constexpr FloatFormat formats[] = {bf16, fp16, fp32};

std::uint32_t bits(FloatFormat format, float value) {
  return rounded(format, decode(fp32, std::bit_cast<std::uint32_t>(value)));
}

float value(FloatFormat format, std::uint32_t pattern) {
  return std::bit_cast<float>(rounded(fp32, decode(format, pattern)));
}

TEST(Eps, IsTheDistanceFromOneToTheNextValue) {
  for (const FloatFormat format : formats)
    EXPECT_EQ(eps_of(format), bits(format, std::ldexp(1.0f, -format.fraction_bits)));
}

TEST(Extent, IsOfTheLeastAndTheLargestWeight) {
  const std::uint16_t weights[] = {0x3f80, 0x8000, 0xbf80, 0x4000, 0xbf00};  // 1, -0, -1, 2, -0.5
  EXPECT_EQ(extent_of(bf16, weights, 5).min, 0xbf80u);
  EXPECT_EQ(extent_of(bf16, weights, 5).max, 0x4000u);
  EXPECT_EQ(extent_of(bf16, weights, 2).min, 0x8000u);
  EXPECT_EQ(extent_of(bf16, weights, 2).max, 0x3f80u);
  EXPECT_EQ(extent_of(bf16, weights, 1).max, 0x3f80u);
}

/// Two values of a format around zero, of like size, times a power of two that no format minds; least first.
Extent drawn_extent(FloatFormat format, std::mt19937_64& random) {
  const int exponent = static_cast<int>(random() % 9) - 4;
  const auto drawn = [&] { return std::ldexp(1.0f + static_cast<float>(random() % 65536) / 32768, exponent); };
  return {bits(format, -drawn()), bits(format, drawn())};
}

float drawn_between(const Extent& extent, FloatFormat format, std::mt19937_64& random) {
  const float min = value(format, extent.min);
  const float max = value(format, extent.max);
  return min + (max - min) * static_cast<float>(random() % 65537) / 65536;
}

TEST(FloatDomain, ChoosesAsWorkedOutByHand) {
  for (const FloatFormat format : formats) {
    // 0..15: scale 15 / 15 = 1, zero 0 + 8.
    const FloatParameters chosen = chosen_float(format, {0, bits(format, 15)});
    EXPECT_EQ(chosen.scale, bits(format, 1));
    EXPECT_EQ(chosen.zero, bits(format, 8));
    // -30..0: scale 2, zero -30 + 16.
    const FloatParameters negative = chosen_float(format, {bits(format, -30), bits(format, 0)});
    EXPECT_EQ(negative.scale, bits(format, 2));
    EXPECT_EQ(negative.zero, bits(format, -14));
  }
  // -1..1 in bf16: 2 / 15 = 1.0667 * 2^-3 rounds to (1 + 9/128) * 2^-3; zero = -1 + 1.0703125 = 1.125 * 2^-4.
  const FloatParameters chosen = chosen_float(bf16, {0xbf80, 0x3f80});
  EXPECT_EQ(chosen.scale, 0x3e09u);
  EXPECT_EQ(chosen.zero, 0x3d90u);
  EXPECT_EQ(quantized_float(bf16, 0xbf80, chosen), 0);
  EXPECT_EQ(quantized_float(bf16, 0x3f80, chosen), 15);  // 2 / 0.13379 = 14.949
  EXPECT_EQ(quantized_float(bf16, 0x0000, chosen), 7);   // 1 / 0.13379 = 7.474
}

TEST(FloatDomain, RoundsEveryStepAndNotOnlyTheLast) {
  // bf16, -1..300: 301 is a tie and becomes 300, so the scale is 20. One rounding of 301 / 15 = 20.067 would
  // give 20.125.
  const FloatParameters chosen = chosen_float(bf16, {bits(bf16, -1), bits(bf16, 300)});
  EXPECT_EQ(chosen.scale, bits(bf16, 20));
  EXPECT_EQ(chosen.zero, bits(bf16, 159));
}

TEST(FloatDomain, RoundsCodesHalfToEvenAndClampsThem) {
  for (const FloatFormat format : formats) {
    const FloatParameters chosen{bits(format, 1), bits(format, 8)};  // code = clamp(round(w))
    const auto code = [&](float weight) { return quantized_float(format, bits(format, weight), chosen); };
    EXPECT_EQ(code(0.5f), 0);
    EXPECT_EQ(code(1.5f), 2);
    EXPECT_EQ(code(2.5f), 2);
    EXPECT_EQ(code(13.5f), 14);
    EXPECT_EQ(code(14.5f), 14);
    EXPECT_EQ(code(7.4375f), 7);
    EXPECT_EQ(code(7.5625f), 8);
    EXPECT_EQ(code(-0.0f), 0);
    EXPECT_EQ(code(-0.5f), 0);
    EXPECT_EQ(code(-3), 0);
    EXPECT_EQ(code(15.5f), 15);  // 16 clamps
    EXPECT_EQ(code(20), 15);
    EXPECT_EQ(code(-60000), 0);
    EXPECT_EQ(code(60000), 15);
  }
}

TEST(FloatDomain, GivesAConstantGroupTheSmallestScaleAndCodeZero) {
  // One millionth is 0x358637bd in fp32; its upper half in bf16, since 0x37bd is below a half; 16.78 of fp16's 2^-24.
  EXPECT_EQ(chosen_float(fp32, {0x3f800000, 0x3f800000}).scale, 0x358637bdu);
  EXPECT_EQ(chosen_float(bf16, {0x3f80, 0x3f80}).scale, 0x3586u);
  EXPECT_EQ(chosen_float(fp16, {0x3c00, 0x3c00}).scale, 0x0011u);
  for (const FloatFormat format : formats) {
    for (const float constant : {0.0f, 1.0f, -1.0f, 3.5f, -1024.0f}) {
      const std::uint32_t weight = bits(format, constant);
      EXPECT_EQ(quantized_float(format, weight, chosen_float(format, {weight, weight})), 0) << constant;
    }
  }
}

TEST(FloatDomain, GivesTheLeastWeightCodeZeroAndTheLargestFifteen) {
  std::mt19937_64 random(1);
  for (const FloatFormat format : formats) {
    for (int index = 0; index < 25'000; ++index) {
      const Extent extent = drawn_extent(format, random);
      const FloatParameters chosen = chosen_float(format, extent);
      ASSERT_EQ(quantized_float(format, extent.min, chosen), 0) << std::hex << extent.min << ' ' << extent.max;
      ASSERT_EQ(quantized_float(format, extent.max, chosen), 15) << std::hex << extent.min << ' ' << extent.max;
    }
  }
}

TEST(FloatDomain, BringsAWeightBackWithinHalfAScale) {
  // In fp32, where rounding adds less than 2^-20 of a scale: zero is at most 24 scales.
  std::mt19937_64 random(2);
  for (int index = 0; index < 100'000; ++index) {
    const Extent extent = drawn_extent(fp32, random);
    const FloatParameters chosen = chosen_float(fp32, extent);
    const float weight = drawn_between(extent, fp32, random);
    const int code = quantized_float(fp32, bits(fp32, weight), chosen);
    const double back = value(fp32, dequantized_float(fp32, code, chosen.scale, chosen.zero));
    ASSERT_LE(std::fabs(back - weight), (0.5 + 0x1p-18) * value(fp32, chosen.scale)) << weight << " by code " << code;
  }
}

TEST(IntegerDomain, ChoosesAsWorkedOutByHand) {
  for (const FloatFormat format : formats) {
    // -2..5.5: scale 7.5 / 15 = 1/2, zero point 0 - -2 / (1/2).
    const IntegerParameters chosen = chosen_integer(format, {bits(format, -2), bits(format, 5.5f)}, eps_of(format));
    EXPECT_EQ(chosen.scale, bits(format, 0.5f));
    EXPECT_EQ(chosen.zero_point, 4);
    const auto code = [&](float weight) { return quantized_integer(format, bits(format, weight), chosen); };
    EXPECT_EQ(code(-2), 0);
    EXPECT_EQ(code(0), 4);
    EXPECT_EQ(code(0.25f), 4);  // half a step: to even
    EXPECT_EQ(code(0.75f), 6);  // one and a half
    EXPECT_EQ(code(1.25f), 6);  // two and a half
    EXPECT_EQ(code(-0.25f), 4);
    EXPECT_EQ(code(-0.75f), 2);
    EXPECT_EQ(code(5.5f), 15);
    EXPECT_EQ(code(5.75f), 15);  // 12 + 4 clamps
    EXPECT_EQ(code(60000), 15);
    EXPECT_EQ(code(-60000), 0);
  }
}

TEST(IntegerDomain, AlwaysHoldsZeroBetweenLeastAndLargest) {
  for (const FloatFormat format : formats) {
    const IntegerParameters positive = chosen_integer(format, {bits(format, 15), bits(format, 30)}, eps_of(format));
    EXPECT_EQ(positive.scale, bits(format, 2));  // of 0..30
    EXPECT_EQ(positive.zero_point, 0);
    const IntegerParameters negative = chosen_integer(format, {bits(format, -30), bits(format, -15)}, eps_of(format));
    EXPECT_EQ(negative.scale, bits(format, 2));  // of -30..0
    EXPECT_EQ(negative.zero_point, 15);
  }
}

TEST(IntegerDomain, KeepsZeroExact) {
  std::mt19937_64 random(3);
  for (const FloatFormat format : formats) {
    for (int index = 0; index < 25'000; ++index) {
      const IntegerParameters chosen = chosen_integer(format, drawn_extent(format, random), eps_of(format));
      ASSERT_EQ(quantized_integer(format, 0, chosen), chosen.zero_point);
      ASSERT_EQ(quantized_integer(format, format.sign_bit(), chosen), chosen.zero_point);
      ASSERT_EQ(dequantized_integer(format, chosen.zero_point, chosen.scale, chosen.zero_point), 0u);
    }
  }
}

TEST(IntegerDomain, GivesAGroupOfZerosTheSmallestScale) {
  for (const FloatFormat format : formats) {
    const IntegerParameters chosen = chosen_integer(format, {0, 0}, eps_of(format));
    EXPECT_EQ(chosen.scale, eps_of(format));
    EXPECT_EQ(chosen.zero_point, 0);
    // A range of fifteen eps is at the floor, one of thirty above it.
    EXPECT_EQ(chosen_integer(format, {0, bits(format, 15 * value(format, eps_of(format)))}, eps_of(format)).scale,
              eps_of(format));
    EXPECT_EQ(chosen_integer(format, {0, bits(format, 30 * value(format, eps_of(format)))}, eps_of(format)).scale,
              bits(format, 2 * value(format, eps_of(format))));
  }
}

TEST(RoundedAndClamped, RoundsHalfToEvenThenClamps) {
  const auto halves = [](std::uint64_t count, bool negative = false) {
    return Exact{.negative = negative, .magnitude = count, .exponent = -1};
  };
  EXPECT_EQ(rounded_and_clamped(halves(0), 0, 15), 0);
  EXPECT_EQ(rounded_and_clamped(halves(1), 0, 15), 0);
  EXPECT_EQ(rounded_and_clamped(halves(3), 0, 15), 2);
  EXPECT_EQ(rounded_and_clamped(halves(5), 0, 15), 2);
  EXPECT_EQ(rounded_and_clamped(halves(1, true), -64, 64), 0);
  EXPECT_EQ(rounded_and_clamped(halves(3, true), -64, 64), -2);
  EXPECT_EQ(rounded_and_clamped(halves(5, true), -64, 64), -2);
  EXPECT_EQ(rounded_and_clamped(halves(31), 0, 15), 15);
  EXPECT_EQ(rounded_and_clamped(halves(129, true), -64, 64), -64);
  EXPECT_EQ(rounded_and_clamped(halves(131, true), -64, 64), -64);
}

TEST(RoundedAndClamped, ClampsWhatNoIntegerHolds) {
  for (const int exponent : {14, 15, 16, 17, 30, 31, 62, 63, 64, 127, 1000}) {
    EXPECT_EQ(rounded_and_clamped({.magnitude = 1, .exponent = exponent}, 0, 15), 15) << exponent;
    EXPECT_EQ(rounded_and_clamped({.negative = true, .magnitude = 1, .exponent = exponent}, 0, 15), 0) << exponent;
  }
  EXPECT_EQ(rounded_and_clamped({.kind = Exact::Kind::infinite}, 0, 15), 15);
  EXPECT_EQ(rounded_and_clamped({.kind = Exact::Kind::infinite, .negative = true}, -64, 64), -64);
  EXPECT_EQ(rounded_and_clamped({.magnitude = ~std::uint64_t{0}, .exponent = -1000}, 0, 15), 0);
}

TEST(Order, IsThatOfValuesAndTakesTheZerosForEqual) {
  for (const FloatFormat format : formats) {
    const std::uint32_t ascending[] = {format.sign_bit() | format.infinity(),
                                       bits(format, -2),
                                       bits(format, -1),
                                       format.sign_bit() | 1,
                                       0,
                                       1,
                                       bits(format, 1),
                                       bits(format, 2),
                                       format.infinity()};
    for (std::size_t a = 0; a < std::size(ascending); ++a) {
      for (std::size_t b = 0; b < std::size(ascending); ++b) {
        EXPECT_EQ(less(format, ascending[a], ascending[b]), a < b);
        EXPECT_EQ(larger(format, ascending[a], ascending[b]), ascending[std::max(a, b)]);
        EXPECT_EQ(smaller(format, ascending[a], ascending[b]), ascending[std::min(a, b)]);
      }
    }
    EXPECT_FALSE(less(format, format.sign_bit(), 0));
    EXPECT_FALSE(less(format, 0, format.sign_bit()));
  }
}

/// A chain of tensor operations as a machine runs it: each step in float, then in the tensor's format.
class Machine {
 public:
  explicit Machine(FloatFormat format) : format_(format) {}

  float subtract(float a, float b) const { return narrowed(a - b); }
  float add(float a, float b) const { return narrowed(a + b); }
  float multiply(float a, float b) const { return narrowed(a * b); }
  float divide(float a, float b) const { return narrowed(a / b); }
  int code(float steps) const { return static_cast<int>(std::clamp(std::nearbyint(steps), 0.0f, 15.0f)); }

 private:
  float narrowed(float step) const {
    const volatile float stored = step;  // so that no compiler fuses this step with the next
    return value(format_, bits(format_, stored));
  }

  FloatFormat format_;
};

TEST(FloatDomain, EqualsTheMachinesFloatArithmeticStepByStep) {
  std::mt19937_64 random(4);
  for (const FloatFormat format : formats) {
    const Machine machine(format);
    for (int index = 0; index < 50'000; ++index) {
      const Extent extent = drawn_extent(format, random);
      const float min = value(format, extent.min);
      const float range = machine.subtract(value(format, extent.max), min);
      const float scale = std::max(machine.divide(range, 15), value(format, bits(format, 1e-6f)));
      const float zero = machine.add(min, machine.multiply(scale, 8));
      const FloatParameters chosen = chosen_float(format, extent);
      ASSERT_EQ(chosen.scale, bits(format, scale));
      ASSERT_EQ(chosen.zero, bits(format, zero));

      const std::uint32_t weight = bits(format, drawn_between(extent, format, random));
      const float offset = machine.subtract(value(format, weight), machine.subtract(zero, machine.multiply(scale, 8)));
      ASSERT_EQ(quantized_float(format, weight, chosen), machine.code(machine.divide(offset, scale)));
    }
  }
}

TEST(IntegerDomain, EqualsTheMachinesFloatArithmeticStepByStep) {
  std::mt19937_64 random(5);
  for (const FloatFormat format : formats) {
    const Machine machine(format);
    for (int index = 0; index < 50'000; ++index) {
      const Extent extent = drawn_extent(format, random);
      const float min = value(format, extent.min);  // below 0, as the largest is above it
      const float range = machine.subtract(value(format, extent.max), min);
      const float scale = std::max(machine.divide(range, 15), value(format, eps_of(format)));
      const int zero_point = machine.code(-std::nearbyint(machine.divide(min, scale)));
      const IntegerParameters chosen = chosen_integer(format, extent, eps_of(format));
      ASSERT_EQ(chosen.scale, bits(format, scale));
      ASSERT_EQ(chosen.zero_point, zero_point);

      const std::uint32_t weight = bits(format, drawn_between(extent, format, random));
      const float steps = machine.multiply(value(format, weight), machine.divide(1, scale));
      ASSERT_EQ(quantized_integer(format, weight, chosen),
                machine.code(std::nearbyint(steps) + static_cast<float>(zero_point)));
    }
  }
}

TEST(Stepped, RoundsToFp32BeforeTheFormat) {
  // 1 + 2^-8 + 2^-40 is above a tie of bf16; fp32 loses the 2^-40, and the tie goes to even.
  const Exact above_tie = {.magnitude = (std::uint64_t{1} << 40) + (std::uint64_t{1} << 32) + 1, .exponent = -40};
  EXPECT_EQ(rounded(bf16, above_tie), 0x3f81u);
  EXPECT_EQ(stepped(bf16, above_tie), 0x3f80u);
  EXPECT_EQ(stepped(fp32, above_tie), 0x3f808000u);
  // The same in fp16, with 2^-11.
  const Exact above_tie_of_fp16 = {.magnitude = (std::uint64_t{1} << 40) + (std::uint64_t{1} << 29) + 1,
                                   .exponent = -40};
  EXPECT_EQ(rounded(fp16, above_tie_of_fp16), 0x3c01u);
  EXPECT_EQ(stepped(fp16, above_tie_of_fp16), 0x3c00u);
}

TEST(EagerWeights, EqualTheMachinesFloatArithmeticStepByStep) {
  std::mt19937_64 random(6);
  int twice = 0;
  for (const FloatFormat format : formats) {
    const Machine machine(format);
    for (int index = 0; index < 50'000; ++index) {
      const auto drawn = [&] {
        const int exponent = static_cast<int>(random() % 9) - 4;
        return bits(format, std::ldexp(static_cast<float>(static_cast<int>(random() % 65536) - 32768), exponent - 15));
      };
      const std::uint32_t scale = drawn();
      const std::uint32_t zero = drawn();
      const int code = static_cast<int>(random() % 16);
      const int zero_point = static_cast<int>(random() % 256) - 128;
      const float product = machine.multiply(static_cast<float>(code - 8), value(format, scale));
      const std::uint32_t weight = eager::dequantized_float(format, code, scale, zero);
      ASSERT_EQ(weight, bits(format, machine.add(product, value(format, zero))));
      ASSERT_EQ(eager::dequantized_integer(format, code, scale, zero_point),
                bits(format, machine.multiply(static_cast<float>(code - zero_point), value(format, scale))));
      ASSERT_EQ(eager::dequantized_integer(format, code, scale, zero_point),
                dequantized_integer(format, code, scale, zero_point));
      twice += weight != dequantized_float(format, code, scale, zero) ? 1 : 0;
    }
  }
  EXPECT_GT(twice, 10'000);
}

}  // namespace
}  // namespace tileproof::reference
