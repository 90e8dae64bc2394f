/// Exact arithmetic on decoded values; whoever calls rounds, once.
///
/// Signs of zero and the special values follow IEEE 754-2019 sections 6.1 to 6.3 under round-to-nearest: x - x is +0,
/// the sum of two zeros of one sign keeps it, 0 * infinity and infinity - infinity are NaN.
#pragma once

#include "float_bits.h"

namespace tileproof::reference {

/// a * b, exactly. Magnitudes of at most 32 bits.
constexpr Exact product(Exact a, Exact b) {
  if (a.kind == Exact::Kind::nan || b.kind == Exact::Kind::nan) return not_a_number();
  const bool negative = a.negative != b.negative;
  if (a.kind == Exact::Kind::infinite || b.kind == Exact::Kind::infinite) {
    const bool zero_factor =
        (a.kind == Exact::Kind::finite && a.magnitude == 0) || (b.kind == Exact::Kind::finite && b.magnitude == 0);
    return zero_factor ? not_a_number() : Exact{.kind = Exact::Kind::infinite, .negative = negative};
  }
  return {.negative = negative, .magnitude = a.magnitude * b.magnitude, .exponent = a.exponent + b.exponent};
}

/// a + b, exactly where 62 bits hold it; otherwise rounded to odd at 61 bits or more, which one later rounding to at
/// most 26 bits cannot tell from the exact sum (S. Boldo, G. Melquiond, "Emulation of a FMA and correctly rounded sums:
/// proved algorithms using rounding to odd", IEEE Trans. Computers 57, 2008). Magnitudes of at most 32 bits.
constexpr Exact sum(Exact a, Exact b) {
  if (a.kind == Exact::Kind::nan || b.kind == Exact::Kind::nan) return not_a_number();
  if (a.kind == Exact::Kind::infinite && b.kind == Exact::Kind::infinite) {
    return a.negative == b.negative ? a : not_a_number();
  }
  if (a.kind == Exact::Kind::infinite) return a;
  if (b.kind == Exact::Kind::infinite) return b;
  if (a.magnitude == 0 && b.magnitude == 0) return {.negative = a.negative && b.negative};
  if (a.magnitude == 0) return b;
  if (b.magnitude == 0) return a;

  const bool a_is_higher = a.exponent >= b.exponent;
  const Exact high = a_is_higher ? a : b;
  const Exact low = a_is_higher ? b : a;
  const int most_shift = 62 - bit_width(high.magnitude);
  const int distance = high.exponent - low.exponent;
  const int high_shift = distance < most_shift ? distance : most_shift;
  const int low_shift = distance - high_shift;

  const std::uint64_t high_units = high.magnitude << high_shift;
  std::uint64_t low_units = low_shift > 62 ? 0 : low.magnitude >> low_shift;
  const bool inexact = low_shift > 62 || low_units << low_shift != low.magnitude;
  if (inexact) low_units |= 1;  // to odd: the high units have been shifted, and are even

  const bool adds = high.negative == low.negative;
  const bool low_wins = !adds && low_units > high_units;
  const std::uint64_t units = high_units + (adds ? low_units : 0 - low_units);  // modulo 2^64
  return {.negative = (low_wins ? low.negative : high.negative) && units != 0,  // x - x is +0
          .magnitude = low_wins ? 0 - units : units,
          .exponent = high.exponent - high_shift};
}

/// a / b with enough bits, the last one sticky, that one later rounding to at most 26 bits is that of the exact
/// quotient. Magnitudes of at most 25 bits.
constexpr Exact quotient(Exact a, Exact b) {
  if (a.kind == Exact::Kind::nan || b.kind == Exact::Kind::nan) return not_a_number();
  const bool negative = a.negative != b.negative;
  const bool both_infinite = a.kind == Exact::Kind::infinite && b.kind == Exact::Kind::infinite;
  if (both_infinite) return not_a_number();
  if (a.kind == Exact::Kind::infinite) return {.kind = Exact::Kind::infinite, .negative = negative};
  if (b.kind == Exact::Kind::infinite) return {.negative = negative};
  if (a.magnitude == 0 && b.magnitude == 0) return not_a_number();
  if (b.magnitude == 0) return {.kind = Exact::Kind::infinite, .negative = negative};
  if (a.magnitude == 0) return {.negative = negative};

  const int shift = 62 - bit_width(a.magnitude);
  const std::uint64_t numerator = a.magnitude << shift;
  const std::uint64_t units = numerator / b.magnitude;
  const std::uint64_t sticky = numerator % b.magnitude != 0 ? 1 : 0;
  return {.negative = negative, .magnitude = units | sticky, .exponent = a.exponent - shift - b.exponent};
}

/// A small whole number; +0 for 0.
constexpr Exact whole(int value) {
  return {.negative = value < 0, .magnitude = static_cast<std::uint64_t>(value < 0 ? -value : value)};
}

constexpr Exact negated(Exact value) {
  value.negative = !value.negative;
  return value;
}

}  // namespace tileproof::reference
