/// MPFR judges the reference: the second, slower oracle, which shares no code and no idea of a bit field with the
/// first.
///
/// Proved, that is compared over the whole domain, for bf16 and fp16:
///   decode and rounded of all 65,536 patterns;
///   code * scale for all 16 x 65,536 pairs;
///   rounding of every tie between two finite neighbours (or the largest and infinity), and of the fp32 values beside
///   it.
/// Every code x every scale, and of the third argument a sample of every class, for bf16 and fp16:
///   (code - 8) * scale + zero, with zeros of every class, near the scale's exponent, and cancelling;
///   (code - zero_point) * scale, with 6 zero points; and all 256 zero points with every 251st scale.
/// Only sampled: everything in fp32; sum, product and quotient; rounding of arbitrary fp32 values.
#include <gtest/gtest.h>
#include <mpfr.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "reference/dequantize.h"
#include "reference/mpfr_for_tests.h"

namespace tileproof::reference {
namespace {

constexpr std::int64_t codes = 16;
constexpr std::int64_t scales = 65536;

/// All 65,536 values of a 16-bit format.
std::vector<Real> all_values(const Emulated& in) {
  std::vector<Real> values;
  values.reserve(scales);
  for (std::uint32_t pattern = 0; pattern < scales; ++pattern) {
    values.emplace_back(in.precision, value_of(in.format, pattern));
    if (!values.back().was_set_exactly()) ADD_FAILURE() << "the oracle rounded " << std::hex << pattern;
  }
  return values;
}

/// (code - 8) * scale for the sixteen codes, exactly: at most 4 + 24 bits.
class Products {
 public:
  Products() {
    for (int code = 0; code < codes; ++code) {
      products_.emplace_back(mpfr_prec_t{32});
      codes_less_eight_.emplace_back(mpfr_prec_t{32}, code - 8);
    }
  }
  void set_scale(const Real& scale) {
    for (std::size_t code = 0; code < codes; ++code) {
      const int ternary = mpfr_mul(products_[code].get(), codes_less_eight_[code].get(), scale.get(), MPFR_RNDN);
      if (ternary != 0) ADD_FAILURE() << "the oracle rounded a product";
    }
  }
  const Real& operator[](int code) const { return products_[static_cast<std::size_t>(code)]; }

