// Every class of scales and zeros contains what its name says, and every profile draws the values it is meant for. The
// numbers here come from the formats' tables, not from the formulas of values.cpp.
#include "properties/problem/values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "properties/problem/draw.h"
#include "properties/problem/problem.h"
#include "properties/problem/specification.h"
#include "reference/dequantize.h"

namespace tileproof {

namespace {

/// The special values of a format.
struct FormatTable {
  const char* name;
  reference::FloatFormat format;
  std::uint32_t sign, largest_subnormal, smallest_normal, largest_finite, infinity, quiet_bit;
};

void PrintTo(const FormatTable& table, std::ostream* out) { *out << table.name; }

class Values : public testing::TestWithParam<FormatTable> {
 protected:
  const FormatTable& t = GetParam();
  const reference::FloatFormat f = t.format;
};

INSTANTIATE_TEST_SUITE_P(
    Formats, Values,
    testing::Values(FormatTable{"bf16", reference::bf16, 0x8000, 0x007f, 0x0080, 0x7f7f, 0x7f80, 0x0040},
                    FormatTable{"fp16", reference::fp16, 0x8000, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0x0200},
                    FormatTable{"fp32", reference::fp32, 0x80000000, 0x007fffff, 0x00800000, 0x7f7fffff, 0x7f800000,
                                0x00400000}),
    [](const auto& row) { return std::string(row.param.name); });

using Names = std::set<std::string>;

/// The names of the classes that a pattern belongs to.
Names classes_by_hand(const FormatTable& t, std::uint32_t pattern) {
  const std::uint32_t magnitude = pattern & ~t.sign;
  const bool negative = magnitude != pattern;
  Names names;
  if (magnitude == 0) names.insert(negative ? "minus zero" : "plus zero");
  if (magnitude == 1) names.insert("smallest subnormal");
  if (magnitude == t.largest_subnormal) names.insert("largest subnormal");
  if (magnitude == t.smallest_normal) names.insert("smallest normal");
  if (magnitude == t.largest_finite) names.insert("largest finite");
  if (magnitude == t.infinity) names.insert("infinity");
  if (magnitude > t.infinity) names.insert((pattern & t.quiet_bit) != 0 ? "quiet NaN" : "signalling NaN");
  if (!negative && magnitude > t.smallest_normal && magnitude < t.largest_finite) names.insert("normal");
  if (negative && magnitude >= t.smallest_normal && magnitude <= t.largest_finite) names.insert("negative");
  return names;
}

Names classes_of(reference::FloatFormat format, std::uint32_t pattern) {
  Names names;
  for (const ValueClass& row : value_classes()) {
    if (row.contains(format, pattern)) names.insert(row.name);
  }
  return names;
}

bool is_finite(const FormatTable& t, std::uint32_t pattern) { return (pattern & ~t.sign) < t.infinity; }

double value(const FormatTable& t, std::uint32_t pattern) { return specified::value(t.format, pattern); }

TEST_P(Values, AreInTheClassesThatTheirBitsSay) {
  if (f.bits() == 16) {
    for (std::uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
      ASSERT_EQ(classes_of(f, pattern), classes_by_hand(t, pattern)) << std::hex << pattern;
    }
    return;
  }
  for (const std::uint32_t edge : {0u, t.largest_subnormal, t.smallest_normal, t.largest_finite, t.infinity,
                                   t.quiet_bit, t.infinity | t.quiet_bit, t.sign - 1}) {
    for (const std::uint32_t sign : {0u, t.sign}) {
      for (const std::uint32_t pattern : {edge - 2, edge - 1, edge, edge + 1, edge + 2}) {
        ASSERT_EQ(classes_of(f, sign ^ pattern), classes_by_hand(t, sign ^ pattern)) << std::hex << (sign ^ pattern);
      }
    }
  }
  for (std::uint64_t i = 0; i < 20000; ++i) {
    const auto pattern = static_cast<std::uint32_t>(mixed(i));
    ASSERT_EQ(classes_of(f, pattern), classes_by_hand(t, pattern)) << std::hex << pattern;
  }
}

TEST_P(Values, DrawnAsMembersOfAClassAreInItAndInNoOther) {
  for (const ValueClass& row : value_classes()) {
    SCOPED_TRACE(row.name);
    std::set<std::uint32_t> seen;
    for (std::uint64_t i = 0; i < 3000; ++i) {
      const std::uint32_t pattern = row.member(f, mixed(i));
      seen.insert(pattern);
      ASSERT_EQ(pattern >> (f.bits() - 1) >> 1, 0u) << "wider than the format";
      ASSERT_EQ(is_finite(t, pattern), row.finite) << std::hex << pattern;
      Names names = classes_of(f, pattern);
      // The only overlap: a negative smallest normal or largest finite value is also in "negative".
      if (std::string(row.name) != "negative") names.erase("negative");
      ASSERT_EQ(names, Names{row.name}) << std::hex << pattern;
    }
    const bool single = std::string(row.name).find("zero") != std::string::npos;
    EXPECT_GE(seen.size(), single ? 1u : 2u) << "both signs, or more values than one";
  }
}

TEST_P(Values, OfNaNClassesCarryManyPayloads) {
  for (const ValueClass& row : value_classes()) {
    if (std::string(row.name).find("NaN") == std::string::npos) continue;
    std::set<std::uint32_t> seen;
    for (std::uint64_t i = 0; i < 3000; ++i) seen.insert(row.member(f, mixed(i)));
    EXPECT_GT(seen.size(), 30u) << row.name;
  }
}

TEST_P(Values, OfFiniteProfilesAndTheirWeightsAreFinite) {
  for (const Profile& profile : profiles()) {
    SCOPED_TRACE(profile.name);
    int not_finite = 0;
    for (std::uint64_t i = 0; i < 4000; ++i) {
      const ScaleAndZero both = profile.drawn(f, 7, i);
      ASSERT_EQ(both.scale >> (f.bits() - 1) >> 1, 0u);
      ASSERT_EQ(both.zero >> (f.bits() - 1) >> 1, 0u);
      bool finite = is_finite(t, both.scale) && is_finite(t, both.zero);
      for (int code = 0; code < 16 && finite; ++code) {
        finite = is_finite(t, reference::dequantized_float(f, code, both.scale, both.zero));
      }
      not_finite += finite ? 0 : 1;
    }
    RecordProperty(std::string(profile.name) + "_not_finite_per_4000", not_finite);
    EXPECT_EQ(not_finite == 0, profile.finite);
  }
}

TEST_P(Values, AreAFunctionOfSeedAndIndex) {
  for (const Profile& profile : profiles()) {
    SCOPED_TRACE(profile.name);
    int same_scale_of_another_seed = 0, same_zero_of_another_seed = 0;
    int same_scale_at_another_index = 0, same_zero_at_another_index = 0;
    constexpr int sampling = 1000;
    for (std::uint64_t i = 0; i < sampling; ++i) {
      const ScaleAndZero first = profile.drawn(f, 3, i);
      profile.drawn(f, i, 3);  // a draw in between must change nothing
      const ScaleAndZero again = profile.drawn(f, 3, i);
      ASSERT_EQ(first.scale, again.scale);
      ASSERT_EQ(first.zero, again.zero);
      const ScaleAndZero other_seed = profile.drawn(f, 4, i);
      const ScaleAndZero other_index = profile.drawn(f, 3, i + sampling);
      same_scale_of_another_seed += other_seed.scale == first.scale ? 1 : 0;
      same_zero_of_another_seed += other_seed.zero == first.zero ? 1 : 0;
      same_scale_at_another_index += other_index.scale == first.scale ? 1 : 0;
      same_zero_at_another_index += other_index.zero == first.zero ? 1 : 0;
    }
    // Classes with one member repeat: up to one draw in ten may equal the draw of another seed.
    EXPECT_LT(same_scale_of_another_seed, sampling / 5);
    EXPECT_LT(same_zero_of_another_seed, sampling / 5);
    EXPECT_LT(same_scale_at_another_index, sampling / 5);
    EXPECT_LT(same_zero_at_another_index, sampling / 5);
  }
}

TEST_P(Values, OfEdgesAndMixedReachEveryClassInScalesAndInZeros) {
  for (const char* name : {"edges", "mixed"}) {
    std::map<std::string, int> of_scales, of_zeros;
    for (std::uint64_t i = 0; i < 3000; ++i) {
      const ScaleAndZero both = profile_of(name).drawn(f, 11, i);
      for (const std::string& one : classes_of(f, both.scale)) ++of_scales[one];
      for (const std::string& one : classes_of(f, both.zero)) ++of_zeros[one];
    }
    for (const ValueClass& row : value_classes()) {
      RecordProperty(std::string(name) + "_scale_" + row.name, of_scales[row.name]);
      EXPECT_GE(of_scales[row.name], 20) << name << ", scale " << row.name;
      EXPECT_GE(of_zeros[row.name], 20) << name << ", zero " << row.name;
    }
  }
}

TEST_P(Values, OfFiniteEdgesReachZerosAndSubnormals) {
  Names seen;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const ScaleAndZero both = profile_of("finite-edges").drawn(f, 13, i);
    for (const std::string& one : classes_of(f, both.scale)) seen.insert(one);
  }
  for (const char* name : {"plus zero", "minus zero", "smallest subnormal", "largest subnormal", "smallest normal",
                           "normal", "negative"}) {
    EXPECT_TRUE(seen.contains(name)) << name;
  }
}

/// The sign of a value, and the e with 2^e <= |value| < 2^(e + 1).
std::pair<bool, int> sign_and_exponent(const FormatTable& t, std::uint32_t pattern) {
  return {(pattern & t.sign) != 0, std::ilogb(value(t, pattern))};
}

/// The signed exponents in lowest..highest that a profile's zeros never or rarely have.
std::string rare_zeros(const FormatTable& t, const char* profile, int lowest, int highest) {
  std::map<std::pair<bool, int>, int> counts;
  constexpr int sampling = 4000;
  for (std::uint64_t i = 0; i < sampling; ++i)
    ++counts[sign_and_exponent(t, profile_of(profile).drawn(t.format, 17, i).zero)];
  std::string rare;
  const int even_share = sampling / 2 / (highest - lowest + 1);
  for (const bool negative : {false, true}) {
    for (int exponent = lowest; exponent <= highest; ++exponent) {
      const bool often = counts[{negative, exponent}] > even_share / 2;
      if (!often) rare += std::string(negative ? " -2^" : " +2^") + std::to_string(exponent);
    }
  }
  return rare;
}

// The sign and the exponent of a zero must not come from the same bits, or half of the combinations would never occur.
TEST_P(Values, OfOrdinaryZerosHaveEverySignWithEveryExponent) { EXPECT_EQ(rare_zeros(t, "ordinary", -10, 3), ""); }

TEST_P(Values, OfDistantZerosHaveEverySignWithEveryExponent) { EXPECT_EQ(rare_zeros(t, "distant", 0, 2), ""); }

TEST_P(Values, OfDistantZerosLieAboveTheirScalesByEveryDistance) {
  std::set<int> distances;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const ScaleAndZero both = profile_of("distant").drawn(f, 19, i);
    const int distance = sign_and_exponent(t, both.zero).second - sign_and_exponent(t, both.scale).second;
    EXPECT_GE(distance, 0);
    distances.insert(distance);
  }
  // Up to where the product is below half a unit of the zero's last bit, or as far as the format reaches.
  const int farthest = std::min(2 * f.fraction_bits + 3, -std::ilogb(value(t, t.smallest_normal)));
  for (int distance = 0; distance <= farthest; ++distance) EXPECT_TRUE(distances.contains(distance)) << distance;
}

