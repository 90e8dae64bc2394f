// Sense: a change in the input changes the output exactly where it should, and nowhere else.
#include <algorithm>
#include <string>
#include <vector>

#include "properties/case/calls.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/draw.h"
#include "properties/problem/specification.h"
#include "reference/arithmetic.h"

namespace tileproof {

namespace {

/// A matrix with 1 where two matrices of one size differ and 0 elsewhere.
Matrix<std::uint8_t> changed(const Matrix<std::uint32_t>& before, const Matrix<std::uint32_t>& after) {
  Matrix<std::uint8_t> marks(before.rows, before.columns);
  for (std::size_t i = 0; i < marks.elements.size(); ++i) marks.elements[i] = before.elements[i] != after.elements[i];
  return marks;
}

/// A result with one element for each code. Packed words are unpacked by the specification, so that one changed nibble
/// shows as one changed code.
Matrix<std::uint32_t> shown(const Problem& p, const Result& result) {
  if (!is_packed(result.role)) return result.bits;
  const Matrix<std::int32_t> codes = specified::unpacked(format_in(p, result.role), result.bits.elements, p.size());
  Matrix<std::uint32_t> bits(codes.rows, codes.columns);
  bits.elements.assign(codes.elements.begin(), codes.elements.end());
  return bits;
}

/// Scale 1 and zero 0, so that a weight shows its code. Two codes may stand for one weight, or for the two zeros (in
/// mxfp4-gguf and fp4 0 and 8 do): a code that shows as a weight becomes one of another number.
void one_code_changes_one(Case& c, Operation operation) {
  const Problem& p = c.problem;
  CallData data = {c.codes(), unit_scales(p)};
  const std::int64_t row = below(p.n, c.choice(0));
  const std::int64_t column = below(p.k, c.choice(1));
  const Matrix<std::uint32_t> before = shown(p, c.run(operation, data));
  std::uint8_t& code = data.codes(row, column);
  const auto number_of = [&](int one) {
    return specified::value(float_format_of(p.types.weight), specified::weight(p, one, data.parameters, row, column));
  };
  int other_code = code ^ static_cast<int>(1 + below(15, c.choice(2)));
  const bool gives_weights = result_role(operation) == Role::weights;
  while (gives_weights && number_of(other_code) == number_of(code)) other_code = (other_code + 1) % 16;
  code = static_cast<std::uint8_t>(other_code);
  const Matrix<std::uint32_t> after = shown(p, c.run(operation, data));
  Matrix<std::uint8_t> predicted(p.n, p.k);
  predicted(row, column) = 1;
  c.elements_are("1 where the result changed");
  c.expect_equal(changed(before, after), predicted);
}

/// Changes the scale (or the zero) of one group. Power-of-two scales and code 9 make every weight of the
/// group differ.
void one_parameter_changes_its_group(Case& c, bool of_zero) {
  const Problem& p = c.problem;
  Matrix<std::uint8_t> codes(p.n, p.k);
  for (std::size_t i = 0; i < codes.elements.size(); ++i) codes.elements[i] = static_cast<std::uint8_t>(9 + i % 7);
  const std::vector<std::uint32_t> packed = specified::packed(*p.format, codes);
  Parameters parameters = unit_scales(p);

  const Matrix<std::uint32_t> before = c.dequantize(packed, parameters);
  const reference::Element group = {below(p.groups().n, c.choice(0)), below(p.groups().k, c.choice(1))};
  if (!of_zero) {
    parameters.scales(group.k, group.n) = whole_scale(p, 2);
  } else {
    parameters.zeros(group.k, group.n) = whole_zero(p, 1);
    ++parameters.zero_points(group.k, group.n);
  }
  const Matrix<std::uint32_t> after = c.dequantize(packed, parameters);

  Matrix<std::uint8_t> predicted(p.n, p.k);
  for (std::int64_t i = 0; i < p.n * p.k; ++i) {
    if (p.group_of(i / p.k, i % p.k) == group) predicted.elements[static_cast<std::size_t>(i)] = 1;
  }
  c.elements_are("1 where the result changed");
  c.expect_equal(changed(before, after), predicted);
}

const std::string way_to_run = "to be computed ";
const std::string way_that_ran = "computed ";

/// A subject with several ways of computing must have used each of them; chance and small problems may reach only one.
const CoverageGoals every_way = {
    "every way of computing",
    {{"every way of computing", [](const Capabilities&) { return true; },
      [](const Coverage& coverage, const std::string&) {
        return std::all_of(coverage.classes.begin(), coverage.classes.end(), [&](const auto& one) {
          const auto& [name, count] = one;
          return !name.starts_with(way_to_run) ||
                 coverage.classes.contains(way_that_ran + name.substr(way_to_run.size()));
        });
      }}}};

/// Compares the first result with three repetitions, and with one repetition for each way of computing that the subject
/// has.
void repeats_give_the_same_bits(Case& c, Operation operation) {
  constexpr const char* repeats[] = {"again", "varied once", "varied twice"};
  const CallData data = drawn_data(c, operation);
  const auto run = [&] { return c.run(operation, data); };
  const Result first = run();
  c.record_hash("first", first);
  for (std::uint64_t variation = 0; variation < 3; ++variation) {
    c.subject().vary(variation == 0 ? 0 : drawn(c.problem.seed, stream::choice, variation) | 1);
    const Result again = taken_again(run);
    c.subject().vary(0);
    c.record_hash(repeats[variation], again);
    c.elements_are("a result run again, expected the first one");
    c.expect_equal(again, first);
  }
  const std::vector<std::string> ways = c.subject().ways();
  for (std::size_t way = 0; way < ways.size(); ++way) {
    c.meets(way_to_run + ways[way]);
    c.subject().vary(2 * way + 1);
    const Result again = taken_again(run);
    c.meets(way_that_ran + c.subject().way());
    c.subject().vary(0);
    c.elements_are(("a result computed " + ways[way] + ", expected the first one").c_str());
    c.expect_equal(again, first);
  }
}

}  // namespace

std::vector<Property> sense_properties() {
  const std::vector<const CoverageGoals*> shapes = {&every_format, &with_padding, &not_square};
  const std::vector<const CoverageGoals*> groups = {&every_format, &with_padding, &several_groups,
                                                    &groups_around_a_block};
  const auto of_one_code = [&](const char* element, Operation operation, const char* finds) {
    Property row =
        operation_property("sense", operation, "", finds, with_formats_to(shapes, operation), one_code_changes_one);
    row.name = std::string("sense/one_code_changes_one_") + element + "_of_" + name_of(operation);
    return row;
  };
  std::vector<Property> rows = {
      of_one_code("nibble", Operation::pack, "two codes to one place, a code to none"),
      of_one_code("element", Operation::unpack, "two codes from one place, a code from none"),
      of_one_code("weight", Operation::dequantize, "the same; a result kept from the call before"),
      of_one_code("nibble", Operation::convert, "two codes to one place, a code to none"),
      {"sense/one_scale_changes_exactly_its_group",
       "scales shared, skipped or taken from a neighbour",
       {Operation::dequantize},
       groups,
       {},
       [](Case& c) { one_parameter_changes_its_group(c, false); }},
      {"sense/one_zero_changes_exactly_its_group",
       "the same, for zeros and zero points",
       {Operation::dequantize},
       groups,
       {.schemes = schemes_with_zeros()},
       [](Case& c) { one_parameter_changes_its_group(c, true); }},
  };
  for (const Operation operation : pointer_operations) {
    const bool gives_weights = result_role(operation) == Role::weights;
    rows.push_back(operation_property("determinism", operation, "gives_the_same_bits_however_it_is_run",
                                      "races, stale state, a dependence on how the threads are split",
                                      with_formats_to(gives_weights ? groups : shapes, operation),
                                      repeats_give_the_same_bits));
    rows.back().meets.push_back(&every_way);
    if (gives_weights) rows.back().sampling.profiles = {"ordinary", "mixed"};
  }
  return rows;
}

}  // namespace tileproof
