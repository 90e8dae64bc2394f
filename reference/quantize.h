/// Choosing a group's parameters and applying them, as PyTorch's eager formulas do: 4 bits, one row and group at a
/// time.
///
///   float    scale = max((max - min) / 15, 1e-6)           zero = min + scale * 8
///            code = clamp(round((w - (zero - scale * 8)) / scale), 0, 15)
///            weight = (code - 8) * scale + zero, the product rounded before the sum
///   integer  min <= 0 <= max forced                        scale = max((max - min) / 15, eps)
///            zero_point = clamp(0 - round(min / scale), 0, 15)
///            code = clamp(round(w * (1 / scale)) + zero_point, 0, 15)
///            weight = (code - zero_point) * scale
///
/// Every step rounds in the tensor's own format, as a chain of tensor operations does; eager arithmetic on bf16 and
/// fp16 computes each step in fp32 and rounds that, so a step here rounds to fp32 first. round is to nearest even. So
/// it is on the CPU; on CUDA eager division by a number (the 15) multiplies by its reciprocal and may differ in the
/// last bit. Finite weights of a finite range only: a caller with an infinity, a NaN or max - min beyond the format has
/// no scale to choose. Source: torch.ao and torchao, choose_qparams_affine and quantize_affine, tinygemm and integer
/// variants.
#pragma once

#include <cstdint>

#include "reference/arithmetic.h"
#include "reference/dequantize.h"

