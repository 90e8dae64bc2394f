#include "properties/case/identity_matmul.h"

#include "properties/problem/specification.h"
#include "reference/dequantize.h"

namespace tileproof {

namespace {

using reference::Exact;

}  // namespace

InnerWeights inner_weights(Case& c, const Matrix<std::uint8_t>& codes, const Parameters& parameters) {
  const reference::FloatFormat format =
      c.subject().weight_rounding() == WeightRounding::once ? reference::bf16 : reference::fp32;
  InnerWeights inner = {format, Matrix<std::uint32_t>(codes.rows, codes.columns)};
  for (std::int64_t row = 0; row < codes.rows; ++row) {
    for (std::int64_t column = 0; column < codes.columns; ++column) {
      const std::int64_t group = column / c.problem.group_size;
      const Exact scaled = reference::product(reference::whole(codes(row, column) - reference::float_domain_midpoint),
                                              reference::decode(reference::bf16, parameters.scales(group, row)));
      inner.bits(row, column) = reference::rounded(
          format, reference::sum(scaled, reference::decode(reference::bf16, parameters.zeros(group, row))));
    }
  }
  return inner;
}

void identity_matmul(Case& c) {
  const Problem& p = c.problem;
  const Matrix<std::uint8_t> codes = c.codes();
  const Parameters parameters = c.parameters();
  Matrix<std::uint16_t> identity(p.k, p.k);
  for (std::int64_t i = 0; i < p.k; ++i) identity(i, i) = 0x3f80;
  const Matrix<std::uint16_t> product = c.matmul(identity, codes, parameters);
  Matrix<std::uint32_t> weights(p.n, p.k);
  for (std::int64_t row = 0; row < p.n; ++row) {
    for (std::int64_t column = 0; column < p.k; ++column) weights(row, column) = product(column, row);
  }

  const InnerWeights inner = inner_weights(c, codes, parameters);
  Matrix<std::uint8_t> not_finite(p.n, p.k);
  std::vector<int> not_finite_of_row(static_cast<std::size_t>(p.n));
  for (std::int64_t row = 0; row < p.n; ++row) {
    for (std::int64_t column = 0; column < p.k; ++column) {
      not_finite(row, column) = reference::decode(inner.format, inner.bits(row, column)).kind != Exact::Kind::finite;
      not_finite_of_row[static_cast<std::size_t>(row)] += not_finite(row, column);
    }
  }
  const auto explained = [&](std::int64_t row, std::int64_t column, std::uint32_t got) -> const char* {
    const Exact own = reference::decode(inner.format, inner.bits(row, column));
    const std::uint32_t rounded_again = reference::rounded(reference::bf16, own);
    const bool nan = reference::bf16.is_nan(got);
    if (not_finite_of_row[static_cast<std::size_t>(row)] > not_finite(row, column)) {
      return nan ? "0 times an Inf or NaN of the row is NaN" : nullptr;
    }
    if (own.kind == Exact::Kind::nan) return nan ? "another NaN" : nullptr;
    if (rounded_again == 0x8000 && got == 0) return "-0 is lost: -0 + 0 is +0";
    if (rounded_again == got) return "weights rounded to fp32, then to bf16";
    return nullptr;
  };
  c.expect_equal_or_explained(weights, specified::weights(p, specified::as_int32(codes), parameters), explained);
}

}  // namespace tileproof
