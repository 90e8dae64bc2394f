// Choosing and applying parameters: PyTorch's eager formulas, one tensor operation at a time, give bit for bit what
// reference/quantize.h specifies. Where their weights differ from a single rounding, the specification predicts the
// difference.
#include <algorithm>

#include "properties/catalogue/properties.h"
#include "properties/problem/draw.h"
#include "properties/problem/named.h"
#include "properties/problem/specification.h"
#include "reference/quantize.h"

namespace tileproof {

namespace {

using reference::Exact;
using reference::FloatFormat;

// Weights are finite, and so is the largest minus the smallest weight of each group; otherwise there is no scale to
// choose.

/// The data that a weight is drawn from: bits shared by its group, bits of its own, and its index in the group.
struct Drawn {
  FloatFormat format;
  std::uint64_t group_bits;
  std::uint64_t bits;
  std::int64_t index;
};

bool negative(const Drawn& d) { return (d.bits >> 40 & 1) != 0; }

/// A number of at most 12 significant bits, (0..4095) * 2^exponent, rounded to the format.
std::uint32_t number(const Drawn& d, bool is_negative, std::int64_t lowest, std::int64_t highest) {
  const std::int64_t exponent = lowest + below(highest - lowest + 1, mixed(d.bits));
  return reference::rounded(
      d.format, Exact{.negative = is_negative, .magnitude = d.bits & 4095, .exponent = static_cast<int>(exponent)});
}

/// The range of a group is fifteen steps of a power of two, and every other weight lies half way between two codes. In
/// every second group 0 lies half way too, so that the zero point is a tie.
std::uint32_t tie(const Drawn& d) {
  const int exponent = static_cast<int>(below(9, d.group_bits)) - 4;
  const int first =
      -static_cast<int>(d.group_bits >> 8 & 15) * 2 - static_cast<int>(d.group_bits & 1);  // in half steps
  const int halves = d.index == 0 ? 0 : d.index == 1 ? 30 : 2 * static_cast<int>(below(15, d.bits)) + 1;
  Exact value = reference::whole(first + halves);
  value.exponent = exponent - 1;
  return reference::rounded(d.format, value);
}

/// A number with the largest exponent but one, so that the difference of two is finite.
std::uint32_t huge(const Drawn& d) {
  const FloatFormat f = d.format;
  const std::uint32_t magnitude = static_cast<std::uint32_t>(d.bits) & ((std::uint32_t{1} << f.fraction_bits) - 1);
  const std::uint32_t largest_but_one = static_cast<std::uint32_t>(2 * f.bias() - 1) << f.fraction_bits;
  return (negative(d) ? f.sign_bit() : 0) | largest_but_one | magnitude;
}

std::uint32_t subnormal(const Drawn& d) {
  const std::uint32_t fraction =
      static_cast<std::uint32_t>(d.bits) & ((std::uint32_t{1} << d.format.fraction_bits) - 1);
  return (negative(d) ? d.format.sign_bit() : 0) | fraction;
}

/// The ways to draw weights. Every property about weights has a variant for each.
struct WeightClass {
  const char* name;
  std::uint32_t (*drawn)(const Drawn&);
};

constexpr WeightClass weight_classes[] = {
    {"ordinary", [](const Drawn& d) { return number(d, negative(d), -16, -12); }},
    // the chosen scales are near the smallest allowed
    {"tiny", [](const Drawn& d) { return number(d, negative(d), -36, -22); }},
    {"subnormal", subnormal},
    {"huge", huge},
    {"equal",
     [](const Drawn& d) {
       return number({d.format, 0, d.group_bits, 0}, (d.group_bits >> 20 & 1) != 0, -36, 0);
     }},
    {"zeros", [](const Drawn& d) { return negative(d) ? d.format.sign_bit() : 0; }},
    {"negative", [](const Drawn& d) { return number(d, true, -20, -8); }},
    {"positive", [](const Drawn& d) { return number(d, false, -20, -8); }},
    {"ties", tie},
    // Parameters chosen for a quarter of each weight, so that codes fall beyond both ends of 0..15.
    {"clamped", [](const Drawn& d) { return number(d, negative(d), -16, -12); }},
};

constexpr const char* clamped_class = "clamped";

Matrix<std::uint32_t> drawn_weights(const Problem& p) {
  const WeightClass* row = std::find_if(std::begin(weight_classes), std::end(weight_classes),
                                        [&p](const WeightClass& one) { return p.variant == one.name; });
  Matrix<std::uint32_t> weights(p.n, p.k);
  for (std::size_t i = 0; i < weights.elements.size(); ++i) {
    const auto group = static_cast<std::uint64_t>(static_cast<std::int64_t>(i) / p.group_size);
    weights.elements[i] = row->drawn({float_format_of(p.types.weight), drawn(p.seed, stream::choice, group),
                                      drawn(p.seed, stream::weights, i), static_cast<std::int64_t>(i) % p.group_size});
  }
  return weights;
}

/// The parameters that the formula chooses for the weights; in the class "clamped", for a quarter of each weight.
Parameters parameters_for(const Problem& p, Matrix<std::uint32_t> weights) {
  const FloatFormat format = float_format_of(p.types.weight);
  for (std::uint32_t& weight : weights.elements) {
    if (p.variant != clamped_class) break;
    Exact quarter = reference::decode(format, weight);
    quarter.exponent -= 2;
    weight = reference::rounded(format, quarter);
  }
  return specified::chosen(p, weights);
}

void parameters_are_those_of_the_formula(Case& c) {
  const Matrix<std::uint32_t> weights = drawn_weights(c.problem);
  const Parameters got = c.choose(weights);
  const Parameters expected = specified::chosen(c.problem, weights);
  c.elements_are("a parameter; its row is its group, its column the row of weights");
  c.expect_equal(got.scales, expected.scales);
  c.expect_equal(got.zeros, expected.zeros);
  c.expect_equal(got.zero_points, expected.zero_points);
}

void codes_are_those_of_the_formula(Case& c) {
  const Matrix<std::uint32_t> weights = drawn_weights(c.problem);
  const Parameters parameters = parameters_for(c.problem, weights);
  c.expect_equal(c.quantize(weights, parameters), specified::quantized(c.problem, weights, parameters));
}

void eager_weights_are_as_predicted(Case& c) {
  const Matrix<std::int32_t> codes = specified::as_int32(c.codes());
  const Parameters parameters = c.parameters();
  const Matrix<std::uint32_t> predicted = specified::eager_weights(c.problem, codes, parameters);
  c.expect_equal(c.dequantize_eagerly(codes, parameters), predicted);
  const Matrix<std::uint32_t> once = specified::weights(c.problem, codes, parameters);
  std::int64_t differing = 0;
  for (std::size_t i = 0; i < once.elements.size(); ++i) differing += once.elements[i] != predicted.elements[i] ? 1 : 0;
  if (c.problem.scheme->zero_kind == Zero::value) return c.count_explained("two roundings, as predicted", differing);
  c.expect_equal(predicted, once);
}

Property property_of(const char* name, const char* finds, Operation needs, const Scheme* scheme, void (*body)(Case&)) {
  return {.name = name,
          .finds = finds,
          .needs = {needs},
          .meets = {&every_type, &several_groups, &unusual_groups, &not_square},
          .sampling = {.schemes = {scheme}, .most_k = 1024, .most_elements = 2048},
          .body = body};
}

}  // namespace

std::vector<Property> eager_properties() {
  std::vector<Property> rows = {
      property_of("choose/float_parameters_are_those_of_the_formula",
                  "no smallest scale; the least weight for a zero; steps that are not rounded", Operation::choose,
                  scheme::floating, parameters_are_those_of_the_formula),
      property_of("choose/integer_parameters_are_those_of_the_formula", "zero not kept exact; ties away from zero",
                  Operation::choose, scheme::integer, parameters_are_those_of_the_formula),
      property_of("quantize/float_codes_are_those_of_the_formula", "ties away from zero; codes not clamped",
                  Operation::quantize, scheme::floating, codes_are_those_of_the_formula),
      property_of("quantize/integer_codes_are_those_of_the_formula",
                  "the same; a division instead of the product with a rounded reciprocal", Operation::quantize,
                  scheme::integer, codes_are_those_of_the_formula),
  };
  for (Property& property : rows) property.sampling.variants = names_of_rows(weight_classes);
  for (const Property& property :
       {property_of("eager/float_weights_are_rounded_twice", "one rounding, or three", Operation::dequantize_eagerly,
                    scheme::floating, eager_weights_are_as_predicted),
        property_of("eager/integer_weights_are_rounded_once", "a zero point scaled apart, and rounded",
                    Operation::dequantize_eagerly, scheme::integer, eager_weights_are_as_predicted)}) {
    rows.push_back(property);
    rows.back().sampling.profiles = {"ordinary", "finite-edges", "cancelling", "distant", "edges", "any", "mixed"};
  }
  return rows;
}

}  // namespace tileproof
