// Value and group: every weight is rounded once, from its own group's scale and zero.
#include <cmath>
#include <sstream>

#include "properties/catalogue/digit_planes.h"
#include "properties/catalogue/enumerated_shapes.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/specification.h"
#include "reference/dequantize.h"

namespace tileproof {

namespace {

void every_weight_is_rounded_once(Case& c) {
  const Matrix<std::uint8_t> codes = c.codes();
  const Parameters parameters = c.parameters();
  const Matrix<std::uint32_t> weights = c.dequantize(specified::packed(*c.problem.format, codes), parameters);
  c.expect_equal(weights, specified::weights(c.problem, specified::as_int32(codes), parameters));
}

/// Finds the (group, row) whose scale, or zero, each weight was computed with, by digit planes in base 64 and their
/// complements; every float format holds these digits exactly.
/// For scales, code 10 with zero 0 gives twice the digit; for zeros, code 8 with scale 1 gives the digit. The factor of
/// two tells a scale from a zero that took its place. A zero point is the code minus the digit; where zero points are
/// limited to 0..15, digits are in base 16.
void own_group(Case& c, bool of_zero) {
  const Problem& p = c.problem;
  const int times = of_zero ? 0 : 2;
  const bool has_few_points = p.scheme->zero_kind == Zero::point && !p.scheme->zero_points.contains(-63);
  generated::Codes codes = generated::codes_of(p, generated::Codes::Kind::constant);
  codes.value = p.scheme->zero_kind == Zero::value ? 8 + times : times;
  if (of_zero && has_few_points) codes.value = p.scheme->zero_points.highest;
  const Planes planes = {of_zero && has_few_points ? 4 : 6, p.groups() * p.n};
  const auto plane_of = [&](int digit, bool complemented) {
    generated::Parameters plane = generated::parameters_of(
        p, of_zero ? generated::Parameters::Kind::zero_digit : generated::Parameters::Kind::scale_digit);
    plane.digit_bits = planes.bits_of_digit;
    plane.zero_base = p.scheme->zero_kind == Zero::point && of_zero ? codes.value : 0;
    plane.shift = planes.bits_of_digit * digit;
    plane.flip = complemented ? 1 : 0;
    return plane;
  };
  const auto digit_in = [&](std::uint32_t weight) -> std::int64_t {
    const double digit = specified::value(float_format_of(p.types.weight), weight) / (of_zero ? 1 : times);
    const bool is_digit = digit >= 0 && digit < static_cast<double>(planes.base()) && digit == std::floor(digit);
    return is_digit ? static_cast<std::int64_t>(digit) : -1;
  };
  const auto number_at = [&](std::int64_t element) { return element % p.k / p.group_size * p.n + element / p.k; };

  /// The digits that arrive at some weights in all planes and their complements.
  const auto seen_at = [&](const std::vector<std::int64_t>& elements) {
    std::vector<ElementInPlanes> seen;
    for (const std::int64_t element : elements) seen.push_back({number_at(element), {}, {}});
    for (int digit = 0; digit < planes.digits(); ++digit) {
      for (const bool complemented : {false, true}) {
        const GeneratedResult judged = c.dequantize(codes, plane_of(digit, complemented), elements);
        for (std::size_t i = 0; i < seen.size(); ++i) {
          const std::uint32_t weight = judged.read.at(i);
          (complemented ? seen[i].complements : seen[i].plain)
              .push_back({planes.digit_of(seen[i].number, digit, complemented), digit_in(weight), weight});
        }
      }
    }
    return seen;
  };
  for (int digit = 0; digit < planes.digits(); ++digit) {
    for (const bool complemented : {false, true}) {
      const GeneratedResult judged = c.dequantize(codes, plane_of(digit, complemented));
      if (judged.differences.wrong == 0) continue;
      std::vector<std::int64_t> elements;
      for (const Differences::One& one : judged.differences.listed) elements.push_back(one.index);
      const std::vector<ElementInPlanes> seen = seen_at(elements);
      const Arrival arrival = arrival_of(planes, seen);
      const char* parameter = of_zero ? "zero" : "scale";
      std::ostringstream text;
      text << judged.differences.wrong << " of " << p.n * p.k
           << (judged.differences.wrong == 1 ? " weights is" : " weights are") << " wrong in the plane of digit "
           << digit << " of the " << parameter << "s" << (complemented ? ", complemented. " : ". ")
           << arrival_text(arrival, seen,
                           std::string("Each was made with another ") + parameter + ", by its number group * n + row:");
      for (std::size_t i = 0; i < elements.size(); ++i) {
        text << "\n  " << place_text(p, elements[i] / p.k, elements[i] % p.k) << ": expected ";
        const std::optional<std::int64_t> from = source_of(planes, seen[i]);
        if (arrival == Arrival::moved) {
          text << seen[i].number << ", got ";
          if (from) text << *from << ", which is of group " << *from / p.n << ", row " << *from % p.n;
          if (!from) text << "0 in every plane, which is of none";
        } else {
          const std::int64_t sent = planes.digit_of(seen[i].number, digit, complemented);
          const std::uint32_t got = judged.differences.listed[i].got;
          const std::int64_t arrived = digit_in(got);
          text << "digit " << sent << ", got ";
          if (arrived >= 0 && arrived != sent) {
            text << arrived;
          } else {
            text << "the weight " << weight_text(p, got);
          }
        }
      }
      Failure failure("mismatch", text.str());
      // A constant digit need not be stale data: the result may not depend on the parameter at all.
      failure.cause = arrival == Arrival::moved ? "" : "value";
      throw failure;
    }
  }
}

void difference_from_unpack(Case& c) {
  const std::vector<std::uint32_t> packed = specified::packed(*c.problem.format, c.codes());
  const Parameters parameters = c.parameters();
  const Matrix<std::int32_t> codes = c.unpack(packed);
  c.expect_equal(c.dequantize(packed, parameters), specified::weights(c.problem, codes, parameters));
}

std::vector<std::string> names_of_profiles() {
  return {"ordinary", "finite-edges", "cancelling", "distant", "faint-zeros", "overflowing", "edges", "any", "mixed"};
}

}  // namespace

std::vector<Property> value_properties() {
  const std::vector<const CoverageGoals*> values = {
      &every_code_at_every_nibble, &every_format, &with_padding,   &several_groups,
      &every_class_of_scale,       &every_type,   &both_alignments};
  const std::vector<const CoverageGoals*> groups = {&every_format,   &with_padding,
                                                    &several_groups, &groups_around_a_block,
                                                    &unusual_groups, &more_groups_than_a_group_has_columns,
                                                    &not_square};
  const auto drawn_from = [](std::vector<const Scheme*> schemes, std::vector<std::string> profiles) {
    return Sampling{.schemes = std::move(schemes), .profiles = std::move(profiles)};
  };
  return {
      {"value/float_domain_rounds_once",
       "two roundings, subnormals flushed, -0 lost, NaN payloads, overflow",
       {Operation::dequantize},
       values,
       drawn_from(schemes_with(Zero::value), names_of_profiles()),
       every_weight_is_rounded_once},
      {"value/integer_domain_rounds_once",
       "the same; zero points sign-extended wrongly",
       {Operation::dequantize},
       values,
       drawn_from(schemes_with(Zero::point), {"ordinary", "edges", "any"}),
       every_weight_is_rounded_once},
      {"value/no_zero_point_rounds_once",
       "the same; a midpoint subtracted that nobody asked for",
       {Operation::dequantize},
       values,
       drawn_from(schemes_with(Zero::none), {"ordinary", "edges", "any"}),
       every_weight_is_rounded_once},
      proved_over_shapes({"group/every_weight_uses_its_own_scale",
                          "group indexing of every kind",
                          {Operation::dequantize},
                          groups,
                          drawn_from(every_scheme(), {"ordinary"}),
                          [](Case& c) { own_group(c, false); }}),
      proved_over_shapes({"group/every_weight_uses_its_own_zero",
                          "the same, for zeros and zero points",
                          {Operation::dequantize},
                          groups,
                          drawn_from(schemes_with_zeros(), {"ordinary"}),
                          [](Case& c) { own_group(c, true); }}),
      {"difference/dequantize_equals_unpack_then_arithmetic",
       "two walks over the layout that differ",
       {Operation::unpack, Operation::dequantize},
       values,
       drawn_from(every_scheme(), names_of_profiles()),
       difference_from_unpack},
  };
}

}  // namespace tileproof
