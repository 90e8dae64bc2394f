/// The schemes against MPFR, for every pair of a weight's and a parameter's type.
///
/// MPFR computes the formula at a precision that holds it exactly, and rounds where the scheme does.
#include <gtest/gtest.h>
#include <mpfr.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "reference/mpfr_for_tests.h"
#include "reference/schemes/affine_float.h"
#include "reference/schemes/affine_float_in_steps.h"
#include "reference/schemes/affine_integer.h"
#include "reference/schemes/codebook.h"
#include "reference/schemes/parameters.h"
#include "reference/schemes/scale_and_bias.h"
#include "reference/schemes/scale_only.h"

namespace tileproof::reference {
namespace {

constexpr int codes = 16;
constexpr Emulated types[] = {emulated_bf16, emulated_fp16, emulated_fp32};

/// From 2^-149 to 15 * 2^128 and beyond: a product and a sum of any values of the types, exactly.
constexpr mpfr_prec_t exact = 400;

struct Group {
  std::uint32_t scale;
  std::uint32_t zero;
};

/// Scales and zeros of every class, zeros that meet the product's bits, cancel it, or lie far from it.
std::vector<Group> groups_of(FloatFormat type, std::mt19937_64& random) {
  std::vector<Group> groups;
  const std::vector<std::uint32_t> classes = patterns_of_every_class(type);
  for (const std::uint32_t scale : classes) {
    for (const std::uint32_t zero : classes) groups.push_back({scale, zero});
  }
  const std::uint32_t one = static_cast<std::uint32_t>(type.bias()) << type.fraction_bits;
  for (int index = 0; index < 6000; ++index) {
    // Exponents that every type has, and some that are too large or too small for fp16; or those of subnormal results.
    const bool is_small = index % 4 == 0;
    const int distance_from_one = static_cast<int>(random() % 48) - 28;
    const std::uint32_t scale = is_small ? pattern_near(type, 0, static_cast<int>(random() % 4), random())
                                         : pattern_near(type, one, distance_from_one, random());
    const int distance = static_cast<int>(random() % 64) - 32;
    groups.push_back({scale, pattern_near(type, scale, distance, random())});
    groups.push_back({scale, pattern_of(type, static_cast<double>(random() % 17) * -value_of(type, scale) / 2)});
    groups.push_back({static_cast<std::uint32_t>(random() & (type.sign_bit() * 2ull - 1)),
                      static_cast<std::uint32_t>(random() & (type.sign_bit() * 2ull - 1))});
  }
  return groups;
}

/// code - number, times scale, exactly.
void set_product(Real& result, int code, int number, FloatFormat type, std::uint32_t scale) {
  const Real whole_number(exact, code - number);
  const Real value(exact, value_of(type, scale));
  ASSERT_EQ(mpfr_mul(result.get(), whole_number.get(), value.get(), MPFR_RNDN), 0);
}

/// Judges one scheme in all pairs of types.
/// @param set_exactly  (result, weights' type, parameters' type, code, group): the scheme's value before its last
/// rounding
template <class Scheme, class SetExactly>
void expect_as_mpfr(SetExactly set_exactly, std::int64_t least_minus_zeros = 11,
                    const std::vector<Emulated>& parameter_types = {std::begin(types), std::end(types)}) {
  std::mt19937_64 random(0x5c4e3e);
  for (const Emulated& parameters : parameter_types) {
    const std::vector<Group> groups = groups_of(parameters.format, random);
    for (const Emulated& weights : types) {
      Comparison comparison(weights.format);
      Real result(exact);
      for (const Group& group : groups) {
        for (int code = 0; code < codes; ++code) {
          set_exactly(result, weights, parameters.format, code, group);
          const std::uint32_t got = weight<Scheme>(weights.format, parameters.format, code, group.scale, group.zero);
          comparison.add(settled(weights, result), got, code, group.scale, group.zero);
        }
      }
      SCOPED_TRACE(std::string(weights.name) + " weights of " + parameters.name + " parameters");
      expect_no_difference(comparison, {.compared = 18'000 * codes, .of_each_class = 0});
      EXPECT_GT(comparison.nan, 500);
      EXPECT_GT(comparison.infinite, 100);
      EXPECT_GT(comparison.plus_zero, 100);
      EXPECT_GE(comparison.minus_zero, least_minus_zeros);
      // A product of fp16 values is never below 2^-24: no subnormal in bf16 or fp32.
      const bool may_be_subnormal = parameters.format != fp16 || weights.format == fp16;
      EXPECT_EQ(comparison.subnormal > 100, may_be_subnormal);
    }
  }
}

TEST(AffineFloat, IsAsMpfrForEveryPairOfTypes) {
  expect_as_mpfr<AffineFloat>([](Real& result, const Emulated&, FloatFormat type, int code, const Group& group) {
    Real multiplied(exact);
    set_product(multiplied, code, 8, type, group.scale);
    const Real zero(exact, value_of(type, group.zero));
    ASSERT_EQ(mpfr_add(result.get(), multiplied.get(), zero.get(), MPFR_RNDN), 0);
  });
}

/// The low 8 bits of the zero that was drawn are the zero point.
template <class Scheme>
struct OfLow8Bits : Scheme {
  static constexpr int zero_point(std::uint32_t zero) {
    const int number = static_cast<std::int8_t>(zero);
    const Range range = Scheme::zero_points;
    return range.contains(number) ? number : (number & 15) + range.lowest;
  }
  template <class Units>
  static constexpr auto decoded(FloatFormat weight_type, FloatFormat type, std::uint32_t scale, std::uint32_t zero) {
    return Scheme::template decoded<Units>(weight_type, type, scale, static_cast<std::uint32_t>(zero_point(zero)));
  }
};

template <class S>
void expect_integers_as_mpfr() {
  using Scheme = OfLow8Bits<S>;
  expect_as_mpfr<Scheme>([](Real& result, const Emulated&, FloatFormat type, int code, const Group& group) {
    set_product(result, code, Scheme::zero_point(group.zero), type, group.scale);
  });
}

TEST(AffineInteger, IsAsMpfrForEveryPairOfTypes) { expect_integers_as_mpfr<AffineInteger>(); }
TEST(AffineIntegerFromOne, IsAsMpfrForEveryPairOfTypes) { expect_integers_as_mpfr<AffineIntegerFromOne>(); }

TEST(ScaleOnly, IsAsMpfrForEveryPairOfTypes) {
  expect_as_mpfr<ScaleOnly>([](Real& result, const Emulated&, FloatFormat type, int code, const Group& group) {
    set_product(result, code, 0, type, group.scale);
  });
}

TEST(Symmetric, IsAsMpfrForEveryPairOfTypes) {
  expect_as_mpfr<Symmetric>([](Real& result, const Emulated&, FloatFormat type, int code, const Group& group) {
    set_product(result, code, 8, type, group.scale);
  });
}

/// The value of a step, rounded to a type.
void set_rounded(Real& result, const Emulated& in, const Real& value) {
  mpfr_set_d(result.get(), value_of(in.format, settled(in, value)), MPFR_RNDN);
}

void set_sum(Real& result, const Real& a, const Real& b) {
  ASSERT_EQ(mpfr_add(result.get(), a.get(), b.get(), MPFR_RNDN), 0);
}

TEST(AffineFloatStepped, IsAsMpfrForEveryPairOfTypes) {
  expect_as_mpfr<AffineFloatStepped>(
      [](Real& result, const Emulated& weights, FloatFormat type, int code, const Group& group) {
        Real multiplied(exact), step(exact);
        set_product(multiplied, code, 8, type, group.scale);
        set_rounded(step, weights, multiplied);
        set_sum(result, step, Real(exact, value_of(type, group.zero)));
      });
}

TEST(ScaleAndBias, IsAsMpfrForEveryPairOfTypes) {
  expect_as_mpfr<ScaleAndBias>(
      [](Real& result, const Emulated& weights, FloatFormat type, int code, const Group& group) {
        Real multiplied(exact), step(exact);
        set_product(multiplied, code, 0, type, group.scale);
        set_rounded(step, weights, multiplied);
        set_sum(result, step, Real(exact, value_of(type, group.zero)));
      });
}

template <class Table>
void expect_table_as_mpfr() {
  const auto set_exactly = [](Real& result, const Emulated&, FloatFormat type, int code, const Group& group) {
    const Real looked_up(exact, value_of(fp32, Table::bits_of(code)));
    const Real scale(exact, value_of(type, group.scale));
    Real multiplied(exact);
    ASSERT_EQ(mpfr_mul(multiplied.get(), looked_up.get(), scale.get(), MPFR_RNDN), 0);
    set_rounded(result, emulated_fp32, multiplied);
  };
  expect_as_mpfr<Codebook<Table>>(set_exactly, 11, {emulated_fp32});
}

TEST(Codebook, IsAsMpfrForEveryPairOfTypes) {
  expect_table_as_mpfr<Nf4Table>();
  expect_table_as_mpfr<Fp4Table>();
}

TEST(AffineFloatFolded, IsAsMpfrForEveryPairOfTypes) {
  expect_as_mpfr<AffineFloatFolded>(
      [](Real& result, const Emulated& weights, FloatFormat type, int code, const Group& group) {
        const Real zero(exact, value_of(type, group.zero));
        Real multiplied(exact), sum_of_both(exact), folded(exact);
        set_product(multiplied, type == bf16 ? 0 : code, 8, type, group.scale);
        set_sum(sum_of_both, multiplied, zero);
        if (type != bf16) return set_sum(result, multiplied, zero);
        set_rounded(folded, weights, sum_of_both);
        set_product(multiplied, code, 0, type, group.scale);
        set_sum(result, multiplied, folded);
      },
      0);  // bf16 gives no -0: code * scale and zero - 8 * scale are never both -0
}

TEST(Units, Are64BitsWhereverATypeHas32) {
  const auto bits = []<class Units>() { return bits_of_units<Units>; };
  EXPECT_EQ(with_units(bf16, bf16, bits), 32);
  EXPECT_EQ(with_units(fp16, bf16, bits), 32);
  EXPECT_EQ(with_units(bf16, fp16, bits), 32);
  EXPECT_EQ(with_units(fp32, bf16, bits), 64);
  EXPECT_EQ(with_units(bf16, fp32, bits), 64);
  EXPECT_EQ(with_units(fp32, fp32, bits), 64);
}

TEST(Parameters, LieAsPyTorchsTensorsDo) {
  // Row 1, group 3 of 3 rows and 5 groups.
  const Element group = {1, 3};
  const Size groups = {3, 5};
  EXPECT_EQ(ScalesAndZeros::dims(groups), Dims(5, 3, 2));
  EXPECT_EQ(ScalesAndZeros::scale_at(group, groups), (3 * 3 + 1) * 2);
  EXPECT_EQ(ScalesAndZeros::zero_at(group, groups), (3 * 3 + 1) * 2 + 1);
  EXPECT_EQ(ScalesAndZeroPoints::tensors[0].dims(groups), Dims(5, 3));
  EXPECT_EQ(ScalesAndZeroPoints::scale_at(group, groups), 10);
  EXPECT_EQ(ScalesAndZeroPoints::zero_at(group, groups), 10);
  EXPECT_EQ(ScalesAlone<ByGroup>::scale_at(group, groups), 10);
  std::int8_t zero_points[15] = {};
  zero_points[10] = -3;
  EXPECT_EQ(zero_of<ScalesAndZeroPoints>(zero_points, group, groups), static_cast<std::uint32_t>(-3));
  std::uint16_t pairs[30] = {};
  pairs[21] = 0xbf80;
  EXPECT_EQ(zero_of<ScalesAndZeros>(pairs, group, groups), 0xbf80u);
}

TEST(Parameters, OfRowsLieRowByRow) {
  const Element group = {1, 3};
  const Size groups = {3, 5};
  EXPECT_EQ(ScalesAlone<ByRow>::tensors[0].dims(groups), Dims(3, 5));
  EXPECT_EQ(ScalesAlone<ByRow>::scale_at(group, groups), 8);
  EXPECT_EQ(ScalesAndBiases<ByRow>::zero_at(group, groups), 8);
  EXPECT_EQ(ScalesAndBiases<ByRow>::tensors[1].dims(groups), Dims(3, 5));
}

TEST(Parameters, ArePackedAsTheyAreRead) {
  for (const int stored_less : {0, 1}) {
    for (int zero_point = stored_less; zero_point < 16 + stored_less; ++zero_point) {
      EXPECT_EQ(zero_of_packed(packed_zero(zero_point, stored_less), stored_less), zero_point);
    }
  }
  EXPECT_EQ(packed_zero(0, 1), 15);  // what a packer does that does not know that 0 cannot be stored
}

}  // namespace
}  // namespace tileproof::reference
