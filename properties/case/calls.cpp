#include "properties/case/calls.h"

#include <algorithm>
#include <cstring>

#include "properties/problem/draw.h"
#include "properties/problem/specification.h"
#include "properties/problem/values.h"
#include "reference/arithmetic.h"

namespace tileproof {

namespace {

template <class T>
std::vector<std::uint8_t> bytes_of(const std::vector<T>& elements) {
  std::vector<std::uint8_t> bytes(elements.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), elements.data(), bytes.size());
  return bytes;
}

// --- Results of calls ----------------------------------------------------------------------------------------------

Sizes sizes_of_packed(const Problem& p) {
  const reference::Dims dims = p.layout().dims(p.size());
  return Sizes(dims.begin(), dims.end());
}

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
Form form_of(const Problem& p, Operation operation, std::int64_t rows_of_activations) {
  switch (operation) {
    case Operation::pack:
      return {Element::int32, sizes_of_packed(p)};
    case Operation::unpack:
      return {Element::int32, {p.layout().padded(p.size()).n, p.k}};
    case Operation::dequantize:
      return {Element::bf16, {p.n, p.k}};
    case Operation::matmul:
      return {Element::bf16, {rows_of_activations, p.n}};
    default:
      throw std::logic_error(std::string(name_of(operation)) + " is no operator over packed weights");
  }
}

constexpr std::int64_t activation_rows = 16;

Matrix<std::uint8_t> with_rows(const Matrix<std::uint8_t>& codes, std::int64_t rows) {
  Matrix<std::uint8_t> all(rows, codes.columns);
  std::copy(codes.elements.begin(), codes.elements.end(), all.elements.begin());
  return all;
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

Parameters unit_scales(const Problem& problem) {
  Parameters parameters = zero_parameters(problem);
  const std::uint32_t one = reference::rounded(float_format_of(problem.types.parameter), reference::whole(1));
  for (std::uint32_t& scale : parameters.scales.elements) scale = one;
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

CallData data_of(const Problem& p, Operation operation) {
  CallData data = {Matrix<std::uint8_t>(p.n, p.k), {}, {}};
  for (std::size_t i = 0; i < data.codes.elements.size(); ++i) {
    data.codes.elements[i] = static_cast<std::uint8_t>(drawn(p.seed, stream::codes, i) >> 60);
  }
  if (operation == Operation::dequantize) {
    data.parameters = zero_parameters(p);
    for (std::size_t i = 0; i < data.parameters.scales.elements.size(); ++i) {
      const ScaleAndZero both = profile_of(p.scales).drawn(float_format_of(p.types.parameter), p.seed, i);
      data.parameters.scales.elements[i] = both.scale;
      data.parameters.zeros.elements[i] = both.zero;
    }
  }
  if (operation == Operation::matmul) {
    data.parameters = unit_scales(p);
    data.activations = whole_activations(p);
  }
  return data;
}

CallData drawn_data(Case& c, Operation operation) {
  CallData data = {c.codes(), {}, {}};
  if (operation == Operation::dequantize) data.parameters = c.parameters();
  if (operation == Operation::matmul) {
    data.parameters = unit_scales(c.problem);
    data.activations = whole_activations(c.problem);
  }
  return data;
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

OperatorCall legal_call(const Problem& p, Operation operation, const CallData& data) {
  const Argument inner_k_tiles = number_argument("inner_k_tiles", tinygemm_number(*p.format));
  if (operation == Operation::pack) {
    return {operation,
            {tensor_argument("codes", Element::uint8, {p.n, p.k / 2}, specified::pairs(data.codes)), inner_k_tiles}};
  }
  const Argument packed = tensor_argument("packed_w", Element::int32, sizes_of_packed(p),
                                          bytes_of(specified::packed(*p.format, data.codes)));
  if (operation == Operation::unpack) return {operation, {packed, inner_k_tiles}};
  const Argument group_size = number_argument("group_size", p.group_size);
  const Argument scales = tensor_argument("scales_and_zeros", Element::bf16, {p.groups(), p.n, 2},
                                          narrowed(interleaved(data.parameters), 2));
  if (operation == Operation::dequantize) return {operation, {packed, scales, group_size, inner_k_tiles}};
  return {
      operation,
      {tensor_argument("activations", Element::bf16, {data.activations.rows, p.k}, bytes_of(data.activations.elements)),
       packed, group_size, scales}};
}

void expect_specified(Case& c, Operation operation, const CallData& data, const OperatorResult& result) {
  expect_specified_of(c, c.problem, operation, data, result);
}

void expect_form(Case& c, Operation operation, const OperatorResult& result) {
  const Form form = form_of(c.problem, operation, activation_rows);
  expect_form(result, form.element, form.sizes);
  for (const std::int64_t size : result.sizes) c.count_check(static_cast<std::uint32_t>(size));
  c.count_check(static_cast<std::uint32_t>(result.element));
}

void expect_same(Case& c, const OperatorResult& got, const OperatorResult& expected) {
  expect_form(got, expected.element, expected.sizes);
  const auto columns = got.sizes.empty() ? 1 : std::max<std::int64_t>(1, got.sizes.back());
  const std::int64_t rows = count_of(got.sizes) / columns;
  const std::int64_t step = bytes_of(got.element);
  if (got.element == Element::bf16) {
    Matrix<std::uint32_t> a(rows, columns), b(rows, columns);
    a.elements = widened(got.bytes, step);
    b.elements = widened(expected.bytes, step);
    return c.expect_equal(a, b);
  }
  const bool whole = got.element == Element::int32 && got.bytes.size() == expected.bytes.size() &&
                     static_cast<std::int64_t>(got.bytes.size()) == rows * columns * 4;
  if (!whole)
    throw Failure("mismatch", "the result is " + got.text() + " of " + std::to_string(got.bytes.size()) + " bytes");
  Matrix<std::int32_t> a(rows, columns), b(rows, columns);
  std::memcpy(a.elements.data(), got.bytes.data(), got.bytes.size());
  std::memcpy(b.elements.data(), expected.bytes.data(), expected.bytes.size());
  c.expect_equal(a, b);
}

void expect_specified_of(Case& c, const Problem& p, Operation operation, const CallData& data,
                         const OperatorResult& result) {
  const Form form = form_of(p, operation, data.activations.rows);
  expect_form(result, form.element, form.sizes);
  if (operation == Operation::pack) {
    c.expect_equal(widened(result.bytes, 4), specified::packed(*p.format, data.codes));
  } else if (operation == Operation::unpack) {
    const std::int64_t rows = form.sizes[0];
    Matrix<std::int32_t> got(rows, p.k);
    if (!result.bytes.empty()) std::memcpy(got.elements.data(), result.bytes.data(), result.bytes.size());
    c.expect_equal(got, specified::as_int32(with_rows(data.codes, rows)));  // the padding's codes are 0
  } else if (operation == Operation::dequantize) {
    Matrix<std::uint32_t> got(p.n, p.k);
    got.elements = widened(result.bytes, 2);
    c.expect_equal(got, specified::weights(p, specified::as_int32(data.codes), data.parameters));
  } else {
    Matrix<std::uint32_t> got(data.activations.rows, p.n);
    got.elements = widened(result.bytes, 2);
    c.elements_are("row m, column n of the product");
    c.expect_equal(got, whole_products(p, data.activations, data.codes));
    c.elements_are("");
  }
}

namespace {

/// The argument of a batch without experts: a dimension of size 0 stands before the first.
Argument without_experts(const Argument& one) {
  if (one.number) return one;
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
  if (operation == Operation::matmul) return {"no-rows", "no-columns", "no-activations"};
  return {"no-rows", "no-columns", "no-experts"};
}

OperatorCall empty_call(const Problem& p, Operation operation, const std::string& variant) {
  const Problem problem = empty_problem(p, variant);
  CallData data = {Matrix<std::uint8_t>(problem.n, problem.k), zero_parameters(problem),
                   Matrix<std::uint16_t>(variant == "no-activations" ? 0 : activation_rows, problem.k)};
  OperatorCall call = legal_call(problem, operation, data);
  if (variant == "no-experts") {
    for (Argument& argument : call.arguments) argument = without_experts(argument);
  }
  return call;
}

void expect_form_of_empty(const Problem& p, Operation operation, const std::string& variant,
                          const OperatorResult& empty, const OperatorResult& full) {
  Form form = form_of(empty_problem(p, variant), operation, variant == "no-activations" ? 0 : activation_rows);
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
  std::string text;
  for (const Argument& argument : call.arguments) {
    text += (text.empty() ? "" : ", ") + argument.name + " = " + argument.text();
  }
  return text;
}

}  // namespace tileproof
