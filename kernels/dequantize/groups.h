/// Domains load the parameters of a group, and compute weights of its codes with one rounding.
#pragma once

#include "kernels/device.h"
#include "kernels/formats.h"

namespace tileproof::kernels {

inline constexpr int midpoint_of_codes = 8;

// Scales and zeros that lie [expert][group][n]. `group_row` is a place there.

template <class T>
struct FloatDomain {
  const typename T::Bits* scales_and_zeros;  // [expert][group][n][2]
  bool pairs_are_aligned;

  explicit FloatDomain(const void* scales, const std::int8_t* /*zero_points*/)
      : scales_and_zeros(static_cast<const typename T::Bits*>(scales)),
        pairs_are_aligned(reinterpret_cast<std::uintptr_t>(scales) % (2 * sizeof(typename T::Bits)) == 0) {}

  struct Parameters {
    decltype(T::biased(0)) offset;
    typename T::Value scale, zero;
  };
  TILEPROOF_DEVICE Parameters of(std::int64_t group_row) const {
    const typename T::Bits* scale_and_zero = scales_and_zeros + group_row * 2;
    if (pairs_are_aligned) {
      const auto two = loaded_two(scale_and_zero);
      return {T::biased_by_code(midpoint_of_codes), T::from_bits(two.x), T::from_bits(two.y)};
    }
    return {T::biased_by_code(midpoint_of_codes), T::from_bits(loaded(scale_and_zero)),
            T::from_bits(loaded(scale_and_zero + 1))};
  }
  static TILEPROOF_DEVICE std::uint32_t weight(std::uint32_t codes, const Parameters& p) {
    return T::fma(T::minus(codes, p.offset), p.scale, p.zero);
  }
};

template <class T>
struct IntegerDomain {
  const typename T::Bits* scales;
  const std::int8_t* zero_points;

  explicit IntegerDomain(const void* its_scales, const std::int8_t* its_zero_points)
      : scales(static_cast<const typename T::Bits*>(its_scales)), zero_points(its_zero_points) {}

  struct Parameters {
    decltype(T::biased(0)) offset;
    typename T::Value scale;
  };
  TILEPROOF_DEVICE Parameters of(std::int64_t group_row) const {
    return {T::biased(loaded(zero_points + group_row)), T::from_bits(loaded(scales + group_row))};
  }
  static TILEPROOF_DEVICE std::uint32_t weight(std::uint32_t codes, const Parameters& p) {
    return T::product(T::minus(codes, p.offset), p.scale);
  }
};

template <class T>
struct NoZeroPoint {
  const typename T::Bits* scales;

  explicit NoZeroPoint(const void* its_scales, const std::int8_t* /*zero_points*/)
      : scales(static_cast<const typename T::Bits*>(its_scales)) {}

  struct Parameters {
    decltype(T::biased(0)) offset;
    typename T::Value scale;
  };
  TILEPROOF_DEVICE Parameters of(std::int64_t group_row) const {
    return {T::biased_by_code(0), T::from_bits(loaded(scales + group_row))};
  }
  static TILEPROOF_DEVICE std::uint32_t weight(std::uint32_t codes, const Parameters& p) {
    return T::product(T::minus(codes, p.offset), p.scale);
  }
};

/// The weights of a store, all of one group.
/// @param pairs  two codes each, 16 bits apart, in order
template <class T, class DomainOfT>
TILEPROOF_DEVICE Quad weights_of(const std::uint32_t (&pairs)[8 / sizeof(typename T::Bits)], const DomainOfT&,
                                 const typename DomainOfT::Parameters& p) {
  if constexpr (sizeof(typename T::Bits) == 2) {
    return {DomainOfT::weight(pairs[0], p), DomainOfT::weight(pairs[1], p), DomainOfT::weight(pairs[2], p),
            DomainOfT::weight(pairs[3], p)};
  } else {
    return {DomainOfT::weight(pairs[0] & 0xffff, p), DomainOfT::weight(pairs[0] >> 16, p),
            DomainOfT::weight(pairs[1] & 0xffff, p), DomainOfT::weight(pairs[1] >> 16, p)};
  }
}

/// The zero points of columns 2i and 2i + 1 of a packed word's eight, 16 bits apart.
template <ZeroPoints kind>
TILEPROOF_DEVICE std::uint32_t zero_points_of_two(std::uint32_t word, int i) {
  if constexpr (kind == ZeroPoints::as_awq) {
    return word >> (4 * i) & 0x000f000fu;
  } else {
    const std::uint32_t two = word >> (8 * i);
    const std::uint32_t stored = (two & 15u) | (two & 0xf0u) << 12;
    return kind == ZeroPoints::in_order_less_1 ? stored + 0x00010001u : stored;
  }
}

/// Packed zero points beside scales, of neighbouring n: those of a store, which a group of k shares.
template <class T, ZeroPoints kind>
struct PackedZeroPoints {
  static constexpr bool is_in_twos = sizeof(typename T::Bits) == 2;
  static constexpr int values = 4;  // of a store: registers