 private:
  std::vector<Real> products_;
  std::vector<Real> codes_less_eight_;
};

/// Every code with every scale, each with the zeros that zeros_of(code, scale) gives.
template <class ZerosOf>
Comparison float_domain_against_mpfr(const Emulated& in, ZerosOf zeros_of) {
  Comparison comparison(in.format);
  const std::vector<Real> values = all_values(in);
  Products products;
  Real x(in.precision);
  for (std::uint32_t scale = 0; scale < scales; ++scale) {
    products.set_scale(values[scale]);
    for (int code = 0; code < codes; ++code) {
      for (const std::uint32_t zero : zeros_of(code, scale)) {
        const int ternary = mpfr_add(x.get(), products[code].get(), values[zero].get(), MPFR_RNDN);
        comparison.add(settled(in, x.get(), ternary), dequantized_float(in.format, code, scale, zero), code, scale,
                       zero);
      }
    }
  }
  return comparison;
}

class SixteenBitFormats : public testing::TestWithParam<Emulated> {};

INSTANTIATE_TEST_SUITE_P(Mpfr, SixteenBitFormats, testing::Values(emulated_bf16, emulated_fp16),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_P(SixteenBitFormats, DecodeEveryPatternToMpfrsValueAndRoundItBack) {
  const Emulated& in = GetParam();
  Comparison comparison(in.format);
  Real got(53);
  for (std::uint32_t pattern = 0; pattern < scales; ++pattern) {
    const double expected = value_of(in.format, pattern);
    const Exact exact = decode(in.format, pattern);
    ASSERT_EQ(exact.kind == Exact::Kind::nan, std::isnan(expected)) << std::hex << pattern;
    ASSERT_EQ(exact.kind == Exact::Kind::infinite, std::isinf(expected)) << std::hex << pattern;
    if (!std::isnan(expected)) {
      ASSERT_EQ(exact.negative, std::signbit(expected)) << std::hex << pattern;
    }
    if (std::isfinite(expected)) {
      mpfr_set_ui_2exp(got.get(), exact.magnitude, exact.exponent, MPFR_RNDN);
      ASSERT_EQ(mpfr_cmp_d(got.get(), std::fabs(expected)), 0) << std::hex << pattern;
    }
    comparison.add(pattern_of(in.format, expected), rounded(in.format, exact), pattern);
  }
  expect_no_difference(comparison, {.compared = 65'536, .of_each_class = 1});
}

TEST_P(SixteenBitFormats, RoundEveryTieAndItsNeighboursAsMpfr) {
  const Emulated& in = GetParam();
  Comparison comparison(in.format);
  for (std::uint32_t below = 0; below < in.format.infinity(); ++below) {
    const bool is_largest = below + 1 == in.format.infinity();
    const double above = is_largest ? std::ldexp(1, static_cast<int>(in.emax)) : value_of(in.format, below + 1);
    const auto tie = static_cast<float>((value_of(in.format, below) + above) / 2);
    ASSERT_EQ(tie, (value_of(in.format, below) + above) / 2);  // one more bit than the format has: fp32 holds it
    for (const float magnitude : {tie, std::nextafter(tie, 0.0f), std::nextafter(tie, INFINITY)}) {
      for (const float value : {magnitude, -magnitude}) {
        const auto pattern = std::bit_cast<std::uint32_t>(value);
        const std::uint32_t got = rounded(in.format, decode(fp32, pattern));
        comparison.add(settled(in, Real(24, value)), got, pattern);
        if (value == tie) {
          ASSERT_EQ(got, below + below % 2) << std::hex << pattern;  // to even
        }
      }
    }
  }
  EXPECT_EQ(comparison.nan, 0);
  EXPECT_EQ(comparison.infinite, 4);   // the overflow threshold and what is above it
  EXPECT_EQ(comparison.plus_zero, 2);  // half the smallest subnormal and what is below it
  EXPECT_EQ(comparison.minus_zero, 2);
  EXPECT_GT(comparison.subnormal, 6 * 100);
  EXPECT_EQ(comparison.compared, 6 * in.format.infinity());
  EXPECT_EQ(comparison.different, 0) << comparison.first_differences;
}

TEST_P(SixteenBitFormats, RoundASampleOfFp32AsMpfr) {
  const Emulated& in = GetParam();
  Comparison comparison(in.format);
  Real x(in.precision);
  for (std::uint64_t pattern = 0; pattern < std::uint64_t{1} << 32; pattern += 3571) {
    const auto fp32_pattern = static_cast<std::uint32_t>(pattern);
    const int ternary = mpfr_set_flt(x.get(), std::bit_cast<float>(fp32_pattern), MPFR_RNDN);
    comparison.add(settled(in, x.get(), ternary), rounded(in.format, decode(fp32, fp32_pattern)), fp32_pattern);
  }
  expect_no_difference(comparison, {.compared = 1'200'000, .of_each_class = 0});
  EXPECT_GT(comparison.nan, 1000);
  EXPECT_GT(comparison.subnormal, 1000);
}

TEST_P(SixteenBitFormats, DequantizeEveryCodeAndScaleWithZerosOfEveryClassAsMpfr) {
  const Emulated& in = GetParam();
  const std::vector<std::uint32_t> zeros = patterns_of_every_class(in.format);
  const Comparison comparison =
      float_domain_against_mpfr(in, [&](int, std::uint32_t) -> const std::vector<std::uint32_t>& { return zeros; });
  expect_no_difference(comparison, {.compared = codes * scales * 18, .of_each_class = 10'000});
}

TEST_P(SixteenBitFormats, DequantizeEveryCodeAndScaleWithZerosNearTheScaleAsMpfr) {
  const Emulated& in = GetParam();
  std::mt19937_64 random(0x5ca1e);
  // Far enough on both sides for no bit of the product, and none of the zero, to reach the other's last one. Each pair
  // of a code and a scale meets five of the distances -15..15, and its neighbours the others.
  std::array<std::uint32_t, 5> zeros{};
  int turn = 0;
  const Comparison comparison = float_domain_against_mpfr(
      in, [&](int, std::uint32_t scale) -> const auto& {
        for (std::uint32_t& zero : zeros) zero = pattern_near(in.format, scale, turn++ % 31 - 15, random());
        return zeros;
      });
  expect_no_difference(comparison, {.compared = codes * scales * 5, .of_each_class = 10});
}

TEST_P(SixteenBitFormats, DequantizeEveryCodeAndScaleWithZerosThatCancelAsMpfr) {
  const Emulated& in = GetParam();
  std::array<std::uint32_t, 3> zeros{};
  const std::uint32_t all = in.format.sign_bit() | (in.format.sign_bit() - 1);
  const Comparison comparison = float_domain_against_mpfr(
      in, [&](int code, std::uint32_t scale) -> const auto& {
        // -(code - 8) * scale, and its two neighbours. The double product is exact.
        const std::uint32_t cancelling = settled(in, Real(53, (8 - code) * value_of(in.format, scale)));
        zeros = {cancelling, (cancelling + 1) & all, (cancelling - 1) & all};
        return zeros;
      });
  expect_no_difference(comparison, {.compared = codes * scales * 3, .of_each_class = 100});
  EXPECT_GT(comparison.plus_zero, 500'000);  // most products are representable, and cancel
}

/// Every code with every step-th scale and the given zero points.
Comparison integer_domain_against_mpfr(const Emulated& in, std::uint32_t step, const std::vector<int>& zero_points) {
  Comparison comparison(in.format);
  std::vector<Real> differences;
  for (int difference = 0 - 127; difference <= 15 + 128; ++difference)
    differences.emplace_back(in.precision, difference);
  Real x(in.precision);
  for (std::uint32_t scale = 0; scale < scales; scale += step) {
    const Real value(in.precision, value_of(in.format, scale));
    for (const int zero_point : zero_points) {
      for (int code = 0; code < codes; ++code) {
        const Real& difference = differences[static_cast<std::size_t>(code - zero_point + 127)];
        const int ternary = mpfr_mul(x.get(), difference.get(), value.get(), MPFR_RNDN);
        comparison.add(settled(in, x.get(), ternary), dequantized_integer(in.format, code, scale, zero_point), code,
                       scale, zero_point);
      }
    }
  }
  return comparison;
}

TEST_P(SixteenBitFormats, DequantizeEveryCodeAndScaleWithIntegerZeroPointsAsMpfr) {
  const Comparison comparison = integer_domain_against_mpfr(GetParam(), 1, {-128, -1, 0, 7, 8, 127});
  expect_no_difference(comparison, {.compared = codes * scales * 6, .of_each_class = 1000});
}

TEST_P(SixteenBitFormats, DequantizeEveryIntegerZeroPointAsMpfr) {
  std::vector<int> zero_points;
  for (int zero_point = -128; zero_point <= 127; ++zero_point) zero_points.push_back(zero_point);
  const Comparison comparison = integer_domain_against_mpfr(GetParam(), 251, zero_points);
  expect_no_difference(comparison, {.compared = codes * (scales / 251) * 256, .of_each_class = 1});
}

TEST_P(SixteenBitFormats, DequantizeEveryCodeAndScaleWithoutZeroPointAsMpfr) {
  const Emulated& in = GetParam();
  Comparison comparison(in.format);
  Real x(in.precision);
  for (std::uint32_t scale = 0; scale < scales; ++scale) {
    const Real value(in.precision, value_of(in.format, scale));
    for (int code = 0; code < codes; ++code) {
      const int ternary = mpfr_mul(x.get(), Real(in.precision, code).get(), value.get(), MPFR_RNDN);
      comparison.add(settled(in, x.get(), ternary), dequantized_none(in.format, code, scale), code, scale);
    }
  }
  expect_no_difference(comparison, {.compared = codes * scales, .of_each_class = 10});
}

/// Judges fp32 in the float domain, a scale and a zero at a time, with all sixteen codes.
class Fp32Judge {
 public:
  void add(std::uint32_t scale, std::uint32_t zero) {
    products_.set_scale(Real(24, std::bit_cast<float>(scale)));
    mpfr_set_flt(zero_.get(), std::bit_cast<float>(zero), MPFR_RNDN);
    for (int code = 0; code < codes; ++code) {
      const int ternary = mpfr_add(x_.get(), products_[code].get(), zero_.get(), MPFR_RNDN);
      comparison.add(settled(emulated_fp32, x_.get(), ternary), dequantized_float(fp32, code, scale, zero), code, scale,
                     zero);
    }
  }

  Comparison comparison{fp32};

 private:
  Products products_;
  Real x_{24};
  Real zero_{24};
};

TEST(Fp32, DequantizesSpecialTriplesAsMpfr) {
  Fp32Judge judge;
  const std::vector<std::uint32_t> specials = patterns_of_every_class(fp32);
  std::mt19937_64 random(0x32);
  for (const std::uint32_t scale : specials) {
    for (const std::uint32_t zero : specials) judge.add(scale, zero);
    for (int index = 0; index < 1000; ++index) judge.add(scale, static_cast<std::uint32_t>(random()));
    for (int index = 0; index < 1000; ++index) judge.add(static_cast<std::uint32_t>(random()), scale);
  }
  expect_no_difference(judge.comparison, {.compared = codes * 18 * 2018, .of_each_class = 500});
}

TEST(Fp32, DequantizesASampleOfTriplesAsMpfr) {
  Fp32Judge judge;
  std::mt19937_64 random(0xf32);
  for (int index = 0; index < 100'000; ++index) {
    const auto scale = static_cast<std::uint32_t>(random());
    const auto distance = static_cast<int>(random() % 64) - 32;
    judge.add(scale, static_cast<std::uint32_t>(random()));
    judge.add(scale, pattern_near(fp32, scale, distance, random()));
  }
  expect_no_difference(judge.comparison, {.compared = 2 * codes * 100'000, .of_each_class = 0});
  EXPECT_GT(judge.comparison.nan, 10'000);
  EXPECT_GT(judge.comparison.subnormal, 4000);
}

TEST(Fp32, DequantizesCancellingTriplesAsMpfr) {
  Fp32Judge judge;
  std::mt19937_64 random(0xc32);
  for (int index = 0; index < 10'000; ++index) {
    const auto scale = static_cast<std::uint32_t>(random());
    for (const float factor : {8.0f, 3.0f, -2.0f, -7.0f}) {
      const auto cancelling = pattern_of(fp32, factor * std::bit_cast<float>(scale));
      for (const std::uint32_t neighbour : {0u, 1u, 0xffffffffu}) judge.add(scale, cancelling + neighbour);
    }
  }
  expect_no_difference(judge.comparison, {.compared = 3 * 4 * codes * 10'000, .of_each_class = 0});
  EXPECT_GT(judge.comparison.plus_zero, 10'000);
  EXPECT_GT(judge.comparison.subnormal, 1000);
}

TEST(Fp32, DequantizesASampleOfTheOtherDomainsAsMpfr) {
  Comparison comparison(fp32);
  std::mt19937_64 random(0xd32);
  const std::vector<std::uint32_t> specials = patterns_of_every_class(fp32);
  Real x(24);
  for (std::size_t index = 0; index < 50'000; ++index) {
    const auto scale = index < specials.size() ? specials[index] : static_cast<std::uint32_t>(random());
    const int zero_point = static_cast<int>(random() % 256) - 128;
    const Real value(24, std::bit_cast<float>(scale));
    for (int code = 0; code < codes; ++code) {
      int ternary = mpfr_mul(x.get(), Real(24, code - zero_point).get(), value.get(), MPFR_RNDN);
      comparison.add(settled(emulated_fp32, x.get(), ternary), dequantized_integer(fp32, code, scale, zero_point), code,
                     scale, zero_point);
      ternary = mpfr_mul(x.get(), Real(24, code).get(), value.get(), MPFR_RNDN);
      comparison.add(settled(emulated_fp32, x.get(), ternary), dequantized_none(fp32, code, scale), code, scale);
    }
  }
  expect_no_difference(comparison, {.compared = 2 * codes * 50'000, .of_each_class = 20});
}

/// An operation of the reference and the one of MPFR that judges it.
struct Operation {
  const char* name;
  Exact (*reference)(Exact, Exact);
  int (*mpfr)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);
};

constexpr Operation operations[] = {
    {"sum", sum, mpfr_add}, {"product", product, mpfr_mul}, {"quotient", quotient, mpfr_div}};
constexpr Emulated all_formats[] = {emulated_bf16, emulated_fp16, emulated_fp32};

TEST(Operations, OnFp32PairsRoundOnceToEachFormatAsMpfr) {
  std::mt19937_64 random(0x0b5);
  const std::vector<std::uint32_t> specials = patterns_of_every_class(fp32);
  std::vector<std::array<std::uint32_t, 2>> pairs;
  for (const std::uint32_t a : specials) {
    for (const std::uint32_t b : specials) pairs.push_back({a, b});
  }
  for (int index = 0; index < 60'000; ++index) {
    const auto a = static_cast<std::uint32_t>(random());
    const int distance = static_cast<int>(random() % 80) - 40;
    pairs.push_back({a, static_cast<std::uint32_t>(random())});       // exponents as far apart as they can be
    pairs.push_back({a, pattern_near(fp32, a, distance, random())});  // and where they overlap
    pairs.push_back(
        {a & 0xffff0000, static_cast<std::uint32_t>(random()) & 0x807fffff});  // a bf16 and what is far below it
  }
  for (const Emulated& in : all_formats) {
    Comparison comparison(in.format);
    Real x(in.precision);
    for (const auto& [a, b] : pairs) {
      const Real real_a(24, std::bit_cast<float>(a));
      const Real real_b(24, std::bit_cast<float>(b));
      for (const Operation& operation : operations) {
        const int ternary = operation.mpfr(x.get(), real_a.get(), real_b.get(), MPFR_RNDN);
        const std::uint32_t got = rounded(in.format, operation.reference(decode(fp32, a), decode(fp32, b)));
        comparison.add(settled(in, x.get(), ternary), got, operation.name, a, b);
      }
    }
    SCOPED_TRACE(in.name);
    expect_no_difference(comparison, {.compared = 3 * (18 * 18 + 3 * 60'000), .of_each_class = 100});
  }
}

/// A magnitude of 1 to most_bits bits, often a power of two, a run of ones, or one bit off a tie of some format.
std::uint64_t drawn_magnitude(std::mt19937_64& random, int most_bits) {
  const int bits = 1 + static_cast<int>(random() % static_cast<std::uint64_t>(most_bits));
  const std::uint64_t top = std::uint64_t{1} << (bits - 1);
  switch (random() % 4) {
    case 0:
      return top;
    case 1:
      return top | (top - 1);
    case 2:
      return top | top >> (1 + random() % 25);
    default:
      return top | (random() & (top - 1));
  }
}

/// Pairs of values whose magnitudes have so many bits at most, through one operation and its judge.
template <class Units>
struct Widest {
  const char* name;
  ExactIn<Units> (*reference)(ExactIn<Units>, ExactIn<Units>);
  int (*mpfr)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);
  int most_bits_of_a;
  int most_bits_of_b;
  int most_distance;  // of the exponents, beyond which nothing new happens
};

template <class Units>
void expect_as_mpfr(const Emulated& in, const std::vector<Widest<Units>>& of_operations) {
  constexpr int pairs = 100'000;
  std::mt19937_64 random(0x61de);
  Comparison comparison(in.format);
  Real x(in.precision), real_a(32), real_b(32);
  for (int index = 0; index < pairs; ++index) {
    for (const Widest<Units>& operation : of_operations) {
      ExactIn<Units> a{.negative = random() % 2 == 0,
                       .magnitude = static_cast<Units>(drawn_magnitude(random, operation.most_bits_of_a))};
      ExactIn<Units> b{.negative = random() % 2 == 0,
                       .magnitude = static_cast<Units>(drawn_magnitude(random, operation.most_bits_of_b))};
      const bool is_sum = operation.mpfr == mpfr_add;
      const int distance =
          static_cast<int>(random() % static_cast<unsigned>(2 * operation.most_distance)) - operation.most_distance;
      a.exponent = static_cast<int>(random() % 260) - 150;
      b.exponent = is_sum ? a.exponent + distance : distance;
      mpfr_set_ui_2exp(real_a.get(), a.magnitude, a.exponent, MPFR_RNDN);
      mpfr_set_ui_2exp(real_b.get(), b.magnitude, b.exponent, MPFR_RNDN);
      if (a.negative) mpfr_neg(real_a.get(), real_a.get(), MPFR_RNDN);
      if (b.negative) mpfr_neg(real_b.get(), real_b.get(), MPFR_RNDN);
      const int ternary = operation.mpfr(x.get(), real_a.get(), real_b.get(), MPFR_RNDN);
      comparison.add(settled(in, x.get(), ternary), rounded(in.format, operation.reference(a, b)), operation.name,
                     a.negative, a.magnitude, a.exponent, b.negative, b.magnitude, b.exponent);
    }
  }
  SCOPED_TRACE(in.name);
  EXPECT_EQ(comparison.different, 0) << comparison.first_differences;
  EXPECT_EQ(comparison.compared, static_cast<std::int64_t>(of_operations.size()) * pairs);
  EXPECT_GT(comparison.subnormal, 1000);
  EXPECT_GT(comparison.infinite, 1000);
}

TEST(Operations, OnTheWidestMagnitudesTheyPromiseRoundOnceToEachFormatAsMpfr) {
  // 32 bits each for a sum, which rounds to odd once the exponents are 30 apart; 25 for a quotient; and a product whose
  // magnitude the rounding takes, 63 bits.
  const std::vector<Widest<std::uint64_t>> of_64 = {{"sum", sum, mpfr_add, 32, 32, 80},
                                                    {"product", product, mpfr_mul, 31, 32, 40},
                                                    {"quotient", quotient, mpfr_div, 25, 25, 40}};
  for (const Emulated& in : all_formats) expect_as_mpfr(in, of_64);
}

TEST(Operations, In32BitsOnTheWidestMagnitudesTheyPromiseRoundOnceToEachFormatOf16BitsAsMpfr) {
  // 16 bits each for a sum, which rounds to odd once the exponents are 14 apart; 31 of a product for the rounding.
  const std::vector<Widest<std::uint32_t>> of_32 = {{"sum", sum, mpfr_add, 16, 16, 40},
                                                    {"product", product, mpfr_mul, 15, 16, 40}};
  for (const Emulated& in : {emulated_bf16, emulated_fp16}) expect_as_mpfr(in, of_32);
}

}  // namespace
}  // namespace tileproof::reference
