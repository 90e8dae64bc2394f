// Arithmetic: every code with every scale and every zero of a type and scheme, through the real kernel.
#include <algorithm>
#include <sstream>

#include "properties/catalogue/properties.h"
#include "properties/problem/draw.h"
#include "reference/matrix.h"

namespace tileproof {

namespace {

/// The seed is the number of the first pair of scale and zero. Group g of row r gets pair number seed + r * groups + g.
void every_pair(Case& c) {
  const Problem& p = c.problem;
  const generated::Codes codes = generated::codes_of(p, generated::Codes::Kind::each);
  generated::Parameters parameters = generated::parameters_of(p, generated::Parameters::Kind::every);
  parameters.first = p.seed;
  const GeneratedResult judged = c.run(Operation::dequantize, codes, parameters);
  if (judged.differences.wrong == 0) return;

  const GeneratedTensor expected = generated::Weights{codes, parameters};
  const GeneratedTensor unpacked = generated::UnpackedCodes{codes};
  const GeneratedTensor scales = generated::ScaleElements{parameters};
  const int digits = float_format_of(p.types.weight).bits() / 4;
  std::ostringstream text;
  text << judged.differences.wrong << " of " << p.n * p.k << " weights are wrong:";
  for (const Differences::One& one : judged.differences.listed) {
    const std::int64_t row = one.index / p.k;
    const std::int64_t column = one.index % p.k;
    const std::int64_t number = column / p.group_size * p.n + row;
    const bool floating = p.scheme->zero_kind == Zero::value;
    text << "\n  " << place_text(p, row, column) << ": code " << element_of(unpacked, one.index) << ", scale "
         << hex_text(element_of(scales, floating ? 2 * number : number), digits);
    if (floating) text << ", zero " << hex_text(element_of(scales, 2 * number + 1), digits);
    if (p.scheme->zero_kind == Zero::point) {
      const auto bits = static_cast<std::uint8_t>(element_of(generated::ZeroPointElements{parameters}, number));
      text << ", zero point " << static_cast<int>(static_cast<std::int8_t>(bits));
    }
    text << ": expected " << weight_text(p, element_of(expected, one.index)) << ", got " << weight_text(p, one.got);
  }
  // Report the first wrong weight's pair alone, in the smallest matrix.
  const std::int64_t first = judged.differences.listed.front().index;
  Problem smaller = p;
  smaller.n = n_unit(*p.format, c.capabilities.n_multiple);
  smaller.k = k_unit(*p.format, p.group_size);
  smaller.seed = p.seed + static_cast<std::uint64_t>(first / p.k * p.groups() + first % p.k / p.group_size);
  throw Failure("mismatch", text.str(), false, smaller);
}

/// Enumerates all pairs. A step is as large as the subject prefers (step_elements), and the order of the steps covers
/// the domain evenly from the start.
std::function<std::vector<Enumeration>(const Capabilities&)> all_pairs(const Scheme* scheme, Type type) {
  return [=](const Capabilities& capabilities) {
    Problem step;
    step.scheme = scheme;
    step.types = type;
    const auto has_scheme = [=](const Format* format) { return format->has(*scheme); };
    const auto format = std::find_if(capabilities.formats.begin(), capabilities.formats.end(), has_scheme);
    if (format == capabilities.formats.end()) return std::vector<Enumeration>{};
    step.format = *format;
    const bool has_sixteens = capabilities.any_group_size;
    step.group_size = has_sixteens ? 16 : capabilities.group_sizes.front();
    step.k = step.group_size * 256;
    const std::uint64_t pairs = generated::pairs_of(type, *scheme);
    // a step must be a power of two of pairs
    if ((step.group_size & (step.group_size - 1)) != 0) return std::vector<Enumeration>{};
    const std::int64_t most_rows = static_cast<std::int64_t>(pairs / 256);
    step.n = std::min(most_rows, std::max<std::int64_t>(capabilities.step_elements / step.k, 256));
    const auto pairs_of_step = static_cast<std::uint64_t>(step.n * step.groups());
    int bits = 0;
    while (pairs_of_step << bits < pairs) ++bits;
    std::string point = scheme->zero_kind == Zero::none    ? "(code, scale) pairs"
                        : scheme->zero_kind == Zero::value ? "(code, scale, zero) triples"
                                                           : "(code, scale, zero point) triples";
    if (type == Type::fp32 && scheme->zero_kind == Zero::value) point += ", scale and zero representable in bf16";
    if (type == Type::fp32 && scheme->zero_kind == Zero::point)
      point += ", scale representable in bf16 or that with more fraction";
    point +=
        ", each once, as " + std::string(step.format->name) + ", with groups of " + std::to_string(step.group_size);
    return std::vector<Enumeration>{{.steps = std::int64_t{1} << bits,
                                     .points_of_step = pairs_of_step * 16,
                                     .compared_of_step = static_cast<std::uint64_t>(step.n * step.k),
                                     .point = point,
                                     .problem = with_seeds(step, [=](std::int64_t number) {
                                       return spread(static_cast<std::uint64_t>(number), bits) * pairs_of_step;
                                     })}};
  };
}

}  // namespace

std::vector<Property> arithmetic_properties() {
  struct OfScheme {
    const Scheme* scheme;
    const char* words;
  };
  const OfScheme schemes[] = {{scheme::floating, "of_the_float_domain"},
                              {scheme::integer, "of_the_integer_domain"},
                              {scheme::none, "without_a_zero_point"}};
  std::vector<Property> rows;
  for (const Type type : {Type::bf16, Type::fp16, Type::fp32}) {
    for (const OfScheme& of : schemes) {
      rows.push_back(
          {.name = std::string("arithmetic/every_") + name_of(type) + "_weight_" + of.words + "_is_rounded_once",
           .finds = "a weight that is wrong for one code, scale and zero alone",
           .needs = {Operation::dequantize},
           .meets = {&every_format, &several_groups, &both_alignments},
           .sampling = {.schemes = {of.scheme}, .types = {type}},
           .body = every_pair,
           .proof = "arithmetic",
           .enumerations = all_pairs(of.scheme, type)});
    }
  }
  return rows;
}

}  // namespace tileproof
