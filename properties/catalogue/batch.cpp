// Batches: one call for several experts gives each expert what a call for it alone gives. These properties call kernels
// through raw pointers; stacks of tensors are tested in catalogue/layout.cpp.
#include <algorithm>
#include <numeric>

#include "properties/catalogue/properties.h"
#include "properties/problem/specification.h"

namespace tileproof {

namespace {

const CoverageGoals several_experts = {
    "several experts",
    {{"several experts", [](const Capabilities& capabilities) { return capabilities.takes_experts; },
      [](const Coverage& coverage, const std::string& name) { return coverage.classes.contains(name); }}}};

/// @return the rows of one expert of a batch of `experts`
template <class T>
Matrix<T> of_expert(const Matrix<T>& batch, std::int64_t expert, std::int64_t experts) {
  Matrix<T> one(batch.rows / experts, batch.columns);
  std::copy_n(batch.elements.begin() + expert * one.rows * one.columns, one.elements.size(), one.elements.begin());
  return one;
}

template <class T>
void append_to(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

/// Draws different codes and parameters for every expert.
void batch_is_as_specified(Case& c, Operation operation) {
  const Problem& p = c.problem;
  const Matrix<std::uint8_t> codes = c.codes();
  const bool has_parameters = operation == Operation::dequantize;
  const Parameters parameters = has_parameters ? c.parameters() : Parameters();
  std::vector<std::uint32_t> packed;
  Matrix<std::uint32_t> weights(p.experts * p.n, p.k);
  weights.elements.clear();
  for (std::int64_t expert = 0; expert < p.experts; ++expert) {
    const Matrix<std::uint8_t> own_codes = of_expert(codes, expert, p.experts);
    append_to(packed, specified::packed(*p.format, own_codes));
    if (!has_parameters) continue;
    const Parameters own = {of_expert(parameters.scales, expert, p.experts),
                            of_expert(parameters.zeros, expert, p.experts),
                            of_expert(parameters.zero_points, expert, p.experts)};
    append_to(weights.elements, specified::weights(p, specified::as_int32(own_codes), own).elements);
  }
  c.subject().vary(c.choice(0) >> 63 != 0 ? c.choice(1) : 0);  // some pieces begin in the middle of an expert
  if (operation == Operation::pack) return c.expect_equal(c.pack(codes), packed);
  if (operation == Operation::unpack) return c.expect_equal(c.unpack(packed), specified::as_int32(codes));
  c.expect_equal(c.dequantize(packed, parameters), weights);
}

/// 65,537 experts, more than 16 bits count, each of one n-tile.
Problem problem_of_many_experts(std::int64_t n, std::int64_t group_size, const Scheme* scheme) {
  Problem problem;
  problem.experts = 65537;
  problem.n = n;
  problem.group_size = group_size;
  problem.scheme = scheme;
  return problem;
}

template <class T>
void take_one_of(const std::vector<T>& legal, T& value) {
  if (std::find(legal.begin(), legal.end(), value) == legal.end()) value = legal.front();
}

/// Problems of many experts. Rows, format, group size and scheme become ones that the subject takes.
std::vector<Problem> problems_of_many_experts(const Capabilities& capabilities) {
  std::vector<Problem> problems;
  for (Problem one :
       {problem_of_many_experts(1, 32, scheme::floating), problem_of_many_experts(3, 16, scheme::integer)}) {
    take_one_of(capabilities.formats, one.format);
    const std::int64_t rows = n_unit(*one.format, capabilities.n_multiple);
    one.n = (one.n + rows - 1) / rows * rows;
    if (!capabilities.any_group_size) take_one_of(capabilities.group_sizes, one.group_size);
    take_one_of(schemes_of(*one.format, capabilities.schemes), one.scheme);
    take_one_of(types_of(*one.scheme, capabilities.types), one.types);
    const std::int64_t unit = k_unit(*one.format, one.group_size);
    if (one.k % unit != 0) one.k = unit;
    if (capabilities.takes(one)) problems.push_back(one);
  }
  return problems;
}

}  // namespace

std::vector<Property> batch_properties() {
  std::vector<Property> rows;
  for (const Operation operation : operations_on_the_layout) {
    const bool has_types = operation == Operation::dequantize;
    std::vector<const CoverageGoals*> meets = {&several_experts, &every_format, &with_padding, &not_square,
                                               &both_alignments};
    if (has_types) meets.insert(meets.end(), {&several_groups, &every_type});
    rows.push_back({.name = std::string("batch/") + name_of(operation) + "_gives_every_expert_what_it_gives_it_alone",
                    .finds = "an expert that begins elsewhere, or takes another's codes, scales or zeros",
                    .needs = {operation},
                    .meets = meets,
                    .sampling = {.of_codes = !has_types, .most_experts = 4},
                    .body = [operation](Case& c) { batch_is_as_specified(c, operation); }});
    rows.push_back({.name = std::string("batch/") + name_of(operation) + "_of_65537_experts_is_as_specified",
                    .finds = "an expert counted in 16 bits",
                    .needs = {operation},
                    .meets = {&several_experts, &with_padding},
                    .sampling = {.schemes = {scheme::floating, scheme::integer},
                                 .types = {Type::bf16},
                                 .most_experts = 65537,
                                 .fixed_for = problems_of_many_experts},
                    .body = [operation](Case& c) { batch_is_as_specified(c, operation); }});
  }
  return rows;
}

}  // namespace tileproof
