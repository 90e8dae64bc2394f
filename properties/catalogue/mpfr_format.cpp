#include "properties/catalogue/mpfr_format.h"

#include <bit>
#include <cmath>
#include <stdexcept>

namespace tileproof::mpfr {

Number::Number(mpfr_prec_t precision, double value) : Number(precision) {
  if (mpfr_set_d(value_, value, MPFR_RNDN) != 0) {
    throw std::logic_error("the oracle rounded a value that it was given");
  }
}

const Form& form_of(Type type) {
  static constexpr Form bf16{8, -132, 128, 16};
  static constexpr Form fp16{11, -23, 16, 16};
  static constexpr Form fp32{24, -148, 128, 32};
  return type == Type::bf16 ? bf16 : type == Type::fp16 ? fp16 : fp32;
}

double value_of(Type type, std::uint32_t pattern) {
  if (type == Type::fp32) return std::bit_cast<float>(pattern);
  if (type == Type::bf16) return std::bit_cast<float>(pattern << 16);
  const double sign = pattern < 0x8000 ? 1 : -1;
  const int exponent = static_cast<int>(pattern / 1024 % 32);
  const int fraction = static_cast<int>(pattern % 1024);
  if (exponent == 31) return fraction != 0 ? NAN : sign * INFINITY;
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

namespace {

std::vector<Number> made_values(Type type) {
  std::vector<Number> values;
  values.reserve(65536);
  for (std::uint32_t pattern = 0; pattern < 65536; ++pattern) {
    values.emplace_back(form_of(type).precision, value_of(type, pattern));
  }
  return values;
}

}  // namespace

const std::vector<Number>& all_values(Type type) {
  if (type == Type::fp32) throw std::logic_error("the values of fp32 are too many for a table");
  static const std::vector<Number> bf16 = made_values(Type::bf16);
  static const std::vector<Number> fp16 = made_values(Type::fp16);
  return type == Type::bf16 ? bf16 : fp16;
}

std::uint32_t settled(const Form& form, mpfr_ptr x, int ternary) {
  const auto is_normal = [&] {
    return mpfr_regular_p(x) != 0 && mpfr_get_exp(x) >= form.emin + form.precision - 1 && mpfr_get_exp(x) <= form.emax;
  };
  if (!is_normal()) {
    const mpfr_exp_t emin = mpfr_get_emin();
    const mpfr_exp_t emax = mpfr_get_emax();
    mpfr_set_emin(form.emin);
    mpfr_set_emax(form.emax);
    mpfr_subnormalize(x, mpfr_check_range(x, ternary, MPFR_RNDN), MPFR_RNDN);
    mpfr_set_emin(emin);
    mpfr_set_emax(emax);
  }
  const std::uint32_t sign = mpfr_signbit(x) != 0 ? std::uint32_t{1} << (form.bits - 1) : 0;
  const std::uint32_t one_binade = std::uint32_t{1} << (form.precision - 1);
  const std::uint32_t infinity = ((std::uint32_t{1} << (form.bits - form.precision)) - 1) * one_binade;
  if (mpfr_nan_p(x) != 0) return infinity | (one_binade - 1);
  if (mpfr_inf_p(x) != 0) return sign | infinity;
  if (mpfr_zero_p(x) != 0) return sign;
  // The significand's leading 1 is the highest bit of its only limb. A subnormal of rank r has r significant bits.
  static_assert(GMP_NUMB_BITS == 64);
  const mp_limb_t significand = *static_cast<const mp_limb_t*>(mpfr_custom_get_significand(x));
  const auto rank = static_cast<int>(mpfr_get_exp(x)) - form.emin + 1;  // 1 for the smallest subnormal
  if (rank < form.precision) return sign | static_cast<std::uint32_t>(significand >> (64 - rank));
  const auto fraction = static_cast<std::uint32_t>(significand << 1 >> (64 - form.precision + 1));
  return sign | (static_cast<std::uint32_t>(rank - form.precision + 1) * one_binade + fraction);
}

Products::Products(int first, int last) : first_(first) {
  for (int factor = first; factor <= last; ++factor) {
    factors_.emplace_back(mpfr_prec_t{9}, factor);
    products_.emplace_back(mpfr_prec_t{33});
  }
}

void Products::set(mpfr_srcptr value) {
  for (std::size_t i = 0; i < factors_.size(); ++i) {
    if (mpfr_mul(products_[i].get(), factors_[i].get(), value, MPFR_RNDN) != 0) {
      throw std::logic_error("the oracle rounded a product that was to be exact");
    }
  }
}

}  // namespace tileproof::mpfr
