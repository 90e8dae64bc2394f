// Write and read: every output element is written, nothing else is, and nothing outside the inputs is read. Every call
// of every claim is guarded; these two use what one call cannot show: a second poison and a second fence.
#include "claim.h"
#include "specification.h"

namespace tileproof {

namespace {

constexpr Fill usual = {.poison = 0xffa5, .fence = 0xff};
constexpr Fill other_poison = {.poison = 0xffda, .fence = 0xff};
constexpr Fill other_fence = {.poison = 0xffa5, .fence = 0x3c};  // finite in every type, code 12 and 3

/// The results of an operation under two fills, equal: what a call left of its output, or took from outside its inputs,
/// differs.
template <class Run>
void same_under(Case& c, const Fill& other, Run run) {
  c.elements_are("a result over other bytes outside the inputs, expected the one over the usual bytes");
  c.fill(usual);
  const auto first = run();
  c.fill(other);
  const auto second = run();
  c.fill(usual);
  c.expect_equal(second, first);
}

void every_operation_is_the_same_under(Case& c, const Fill& other) {
  const Matrix<std::uint8_t> codes = c.codes();
  const Parameters parameters = c.parameters();
  const std::vector<std::uint32_t> packed = specified::packed(codes, c.problem.inner_k_tiles);
  if (c.envelope.has(Operation::pack)) same_under(c, other, [&] { return c.pack(codes); });
  if (c.envelope.has(Operation::unpack)) same_under(c, other, [&] { return c.unpack(packed); });
  if (c.envelope.has(Operation::dequantize)) same_under(c, other, [&] { return c.dequantize(packed, parameters); });
}

/// The rows past n in the last n-tile hold anything: nobody sees them.
void padding_never_matters(Case& c) {
  const Matrix<std::uint8_t> codes = c.codes();
  const Parameters parameters = c.parameters();
  Matrix<std::uint8_t> padded((c.problem.n + 7) / 8 * 8, c.problem.k);
  for (std::size_t i = 0; i < padded.elements.size(); ++i) {
    padded.elements[i] = i < codes.elements.size() ? codes.elements[i] : static_cast<std::uint8_t>(c.choice(i) & 15);
  }
  const std::vector<std::uint32_t> clean = specified::packed(codes, c.problem.inner_k_tiles);
  const std::vector<std::uint32_t> dirty = specified::packed(padded, c.problem.inner_k_tiles);
  c.elements_are("a result with other padding, expected the one with code 0 there");
  c.expect_equal(c.unpack(dirty), c.unpack(clean));
  c.expect_equal(c.dequantize(dirty, parameters), c.dequantize(clean, parameters));
}

}  // namespace

std::vector<Claim> memory_claims() {
  const std::vector<const ClassRow*> shapes = {&every_inner_k_tiles, &partial_tile, &several_groups, &every_type,
                                               &not_square};
  return {
      {"write/every_output_element_is_written_and_nothing_else",
       "tails skipped, stores past the end, stale output",
       {Operation::dequantize},
       shapes,
       {},
       [](Case& c) { every_operation_is_the_same_under(c, other_poison); }},
      {"read/nothing_outside_the_inputs_is_read",
       "loads past the end that reach the result",
       {Operation::dequantize},
       shapes,
       {},
       [](Case& c) { every_operation_is_the_same_under(c, other_fence); }},
      {"padding/rows_past_the_end_never_matter",
       "a last tile computed from padding",
       {Operation::unpack, Operation::dequantize},
       shapes,
       {},
       padding_never_matters},
  };
}

}  // namespace tileproof