TEST_P(Values, OfCancellingSumsCancel) {
  int cancelled = 0;
  int exactly = 0;
  int told_apart = 0;
  constexpr int sampling = 2000;
  for (std::uint64_t i = 0; i < sampling; ++i) {
    const ScaleAndZero both = profile_of("cancelling").drawn(f, 23, i);
    const double zero = value(t, both.zero);
    double closest = INFINITY;
    bool differs = false;
    for (int code = 0; code < 16; ++code) {
      closest = std::min(closest, std::fabs((code - 8) * value(t, both.scale) + zero));
      const auto product = reference::product(reference::whole(code - 8), reference::decode(f, both.scale));
      const std::uint32_t rounded_first = reference::rounded(f, product);
      differs |=
          reference::rounded(f, reference::sum(reference::decode(f, rounded_first), reference::decode(f, both.zero))) !=
          reference::dequantized_float(f, code, both.scale, both.zero);
    }
    // Two units of the zero's last bit: one from rounding -(code - 8) * scale, one from taking a neighbour.
    cancelled += closest <= 2 * std::ldexp(std::fabs(zero), -f.fraction_bits) ? 1 : 0;
    exactly += closest == 0 ? 1 : 0;
    told_apart += differs ? 1 : 0;
  }
  RecordProperty("cancelled_per_2000", cancelled);
  RecordProperty("exactly_per_2000", exactly);
  RecordProperty("two_roundings_told_apart_per_2000", told_apart);
  EXPECT_EQ(cancelled, sampling);
  EXPECT_GT(exactly, sampling / 20);
  EXPECT_LT(exactly, sampling);
  EXPECT_GT(told_apart, sampling / 4);
}

