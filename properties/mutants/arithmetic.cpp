// Mutants of the arithmetic: code, scale and zero are right, the weight is wrong.
#include <cmath>
#include <string_view>
#include <utility>

#include "properties/mutants/mutants.h"
#include "properties/problem/specification.h"
#include "reference/formats.h"

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

/// Computes the specified weight of changed inputs.
Mutation wrong_inputs(void (*change)(WeightInputs&)) {
  return {.weight = [change](WeightInputs w) {
    change(w);
    return right_weight(w);
  }};
}

/// Computes a weight from the inputs and the right weight.
Mutation wrong_weight(std::uint32_t (*wrong)(const WeightInputs&, std::uint32_t right)) {
  return {.weight = [wrong](const WeightInputs& w) { return wrong(w, right_weight(w)); }};
}

std::uint32_t magnitude(FloatFormat f, std::uint32_t bits) { return bits & (f.sign_bit() - 1); }
bool is_negative(FloatFormat f, std::uint32_t bits) { return (bits & f.sign_bit()) != 0; }
bool is_subnormal(FloatFormat f, std::uint32_t bits) {
  return magnitude(f, bits) != 0 && magnitude(f, bits) < std::uint32_t{1} << f.fraction_bits;
}
bool is_finite(FloatFormat f, std::uint32_t bits) { return magnitude(f, bits) < f.infinity(); }
bool is_infinite(FloatFormat f, std::uint32_t bits) { return magnitude(f, bits) == f.infinity(); }
std::uint32_t flushed(FloatFormat f, std::uint32_t bits) { return is_subnormal(f, bits) ? bits & f.sign_bit() : bits; }

bool adds_zero(const WeightInputs& w) { return w.scheme->zero_kind == Zero::value; }
bool subtracts_point(const WeightInputs& w) { return w.scheme->zero_kind == Zero::point; }
bool parameters_are_finite(const WeightInputs& w) {
  return is_finite(w.parameter_type, w.scale) && (!adds_zero(w) || is_finite(w.parameter_type, w.zero));
}

/// The factor of the scale: the code less its midpoint or zero point.
int steps_of(const WeightInputs& w) { return w.code - (subtracts_point(w) ? w.zero_point : w.scheme->midpoint); }

/// A scale or a zero, times its group's factor where the scheme has them.
Exact number_of(const WeightInputs& w, std::uint32_t bits) {
  if (w.scheme->groups_of_number == 1) return decode(w.parameter_type, bits);
  return product(decode(w.parameter_type, reference::number_below_factor(bits)),
                 whole(static_cast<int>(reference::factor_above(bits))));
}
/// The summand beside the scaled code.
Exact zero_of(const WeightInputs& w) {
  const Exact zero = number_of(w, w.zero);
  return w.scheme->groups_of_number == 1 ? zero : reference::negated(zero);
}
/// The zero in the type of the weights.
std::uint32_t zero_as_weight(const WeightInputs& w) {
  return w.weight_type == w.parameter_type ? w.zero : rounded(w.weight_type, zero_of(w));
}
/// The product of a number of steps and the scale.
Exact scaled(const WeightInputs& w, int steps) { return product(whole(steps), number_of(w, w.scale)); }
/// The result of a step that rounds to the type of the weights.
Exact stepped(const WeightInputs& w, Exact exact) { return decode(w.weight_type, rounded(w.weight_type, exact)); }

/// The weight before its last rounding, in double: exact but for sums of a scale and a zero that are far apart.
double in_double(const WeightInputs& w) {
  return specified::value(w.scheme->unrounded(w.weight_type, w.parameter_type, w.code, w.scale, last_input(w)));
}

/// Whether a code has the weight 0 at scale 1 and without a zero.
bool stands_for_zero(WeightInputs w) {
  w.scale = rounded(w.parameter_type, whole(1));
  if (w.scheme->groups_of_number > 1) w.scale = reference::with_factor(w.scale, 1);
  if (adds_zero(w)) w.zero = 0;
  return magnitude(w.weight_type, right_weight(w)) == 0;
}

/// The number that a code stands for in a scheme of scales alone.
Exact entry_of(const WeightInputs& w) {
  const std::uint32_t one = rounded(w.parameter_type, whole(1));
  return w.scheme->unrounded(reference::fp32, w.parameter_type, w.code, one, 0);
}

