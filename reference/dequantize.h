/// The schemes of tinygemm's three domains by their first names, for weights and parameters of one type; schemes/
/// states them, new code asks the scheme.
///
///   float    (code - 8) * scale + zero          zero in the format of the scale
///   integer  (code - zero_point) * scale        zero_point int8
///   none     code * scale
#pragma once

#include "reference/schemes/affine_float.h"
#include "reference/schemes/affine_integer.h"
#include "reference/schemes/scale_only.h"

namespace tileproof::reference {

template <class Use>
constexpr auto with_units(FloatFormat format, Use use) {
  return with_units(format, format, use);
}

// With a scale and a zero that have been decoded, as the sixteen codes of a group share them.
template <class Units>
constexpr std::uint32_t dequantized_float(FloatFormat format, int code, ExactIn<Units> scale, ExactIn<Units> zero) {
  return weight_in<AffineFloat>(format, code, AffineFloat::Group<Units>{scale, zero});
}
template <class Units>
constexpr std::uint32_t dequantized_integer(FloatFormat format, int code, ExactIn<Units> scale, int zero_point) {
  return weight_in<AffineInteger>(format, code, AffineInteger::Group<Units>{scale, zero_point});
}
template <class Units>
constexpr std::uint32_t dequantized_none(FloatFormat format, int code, ExactIn<Units> scale) {
  return weight_in<ScaleOnly>(format, code, ScaleOnly::Group<Units>{scale});
}

/// @param code   0..15
/// @param scale  bits of a value of the format; zero likewise
/// @return       bits of a value of the format
constexpr std::uint32_t dequantized_float(FloatFormat format, int code, std::uint32_t scale, std::uint32_t zero) {
  return weight<AffineFloat>(format, format, code, scale, zero);
}

/// @param zero_point  -128..127
constexpr std::uint32_t dequantized_integer(FloatFormat format, int code, std::uint32_t scale, int zero_point) {
  return weight<AffineInteger>(format, format, code, scale, static_cast<std::uint32_t>(zero_point));
}

constexpr std::uint32_t dequantized_none(FloatFormat format, int code, std::uint32_t scale) {
  return weight<ScaleOnly>(format, format, code, scale, 0);
}

}  // namespace tileproof::reference
