// Index and bits: every code lands where the specification says, and comes back.
//
// Index claims use digit planes: plane d of a matrix holds, at every element, hexadecimal digit d of the element's
// linear index. What arrives at a place in all planes spells the index of the element that went there, so the whole
// permutation is seen, element by element, whatever it is.
#include "../reference/arithmetic.h"
#include "../reference/matrix.h"
#include "claim.h"
#include "specification.h"

namespace tileproof {

namespace {

int digits_of(std::int64_t count) {
  int digits = 1;
  for (; count > 16; count = (count + 15) / 16) ++digits;
  return digits;
}

/// Calls `use` with every plane of the problem's matrix and its digit's shift.
template <class Use>
void for_each_plane(const Problem& problem, Use use) {
  const int digits = digits_of(problem.n * problem.k);
  for (int digit = 0; digit < digits; ++digit) {
    Matrix<std::uint8_t> plane(problem.n, problem.k);
    for (std::size_t i = 0; i < plane.elements.size(); ++i) plane.elements[i] = i >> (4 * digit) & 15;
    use(plane, 4 * digit);
  }
}

Matrix<std::int32_t> own_indices(const Problem& problem) {
  Matrix<std::int32_t> indices(problem.n, problem.k);
  for (std::size_t i = 0; i < indices.elements.size(); ++i) indices.elements[i] = static_cast<std::int32_t>(i);
  return indices;
}

/// The index that arrived at each element's specified place, and code 0 in the padding.
void pack_puts_every_code(Case& c) {
  Matrix<std::int32_t> arrived(c.problem.n, c.problem.k);
  const int inner_k_tiles = static_cast<int>(c.problem.inner_k_tiles);
  for_each_plane(c.problem, [&](const Matrix<std::uint8_t>& plane, int shift) {
    const std::vector<std::uint32_t> packed = c.pack(plane);
    c.expect_equal(packed, specified::packed(plane, inner_k_tiles));
    for (std::int64_t row = 0; row < c.problem.n; ++row) {
      for (std::int64_t column = 0; column < c.problem.k; ++column) {
        arrived(row, column) |= reference::code_of_packed(packed.data(), row, column, c.problem.k, inner_k_tiles)
                                << shift;
      }
    }
  });
  c.elements_are("the linear index of the element whose code arrived, -1 for none");
  c.expect_equal(arrived, own_indices(c.problem));
}

void unpack_takes_every_code(Case& c) {
  Matrix<std::int32_t> arrived(c.problem.n, c.problem.k);
  for_each_plane(c.problem, [&](const Matrix<std::uint8_t>& plane, int shift) {
    const Matrix<std::int32_t> digits = c.unpack(specified::packed(plane, c.problem.inner_k_tiles));
    for (std::size_t i = 0; i < arrived.elements.size(); ++i) arrived.elements[i] |= digits.elements[i] << shift;
  });
  c.elements_are("the linear index of the element whose code arrived, -1 for none");
  c.expect_equal(arrived, own_indices(c.problem));
}

/// With scale 1 and the zero point that makes a weight its code, in whatever domain.
Parameters identity_parameters(const Problem& problem) {
  const reference::Format format = format_of(problem.out);
  const auto bits = [&](int value) { return reference::rounded(format, reference::whole(value)); };
  Parameters identity = zero_parameters(problem);
  for (std::uint32_t& scale : identity.scales.elements) scale = bits(1);
  for (std::uint32_t& zero : identity.zeros.elements) zero = bits(8);
  return identity;
}

Matrix<std::int32_t> codes_of_weights(Case& c, const std::vector<std::uint32_t>& packed) {
  const reference::Format format = format_of(c.problem.out);
  const Matrix<std::uint32_t> weights = c.dequantize(packed, identity_parameters(c.problem));
  Matrix<std::int32_t> codes(weights.rows, weights.columns);
  for (std::size_t i = 0; i < codes.elements.size(); ++i) {
    codes.elements[i] = -1;  // no code has this weight
    for (int code = 0; code < 16; ++code) {
      if (weights.elements[i] == reference::rounded(format, reference::whole(code))) codes.elements[i] = code;
    }
  }
  return codes;
}

void dequantize_takes_every_code(Case& c) {
  Matrix<std::int32_t> arrived(c.problem.n, c.problem.k);
  for_each_plane(c.problem, [&](const Matrix<std::uint8_t>& plane, int shift) {
    const Matrix<std::int32_t> digits = codes_of_weights(c, specified::packed(plane, c.problem.inner_k_tiles));
    for (std::size_t i = 0; i < arrived.elements.size(); ++i) {
      arrived.elements[i] |= (digits.elements[i] & 15) << shift;
      if (digits.elements[i] < 0) arrived.elements[i] = -1;
    }
  });
  c.elements_are("the linear index of the element whose code arrived, -1 for none");
  c.expect_equal(arrived, own_indices(c.problem));
}

void unpack_returns_every_packed_code(Case& c) {
  const Matrix<std::uint8_t> codes = c.codes();
  c.expect_equal(c.unpack(c.pack(codes)), specified::as_int32(codes));
}

void pack_returns_every_unpacked_word(Case& c) {
  const std::vector<std::uint32_t> words = c.words();
  const Matrix<std::int32_t> unpacked = c.unpack(words);
  Matrix<std::uint8_t> codes(unpacked.rows, unpacked.columns);
  for (std::size_t i = 0; i < codes.elements.size(); ++i) codes.elements[i] = unpacked.elements[i] & 15;
  c.expect_equal(unpacked, specified::as_int32(codes));  // nothing but codes came out
  c.expect_equal(c.pack(codes), words);
}

void unpack_reads_the_specified_nibbles(Case& c) {
  const std::vector<std::uint32_t> words = c.words();
  c.expect_equal(c.unpack(words), specified::unpacked(words, c.problem.n, c.problem.k, c.problem.inner_k_tiles));
}

void unpack_ignores_scales(Case& c) {
  const std::vector<std::uint32_t> packed = specified::packed(c.codes(), c.problem.inner_k_tiles);
  const Matrix<std::int32_t> before = c.unpack(packed);
  c.dequantize(packed, c.parameters());
  c.elements_are("what unpack gives after a dequantize, expected what it gave before");
  c.expect_equal(c.unpack(packed), before);
  c.elements_are("");
  c.expect_equal(before, specified::unpacked(packed, c.problem.n, c.problem.k, c.problem.inner_k_tiles));
}

void unit_scales_show_the_codes(Case& c) {
  const Matrix<std::uint8_t> codes = c.codes();
  c.elements_are("the code of the weight, -1 for none");
  c.expect_equal(codes_of_weights(c, specified::packed(codes, c.problem.inner_k_tiles)), specified::as_int32(codes));
}

const std::vector<const ClassRow*> shapes = {&every_inner_k_tiles, &partial_tile, &not_square};
const std::vector<const ClassRow*> whole_tiles = {&every_code_at_every_nibble, &every_inner_k_tiles, &not_square};
const std::vector<const ClassRow*> codes_and_shapes = {&every_code_at_every_nibble, &every_inner_k_tiles, &partial_tile,
                                                       &not_square};

}  // namespace

std::vector<Claim> index_claims() {
  const Draws bf16_only = {.domains = {Domain::floating}, .types = {Type::bf16}};
  Draws any_words = bf16_only;
  any_words.n_multiple = 8;
  const Draws typed = {};
  Draws special = typed;
  special.profiles = {"mixed", "any"};
  return {
      {"index/pack_puts_every_code_where_the_specification_says",
       "nibble order, lanes, fragments, tiles swapped or skipped",
       {Operation::pack},
       shapes,
       bf16_only,
       pack_puts_every_code},
      {"index/unpack_takes_every_code_from_where_the_specification_says",
       "the same, on the way back",
       {Operation::unpack},
       shapes,
       bf16_only,
       unpack_takes_every_code},
      {"index/dequantize_takes_every_code_from_where_the_specification_says",
       "the same, in the kernel with arithmetic",
       {Operation::dequantize},
       shapes,
       typed,
       dequantize_takes_every_code},
      {"bits/unpack_returns_every_packed_code",
       "pack and unpack that disagree",
       {Operation::pack, Operation::unpack},
       codes_and_shapes,
       bf16_only,
       unpack_returns_every_packed_code},
      {"bits/pack_returns_every_unpacked_word",
       "bits dropped, sign extension",
       {Operation::pack, Operation::unpack},
       whole_tiles,
       any_words,
       pack_returns_every_unpacked_word},
      {"bits/unpack_reads_the_specified_nibbles_of_any_word",
       "masks and shifts that only some words show",
       {Operation::unpack},
       codes_and_shapes,
       bf16_only,
       unpack_reads_the_specified_nibbles},
      {"codes/unpack_does_not_depend_on_scales",
       "state kept between calls",
       {Operation::unpack, Operation::dequantize},
       codes_and_shapes,
       special,
       unpack_ignores_scales},
      {"codes/dequantize_with_unit_scales_shows_the_codes",
       "a wrong midpoint, a wrong zero",
       {Operation::dequantize},
       codes_and_shapes,
       typed,
       unit_scales_show_the_codes},
  };
}

}  // namespace tileproof
