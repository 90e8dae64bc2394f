// Where a group is easy: that its easy weights are those of the words for every exponent of its scale and its zero,
// where the bound lies, in numbers, and that beyond it there are groups whose easy weights are wrong.
#include "kernels/tinygemm/sixteen_weights.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <ostream>

namespace tileproof::kernels {
namespace {

template <class T>
using FormatOf = decltype(format_of(T()));

/// Bits of a number by its fields.
template <class T>
typename T::Bits number(int sign, int exponent, std::uint32_t fraction) {
  constexpr int bits = 8 * sizeof(typename T::Bits);
  return static_cast<typename T::Bits>(static_cast<std::uint32_t>(sign) << (bits - 1) |
                                       static_cast<std::uint32_t>(exponent) << FormatOf<T>::fraction_bits | fraction);
}

template <class T>
bool easy_weights_are_right(typename T::Bits scale, typename T::Bits zero) {
  InOrder<T> easy, right;
  easy_weights(T(), midpoint, finite_value(T(), scale), finite_value(T(), zero), easy);
  const float value = T::value(zero);
  weights_by_words<T>(midpoint, T::value(scale), &value, right);
  return std::memcmp(easy, right, sizeof easy) == 0;
}

template <class T>
class Easy : public testing::Test {
 public:
  static constexpr int exponent_max = FormatOf<T>::exponent_max;
  static constexpr std::uint32_t fraction_max = (1u << FormatOf<T>::fraction_bits) - 1;

