/// Converting a zero point between the integer and the float domain.
///
/// Both domains describe code * scale + constant, so
///
///   zero = (8 - zero_point) * scale        zero_point = 8 - zero / scale
///
/// The first rounds once, to the format of the scale, where 8 - zero_point has more significant bits than the format
/// has to spare; the second is exact only where the quotient is a whole number within int8, and otherwise has no
/// answer.
#pragma once

#include <cstdint>
#include <optional>

#include "arithmetic.h"
#include "dequantize.h"

namespace tileproof::reference {

/// @param scale  bits of a value of the format
/// @return       the float-domain zero, rounded once
constexpr std::uint32_t float_zero_of(Format format, std::uint32_t scale, int zero_point) {
  return rounded(format, product(whole(float_domain_midpoint - zero_point), decode(format, scale)));
}

/// @return the zero point -128..127 whose float-domain zero is exactly `zero`, if there is one; scale finite and not
/// zero
constexpr std::optional<int> zero_point_of(Format format, std::uint32_t scale, std::uint32_t zero) {
  const Exact exact_scale = decode(format, scale);
  const Exact exact_zero = decode(format, zero);
  const bool both_finite = exact_scale.kind == Exact::Kind::finite && exact_zero.kind == Exact::Kind::finite;
  if (!both_finite || exact_scale.magnitude == 0) return std::nullopt;
  for (int zero_point = -128; zero_point <= 127; ++zero_point) {
    const Exact difference = sum(product(whole(float_domain_midpoint - zero_point), exact_scale), negated(exact_zero));
    if (difference.magnitude == 0) return zero_point;
  }
  return std::nullopt;
}

namespace shown_before_anything_runs {
static_assert(float_zero_of(bf16, 0x3f80, 8) == 0x0000);
static_assert(float_zero_of(bf16, 0x3f80, 0) == 0x4100);
static_assert(zero_point_of(bf16, 0x3f80, 0x4100) == 0);
static_assert(!zero_point_of(bf16, 0x3f80, 0x3f00));      // half a scale: between two codes
static_assert(float_zero_of(bf16, 0x3fff, 3) == 0x411f);  // 5 * 1.9921875 = 9.9609375 rounds: no way back
static_assert(!zero_point_of(bf16, 0x3fff, 0x411f));
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
