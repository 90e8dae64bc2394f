/// The codes of matrices whose packed bytes were recorded from a library, and the hash that stands for the bytes. A
/// recorder in Python has the two formulas:
///
///   code(n, k) = ((n * 131 + k) * 2654435761 & 0xffffffff) >> 28
///   FNV-1a of 64 bits over the bytes of the contiguous tensor
///
/// and those of recorded_scale and recorded_bias.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/layouts/layout.h"
#include "reference/matrix.h"

namespace tileproof::reference {

/// Codes that tell elements apart: neighbours in either direction differ, and no row or column repeats another.
constexpr int recorded_code(std::int64_t n, std::int64_t k) {
  return static_cast<int>(static_cast<std::uint32_t>(n * 131 + k) * 2654435761u >> 28);
}

/// uint8 [n][k], a code each.
inline std::vector<std::uint8_t> recorded_codes(Size size) {
  std::vector<std::uint8_t> codes;
  for (std::int64_t n = 0; n < size.n; ++n) {
    for (std::int64_t k = 0; k < size.k; ++k) codes.push_back(static_cast<std::uint8_t>(recorded_code(n, k)));
  }
  return codes;
}

/// The codes, packed into a buffer that held something else.
template <IsLayout L>
std::vector<typename L::Storage> packed_codes(Size size) {
  constexpr auto old = static_cast<typename L::Storage>(0xdeadbeef);
  std::vector<typename L::Storage> packed(static_cast<std::size_t>(units<L>(size)), old);
  pack<L>(recorded_codes(size).data(), size, packed.data());
  return packed;
}

/// @param elements  of any width, hashed in the order of a little-endian memory.
template <class Element>
constexpr std::uint64_t fnv1a(const std::vector<Element>& elements) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const Element element : elements) {
    for (std::size_t byte = 0; byte < sizeof(Element); ++byte) {
      hash = (hash ^ (static_cast<std::uint64_t>(element) >> (8 * byte) & 255)) * 0x100000001b3;
    }
  }
  return hash;
}

/// A number of each group, with the full fraction of its type: from 2^exponent up, negative or not.
constexpr std::uint32_t recorded_number(FloatFormat type, int exponent, bool is_negative, std::int64_t fraction) {
  const std::uint32_t first = static_cast<std::uint32_t>(type.bias() + exponent) << type.fraction_bits;
  const auto low = static_cast<std::uint32_t>(fraction) & ((1u << type.fraction_bits) - 1);
  return (is_negative ? type.sign_bit() : 0) | (first + low);
}

/// 2^-4 and above, every third one negative.
constexpr std::uint32_t recorded_scale(FloatFormat type, std::int64_t n, std::int64_t group) {
  const bool is_fp32 = type == fp32;
  const std::int64_t fraction = is_fp32 ? n * 3700411 + group * 211 * 4099 : n * 37 + group * 211;
  return recorded_number(type, -4, (n + group) % 3 == 0, fraction);
}

/// 2^-2 and above, two of five negative.
constexpr std::uint32_t recorded_bias(FloatFormat type, std::int64_t n, std::int64_t group) {
  const bool is_fp32 = type == fp32;
  const std::int64_t fraction = is_fp32 ? n * 5300417 + group * 97 * 4099 : n * 53 + group * 97;
  return recorded_number(type, -2, (n + 2 * group) % 5 < 2, fraction);
}

/// The stored zero of group g of a row is the code of column 1000 + g.
constexpr int recorded_zero(std::int64_t n, std::int64_t group) { return recorded_code(n, 1000 + group); }

/// The packed zero points of a matrix's groups.
template <class Used>
std::vector<std::uint32_t> recorded_zeros(Size groups) {
  using P = typename Used::Parameters;
  std::vector<std::uint32_t> zeros(static_cast<std::size_t>(P::tensors[1].dims(groups).elements()));
  for (std::int64_t n = 0; n < groups.n; ++n) {
    for (std::int64_t group = 0; group < groups.k; ++group) {
      set_code_at(zeros.data(), P::zero_at({n, group}, groups), recorded_zero(n, group));
    }
  }
  return zeros;
}