  const void* scales;          // [expert][group][n], aligned to 16 bytes
  const std::uint32_t* zeros;  // [expert][group][n / 8]

  struct Parameters {
    decltype(T::offset_of_values(0)) offset[values];
    typename T::Value scale[values];
  };
  /// @param group_row  a place in the scales, of the first n
  TILEPROOF_DEVICE Parameters of(std::int64_t group_row) const {
    const Quad quad = loaded_quad(static_cast<const typename T::Bits*>(scales) + group_row);
    const std::uint32_t bits[values] = {quad.x, quad.y, quad.z, quad.w};
    const std::uint32_t word = loaded(zeros + group_row / 8);
    const int first = is_in_twos ? 0 : static_cast<int>(group_row % 8) / 2;
    Parameters p;
    TILEPROOF_UNROLL
    for (int i = 0; i < values; ++i) {
      const std::uint32_t two = zero_points_of_two<kind>(word, is_in_twos ? i : first + i / 2);
      p.offset[i] = T::offset_of_values(is_in_twos ? two : i % 2 == 0 ? two & 0xffff : two >> 16);
      p.scale[i] = T::from_values(bits[i]);
    }
    return p;
  }
  /// Without a scale: of a group that is not there.
  static TILEPROOF_DEVICE Parameters nothing() {
    Parameters p;
    TILEPROOF_UNROLL
    for (int i = 0; i < values; ++i) {
      p.offset[i] = T::offset_of_values(0);
      p.scale[i] = T::from_values(0xffffffffu);  // NaN
    }
    return p;
  }
};

/// As above: of a store whose columns are of different groups.
template <class T, ZeroPoints kind>
TILEPROOF_DEVICE Quad weights_of(const std::uint32_t (&pairs)[8 / sizeof(typename T::Bits)],
                                 const PackedZeroPoints<T, kind>&,
                                 const typename PackedZeroPoints<T, kind>::Parameters& p) {
  const auto weight = [&](int i) {
    const std::uint32_t codes = sizeof(typename T::Bits) == 2 ? pairs[i]
                                : i % 2 == 0                  ? pairs[i / 2] & 0xffff
                                                              : pairs[i / 2] >> 16;
    return T::product(T::minus(codes, p.offset[i]), p.scale[i]);
  };
  return {weight(0), weight(1), weight(2), weight(3)};
}

/// One packed zero point and scale, where codes are taken one by one.
template <class T>
struct PackedZeroPoint {
  const typename T::Bits* scales;  // [expert][group][n]
  const std::uint32_t* zeros;      // [expert][group][n / 8]
  ZeroPoints kind;

  using Parameters = typename IntegerDomain<T>::Parameters;
  TILEPROOF_DEVICE Parameters of(std::int64_t group_row) const {
    const int column = static_cast<int>(group_row % 8);
    const int nibble = kind == ZeroPoints::as_awq ? column / 2 + column % 2 * 4 : column;
    const int stored = static_cast<int>(loaded(zeros + group_row / 8) >> (4 * nibble) & 15u);
    return {T::biased(stored + (kind == ZeroPoints::in_order_less_1 ? 1 : 0)),
            T::from_bits(loaded(scales + group_row))};
  }
  static TILEPROOF_DEVICE std::uint32_t weight(std::uint32_t codes, const Parameters& p) {
    return IntegerDomain<T>::weight(codes, p);
  }
};

}  // namespace tileproof::kernels
