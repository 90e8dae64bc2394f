#include "properties/case/identity_matmul.h"

#include "properties/problem/specification.h"

namespace tileproof {

Matrix<std::uint32_t> as_products(const Problem& p, Matrix<std::uint32_t> weights) {
  const reference::FloatFormat inner = float_format_of(p.types.weight);
  if (inner == reference::bf16) return weights;
  for (std::uint32_t& weight : weights.elements) {
    const std::uint32_t product = reference::rounded(reference::bf16, reference::decode(inner, weight));
    weight = reference::rounded(inner, reference::decode(reference::bf16, product));
  }
  return weights;
}

void identity_matmul(Case& c) {
  const Problem& p = c.problem;
  const Matrix<std::uint8_t> codes = c.codes();
  const Parameters parameters = c.parameters();
  Matrix<std::uint16_t> identity(p.k, p.k);
  for (std::int64_t i = 0; i < p.k; ++i) identity(i, i) = 0x3f80;
  const Matrix<std::uint32_t> product = c.matmul(identity, codes, parameters);
  Matrix<std::uint32_t> got(p.n, p.k);
  for (std::int64_t row = 0; row < p.n; ++row) {
    for (std::int64_t column = 0; column < p.k; ++column) got(row, column) = product(column, row);
  }

  const reference::FloatFormat format = float_format_of(p.types.weight);
  const Matrix<std::uint32_t> weights = specified::weights(p, specified::as_int32(codes), parameters);
  const auto is_finite = [&](std::int64_t row, std::int64_t column) {
    return reference::decode(format, weights(row, column)).kind == reference::Exact::Kind::finite;
  };
  std::vector<int> not_finite_of_row(static_cast<std::size_t>(p.n));
  for (std::int64_t row = 0; row < p.n; ++row) {
    for (std::int64_t column = 0; column < p.k; ++column) {
      not_finite_of_row[static_cast<std::size_t>(row)] += !is_finite(row, column);
    }
  }
  const Matrix<std::uint32_t> expected = as_products(p, weights);
  const auto explained = [&](std::int64_t row, std::int64_t column, std::uint32_t bits) -> const char* {
    const bool nan = format.is_nan(bits);
    if (not_finite_of_row[static_cast<std::size_t>(row)] > !is_finite(row, column)) {
      return nan ? "0 times an Inf or NaN of the row is NaN" : nullptr;
    }
    if (format.is_nan(weights(row, column))) return nan ? "another NaN" : nullptr;
    if (expected(row, column) == format.sign_bit() && bits == 0) return "-0 is lost: -0 + 0 is +0";
    return nullptr;
  };
  c.expect_equal_or_explained(got, expected, explained);
}

}  // namespace tileproof
