/// The operations that the MPFR oracle judges, and the order in which it visits a domain. Shared by the properties and
/// their test.
#pragma once

#include <cstdint>

#include "properties/case/property.h"
#include "properties/problem/draw.h"
#include "reference/dequantize.h"
#include "reference/domains.h"
#include "reference/quantize.h"

namespace tileproof {

/// The functions that MPFR judges: the specification's, or wrong ones in the test of the oracle. Values are bit
/// patterns.
struct Judged {
  using FloatFormat = reference::FloatFormat;
  using Bits = std::uint32_t;

  Bits (*rounded_from_fp32)(FloatFormat, Bits value) = [](FloatFormat format, Bits value) {
    return reference::rounded(format, reference::decode(reference::fp32, value));
  };
  Bits (*weight_float)(FloatFormat, int code, Bits scale, Bits zero) = reference::dequantized_float;
  Bits (*weight_integer)(FloatFormat, int code, Bits scale, int zero_point) = reference::dequantized_integer;
  Bits (*weight_none)(FloatFormat, int code, Bits scale) = reference::dequantized_none;
  Bits (*float_zero)(FloatFormat, Bits scale, int zero_point) = reference::float_zero_of;
  Bits (*add)(FloatFormat, Bits, Bits) = reference::eager::add;
  Bits (*subtract)(FloatFormat, Bits, Bits) = reference::eager::subtract;
  Bits (*multiply)(FloatFormat, Bits, Bits) = [](FloatFormat format, Bits a, Bits b) {
    return reference::eager::multiply(format, a, reference::decode(format, b));
  };
  Bits (*divide)(FloatFormat, Bits, Bits) = [](FloatFormat format, Bits a, Bits b) {
    return reference::eager::divide(format, a, reference::decode(format, b));
  };
};

std::vector<Property> oracle_properties_about(const Judged&);

/// Two 16-bit patterns.
struct PatternPair {
  std::uint32_t first;
  std::uint32_t second;
};

/// The i-th of all 65,536 patterns, modulo their number. Each 1024 consecutive patterns share their low six bits: they
/// contain all signs and exponents, and with a value its doubles, so that cached results can be reused.
constexpr std::uint32_t pattern_at(std::uint64_t i) {
  return static_cast<std::uint32_t>(spread(i & 1023, 10) << 6 | spread(i >> 10 & 63, 6));
}

/// The i-th of all 2^32 pairs, modulo their number. The square of pairs is cut into 64 x 64 tiles of 1024 x 1024,
/// visited along its diagonals. The first 64 tiles hold every pattern on either side, and a first pattern meets 1024
/// second ones in a row, so that work done for the first can be reused.
constexpr PatternPair pair_at(std::uint64_t i) {
  const std::uint64_t tile = i >> 20 & 4095;
  const std::uint64_t first = (tile & 63) << 10 | (i >> 10 & 1023);
  const std::uint64_t second = ((tile + (tile >> 6)) & 63) << 10 | (i & 1023);
  return {pattern_at(first), pattern_at(second)};
}

}  // namespace tileproof