/// Hashes of what a library gave for a matrix.
struct RecordedWeights {
  Size size;
  std::int64_t group_size;
  std::uint64_t words;    // of the bytes of the packed codes
  std::uint64_t zeros;    // of the last tensor of parameters; 0 where that is the scales
  std::uint64_t weights;  // in the format's order
  std::int64_t minus_zeros, plus_zeros;
};

/// Expects the recorded weights, and as many zeros of either sign.
template <class Bits>
void expect_hashes(FloatFormat type, const RecordedWeights& each, const std::vector<Bits>& weights) {
  EXPECT_EQ(fnv1a(weights), each.weights) << each.size.n << " x " << each.size.k << " in groups of " << each.group_size;
  EXPECT_EQ(std::count(weights.begin(), weights.end(), static_cast<Bits>(type.sign_bit())), each.minus_zeros);
  EXPECT_EQ(std::count(weights.begin(), weights.end(), Bits{0}), each.plus_zeros);
}

/// Packs the codes and dequantizes them, and expects the recorded hashes.
/// @tparam Bits, Zeros  elements of the tensors of scales and of zeros
template <class F, class Used, class Bits, class Zeros>
void expect_recorded_weights(FloatFormat type, const RecordedWeights& each, const std::vector<Zeros>& zeros) {
  using P = typename Used::Parameters;
  const Size groups = {each.size.n, each.size.k / each.group_size};
  std::vector<Bits> scales(static_cast<std::size_t>(groups.n * groups.k));
  for (std::int64_t n = 0; n < groups.n; ++n) {
    for (std::int64_t group = 0; group < groups.k; ++group) {
      const auto at = static_cast<std::size_t>(P::scale_at({n, group}, groups));
      scales[at] = static_cast<Bits>(recorded_scale(type, n, group));
    }
  }
  const auto packed = packed_codes<typename F::Codes>(each.size);
  EXPECT_EQ(fnv1a(packed), each.words);
  const std::uint64_t hash_of_zeros = zeros.empty() ? 0 : fnv1a(zeros);
  EXPECT_EQ(hash_of_zeros, each.zeros);
  std::vector<Bits> weights(static_cast<std::size_t>(each.size.n * each.size.k), static_cast<Bits>(0xaaaaaaaa));
  dequantize<F, Used>(type, type, packed.data(), scales.data(), zeros.data(), each.size, each.group_size,
                      weights.data());
  expect_hashes(type, each, weights);
}

/// Expects them with the zeros of the scheme: packed, or biases of the weights' type, or none.
template <class F, class Used, class Bits>
void expect_recorded_as(FloatFormat type, const RecordedWeights& each) {
  using P = typename Used::Parameters;
  const Size groups = {each.size.n, each.size.k / each.group_size};
  if constexpr (P::zeros_are_packed) {
    expect_recorded_weights<F, Used, Bits>(type, each, recorded_zeros<Used>(groups));
  } else {
    std::vector<Bits> biases;
    if constexpr (Used::Scheme::zero_kind == Zero::value) {
      biases.resize(static_cast<std::size_t>(groups.n * groups.k));
      for (std::int64_t n = 0; n < groups.n; ++n) {
        for (std::int64_t group = 0; group < groups.k; ++group) {
          const auto at = static_cast<std::size_t>(P::zero_at({n, group}, groups));
          biases[at] = static_cast<Bits>(recorded_bias(type, n, group));
        }
      }
    }
    expect_recorded_weights<F, Used, Bits>(type, each, biases);
  }
}

template <class F, class Used>
void expect_recorded(FloatFormat type, const RecordedWeights& each) {
  SCOPED_TRACE(std::string(F::Codes::name) + " " + std::to_string(each.size.n) + " x " + std::to_string(each.size.k) +
               " in groups of " + std::to_string(each.group_size));
  if (type == fp32) {
    expect_recorded_as<F, Used, std::uint32_t>(type, each);
  } else {
    expect_recorded_as<F, Used, std::uint16_t>(type, each);
  }
}

}  // namespace tileproof::reference
