// Matmul: without a dequantize operator, users multiply by an identity matrix. Where this is exact it agrees with the
// specification bit for bit; elsewhere the difference is predicted bit for bit and counted under its reason.
#include <algorithm>
#include <bit>
#include <cmath>

#include "properties/case/calls.h"
#include "properties/case/identity_matmul.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/draw.h"
#include "properties/problem/specification.h"

namespace tileproof {

namespace {

std::string place_of_sum(std::int64_t row, std::int64_t column) {
  return "row " + std::to_string(row) + ", column " + std::to_string(column);
}

/// |out - sum| <= gamma + 2^-8 * (|sum| + gamma), gamma = k * u / (1 - k * u) * sum of |a| * |w|.
///
/// The bound of N. Higham, "Accuracy and Stability of Numerical Algorithms" (2002), section 3.1, for inner products in
/// any order of summation. u is 2^-22: an fp32 addition has 2^-24; tensor cores cut instead of rounding, and align the
/// terms of a block before they add them (M. Fasi, N. Higham, M. Mikaitis, S. Pranesh, PeerJ CS 7:e330, 2021), which
/// costs at most two bits more. Products of two bf16 are exact in fp32. The last term is the rounding of the result to
/// bf16, of unit roundoff 2^-8.
void random_matmul(Case& c) {
  const Problem& p = c.problem;
  const Matrix<std::uint8_t> codes = c.codes();
  const Parameters parameters = c.parameters();
  Matrix<std::uint16_t> activations(1 + below(17, c.choice(0)), p.k);
  for (std::size_t i = 0; i < activations.elements.size(); ++i) {
    const std::uint64_t bits = drawn(p.seed, stream::activations, i);
    const auto exponent = static_cast<std::uint64_t>(120 + below(8, bits));
    activations.elements[i] = static_cast<std::uint16_t>((bits & 1) << 15 | exponent << 7 | (bits >> 1 & 127));
  }
  const Matrix<std::uint32_t> out = c.matmul(activations, codes, parameters);

  const Matrix<std::uint32_t> weights = specified::weights(p, specified::as_int32(codes), parameters);
  const reference::FloatFormat format = float_format_of(p.types.weight);
  Matrix<double> inner_values(p.n, p.k);
  for (std::size_t i = 0; i < inner_values.elements.size(); ++i) {
    inner_values.elements[i] = specified::value(format, weights.elements[i]);
  }
  Matrix<double> got(out.rows, out.columns), exact(out.rows, out.columns), bound(out.rows, out.columns);
  const double ku = static_cast<double>(p.k) * 0x1p-22;
  double of_bound = 0;
  std::string where = place_of_sum(0, 0);
  for (std::int64_t m = 0; m < out.rows; ++m) {
    for (std::int64_t n = 0; n < out.columns; ++n) {
      double sum = 0, magnitudes = 0;
      for (std::int64_t k = 0; k < p.k; ++k) {
        const double term = specified::value(reference::bf16, activations(m, k)) * inner_values(n, k);
        sum += term;
        magnitudes += std::fabs(term);
      }
      const double gamma = ku / (1 - ku) * magnitudes;
      got(m, n) = specified::value(format, out(m, n));
      exact(m, n) = sum;
      bound(m, n) = gamma + 0x1p-8 * (std::fabs(sum) + gamma);
      const double part = std::fabs(got(m, n) - sum) / bound(m, n);
      if (!(part > of_bound)) continue;  // also skips NaN, the quotient for a sum of zeros
      of_bound = part;
      where = place_of_sum(m, n);
    }
  }
  // Report by the binade of k, because the bound grows with k.
  const auto first_k = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(p.k)));
  c.measured("largest error of a sum of " + std::to_string(first_k) + ".." + std::to_string(2 * first_k - 1) +
                 " terms, in units of the inner product bound",
             of_bound, where + " of " + line_of(p));
  c.expect_within(got, exact, bound, "inner product bound");
}

/// Whole numbers whose sums are exact in fp32 in any order, and in bf16.
void whole_number_matmul(Case& c) {
  const CallData data = drawn_data(c, Operation::matmul);
  expect_specified(c, Operation::matmul, data, c.run(Operation::matmul, data));
}

}  // namespace

std::vector<Property> matmul_properties() {
  const auto row = [](const std::string& sentence, const char* finds, std::vector<std::string> profiles,
                      void (*body)(Case&)) {
    return Property{.name = "matmul/" + sentence,
                    .finds = finds,
                    .needs = {Operation::matmul},
                    .meets = {&every_code_at_every_nibble, &every_format, &several_groups, &not_square},
                    .sampling = {.schemes = schemes_with(Zero::value),
                                 .types = {Type::bf16, Types(Type::fp32, Type::bf16)},
                                 .profiles = std::move(profiles),
                                 .most_k = 512},
                    .body = body};
  };
  return {row("by_the_identity_equals_dequantize_where_finite",
              "packing, grouping and arithmetic of an operator that only multiplies",
              {"ordinary", "cancelling", "distant", "finite-edges"}, identity_matmul),
          row("by_the_identity_is_explained_where_not_finite", "an Inf or NaN that leaks in an unexplained way",
              {"mixed", "edges"}, identity_matmul),
          row("of_whole_numbers_is_exact", "one wrong code, one lost term, wherever they are", {"ordinary"},
              whole_number_matmul),
          row("of_random_activations_is_within_the_inner_product_bound", "accumulation that loses terms", {"ordinary"},
              random_matmul)};
}

}  // namespace tileproof