/// Converts a finite double exactly.
Exact exact_of(double value) {
  int exponent = 0;
  const double fraction = std::frexp(std::fabs(value), &exponent);
  return {.negative = std::signbit(value),
          .magnitude = static_cast<std::uint64_t>(std::ldexp(fraction, 53)),
          .exponent = exponent - 53};
}

/// Gives the right weight, or the next or previous value.
/// @param step  returns 0, 1 or -1, from the magnitudes of the exact value and of the right weight
Mutation neighbour(int (*step)(double exact, FloatFormat, std::uint32_t right)) {
  return {.weight = [step](const WeightInputs& w) {
    const std::uint32_t right = right_weight(w);
    if (!is_finite(w.weight_type, right) || !is_finite(w.parameter_type, w.scale)) return right;
    return right +
           static_cast<std::uint32_t>(step(std::fabs(in_double(w)), w.weight_type, magnitude(w.weight_type, right)));
  }};
}

bool rounds_nothing(const Format& format) {
  return has_wide_weights(format) && format.schemes[0]->zero_kind == Zero::none;
}
bool has_a_factor(const Format& format) { return format.schemes[0]->has_factor; }
/// A product with twelfths, or of two fractions of full length, that is half way between two weights is not met.
bool is_seldom_half_way(const Format& format) {
  return has_a_factor(format) || format.has(*reference::row_of_scheme<reference::LookedUp<reference::Fp4Table>>);
}
bool takes_no_fp32(const Format& format) { return !takes_fp32_parameters(format); }
/// GGUF's e2m1: it has one zero, and its scales are all numbers.
bool has_one_zero_and_no_nan(const Format& format) { return has_powers_of_two(format) && format.schemes[0]->in_blocks; }

}  // namespace

