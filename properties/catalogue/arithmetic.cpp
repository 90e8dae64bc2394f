// Arithmetic: every code with every scale and every zero of a type and domain, through the real kernel.
#include <numeric>
#include <sstream>

#include "properties/catalogue/properties.h"
#include "properties/problem/draw.h"
#include "reference/matrix.h"

namespace tileproof {

namespace {

/// A seed is the number of the first pair of scale and zero; group g of row r has that of r * groups + g more.
void every_pair(Case& c) {
  const Problem& p = c.problem;
  const generated::Codes codes = generated::codes_of(p, generated::Codes::Kind::each);
  generated::Parameters parameters = generated::parameters_of(p, generated::Parameters::Kind::every);
  parameters.first = p.seed;
  const GeneratedResult judged = c.dequantize(codes, parameters);
  if (judged.differences.wrong == 0) return;

  const GeneratedTensor expected = generated::Weights{codes, parameters};
  const GeneratedTensor unpacked = generated::UnpackedCodes{codes};
  const GeneratedTensor scales = generated::ScaleElements{parameters};
  const int digits = format_of(p.out).bits() / 4;
  std::ostringstream text;
  text << judged.differences.wrong << " of " << p.n * p.k << " weights are wrong:";
  for (const Differences::One& one : judged.differences.listed) {
    const std::int64_t row = one.index / p.k;
    const std::int64_t column = one.index % p.k;
    const std::int64_t number = column / p.group_size * p.n + row;
    const bool floating = p.domain == Domain::floating;
    text << "\n  " << place_text(p, row, column) << ": code " << element_of(unpacked, one.index) << ", scale "
         << hex_text(element_of(scales, floating ? 2 * number : number), digits);
    if (floating) text << ", zero " << hex_text(element_of(scales, 2 * number + 1), digits);
    if (p.domain == Domain::integer) {
      const auto bits = static_cast<std::uint8_t>(element_of(generated::ZeroPointElements{parameters}, number));
      text << ", zero point " << static_cast<int>(static_cast<std::int8_t>(bits));
    }
    text << ": expected " << weight_text(p, element_of(expected, one.index)) << ", got " << weight_text(p, one.got);
  }
  // The pair of the first one, alone in the smallest matrix.
  const std::int64_t first = judged.differences.listed.front().index;
  Problem smaller = p;
  smaller.n = c.capabilities.n_multiple;
  smaller.k = std::lcm(p.supertile_columns(), p.group_size);
  smaller.seed = p.seed + static_cast<std::uint64_t>(first / p.k * p.groups() + first % p.k / p.group_size);
  throw Failure("mismatch", text.str(), false, smaller);
}

/// All pairs, in steps of as many as a subject's matrices should have; steps lie all over the domain from the start.
std::function<std::vector<Enumeration>(const Capabilities&)> all_pairs(Domain domain, Type type) {
  return [=](const Capabilities& capabilities) {
    Problem step;
    step.domain = domain;
    step.out = type;
    step.inner_k_tiles = capabilities.inner_k_tiles.front();
    const bool has_sixteens = capabilities.any_group_size;
    step.group_size = has_sixteens ? 16 : capabilities.group_sizes.front();
    step.k = step.group_size * 256;
    const std::uint64_t pairs = generated::pairs_of(type, domain);
    if ((step.group_size & (step.group_size - 1)) != 0) return std::vector<Enumeration>{};  // steps are powers of two
    const std::int64_t most_rows = static_cast<std::int64_t>(pairs / 256);
    step.n = std::min(most_rows, std::max<std::int64_t>(capabilities.step_elements / step.k, 256));
    const auto pairs_of_step = static_cast<std::uint64_t>(step.n * step.groups());
    int bits = 0;
    while (pairs_of_step << bits < pairs) ++bits;
    std::string point = domain == Domain::none       ? "(code, scale) pairs"
                        : domain == Domain::floating ? "(code, scale, zero) triples"
                                                     : "(code, scale, zero point) triples";
    if (type == Type::fp32 && domain == Domain::floating) point += ", scale and zero representable in bf16";
    if (type == Type::fp32 && domain == Domain::integer)
      point += ", scale representable in bf16 or that with more fraction";
    point += ", each once, with inner_k_tiles " + std::to_string(step.inner_k_tiles) + " and groups of " +
             std::to_string(step.group_size);
    return std::vector<Enumeration>{{.steps = std::int64_t{1} << bits,
                                     .points_of_step = pairs_of_step * 16,
                                     .compared_of_step = static_cast<std::uint64_t>(step.n * step.k),
                                     .point = point,
                                     .problem = [=](std::int64_t number) {
                                       Problem problem = step;
                                       problem.seed = spread(static_cast<std::uint64_t>(number), bits) * pairs_of_step;
                                       return problem;
                                     }}};
  };
}

}  // namespace

std::vector<Property> arithmetic_properties() {
  struct OfDomain {
    Domain domain;
    const char* words;
  };
  constexpr OfDomain domains[] = {{Domain::floating, "of_the_float_domain"},
                                  {Domain::integer, "of_the_integer_domain"},
                                  {Domain::none, "without_a_zero_point"}};
  std::vector<Property> rows;
  for (const Type type : {Type::bf16, Type::fp16, Type::fp32}) {
    for (const OfDomain& of : domains) {
      rows.push_back(
          {.name = std::string("arithmetic/every_") + name_of(type) + "_weight_" + of.words + "_is_rounded_once",
           .finds = "a weight that is wrong for one code, scale and zero alone",
           .needs = {Operation::dequantize},
           .meets = {&every_inner_k_tiles, &several_groups, &both_alignments},
           .sampling = {.domains = {of.domain}, .types = {type}},
           .body = every_pair,
           .proof = "arithmetic",
           .enumerations = all_pairs(of.domain, type)});
    }
  }
  return rows;
}

}  // namespace tileproof
