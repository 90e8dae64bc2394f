// Index and bits: every code lands where the specification says, and comes back.
#include <algorithm>

#include "properties/case/calls.h"
#include "properties/catalogue/digit_planes.h"
#include "properties/catalogue/enumerated_shapes.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/specification.h"
#include "reference/arithmetic.h"

namespace tileproof {

namespace {

// Index properties use digit planes: plane d of a matrix holds, at every element, hexadecimal digit d of the element's
// linear index. The digits that arrive at a place in all planes spell the index of the element that went there, so a
// failure shows the whole permutation, element by element.

/// The code that a result element holds for an element of the matrix; -1 if it is no code.
using CodeOf = std::function<int(std::uint32_t element, const WrongPlace&)>;

/// The planes of a matrix, sent through an operation whose result has one element for each code.
SentPlanes sent_codes(Case& c, Operation operation, const std::string& elements, const CodeOf& code_of) {
  const Problem& p = c.problem;
  SentPlanes sent;
  sent.planes = {4, p.n * p.k};
  sent.run = [&c, operation](int digit, bool complemented, const std::vector<std::int64_t>& wanted) {
    generated::Codes plane = generated::codes_of(c.problem, generated::Codes::Kind::digit);
    plane.shift = 4 * digit;
    plane.flip = complemented ? 15u : 0u;
    return c.run(operation, plane, generated::parameters_of(c.problem, generated::Parameters::Kind::identity), wanted);
  };
  sent.wrong_in = [&p](const Differences::One& one, const auto&) {
    return std::vector<WrongPlace>{{one.index, one.index / p.k, one.index % p.k, one.index, one.got}};
  };
  sent.read = [code_of](std::uint32_t element, const WrongPlace& place) {
    const int code = code_of(element, place);
    return std::pair<std::int64_t, std::uint32_t>(code, code < 0 ? element : static_cast<std::uint32_t>(code));
  };
  sent.elements = "the " + elements;
  sent.moved = "Each holds the code of another element, by the linear index row * k + column:";
  sent.digit = "code ";
  sent.source_text = [&p](std::optional<std::int64_t> from) {
    if (!from) return std::string("code 0 in every plane, as the padding holds");
    return std::to_string(*from) + ", which is row " + std::to_string(*from / p.k) + ", column " +
           std::to_string(*from % p.k);
  };
  sent.cause = cause_of;
  return sent;
}

void puts_every_code(Case& c, Operation operation) {
  const reference::Layout& layout = c.problem.layout_of_result();
  const Size size = c.problem.size();
  const int slots = layout.slots_of_unit();
  const auto code_of = [&](std::uint32_t unit, const WrongPlace& at) {
    return static_cast<int>(unit >> (4 * (layout.slot_of({at.row, at.column}, size) % slots)) & 15);
  };
  const std::string elements = std::string(operation == Operation::pack ? "packed " : "converted ") + layout.unit + "s";
  SentPlanes sent = sent_codes(c, operation, elements, code_of);
  sent.wrong_in = [&](const Differences::One& one, const auto& sent_to) {
    std::vector<WrongPlace> wrong;
    for (int nibble = 0; nibble < slots; ++nibble) {
      const auto element = layout.element_at(one.index * slots + nibble, size);
      if (!element) continue;
      const WrongPlace at = {element->n * size.k + element->k, element->n, element->k, one.index, one.got};
      if (code_of(one.got, at) != sent_to(at.number)) wrong.push_back(at);
    }
    return wrong;
  };
  sent.got_text = [&](const WrongPlace& at, std::int64_t) {
    return std::to_string(code_of(at.got, at)) + " in the " + layout.unit + " " + hex_text(at.got, slots);
  };
  expect_every_plane_arrives(c.problem, sent);
}

void unpack_takes_every_code(Case& c) {
  SentPlanes sent = sent_codes(c, Operation::unpack, "codes", [](std::uint32_t element, const WrongPlace&) {
    return element < 16 ? static_cast<int>(element) : -1;
  });
  sent.got_text = [](const WrongPlace& at, std::int64_t) { return std::to_string(static_cast<std::int32_t>(at.got)); };
  expect_every_plane_arrives(c.problem, sent);
}

/// Scale 1, and the zero (point) that makes a weight equal to its code, or to the code less a constant.
Parameters identity_parameters(const Problem& p) {
  Parameters identity = unit_scales(p);
  if (p.scheme->has_factor) return identity;
  for (std::uint32_t& each : identity.zeros.elements) each = whole_zero(p, p.scheme->midpoint);
  return identity;
}

/// The weights of the codes 0..15 with those parameters, as bits. Two are equal where a format has two zeros of one
/// sign.
std::vector<std::uint32_t> weights_of_codes(const Problem& p) {
  Problem one = p;
  one.n = p.layout().legal.n;
  one.k = k_unit(*p.format, p.group_size);
  one.experts = 1;
  const Parameters identity = identity_parameters(one);
  std::vector<std::uint32_t> weights;
  for (int code = 0; code < 16; ++code) weights.push_back(specified::weight(one, code, identity, 0, 0));
  return weights;
}

/// @return the first code with this weight, -1 if there is none
int code_of_weight(const std::vector<std::uint32_t>& weight_of, std::uint32_t weight) {
  const auto found = std::find(weight_of.begin(), weight_of.end(), weight);
  return found == weight_of.end() ? -1 : static_cast<int>(found - weight_of.begin());
}

void dequantize_takes_every_code(Case& c) {
  const std::vector<std::uint32_t> weight_of = weights_of_codes(c.problem);
  const auto code_of = [&](std::uint32_t weight, const WrongPlace&) { return code_of_weight(weight_of, weight); };
  SentPlanes sent = sent_codes(c, Operation::dequantize, "weights", code_of);
  sent.got_text = [&](const WrongPlace& at, std::int64_t) {
    const int code = code_of(at.got, at);
    return code < 0 ? "the weight " + weight_text(c.problem, at.got) : std::to_string(code);
  };
  expect_every_plane_arrives(c.problem, sent);
}

void unpack_returns_every_packed_code(Case& c) {
  const Matrix<std::uint8_t> codes = c.codes();
  c.expect_equal(c.unpack(c.pack(codes)), specified::as_int32(codes));
}

void pack_returns_every_unpacked_word(Case& c) {
  std::vector<std::uint32_t> words = c.words();
  const reference::Layout& layout = c.problem.layout();
  specified::fill_padding(*c.problem.format, c.problem.size(), words,
                          [&](std::int64_t) { return static_cast<std::uint32_t>(layout.padding_code); });
  const Matrix<std::int32_t> unpacked = c.unpack(words);
  Matrix<std::uint8_t> codes(unpacked.rows, unpacked.columns);
  for (std::size_t i = 0; i < codes.elements.size(); ++i) codes.elements[i] = unpacked.elements[i] & 15;
  c.expect_equal(unpacked, specified::as_int32(codes));  // unpack must give codes 0..15 only
  c.expect_equal(c.pack(codes), words);
}

void unpack_reads_the_specified_nibbles(Case& c) {
  const std::vector<std::uint32_t> words = c.words();
  c.expect_equal(c.unpack(words), specified::unpacked(*c.problem.format, words, {c.problem.n, c.problem.k}));
}

void convert_gives_what_pack_gives(Case& c) {
  const std::vector<std::uint32_t> words = c.words();
  const Problem& p = c.problem;
  c.expect_equal(c.convert(words), specified::converted(*p.format, *p.format_to, words, p.size()));
}

void unpack_ignores_scales(Case& c) {
  const std::vector<std::uint32_t> packed = specified::packed(*c.problem.format, c.codes());
  const Matrix<std::int32_t> before = c.unpack(packed);
  c.dequantize(packed, c.parameters());
  c.elements_are("what unpack gives after a dequantize, expected what it gave before");
  c.expect_equal(c.unpack(packed), before);
  c.elements_are("");
  c.expect_equal(before, specified::unpacked(*c.problem.format, packed, {c.problem.n, c.problem.k}));
}

void unit_scales_show_the_codes(Case& c) {
  const Matrix<std::uint8_t> codes = c.codes();
  const std::vector<std::uint32_t> weight_of = weights_of_codes(c.problem);
  const Matrix<std::uint32_t> weights =
      c.dequantize(specified::packed(*c.problem.format, codes), identity_parameters(c.problem));
  Matrix<std::uint32_t> expected(codes.rows, codes.columns);
  std::ranges::transform(codes.elements, expected.elements.begin(), [&](std::uint8_t code) { return weight_of[code]; });
  c.expect_equal(weights, expected);
}

const std::vector<const CoverageGoals*> shapes = {&every_format, &with_padding, &uneven_shapes, &not_square,
                                                  &both_alignments};
const std::vector<const CoverageGoals*> whole_tiles = {&every_code_at_every_nibble, &every_format, &not_square,
                                                       &both_alignments};
const std::vector<const CoverageGoals*> codes_and_shapes = {
    &every_code_at_every_nibble, &every_format, &with_padding, &uneven_shapes, &not_square, &both_alignments};

}  // namespace

std::vector<Property> index_properties() {
  std::vector<const CoverageGoals*> of_convert = shapes_of(Operation::convert);
  of_convert.push_back(&every_code_at_every_nibble);
  const Sampling of_codes = {.of_codes = true};
  const Sampling any_words = {.of_codes = true, .n_multiple = 8};
  return {
      proved_over_shapes(operation_property("index", Operation::pack, "puts_every_code_where_the_specification_says",
                                            "nibble order, lanes, fragments, tiles swapped or skipped", shapes,
                                            puts_every_code)),
      proved_over_shapes(operation_property("index", Operation::unpack,
                                            "takes_every_code_from_where_the_specification_says",
                                            "the same, on the way back", shapes, unpack_takes_every_code)),
      proved_over_shapes(
          operation_property("index", Operation::dequantize, "takes_every_code_from_where_the_specification_says",
                             "the same, in the kernel with arithmetic", shapes, dequantize_takes_every_code)),
      proved_over_shapes(operation_property("index", Operation::convert, "puts_every_code_where_the_specification_says",
                                            "an index of either format in place of the other's",
                                            shapes_of(Operation::convert), puts_every_code)),
      {"bits/unpack_returns_every_packed_code",
       "pack and unpack that disagree",
       {Operation::pack, Operation::unpack},
       codes_and_shapes,
       of_codes,
       unpack_returns_every_packed_code},
      {"bits/pack_returns_every_unpacked_word",
       "bits dropped, sign extension",
       {Operation::pack, Operation::unpack},
       whole_tiles,
       any_words,
       pack_returns_every_unpacked_word},
      operation_property("bits", Operation::unpack, "reads_the_specified_nibbles_of_any_word",
                         "masks and shifts that only some words show", codes_and_shapes,
                         unpack_reads_the_specified_nibbles),
      operation_property("bits", Operation::convert, "gives_what_pack_gives_of_the_unpacked_codes",
                         "codes that only some words hold; padding that is not the format's", of_convert,
                         convert_gives_what_pack_gives),
      {"codes/unpack_does_not_depend_on_scales",
       "state kept between calls",
       {Operation::unpack, Operation::dequantize},
       codes_and_shapes,
       {.profiles = {"mixed", "any"}},
       unpack_ignores_scales},
      operation_property("codes", Operation::dequantize, "with_unit_scales_shows_the_codes",
                         "a wrong midpoint, a wrong zero", codes_and_shapes, unit_scales_show_the_codes),
  };
}

}  // namespace tileproof