TEST_P(Values, OfCancellingZerosAreOftenNeighboursOnEitherSide) {
  int above = 0;
  int below_it = 0;
  constexpr int sampling = 2000;
  for (std::uint64_t i = 0; i < sampling; ++i) {
    const ScaleAndZero both = profile_of("cancelling").drawn(f, 31, i);
    const double zero = value(t, both.zero);
    double nearest = INFINITY;  // the smallest of the sixteen, which cancels as exactly as the format can
    for (int code = 0; code < 16; ++code) {
      const auto cancelling = reference::product(reference::whole(8 - code), reference::decode(f, both.scale));
      const double exact = value(t, reference::rounded(f, cancelling));
      if (std::fabs(exact - zero) < std::fabs(nearest - zero)) nearest = exact;
    }
    above += zero > nearest ? 1 : 0;
    below_it += zero < nearest ? 1 : 0;
  }
  EXPECT_NEAR(above, sampling / 4, sampling / 10);
  EXPECT_NEAR(below_it, sampling / 4, sampling / 10);
}

TEST_P(Values, OfFaintZerosLieBelowTheirScalesByEveryDistance) {
  std::set<int> distances;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const ScaleAndZero both = profile_of("faint-zeros").drawn(f, 41, i);
    if ((both.zero & ~t.sign) == 0) continue;
    distances.insert(sign_and_exponent(t, both.scale).second - sign_and_exponent(t, both.zero).second);
  }
  // Beyond the 24 bits of a float sum for bf16, and the 53 bits of a double sum for fp32; for fp16, as far as the
  // format reaches.
  const int farthest = f.fraction_bits == 7 ? 28 : f.fraction_bits == 10 ? 11 + 14 : 60;
  for (int distance = 0; distance <= farthest; ++distance) EXPECT_TRUE(distances.contains(distance)) << distance;
}