  /// Calls `use` with every pair of exponents, and for each with fractions of few bits, of all bits and of some.
  template <class Use>
  static void for_each_pair(Use use) {
    constexpr std::uint32_t fractions[][2] = {{0, 0},
                                              {fraction_max, fraction_max},
                                              {fraction_max, 1},
                                              {1, fraction_max},
                                              {fraction_max / 3, fraction_max / 5 * 4}};
    for (int of_scale = 0; of_scale <= exponent_max; ++of_scale) {
      for (int of_zero = 0; of_zero <= exponent_max; ++of_zero) {
        for (const auto& [scale, zero] : fractions) {
          use(number<T>(0, of_scale, scale), number<T>(1, of_zero, zero));
          use(number<T>(0, of_scale, scale), number<T>(0, of_zero, zero));
        }
      }
    }
  }
};
using Types = testing::Types<Bf16, Fp16, Fp32>;
TYPED_TEST_SUITE(Easy, Types);

TYPED_TEST(Easy, WeightsAreRightForEveryExponentOfScaleAndZero) {
  std::int64_t easy = 0;
  TestFixture::for_each_pair([&](auto scale, auto zero) {
    if (!is_easy(TypeParam(), scale, zero)) return;
    ++easy;
    ASSERT_TRUE(easy_weights_are_right<TypeParam>(scale, zero)) << std::hex << scale << ' ' << zero;
  });
  EXPECT_GT(easy, 1000);
}

TYPED_TEST(Easy, EndsWhereTheSumMayNotFit) {
  // Of the bits that the sum is made in, those beyond the format's and one: 24 - 8 - 1, 24 - 11 - 1, 53 - 24 - 1.
  using T = TypeParam;
  const int room = std::is_same_v<T, Bf16> ? 15 : std::is_same_v<T, Fp16> ? 12 : 28;
  const int middle = TestFixture::exponent_max / 2;
  const auto is_easy_at = [](int of_scale, int of_zero) {
    return is_easy(T(), number<T>(0, of_scale, 0), number<T>(0, of_zero, 0));
  };
  EXPECT_TRUE(is_easy_at(middle, middle + room));
  EXPECT_FALSE(is_easy_at(middle, middle + room + 1));
  EXPECT_TRUE(is_easy_at(middle + room - 3, middle));  // eight times a scale has an exponent of three more
  EXPECT_FALSE(is_easy_at(middle + room - 2, middle));
  const auto largest = number<T>(0, TestFixture::exponent_max - 4, 0);
  EXPECT_TRUE(is_easy(T(), largest, number<T>(0, 0, 0)));  // a product, and no sum
  EXPECT_TRUE(is_easy(T(), largest, number<T>(1, 0, 0)));
  EXPECT_FALSE(is_easy(T(), largest, number<T>(0, 0, 1)));
}

TYPED_TEST(Easy, EndsWhereEightTimesAScaleMayBeInfinite) {
  using T = TypeParam;
  const int max = TestFixture::exponent_max;
  const auto is_easy_at = [](int of_scale, int of_zero) {
    return is_easy(T(), number<T>(1, of_scale, 1), number<T>(0, of_zero, 1));
  };
  EXPECT_TRUE(is_easy_at(max - 4, max - 4));
  EXPECT_FALSE(is_easy_at(max - 3, max - 3));
  EXPECT_TRUE(is_easy_at(max - 4, max - 1));
  EXPECT_FALSE(is_easy_at(max - 4, max));
  EXPECT_TRUE(is_easy(T(), number<T>(0, max - 1, 0)));  // of what has no float zero, and is rounded from its product
  EXPECT_FALSE(is_easy(T(), number<T>(0, max, 0)));
}

template <class T>
void expect_hard_and_wrong_if_easy(typename T::Bits scale, typename T::Bits zero) {
  EXPECT_FALSE(is_easy(T(), scale, zero)) << std::hex << scale << ' ' << zero;
  EXPECT_FALSE(easy_weights_are_right<T>(scale, zero)) << std::hex << scale << ' ' << zero;
}

TEST(Hard, IsWhatEasyArithmeticGetsWrong) {
  // A product halfway between two results, and a zero that says to which, too small for the sum to keep.
  expect_hard_and_wrong_if_easy<Bf16>(0x3f94, 0x3500);          // 2^-21 beside 1.16
  expect_hard_and_wrong_if_easy<Fp16>(0x3c93, 0x13ff);          // 2^-11 beside 1.14: two exponents beyond the bound
  expect_hard_and_wrong_if_easy<Fp32>(0x3fc00004, 0xa6000000);  // -2^-51 beside 1.5
  // -8 * 2^125 is -2^128, which no float is, but the zero 2^127 brings the sum back.
  expect_hard_and_wrong_if_easy<Bf16>(0x7e00, 0x7f00);
  // No numbers.
  expect_hard_and_wrong_if_easy<Bf16>(0x3f80, 0x7f81);
  expect_hard_and_wrong_if_easy<Bf16>(0x7f80, 0x3f80);
  expect_hard_and_wrong_if_easy<Fp16>(0x7c00, 0x3c00);
  expect_hard_and_wrong_if_easy<Fp16>(0x3c00, 0x7c01);
}

template <class T>
class EightEasyRows : public Easy<T> {};
using TypesOfSixteenBits = testing::Types<Bf16, Fp16>;
TYPED_TEST_SUITE(EightEasyRows, TypesOfSixteenBits);

TYPED_TEST(EightEasyRows, AreThoseThatAreEasyEach) {
  using T = TypeParam;
  const std::uint16_t one = number<T>(0, TestFixture::exponent_max / 2, 0);
  int row = 0;
  TestFixture::for_each_pair([&](std::uint16_t scale, std::uint16_t zero) {
    std::uint16_t pairs[16], scales[8];
    for (int i = 0; i < 8; ++i) pairs[2 * i] = pairs[2 * i + 1] = scales[i] = one;
    row = (row + 3) % 8;
    pairs[2 * row] = scales[row] = scale;
    pairs[2 * row + 1] = zero;
    EightRows<T> eight;
    eight.load_pairs(pairs);
    ASSERT_EQ(eight.are_easy, is_easy(T(), scale, zero)) << std::hex << scale << ' ' << zero << ", row " << row;
    if (eight.are_easy) {
      ASSERT_EQ(eight.scale[row], finite_value(T(), scale));
      ASSERT_EQ(eight.zero[row], finite_value(T(), zero));
    }
    eight.load(scales, nullptr);
    ASSERT_EQ(eight.are_easy, is_easy(T(), scale)) << std::hex << scale << ", row " << row;
  });
}

}  // namespace
}  // namespace tileproof::kernels
