/// Accuracy: the differences between a subject's results and the specified ones, counted element by element. It knows
/// no subject and no problem: bits go in, figures come out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reference/float_bits.h"

namespace tileproof {

/// The unit in the last place at a value, ulp(x), as CUDA, glibc and JAX define it: the spacing of the format there,
/// 2^(e - fraction bits) with e = floor(log2 |x|). Below the normal numbers, and at 0, it is the smallest subnormal; at
/// a power of two, the spacing above it; beyond the largest finite value, the spacing of that larger exponent.
/// @param value  finite
double ulp_at(reference::FloatFormat, double value);

// An error in ulp is (got - expected) / ulp(expected), where both are finite: expected 1.5, got 0 in bf16 is -192 ulp.
// - Expected 0 or a subnormal: the error is counted in smallest subnormals. A zero of the other sign is no error; it is
//   counted as `other_zero`.
// - Expected or got an infinity or a NaN: there is no error in ulp, nor is there for an overflow to Inf. These are
//   counted as `non_finite_disagreements`, by kind in `of_other_kind`.
// - Below a power of two, values lie half as far apart: its neighbour there is half an ulp away.
// - Codes have no format: their ulp is 1.
//
// A sum that nearly cancels has a large error in ulp even if each step rounds well. The second measure, last places of
// the largest term, is therefore |got - expected| / ulp(t), where t is the largest term of the formula (code - 8) *
// scale + zero; in the other domains the only term is the product.

/// A histogram of signed errors: one bucket for each half while they are small, then one for each power of two.
class Distances {
 public:
  /// Below it, every error is a multiple of a half. One that is not comes from a value at least two binades lower, so
  /// it is at least 2^(fraction bits - 1): 64 in bf16.
  static constexpr double first_wide = 16;

  /// Errors of one sign: from..to, both included, where they are equal; else only the end nearer to 0 is included.
  struct Bucket {
    double from;
    double to;
    std::int64_t count;
  };
  /// A magnitude that the requested part of errors does not exceed. Where it is not exact, it is the upper end of its
  /// bucket.
  struct Percentile {
    double value;
    bool exact;
  };

  void add(double distance);

  std::int64_t count() const { return count_; }
  double largest() const { return largest_; }  // magnitude
  double sum() const { return sum_; }
  double sum_of_magnitudes() const { return magnitudes_; }
  std::int64_t above() const { return above_; }  // how many errors are greater than 0
  std::int64_t below() const { return below_; }
  /// The non-empty buckets, ascending.
  std::vector<Bucket> buckets() const;
  /// The smallest magnitude that at least `part` of `whole` errors do not exceed (nearest rank); empty if there are no
  /// errors.
  std::optional<Percentile> percentile(std::int64_t part, std::int64_t whole) const;

 private:
  std::map<double, std::int64_t> counts_;  // by the end of the bucket that is nearer to 0
  std::int64_t count_ = 0, above_ = 0, below_ = 0;
  double largest_ = 0;
  double sum_ = 0;
  double magnitudes_ = 0;
};

/// A signal and the noise on it, as sums of squares.
struct SignalAndNoise {
  double signal = 0;
  double noise = 0;

  /// The signal-to-noise ratio. Empty if there is no noise (it is infinite) or no signal.
  std::optional<double> decibels() const;
};

/// The figures of a set of elements: values of a format, or whole numbers if there is no format.
struct Accuracy {
  explicit Accuracy(std::optional<reference::FloatFormat> of) : format(of) {}

  /// @param why           the reason that explains the difference; "" if nothing does
  /// @param largest_term  magnitude of the largest term of the element's formula, if it has one
  void add(std::uint32_t expected, std::uint32_t got, const std::string& why = "",
           std::optional<double> largest_term = std::nullopt);
  /// The signed error in ulp; empty if either value is not finite.
  static std::optional<double> error(const std::optional<reference::FloatFormat>&, std::uint32_t expected,
                                     std::uint32_t got);
  /// The magnitude of the error in last places of the largest term. Both values must be finite.
  static double error_of_terms(reference::FloatFormat, std::uint32_t expected, std::uint32_t got, double largest_term);

  std::optional<reference::FloatFormat> format;
  std::int64_t elements = 0;
  std::int64_t bit_equal = 0;
  std::map<std::string, std::int64_t> explained;  // differing elements by the reason that explains them
  std::int64_t unexplained = 0;

  // The following figures are only for values of a format.
  std::int64_t expected_not_finite = 0;
  std::int64_t non_finite_disagreements = 0;  // a NaN with other bits is not counted
  // Non-finite disagreements and NaNs with other bits, by what was got for what was expected.
  std::map<std::string, std::int64_t> of_other_kind;
  std::int64_t expected_plus_zero = 0;
  std::int64_t expected_minus_zero = 0;
  std::int64_t other_zero = 0;  // zeros of the wrong sign
  std::int64_t expected_subnormal = 0;
  std::int64_t differing_subnormal = 0;
  std::int64_t flushed = 0;  // zeros instead of subnormals

  Distances distances;          // in ulp, of elements where both are finite, like the following figures
  double largest_of_terms = 0;  // in last places of the largest term
  SignalAndNoise power;
};

}  // namespace tileproof