std::vector<Mutant> arithmetic_mutants() {
  const std::vector<Mutant> anywhere = {
      {"sign-of-scale-lost",
       "a negative scale is taken for its magnitude",
       {float_value, integer_value, none_value},
       wrong_inputs([](WeightInputs& w) { w.scale &= ~w.parameter_type.sign_bit(); })},
      // Roundings.
      {"rounded-towards-zero",
       "a weight is cut, not rounded",
       {float_value, integer_value, none_value},
       neighbour([](double exact, FloatFormat f, std::uint32_t right) {
         return right != 0 && specified::value(f, right) > exact ? -1 : 0;
       })},
      {"ties-away-from-zero",
       "a tie goes to the larger magnitude, not to even",
       {float_value, integer_value, none_value},
       neighbour([](double exact, FloatFormat f, std::uint32_t right) {
         if (right + 1 >= f.infinity()) return 0;
         return specified::value(f, right + 1) - exact == exact - specified::value(f, right) ? 1 : 0;
       })},
      // Subnormals, zeros, infinities, NaNs.
      {"subnormals-flushed",
       "a subnormal result becomes zero",
       {float_value, integer_value, none_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) { return flushed(w.weight_type, right); })},
      {"subnormal-inputs-flushed",
       "a subnormal scale or zero is taken for zero",
       {float_value, integer_value, none_value},
       wrong_inputs([](WeightInputs& w) {
         w.scale = flushed(w.parameter_type, w.scale);
         if (adds_zero(w)) w.zero = flushed(w.parameter_type, w.zero);
       })},
      {"minus-zero-lost",
       "-0 becomes +0",
       {float_value, integer_value, none_value},
       wrong_weight(
           [](const WeightInputs& w, std::uint32_t right) { return right == w.weight_type.sign_bit() ? 0 : right; })},
      {"nan-becomes-zero",
       "a NaN is replaced by 0",
       {float_value, integer_value, none_value},
       wrong_weight(
           [](const WeightInputs& w, std::uint32_t right) { return w.weight_type.is_nan(right) ? 0 : right; })},
      {"infinity-clamped",
       "an overflow stops at the largest finite value",
       {float_value, integer_value, none_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         return is_infinite(w.weight_type, right) ? right - 1 : right;
       })},
      {"overflow-gives-nan",
       "finite parameters whose weight overflows give NaN",
       {float_value, integer_value, none_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         const bool overflowed = is_infinite(w.weight_type, right) && parameters_are_finite(w);
         return overflowed ? w.weight_type.canonical_nan() : right;
       })},
      {"infinite-scale-times-zero-steps",
       "0 * infinity is taken for 0",
       {float_value, integer_value, none_value},
       wrong_inputs([](WeightInputs& w) {
         if (stands_for_zero(w) && is_infinite(w.parameter_type, w.scale)) w.scale = 0;
       })},
      // Types.
      {"fp32-through-bf16",
       "fp32 weights are rounded to bf16 on the way",
       {float_value, integer_value, none_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         if (w.weight_type != reference::fp32 || w.weight_type.is_nan(right)) return right;
         return rounded(reference::bf16, decode(w.weight_type, right)) << 16;
       })},
      {"fp32-scale-of-ten-bits",
       "an fp32 scale loses its 13 low bits, as in TF32",
       {float_value, integer_value, none_value, "arithmetic/every_fp32_weight_without_a_zero_point_is_rounded_once"},
       wrong_inputs([](WeightInputs& w) {
         if (w.parameter_type == reference::fp32 && !w.parameter_type.is_nan(w.scale)) w.scale &= 0xffffe000u;
       })},
  };
  const std::vector<Mutant> of_zeros = {
      // Operands.
      {"scale-and-zero-swapped",
       "zero first, then scale",
       {float_value, own_scale, own_zero},
       wrong_inputs([](WeightInputs& w) {
         if (adds_zero(w)) std::swap(w.scale, w.zero);
       })},
      {"midpoint-seven",
       "codes are centred on 7",
       {float_value, shown_by_unit_scales},
       wrong_inputs([](WeightInputs& w) {
         if (adds_zero(w)) ++w.code;
       })},
      {"zero-subtracted", "(code - 8) * scale - zero", {float_value, own_zero}, wrong_inputs([](WeightInputs& w) {
         w.zero ^= w.parameter_type.sign_bit();
       })},
      // Roundings.
      {"zero-moved-to-the-midpoint",
       "zero - 8 * scale is rounded first, then code * scale added to it",
       {float_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         if (!adds_zero(w)) return right;
         return rounded(w.weight_type,
                        sum(scaled(w, w.code), stepped(w, sum(zero_of(w), scaled(w, -w.scheme->midpoint)))));
       })},
      {"double-then-rounded",
       "an fma in double, then a rounding: wrong only where scale and zero are far apart",
       {float_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         if (!adds_zero(w) || !parameters_are_finite(w) || in_double(w) == 0) return right;
         return rounded(w.weight_type, exact_of(in_double(w)));
       })},
      {"small-products-dropped",
       "a product below the last bit of the zero is not added: wrong only in ties",
       {float_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         if (!adds_zero(w) || !parameters_are_finite(w) || magnitude(w.parameter_type, w.zero) == 0) return right;
         const double product = std::fabs(specified::value(scaled(w, steps_of(w))));
         const double zero = std::fabs(specified::value(zero_of(w)));
         return product < std::ldexp(zero, -w.weight_type.fraction_bits - 1) ? zero_as_weight(w) : right;
       })},
      // Wrong for few inputs.
      {"code-eight-copies-the-zero",
       "the weight of code 8 is the zero: wrong only for -0, and where 0 * scale is none",
       {float_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         return adds_zero(w) && w.code == 8 ? zero_as_weight(w) : right;
       })},
      {"one-combination-of-signs",
       "wrong only for code 11 where scale and zero are both negative",
       {float_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         const bool hit = adds_zero(w) && w.code == 11 && is_negative(w.parameter_type, w.scale) &&
                          is_negative(w.parameter_type, w.zero);
         return right ^ (hit ? 1u : 0u);
       })},
  };
  const std::vector<Mutant> of_exact_products = {
      {"two-roundings",
       "the product is rounded before the zero is added",
       {float_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         if (!adds_zero(w)) return right;
         return rounded(w.weight_type, sum(stepped(w, scaled(w, steps_of(w))), zero_of(w)));
       })},
  };
  const std::vector<Mutant> of_zero_points = {
      {"integer-two-roundings",
       "code * scale and zero_point * scale are rounded, then subtracted",
       {integer_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         if (!subtracts_point(w)) return right;
         const Exact subtracted = stepped(w, scaled(w, w.zero_point));
         return rounded(w.weight_type, sum(stepped(w, scaled(w, w.code)), reference::negated(subtracted)));
       })},
  };
  const std::vector<Mutant> of_unsigned_codes = {
      {"midpoint-without-zero-point",
       "8 is subtracted in the domain without a zero point too",
       {none_value, shown_by_unit_scales, dequantize_index},
       wrong_inputs([](WeightInputs& w) {
         if (w.scheme->zero_kind == Zero::none) w.code -= 8;
       })},
  };
  const std::vector<Mutant> of_signed_codes = {
      {"signed-code-from-its-sign",
       "codes are taken as signed numbers of four bits, not as offset by 8",
       {none_value, shown_by_unit_scales, dequantize_index},
       wrong_inputs([](WeightInputs& w) {
         if (w.scheme->zero_kind == Zero::none) w.code ^= 8;
       })},
  };
  const std::vector<Mutant> of_stored_zeros = {
      {"stored-zeros-taken-as-they-are",
       "a zero point is what is stored, and not one more",
       {integer_value, own_zero},
       wrong_inputs([](WeightInputs& w) { --w.zero_point; })},
      {"stored-fifteen-wraps",
       "a stored 15 stands for 0, as where one more is kept in four bits",
       {integer_value, own_zero},
       wrong_inputs([](WeightInputs& w) { w.zero_point &= 15; })},
  };
  const std::vector<Mutant> of_biases = {
      {"bias-in-one-rounding",
       "a fused multiply-add, where the product is to be rounded first",
       {float_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t) {
         return rounded(w.weight_type, sum(scaled(w, steps_of(w)), zero_of(w)));
       })},
  };
  const std::vector<Mutant> of_tables = {
      {"table-of-bf16",
       "the numbers that codes stand for are kept in bf16",
       {none_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t) {
         const Exact entry = decode(reference::bf16, rounded(reference::bf16, entry_of(w)));
         const Exact step = product(entry, decode(w.parameter_type, w.scale));
         return rounded(w.weight_type, decode(reference::fp32, rounded(reference::fp32, step)));
       })},
      {"entries-mirrored",
       "the sign of a number is taken from its place: code 15 - c stands for -table[c]",
       {none_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         WeightInputs mirrored = w;
         mirrored.code = 15 - w.code;
         return w.code < 8 ? right_weight(mirrored) ^ w.weight_type.sign_bit() : right;
       })},
  };
  const std::vector<Mutant> of_any_table = {
      {"two-entries-swapped",
       "codes 3 and 4 stand for each other's numbers",
       {none_value, shown_by_unit_scales, dequantize_index},
       wrong_inputs([](WeightInputs& w) {
         if (w.code == 3 || w.code == 4) w.code = 7 - w.code;
       })},
  };
  const std::vector<Mutant> of_powers_of_two = {
      {"power-of-byte-0-is-zero",
       "the scale byte 0 is taken for 0, and not for 2^-127",
       {none_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         return w.scale == 0 ? right & w.weight_type.sign_bit() : right;
       })},
      {"power-off-by-one",
       "scales are twice what they should be, as where e2m1 is taken for whole numbers of halves",
       {none_value, own_scale},
       wrong_inputs([](WeightInputs& w) {
         if (w.scale < 254) ++w.scale;
       })},
  };
  const std::vector<Mutant> of_mx = {
      {"power-of-byte-255-is-infinite",
       "the scale byte 255 is 2^128, which is infinite, and not NaN",
       {none_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         const std::uint32_t sign = (w.code & 8) != 0 ? w.weight_type.sign_bit() : 0;
         return w.scale == 255 && (w.code & 7) != 0 ? sign | w.weight_type.infinity() : right;
       })},
  };
  const std::vector<Mutant> of_factors = {
      {"factor-in-one-rounding",
       "code, scale and factor are multiplied exactly, and rounded once",
       {none_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         if (std::string_view(w.scheme->name) == "divided") return right;
         WeightInputs one = w;
         one.zero = rounded(reference::fp32, whole(1));
         const Exact without = w.scheme->unrounded(w.weight_type, w.parameter_type, w.code, w.scale, one.zero);
         return rounded(w.weight_type, product(without, decode(reference::fp32, w.zero)));
       })},
      {"factor-forgotten", "the factor of the matrix is taken for 1", {none_value}, wrong_inputs([](WeightInputs& w) {
         w.zero = rounded(reference::fp32, whole(1));
       })},
      {"factor-divides",
       "scales are divided by the factor that multiplies them",
       {none_value},
       wrong_inputs([](WeightInputs& w) {
         constexpr auto divided = reference::row_of_scheme<reference::Nvfp4Divided>;
         constexpr auto multiplied = reference::row_of_scheme<reference::Nvfp4Rows>;
         w.scheme = w.scheme == divided ? multiplied : divided;
       })},
      {"scale-of-two-fraction-bits",
       "the last bit of an e4m3 scale is lost, as in e4m2 or e5m2",
       {none_value, own_scale},
       wrong_inputs([](WeightInputs& w) {
         if (!w.parameter_type.is_nan(w.scale)) w.scale &= ~1u;
       })},
  };
  const std::vector<Mutant> of_factors_of_groups = {
      {"factors-forgotten",
       "a group's factors are taken for 1",
       {float_value, own_scale},
       wrong_inputs([](WeightInputs& w) {
         w.scale = reference::with_factor(w.scale, 1);
         w.zero = reference::with_factor(w.zero, 1);
       })},
      {"factors-of-four-bits",
       "the two high bits of a factor, which lie elsewhere, are lost",
       {float_value, own_scale, own_zero},
       wrong_inputs([](WeightInputs& w) {
         w.scale &= 0xfffff;
         w.zero &= 0xfffff;
       })},
      {"minimum-factor-of-the-scale",
       "the factor of the scale is taken for that of the minimum too",
       {float_value, own_zero},
       wrong_inputs(
           [](WeightInputs& w) { w.zero = reference::with_factor(w.zero, reference::factor_above(w.scale)); })},
  };
  const std::vector<Mutant> of_int8_points = {
      {"zero-points-unsigned",
       "int8 zero points are read as uint8",
       {integer_value, own_zero},
       wrong_inputs([](WeightInputs& w) { w.zero_point = static_cast<std::uint8_t>(w.zero_point); })},
      {"zero-points-of-four-bits",
       "only the four low bits of a zero point count",
       {integer_value, own_zero},
       wrong_inputs([](WeightInputs& w) { w.zero_point &= 15; })},
      {"integer-difference-wraps",
       "code - zero_point is kept in int8: wrong only for zero points below -112",
       {integer_value},
       wrong_inputs([](WeightInputs& w) {
         if (subtracts_point(w)) w.zero_point = w.code - static_cast<std::int8_t>(w.code - w.zero_point);
       })},
  };
  const std::vector<Mutant> of_the_float_domain = {
      {"float-fma-then-rounded",
       "an fp32 fma, then a rounding to 16 bits",
       {float_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t) {
         Exact exact = scaled(w, steps_of(w));
         if (adds_zero(w)) exact = sum(exact, zero_of(w));
         return rounded(w.weight_type, decode(reference::fp32, rounded(reference::fp32, exact)));
       })},
  };
  const std::vector<Mutant> of_fp16 = {
      {"nan-payload-kept",
       "a NaN scale comes out with its payload",
       {float_value, integer_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         return w.weight_type.is_nan(right) && w.parameter_type.is_nan(w.scale) ? w.scale : right;
       })},
      {"fp16-as-bf16",
       "fp16 scales and zeros are read as bf16, and weights written so",
       {float_value, own_scale, shown_by_unit_scales},
       wrong_inputs([](WeightInputs& w) {
         if (w.weight_type == reference::fp16) w.weight_type = w.parameter_type = reference::bf16;
       })},
      {"fp16-subnormals-flushed",
       "subnormal weights become zero in fp16 alone",
       {float_value, integer_value, none_value},
       wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         return w.weight_type == reference::fp16 ? flushed(w.weight_type, right) : right;
       })},
  };
  const std::vector<Mutant> of_tinygemm = {
      // No different from any other triple, except that its step is in the first tenth of the enumeration: finding it
      // takes minutes.
      {.name = "one-triple",
       .what = "wrong in the last bit for one (code, scale, zero) of all 2^36 in bf16: 11, 0x3bdf, 0xbe51",
       .parts = wrong_weight([](const WeightInputs& w, std::uint32_t right) {
         const bool hit =
             adds_zero(w) && w.weight_type == reference::bf16 && w.code == 11 && w.scale == 0x3bdf && w.zero == 0xbe51;
         return right ^ (hit ? 1u : 0u);
       }),
       .enumerated_by = "arithmetic/every_bf16_weight_of_the_float_domain_is_rounded_once"},
  };
  // These two round the product, so that two roundings are right there.
  constexpr auto stepped_products = reference::row_of_scheme<reference::Fp32Weights<reference::AffineFloatStepped>>;
  constexpr auto biases = reference::row_of_scheme<reference::BiasedRows>;
  constexpr auto nf4 = reference::row_of_scheme<reference::LookedUp<reference::Nf4Table>>;
  constexpr auto fp4 = reference::row_of_scheme<reference::LookedUp<reference::Fp4Table>>;
  constexpr auto mx = reference::row_of_scheme<reference::MxRows>;
  constexpr auto nv = reference::row_of_scheme<reference::Nvfp4Rows>;
  std::vector<const Scheme*> exact_products = schemes_with(Zero::value);
  std::erase_if(exact_products, [=](const Scheme* scheme) { return scheme == stepped_products || scheme == biases; });
  std::vector<const Scheme*> with_fp16 = every_scheme();
  std::erase_if(with_fp16, [](const Scheme* scheme) { return !has_types(*scheme, Type::fp16); });
  // A product of fp16 is exact in fp32, and a sum of such in double.
  const std::vector<RightIn> exceptions = {
      {"sign-of-scale-lost", has_powers_of_two},
      {"rounded-towards-zero", has_powers_of_two},  // it rounds what is subnormal, and nothing else
      {"rounded-towards-zero", rounds_nothing},
      {"ties-away-from-zero", has_powers_of_two},
      {"ties-away-from-zero", is_seldom_half_way},
      {"ties-away-from-zero", rounds_nothing},
      {"subnormals-flushed", has_wide_weights},
      {"subnormal-inputs-flushed", has_powers_of_two},
      {"minus-zero-lost", has_one_zero_and_no_nan},
      {"nan-becomes-zero", has_one_zero_and_no_nan},
      {"overflow-gives-nan", has_wide_weights},
      {"infinite-scale-times-zero-steps", has_powers_of_two},  // which have no infinity, as e4m3 has none
      {"infinite-scale-times-zero-steps", has_a_factor},
      {"fp32-through-bf16", has_powers_of_two},
      {"fp32-scale-of-ten-bits", takes_no_fp32},
  };
  return in_one_list(
      {except(in_formats(every_format_there_is(), anywhere), exceptions),
       except(in_formats(formats_with(schemes_with(Zero::value)), of_zeros),
              {{"double-then-rounded", has_wide_weights}}),
       except(in_formats(formats_with(exact_products), of_exact_products), {{"two-roundings", has_wide_weights}}),
       in_formats(formats_with(schemes_with(Zero::point)), of_zero_points),
       in_formats(formats_with({scheme::none}), of_unsigned_codes),
       in_formats(formats_with({reference::row_of_scheme<reference::SymmetricRows>,
                                reference::row_of_scheme<reference::Q40Blocks>}),
                  of_signed_codes),
       in_formats(formats_with({reference::row_of_scheme<reference::GptqOneZeros>}), of_stored_zeros),
       in_formats(formats_with({nf4, fp4}), of_tables),
       in_formats(formats_with({nf4, fp4, mx, reference::row_of_scheme<reference::MxBlocks>, nv}), of_any_table),
       in_formats(formats_where(has_powers_of_two), of_powers_of_two), in_formats(formats_with({mx}), of_mx),
       in_formats(formats_with({nv}), of_factors),
       in_formats(formats_with({reference::row_of_scheme<reference::Q4KBlocks>}), of_factors_of_groups),
       in_formats(formats_with({biases}), of_biases), in_formats(formats_with({scheme::integer}), of_int8_points),
       in_formats(formats_with({scheme::floating}), of_the_float_domain), in_formats(formats_with(with_fp16), of_fp16),
       of_tinygemm});
}

}  // namespace tileproof
