/// MPFR as an oracle: binary formats in its terms, one rounding to a pattern, and a count of what was compared.
///
/// How MPFR rounds once: an operation rounds to the format's precision, to nearest even, with exponents as good as
/// unbounded, and says on which side of the exact result it landed; mpfr_check_range and mpfr_subnormalize take that
/// into account when they bring the result into the format's range. (MPFR manual, "Exception Related Functions".)
#pragma once

#include <gtest/gtest.h>
#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "reference/float_bits.h"

namespace tileproof::reference {

/// A format in MPFR's terms: m * 2^e with 1/2 <= m < 1, where emin is the exponent of the smallest subnormal.
struct Emulated {
  const char* name;
  FloatFormat format;
  mpfr_prec_t precision;
  mpfr_exp_t emin;
  mpfr_exp_t emax;
};

inline constexpr Emulated emulated_bf16{"bf16", bf16, 8, -132, 128};
inline constexpr Emulated emulated_fp16{"fp16", fp16, 11, -23, 16};
inline constexpr Emulated emulated_fp32{"fp32", fp32, 24, -148, 128};

inline void PrintTo(const Emulated& in, std::ostream* out) { *out << in.name; }

/// A number of MPFR. The precision decides what a result of that size is rounded to; operands may have any.
class Real {
 public:
  explicit Real(mpfr_prec_t precision) { mpfr_init2(value_, precision); }
  Real(mpfr_prec_t precision, double value) : Real(precision) { inexact_ = mpfr_set_d(value_, value, MPFR_RNDN) != 0; }
  Real(Real&& other) noexcept : inexact_(other.inexact_) {
    mpfr_init2(value_, MPFR_PREC_MIN);
    mpfr_swap(value_, other.value_);
  }
  Real(const Real&) = delete;
  Real& operator=(const Real&) = delete;
  ~Real() { mpfr_clear(value_); }

  mpfr_ptr get() { return value_; }
  mpfr_srcptr get() const { return value_; }
  bool was_set_exactly() const { return !inexact_; }

