#include "properties/case/calls.h"

#include <algorithm>
#include <numeric>

#include "properties/problem/draw.h"
#include "properties/problem/named.h"
#include "properties/problem/specification.h"
#include "properties/problem/values.h"
#include "reference/arithmetic.h"

namespace tileproof {

namespace {

// --- Results of calls ----------------------------------------------------------------------------------------------

Sizes sizes_of(const reference::Dims& dims) { return Sizes(dims.begin(), dims.end()); }
Sizes sizes_of_packed(const Problem& p) { return sizes_of(p.layout().dims(p.size())); }

void expect_form(const OperatorResult& result, Element element, const Sizes& sizes) {
  const bool whole = static_cast<std::int64_t>(result.bytes.size()) == count_of(sizes) * bytes_of(element);
  if (result.element == element && result.sizes == sizes && whole) return;
  throw Failure("mismatch", "the result is " + result.text() + ", expected " + name_of(element) + " " + text_of(sizes));
}

/// Type and sizes of an operation's result.
struct Form {
  Element element;
  Sizes sizes;
};
Form form_of(const Problem& p, Operation operation, const Capabilities& capabilities,
             std::int64_t rows_of_activations) {
  const Role role = result_role(operation);
  if (role == Role::products) return {Element::bf16, {rows_of_activations, p.n}};
  if (role == Role::packed) return {element_named(p.layout().dtype), sizes_of_packed(p)};
  if (role == Role::codes) return {Element::int32, {capabilities.rows_unpacked(*p.format, p.size()), p.k}};
  return {element_named(name_of(p.types.weight)), sizes_of(p.format->result_dims(p.size()))};
}

constexpr std::int64_t activation_rows = 16;

/// @return the rows of one expert of a batch of `experts`
template <class T>
Matrix<T> of_expert(const Matrix<T>& batch, std::int64_t expert, std::int64_t experts) {
  Matrix<T> one(batch.rows / experts, batch.columns);
  std::copy_n(batch.elements.begin() + expert * one.rows * one.columns, one.elements.size(), one.elements.begin());
  return one;
}

/// The data of one expert of a batch.
CallData data_of_expert(const Problem& p, const CallData& batch, std::int64_t expert) {
  const auto rows_of = [&](const auto& all) { return of_expert(all, expert, p.experts); };
  const Parameters& parameters = batch.parameters;
  return {rows_of(batch.codes),
          {rows_of(parameters.scales), rows_of(parameters.zeros), rows_of(parameters.zero_points)},
          rows_of(batch.activations)};
}

/// The specified result of one matrix.
Matrix<std::uint32_t> specified_bits(const Problem& p, Role result, const CallData& data) {
  if (result == Role::codes) return data.codes.as<std::uint32_t>();
  if (result == Role::weights) return specified::weights(p, specified::as_int32(data.codes), data.parameters);
  if (result == Role::products) return whole_products(p, data.activations, data.codes);
  Matrix<std::uint32_t> bits;
  bits.elements = specified::packed(format_in(p, result), data.codes);
  bits.rows = 1;
  bits.columns = std::ssize(bits.elements);
  return bits;
}

}  // namespace

// --- Data ----------------------------------------------------------------------------------------------------------

Matrix<std::uint16_t> whole_activations(const Problem& p) {
  Matrix<std::uint16_t> activations(activation_rows, p.k);
  for (std::int64_t m = 0; m < activations.rows; ++m) {
    for (std::int64_t term = 0; term < 16; ++term) {
      const std::uint64_t bits = drawn(p.seed, stream::choice, static_cast<std::uint64_t>(m * 16 + term));
      activations(m, below(p.k, bits)) = (bits & 1) != 0 ? 0x3f80 : 0xbf80;
    }
  }
  return activations;
}

namespace {

/// A whole number in the type of the parameters.
std::uint32_t whole_parameter(const Problem& p, int number) {
  return reference::rounded(float_format_of(p.types.parameter), reference::whole(number));
}

}  // namespace

std::uint32_t whole_scale(const Problem& p, int number) {
  if (p.scheme->groups_of_number == 1) return whole_parameter(p, number);
  return reference::with_factor(whole_parameter(p, 1), static_cast<std::uint32_t>(number));
}

std::uint32_t whole_zero(const Problem& p, int number) {
  if (p.scheme->groups_of_number == 1) return whole_parameter(p, number);
  return reference::with_factor(whole_parameter(p, -1), static_cast<std::uint32_t>(number));
}

std::uint32_t no_zero(const Problem& p) {
  constexpr std::uint32_t factor_1 = 0x3f800000;
  if (p.scheme->has_factor) return factor_1;
  if (p.scheme->zero_kind != Zero::point) return whole_zero(p, 0);
  return static_cast<std::uint32_t>(p.scheme->zero_points.nearest_to_zero());
}

Parameters unit_scales(const Problem& problem) {
  Parameters parameters = zero_parameters(problem);
  for (std::uint32_t& scale : parameters.scales.elements) scale = whole_scale(problem, 1);
  const bool has_points = problem.scheme->zero_kind == Zero::point;
  if (!has_points) std::ranges::fill(parameters.zeros.elements, no_zero(problem));
  if (has_points) std::ranges::fill(parameters.zero_points.elements, static_cast<std::int8_t>(no_zero(problem)));
  return parameters;
}

Matrix<std::uint32_t> whole_products(const Problem& p, const Matrix<std::uint16_t>& activations,
                                     const Matrix<std::uint8_t>& codes) {
  Matrix<std::uint32_t> products(activations.rows, codes.rows);
  for (std::int64_t m = 0; m < activations.rows; ++m) {
    for (std::int64_t n = 0; n < codes.rows; ++n) {
      int sum = 0;
      for (std::int64_t k = 0; k < codes.columns; ++k) {
        if (activations(m, k) != 0) sum += (activations(m, k) == 0x3f80 ? 1 : -1) * (codes(n, k) - 8);
      }
      products(m, n) = reference::rounded(float_format_of(p.types.weight), reference::whole(sum));
    }
  }
  return products;
}

namespace {

/// @param drawn  draws the parameters of an operation that gives weights
template <class Draw>
CallData data_with(const Problem& p, Operation operation, Matrix<std::uint8_t> codes, Draw drawn) {
  CallData data = {std::move(codes)};
  if (result_role(operation) == Role::weights) data.parameters = drawn();
  if (result_role(operation) == Role::products) {
    data.parameters = unit_scales(p);
    data.activations = whole_activations(p);
  }
  return data;
}

}  // namespace

CallData data_of(const Problem& p, Operation operation) {
  Problem whole = p;
  whole.codes = whole.parameters = Span();
  return data_with(whole, operation, drawn_codes(whole), [&] { return drawn_parameters(whole); });
}

CallData drawn_data(Case& c, Operation operation) {
  return data_with(c.problem, operation, c.codes(), [&] { return c.parameters(); });
}

CallData other_data(const Case& c, Operation operation, std::uint64_t which) {
  Problem other = c.problem;
  other.seed = mixed(other.seed + which);
  CallData data = data_of(other, operation);
  if (operation == Operation::matmul) {
    // Use scale 2 in place of 1, so that a mix-up shows.
    for (std::uint32_t& scale : data.parameters.scales.elements) {
      scale = reference::rounded(reference::bf16, reference::whole(2));
    }
  }
  return data;
}

Result specified_result(const Problem& p, Operation operation, const CallData& data) {
  Result all = {result_role(operation), {}};
  for (std::int64_t expert = 0; expert < p.experts; ++expert) {
    const Matrix<std::uint32_t> one = specified_bits(p, all.role, data_of_expert(p, data, expert));
    all.bits.rows += one.rows;
    all.bits.columns = one.columns;
    all.bits.elements.insert(all.bits.elements.end(), one.elements.begin(), one.elements.end());
  }
  return all;
}

namespace {

void expect_result(Case& c, const Result& got, const Result& expected) {
  const bool of_products = got.role == Role::products;
  if (of_products) c.elements_are("row m, column n of the product");
  c.expect_equal(got, expected);
  if (of_products) c.elements_are("");
}

/// An argument of an operator's legal call.
Argument argument_of(const std::string& name, const Problem& p, const CallData& data) {
  if (name == "inner_k_tiles") return number_argument(name, tinygemm_number(*p.format));
  if (name == "group_size") return number_argument(name, p.group_size);
  if (name == "codes") return tensor_argument(name, Element::uint8, {p.n, (p.k + 1) / 2}, specified::pairs(data.codes));
  if (name == "scales_and_zeros") {
    return tensor_argument(name, Element::bf16, {p.groups().k, p.n, 2}, narrowed(interleaved(data.parameters), 2));
  }
  if (name == "activations") {
    return tensor_argument(name, Element::bf16, {data.activations.rows, p.k},
                           narrowed(data.activations.as<std::uint32_t>().elements, 2));
  }
  return tensor_argument(name, Element::int32, sizes_of_packed(p),
                         narrowed(specified::packed(*p.format, data.codes), bytes_of(Element::int32)));
}

/// A legal call of an operator that a mapping names.
OperatorCall mapped_call(const Problem& p, Operation operation, const CallData& data,
                         const std::vector<std::string>& names) {
  const Contents contents = contents_of(operation, p, data);
  const auto parameters = [&](const std::string& name) {
    const bool is_first = name == p.scheme->tensors[0].role;
    const reference::ParameterTensor& tensor = p.scheme->tensors[is_first ? 0 : 1];
    return tensor_argument(name, element_named(tensor.dtype != nullptr ? tensor.dtype : name_of(p.types.parameter)),
                           sizes_of(tensor.dims(p.groups())), contents[is_first ? Role::scales : Role::zeros]);
  };
  OperatorCall call = {operation, {}};
  for (const std::string& name : names) {
    call.arguments.push_back(
        name == "n"            ? number_argument(name, p.n)
        : name == "k"          ? number_argument(name, p.k)
        : name == "group_size" ? number_argument(name, p.group_size)
        : name == "dtype"      ? dtype_argument(name, element_named(name_of(p.types.weight)))
        : name == "codes"      ? tensor_argument(name, Element::uint8, {p.n, p.k}, data.codes.elements)
        : name == "pairs"      ? tensor_argument(name, Element::uint8, {p.n, (p.k + 1) / 2}, contents[Role::pairs])
        : name == "packed"
            ? tensor_argument(name, element_named(p.layout().dtype), sizes_of_packed(p), contents[Role::packed])
            : parameters(name));
  }
  return call;
}

}  // namespace

Problem smallest_problem(const Capabilities& capabilities) {
  Problem problem;
  problem.format = capabilities.formats.front();
  problem.scheme = capabilities.schemes.front();
  problem.types = capabilities.types.front();
  problem.group_size = capabilities.group_sizes.front();
  const Size least = least_full_size(*problem.format);
  problem.n = std::lcm(least.n, n_unit(*problem.format, capabilities.n_multiple));
  problem.k = std::lcm(least.k, k_unit(*problem.format, problem.group_size, capabilities.k_multiple));
  return problem;
}

OperatorCall legal_call(const Problem& p, Operation operation, const CallData& data, const Capabilities& capabilities) {
  if (capabilities.are_mapped()) return mapped_call(p, operation, data, capabilities.mapped_arguments.at(operation));
  OperatorCall call = {operation, {}};
  for (const char* name : operator_arguments_of(operation)) call.arguments.push_back(argument_of(name, p, data));
  return call;
}

void expect_specified(Case& c, Operation operation, const CallData& data, const Result& got) {
  expect_result(c, got, specified_result(c.problem, operation, data));
}

void expect_specified(Case& c, Operation operation, const CallData& data, const OperatorResult& result) {
  expect_specified_of(c, c.problem, operation, data, result);
}

void expect_form(Case& c, Operation operation, const OperatorResult& result) {
  const Form form = form_of(c.problem, operation, c.capabilities, activation_rows);
  expect_form(result, form.element, form.sizes);
  for (const std::int64_t size : result.sizes) c.count_check(static_cast<std::uint32_t>(size));
  c.count_check(static_cast<std::uint32_t>(result.element));
}

Sizes sizes_of_result(const Problem& p, Operation operation, const Capabilities& capabilities) {
  return form_of(p, operation, capabilities, activation_rows).sizes;
}

void expect_same(Case& c, const OperatorResult& got, const OperatorResult& expected) {
  expect_form(got, expected.element, expected.sizes);
  const bool of_weights = got.element == Element::bf16 || got.element == Element::fp16 || got.element == Element::fp32;
  if (!of_weights && (bytes_of(got.element) > 4 || got.bytes.size() != expected.bytes.size())) {
    throw Failure("mismatch", "the result is " + got.text() + " of " + std::to_string(got.bytes.size()) + " bytes");
  }
  const bool in_columns = of_weights && got.sizes == sizes_of(c.problem.format->result_dims(c.problem.size()));
  const auto columns = in_columns ? c.problem.k : got.sizes.empty() ? 1 : std::max<std::int64_t>(1, got.sizes.back());
  const auto bits_of = [&](const OperatorResult& one) {
    Matrix<std::uint32_t> bits(count_of(got.sizes) / columns, columns);
    bits.elements = widened(one.bytes, bytes_of(got.element));
    if (in_columns) bits = in_rows(c.problem, std::move(bits));
    return Result{of_weights ? Role::weights : Role::codes, std::move(bits)};
  };
  c.expect_equal(bits_of(got), bits_of(expected));
}

void expect_specified_of(Case& c, const Problem& p, Operation operation, const CallData& data,
                         const OperatorResult& result) {
  const Form form = form_of(p, operation, c.capabilities, data.activations.rows);
  expect_form(result, form.element, form.sizes);
  CallData padded = data;
  if (result_role(operation) == Role::codes) {  // the operator unpacks the padding too, whose codes are 0
    padded.codes.rows = form.sizes[0];
    padded.codes.elements.resize(static_cast<std::size_t>(count_of(form.sizes)));
  }
  const Result expected = specified_result(p, operation, padded);
  Result got = expected;
  got.bits.elements = widened(result.bytes, bytes_of(form.element));
  if (got.role == Role::weights) got.bits = in_rows(p, std::move(got.bits));
  expect_result(c, got, expected);
}

namespace {

/// The argument of a batch without experts: a dimension of size 0 stands before the first.
Argument without_experts(const Argument& one) {
  if (!one.is_tensor()) return one;
  Sizes sizes = one.sizes;
  sizes.insert(sizes.begin(), 0);
  return tensor_argument(one.name, one.element, sizes, {});
}

Problem empty_problem(const Problem& p, const std::string& variant) {
  Problem problem = p;
  if (variant == "no-rows") problem.n = 0;
  if (variant == "no-columns") problem.k = 0;
  return problem;
}

}  // namespace

std::vector<std::string> empty_variants(Operation operation) {
  return {"no-rows", "no-columns", has_argument(operation, "activations") ? "no-activations" : "no-experts"};
}

OperatorCall empty_call(const Problem& p, Operation operation, const std::string& variant,
                        const Capabilities& capabilities) {
  const Problem problem = empty_problem(p, variant);
  CallData data = {Matrix<std::uint8_t>(problem.n, problem.k), unit_scales(problem),
                   Matrix<std::uint16_t>(variant == "no-activations" ? 0 : activation_rows, problem.k)};
  OperatorCall call = legal_call(problem, operation, data, capabilities);
  if (variant == "no-experts") {
    for (Argument& argument : call.arguments) argument = without_experts(argument);
  }
  return call;
}

void expect_form_of_empty(const Case& c, Operation operation, const std::string& variant, const OperatorResult& empty,
                          const OperatorResult& full) {
  Form form = form_of(empty_problem(c.problem, variant), operation, c.capabilities,
                      variant == "no-activations" ? 0 : activation_rows);
  if (variant == "no-experts") form.sizes.insert(form.sizes.begin(), 0);
  expect_form(empty, form.element, form.sizes);
  const bool is_full_contiguous = full.strides == dense_strides(full.sizes);
  if (is_full_contiguous && empty.strides != dense_strides(empty.sizes)) {
    throw Failure("mismatch", "the empty result " + empty.text() + " has the strides " + text_of(empty.strides) +
                                  ", expected " + text_of(dense_strides(empty.sizes)) +
                                  ", as a full result is contiguous");
  }
  if (empty.device != full.device) {
    throw Failure("mismatch", "the empty result is on " + empty.device + ", a full one on " + full.device);
  }
}

std::string text_of(const OperatorCall& call) {
  return joined(call.arguments, ", ", [](const Argument& one) { return one.name + " = " + one.text(); });
}

}  // namespace tileproof
