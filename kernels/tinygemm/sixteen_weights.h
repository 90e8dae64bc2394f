/// The sixteen weights that a group of a row can have, computed together in vectors: the arithmetic of device_host.h,
/// bit for bit, where it is easy.
///
/// Easy is where (code - 8) * scale + zero has no more bits than a wider type holds: it is then exact there, and the
/// one rounding is that of the result. A number of exponent e and of p bits is a multiple of 2^(e - p + 1) below
/// 2^(e + 1). So the sum is a multiple of 2^(min(e_scale, e_zero) - p + 1), and below 2^(max(e_scale + 3, e_zero) + 2):
/// nothing is lost while these exponents are no further apart than the wider type has bits beyond p + 1. Groups that
/// are chosen from weights are like that. (code - zero_point) * scale, of at most 8 + p bits, always is.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/device_host.h"
#include "kernels/vectors_host.h"

namespace tileproof::kernels {

// Vectors, which a compiler cuts where a processor has smaller ones. Never passed by value: how that is done depends on
// the processor.
using Floats = float __attribute__((vector_size(32)));
using Doubles = double __attribute__((vector_size(32)));
using FourFloats = float __attribute__((vector_size(16)));
using Patterns = std::uint32_t __attribute__((vector_size(32)));

/// What a type's numbers look like, and how many bits the type has that sums are made in.
struct Bf16Format {
  static constexpr int fraction_bits = 7, exponent_max = 255, bits_of_sum = 24;
};
struct Fp16Format {
  static constexpr int fraction_bits = 10, exponent_max = 31, bits_of_sum = 24;
};
struct Fp32Format {
  static constexpr int fraction_bits = 23, exponent_max = 255, bits_of_sum = 53;
};
constexpr Bf16Format format_of(Bf16) { return {}; }
constexpr Fp16Format format_of(Fp16) { return {}; }
constexpr Fp32Format format_of(Fp32) { return {}; }

/// How far the exponents of a scale, three more, and of a zero may be apart.
template <class Numbers>
constexpr int room_of = Numbers::bits_of_sum - (Numbers::fraction_bits + 1) - 1;
/// The exponent from which on eight times a scale may be infinite.
template <class Numbers>
constexpr int large_scale_of = Numbers::exponent_max - 3;

/// The exponent field. That of subnormal numbers, 0, is one less than what they are multiples of: on the safe side.
template <class T>
TILEPROOF_INLINE int exponent_of(T type, typename T::Bits bits) {
  using Numbers = decltype(format_of(type));
  return static_cast<int>(bits >> Numbers::fraction_bits) & Numbers::exponent_max;
}

/// Whether (code - zero_point) * scale is easy.
template <class T>
TILEPROOF_INLINE bool is_easy(T type, typename T::Bits scale) {
  return exponent_of(type, scale) < decltype(format_of(type))::exponent_max;
}

/// Whether (code - 8) * scale + zero is easy.
template <class T>
TILEPROOF_INLINE bool is_easy(T type, typename T::Bits scale, typename T::Bits zero) {
  using Numbers = decltype(format_of(type));
  constexpr int room = room_of<Numbers>;
  const int of_scale = exponent_of(type, scale), of_zero = exponent_of(type, zero);
  const bool are_finite = (of_scale < large_scale_of<Numbers>)&(of_zero < Numbers::exponent_max);
  const bool are_near = (of_zero - of_scale <= room) & (of_scale + 3 - of_zero <= room);
  const bool is_product = static_cast<typename T::Bits>(zero << 1) == 0;
  return are_finite & (are_near | is_product);
}

/// The value of a finite number.
template <class T>
TILEPROOF_INLINE float finite_value(T, typename T::Bits bits) {
  return T::value(bits);
}
TILEPROOF_INLINE float finite_value(Fp16, std::uint16_t bits) {
  // In a float's places they are those of a value 2^112 times as small, subnormal or not.
  const auto in_place = static_cast<std::uint32_t>(static_cast<std::int16_t>(bits)) << 13 & 0x8fffe000;
  return std::bit_cast<float>(in_place) * 0x1p112f;
}

/// Rounds floats that are not NaN.
TILEPROOF_INLINE void round_to(Bf16, const Floats& exact, Patterns& weights) {
  const auto bits = reinterpret_cast<Patterns>(exact);
  weights = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
/// As fp16_bits of device_host.h does it, in floats.
TILEPROOF_INLINE void round_to(Fp16, const Floats& exact, Patterns& weights) {
  const auto bits = reinterpret_cast<Patterns>(exact);
  constexpr std::uint32_t smallest_normal = (127 - 14) << 23, beyond = (127 + 16) << 23;  // which becomes infinity
  const Patterns any = bits & 0x7fffffff;
  const Patterns magnitude = any > beyond ? Patterns{} + beyond : any;
  const Patterns binade = (magnitude > smallest_normal ? magnitude : Patterns{} + smallest_normal) & 0x7f800000;
  const Patterns rounder = binade + ((13 << 23) | 0x400000);  // 1.5 * 2^23 of the last bit's weight
  const auto rounded =
      reinterpret_cast<Patterns>(reinterpret_cast<Floats>(magnitude) + reinterpret_cast<Floats>(rounder));
  weights = (bits >> 16 & 0x8000) | (((binade - smallest_normal) >> 13) + (rounded - rounder));
}

constexpr float midpoint = 8;     // of the codes, where the domain is float
constexpr float nothing = -0.0f;  // x + -0 is x, also where that is a zero

/// Sixteen weights, one behind the other.
template <class T>
using InOrder = Bytes[sizeof(typename T::Bits)];

/// (code - offset) * scale + zero of an easy group.
template <class T>
TILEPROOF_INLINE void easy_weights(T type, float offset, float scale, float zero, InOrder<T>& weights) {
  constexpr Floats even_codes = {0, 2, 4, 6, 8, 10, 12, 14}, odd_codes = {1, 3, 5, 7, 9, 11, 13, 15};
  Patterns even, odd;
  round_to(type, (even_codes - offset) * scale + zero, even);
  round_to(type, (odd_codes - offset) * scale + zero, odd);
  const Patterns pairs = even | odd << 16;
  weights[0] = reinterpret_cast<Bytes>(__builtin_shufflevector(pairs, pairs, 0, 1, 2, 3));
  weights[1] = reinterpret_cast<Bytes>(__builtin_shufflevector(pairs, pairs, 4, 5, 6, 7));
}
TILEPROOF_INLINE void easy_weights(Fp32, float offset, float scale, float zero, InOrder<Fp32>& weights) {
  constexpr Doubles codes[4] = {{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}, {12, 13, 14, 15}};
  for (int quarter = 0; quarter < 4; ++quarter) {
    const Doubles exact =
        (codes[quarter] - static_cast<double>(offset)) * static_cast<double>(scale) + static_cast<double>(zero);
    weights[quarter] = reinterpret_cast<Bytes>(__builtin_convertvector(exact, FourFloats));
  }
}

/// All that are not: by the words.
/// @param zero  nullptr: none
template <class T>
__attribute__((noinline)) void weights_by_words(float offset, float scale, const float* zero, InOrder<T>& weights) {
  typename T::Bits bits[16];
  for (int code = 0; code < 16; ++code) {
    const float factor = static_cast<float>(code) - offset;
    bits[code] =
        static_cast<typename T::Bits>(zero != nullptr ? T::fma(factor, scale, *zero) : T::product(factor, scale));
  }
  std::memcpy(weights, bits, sizeof weights);
}

/// The sixteen weights of a group of a row, a table for each of their bytes.
template <class T>
class SixteenWeights {
 public:
  using Bits = typename T::Bits;

  /// (code - 8) * scale + zero
  TILEPROOF_INLINE void fill(Bits scale, Bits zero) {
    if (is_easy(T(), scale, zero)) return fill_easy(midpoint, finite_value(T(), scale), finite_value(T(), zero));
    const float value = T::value(zero);
    fill_by_words(midpoint, scale, &value);
  }

  /// (code - zero_point) * scale
  TILEPROOF_INLINE void fill_with_zero_point(Bits scale, int zero_point) {
    const auto offset = static_cast<float>(zero_point);
    if (is_easy(T(), scale)) return fill_easy(offset, finite_value(T(), scale), nothing);
    fill_by_words(offset, scale, nullptr);
  }

  /// (code - offset) * scale + zero of an easy group
  TILEPROOF_INLINE void fill_easy(float offset, float scale, float zero) {
    InOrder<T> weights;
    easy_weights(T(), offset, scale, zero, weights);
    fill(weights);
  }

  /// The weights of sixteen columns, one behind the other.
  TILEPROOF_INLINE void look_up(Bytes codes, Bytes (&weights)[sizeof(Bits)]) const {
    if constexpr (sizeof(Bits) == 2) {
      const Bytes bytes[2] = {found(0, codes), found(1, codes)};
      weights[0] = low_half(bytes[0], bytes[1]);
      weights[1] = high_half(bytes[0], bytes[1]);
    } else {
      const Bytes bytes[4] = {found(0, codes), found(1, codes), found(2, codes), found(3, codes)};
      const Bytes low[2] = {low_half(bytes[0], bytes[1]), high_half(bytes[0], bytes[1])};
      const Bytes high[2] = {low_half(bytes[2], bytes[3]), high_half(bytes[2], bytes[3])};
      for (int half = 0; half < 2; ++half) {
        weights[2 * half] = low_half_of_pairs(low[half], high[half]);
        weights[2 * half + 1] = high_half_of_pairs(low[half], high[half]);
      }
    }
  }

 private:
  Bytes byte_[sizeof(Bits)];

  TILEPROOF_INLINE void fill_by_words(float offset, Bits scale, const float* zero) {
    InOrder<T> weights;
    weights_by_words<T>(offset, T::value(scale), zero, weights);
    fill(weights);
  }

  TILEPROOF_INLINE void fill(const InOrder<T>& weights) {
    const Bytes even = even_bytes(weights[0], weights[1]), odd = odd_bytes(weights[0], weights[1]);
    if constexpr (sizeof(Bits) == 2) {
      byte_[0] = even;
      byte_[1] = odd;
    } else {
      const Bytes even_behind = even_bytes(weights[2], weights[3]), odd_behind = odd_bytes(weights[2], weights[3]);
      byte_[0] = even_bytes(even, even_behind);
      byte_[1] = even_bytes(odd, odd_behind);
      byte_[2] = odd_bytes(even, even_behind);
      byte_[3] = odd_bytes(odd, odd_behind);
    }
  }

  TILEPROOF_INLINE Bytes found(int of_weight, Bytes codes) const {
#if defined(__clang__)  // which has no shuffle by a variable
    Bytes bytes;
    for (int i = 0; i < 16; ++i) bytes[i] = byte_[of_weight][codes[i]];
    return bytes;
#else
    return __builtin_shuffle(byte_[of_weight], codes);
#endif
  }
};

/// The parameters of a group in eight rows, which lie one behind the other, made ready together: as values, where all
/// eight are easy. Of types of 16 bits.
template <class T>
struct EightRows {
  static_assert(sizeof(typename T::Bits) == 2);
  Floats offset, scale, zero;
  bool are_easy;

  /// @param pairs  a scale and a zero of each row
  TILEPROOF_INLINE void load_pairs(const std::uint16_t* pairs) {
    Patterns both;
    std::memcpy(&both, pairs, sizeof both);
    const Patterns scales = both << 16, zeros = both & 0xffff0000;
    using Numbers = decltype(format_of(T()));
    Patterns of_scale, of_zero;
    exponents_of(scales, of_scale);
    exponents_of(zeros, of_zero);
    // As is_easy has it; a difference below zero is a large one.
    constexpr std::uint32_t room = room_of<Numbers>;
    const auto hard = (of_scale >= large_scale_of<Numbers>) | (of_zero >= Numbers::exponent_max) |
                      (((of_zero - of_scale + (room - 3)) > 2 * room - 3) & (zeros << 1 != 0));
    are_easy = none_of(reinterpret_cast<const Patterns&>(hard));
    offset = Floats{} + midpoint;
    values_of(scales, scale);
    values_of(zeros, zero);
  }

  /// @param zero_points  nullptr: all are 0
  TILEPROOF_INLINE void load(const std::uint16_t* scales_of_rows, const std::int8_t* zero_points) {
    using EightHalfWords = std::uint16_t __attribute__((vector_size(16)));
    EightHalfWords half_words;
    std::memcpy(&half_words, scales_of_rows, sizeof half_words);
    const Patterns scales = __builtin_convertvector(half_words, Patterns) << 16;
    Patterns of_scale;
    exponents_of(scales, of_scale);
    const auto hard = of_scale >= decltype(format_of(T()))::exponent_max;
    are_easy = none_of(reinterpret_cast<const Patterns&>(hard));
    values_of(scales, scale);
    zero = Floats{nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing};
    offset = Floats{};
    if (zero_points != nullptr) {
      for (int row = 0; row < 8; ++row) offset[row] = zero_points[row];
    }
  }

 private:
  /// Of values in the upper halves.
  static TILEPROOF_INLINE void exponents_of(const Patterns& values, Patterns& exponents) {
    using Numbers = decltype(format_of(T()));
    exponents = values >> (16 + Numbers::fraction_bits) & Numbers::exponent_max;
  }
  static TILEPROOF_INLINE void values_of(const Patterns& bits, Floats& values) {
    if constexpr (std::is_same_v<T, Bf16>) {
      values = reinterpret_cast<Floats>(bits);
    } else {  // as finite_value does it
      using Signed = std::int32_t __attribute__((vector_size(32)));
      const auto in_place = reinterpret_cast<Patterns>(reinterpret_cast<Signed>(bits) >> 3) & 0x8fffe000;
      values = reinterpret_cast<Floats>(in_place) * 0x1p112f;
    }
  }
  static TILEPROOF_INLINE bool none_of(const Patterns& flags) {
    std::uint64_t parts[4];
    std::memcpy(parts, &flags, sizeof parts);
    return (parts[0] | parts[1] | parts[2] | parts[3]) == 0;
  }
};

}  // namespace tileproof::kernels
