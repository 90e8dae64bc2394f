#include "properties/accuracy/measurements.h"

#include <algorithm>
#include <numeric>

#include "properties/case/identity_matmul.h"
#include "properties/problem/draw.h"
#include "properties/problem/specification.h"
#include "properties/problem/values.h"

namespace tileproof {

namespace {

std::vector<std::string> names_of_profiles() {
  std::vector<std::string> names;
  for (const Profile& profile : profiles()) {
    if (profile.compared_elements) names.push_back(profile.name);
  }
  return names;
}

/// The codes with the rows that the layout pads, which pack must fill.
Matrix<std::uint8_t> padded_by(const reference::Layout& layout, const Matrix<std::uint8_t>& codes) {
  Matrix<std::uint8_t> padded(layout.padded({codes.rows, codes.columns}).n, codes.columns);
  std::fill(padded.elements.begin(), padded.elements.end(), static_cast<std::uint8_t>(layout.padding_code));
  std::copy(codes.elements.begin(), codes.elements.end(), padded.elements.begin());
  return padded;
}

// --- The properties --------------------------------------------------------------------------------------------------

void packed_codes(Case& c) {
  const Matrix<std::uint8_t> codes = c.codes();
  const Matrix<std::uint8_t> padded = padded_by(c.problem.layout(), codes);
  c.expect_equal(specified::unpacked(*c.problem.format, c.pack(codes), {padded.rows, padded.columns}),
                 specified::as_int32(padded));
}

void unpacked_codes(Case& c) {
  const Matrix<std::uint8_t> codes = c.codes();
  c.expect_equal(c.unpack(specified::packed(*c.problem.format, codes)), specified::as_int32(codes));
}

void weights(Case& c) {
  const Matrix<std::uint8_t> codes = c.codes();
  const Parameters parameters = c.parameters();
  c.expect_equal(c.dequantize(specified::packed(*c.problem.format, codes), parameters),
                 specified::weights(c.problem, specified::as_int32(codes), parameters));
}

void eager_weights(Case& c) {
  const Matrix<std::int32_t> codes = specified::as_int32(c.codes());
  const Parameters parameters = c.parameters();
  const Matrix<std::uint32_t> predicted = specified::eager_weights(c.problem, codes, parameters);
  const reference::FloatFormat format = float_format_of(c.problem.types.weight);
  const auto explained = [&](std::int64_t row, std::int64_t column, std::uint32_t got) {
    const std::uint32_t of_model = predicted(row, column);
    const bool same_nan = !c.capabilities.one_nan && format.is_nan(of_model) && format.is_nan(got);
    return got == of_model || same_nan ? "two roundings, as predicted" : nullptr;
  };
  c.expect_equal_or_explained(c.dequantize_eagerly(codes, parameters), specified::weights(c.problem, codes, parameters),
                              explained);
}

// --- Expected results ----------------------------------------------------------------------------------------------

Matrix<std::uint32_t> padded_codes(const Problem& p, const Matrix<std::uint8_t>& codes, const Parameters&) {
  return padded_by(p.layout(), codes).as<std::uint32_t>();
}
Matrix<std::uint32_t> same_codes(const Problem&, const Matrix<std::uint8_t>& codes, const Parameters&) {
  return codes.as<std::uint32_t>();
}
Matrix<std::uint32_t> specified_weights(const Problem& p, const Matrix<std::uint8_t>& codes, const Parameters& of) {
  return specified::weights(p, specified::as_int32(codes), of);
}

Matrix<std::uint32_t> specified_products(const Problem& p, const Matrix<std::uint8_t>& codes, const Parameters& of) {
  return as_products(p, specified_weights(p, codes, of));
}

Property property_of(Operation operation, const char* sentence, void (*body)(Case&), Sampling sampling = {}) {
  Property property;
  property.name = std::string("accuracy/") + name_of(operation) + sentence;
  property.finds = "nothing that another property does not: its cases are measured";
  property.needs = {operation};
  property.sampling = std::move(sampling);
  property.sampling.profiles = names_of_profiles();
  property.body = body;
  return property;
}

}  // namespace

const std::vector<Measurement>& measurements() {
  static const std::vector<Measurement> rows = {
      {.operation = Operation::pack,
       .property = property_of(Operation::pack, "_gives_the_specified_codes", packed_codes),
       .expected = padded_codes,
       .of_weights = false,
       .bound = "a permutation"},
      {.operation = Operation::unpack,
       .property = property_of(Operation::unpack, "_gives_the_specified_codes", unpacked_codes),
       .expected = same_codes,
       .of_weights = false,
       .bound = "a permutation"},
      {.operation = Operation::dequantize,
       .property = property_of(Operation::dequantize, "_gives_the_specified_weights", weights),
       .expected = specified_weights,
       .bound = "one rounding"},
      {.operation = Operation::matmul,
       .property = property_of(
           Operation::matmul, "_by_the_identity_gives_the_specified_weights_or_explained_ones", identity_matmul,
           {.schemes = schemes_with(Zero::value), .types = {Type::bf16, Types(Type::fp32, Type::bf16)}}),
       .expected = specified_products},
      {.operation = Operation::dequantize_eagerly,
       .property = property_of(Operation::dequantize_eagerly, "_gives_the_specified_weights_or_explained_ones",
                               eager_weights, {.schemes = {scheme::floating, scheme::integer}}),
       .expected = specified_weights,
       .is_packed = false}};
  return rows;
}

// --- The problems --------------------------------------------------------------------------------------------------

namespace {

constexpr std::uint64_t accuracy_seed = 1;

/// Derived from the problem's fields, not from its number: adding a problem leaves the others unchanged.
std::uint64_t seed_of(const Problem& problem) {
  std::uint64_t hash = mixed(accuracy_seed);
  for (const char letter : line_of(problem)) hash = mixed(hash ^ static_cast<unsigned char>(letter));
  return hash;
}

/// One problem for each profile. The first has 64 rows, so that it shows where a mutant of the layout is; the others
/// are small, some with a tail where the format allows one, and of different k.
std::vector<Problem> problems_of(const Problem& plain, const std::vector<std::string>& profiles) {
  constexpr std::int64_t least_k_of_first = 256, most_k = 1024, most_elements = 32768;
  const std::int64_t unit = std::lcm(std::int64_t{16}, k_unit(*plain.format, plain.group_size));
  std::vector<Problem> problems;
  for (std::size_t i = 0; i < profiles.size(); ++i) {
    Problem problem = plain;
    problem.profile = profiles[i];
    const std::int64_t n = i == 0 ? 64 : i % 3 == 1 ? 19 : 16, multiple = problem.layout().legal.n;
    problem.n = (n + multiple - 1) / multiple * multiple;
    std::int64_t units = i == 0 ? (least_k_of_first + unit - 1) / unit : std::int64_t{1} << i % 3;
    while (units > 1 && (units * unit > most_k || problem.n * units * unit > most_elements)) units /= 2;
    problem.k = units * unit;
    problem.seed = seed_of(problem);
    problems.push_back(problem);
  }
  return problems;
}

}  // namespace

const std::vector<Problem>& accuracy_problems() {
  static const std::vector<Problem> all = [] {
    std::vector<Problem> problems;
    // Schemes are taken by name, because formats that share a formula have separate schemes of one name.
    std::vector<std::string> names;
    for (const Scheme* scheme : every_scheme()) {
      if (std::ranges::count(names, scheme->name) == 0) names.push_back(scheme->name);
    }
    for (const std::string& name : names) {
      for (const Types types : every_types()) {
        for (const Format* format : every_format_there_is()) {
          const Scheme* scheme = format->scheme_named(name);
          if (scheme == nullptr || !has_types(*scheme, types)) continue;
          // The other profiles are about zeros that cancel or are distant, so they apply only where zeros are numbers.
          const std::vector<std::string> profiles = scheme->zero_kind == Zero::value
                                                        ? names_of_profiles()
                                                        : std::vector<std::string>{ordinary_profile, "edges", "any"};
          for (const std::int64_t group_size : {16, 32, 64, 96, 128, 256}) {
            if (!format->group_sizes.contains(group_size)) continue;
            Problem plain;
            plain.scheme = scheme;
            plain.types = types;
            plain.format = format;
            plain.group_size = group_size;
            for (const Problem& problem : problems_of(plain, profiles)) problems.push_back(problem);
          }
        }
      }
    }
    return problems;
  }();
  return all;
}

bool is_measured(const Measurement& measurement, const Problem& problem, const Capabilities& capabilities) {
  const Sampling& sampling = measurement.property.sampling;
  if (!capabilities.has(measurement.operation) || !capabilities.takes(problem)) return false;
  if (!capabilities.takes(measurement.operation, *problem.format)) return false;
  if (std::ranges::count(sampling.schemes, problem.scheme) == 0) return false;
  if (std::ranges::count(sampling.types, problem.types) == 0) return false;
  // An operation without parameters runs each of its problems once: those with bf16 parameters and a group size that
  // every subject takes stand for all.
  const bool stands_for_all = problem.scheme == schemes_of(*problem.format).front() &&
                              problem.types.parameter == Type::bf16 && problem.group_size == 32;
  if (!measurement.of_weights && !stands_for_all) return false;
  return measurement.is_packed || problem.format == tinygemm(2);
}

Problem problem_for(const Measurement& measurement, Problem problem, const std::string& subject) {
  problem.property = measurement.property.name;
  problem.subject = subject;
  return problem;
}

namespace {

/// A subject that is never called, for drawing a case's data.
class Nobody : public Subject {
 public:
  Memory& memory() override { throw std::logic_error("nobody has no memory"); }
};

std::uint64_t hash_of(const Matrix<std::uint8_t>& codes, const Parameters& parameters) {
  std::uint64_t hash = folded_all(hash_of_nothing, codes.elements);
  hash = folded_all(hash, parameters.scales.elements);
  hash = folded_all(hash, parameters.zeros.elements);
  return folded_all(hash, parameters.zero_points.elements);
}

}  // namespace

AccuracyData data_of(const Measurement& measurement, const Problem& problem) {
  Nobody nobody;
  Coverage coverage;
  const Capabilities capabilities;
  Case drawn(problem, capabilities, nobody, coverage);
  AccuracyData data = {.codes = drawn.codes(), .parameters = drawn.parameters(), .expected = {}};
  data.expected = measurement.expected(problem, data.codes, data.parameters);
  data.inputs = hash_of(data.codes, data.parameters);
  return data;
}

}  // namespace tileproof
