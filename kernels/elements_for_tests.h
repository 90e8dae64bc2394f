/// Memory, noise and parameters for the tests of the kernels on a host.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels/arguments.h"

namespace tileproof::kernels {

/// A sequence without a pattern.
inline std::uint32_t drawn(std::uint32_t& state) {
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}

/// Elements from a 16-byte aligned address, as bytes.
struct alignas(16) Sixteen {
  std::uint8_t bytes[16];
  bool operator==(const Sixteen&) const = default;
};
using Elements = std::vector<Sixteen>;
inline Elements elements(std::int64_t bytes) {
  return Elements(static_cast<std::size_t>((bytes + 15) / 16), Sixteen{{0xa5, 0xa5, 0xa5, 0xa5}});
}
inline Elements noise(std::int64_t bytes, std::uint32_t seed) {
  Elements of = elements(bytes);
  for (Sixteen& sixteen : of) {
    for (std::uint8_t& byte : sixteen.bytes) byte = static_cast<std::uint8_t>(drawn(seed));
  }
  return of;
}
template <class T>
T* as(Elements& of) {
  return reinterpret_cast<T*>(of.data());
}

struct TestedFormat {
  Type type;
  int bytes, fraction_bits, exponent_max;
};
inline constexpr TestedFormat all_formats[] = {
    {Type::bf16, 2, 7, 255}, {Type::fp16, 2, 10, 31}, {Type::fp32, 4, 23, 255}};

/// A scale or a zero, with an exponent that is given.
inline std::uint32_t number(const TestedFormat& of, int exponent, std::uint32_t& state) {
  const int bits = of.bytes * 8;
  const std::uint32_t fraction_mask = (1u << of.fraction_bits) - 1;
  const std::uint32_t random = drawn(state) ^ drawn(state) << 16;
  // Few bits, all of them, or any.
  const std::uint32_t fractions[] = {0, 1, fraction_mask, random & fraction_mask, random & fraction_mask};
  const int clamped = std::clamp(exponent, 0, of.exponent_max);
  return (random >> 31) << (bits - 1) | static_cast<std::uint32_t>(clamped) << of.fraction_bits |
         fractions[drawn(state) % 5];
}

/// Scales of every exponent, often of those that overflow when multiplied, or are subnormal or nearly so, each with
/// zeros of exponents around it and of 0, subnormal, infinite and NaN.
inline void draw_parameters(const TestedFormat& of, std::int64_t count, bool with_zeros, std::uint32_t seed,
                            Elements& to) {
  auto* bytes = as<std::uint8_t>(to);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t where = drawn(seed) % 8;
    const int drawn_exponent = static_cast<int>(drawn(seed)) % (where < 4 ? 6 : of.exponent_max + 1);
    const int exponent = where < 2 ? drawn_exponent : of.exponent_max - drawn_exponent;
    const std::uint32_t kind = drawn(seed) % 8;
    const int apart = static_cast<int>(drawn(seed) % 72) - 36;
    std::uint32_t zero = number(of, kind == 0 ? 0 : kind == 1 ? of.exponent_max : exponent + apart, seed);
    if (kind == 2) zero &= 1u << (of.bytes * 8 - 1);
    const std::uint32_t both[2] = {number(of, exponent, seed), zero};
    for (int j = 0; j < (with_zeros ? 2 : 1); ++j, bytes += of.bytes) {
      std::memcpy(bytes, &both[j], static_cast<std::size_t>(of.bytes));
    }
  }
}

}  // namespace tileproof::kernels
