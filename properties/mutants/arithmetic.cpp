// Mutants of the arithmetic: code, scale and zero are right, the weight is wrong.
#include <cmath>
#include <utility>

#include "properties/mutants/mutants.h"
#include "properties/problem/specification.h"

namespace tileproof {

namespace {

using namespace finds;
using reference::decode;
using reference::Exact;
using reference::FloatFormat;
using reference::product;
using reference::rounded;
using reference::sum;
using reference::whole;

using WrongWeight = std::uint32_t (*)(const WeightInputs&);

Mutation with_weight(WrongWeight weight) {
  Mutation parts;
  parts.weight = weight;
  return parts;
}

std::uint32_t magnitude(FloatFormat f, std::uint32_t bits) { return bits & (f.sign_bit() - 1); }
bool is_negative(FloatFormat f, std::uint32_t bits) { return (bits & f.sign_bit()) != 0; }
bool is_subnormal(FloatFormat f, std::uint32_t bits) {
  return magnitude(f, bits) != 0 && magnitude(f, bits) < std::uint32_t{1} << f.fraction_bits;
}
bool is_finite(FloatFormat f, std::uint32_t bits) { return magnitude(f, bits) < f.infinity(); }
std::uint32_t flushed(FloatFormat f, std::uint32_t bits) { return is_subnormal(f, bits) ? bits & f.sign_bit() : bits; }

/// The factor of the scale: the code less its midpoint or zero point.
int steps_of(const WeightInputs& w) {
  return w.scheme->zero_kind == Zero::value   ? w.code - 8
         : w.scheme->zero_kind == Zero::point ? w.code - w.zero_point
                                              : w.code;
}

/// The weight rounded to a wider format first, and then to its own.
std::uint32_t rounded_twice(const WeightInputs& w, FloatFormat wider) {
  Exact exact = product(whole(steps_of(w)), decode(w.parameter_type, w.scale));
  if (w.scheme->zero_kind == Zero::value) exact = sum(exact, decode(w.parameter_type, w.zero));
  return rounded(w.weight_type, decode(wider, rounded(wider, exact)));
}

/// Converts a finite double exactly.
Exact exact_of(double value) {
  int exponent = 0;
  const double fraction = std::frexp(std::fabs(value), &exponent);
  return {.negative = std::signbit(value),
          .magnitude = static_cast<std::uint64_t>(std::ldexp(fraction, 53)),
          .exponent = exponent - 53};
}

std::uint32_t through_double(const WeightInputs& w) {
  const std::uint32_t right = right_weight(w);
  if (w.scheme->zero_kind != Zero::value || !is_finite(w.parameter_type, w.scale) ||
      !is_finite(w.parameter_type, w.zero))
    return right;
  const double scaled = (w.code - 8) * specified::value(w.parameter_type, w.scale);  // exact
  const double once = scaled + specified::value(w.parameter_type, w.zero);
  return once == 0 ? right : rounded(w.weight_type, exact_of(once));
}

/// The right weight, or the next or previous value.
/// @param wanted  returns which, from the magnitudes of the exact value and the right weight; both are doubles, exact
///                wherever scale and zero are not too far apart
template <class Wanted>
std::uint32_t neighbour(const WeightInputs& w, Wanted wanted) {
  const std::uint32_t right = right_weight(w);
  if (!is_finite(w.weight_type, right) || !is_finite(w.parameter_type, w.scale)) return right;
  double exact = steps_of(w) * specified::value(w.parameter_type, w.scale);
  if (w.scheme->zero_kind == Zero::value) exact += specified::value(w.parameter_type, w.zero);
  return right + static_cast<std::uint32_t>(wanted(std::fabs(exact), w.weight_type, magnitude(w.weight_type, right)));
}

int towards_zero(double exact, FloatFormat f, std::uint32_t right) {
  return right != 0 && specified::value(f, right) > exact ? -1 : 0;
}
int ties_away(double exact, FloatFormat f, std::uint32_t right) {
  if (right + 1 >= f.infinity()) return 0;
  return specified::value(f, right + 1) - exact == exact - specified::value(f, right) ? 1 : 0;
}

}  // namespace

std::vector<Mutant> arithmetic_mutants() {
  return {
      // Operands.
      {"scale-and-zero-swapped",
       "zero first, then scale",
       {float_value, own_scale, own_zero},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           WeightInputs swapped = w;
           if (w.scheme->zero_kind == Zero::value) std::swap(swapped.scale, swapped.zero);
           return right_weight(swapped);
         });
       }},
      {"midpoint-seven",
       "codes are centred on 7",
       {float_value, shown_by_unit_scales},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           WeightInputs shifted = w;
           if (w.scheme->zero_kind == Zero::value) ++shifted.code;
           return right_weight(shifted);
         });
       }},
      {"midpoint-without-zero-point",
       "8 is subtracted in the domain without a zero point too",
       {none_value, shown_by_unit_scales, dequantize_index},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           WeightInputs shifted = w;
           if (w.scheme->zero_kind == Zero::none) shifted.code -= 8;
           return right_weight(shifted);
         });
       }},
      {"zero-subtracted",
       "(code - 8) * scale - zero",
       {float_value, own_zero},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           WeightInputs negated = w;
           negated.zero ^= w.parameter_type.sign_bit();
           return right_weight(negated);
         });
       }},
      {"sign-of-scale-lost",
       "a negative scale is taken for its magnitude",
       {float_value, integer_value, none_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           WeightInputs positive = w;
           positive.scale = magnitude(w.parameter_type, w.scale);
           return right_weight(positive);
         });
       }},
      {"zero-points-unsigned",
       "int8 zero points are read as uint8",
       {integer_value, own_zero},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           WeightInputs read = w;
           read.zero_point = static_cast<std::uint8_t>(w.zero_point);
           return right_weight(read);
         });
       }},
      {"zero-points-of-four-bits",
       "only the four low bits of a zero point count",
       {integer_value, own_zero},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           WeightInputs read = w;
           read.zero_point &= 15;
           return right_weight(read);
         });
       }},
      {"integer-difference-wraps",
       "code - zero_point is kept in int8: wrong only for zero points below -112",
       {integer_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           WeightInputs wrapped = w;
           const int steps = static_cast<std::int8_t>(w.code - w.zero_point);
           if (w.scheme->zero_kind == Zero::point) wrapped.zero_point = w.code - steps;
           return right_weight(wrapped);
         });
       }},
      // Roundings.
      {"two-roundings",
       "the product is rounded before the zero is added",
       {float_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           if (w.scheme->zero_kind != Zero::value) return right_weight(w);
           const Exact once = decode(
               w.weight_type, rounded(w.weight_type, product(whole(w.code - 8), decode(w.parameter_type, w.scale))));
           return rounded(w.weight_type, sum(once, decode(w.parameter_type, w.zero)));
         });
       }},
      {"integer-two-roundings",
       "code * scale and zero_point * scale are rounded, then subtracted",
       {integer_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           if (w.scheme->zero_kind != Zero::point) return right_weight(w);
           const auto part = [&](int steps) {
             return decode(w.weight_type,
                           rounded(w.weight_type, product(whole(steps), decode(w.parameter_type, w.scale))));
           };
           return rounded(w.weight_type, sum(part(w.code), reference::negated(part(w.zero_point))));
         });
       }},
      {"zero-moved-to-the-midpoint",
       "zero - 8 * scale is rounded first, then code * scale added to it",
       {float_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           if (w.scheme->zero_kind != Zero::value) return right_weight(w);
           const Exact scale = decode(w.parameter_type, w.scale);
           const Exact min = decode(
               w.weight_type, rounded(w.weight_type, sum(decode(w.parameter_type, w.zero), product(whole(-8), scale))));
           return rounded(w.weight_type, sum(product(whole(w.code), scale), min));
         });
       }},
      {"float-fma-then-rounded",
       "an fp32 fma, then a rounding to 16 bits",
       {float_value},
       "mismatch",
       [] { return with_weight([](const WeightInputs& w) { return rounded_twice(w, reference::fp32); }); }},
      {"double-then-rounded",
       "an fma in double, then a rounding: wrong only where scale and zero are far apart",
       {float_value},
       "mismatch",
       [] { return with_weight(through_double); }},
      {"rounded-towards-zero",
       "a weight is cut, not rounded",
       {float_value, none_value},
       "mismatch",
       [] { return with_weight([](const WeightInputs& w) { return neighbour(w, towards_zero); }); }},
      {"ties-away-from-zero",
       "a tie goes to the larger magnitude, not to even",
       {float_value, none_value},
       "mismatch",
       [] { return with_weight([](const WeightInputs& w) { return neighbour(w, ties_away); }); }},
      {"small-products-dropped",
       "a product below the last bit of the zero is not added: wrong only in ties",
       {float_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           const bool finite = is_finite(w.parameter_type, w.scale) && is_finite(w.parameter_type, w.zero);
           if (w.scheme->zero_kind != Zero::value || !finite || magnitude(w.parameter_type, w.zero) == 0)
             return right_weight(w);
           const double scaled = std::fabs((w.code - 8) * specified::value(w.parameter_type, w.scale));
           const double zero = std::fabs(specified::value(w.parameter_type, w.zero));
           return scaled < std::ldexp(zero, -w.weight_type.fraction_bits - 1) ? w.zero : right_weight(w);
         });
       }},
      // Subnormals, zeros, infinities, NaNs.
      {"subnormals-flushed",
       "a subnormal result becomes zero",
       {float_value, none_value},
       "mismatch",
       [] { return with_weight([](const WeightInputs& w) { return flushed(w.weight_type, right_weight(w)); }); }},
      {"subnormal-inputs-flushed",
       "a subnormal scale or zero is taken for zero",
       {float_value, integer_value, none_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           WeightInputs read = w;
           read.scale = flushed(w.parameter_type, w.scale);
           read.zero = flushed(w.parameter_type, w.zero);
           return right_weight(read);
         });
       }},
      {"minus-zero-lost",
       "-0 becomes +0",
       {float_value, integer_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           const std::uint32_t weight = right_weight(w);
           return weight == w.weight_type.sign_bit() ? 0 : weight;
         });
       }},
      {"code-eight-copies-the-zero",
       "the weight of code 8 is the zero: wrong only for -0, and where 0 * scale is none",
       {float_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           return w.scheme->zero_kind == Zero::value && w.code == 8 ? w.zero : right_weight(w);
         });
       }},
      {"nan-payload-kept",
       "a NaN scale comes out with its payload",
       {float_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           const std::uint32_t weight = right_weight(w);
           return w.weight_type.is_nan(weight) && w.parameter_type.is_nan(w.scale) ? w.scale : weight;
         });
       }},
      {"nan-becomes-zero",
       "a NaN is replaced by 0",
       {float_value, none_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           const std::uint32_t weight = right_weight(w);
           return w.weight_type.is_nan(weight) ? 0 : weight;
         });
       }},
      {"infinity-clamped",
       "an overflow stops at the largest finite value",
       {float_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           const std::uint32_t weight = right_weight(w);
           return magnitude(w.weight_type, weight) == w.weight_type.infinity() ? weight - 1 : weight;
         });
       }},
      {"overflow-gives-nan",
       "finite parameters whose weight overflows give NaN",
       {float_value, integer_value, none_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           const std::uint32_t weight = right_weight(w);
           const bool overflowed = magnitude(w.weight_type, weight) == w.weight_type.infinity() &&
                                   is_finite(w.parameter_type, w.scale) &&
                                   (w.scheme->zero_kind != Zero::value || is_finite(w.parameter_type, w.zero));
           return overflowed ? w.weight_type.canonical_nan() : weight;
         });
       }},
      {"infinite-scale-times-zero-steps",
       "0 * infinity is taken for 0",
       {float_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           WeightInputs read = w;
           if (steps_of(w) == 0 && magnitude(w.parameter_type, w.scale) == w.parameter_type.infinity()) read.scale = 0;
           return right_weight(read);
         });
       }},
      // Types.
      {"fp16-as-bf16",
       "fp16 scales and zeros are read as bf16, and weights written so",
       {float_value, own_scale, shown_by_unit_scales},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           WeightInputs read = w;
           if (w.weight_type == reference::fp16) read.weight_type = read.parameter_type = reference::bf16;
           return right_weight(read);
         });
       }},
      {"fp32-through-bf16",
       "fp32 weights are rounded to bf16 on the way",
       {float_value, none_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           const std::uint32_t weight = right_weight(w);
           if (w.weight_type != reference::fp32 || w.weight_type.is_nan(weight)) return weight;
           return rounded(reference::bf16, decode(w.weight_type, weight)) << 16;
         });
       }},
      {"fp32-scale-of-ten-bits",
       "an fp32 scale loses its 13 low bits, as in TF32",
       {float_value, none_value, "arithmetic/every_fp32_weight_without_a_zero_point_is_rounded_once"},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           WeightInputs read = w;
           if (w.parameter_type == reference::fp32 && !w.parameter_type.is_nan(w.scale)) read.scale &= 0xffffe000u;
           return right_weight(read);
         });
       }},
      {"fp16-subnormals-flushed",
       "subnormal weights become zero in fp16 alone",
       {float_value, none_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           const std::uint32_t weight = right_weight(w);
           return w.weight_type == reference::fp16 ? flushed(w.weight_type, weight) : weight;
         });
       }},
      // Wrong for few inputs.
      {"one-combination-of-signs",
       "wrong only for code 11 where scale and zero are both negative",
       {float_value},
       "mismatch",
       [] {
         return with_weight([](const WeightInputs& w) {
           const bool hit = w.scheme->zero_kind == Zero::value && w.code == 11 &&
                            is_negative(w.parameter_type, w.scale) && is_negative(w.parameter_type, w.zero);
           return right_weight(w) ^ (hit ? 1u : 0u);
         });
       }},
      // No different from any other triple, except that its step is in the first tenth of the enumeration: finding it
      // takes minutes.
      {.name = "one-triple",
       .what = "wrong in the last bit for one (code, scale, zero) of all 2^36 in bf16: 11, 0x3bdf, 0xbe51",
       .found_by = {},
       .kind = "mismatch",
       .parts =
           [] {
             return with_weight([](const WeightInputs& w) {
               const bool hit = w.scheme->zero_kind == Zero::value && w.weight_type == reference::bf16 &&
                                w.code == 11 && w.scale == 0x3bdf && w.zero == 0xbe51;
               return right_weight(w) ^ (hit ? 1u : 0u);
             });
           },
       .has_memory = false,
       .enumerated_by = "arithmetic/every_bf16_weight_of_the_float_domain_is_rounded_once"},
  };
}

}  // namespace tileproof
