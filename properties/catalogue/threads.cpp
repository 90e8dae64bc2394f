// Threads: when several host threads call an operation at once, each gets its own result, bit for bit.
#include <vector>

#include "properties/case/calls.h"
#include "properties/catalogue/properties.h"
#include "properties/subjects/together.h"

namespace tileproof {

namespace {

void operators_called_at_once(Case& c, Operation operation) {
  std::vector<CallData> data;
  std::vector<OperatorCall> calls;
  for (std::size_t i = 0; i < callers; ++i) {
    data.push_back(i == 0 ? drawn_data(c, operation) : other_data(c, operation, i));
    calls.push_back(legal_call(c.problem, operation, data.back(), c.capabilities));
  }
  const std::vector<OperatorResult> results = c.call_at_once(calls);
  c.show_no_data();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const bool is_equal = i % calls_of_caller != 0 && results[i].bytes == results[i - 1].bytes;
    if (!is_equal) expect_specified(c, operation, data[i / calls_of_caller], results[i]);
  }
}

void called_at_once(Case& c, Operation operation) {
  if (c.subject().operators() != nullptr) return operators_called_at_once(c, operation);
  std::vector<CallData> data;
  for (std::size_t i = 0; i < callers; ++i) {
    Problem other = c.problem;
    other.seed += i;
    CallData& own = data.emplace_back(CallData{c.codes(), i == 0 ? c.parameters() : drawn_parameters(other)});
    // Each caller's codes differ from every other caller's at every place.
    for (std::uint8_t& code : own.codes.elements) code = static_cast<std::uint8_t>((code + 5 * i) & 15);
  }
  const std::vector<Result> results = c.at_once(operation, data);
  c.show_no_data();
  for (std::size_t i = 0; i < results.size(); ++i) {
    // A result equal to one that was compared needs no second comparison.
    const bool is_equal = i % calls_of_caller != 0 && results[i] == results[i - 1];
    if (!is_equal) expect_specified(c, operation, data[i / calls_of_caller], results[i]);
  }
}

}  // namespace

std::vector<Property> threads_properties() {
  std::vector<Property> rows;
  for (const Operation operation : pointer_operations) {
    Property property = operation_property("threads", operation, "gives_each_caller_its_own_bits",
                                           "a buffer that all calls share; settings that one call changes for another",
                                           with_formats_to({&every_format, &with_padding}, operation), called_at_once);
    property.sampling.most_k = 1024;
    property.sampling.most_elements = 16384;
    property.from_several_threads = true;
    rows.push_back(std::move(property));
  }
  return rows;
}

}  // namespace tileproof
