// Value and group: every weight is rounded once, from its own group's scale and zero.
#include <cmath>

#include "../reference/dequantize.h"
#include "claim.h"
#include "specification.h"

namespace tileproof {

namespace {

void every_weight_is_rounded_once(Case& c) {
  const Matrix<std::uint8_t> codes = c.codes();
  const Parameters parameters = c.parameters();
  const Matrix<std::uint32_t> weights = c.dequantize(specified::packed(codes, c.problem.inner_k_tiles), parameters);
  c.expect_equal(weights, specified::weights(c.problem, specified::as_int32(codes), parameters));
}

/// Which (group, row) each weight took its scale from, or its zero: digit planes in base 64, which every format holds
/// exactly. The weight of code 10 with zero 0 is twice the digit in a scale; that of code 8 with scale 1 is the digit
/// in a zero. Twice, so that a scale and a zero that changed places do not give the same sum.
void own_group(Case& c, bool of_zero) {
  const Problem& p = c.problem;
  const reference::Format format = format_of(p.out);
  const auto bits = [&](std::int64_t value) {
    return reference::rounded(format, reference::whole(static_cast<int>(value)));
  };
  const int times = of_zero ? 0 : 2;
  const int code = p.domain == Domain::floating ? 8 + times : times;
  Matrix<std::uint8_t> codes(p.n, p.k);
  for (std::uint8_t& one : codes.elements) one = static_cast<std::uint8_t>(code);
  const std::vector<std::uint32_t> packed = specified::packed(codes, p.inner_k_tiles);

  Matrix<std::int32_t> arrived(p.n, p.k);
  Matrix<std::int32_t> own(p.n, p.k);
  constexpr std::int64_t base = 64;
  const std::int64_t count = p.groups() * p.n;
  for (std::int64_t unit = 1; unit == 1 || unit < count; unit *= base) {
    Parameters planes = zero_parameters(p);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const std::int64_t digit = i / unit % base;
      planes.scales.elements[at] = bits(of_zero ? 1 : digit);
      planes.zeros.elements[at] = bits(of_zero ? digit : 0);
      planes.zero_points.elements[at] = static_cast<std::int8_t>(of_zero ? -digit : 0);  // (0 - -digit) * 1
    }
    const Matrix<std::uint32_t> weights = c.dequantize(packed, planes);
    for (std::size_t i = 0; i < arrived.elements.size(); ++i) {
      const double digit = specified::value(format, weights.elements[i]) / (of_zero ? 1 : times);
      const bool is_digit = digit >= 0 && digit < base && digit == std::floor(digit);
      if (!is_digit) arrived.elements[i] = -1;
      if (arrived.elements[i] >= 0) arrived.elements[i] += static_cast<std::int32_t>(digit * static_cast<double>(unit));
    }
  }
  for (std::int64_t row = 0; row < p.n; ++row) {
    for (std::int64_t column = 0; column < p.k; ++column) {
      own(row, column) = static_cast<std::int32_t>(column / p.group_size * p.n + row);
    }
  }
  c.elements_are("group * n + row that a parameter was taken from, -1 for none");
  c.expect_equal(arrived, own);
}

void difference_from_unpack(Case& c) {
  const std::vector<std::uint32_t> packed = specified::packed(c.codes(), c.problem.inner_k_tiles);
  const Parameters parameters = c.parameters();
  const Matrix<std::int32_t> codes = c.unpack(packed);
  c.expect_equal(c.dequantize(packed, parameters), specified::weights(c.problem, codes, parameters));
}

std::vector<std::string> names_of_profiles() {
  return {"ordinary", "finite-edges", "cancelling", "distant", "edges", "any", "mixed"};
}

}  // namespace

std::vector<Claim> value_claims() {
  const std::vector<const ClassRow*> values = {
      &every_code_at_every_nibble, &every_inner_k_tiles, &partial_tile, &several_groups,
      &every_class_of_scale,       &every_type};
  const std::vector<const ClassRow*> groups = {&every_inner_k_tiles, &partial_tile,
                                               &several_groups,      &groups_around_a_supertile,
                                               &unusual_groups,      &more_groups_than_a_group_has_columns,
                                               &not_square};
  const auto drawn_from = [](std::vector<Domain> domains, std::vector<std::string> profiles) {
    return Draws{.domains = std::move(domains), .profiles = std::move(profiles)};
  };
  return {
      {"value/float_domain_rounds_once",
       "two roundings, subnormals flushed, -0 lost, NaN payloads, overflow",
       {Operation::dequantize},
       values,
       drawn_from({Domain::floating}, names_of_profiles()),
       every_weight_is_rounded_once},
      {"value/integer_domain_rounds_once",
       "the same; zero points sign-extended wrongly",
       {Operation::dequantize},
       values,
       drawn_from({Domain::integer}, {"ordinary", "edges", "any"}),
       every_weight_is_rounded_once},
      {"value/no_zero_point_rounds_once",
       "the same; a midpoint subtracted that nobody asked for",
       {Operation::dequantize},
       values,
       drawn_from({Domain::none}, {"ordinary", "edges", "any"}),
       every_weight_is_rounded_once},
      {"group/every_weight_uses_its_own_scale",
       "group indexing of every kind",
       {Operation::dequantize},
       groups,
       drawn_from({Domain::floating, Domain::integer, Domain::none}, {"ordinary"}),
       [](Case& c) { own_group(c, false); }},
      {"group/every_weight_uses_its_own_zero",
       "the same, for zeros and zero points",
       {Operation::dequantize},
       groups,
       drawn_from({Domain::floating, Domain::integer}, {"ordinary"}),
       [](Case& c) { own_group(c, true); }},
      {"difference/dequantize_equals_unpack_then_arithmetic",
       "two walks over the layout that differ",
       {Operation::unpack, Operation::dequantize},
       values,
       drawn_from({Domain::floating, Domain::integer, Domain::none}, names_of_profiles()),
       difference_from_unpack},
  };
}

}  // namespace tileproof
