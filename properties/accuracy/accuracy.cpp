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

/// The end nearer to 0 of the bucket of an error.
double near_end(double distance) {
  const double magnitude = std::fabs(distance);
  const double end =
      magnitude < Distances::first_wide ? std::ceil(2 * magnitude) / 2 : std::ldexp(1, std::ilogb(magnitude));
  return distance < 0 ? -end : end;
}
double far_end(double near) { return std::fabs(near) < Distances::first_wide ? near : 2 * near; }

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

void Distances::add(double distance) {
  ++counts_[near_end(distance)];
  ++count_;
  above_ += distance > 0 ? 1 : 0;
  below_ += distance < 0 ? 1 : 0;
  largest_ = std::max(largest_, std::fabs(distance));
  sum_ += distance;
  magnitudes_ += std::fabs(distance);
}

std::vector<Distances::Bucket> Distances::buckets() const {
  std::vector<Bucket> all;
  for (const auto& [near, count] : counts_) {
    all.push_back({std::min(near, far_end(near)), std::max(near, far_end(near)), count});
  }
  return all;
}

std::optional<Distances::Percentile> Distances::percentile(std::int64_t part, std::int64_t whole) const {
  std::map<double, std::int64_t> by_magnitude;
  for (const auto& [near, count] : counts_) by_magnitude[std::fabs(near)] += count;
  const std::int64_t rank = (count_ * part + whole - 1) / whole;
  std::int64_t so_far = 0;
  for (const auto& [near, count] : by_magnitude) {
    so_far += count;
    if (so_far >= rank) return Percentile{std::min(far_end(near), largest_), near < first_wide};
  }
  return std::nullopt;
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

void Accuracy::add(std::uint32_t expected, std::uint32_t got, const std::string& why,
                   std::optional<double> largest_term) {
  const bool differs = expected != got;
  const bool is_small = format && is_subnormal(*format, expected);
  ++elements;
  ++(!differs ? bit_equal : why.empty() ? unexplained : explained[why]);
  if (format) {
    expected_not_finite += is_finite(*format, expected) ? 0 : 1;
    expected_plus_zero += expected == 0 ? 1 : 0;
    expected_minus_zero += expected == format->sign_bit() ? 1 : 0;
    expected_subnormal += is_small ? 1 : 0;
    differing_subnormal += is_small && differs ? 1 : 0;
    flushed += is_small && is_zero(*format, got) ? 1 : 0;
  }
  const std::optional<double> apart = error(format, expected, got);
  if (!apart) {
    if (!differs) return;
    const bool are_nan = format->is_nan(expected) && format->is_nan(got);
    const std::string of_expected = kind_of(*format, expected), of_got = kind_of(*format, got);
    non_finite_disagreements += are_nan ? 0 : 1;
    ++of_other_kind[are_nan                 ? "a NaN of other bits"
                    : of_expected == of_got ? "an infinity of the other sign"
                                            : of_got + " for " + of_expected];
    return;
  }
  const double value = value_of(format, expected);
  const double noise = differs ? value_of(format, got) - value : 0;
  power.signal += value * value;
  power.noise += noise * noise;
  distances.add(*apart);
  if (!format || !differs) return;
  other_zero += *apart == 0 ? 1 : 0;  // other bits of the same value
  if (largest_term)
    largest_of_terms = std::max(largest_of_terms, error_of_terms(*format, expected, got, *largest_term));
}

}  // namespace tileproof
