// Threads: when several host threads call an operation at once, each gets its own result, bit for bit.
#include <algorithm>
#include <vector>

#include "properties/case/calls.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/specification.h"
#include "properties/subjects/together.h"

namespace tileproof {

namespace {

void operators_called_at_once(Case& c, Operation operation) {
  std::vector<CallData> data;
  std::vector<OperatorCall> calls;
  for (std::size_t i = 0; i < callers; ++i) {
    data.push_back(i == 0 ? drawn_data(c, operation) : other_data(c, operation, i));
    calls.push_back(legal_call(c.problem, operation, data.back()));
  }
  const std::vector<OperatorResult> results = c.call_at_once(calls);
  c.show_no_data();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const bool is_equal = i % calls_of_caller != 0 && results[i].bytes == results[i - 1].bytes;
    if (!is_equal) expect_specified(c, operation, data[i / calls_of_caller], results[i]);
  }
}

/// Rotates the elements, so that callers differ at every place.
template <class T>
void turn(std::vector<T>& elements, std::size_t by) {
  if (!elements.empty()) {
    std::rotate(elements.begin(), elements.begin() + static_cast<std::ptrdiff_t>(by % elements.size()), elements.end());
  }
}

void called_at_once(Case& c, Operation operation) {
  if (c.subject().operators() != nullptr) return operators_called_at_once(c, operation);
  const Problem& p = c.problem;
  std::vector<Matrix<std::uint8_t>> codes;
  std::vector<Parameters> parameters;
  for (std::size_t i = 0; i < callers; ++i) {
    codes.push_back(c.codes());
    // Each caller's codes differ from every other caller's at every place.
    for (std::uint8_t& code : codes.back().elements) code = static_cast<std::uint8_t>((code + 5 * i) & 15);
    parameters.push_back(c.parameters());
    turn(parameters.back().scales.elements, i);
    turn(parameters.back().zeros.elements, i);
    turn(parameters.back().zero_points.elements, i);
  }
  const std::vector<std::vector<std::uint32_t>> results = c.at_once(operation, codes, parameters);
  c.show_no_data();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::size_t caller = i / calls_of_caller;
    // A result equal to one that was compared needs no second comparison.
    if (i % calls_of_caller != 0 && results[i] == results[i - 1]) continue;
    const Matrix<std::int32_t> wanted = specified::as_int32(codes[caller]);
    if (operation == Operation::pack) {
      c.expect_equal(results[i], specified::packed(*p.format, codes[caller]));
      continue;
    }
    Matrix<std::uint32_t> got(p.n, p.k);
    got.elements = results[i];
    if (operation == Operation::dequantize) {
      c.expect_equal(got, specified::weights(p, wanted, parameters[caller]));
      continue;
    }
    Matrix<std::int32_t> unpacked(p.n, p.k);
    unpacked.elements.assign(got.elements.begin(), got.elements.end());
    c.expect_equal(unpacked, wanted);
  }
}

}  // namespace

std::vector<Property> threads_properties() {
  std::vector<Property> rows;
  for (const Operation operation : operations_on_the_layout) {
    Property property = {.name = std::string("threads/") + name_of(operation) + "_gives_each_caller_its_own_bits",
                         .finds = "a buffer that all calls share; settings that one call changes for another",
                         .needs = {operation},
                         .meets = {&every_format, &with_padding},
                         .sampling = {.most_k = 1024, .most_elements = 16384},
                         .body = [operation](Case& c) { called_at_once(c, operation); }};
    property.sampling.of_codes = operation != Operation::dequantize;
    property.from_several_threads = true;
    rows.push_back(std::move(property));
  }
  return rows;
}

}  // namespace tileproof
