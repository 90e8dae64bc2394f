// Index and bits: every code lands where the specification says, and comes back.
//
// Index claims use digit planes: plane d of a matrix holds, at every element, hexadecimal digit d of the element's
// linear index. What arrives at a place in all planes spells the index of the element that went there, so the whole
// permutation is seen, element by element, whatever it is.
#include <algorithm>
#include <array>
#include <sstream>

#include "../reference/arithmetic.h"
#include "../reference/matrix.h"
#include "claim.h"
#include "enumerated_shapes.h"
#include "specification.h"

namespace tileproof {

namespace {

int digits_of(std::int64_t count) {
  int digits = 1;
  for (; count > 16; count = (count + 15) / 16) ++digits;
  return digits;
}

/// Runs an operation over the planes of a matrix. @param wanted  elements of the result to read
using RunPlane = std::function<FormulaResult(const formula::Codes& plane, const std::vector<std::int64_t>& wanted)>;
/// The code that an element of a result shows at an element of the matrix, -1 for none.
using CodeOf = std::function<int(std::uint32_t element, std::int64_t row, std::int64_t column)>;

formula::Codes plane_of(const Problem& p, int shift, std::uint32_t flip) {
  return {.kind = formula::Codes::Kind::digit,
          .n = p.n,
          .k = p.k,
          .inner_k_tiles = p.inner_k_tiles,
          .shift = shift,
          .flip = flip};
}

/// Which element's code arrived at some elements: their digits in all planes.
std::vector<std::int64_t> arrived_at(const Problem& p, int digits, const RunPlane& run, const CodeOf& code_of,
                                     const std::vector<std::int64_t>& in_result,
                                     const std::vector<std::int64_t>& in_matrix) {
  std::vector<std::int64_t> arrived(in_matrix.size());
  for (int digit = 0; digit < digits; ++digit) {
    const FormulaResult judged = run(plane_of(p, 4 * digit, 0), in_result);
    for (std::size_t i = 0; i < arrived.size(); ++i) {
      const std::int64_t row = in_matrix[i] / p.k;
      const int code = code_of(judged.read.at(i), row, in_matrix[i] % p.k);
      if (code < 0) arrived[i] = -1;
      if (arrived[i] >= 0) arrived[i] |= static_cast<std::int64_t>(code) << (4 * digit);
    }
  }
  return arrived;
}

/// Elements of the matrix that a wrong element of a result holds, those in the padding left out.
using Held = std::function<std::vector<reference::Element>(const Differences::One&)>;

/// Every digit plane and its complement: one shows where a code came from, both that no bit of it is stuck.
void every_plane_arrives(Case& c, const RunPlane& run, const CodeOf& code_of, const Held& held) {
  const Problem& p = c.problem;
  const int digits = digits_of(p.n * p.k);
  for (int digit = 0; digit < digits; ++digit) {
    for (const std::uint32_t flip : {0u, 15u}) {
      const formula::Codes plane = plane_of(p, 4 * digit, flip);
      const FormulaResult judged = run(plane, {});
      if (judged.differences.wrong == 0) continue;
      std::ostringstream text;
      text << judged.differences.wrong << " elements of the result are wrong in the plane of digit " << digit
           << (flip == 0 ? "" : ", complemented")
           << ". By the linear index of the element whose code arrived, -1 for none:";
      std::vector<std::int64_t> in_result, in_matrix;
      for (const Differences::One& one : judged.differences.listed) {
        for (const reference::Element& element : held(one)) {
          in_result.push_back(one.index);
          in_matrix.push_back(element.n * p.k + element.k);
        }
      }
      const std::vector<std::int64_t> arrived = arrived_at(p, digits, run, code_of, in_result, in_matrix);
      for (std::size_t i = 0; i < std::min<std::size_t>(in_matrix.size(), Differences::most_listed); ++i) {
        text << "\n  " << place_text(p, in_matrix[i] / p.k, in_matrix[i] % p.k) << ": expected " << in_matrix[i]
             << ", got " << arrived[i];
      }
      if (in_matrix.empty()) text << "\n  all of them in the rows past the end, which hold code 0";
      throw Failure("mismatch", text.str());
    }
  }
}

void pack_puts_every_code(Case& c) {
  const auto inner = static_cast<int>(c.problem.inner_k_tiles);
  const auto run = [&](const formula::Codes& plane, const std::vector<std::int64_t>& wanted) {
    return c.pack(plane, wanted);
  };
  const auto code_of = [&](std::uint32_t word, std::int64_t row, std::int64_t column) {
    return static_cast<int>(word >> (4 * reference::place_of(row, column, c.problem.k, inner).nibble) & 15);
  };
  every_plane_arrives(c, run, code_of, [&](const Differences::One& one) {
    std::vector<reference::Element> elements;
    for (int nibble = 0; nibble < reference::codes_of_word; ++nibble) {
      const reference::Element element = reference::element_at({one.index, nibble}, c.problem.k, inner);
      if (element.n < c.problem.n) elements.push_back(element);
    }
    return elements;
  });
}

/// Of a result that has an element for each of the matrix.
Held one_for_one(const Problem& p) {
  return [&p](const Differences::One& one) {
    return std::vector<reference::Element>{{one.index / p.k, one.index % p.k}};
  };
}

void unpack_takes_every_code(Case& c) {
  const auto run = [&](const formula::Codes& plane, const std::vector<std::int64_t>& wanted) {
    return c.unpack(plane, wanted);
  };
  const auto code_of = [](std::uint32_t element, std::int64_t, std::int64_t) {
    return element < 16 ? static_cast<int>(element) : -1;
  };
  every_plane_arrives(c, run, code_of, one_for_one(c.problem));
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

/// -1 where no code has this weight.
int code_of_weight(reference::Format format, std::uint32_t weight) {
  for (int code = 0; code < 16; ++code) {
    if (weight == reference::rounded(format, reference::whole(code))) return code;
  }
  return -1;
}

Matrix<std::int32_t> codes_of_weights(Case& c, const std::vector<std::uint32_t>& packed) {
  const reference::Format format = format_of(c.problem.out);
  const Matrix<std::uint32_t> weights = c.dequantize(packed, identity_parameters(c.problem));
  std::array<std::uint32_t, 16> weight_of;
  for (int code = 0; code < 16; ++code) {
    weight_of[static_cast<std::size_t>(code)] = reference::rounded(format, reference::whole(code));
  }
  Matrix<std::int32_t> codes(weights.rows, weights.columns);
  for (std::size_t i = 0; i < codes.elements.size(); ++i) {
    const auto found = std::find(weight_of.begin(), weight_of.end(), weights.elements[i]);
    codes.elements[i] = found == weight_of.end() ? -1 : static_cast<std::int32_t>(found - weight_of.begin());
  }
  return codes;
}

void dequantize_takes_every_code(Case& c) {
  const Problem& p = c.problem;
  const formula::Parameters identity = {.kind = formula::Parameters::Kind::identity,
                                        .type = p.out,
                                        .domain = p.domain,
                                        .n = p.n,
                                        .groups = p.groups(),
                                        .group_size = p.group_size};
  const auto run = [&](const formula::Codes& plane, const std::vector<std::int64_t>& wanted) {
    return c.dequantize(plane, identity, wanted);
  };
  const auto code_of = [&](std::uint32_t weight, std::int64_t, std::int64_t) {
    return code_of_weight(format_of(p.out), weight);
  };
  every_plane_arrives(c, run, code_of, one_for_one(p));
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

const std::vector<const ClassRow*> shapes = {&every_inner_k_tiles, &partial_tile, &not_square, &both_alignments};
const std::vector<const ClassRow*> whole_tiles = {&every_code_at_every_nibble, &every_inner_k_tiles, &not_square,
                                                  &both_alignments};
const std::vector<const ClassRow*> codes_and_shapes = {&every_code_at_every_nibble, &every_inner_k_tiles, &partial_tile,
                                                       &not_square, &both_alignments};

}  // namespace

std::vector<Claim> index_claims() {
  const Draws bf16_only = {.domains = {Domain::floating}, .types = {Type::bf16}};
  Draws any_words = bf16_only;
  any_words.n_multiple = 8;
  const Draws typed = {};
  Draws special = typed;
  special.profiles = {"mixed", "any"};
  return {
      proved_over_shapes({"index/pack_puts_every_code_where_the_specification_says",
                          "nibble order, lanes, fragments, tiles swapped or skipped",
                          {Operation::pack},
                          shapes,
                          bf16_only,
                          pack_puts_every_code}),
      proved_over_shapes({"index/unpack_takes_every_code_from_where_the_specification_says",
                          "the same, on the way back",
                          {Operation::unpack},
                          shapes,
                          bf16_only,
                          unpack_takes_every_code}),
      proved_over_shapes({"index/dequantize_takes_every_code_from_where_the_specification_says",
                          "the same, in the kernel with arithmetic",
                          {Operation::dequantize},
                          shapes,
                          typed,
                          dequantize_takes_every_code}),
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
