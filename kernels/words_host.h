/// The words of words.h on a host: the same meanings in portable C++, bit for bit.
///
/// Needs IEEE arithmetic as the compiler gives it by default: no -ffast-math, rounding to nearest, subnormals kept.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels.h"

#define TILEPROOF_WORD inline
#define TILEPROOF_UNROLL

namespace tileproof::kernels {

using Where = Range;
using Outcome = void;

struct alignas(16) Quad {
  std::uint32_t x, y, z, w;
};

template <class Bits>
struct Two {
  Bits x, y;
};

inline std::uint32_t loaded(const std::uint32_t* word) { return *word; }
inline std::uint16_t loaded(const std::uint16_t* bits) { return *bits; }
inline int loaded(const std::int8_t* value) { return *value; }
template <class Bits>
Two<Bits> loaded_two(const Bits* from) {
  return {from[0], from[1]};
}
inline Quad loaded_quad(const void* from) {
  Quad quad;
  std::memcpy(&quad, from, sizeof quad);
  return quad;
}
inline void store(Quad quad, void* to) { std::memcpy(to, &quad, sizeof quad); }

/// Two values held in floats, each exactly a value of its 16-bit type.
struct FloatPair {
  float low, high;
};

/// The sign of the error that rounding a * b + c to `nearest` made: of a * b + c - nearest, where a * b has at most 53
/// bits.
inline double error_of_fma(float a, float b, float c, float nearest) {
  const double product = static_cast<double>(a) * b;  // exact
  const double sum = product + c;
  const double of_product = sum - c;
  const double lost = (product - of_product) + (c - (sum - of_product));  // exact: Knuth's two-sum
  return (sum - nearest) + lost;
}

/// bf16 bits of an fp32 value; NaN as the hardware makes it.
inline std::uint32_t bf16_bits(float value) {
  if (std::isnan(value)) return 0x7fff;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

/// bf16 bits of a * b + c with one rounding, where a * b has at most 53 bits. A float near the sum decides alone,
/// unless it lies halfway between two bf16 values: every rounding on the way there leaves halves and what lies beyond
/// them in order, so that only onto such a tie can the sum have been rounded, and its error says from which side.
inline std::uint32_t bf16_fma(float a, float b, float c) {
  float nearest = static_cast<float>(static_cast<double>(a) * b + c);
  if ((std::bit_cast<std::uint32_t>(nearest) & 0xffff) == 0x8000) {
    const double error = error_of_fma(a, b, c, nearest);
    if (error != 0) nearest = std::nextafterf(nearest, error > 0 ? INFINITY : -INFINITY);
  }
  return bf16_bits(nearest);
}

/// fp16 bits of a double, with one rounding; NaN as the hardware makes it.
inline std::uint32_t fp16_bits(double value) {
  if (std::isnan(value)) return 0x7fff;
  const std::uint32_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(value);
  if (magnitude >= 65520) return sign | 0x7c00;  // halfway between the largest fp16 and 2^16
  const int exponent = static_cast<int>(std::bit_cast<std::uint64_t>(magnitude) >> 52) - 1023;
  const int binade = exponent < -14 ? -14 : exponent;
  // Adding 1.5 * 2^(52 + u) rounds to a multiple of 2^u, to nearest even, as an fp32 unit would be dropped.
  const double unit = std::bit_cast<double>(static_cast<std::uint64_t>(1023 + binade - 10) << 52);
  const double rounder = unit * 0x1.8p52;
  const auto units = static_cast<std::uint32_t>(((magnitude + rounder) - rounder) / unit);
  return sign | ((static_cast<std::uint32_t>(binade + 14) << 10) + units);
}

inline float fp16_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 31) return fraction != 0 ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * static_cast<float>(fraction) * 0x1p-24f;
  return sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
}

struct Bf16 {
  using Bits = std::uint16_t;
  using Value = FloatPair;
  static Value from_bits(Bits bits) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
    return {value, value};
  }
  static int biased(int offset) { return offset; }
  static int biased_by_code(int code) { return code; }
  static Value minus(std::uint32_t pair, int offset) {
    return {static_cast<float>(static_cast<int>(pair & 0xffff) - offset),
            static_cast<float>(static_cast<int>(pair >> 16) - offset)};
  }
  static std::uint32_t fma(Value a, Value b, Value c) {
    return bf16_fma(a.low, b.low, c.low) | bf16_fma(a.high, b.high, c.high) << 16;
  }
  /// Two 8-bit significands have an exact float product: one rounding, to bf16.
  static std::uint32_t product(Value a, Value b) { return bf16_bits(a.low * b.low) | bf16_bits(a.high * b.high) << 16; }
};

struct Fp16 {
  using Bits = std::uint16_t;
  using Value = FloatPair;
  static Value from_bits(Bits bits) {
    const float value = fp16_value(bits);
    return {value, value};
  }
  static int biased(int offset) { return offset; }
  static int biased_by_code(int code) { return code; }
  static Value minus(std::uint32_t pair, int offset) { return Bf16::minus(pair, offset); }
  /// From the smallest subnormal to 2^20 there are 44 bits: a double holds the sum exactly.
  static std::uint32_t fma(Value a, Value b, Value c) {
    return fp16_bits(static_cast<double>(a.low) * b.low + c.low) |
           fp16_bits(static_cast<double>(a.high) * b.high + c.high) << 16;
  }
  static std::uint32_t product(Value a, Value b) {
    return fp16_bits(static_cast<double>(a.low) * b.low) | fp16_bits(static_cast<double>(a.high) * b.high) << 16;
  }
};

/// a * b + c with one rounding, where a is a small whole number. The double sum decides alone, unless it lies halfway
/// between two floats and has been rounded itself. (Among subnormal floats it is exact: everything is a multiple of the
/// smallest of them.)
inline float fp32_fma(float a, float b, float c) {
  const double product = static_cast<double>(a) * b;  // exact
  const double sum = product + c;
  const auto bits = std::bit_cast<std::uint64_t>(sum);
  if ((bits & 0x1fffffff) != 0x10000000) return static_cast<float>(sum);
  const double of_product = sum - c;
  const double lost = (product - of_product) + (c - (sum - of_product));  // exact: Knuth's two-sum
  if (lost == 0) return static_cast<float>(sum);
  const bool away_from_zero = (lost > 0) == (sum > 0);
  const auto towards_zero = static_cast<float>(std::bit_cast<double>(bits - 0x10000000));
  return away_from_zero ? std::nextafterf(towards_zero, sum > 0 ? INFINITY : -INFINITY) : towards_zero;
}

struct Fp32 {
  using Bits = std::uint32_t;
  using Value = float;
  static Value from_bits(Bits bits) { return std::bit_cast<float>(bits); }
  static int biased(int offset) { return offset; }
  static int biased_by_code(int code) { return code; }
  static Value minus(std::uint32_t code, int offset) { return static_cast<float>(static_cast<int>(code) - offset); }
  static std::uint32_t fma(Value a, Value b, Value c) { return bits_of(fp32_fma(a, b, c)); }
  static std::uint32_t product(Value a, Value b) { return bits_of(a * b); }
  static std::uint32_t bits_of(float value) {
    return std::isnan(value) ? 0x7fffffffu : std::bit_cast<std::uint32_t>(value);
  }
};

template <class Thread>
void run(Thread thread, std::int64_t threads, Range range) {
  const std::int64_t end = range.end < threads ? range.end : threads;
  for (std::int64_t index = range.begin < 0 ? 0 : range.begin; index < end; ++index) thread(index);
}

}  // namespace tileproof::kernels