namespace tileproof::reference {

/// One step of eager arithmetic: exact, rounded to fp32, rounded to the tensor's format.
constexpr std::uint32_t stepped(FloatFormat format, Exact value) {
  return rounded(format, decode(fp32, rounded(fp32, value)));
}

/// Orders the bits of two values that are not NaN; -0 equals +0.
constexpr bool less(FloatFormat format, std::uint32_t a, std::uint32_t b) {
  const auto key = [format](std::uint32_t pattern) {
    const auto magnitude = static_cast<std::int64_t>(pattern & (format.sign_bit() - 1));
    return (pattern & format.sign_bit()) != 0 ? -magnitude : magnitude;
  };
  return key(a) < key(b);
}

constexpr std::uint32_t larger(FloatFormat format, std::uint32_t a, std::uint32_t b) {
  return less(format, a, b) ? b : a;
}
constexpr std::uint32_t smaller(FloatFormat format, std::uint32_t a, std::uint32_t b) {
  return less(format, b, a) ? b : a;
}

/// round(value) to nearest even, clamped to low..high; infinities clamp.
constexpr int rounded_and_clamped(Exact value, int low, int high) {
  if (value.kind == Exact::Kind::infinite) return value.negative ? low : high;
  if (value.magnitude == 0) value.exponent = 0;  // whatever it is: not to be shifted by
  const bool huge = value.magnitude != 0 && value.exponent + bit_width(value.magnitude) > 16;
  if (huge) return value.negative ? low : high;
  const std::uint64_t units = value.exponent >= 0 ? value.magnitude << value.exponent
                                                  : shifted_right_to_nearest_even(value.magnitude, -value.exponent);
  const int nearest = value.negative ? -static_cast<int>(units) : static_cast<int>(units);
  return nearest < low ? low : nearest > high ? high : nearest;
}

/// The least and the largest weight of one group of one row, as bits.
struct Extent {
  std::uint32_t min;
  std::uint32_t max;
};

/// @param first  `count` finite weights, as bits; count is 1 or more
template <class Bits>
constexpr Extent extent_of(FloatFormat format, const Bits* first, std::int64_t count) {
  Extent extent = {*first, *first};
  for (std::int64_t i = 1; i < count; ++i) {
    extent = {smaller(format, extent.min, first[i]), larger(format, extent.max, first[i])};
  }
  return extent;
}

struct FloatParameters {
  std::uint32_t scale;
  std::uint32_t zero;
};

struct IntegerParameters {
  std::uint32_t scale;
  int zero_point;  // 0..15
};

namespace eager {

constexpr std::uint32_t subtract(FloatFormat format, std::uint32_t a, std::uint32_t b) {
  return stepped(format, sum(decode(format, a), negated(decode(format, b))));
}
constexpr std::uint32_t add(FloatFormat format, std::uint32_t a, std::uint32_t b) {
  return stepped(format, sum(decode(format, a), decode(format, b)));
}
constexpr std::uint32_t multiply(FloatFormat format, std::uint32_t a, Exact b) {
  return stepped(format, product(decode(format, a), b));
}
constexpr std::uint32_t divide(FloatFormat format, std::uint32_t a, Exact b) {
  return stepped(format, quotient(decode(format, a), b));
}

}  // namespace eager

/// torch.finfo(dtype).eps: the distance from 1 to the next value.
constexpr std::uint32_t eps_of(FloatFormat format) {
  return static_cast<std::uint32_t>(format.bias() - format.fraction_bits) << format.fraction_bits;
}

inline constexpr std::uint32_t fp32_one_millionth = 0x358637bd;  // 1e-6, rounded to fp32

constexpr FloatParameters chosen_float(FloatFormat format, Extent extent) {
  const std::uint32_t range = eager::subtract(format, extent.max, extent.min);
  const std::uint32_t floor = rounded(format, decode(fp32, fp32_one_millionth));
  const std::uint32_t scale = larger(format, eager::divide(format, range, whole(15)), floor);
  const std::uint32_t eight_scales = eager::multiply(format, scale, whole(8));
  return {scale, eager::add(format, extent.min, eight_scales)};
}

constexpr int quantized_float(FloatFormat format, std::uint32_t weight, FloatParameters chosen) {
  const std::uint32_t eight_scales = eager::multiply(format, chosen.scale, whole(8));
  const std::uint32_t min = eager::subtract(format, chosen.zero, eight_scales);
  const std::uint32_t offset = eager::subtract(format, weight, min);
  return rounded_and_clamped(decode(format, eager::divide(format, offset, decode(format, chosen.scale))), 0, 15);
}

/// @param eps  bits of the smallest scale allowed: torch.finfo(dtype).eps where the caller names none
constexpr IntegerParameters chosen_integer(FloatFormat format, Extent extent, std::uint32_t eps) {
  const std::uint32_t min = smaller(format, extent.min, 0);
  const std::uint32_t max = larger(format, extent.max, 0);
  const std::uint32_t range = eager::subtract(format, max, min);
  const std::uint32_t scale = larger(format, eager::divide(format, range, whole(15)), eps);
  const Exact steps = decode(format, eager::divide(format, min, decode(format, scale)));
  return {scale, rounded_and_clamped(negated(steps), 0, 15)};
}

constexpr int quantized_integer(FloatFormat format, std::uint32_t weight, IntegerParameters chosen) {
  const std::uint32_t reciprocal = stepped(format, quotient(whole(1), decode(format, chosen.scale)));
  const Exact steps = decode(format, eager::multiply(format, weight, decode(format, reciprocal)));
  const int code = rounded_and_clamped(steps, -64, 64) + chosen.zero_point;  // 64 is out of reach of a zero point
  return code < 0 ? 0 : code > 15 ? 15 : code;
}

namespace eager {

/// The float-domain weight with two roundings, where dequantized_float has one.
/// @param scale  bits of a value of the format; zero likewise
constexpr std::uint32_t dequantized_float(FloatFormat format, int code, std::uint32_t scale, std::uint32_t zero) {
  return add(format, multiply(format, scale, whole(code - AffineFloat::midpoint)), zero);
}

/// The integer-domain weight: one operation, and no other rounding than in dequantized_integer.
constexpr std::uint32_t dequantized_integer(FloatFormat format, int code, std::uint32_t scale, int zero_point) {
  return multiply(format, scale, whole(code - zero_point));
}

}  // namespace eager

namespace shown_before_anything_runs {
// 5 * 1.9921875 = 9.9609375 rounds to 9.9375, and less 9.9375 nothing is left; the exact sum is 0.0234375.
static_assert(eager::dequantized_float(bf16, 13, 0x3fff, 0xc11f) == 0x0000);
static_assert(dequantized_float(bf16, 13, 0x3fff, 0xc11f) == 0x3cc0);
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
