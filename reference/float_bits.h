/// Floating-point values as bits, and one rounding from an exact value to bits.
///
/// Specifies the binary formats bf16, fp16 and fp32; two of eight bits: e8m0, which is a power of two, or NaN, and
/// e4m3, which has no infinity; and rounding to nearest, ties to even, subnormals kept. Every NaN that arithmetic makes
/// is the one the hardware makes: sign 0, all exponent and fraction bits 1 (0x7fff, 0x7fff, 0x7fffffff). Integers only:
/// nothing here depends on a compiler's or a machine's idea of floating point.
///
/// Source: IEEE 754-2019 sections 3.4 and 4.3.1; PTX ISA, "fma", for the canonical NaN; OCP Microscaling Formats (MX)
/// 1.0, section 5.4.1, for e8m0, and section 5.3.1 for e4m3.
#pragma once

#include <cstdint>

namespace tileproof::reference {

/// A binary interchange format: 1 sign bit, then exponent_bits, then fraction_bits. Without fraction bits, the exponent
/// alone: no sign, no zero, no infinity, and all ones are NaN.
struct FloatFormat {
  int exponent_bits;
  int fraction_bits;

  constexpr bool is_exponent() const { return fraction_bits == 0; }
  /// e4m3's largest exponent is one of numbers, of which all ones alone are NaN.
  constexpr bool has_infinity() const { return !is_exponent() && exponent_bits != 4; }
  constexpr int bits() const { return (is_exponent() ? 0 : 1) + exponent_bits + fraction_bits; }
  constexpr int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  /// The exponent of the last bit of a subnormal: the smallest positive value is 2^smallest_exponent.
  constexpr int smallest_exponent() const { return 1 - bias() - fraction_bits; }
  /// 0 where there is no sign.
  constexpr std::uint32_t sign_bit() const { return is_exponent() ? 0 : std::uint32_t{1} << (bits() - 1); }
  /// The bits beside the sign, all 1.
  constexpr std::uint32_t canonical_nan() const { return (std::uint32_t{1} << (exponent_bits + fraction_bits)) - 1; }
  /// The largest magnitude that is no NaN: finite where there is no infinity.
  constexpr std::uint32_t infinity() const {
    return has_infinity() ? ((std::uint32_t{1} << exponent_bits) - 1) << fraction_bits : canonical_nan() - 1;
  }
  constexpr bool is_nan(std::uint32_t pattern) const { return (pattern & canonical_nan()) > infinity(); }
  constexpr bool operator==(const FloatFormat&) const = default;
};

inline constexpr FloatFormat bf16{8, 7};
inline constexpr FloatFormat fp16{5, 10};
inline constexpr FloatFormat fp32{8, 23};
inline constexpr FloatFormat e8m0{8, 0};
inline constexpr FloatFormat e4m3{4, 3};

/// What kind of number an extended real is.
enum class Kind { finite, infinite, nan };

/// An extended real number: a zero with a sign, +-magnitude * 2^exponent, +-infinity, or NaN.
///
/// @tparam Units  what the magnitude is counted in: 64 bits, or 32 where a format of 16 bits is all there is to round
/// to
template <class Units>
struct ExactIn {
  using Kind = reference::Kind;
  Kind kind = Kind::finite;
  bool negative = false;
  Units magnitude = 0;  // 0 is a zero, whatever the exponent
  int exponent = 0;
};
using Exact = ExactIn<std::uint64_t>;

template <class Units>
inline constexpr int bits_of_units = 8 * static_cast<int>(sizeof(Units));

/// A function, as a device has no objects of namespaces: it reads an address of the host, where the copy is not folded.
template <class Units = std::uint64_t>
constexpr ExactIn<Units> not_a_number() {
  return {.kind = Kind::nan};
}

/// @param pattern  the bits of a value of the format, in the low format.bits() bits
template <class Units = std::uint64_t>
constexpr ExactIn<Units> decode(FloatFormat format, std::uint32_t pattern) {
  const bool negative = (pattern & format.sign_bit()) != 0;
  const std::uint32_t fraction = pattern & ((std::uint32_t{1} << format.fraction_bits) - 1);
  const int exponent = static_cast<int>((pattern & format.canonical_nan()) >> format.fraction_bits);
  if (format.is_nan(pattern)) return not_a_number<Units>();
  if (format.is_exponent()) return {.magnitude = 1, .exponent = exponent - format.bias()};
  if (format.has_infinity() && exponent == (1 << format.exponent_bits) - 1)
    return {.kind = Kind::infinite, .negative = negative};
  if (exponent == 0) return {.negative = negative, .magnitude = fraction, .exponent = format.smallest_exponent()};
  return {.negative = negative,
          .magnitude = fraction | Units{1} << format.fraction_bits,
          .exponent = exponent - 1 + format.smallest_exponent()};
}

/// The integer nearest to magnitude / 2^shift, ties to even; shift is 1 or more.
template <class Units>
constexpr Units shifted_right_to_nearest_even(Units magnitude, int shift) {
  constexpr int bits = bits_of_units<Units>;
  constexpr Units half = Units{1} << (bits - 1);
  if (shift >= bits) return shift == bits && magnitude > half ? 1 : 0;
  const Units kept = magnitude >> shift;
  const Units dropped = magnitude << (bits - shift);    // at the upper end, above at least one bit that is 0
  return kept + ((dropped | kept % 2) > half ? 1 : 0);  // more than half, or half and odd
}

/// The compiler's builtin, which a device compiler knows too: of the library's bit_width nvcc 13.0 makes 0, silently.
constexpr int bit_width(std::uint64_t magnitude) { return magnitude == 0 ? 0 : 64 - __builtin_clzll(magnitude); }
constexpr int bit_width(std::uint32_t magnitude) { return magnitude == 0 ? 0 : 32 - __builtin_clz(magnitude); }

/// The value of the format nearest to an exact value, ties to even: the one rounding.
/// The magnitude has at most one bit less than its units, so that a left shift to the format's precision cannot
/// overflow.
template <class Units = std::uint64_t>
constexpr std::uint32_t rounded(FloatFormat format, ExactIn<Units> value) {
  const std::uint32_t sign = value.negative ? format.sign_bit() : 0;
  if (value.kind != Kind::finite) {
    return value.kind == Kind::nan ? format.canonical_nan() : sign | format.infinity();
  }
  if (value.magnitude == 0) return sign;

  // The result's last bit weighs 2^unit: precision bits below the leading one, but never below the smallest subnormal.
  const int leading = value.exponent + bit_width(value.magnitude) - 1;
  int unit = leading - format.fraction_bits;
  if (unit < format.smallest_exponent()) unit = format.smallest_exponent();
  const int shift = unit - value.exponent;
  const Units units = shift > 0 ? shifted_right_to_nearest_even(value.magnitude, shift) : value.magnitude << -shift;

  // Exponent field and fraction in one addition: a carry out of the fraction is the next binade, or infinity.
  const Units pattern = (static_cast<Units>(unit - format.smallest_exponent()) << format.fraction_bits) + units;
  return sign | (pattern < format.infinity() ? static_cast<std::uint32_t>(pattern) : format.infinity());
}

namespace shown_before_anything_runs {
static_assert(rounded(bf16, decode(fp32, 0x3f808000)) == 0x3f80);  // a tie goes to the even neighbour below
static_assert(rounded(bf16, decode(fp32, 0x3f818000)) == 0x3f82);  // and above
static_assert(rounded(bf16, decode(fp32, 0x3f808001)) == 0x3f81);  // just over a tie
static_assert(rounded(bf16, decode(fp32, 0x7f7fffff)) == 0x7f80);  // the largest fp32 overflows bf16
static_assert(rounded(fp16, decode(fp32, 0x477fefff)) == 0x7bff);  // just under the fp16 overflow threshold
static_assert(rounded(fp16, decode(fp32, 0x477ff000)) == 0x7c00);  // 65520 is a tie between 65504 and 2^16
static_assert(rounded(fp16, decode(fp32, 0x33000000)) == 0x0000);  // half the smallest subnormal: even is zero
static_assert(rounded(fp16, decode(fp32, 0xb3000001)) == 0x8001);  // just over it
static_assert(rounded(bf16, decode(bf16, 0xff81)) == 0x7fff);      // a NaN loses its payload
static_assert(rounded(fp32, decode(bf16, 0x8001)) == 0x80010000);  // subnormals are kept
static_assert(rounded(bf16, decode(e8m0, 0)) == 0x0040);           // 2^-127 is a subnormal of bf16
static_assert(rounded(bf16, decode(e8m0, 254)) == 0x7f00);         // 2^127
static_assert(rounded(fp32, decode(e8m0, 255)) == 0x7fffffff);     // NaN
static_assert(rounded(e8m0, decode(fp32, 0x3f800000)) == 127);     // 1
static_assert(rounded(fp16, decode(e4m3, 0x7e)) == 0x5f00);        // 448, the largest
static_assert(rounded(fp16, decode(e4m3, 0x81)) == 0x9800);        // -2^-9, the smallest
static_assert(rounded(fp16, decode(e4m3, 0xff)) == 0x7fff);        // NaN
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