 private:
  mpfr_t value_;
  bool inexact_ = false;
};

/// The value of a pattern: the machine's own for fp32, of which bf16 is the upper half; IEEE 754 section 3.4's formula
/// for fp16.
inline double value_of(FloatFormat format, std::uint32_t pattern) {
  if (format == fp32) return std::bit_cast<float>(pattern);
  if (format == bf16) return std::bit_cast<float>(pattern << 16);
  const double sign = pattern < 0x8000 ? 1 : -1;
  const int exponent = static_cast<int>(pattern / 1024 % 32);
  const int fraction = static_cast<int>(pattern % 1024);
  if (exponent == 31) return fraction != 0 ? NAN : sign * INFINITY;
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

/// The pattern of a value of the format; the hardware's NaN.
inline std::uint32_t pattern_of(FloatFormat format, double value) {
  if (std::isnan(value)) return format == fp32 ? 0x7fffffff : 0x7fff;
  if (format == fp32) return std::bit_cast<std::uint32_t>(static_cast<float>(value));
  if (format == bf16) return std::bit_cast<std::uint32_t>(static_cast<float>(value)) >> 16;
  const std::uint32_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(value);
  if (magnitude < 0x1p-14) return sign | static_cast<std::uint32_t>(magnitude * 0x1p24);
  if (std::isinf(magnitude)) return sign | 0x7c00;
  // The fields of a double, less 42 bits of fraction, less the difference of the two biases.
  return sign | static_cast<std::uint32_t>((std::bit_cast<std::uint64_t>(magnitude) >> 42) - ((1023 - 15) << 10));
}

/// The pattern of an operation's result.
/// @param x        at the format's precision
/// @param ternary  what the operation returned: the sign of x - exact
inline std::uint32_t settled(const Emulated& in, mpfr_ptr x, int ternary) {
  const bool is_normal =
      mpfr_regular_p(x) != 0 && mpfr_get_exp(x) >= in.emin + in.precision - 1 && mpfr_get_exp(x) <= in.emax;
  if (!is_normal) {
    const mpfr_exp_t emin = mpfr_get_emin();
    const mpfr_exp_t emax = mpfr_get_emax();
    mpfr_set_emin(in.emin);
    mpfr_set_emax(in.emax);
    mpfr_subnormalize(x, mpfr_check_range(x, ternary, MPFR_RNDN), MPFR_RNDN);
    mpfr_set_emin(emin);
    mpfr_set_emax(emax);
  }
  return pattern_of(in.format, mpfr_get_d(x, MPFR_RNDN));
}

inline std::uint32_t settled(const Emulated& in, const Real& exact) {
  Real x(in.precision);
  return settled(in, x.get(), mpfr_set(x.get(), exact.get(), MPFR_RNDN));
}

/// Counts what was compared, by class of the expected result, and keeps the first ten differences as text.
class Comparison {
 public:
  explicit Comparison(FloatFormat format) : format_(format) {}

  template <class... Inputs>
  void add(std::uint32_t expected, std::uint32_t got, Inputs... inputs) {
    ++compared;
    const std::uint32_t magnitude = expected & (format_.sign_bit() - 1);
    if (magnitude > format_.infinity()) ++nan;
    if (magnitude == format_.infinity()) ++infinite;
    if (magnitude == 0) ++(expected == 0 ? plus_zero : minus_zero);
    if (magnitude != 0 && magnitude >> format_.fraction_bits == 0) ++subnormal;
    if (expected == got) return;
    if (++different > 10) return;
    std::ostringstream line;
    line << std::hex << "\n  expected " << expected << ", got " << got << ", from";
    ((line << ' ' << inputs), ...);
    first_differences += line.str();
  }

  std::int64_t compared = 0, different = 0, nan = 0, infinite = 0, plus_zero = 0, minus_zero = 0, subnormal = 0;
  std::string first_differences;

 private:
  FloatFormat format_;
};

/// A judgement that compared too little, or never met a class of results, proves little and fails.
struct AtLeast {
  std::int64_t compared;
  std::int64_t of_each_class;
};

inline void expect_no_difference(const Comparison& comparison, AtLeast least) {
  EXPECT_EQ(comparison.different, 0) << "of " << comparison.compared << comparison.first_differences;
  EXPECT_GE(comparison.compared, least.compared);
  EXPECT_GE(comparison.nan, least.of_each_class);
  EXPECT_GE(comparison.infinite, least.of_each_class);
  EXPECT_GE(comparison.plus_zero, least.of_each_class);
  EXPECT_GE(comparison.minus_zero, least.of_each_class);
  EXPECT_GE(comparison.subnormal, least.of_each_class);
}

/// Patterns of every class of a format, both signs.
inline std::vector<std::uint32_t> patterns_of_every_class(FloatFormat format) {
  const std::uint32_t fraction = (std::uint32_t{1} << format.fraction_bits) - 1;
  const std::uint32_t one = static_cast<std::uint32_t>(format.bias()) << format.fraction_bits;
  std::vector<std::uint32_t> patterns;
  for (const std::uint32_t magnitude :
       {std::uint32_t{0}, std::uint32_t{1}, fraction, fraction + 1, one, format.infinity() - 1, format.infinity()}) {
    patterns.push_back(magnitude);
    patterns.push_back(format.sign_bit() | magnitude);
  }
  const std::uint32_t signalling = format.infinity() + 1;
  const std::uint32_t quiet_with_payload = format.infinity() + 2 + fraction / 2;
  for (const std::uint32_t pattern :
       {signalling, format.sign_bit() | quiet_with_payload, one + 1, format.sign_bit() | (one - 1)}) {
    patterns.push_back(pattern);
  }
  return patterns;
}

/// A pattern whose exponent is that of `near` plus a distance, where there is such an exponent; fraction and sign are
/// drawn.
inline std::uint32_t pattern_near(FloatFormat format, std::uint32_t near, int distance, std::uint64_t drawn) {
  const int largest_exponent = (1 << format.exponent_bits) - 2;
  const int exponent = static_cast<int>((near & format.infinity()) >> format.fraction_bits);
  const int moved = std::clamp(exponent + distance, 0, largest_exponent);
  const std::uint32_t sign_and_fraction = ~format.infinity() & (format.sign_bit() | (format.sign_bit() - 1));
  return static_cast<std::uint32_t>(moved) << format.fraction_bits |
         (static_cast<std::uint32_t>(drawn) & sign_and_fraction);
}

}  // namespace tileproof::reference
