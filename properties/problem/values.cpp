#include "properties/problem/values.h"

#include "properties/problem/draw.h"
#include "properties/problem/named.h"
#include "reference/arithmetic.h"

namespace tileproof {

namespace {

using reference::FloatFormat;

std::uint32_t fraction_mask(FloatFormat f) { return (std::uint32_t{1} << f.fraction_bits) - 1; }
std::uint32_t magnitude(FloatFormat f, std::uint32_t pattern) { return pattern & (f.sign_bit() - 1); }
std::uint32_t with_sign(FloatFormat f, std::uint32_t pattern, std::uint64_t bits) {
  return pattern | ((bits >> 31 & 1) != 0 ? f.sign_bit() : 0);
}

/// 2^exponent, clamped to the normals of the format.
std::uint32_t power_of_two(FloatFormat f, std::int64_t exponent) {
  const std::int64_t field = exponent + f.bias();
  const std::int64_t top = (std::int64_t{1} << f.exponent_bits) - 2;
  return static_cast<std::uint32_t>(field < 1 ? 1 : field > top ? top : field) << f.fraction_bits;
}

/// A normal value with an exponent in lowest..highest.
std::uint32_t normal_within(FloatFormat f, std::uint64_t bits, std::int64_t lowest, std::int64_t highest) {
  const std::int64_t exponent = lowest + below(highest - lowest + 1, bits);
  return power_of_two(f, exponent) | (static_cast<std::uint32_t>(bits) & fraction_mask(f));
}

ScaleAndZero ordinary(FloatFormat f, std::uint64_t seed, std::uint64_t index) {
  const std::uint64_t bits = drawn(seed, stream::zeros, index);
  return {normal_within(f, drawn(seed, stream::scales, index), -10, 0),
          with_sign(f, normal_within(f, bits, -10, 3), bits)};
}

std::uint32_t member_of_some_class(FloatFormat f, std::uint64_t bits, bool finite_only) {
  const auto& classes = value_classes();
  for (std::uint64_t attempt = bits;; attempt = mixed(attempt + 1)) {
    const ValueClass& row =
        classes[static_cast<std::size_t>(below(static_cast<std::int64_t>(classes.size()), attempt))];
    if (row.finite || !finite_only) return row.member(f, mixed(attempt));
  }
}

ScaleAndZero edges(FloatFormat f, std::uint64_t seed, std::uint64_t index) {
  return {member_of_some_class(f, drawn(seed, stream::scales, index), false),
          member_of_some_class(f, drawn(seed, stream::zeros, index), false)};
}

/// Finite classes only, with scales so small that eight times a scale is finite.
ScaleAndZero finite_edges(FloatFormat f, std::uint64_t seed, std::uint64_t index) {
  std::uint32_t scale = member_of_some_class(f, drawn(seed, stream::scales, index), true);
  std::uint32_t zero = member_of_some_class(f, drawn(seed, stream::zeros, index), true);
  const std::uint32_t most = power_of_two(f, f.bias() - 6);
  if (magnitude(f, scale) > most) scale = (scale & f.sign_bit()) | most;
  if (magnitude(f, zero) > most) zero = (zero & f.sign_bit()) | most;
  return {scale, zero};
}

/// The zero is -(code - 8) * scale for one code, or a neighbour of that: the sum cancels, so a second rounding shows.
ScaleAndZero cancelling(FloatFormat f, std::uint64_t seed, std::uint64_t index) {
  const std::uint64_t bits = drawn(seed, stream::zeros, index);
  const std::uint32_t scale = normal_within(f, drawn(seed, stream::scales, index), -12, 6);
  const int steps = static_cast<int>(below(16, bits)) - 8;
  const std::uint32_t zero =
      reference::rounded(f, reference::product(reference::whole(-steps), reference::decode(f, scale)));
  const bool neighbour = (bits & 1) != 0 && magnitude(f, zero) != 0;
  return {scale, neighbour ? zero - 1 + (static_cast<std::uint32_t>(bits) & 2) : zero};
}

/// |zero| is far above |scale|: the product affects the sum only through rounding.
ScaleAndZero distant(FloatFormat f, std::uint64_t seed, std::uint64_t index) {
  const std::uint64_t bits = drawn(seed, stream::zeros, index);
  const std::int64_t apart = below(2 * f.fraction_bits + 4, mixed(bits));
  const std::uint64_t of_scale = drawn(seed, stream::scales, index);
  return {with_sign(f, normal_within(f, of_scale, -apart, -apart), of_scale),
          with_sign(f, normal_within(f, bits, 0, 2), bits)};
}

/// |scale| is far above |zero|, up to where a sum in fp32 or fp64 loses the zero. The zero then decides how a product
/// half way between two weights is rounded.
ScaleAndZero faint_zeros(FloatFormat f, std::uint64_t seed, std::uint64_t index) {
  const std::uint64_t bits = drawn(seed, stream::zeros, index);
  const std::uint64_t of_scale = drawn(seed, stream::scales, index);
  const std::int64_t exponent = below(16, mixed(of_scale)) - 4;
  const std::int64_t of_zero = exponent - below(3 * f.fraction_bits + 8, mixed(bits));
  const bool is_normal = of_zero > -f.bias();
  const std::uint32_t zero =
      is_normal ? normal_within(f, bits, of_zero, of_zero) : static_cast<std::uint32_t>(bits) & fraction_mask(f);
  return {with_sign(f, normal_within(f, of_scale, exponent, exponent), of_scale), with_sign(f, zero, bits)};
}

/// The products overflow; some zeros bring a sum back into range, and a few are NaN or infinite. Eight rows share one
/// scale exponent, so that code which decides for eight rows at a time must also look at their zeros.
ScaleAndZero overflowing(FloatFormat f, std::uint64_t seed, std::uint64_t index) {
  const std::uint64_t bits = drawn(seed, stream::zeros, index);
  const std::uint64_t of_scale = drawn(seed, stream::scales, index);
  const std::int64_t exponent = f.bias() - below(8, drawn(seed, stream::choice, index / 8));
  const bool is_number = below(16, mixed(bits)) != 0;
  const std::uint32_t zero = is_number ? normal_within(f, bits, f.bias() - 2, f.bias())
                                       : f.infinity() | (static_cast<std::uint32_t>(bits) & fraction_mask(f));
  return {with_sign(f, normal_within(f, of_scale, exponent, exponent), of_scale), with_sign(f, zero, bits)};
}

/// Every pattern is equally likely, including NaNs with payloads.
ScaleAndZero any(FloatFormat f, std::uint64_t seed, std::uint64_t index) {
  const auto shift = static_cast<unsigned>(64 - f.bits());
  return {static_cast<std::uint32_t>(drawn(seed, stream::scales, index) >> shift),
          static_cast<std::uint32_t>(drawn(seed, stream::zeros, index) >> shift)};
}

/// Each group of each row takes another profile, so special values are next to ordinary ones in one tensor.
ScaleAndZero mixed_profiles(FloatFormat f, std::uint64_t seed, std::uint64_t index) {
  constexpr ScaleAndZero (*parts[])(FloatFormat, std::uint64_t, std::uint64_t) = {ordinary, edges, cancelling, distant,
                                                                                  any};
  return parts[below(5, drawn(seed, stream::choice, index))](f, seed, index);
}

std::uint32_t largest_finite(FloatFormat f) { return f.has_infinity() ? f.infinity() - 1 : f.infinity(); }

/// The class of one magnitude, of either sign.
template <auto magnitude_in>
ValueClass of_magnitude(const char* name, bool finite = true) {
  return {name, finite, [](FloatFormat f, std::uint64_t bits) { return with_sign(f, magnitude_in(f), bits); },
          [](FloatFormat f, std::uint32_t p) { return magnitude(f, p) == magnitude_in(f); }};
}

std::uint32_t quiet_bit(FloatFormat f) { return (fraction_mask(f) + 1) >> 1; }

template <bool are_quiet>
ValueClass of_nans(const char* name) {
  return {name, false,
          [](FloatFormat f, std::uint64_t bits) {
            const std::uint32_t payload = static_cast<std::uint32_t>(bits) & (quiet_bit(f) - 1);
            const std::uint32_t least = f.has_infinity() ? f.infinity() : f.canonical_nan();
            return with_sign(f, least | (are_quiet ? quiet_bit(f) : 1) | payload, bits);
          },
          [](FloatFormat f, std::uint32_t p) { return f.is_nan(p) && ((p & quiet_bit(f)) != 0) == are_quiet; }};
}

}  // namespace

const std::vector<ValueClass>& value_classes() {
  static const std::vector<ValueClass> rows = {
      {"normal", true, [](FloatFormat f, std::uint64_t bits) { return normal_within(f, bits, -8, 4); },
       [](FloatFormat f, std::uint32_t p) {
         return p == magnitude(f, p) && p > fraction_mask(f) + 1 && p < largest_finite(f);
       }},
      {"negative", true, [](FloatFormat f, std::uint64_t bits) { return f.sign_bit() | normal_within(f, bits, -8, 4); },
       [](FloatFormat f, std::uint32_t p) {
         return p != magnitude(f, p) && magnitude(f, p) > fraction_mask(f) && magnitude(f, p) <= largest_finite(f);
       }},
      {"plus zero", true, [](FloatFormat, std::uint64_t) { return std::uint32_t{0}; },
       [](FloatFormat, std::uint32_t p) { return p == 0; }},
      {"minus zero", true, [](FloatFormat f, std::uint64_t) { return f.sign_bit(); },
       [](FloatFormat f, std::uint32_t p) { return p == f.sign_bit(); }},
      of_magnitude<[](FloatFormat) { return std::uint32_t{1}; }>("smallest subnormal"),
      of_magnitude<fraction_mask>("largest subnormal"),
      of_magnitude<[](FloatFormat f) { return fraction_mask(f) + 1; }>("smallest normal"),
      of_magnitude<largest_finite>("largest finite"),
      {"infinity", false, [](FloatFormat f, std::uint64_t bits) { return with_sign(f, f.infinity(), bits); },
       [](FloatFormat f, std::uint32_t p) { return f.has_infinity() && magnitude(f, p) == f.infinity(); }},
      of_nans<true>("quiet NaN"),
      of_nans<false>("signalling NaN"),
  };
  return rows;
}

const std::vector<Profile>& profiles() {
  static const std::vector<Profile> rows = {
      {ordinary_profile, "layout and indexing, with values as models have them", true, ordinary},
      {"finite-edges", "subnormals flushed, -0 lost, zeros", true, finite_edges},
      {"cancelling", "two roundings instead of one", true, cancelling},
      {"distant", "a product rounded before it is added", true, distant},
      {"faint-zeros", "a zero that decides a tie, lost before the rounding", true, faint_zeros, false},
      {"overflowing", "a product that becomes infinite before a zero brings it back", false, overflowing, false},
      {"edges", "NaN payloads kept, infinities clamped, overflow", false, edges},
      {"any", "whatever nobody thought of", false, any},
      {"mixed", "special values that leak into their neighbours", false, mixed_profiles},
  };
  return rows;
}

const Profile& profile_of(const std::string& name) { return row_in(profiles(), "--profile", name); }

}  // namespace tileproof
