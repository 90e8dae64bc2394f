/// A scheme says how a weight is computed from a code and the parameters of its group. This header holds the words that
/// schemes are written in.
///
/// A scheme is a type without state:
///
///   name          text, what --scheme names
///   zero_kind     which kind of zero a group has, and zero_points, the range of one that is a whole number
///   midpoint      the code whose weight is the zero, or 0 where there is none; meaningless for Zero::point
///   decoded       a group's parameters, decoded once for the sixteen codes that share them
///   unrounded     the weight of a code in a decoded group, before its last rounding, which is to the weight's type
///   has_factor    optional: a number of the whole matrix, fp32, is given as `zero`; zero_kind is none
///   groups_of_number  optional: so many neighbouring groups of a row have one scale and one zero of 16 bits, above
///   which
///                 stands a factor of each group's own, of six bits
///
/// Types of weights and of parameters are apart: the arithmetic is exact over decoded values, and each step that the
/// scheme calls a rounding rounds to the weight's type. Bits lie in the low bits of 32.
#pragma once

#include <concepts>
#include <cstdint>

#include "reference/arithmetic.h"

namespace tileproof::reference {

/// The zero that a group has beside its scale.
enum class Zero {
  none,
  value,  // a number of the parameters' type
  point   // a whole number: the code that stands for 0
};

/// Whole numbers from lowest to highest, both included.
struct Range {
  int lowest = 0;
  int highest = 0;
  constexpr bool contains(int number) const { return lowest <= number && number <= highest; }
  constexpr int count() const { return highest - lowest + 1; }
  constexpr int nearest_to_zero() const { return lowest > 0 ? lowest : highest < 0 ? highest : 0; }
  constexpr bool operator==(const Range&) const = default;
};

/// Calls `use` with the units that a weight needs. A scale has at most 11 bits in bf16 and fp16, 24 in fp32; a code 4,
/// less the midpoint 4, less a zero point of int8 8. So a product has 15 (28) bits where a zero is added to it, and 19
/// (32) where none is: a sum takes 16 (32), a rounding 31 (63). A sum in 32 bits can be rounded to 12 bits, which fp32
/// weights exceed; in 64 to 26. Of a GPU's instructions, 32 bits take a third of what 64 take.
template <class Use>
constexpr auto with_units(FloatFormat weight_type, FloatFormat parameter_type, Use use) {
  if (weight_type.bits() <= 16 && parameter_type.bits() <= 16) return use.template operator()<std::uint32_t>();
  return use.template operator()<std::uint64_t>();
}

template <class S>
concept IsScheme = requires(FloatFormat type, std::uint32_t bits, int code) {
  { S::name[0] } -> std::convertible_to<char>;
  { S::zero_kind } -> std::convertible_to<Zero>;
  { S::zero_points } -> std::convertible_to<Range>;
  { S::midpoint } -> std::convertible_to<int>;
  S::unrounded(type, code, S::template decoded<std::uint32_t>(type, type, bits, bits));
  { S::unrounded(type, code, S::template decoded<std::uint64_t>(type, type, bits, bits)) } -> std::same_as<Exact>;
};

template <class S>
constexpr int groups_of_number() {
  if constexpr (requires { S::groups_of_number; }) return S::groups_of_number;
  return 1;
}
/// A number of 16 bits, and above it the factor of a group, of six bits: how such schemes take a scale and a zero.
constexpr std::uint32_t with_factor(std::uint32_t number, std::uint32_t factor) {
  return (number & 0xffff) | factor << 16;
}
constexpr std::uint32_t number_below_factor(std::uint32_t bits) { return bits & 0xffff; }
constexpr std::uint32_t factor_above(std::uint32_t bits) { return bits >> 16 & 63; }

template <class S>
inline constexpr bool has_factor = requires {
  S::has_factor;
};

/// The weight of a code in a group that S has decoded, as bits of the weight's type.
template <IsScheme S, class Group>
constexpr std::uint32_t weight_in(FloatFormat weight_type, int code, const Group& group) {
  return rounded(weight_type, S::unrounded(weight_type, code, group));
}

/// The weight of one code.
/// @param code   0..15
/// @param scale  bits of a value of the parameters' type
/// @param zero   Zero::value: likewise; Zero::point: the whole number, in two's complement; of a scheme with a factor,
/// bits of fp32; else anything
/// @return       bits of a value of the weight's type
template <IsScheme S>
constexpr std::uint32_t weight(FloatFormat weight_type, FloatFormat parameter_type, int code, std::uint32_t scale,
                               std::uint32_t zero) {
  return with_units(weight_type, parameter_type, [=]<class Units>() {
    return weight_in<S>(weight_type, code, S::template decoded<Units>(weight_type, parameter_type, scale, zero));
  });
}

/// The same before its last rounding.
template <IsScheme S>
constexpr Exact unrounded(FloatFormat weight_type, FloatFormat parameter_type, int code, std::uint32_t scale,
                          std::uint32_t zero) {
  const auto group = S::template decoded<std::uint64_t>(weight_type, parameter_type, scale, zero);
  return S::unrounded(weight_type, code, group);
}

}  // namespace tileproof::reference
