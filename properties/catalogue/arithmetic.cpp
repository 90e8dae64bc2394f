// Arithmetic: every code with every scale and every zero of a type and scheme, through the real kernel.
#include <algorithm>
#include <optional>
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
  const ComparedResult judged = c.run(Operation::dequantize, codes, parameters);
  if (judged.differences.wrong == 0) return;

  const GeneratedTensor expected = generated::Weights{codes, parameters, reference::ResultOrder::n_k, p.types.weight};
  const GeneratedTensor unpacked = generated::UnpackedCodes{codes};
  const int digits = float_format_of(p.types.weight).bits() / 4;
  std::ostringstream text;
  text << judged.differences.wrong << " of " << p.n * p.k
       << (judged.differences.wrong == 1 ? " weights is wrong:" : " weights are wrong:");
  for (const Differences::One& one : judged.differences.listed) {
    const std::int64_t row = one.index / p.k;
    const std::int64_t column = one.index % p.k;
    const generated::Pair pair = generated::pair_of(parameters, p.group_of(row, column));
    text << "\n  " << place_text(p, row, column) << ": code " << element_of(unpacked, one.index) << ", scale "
         << hex_text(pair.scale, digits);
    if (p.scheme->zero_kind == Zero::value) text << ", zero " << hex_text(pair.zero, digits);
    if (p.scheme->has_factor) text << ", global scale " << hex_text(pair.zero, 8);
    if (p.scheme->zero_kind == Zero::point) text << ", zero point " << pair.zero_point;
    text << ": expected " << weight_text(p, element_of(expected, one.index)) << ", got " << weight_text(p, one.got);
  }
  text << mistake_text(judged.wrong);
  // Report the first wrong weight's pair alone, in the smallest matrix.
  const std::int64_t first = judged.differences.listed.front().index;
  Problem smaller = p;
  smaller.n = n_unit(*p.format, c.capabilities.n_multiple);
  smaller.k = k_unit(*p.format, p.group_size, c.capabilities.k_multiple);
  while (smaller.k < 16) smaller.k *= 2;  // every code
  const reference::Element group = p.group_of(first / p.k, first % p.k);
  smaller.seed = p.seed + static_cast<std::uint64_t>(group.n * p.groups().k + group.k);
  Failure failure("mismatch", text.str(), false, smaller);
  failure.wrong = judged.wrong;
  throw failure;
}

/// The smallest group of a format that a subject takes and that is a power of two, as a step's pairs must be; 0 if
/// there is none.
std::int64_t least_group(const Format& format, const Capabilities& capabilities) {
  for (const std::int64_t size : {16, 32, 64, 128, 256, 512, 1024}) {
    const auto& taken = capabilities.group_sizes;
    const bool takes = capabilities.any_group_size || std::find(taken.begin(), taken.end(), size) != taken.end();
    if (takes && format.group_sizes.contains(size)) return size;
  }
  return 0;
}

/// Enumerates all pairs of a scheme in the first format that has it. A step is as large as the subject prefers
/// (step_elements), and the order of the steps covers the domain evenly from the start.
std::optional<Enumeration> pairs_of_scheme(const Scheme* scheme, Types types, const Capabilities& capabilities) {
  if (scheme->groups_of_number > 1) return std::nullopt;  // 2^48 points
  const Type type = types.parameter;
  Problem step;
  step.scheme = scheme;
  step.types = types;
  const auto has_scheme = [=](const Format* format) { return format->has(*scheme); };
  const auto format = std::find_if(capabilities.formats.begin(), capabilities.formats.end(), has_scheme);
  if (format == capabilities.formats.end()) return std::nullopt;
  step.format = *format;
  step.group_size = least_group(**format, capabilities);
  if (step.group_size == 0) return std::nullopt;
  step.k = step.group_size * 256;
  const std::uint64_t pairs = generated::pairs_of(type, *scheme);
  const std::int64_t most_rows = static_cast<std::int64_t>(pairs / 256);
  const std::int64_t rows = std::max<std::int64_t>(capabilities.step_elements / step.k, 256);
  step.n = scheme->has_factor ? 1 : std::min(most_rows, rows);  // a factor is one of a matrix, with every scale
  const auto pairs_of_step = static_cast<std::uint64_t>(step.group_count());
  int bits = 0;
  while (pairs_of_step << bits < pairs) ++bits;
  std::string point = scheme->has_factor                 ? "(code, scale, global scale) triples"
                      : scheme->zero_kind == Zero::none  ? "(code, scale) pairs"
                      : scheme->zero_kind == Zero::value ? "(code, scale, zero) triples"
                                                         : "(code, scale, zero point) triples";
  if (scheme->has_factor) point += ", global scale representable in bf16, every second with more fraction";
  if (type == Type::fp32 && scheme->zero_kind == Zero::value) point += ", scale and zero representable in bf16";
  if (type == Type::fp32 && scheme->zero_kind == Zero::point) {
    point += ", scale representable in bf16 or that with more fraction";
  }
  point += ", each once, as " + std::string(step.format->name) + ", with groups of " + std::to_string(step.group_size);
  return Enumeration{.steps = std::int64_t{1} << bits,
                     .points_of_step = pairs_of_step * 16,
                     .compared_of_step = static_cast<std::uint64_t>(step.n * step.k),
                     .point = point,
                     .problem = with_seeds(step, [=](std::int64_t number) {
                       return spread(static_cast<std::uint64_t>(number), bits) * pairs_of_step;
                     })};
}

/// Every pair of types whose weights have this one.
std::vector<Types> types_with(Type of_weight) {
  std::vector<Types> types = every_types();
  std::erase_if(types, [=](Types each) { return each.weight != of_weight; });
  return types;
}

/// The pairs of every scheme that has this kind of zero, for weights of a type.
std::function<std::vector<Enumeration>(const Capabilities&)> all_pairs(Zero zero_kind, Type of_weight) {
  return [=](const Capabilities& capabilities) {
    const auto is_one_of = [](const auto& all, const auto& one) {
      return std::find(all.begin(), all.end(), one) != all.end();
    };
    std::vector<Enumeration> all;
    for (const Scheme* scheme : schemes_with(zero_kind)) {
      if (!is_one_of(capabilities.schemes, scheme)) continue;
      for (const Types types : types_of(*scheme, types_with(of_weight))) {
        if (!is_one_of(capabilities.types, types)) continue;
        if (auto pairs = pairs_of_scheme(scheme, types, capabilities)) all.push_back(*std::move(pairs));
      }
    }
    return all;
  };
}

}  // namespace

std::vector<Property> arithmetic_properties() {
  struct OfZero {
    Zero zero_kind;
    const char* words;
  };
  constexpr OfZero kinds[] = {{Zero::value, "of_the_float_domain"},
                              {Zero::point, "of_the_integer_domain"},
                              {Zero::none, "without_a_zero_point"}};
  std::vector<Property> rows;
  for (const Type type : {Type::bf16, Type::fp16, Type::fp32}) {
    for (const OfZero& of : kinds) {
      rows.push_back(
          {.name = std::string("arithmetic/every_") + name_of(type) + "_weight_" + of.words + "_is_rounded_once",
           .finds = "a weight that is wrong for one code, scale and zero alone",
           .needs = {Operation::dequantize},
           .meets = {&every_format, &several_groups, &both_alignments},
           .sampling = {.schemes = schemes_with(of.zero_kind), .types = types_with(type)},
           .body = every_pair,
           .proof = "arithmetic",
           .enumerations = all_pairs(of.zero_kind, type)});
    }
  }
  return rows;
}

}  // namespace tileproof
