#include "properties/accuracy/accuracy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "properties/problem/draw.h"
#include "properties/problem/specification.h"

namespace tileproof {

namespace {

using reference::bf16;
using reference::fp16;
using reference::fp32;

using Buckets = std::vector<std::vector<double>>;

Buckets listed(const Distances& distances) {
  Buckets all;
  for (const Distances::Bucket& bucket : distances.buckets())
    all.push_back({bucket.from, bucket.to, static_cast<double>(bucket.count)});
  return all;
}

Distances of(const std::vector<double>& values) {
  Distances distances;
  for (const double value : values) distances.add(value);
  return distances;
}

// Computed by hand: bf16 has 7 fraction bits and normal numbers from 2^-126 on, fp16 10 bits from 2^-14 on, fp32 23
// bits.
TEST(UlpAt, IsTheSpacingOfTheFormatThere) {
  EXPECT_EQ(ulp_at(bf16, 1.5), 0x1p-7);
  EXPECT_EQ(ulp_at(bf16, -1.5), 0x1p-7);
  EXPECT_EQ(ulp_at(bf16, 1), 0x1p-7);          // the spacing above a power of two
  EXPECT_EQ(ulp_at(bf16, 0x1.fep-1), 0x1p-8);  // the spacing below it
  EXPECT_EQ(ulp_at(bf16, 0), 0x1p-133);        // the smallest subnormal
  EXPECT_EQ(ulp_at(bf16, 0x1p-133), 0x1p-133);
  EXPECT_EQ(ulp_at(bf16, 0x1p-126), 0x1p-133);  // the smallest normal number
  EXPECT_EQ(ulp_at(bf16, 0x1p-125), 0x1p-132);
  EXPECT_EQ(ulp_at(bf16, 0x1.fep127), 0x1p120);  // the largest finite value
  EXPECT_EQ(ulp_at(bf16, 0x1p128), 0x1p121);     // beyond it
  EXPECT_EQ(ulp_at(fp16, 3), 0x1p-9);
  EXPECT_EQ(ulp_at(fp16, 0x1p-20), 0x1p-24);
  EXPECT_EQ(ulp_at(fp32, 1), 0x1p-23);
}

TEST(Error, IsInUnitsInTheLastPlaceOfWhatIsExpected) {
  const auto error = [](reference::FloatFormat format, std::uint32_t expected, std::uint32_t got) {
    return Accuracy::error(format, expected, got).value();
  };
  EXPECT_EQ(error(bf16, 0x3fc0, 0x0000), -192);              // 1.5, got 0
  EXPECT_EQ(error(fp32, 0x3f800000, 0x00000000), -8388608);  // 1, got 0
  EXPECT_EQ(error(bf16, 0x3f80, 0x3f81), 1);
  EXPECT_EQ(error(bf16, 0x3f80, 0x3f7f), -0.5);  // values lie half as far apart below 1
  EXPECT_EQ(error(bf16, 0x3f7f, 0x3f80), 1);
  EXPECT_EQ(error(bf16, 0xbf80, 0xbf81), -1);
  EXPECT_EQ(error(bf16, 0x0000, 0x8000), 0);
  EXPECT_EQ(error(bf16, 0x0000, 0x0003), 3);        // 0 expected: counted in smallest subnormals
  EXPECT_EQ(error(bf16, 0x0000, 0x3f80), 0x1p133);  // 1 instead of 0
  EXPECT_EQ(error(bf16, 0x0001, 0x8001), -2);       // subnormals
  EXPECT_EQ(error(fp16, 0x0400, 0x03ff), -1);       // the smallest normal number has the spacing of subnormals
  EXPECT_EQ(error(bf16, 0x3f80, 0x3f80), 0);
  EXPECT_EQ(Accuracy::error(bf16, 0x7f7f, 0x7f80), std::nullopt);  // an overflow to Inf
  EXPECT_EQ(Accuracy::error(bf16, 0x7f80, 0x7f80), std::nullopt);
  EXPECT_EQ(Accuracy::error(bf16, 0x7fff, 0x0000), std::nullopt);
  EXPECT_EQ(Accuracy::error(std::nullopt, 15, 0), -15);  // codes
}

// (3 - 8) * 108.5 is -542.5 and rounds to -544, to which the zero 544 adds up to 0; the exact sum is 1.5. In bf16,
// values lie 4 apart at 542.5.
TEST(Error, OfASumThatCancelsIsSmallInLastPlacesOfTheLargestTerm) {
  EXPECT_EQ(Accuracy::error(bf16, 0x3fc0, 0x0000), -192);
  EXPECT_EQ(Accuracy::error_of_terms(bf16, 0x3fc0, 0x0000, 544), 0.375);
  EXPECT_EQ(Accuracy::error_of_terms(bf16, 0x3fc0, 0x0000, 0), 1.5 / 0x1p-133);
  Accuracy accuracy(bf16);
  accuracy.add(0x3fc0, 0x0000, "", 544);
  accuracy.add(0x3f80, 0x3f81, "", 1);
  accuracy.add(0x7f80, 0x0000, "", INFINITY);
  EXPECT_EQ(accuracy.distances.largest(), 192);
  EXPECT_EQ(accuracy.largest_of_terms, 1);
}

TEST(Distances, AreCountedByHalvesUpToFifteenAndAHalfAndByPowersOfTwoBeyond) {
  EXPECT_EQ(listed(of({0, 0.5, -0.5, 1, 15.5, -15.5, 0, 0.5})),
            (Buckets{{-15.5, -15.5, 1}, {-0.5, -0.5, 1}, {0, 0, 2}, {0.5, 0.5, 2}, {1, 1, 1}, {15.5, 15.5, 1}}));
  EXPECT_EQ(listed(of({16, 31.75, 32, 63, 64})), (Buckets{{16, 32, 2}, {32, 64, 2}, {64, 128, 1}}));
  EXPECT_EQ(listed(of({-16, -31, -32})), (Buckets{{-64, -32, 1}, {-32, -16, 2}}));
  // The largest possible error: from one end of fp32 to the other, in smallest subnormals.
  const double furthest = 2 * 0x1.fffffep127 / 0x1p-149;
  EXPECT_EQ(listed(of({furthest, -furthest})), (Buckets{{-0x1p278, -0x1p277, 1}, {0x1p277, 0x1p278, 1}}));
}

TEST(Distances, HaveASumAndALargestAndTwoSides) {
  const Distances distances = of({3, -20, 0, 5, -1});
  EXPECT_EQ(distances.count(), 5);
  EXPECT_EQ(distances.largest(), 20);
  EXPECT_EQ(distances.sum(), -13);
  EXPECT_EQ(distances.sum_of_magnitudes(), 29);
  EXPECT_EQ(distances.above(), 2);
  EXPECT_EQ(distances.below(), 2);
}

// Magnitudes 0, 1, 2, 3: the median of four is the second, and three of them do not exceed 2.
TEST(Percentile, IsTheLeastThatSoManyDoNotExceed) {
  const Distances four = of({-2, 0, 3, 1});
  const auto value = [&](std::int64_t part, std::int64_t whole) { return four.percentile(part, whole)->value; };
  EXPECT_EQ(value(1, 2), 1);
  EXPECT_EQ(value(3, 4), 2);
  EXPECT_EQ(value(751, 1000), 3);
  EXPECT_EQ(value(1, 1), 3);
  EXPECT_FALSE(Distances().percentile(1, 2).has_value());
}

TEST(Percentile, SaysThatItIsABucketsUpperEndWhereItIs) {
  std::vector<double> values(999, 0);
  values.push_back(100);
  EXPECT_EQ(of(values).percentile(999, 1000)->value, 0);
  EXPECT_TRUE(of(values).percentile(999, 1000)->exact);
  values.push_back(100);                                    // now two of 1001 exceed 0
  EXPECT_EQ(of(values).percentile(999, 1000)->value, 100);  // the bucket ends at 128, but no error is larger than 100
  EXPECT_FALSE(of(values).percentile(999, 1000)->exact);
  values.insert(values.end(), 3, 2000);
  EXPECT_EQ(of(values).percentile(996, 1000)->value, 128);
  EXPECT_FALSE(of(values).percentile(996, 1000)->exact);
}

TEST(SignalAndNoise, AreComparedInDecibels) {
  EXPECT_DOUBLE_EQ((SignalAndNoise{100, 1}.decibels().value()), 20);
  EXPECT_FALSE((SignalAndNoise{100, 0}.decibels().has_value()));
  EXPECT_FALSE((SignalAndNoise{0, 1}.decibels().has_value()));
}

// Computed by hand: 1 and 1.0078125 are 0x3f80 and 0x3f81 in bf16.
TEST(Accuracy, CountsWhatDiffersAndWhy) {
  Accuracy accuracy(bf16);
  accuracy.add(0x3f80, 0x3f80);
  accuracy.add(0x3f80, 0x3f81);
  accuracy.add(0x3f81, 0x3f80, "a reason");
  accuracy.add(0x4000, 0x4000);
  EXPECT_EQ(accuracy.elements, 4);
  EXPECT_EQ(accuracy.bit_equal, 2);
  EXPECT_EQ(accuracy.unexplained, 1);
  EXPECT_EQ(accuracy.explained, (std::map<std::string, std::int64_t>{{"a reason", 1}}));
  EXPECT_EQ(listed(accuracy.distances), (Buckets{{-1, -1, 1}, {0, 0, 2}, {1, 1, 1}}));
  EXPECT_EQ(accuracy.power.signal, 1 + 1 + 1.0078125 * 1.0078125 + 4);
  EXPECT_EQ(accuracy.power.noise, 2 * 0.0078125 * 0.0078125);
}

TEST(Accuracy, KeepsWhatIsNoFiniteNumberApart) {
  Accuracy accuracy(bf16);
  accuracy.add(0x7fff, 0x7fff);
  accuracy.add(0x7f80, 0x7f80);
  accuracy.add(0x7fff, 0xffc1);
  accuracy.add(0x3f80, 0x7fff);
  accuracy.add(0x3f80, 0xff80);
  accuracy.add(0x7f80, 0x7f7f);
  accuracy.add(0x7f80, 0xff80);
  accuracy.add(0xff80, 0x7fff);
  accuracy.add(0x7fff, 0x0000);
  accuracy.add(0x7fff, 0x7f80);
  EXPECT_EQ(accuracy.elements, 10);
  EXPECT_EQ(accuracy.bit_equal, 2);
  EXPECT_EQ(accuracy.expected_not_finite, 8);
  EXPECT_EQ(accuracy.non_finite_disagreements, 7);
  EXPECT_EQ(accuracy.of_other_kind, (std::map<std::string, std::int64_t>{{"a NaN of other bits", 1},
                                                                         {"a NaN for a number", 1},
                                                                         {"an infinity for a number", 1},
                                                                         {"a number for an infinity", 1},
                                                                         {"an infinity of the other sign", 1},
                                                                         {"a NaN for an infinity", 1},
                                                                         {"a number for a NaN", 1},
                                                                         {"an infinity for a NaN", 1}}));
  EXPECT_EQ(accuracy.distances.count(), 0);
  EXPECT_EQ(accuracy.power.signal, 0);
}

// The smallest normal value of fp16 is 0x0400.
TEST(Accuracy, CountsZerosAndSubnormals) {
  Accuracy accuracy(fp16);
  accuracy.add(0x0000, 0x0000);
  accuracy.add(0x8000, 0x0000);
  accuracy.add(0x0000, 0x8000);
  accuracy.add(0x03ff, 0x03ff);
  accuracy.add(0x8001, 0x8000);
  accuracy.add(0x0002, 0x0001);
  accuracy.add(0x0001, 0x7fff);
  accuracy.add(0x0400, 0x0000);
  EXPECT_EQ(accuracy.expected_plus_zero, 2);
  EXPECT_EQ(accuracy.expected_minus_zero, 1);
  EXPECT_EQ(accuracy.other_zero, 2);
  EXPECT_EQ(accuracy.expected_subnormal, 4);
  EXPECT_EQ(accuracy.differing_subnormal, 3);
  EXPECT_EQ(accuracy.flushed, 1);
  EXPECT_EQ(listed(accuracy.distances), (Buckets{{-2048, -1024, 1}, {-1, -1, 1}, {0, 0, 4}, {1, 1, 1}}));
}

TEST(Accuracy, OfWholeNumbersIsTheirDifference) {
  Accuracy accuracy(std::nullopt);
  accuracy.add(15, 15);
  accuracy.add(15, 0);
  accuracy.add(0, 7);
  accuracy.add(0, static_cast<std::uint32_t>(-3));
  EXPECT_EQ(listed(accuracy.distances), (Buckets{{-15, -15, 1}, {-3, -3, 1}, {0, 0, 1}, {7, 7, 1}}));
  EXPECT_EQ(accuracy.expected_not_finite, 0);
  EXPECT_EQ(accuracy.expected_plus_zero, 0);
}

/// The non-negative finite values of a 16-bit format, ascending.
std::vector<double> values_in_order(reference::FloatFormat format) {
  std::vector<double> values;
  for (std::uint32_t pattern = 0; pattern < format.infinity(); ++pattern) {
    values.push_back(specified::value(format, pattern));
  }
  std::sort(values.begin(), values.end());
  return values;
}

// Computes the same figures another way: the gap above a value in a sorted list of all values, and sorted lists of
// errors.
TEST(Accuracy, IsThatOfASlowCount) {
  for (const reference::FloatFormat format : {bf16, fp16}) {
    const std::vector<double> values = values_in_order(format);
    const auto gap_above = [&](double value) {
      const auto above = std::upper_bound(values.begin(), values.end(), std::fabs(value));
      return above == values.end() ? values.back() - *(values.end() - 2) : *above - *(above - 1);
    };
    Accuracy accuracy(format);
    std::vector<double> magnitudes;
    double sum = 0;
    std::int64_t not_finite = 0, same = 0, zeros = 0;
    double signal = 0, noise = 0;
    constexpr std::uint64_t pairs = 20000;
    for (std::uint64_t i = 0; i < pairs; ++i) {
      const std::uint64_t bits = drawn(1, 0, i);
      const auto expected = static_cast<std::uint32_t>(bits & 0xffff);
      // Half of the results are at or near the expected value.
      const auto near = (expected + (bits >> 32 & 1) * (bits >> 33 & 63)) & 0xffff;
      const auto got = static_cast<std::uint32_t>((bits >> 63) != 0 ? bits >> 16 & 0xffff : near);
      accuracy.add(expected, got);
      const double a = specified::value(format, expected), b = specified::value(format, got);
      same += expected == got ? 1 : 0;
      zeros += a == 0 && b == 0 && std::signbit(a) != std::signbit(b) ? 1 : 0;
      if (!std::isfinite(a) || !std::isfinite(b)) {
        const bool agree = (std::isnan(a) && std::isnan(b)) || a == b;
        not_finite += agree ? 0 : 1;
        continue;
      }
      const double apart = (b - a) / gap_above(a);
      magnitudes.push_back(std::fabs(apart));
      sum += apart;
      signal += a * a;
      noise += (b - a) * (b - a);
    }
    std::sort(magnitudes.begin(), magnitudes.end());
    EXPECT_EQ(accuracy.bit_equal, same);
    EXPECT_EQ(accuracy.other_zero, zeros);
    EXPECT_EQ(accuracy.unexplained, static_cast<std::int64_t>(pairs) - same);
    EXPECT_EQ(accuracy.non_finite_disagreements, not_finite);
    EXPECT_EQ(accuracy.distances.count(), static_cast<std::int64_t>(magnitudes.size()));
    EXPECT_EQ(accuracy.distances.largest(), magnitudes.back());
    EXPECT_EQ(accuracy.distances.sum(), sum);
    EXPECT_EQ(accuracy.power.signal, signal);
    EXPECT_EQ(accuracy.power.noise, noise);
    for (const std::size_t per_mille : {250u, 450u, 500u, 990u, 999u}) {
      const std::size_t rank = (magnitudes.size() * per_mille + 999) / 1000;
      const double wanted = magnitudes[rank - 1];
      const auto percentile = accuracy.distances.percentile(static_cast<std::int64_t>(per_mille), 1000).value();
      EXPECT_EQ(percentile.exact, wanted < Distances::first_wide) << per_mille;
      EXPECT_GE(percentile.value, wanted);
      EXPECT_LE(percentile.value, percentile.exact ? wanted : 2 * wanted);
    }
    for (const Distances::Bucket& bucket : accuracy.distances.buckets()) {
      if (bucket.from < 0) continue;
      const auto above = std::lower_bound(magnitudes.begin(), magnitudes.end(), bucket.from);
      const auto beyond = std::upper_bound(magnitudes.begin(), magnitudes.end(), bucket.to);
      EXPECT_LE(bucket.count, beyond - above);
    }
  }
}

}  // namespace

}  // namespace tileproof
