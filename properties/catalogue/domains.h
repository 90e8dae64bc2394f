/// Predictions that the properties about the two domains compare with the weights. They are those of
/// reference/domains.h, or wrong ones that a test supplies.
#pragma once

#include <cstdint>
#include <optional>

#include "properties/case/case.h"
#include "reference/domains.h"

namespace tileproof::domains {

using reference::Exact;
using reference::FloatFormat;

struct Predictions {
  bool (*is_exact)(FloatFormat, std::uint32_t scale, int zero_point) = reference::conversion_is_exact;
  bool (*overflows)(FloatFormat, std::uint32_t scale, int zero_point) = reference::conversion_overflows;
  bool (*turns_a_zero)(FloatFormat, int code, std::uint32_t scale, int zero_point) = reference::conversion_turns_a_zero;
  Exact (*bound)(FloatFormat, int code, std::uint32_t scale, int zero_point) = reference::conversion_bound;
  std::optional<int> (*nearest)(FloatFormat, std::uint32_t scale, std::uint32_t zero) = reference::nearest_zero_point;
  Exact (*nearest_bound)(FloatFormat, int code, std::uint32_t scale, int zero_point) = reference::nearest_bound;
};

// The bodies of the properties. A case takes n * k points from `seed` on, in an order that visits each point of the
// domain once.
void conversion_rounds_where_predicted(Case&, const Predictions&);  // (scale, zero point) pairs
// (scale, zero point) pairs with all sixteen codes
void converted_weights_are_within_the_bound(Case&, const Predictions&);
void nearest_zero_point_is_the_nearest(Case&, const Predictions&);     // (scale, zero) pairs
void nearest_weights_are_within_the_bound(Case&, const Predictions&);  // (scale, zero) pairs with all sixteen codes

}  // namespace tileproof::domains
