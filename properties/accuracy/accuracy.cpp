#include "properties/accuracy/accuracy.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "properties/problem/specification.h"

namespace tileproof {

namespace {

using reference::FloatFormat;

std::uint32_t magnitude_of(FloatFormat f, std::uint32_t pattern) { return pattern & (f.sign_bit() - 1); }
bool is_finite(FloatFormat f, std::uint32_t pattern) { return magnitude_of(f, pattern) < f.infinity(); }
bool is_zero(FloatFormat f, std::uint32_t pattern) { return magnitude_of(f, pattern) == 0; }
bool is_subnormal(FloatFormat f, std::uint32_t pattern) {
  return !is_zero(f, pattern) && magnitude_of(f, pattern) >> f.fraction_bits == 0;
}

/// A finite value, or a whole number where there is no format. A value that a float holds takes a faster path.
double value_of(const std::optional<FloatFormat>& f, std::uint32_t bits) {
  if (!f) return static_cast<std::int32_t>(bits);
  if (f->exponent_bits == reference::fp32.exponent_bits) {
    return std::bit_cast<float>(bits << (reference::fp32.fraction_bits - f->fraction_bits));
  }
  return specified::value(*f, bits);
}

/// Names a NaN or an infinity; any other pattern is "a number".
const char* kind_of(FloatFormat f, std::uint32_t pattern) {
  return f.is_nan(pattern) ? "a NaN" : is_finite(f, pattern) ? "a number" : "an infinity";
}

}  // namespace

double ulp_at(FloatFormat f, double value) {
  const int least = f.smallest_exponent() + f.fraction_bits;  // of the normal numbers
  const int exponent = value == 0 ? least : std::max(std::ilogb(value), least);
  return std::ldexp(1, exponent - f.fraction_bits);
}

std::size_t Distances::bucket_of(double magnitude) {
  if (magnitude <= most_exact) return static_cast<std::size_t>(std::ceil(2 * magnitude));
  return halves + static_cast<std::size_t>(std::min(std::ilogb(magnitude), last_wide) - first_wide);
}

Distances::Bucket Distances::limits(std::size_t bucket) {
  if (bucket < halves) return {static_cast<double>(bucket) / 2, static_cast<double>(bucket) / 2, 0};
  const double from = std::ldexp(1, static_cast<int>(bucket - halves) + first_wide);
  return {from, 2 * from, 0};
}

void Distances::add(double distance) {
  const double magnitude = std::fabs(distance);
  ++(distance < 0 ? negative_ : positive_).at(bucket_of(magnitude));
  ++count_;
  largest_ = std::max(largest_, magnitude);
  sum_ += distance;
  magnitudes_ += magnitude;
}

void Distances::add(const Distances& other) {
  for (std::size_t i = 0; i < buckets_of_sign; ++i) {
    positive_[i] += other.positive_[i];
    negative_[i] += other.negative_[i];
  }
  count_ += other.count_;
  largest_ = std::max(largest_, other.largest_);
  sum_ += other.sum_;
  magnitudes_ += other.magnitudes_;
}

std::int64_t Distances::below() const {
  std::int64_t count = 0;
  for (const std::int64_t of_bucket : negative_) count += of_bucket;
  return count;
}

std::int64_t Distances::above() const { return count_ - below() - positive_[0]; }

std::vector<Distances::Bucket> Distances::buckets() const {
  std::vector<Bucket> all;
  for (std::size_t i = buckets_of_sign; i-- > 0;) {
    const Bucket bucket = limits(i);
    if (negative_[i] != 0) all.push_back({-bucket.to, -bucket.from, negative_[i]});
  }
  for (std::size_t i = 0; i < buckets_of_sign; ++i) {
    const Bucket bucket = limits(i);
    if (positive_[i] != 0) all.push_back({bucket.from, bucket.to, positive_[i]});
  }
  return all;
}

std::optional<Distances::Percentile> Distances::percentile(std::int64_t part, std::int64_t whole) const {
  if (count_ == 0) return std::nullopt;
  const std::int64_t rank = (count_ * part + whole - 1) / whole;
  std::int64_t so_far = 0;
  for (std::size_t i = 0; i < buckets_of_sign; ++i) {
    so_far += positive_[i] + negative_[i];
    if (so_far < rank) continue;
    const Bucket bucket = limits(i);
    return Percentile{std::min(bucket.to, largest_), bucket.from == bucket.to};
  }
  return Percentile{largest_, true};
}

std::optional<double> SignalAndNoise::decibels() const {
  if (noise == 0 || signal == 0) return std::nullopt;
  return 10 * std::log10(signal / noise);
}

std::optional<double> Accuracy::error(const std::optional<FloatFormat>& f, std::uint32_t expected, std::uint32_t got) {
  if (f && (!is_finite(*f, expected) || !is_finite(*f, got))) return std::nullopt;
  if (expected == got) return 0.0;
  const double wanted = value_of(f, expected);
  return (value_of(f, got) - wanted) / (f ? ulp_at(*f, wanted) : 1);
}

double Accuracy::error_of_terms(FloatFormat f, std::uint32_t expected, std::uint32_t got, double largest_term) {
  return std::fabs(value_of(f, got) - value_of(f, expected)) / ulp_at(f, largest_term);
}

void Accuracy::add_equal(std::uint32_t bits) {
  ++bit_equal;
  if (format_ && !is_finite(*format_, bits)) return;
  const double value = value_of(format_, bits);
  power.signal += value * value;
  distances.add(0);
}

void Accuracy::add_other_kind(std::uint32_t expected, std::uint32_t got) {
  const std::string expected_kind = kind_of(*format_, expected);
  const std::string got_kind = kind_of(*format_, got);
  const bool both_nan = format_->is_nan(expected) && format_->is_nan(got);
  non_finite_disagreements += both_nan ? 0 : 1;
  ++of_other_kind[both_nan                    ? "a NaN of other bits"
                  : expected_kind == got_kind ? "an infinity of the other sign"
                                              : got_kind + " for " + expected_kind];
}

void Accuracy::add(std::uint32_t expected, std::uint32_t got, const std::string& why,
                   std::optional<double> largest_term) {
  ++elements;
  if (format_) {
    expected_not_finite += is_finite(*format_, expected) ? 0 : 1;
    expected_plus_zero += expected == 0 ? 1 : 0;
    expected_minus_zero += expected == format_->sign_bit() ? 1 : 0;
    expected_subnormal += is_subnormal(*format_, expected) ? 1 : 0;
  }
  if (expected == got) return add_equal(expected);
  ++(why.empty() ? unexplained : explained[why]);
  differing_subnormal += format_ && is_subnormal(*format_, expected) ? 1 : 0;
  const std::optional<double> apart = error(format_, expected, got);
  if (!apart) return add_other_kind(expected, got);
  if (format_) {
    other_zero += *apart == 0 ? 1 : 0;  // other bits of the same value
    flushed += is_subnormal(*format_, expected) && is_zero(*format_, got) ? 1 : 0;
  }
  const double value = value_of(format_, expected);
  const double noise = value_of(format_, got) - value;
  power.signal += value * value;
  power.noise += noise * noise;
  distances.add(*apart);
  if (!format_ || !largest_term) return;
  largest_of_terms = std::max(largest_of_terms, error_of_terms(*format_, expected, got, *largest_term));
}

void Accuracy::add(const Accuracy& other) {
  elements += other.elements;
  bit_equal += other.bit_equal;
  for (const auto& [reason, count] : other.explained) explained[reason] += count;
  unexplained += other.unexplained;
  expected_not_finite += other.expected_not_finite;
  non_finite_disagreements += other.non_finite_disagreements;
  for (const auto& [kind, count] : other.of_other_kind) of_other_kind[kind] += count;
  expected_plus_zero += other.expected_plus_zero;
  expected_minus_zero += other.expected_minus_zero;
  other_zero += other.other_zero;
  expected_subnormal += other.expected_subnormal;
  differing_subnormal += other.differing_subnormal;
  flushed += other.flushed;
  distances.add(other.distances);
  largest_of_terms = std::max(largest_of_terms, other.largest_of_terms);
  power.signal += other.power.signal;
  power.noise += other.power.noise;
}

}  // namespace tileproof
