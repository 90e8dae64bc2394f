// Value and group: every weight is rounded once, from its own group's scale and zero.
#include <cmath>
#include <optional>
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

/// The code whose weight is a number, with scale 1, factors 1 and the least zero (point).
std::optional<int> code_with_weight(const Problem& p, int number) {
  const reference::FloatFormat of_weight = float_format_of(p.types.weight), type = float_format_of(p.types.parameter);
  for (int code = 0; code < 16; ++code) {
    const std::uint32_t weight = p.scheme->weight(of_weight, type, code, whole_scale(p, 1), no_zero(p));
    if (weight == reference::rounded(of_weight, reference::whole(number))) return code;
  }
  return std::nullopt;
}

/// Finds the (group, row) whose scale, or zero, each weight was computed with, by digit planes in base 64 and their
/// complements; every float format holds these digits exactly.
/// For scales, a code whose weight at scale 1 is 2, or 1 where none is, gives so many times the digit; for zeros, the
/// midpoint with scale 1 gives the digit. The factor of two tells a scale from a zero that took its place. A zero point
/// is a base minus the digit.
void own_group(Case& c, bool of_zero) {
  const Problem& p = c.problem;
  const reference::Range points = p.scheme->zero_points;
  const bool has_points = p.scheme->zero_kind == Zero::point;
  const bool has_few_points = has_points && bits_of_group_digit(p, true) == 4;
  generated::Codes codes = generated::codes_of(p, generated::Codes::Kind::constant);
  const int times = code_with_weight(p, 2) ? 2 : 1;
  if (of_zero) {
    codes.value = has_few_points ? 15 : has_points ? points.nearest_to_zero() : p.scheme->midpoint;
  } else {
    codes.value = code_with_weight(p, times).value();
  }
  const int zero_base = !of_zero || !has_points ? 0 : has_few_points ? points.highest : codes.value;
  const int above_digit = of_zero && has_points ? codes.value - zero_base : 0;  // of a weight
  const bool has_powers = float_format_of(p.types.parameter).is_exponent();
  const Planes planes = {bits_of_group_digit(p, of_zero), p.group_count()};
  const auto run = [&](int digit, bool complemented, const std::vector<std::int64_t>& wanted) {
    generated::Parameters plane = generated::parameters_of(
        p, of_zero ? generated::Parameters::Kind::zero_digit : generated::Parameters::Kind::scale_digit);
    plane.digit_bits = planes.bits_of_digit;
    plane.zero_base = zero_base;
    plane.shift = planes.bits_of_digit * digit;
    plane.flip = complemented ? 1 : 0;
    return c.run(Operation::dequantize, codes, plane, wanted);
  };
  const auto digit_in = [&](std::uint32_t weight, const WrongPlace&) {
    const double value = specified::value(float_format_of(p.types.weight), weight);
    const double digit = of_zero      ? value - above_digit
                         : has_powers ? std::log2(value / times) - generated::lowest_power_of_digit
                                      : value / times;
    const bool is_digit = digit >= 0 && digit < static_cast<double>(planes.base()) && digit == std::floor(digit);
    return std::pair(is_digit ? static_cast<std::int64_t>(digit) : std::int64_t{-1}, weight);
  };
  const auto wrong_in = [&](const Differences::One& one, const auto&) {
    const std::int64_t row = one.index / p.k, column = one.index % p.k;
    const reference::Element group = p.group_of(row, column);
    return std::vector<WrongPlace>{{group.k * p.groups().n + group.n, row, column, one.index, one.got}};
  };
  const auto source_text = [&](std::optional<std::int64_t> from) {
    if (!from) return std::string("0 in every plane, which is of none");
    const std::int64_t rows = p.groups().n;
    return std::to_string(*from) + ", which is of group " + std::to_string(*from / rows) +
           (p.format->groups_divide_rows ? ", row " + std::to_string(*from % rows) : "");
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

int bits_of_group_digit(const Problem& p, bool of_zero) {
  const bool has_sixteen = of_zero ? p.scheme->zero_kind == Zero::point && !p.scheme->zero_points.contains(-63)
                                   : bytes_of(p.types.parameter) == 1;
  return has_sixteen ? 4 : 6;
}

std::vector<Property> value_properties() {
  const std::vector<const CoverageGoals*> values = {
      &every_code_at_every_nibble, &every_format, &with_padding,   &uneven_shapes, &several_groups,
      &every_class_of_scale,       &every_type,   &both_alignments};
  const std::vector<const CoverageGoals*> groups = {&every_format,
                                                    &with_padding,
                                                    &uneven_shapes,
                                                    &several_groups,
                                                    &groups_around_a_block,
                                                    &unusual_groups,
                                                    &more_groups_than_a_group_has_columns,
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
