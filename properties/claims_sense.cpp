// Sense: what is changed in the input changes in the output, exactly there, and nothing else does.
#include "../reference/arithmetic.h"
#include "claim.h"
#include "draw.h"
#include "specification.h"

namespace tileproof {

namespace {

/// Which elements differ between two matrices, as 0 and 1.
template <class T>
Matrix<std::uint8_t> changed(const Matrix<T>& before, const Matrix<T>& after) {
  Matrix<std::uint8_t> marks(before.rows, before.columns);
  for (std::size_t i = 0; i < marks.elements.size(); ++i) marks.elements[i] = before.elements[i] != after.elements[i];
  return marks;
}

void one_code_changes_one_element(Case& c) {
  const Problem& p = c.problem;
  Matrix<std::uint8_t> codes = c.codes();
  const std::int64_t row = below(p.n, c.choice(0));
  const std::int64_t column = below(p.k, c.choice(1));
  const std::vector<std::uint32_t> packed_before = c.pack(codes);
  const Matrix<std::int32_t> before = c.unpack(packed_before);
  codes(row, column) ^= static_cast<std::uint8_t>(1 + below(15, c.choice(2)));
  const std::vector<std::uint32_t> packed_after = c.pack(codes);
  const Matrix<std::int32_t> after = c.unpack(packed_after);

  Matrix<std::uint8_t> predicted(p.n, p.k);
  predicted(row, column) = 1;
  c.elements_are("1 where the result changed");
  c.expect_equal(changed(before, after), predicted);
  c.expect_equal(packed_after, specified::packed(codes, p.inner_k_tiles));
}

/// Changes the scale (or zero) of one group of one row: power-of-two scales and code 9 make every weight of the group
/// differ.
void one_parameter_changes_its_group(Case& c, bool of_zero) {
  const Problem& p = c.problem;
  const reference::Format format = format_of(p.out);
  Matrix<std::uint8_t> codes(p.n, p.k);
  for (std::size_t i = 0; i < codes.elements.size(); ++i) codes.elements[i] = static_cast<std::uint8_t>(9 + i % 7);
  const std::vector<std::uint32_t> packed = specified::packed(codes, p.inner_k_tiles);
  Parameters parameters = zero_parameters(p);
  const std::uint32_t one = reference::rounded(format, reference::whole(1));
  for (std::uint32_t& scale : parameters.scales.elements) scale = one;

  const Matrix<std::uint32_t> before = c.dequantize(packed, parameters);
  const std::int64_t row = below(p.n, c.choice(0));
  const std::int64_t group = below(p.groups(), c.choice(1));
  if (!of_zero) {
    parameters.scales(group, row) = reference::rounded(format, reference::whole(2));
  } else {
    parameters.zeros(group, row) = one;
    parameters.zero_points(group, row) = 1;
  }
  const Matrix<std::uint32_t> after = c.dequantize(packed, parameters);

  Matrix<std::uint8_t> predicted(p.n, p.k);
  for (std::int64_t column = group * p.group_size; column < (group + 1) * p.group_size; ++column)
    predicted(row, column) = 1;
  c.elements_are("1 where the result changed");
  c.expect_equal(changed(before, after), predicted);
}

void repeats_give_the_same_bits(Case& c) {
  const Problem& p = c.problem;
  const Matrix<std::uint8_t> codes = c.codes();
  const Parameters parameters = c.parameters();
  const std::vector<std::uint32_t> packed = c.pack(codes);
  const Matrix<std::int32_t> unpacked = c.unpack(packed);
  const Matrix<std::uint32_t> weights = c.dequantize(packed, parameters);
  for (std::uint64_t variation = 0; variation < 3; ++variation) {
    c.subject().vary(variation == 0 ? 0 : drawn(p.seed, stream::choice, variation) | 1);
    const std::vector<std::uint32_t> packed_again = c.pack(codes);
    const Matrix<std::int32_t> unpacked_again = c.unpack(packed);
    const Matrix<std::uint32_t> weights_again = c.dequantize(packed, parameters);
    c.subject().vary(0);
    c.elements_are("a result run again, expected the first one");
    c.expect_equal(packed_again, packed);
    c.expect_equal(unpacked_again, unpacked);
    c.expect_equal(weights_again, weights);
  }
}

}  // namespace

std::vector<Claim> sense_claims() {
  const std::vector<const ClassRow*> shapes = {&every_inner_k_tiles, &partial_tile, &not_square};
  const std::vector<const ClassRow*> groups = {&every_inner_k_tiles, &partial_tile, &several_groups,
                                               &groups_around_a_supertile};
  return {
      {"sense/one_code_changes_one_element",
       "two codes from one place, a code from none",
       {Operation::pack, Operation::unpack},
       shapes,
       {.domains = {Domain::floating}, .types = {Type::bf16}},
       one_code_changes_one_element},
      {"sense/one_scale_changes_exactly_its_group",
       "scales shared, skipped or taken from a neighbour",
       {Operation::dequantize},
       groups,
       {},
       [](Case& c) { one_parameter_changes_its_group(c, false); }},
      {"sense/one_zero_changes_exactly_its_group",
       "the same, for zeros and zero points",
       {Operation::dequantize},
       groups,
       {.domains = {Domain::floating, Domain::integer}},
       [](Case& c) { one_parameter_changes_its_group(c, true); }},
      {"determinism/repeats_streams_and_ranges_give_the_same_bits",
       "races, stale state, a dependence on how the threads are split",
       {Operation::pack, Operation::unpack, Operation::dequantize},
       groups,
       {.profiles = {"ordinary", "mixed"}},
       repeats_give_the_same_bits},
  };
}

}  // namespace tileproof
