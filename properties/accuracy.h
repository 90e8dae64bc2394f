/// Accuracy: how what a subject gave differs from what is specified, counted element by element. No subject, no
/// problem: bits in, figures out.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../reference/float_bits.h"

namespace tileproof {

/// Where a value stands among the values of its format: neighbours are 1 apart, both zeros are 0.
std::int64_t ordinal(reference::Format, std::uint32_t pattern);

/// Signed distances, counted: each for itself where it is small, beyond by powers of two.
class Distances {
 public:
  static constexpr std::int64_t most_exact = 15;

  /// Distances from..to, both included, of one sign.
  struct Bucket {
    std::int64_t from;
    std::int64_t to;
    std::int64_t count;
  };
  /// A magnitude that so many do not exceed; where it is not exact, the upper end of the bucket that it lies in.
  struct Percentile {
    std::int64_t value;
    bool exact;
  };

  void add(std::int64_t distance);
  void add(const Distances&);

  std::int64_t count() const { return count_; }
  std::int64_t largest() const { return largest_; }  // magnitude
  std::int64_t sum() const { return sum_; }
  std::int64_t sum_of_magnitudes() const { return magnitudes_; }
  std::int64_t above() const;  // how many are more than 0
  std::int64_t below() const;
  /// Those that hold something, ascending.
  std::vector<Bucket> buckets() const;
  /// The least magnitude that at least `part` of `whole` do not exceed (nearest rank); of no distances none.
  std::optional<Percentile> percentile(std::int64_t part, std::int64_t whole) const;

 private:
  // A bucket for each magnitude up to most_exact, then one for each bit width.
  static constexpr int first_wide = 4;  // 2^4 is the first of them
  static constexpr std::size_t buckets_of_sign = most_exact + 1 + 34 - first_wide;
  static std::size_t bucket_of(std::int64_t magnitude);
  static Bucket limits(std::size_t bucket);

  std::array<std::int64_t, buckets_of_sign> positive_ = {};  // and 0
  std::array<std::int64_t, buckets_of_sign> negative_ = {};
  std::int64_t count_ = 0;
  std::int64_t largest_ = 0;
  std::int64_t sum_ = 0;
  std::int64_t magnitudes_ = 0;
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
  explicit Accuracy(std::optional<reference::Format> format) : format_(format) {}

  /// @param why  what explains the difference, where there is one; "": nothing does
  void add(std::uint32_t expected, std::uint32_t got, const std::string& why = "");
  void add(const Accuracy&);

  const std::optional<reference::Format>& format() const { return format_; }
  /// The distance from one to the other; nothing where one of them is no finite number.
  static std::optional<std::int64_t> distance(const std::optional<reference::Format>&, std::uint32_t expected,
                                              std::uint32_t got);

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

  Distances distances;  // of those where both are finite, as what follows
  SignalAndNoise power;

 private:
  void add_equal(std::uint32_t bits);
  void add_other_kind(std::uint32_t expected, std::uint32_t got);

  std::optional<reference::Format> format_;
};

}  // namespace tileproof
