// Batches: one call for several experts gives each expert what a call for it alone gives. These properties call kernels
// through raw pointers; stacks of tensors are tested in catalogue/strides.cpp.
#include <algorithm>
#include <tuple>

#include "properties/case/calls.h"
#include "properties/catalogue/properties.h"

namespace tileproof {

namespace {

const CoverageGoals several_experts = {
    "several experts",
    {{"several experts", [](const Capabilities& capabilities) { return capabilities.takes_experts; },
      [](const Coverage& coverage, const std::string& name) { return coverage.classes.contains(name); }}}};

/// Draws different codes and parameters for every expert.
void batch_is_as_specified(Case& c, Operation operation) {
  const CallData data = drawn_data(c, operation);
  c.subject().vary(c.choice(0) >> 63 != 0 ? c.choice(1) : 0);  // some pieces begin in the middle of an expert
  expect_specified(c, operation, data, c.run(operation, data));
}

template <class T>
void take_one_of(const std::vector<T>& legal, T& value) {
  if (std::find(legal.begin(), legal.end(), value) == legal.end()) value = legal.front();
}

/// Problems of 65,537 experts, more than 16 bits count, each of one n-tile. Rows, format, group size and scheme become
/// ones that the subject takes.
std::vector<Problem> problems_of_many_experts(const Capabilities& capabilities) {
  std::vector<Problem> problems;
  for (const auto& [n, group_size, scheme] :
       {std::tuple(1, 32, scheme::floating), std::tuple(3, 16, scheme::integer)}) {
    Problem one;
    one.experts = 65537;
    one.n = n;
    one.group_size = group_size;
    one.scheme = scheme;
    take_one_of(capabilities.formats, one.format);
    take_one_of(capabilities.formats_to_of(*one.format), one.format_to);
    const std::int64_t rows = n_unit(*one.format, capabilities.n_multiple, one.format_to);
    one.n = (one.n + rows - 1) / rows * rows;
    if (!capabilities.any_group_size) take_one_of(capabilities.group_sizes, one.group_size);
    take_one_of(schemes_of(*one.format, capabilities.schemes), one.scheme);
    take_one_of(types_of(*one.scheme, capabilities.types), one.types);
    const std::int64_t unit = k_unit(*one.format, one.group_size, capabilities.k_multiple, one.format_to);
    if (one.k % unit != 0) one.k = unit;
    if (capabilities.takes(one)) problems.push_back(one);
  }
  return problems;
}

}  // namespace

std::vector<Property> batch_properties() {
  std::vector<Property> rows;
  for (const Operation operation : pointer_operations) {
    std::vector<const CoverageGoals*> meets = shapes_of(operation);
    meets.insert(meets.begin(), &several_experts);
    rows.push_back(operation_property("batch", operation, "gives_every_expert_what_it_gives_it_alone",
                                      "an expert that begins elsewhere, or takes another's codes, scales or zeros",
                                      meets, batch_is_as_specified));
    rows.back().sampling.most_experts = 4;
    rows.push_back(operation_property("batch", operation, "of_65537_experts_is_as_specified",
                                      "an expert counted in 16 bits", {&several_experts, &with_padding},
                                      batch_is_as_specified));
    rows.back().sampling = {.schemes = {scheme::floating, scheme::integer},
                            .types = {Type::bf16},
                            .most_experts = 65537,
                            .fixed_for = problems_of_many_experts};
  }
  return rows;
}

}  // namespace tileproof
