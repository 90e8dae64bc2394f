/// Accuracy: how what a subject gave differs from what is specified, counted element by element. No subject, no
/// problem: bits in, figures out.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reference/float_bits.h"

namespace tileproof {

/// The unit in the last place at a value, ulp(x), as CUDA, glibc and JAX define it: the spacing of the format there,
/// 2^(e - fraction bits) with e = floor(log2 |x|). Below the normal numbers, and at 0, it is the smallest subnormal; at
/// a power of two, the spacing above it; beyond the largest finite value, the spacing that a larger exponent would
/// have.
/// @param value  finite
double ulp_at(reference::FloatFormat, double value);

// An error in ulp is (got - expected) / ulp(expected), where both are finite: expected 1.5, got 0 in bf16 is -192 ulp.
// - Expected 0: so many smallest subnormals. A zero of the other sign is no error; it is counted as `other_zero`.
// - Expected a subnormal: so many smallest subnormals.
// - An infinity or a NaN, expected or got, has no error in ulp; an overflow to Inf is none either. They are counted as
//   `non_finite_disagreements`, by kind in `of_other_kind`.
// - Below a power of two values lie half as far apart: its neighbour there is half an ulp off.
// - Codes have no format: their ulp is 1.
//
// A sum that nearly cancels has a large error in ulp where each step rounds well. The second measure, last places of
// the largest term, is |got - expected| / ulp(t), where t is the largest of the terms of the formula (code - 8) * scale
// + zero; in the other domains the only term is the product.

/// Signed errors, counted: each half for itself where it is small, beyond by powers of two.
class Distances {
 public:
  static constexpr double most_exact = 15.5;

  /// Of one sign: those from..to, both included, where they are equal; else the end nearer to 0 is included.
  struct Bucket {
    double from;
    double to;
    std::int64_t count;
  };
  /// A magnitude that so many do not exceed; where it is not exact, the upper end of the bucket that it lies in.
  struct Percentile {
    double value;
    bool exact;
  };

  void add(double distance);
  void add(const Distances&);

  std::int64_t count() const { return count_; }
  double largest() const { return largest_; }  // magnitude
  double sum() const { return sum_; }
  double sum_of_magnitudes() const { return magnitudes_; }
  std::int64_t above() const;  // how many are more than 0
  std::int64_t below() const;
  /// Those that hold something, ascending.
  std::vector<Bucket> buckets() const;
  /// The least magnitude that at least `part` of `whole` do not exceed (nearest rank); of no distances none.
  std::optional<Percentile> percentile(std::int64_t part, std::int64_t whole) const;

 private:
  // A bucket for each half up to most_exact, then one for each power of two. An error that is no multiple of a half is
  // of a value two binades lower, and so at least 2^(fraction bits - 1): 64 in bf16.
  static constexpr std::size_t halves = 32;
  static constexpr int first_wide = 4;   // 2^4 is the first power
  static constexpr int last_wide = 278;  // the furthest there is: both ends of fp32, in smallest subnormals
  static constexpr std::size_t buckets_of_sign = halves + last_wide - first_wide + 1;
  static std::size_t bucket_of(double magnitude);
  static Bucket limits(std::size_t bucket);

  std::array<std::int64_t, buckets_of_sign> positive_ = {};  // and 0
  std::array<std::int64_t, buckets_of_sign> negative_ = {};
  std::int64_t count_ = 0;
  double largest_ = 0;
  double sum_ = 0;
  double magnitudes_ = 0;
};

/// A signal, and the noise on it, in sums of squares.
struct SignalAndNoise {
  double signal = 0;
  double noise = 0;

  /// Of the one to the other. Nothing where there is no noise (it is infinite) or no signal.
  std::optional<double> decibels() const;
};

/// The figures of some elements: values of a format, or whole numbers where there is none.
class Accuracy {
 public:
  explicit Accuracy(std::optional<reference::FloatFormat> format) : format_(format) {}

  /// @param why           what explains the difference, where there is one; "": nothing does
  /// @param largest_term  magnitude of the largest term of the formula that gives the element, where there is one
  void add(std::uint32_t expected, std::uint32_t got, const std::string& why = "",
           std::optional<double> largest_term = std::nullopt);
  void add(const Accuracy&);

  const std::optional<reference::FloatFormat>& format() const { return format_; }
  /// The signed error in ulp; nothing where one of them is no finite number.
  static std::optional<double> error(const std::optional<reference::FloatFormat>&, std::uint32_t expected,
                                     std::uint32_t got);
  /// The magnitude of the error in last places of the largest term; both are finite.
  static double error_of_terms(reference::FloatFormat, std::uint32_t expected, std::uint32_t got, double largest_term);

  std::int64_t elements = 0;
  std::int64_t bit_equal = 0;
  std::map<std::string, std::int64_t> explained;  // of those that differ, by reason
  std::int64_t unexplained = 0;

  // Of values of a format.
  std::int64_t expected_not_finite = 0;
  std::int64_t non_finite_disagreements = 0;          // but for a NaN that is another NaN
  std::map<std::string, std::int64_t> of_other_kind;  // these and those, by what is there for what
  std::int64_t expected_plus_zero = 0;
  std::int64_t expected_minus_zero = 0;
  std::int64_t other_zero = 0;  // a zero, of the other sign
  std::int64_t expected_subnormal = 0;
  std::int64_t differing_subnormal = 0;
  std::int64_t flushed = 0;  // a zero for a subnormal

  Distances distances;          // in ulp, of those where both are finite, as what follows
  double largest_of_terms = 0;  // in last places of the largest term
  SignalAndNoise power;

 private:
  void add_equal(std::uint32_t bits);
  void add_other_kind(std::uint32_t expected, std::uint32_t got);

  std::optional<reference::FloatFormat> format_;
};

}  // namespace tileproof
