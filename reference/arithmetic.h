/// Exact arithmetic on decoded values; whoever calls rounds, once.
///
/// Signs of zero and the special values follow IEEE 754-2019 sections 6.1 to 6.3 under round-to-nearest: x - x is +0,
/// the sum of two zeros of one sign keeps it, 0 * infinity and infinity - infinity are NaN.
#pragma once

#include <type_traits>

#include "reference/float_bits.h"

namespace tileproof::reference {

/// a * b, exactly. Magnitudes whose bits together are no more than their units'; one less where rounded() follows.
template <class Units = std::uint64_t>
constexpr ExactIn<Units> product(ExactIn<Units> a, ExactIn<Units> b) {
  const bool negative = a.negative != b.negative;
  if (a.kind == Kind::finite && b.kind == Kind::finite) {
    return {.negative = negative, .magnitude = a.magnitude * b.magnitude, .exponent = a.exponent + b.exponent};
  }
  if (a.kind == Kind::nan || b.kind == Kind::nan) return not_a_number<Units>();
  const bool zero_factor = (a.kind == Kind::finite && a.magnitude == 0) || (b.kind == Kind::finite && b.magnitude == 0);
  return zero_factor ? not_a_number<Units>() : ExactIn<Units>{.kind = Kind::infinite, .negative = negative};
}

/// a + b, exactly where all but two bits of the units hold it; otherwise rounded to odd at one bit less, which one
/// later rounding, to 26 bits at most of 64 and to 12 of 32, cannot tell from the exact sum (S. Boldo, G. Melquiond,
/// "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to odd", IEEE Trans. Computers 57,
/// 2008: two bits more than that would do). Magnitudes of at most half the bits of their units.
template <class Units>
constexpr ExactIn<Units> sum_of_finite(ExactIn<Units> a, ExactIn<Units> b) {
  constexpr int capacity = bits_of_units<Units> - 2;
  const int a_exponent = a.magnitude == 0 ? b.exponent : a.exponent;  // a zero's says nothing
  const int b_exponent = b.magnitude == 0 ? a.exponent : b.exponent;
  const bool a_is_higher = a_exponent >= b_exponent;
  const ExactIn<Units>& high = a_is_higher ? a : b;
  const ExactIn<Units>& low = a_is_higher ? b : a;
  const int exponent = a_is_higher ? a_exponent : b_exponent;
  const int distance = exponent - (a_is_higher ? b_exponent : a_exponent);
  const int most_shift = capacity - bit_width(high.magnitude);
  const int high_shift = distance < most_shift ? distance : most_shift;
  const int low_shift = distance - high_shift;

  const Units high_units = high.magnitude << high_shift;
  Units low_units = low_shift > capacity ? 0 : low.magnitude >> low_shift;
  const bool inexact = low_shift > capacity ? low.magnitude != 0 : low_units << low_shift != low.magnitude;
  if (inexact) low_units |= 1;  // to odd: the high units have been shifted, and are even

  using Signed = std::make_signed_t<Units>;
  const auto with_sign = [](bool negative, Units units) {
    return negative ? -static_cast<Signed>(units) : static_cast<Signed>(units);
  };
  const Signed units = with_sign(high.negative, high_units) + with_sign(low.negative, low_units);
  return {.negative = units != 0 ? units < 0 : a.negative && b.negative,  // x - x is +0
          .magnitude = static_cast<Units>(units < 0 ? -units : units),
          .exponent = exponent - high_shift};
}

/// a + b, as sum_of_finite where both are.
template <class Units = std::uint64_t>
constexpr ExactIn<Units> sum(ExactIn<Units> a, ExactIn<Units> b) {
  if (a.kind == Kind::finite && b.kind == Kind::finite) return sum_of_finite(a, b);
  if (a.kind == Kind::nan || b.kind == Kind::nan) return not_a_number<Units>();
  if (a.kind == Kind::infinite && b.kind == Kind::infinite && a.negative != b.negative) return not_a_number<Units>();
  return a.kind == Kind::infinite ? a : b;
}

/// a / b with enough bits, the last one sticky, that one later rounding to at most 26 bits is that of the exact
/// quotient. Magnitudes of at most 25 bits.
constexpr Exact quotient(Exact a, Exact b) {
  if (a.kind == Kind::nan || b.kind == Kind::nan) return not_a_number();
  const bool negative = a.negative != b.negative;
  const bool both_infinite = a.kind == Kind::infinite && b.kind == Kind::infinite;
  if (both_infinite) return not_a_number();
  if (a.kind == Kind::infinite) return {.kind = Kind::infinite, .negative = negative};
  if (b.kind == Kind::infinite) return {.negative = negative};
  if (a.magnitude == 0 && b.magnitude == 0) return not_a_number();
  if (b.magnitude == 0) return {.kind = Kind::infinite, .negative = negative};
  if (a.magnitude == 0) return {.negative = negative};

  const int shift = 62 - bit_width(a.magnitude);
  const std::uint64_t numerator = a.magnitude << shift;
  const std::uint64_t units = numerator / b.magnitude;
  const std::uint64_t sticky = numerator % b.magnitude != 0 ? 1 : 0;
  return {.negative = negative, .magnitude = units | sticky, .exponent = a.exponent - shift - b.exponent};
}

/// A small whole number; +0 for 0.
template <class Units = std::uint64_t>
constexpr ExactIn<Units> whole(int value) {
  return {.negative = value < 0, .magnitude = static_cast<Units>(value < 0 ? -value : value)};
}

constexpr Exact negated(Exact value) {
  value.negative = !value.negative;
  return value;
}

}  // namespace tileproof::reference
