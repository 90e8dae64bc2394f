/// MPFR as a slower, independent oracle of the specification's arithmetic: values in, one operation, one rounding, bits
/// out. It shares neither code nor constants with the specification.
#pragma once

#include <mpfr.h>

#include <cstdint>
#include <vector>

#include "properties/problem/problem.h"

namespace tileproof::mpfr {

// How MPFR rounds once to a format with subnormals: an operation rounds to the format's precision, to nearest even,
// with a practically unbounded exponent, and returns on which side of the exact result it landed. mpfr_check_range and
// mpfr_subnormalize use that when they bring the result into the format's range (MPFR manual, "Exception Related
// Functions").

/// An MPFR number. Its precision is what a result is rounded to; operands may have any precision.
class Number {
 public:
  explicit Number(mpfr_prec_t precision) { mpfr_init2(value_, precision); }
  /// @throws std::logic_error if the precision does not hold the value
  Number(mpfr_prec_t precision, double value);
  Number(Number&& other) noexcept {
    mpfr_init2(value_, MPFR_PREC_MIN);
    mpfr_swap(value_, other.value_);
  }
  Number(const Number&) = delete;
  Number& operator=(const Number&) = delete;
  Number& operator=(Number&&) = delete;
  ~Number() { mpfr_clear(value_); }

  mpfr_ptr get() { return value_; }
  mpfr_srcptr get() const { return value_; }

 private:
  mpfr_t value_;
};

/// A format in MPFR's terms: m * 2^e with 1/2 <= m < 1, where emin is the exponent of the smallest subnormal.
struct Form {
  int precision;
  int emin;
  int emax;
  int bits;
};
const Form& form_of(Type);

/// The value of a pattern. fp32 uses the machine's own value, bf16 is the upper half of an fp32, and fp16 follows the
/// formula of IEEE 754-2019, section 3.4.
double value_of(Type, std::uint32_t pattern);

/// Every value of a 16-bit format, indexed by pattern.
const std::vector<Number>& all_values(Type);

/// The pattern of an operation's result; a NaN becomes the hardware's NaN.
/// @param x        a number of the form's precision; changed to lie in the form's range
/// @param ternary  the operation's return value: the sign of x - exact
std::uint32_t settled(const Form&, mpfr_ptr x, int ternary);

/// Exact products of one value of at most 24 bits with each whole factor of a range, of at most 8 bits.
class Products {
 public:
  /// @param first, last  the range of factors, both included
  Products(int first, int last);
  void set(mpfr_srcptr value);
  const Number& of(int factor) const { return products_[static_cast<std::size_t>(factor - first_)]; }

 private:
  int first_;
  std::vector<Number> factors_;
  std::vector<Number> products_;
};

}  // namespace tileproof::mpfr