TEST_P(Values, OfOverflowingSumsAreOftenFiniteWhereTheProductIsNot) {
  int brought_back = 0;
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    const ScaleAndZero both = profile_of("overflowing").drawn(f, 43, i);
    for (int code = 0; code < 16; ++code) {
      const auto product = reference::product(reference::whole(code - 8), reference::decode(f, both.scale));
      const bool is_infinite = (reference::rounded(f, product) & ~t.sign) == t.infinity;
      const std::uint32_t weight = reference::dequantized_float(f, code, both.scale, both.zero);
      brought_back += is_infinite && (weight & ~t.sign) < t.infinity;
    }
  }
  EXPECT_GT(brought_back, 500);
}

TEST_P(Values, OfAnyHaveEveryBitBothWays) {
  std::vector<int> of_scale(static_cast<std::size_t>(f.bits())), of_zero(of_scale), alike(of_scale);
  constexpr int sampling = 2000;
  for (std::uint64_t i = 0; i < sampling; ++i) {
    const ScaleAndZero both = profile_of("any").drawn(f, 29, i);
    for (std::size_t bit = 0; bit < of_scale.size(); ++bit) {
      of_scale[bit] += static_cast<int>(both.scale >> bit & 1);
      of_zero[bit] += static_cast<int>(both.zero >> bit & 1);
      alike[bit] += static_cast<int>((both.scale ^ both.zero) >> bit & 1);
    }
  }
  for (const auto& counts : {of_scale, of_zero, alike}) {
    for (const int count : counts) EXPECT_NEAR(count, sampling / 2, sampling / 16);
  }
}

TEST(Profiles, HaveNamesOfTheirOwnAndSayWhatTheyCampaign) {
  Names names;
  for (const Profile& profile : profiles()) {
    EXPECT_TRUE(names.insert(profile.name).second) << profile.name;
    EXPECT_STRNE(profile.finds, "") << profile.name;
    EXPECT_STREQ(profile_of(profile.name).name, profile.name);
  }
  Names classes;
  for (const ValueClass& row : value_classes()) EXPECT_TRUE(classes.insert(row.name).second) << row.name;
}

TEST(Profiles, ThatDoNotExistAreRefusedByListingThoseThatDo) {
  for (const std::string name : {"", "Ordinary", "edge"}) {
    try {
      profile_of(name);
      ADD_FAILURE() << "accepted '" << name << "'";
    } catch (const UsageError& illegal) {
      const std::string message = illegal.what();
      EXPECT_NE(message.find("--profile: given '" + name + "'"), std::string::npos) << message;
      for (const Profile& profile : profiles()) EXPECT_NE(message.find(profile.name), std::string::npos) << message;
    }
  }
}

}  // namespace

}  // namespace tileproof
