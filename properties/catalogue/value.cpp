// Value and group: every weight is rounded once, from its own group's scale and zero.
#include <cmath>
#include <sstream>

#include "properties/case/calls.h"
#include "properties/catalogue/digit_planes.h"
#include "properties/catalogue/enumerated_shapes.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/specification.h"
#include "reference/dequantize.h"

namespace tileproof {

namespace {

void every_weight_is_rounded_once(Case& c) {
  const CallData data = drawn_data(c, Operation::dequantize);
  expect_specified(c, Operation::dequantize, data, c.run(Operation::dequantize, data));
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
  const auto run = [&](int digit, bool complemented, const std::vector<std::int64_t>& wanted) {
    generated::Parameters plane = generated::parameters_of(
        p, of_zero ? generated::Parameters::Kind::zero_digit : generated::Parameters::Kind::scale_digit);
    plane.digit_bits = planes.bits_of_digit;
    plane.zero_base = p.scheme->zero_kind == Zero::point && of_zero ? codes.value : 0;
    plane.shift = planes.bits_of_digit * digit;
    plane.flip = complemented ? 1 : 0;
    return c.run(Operation::dequantize, codes, plane, wanted);
  };
  const auto digit_in = [&](std::uint32_t weight, const WrongPlace&) {
    const double digit = specified::value(float_format_of(p.types.weight), weight) / (of_zero ? 1 : times);
    const bool is_digit = digit >= 0 && digit < static_cast<double>(planes.base()) && digit == std::floor(digit);
    return std::pair(is_digit ? static_cast<std::int64_t>(digit) : std::int64_t{-1}, weight);
  };
  const auto wrong_in = [&](const Differences::One& one, const auto&) {
    const std::int64_t row = one.index / p.k, column = one.index % p.k;
    return std::vector<WrongPlace>{{column / p.group_size * p.n + row, row, column, one.index, one.got}};
  };
  const auto source_text = [&](std::optional<std::int64_t> from) {
    if (!from) return std::string("0 in every plane, which is of none");
    return std::to_string(*from) + ", which is of group " + std::to_string(*from / p.n) + ", row " +
           std::to_string(*from % p.n);
  };
  const auto got_text = [&](const WrongPlace& place, std::int64_t sent) {
    const std::int64_t arrived = digit_in(place.got, place).first;
    return arrived >= 0 && arrived != sent ? std::to_string(arrived) : "the weight " + weight_text(p, place.got);
  };
  const std::string parameter = of_zero ? "zero" : "scale";
  expect_every_plane_arrives(
      p, {.planes = planes,
          .run = run,
          .wrong_in = wrong_in,
          .read = digit_in,
          .elements = std::to_string(p.n * p.k) + " weights",
          .of_numbers = " of the " + parameter + "s",
          .moved = "Each was made with another " + parameter + ", by its number group * n + row:",
          .digit = "digit ",
          .source_text = source_text,
          .got_text = got_text,
          // A constant digit need not be stale data: the result may not depend on the parameter at all.
          .cause = [](Arrival arrival) { return arrival == Arrival::moved ? "" : "value"; }});
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
  const auto row = [](const char* name, const char* finds, const std::vector<const CoverageGoals*>& meets,
                      std::vector<const Scheme*> schemes, std::vector<std::string> profiles,
                      std::function<void(Case&)> body) {
    return Property{.name = name,
                    .finds = finds,
                    .needs = {Operation::dequantize},
                    .meets = meets,
                    .sampling = {.schemes = std::move(schemes), .profiles = std::move(profiles)},
                    .body = std::move(body)};
  };
  std::vector<Property> rows = {
      row("value/float_domain_rounds_once", "two roundings, subnormals flushed, -0 lost, NaN payloads, overflow",
          values, schemes_with(Zero::value), names_of_profiles(), every_weight_is_rounded_once),
      row("value/integer_domain_rounds_once", "the same; zero points sign-extended wrongly", values,
          schemes_with(Zero::point), {"ordinary", "edges", "any"}, every_weight_is_rounded_once),
      row("value/no_zero_point_rounds_once", "the same; a midpoint subtracted that nobody asked for", values,
          schemes_with(Zero::none), {"ordinary", "edges", "any"}, every_weight_is_rounded_once),
      proved_over_shapes(row("group/every_weight_uses_its_own_scale", "group indexing of every kind", groups,
                             every_scheme(), {"ordinary"}, [](Case& c) { own_group(c, false); })),
      proved_over_shapes(row("group/every_weight_uses_its_own_zero", "the same, for zeros and zero points", groups,
                             schemes_with_zeros(), {"ordinary"}, [](Case& c) { own_group(c, true); })),
      row("difference/dequantize_equals_unpack_then_arithmetic", "two walks over the layout that differ", values,
          every_scheme(), names_of_profiles(), difference_from_unpack),
  };
  rows.back().needs = {Operation::unpack, Operation::dequantize};
  return rows;
}

}  // namespace tileproof
