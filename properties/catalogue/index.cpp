// Index and bits: every code lands where the specification says, and comes back.
#include <algorithm>
#include <array>
#include <sstream>

#include "properties/catalogue/digit_planes.h"
#include "properties/catalogue/enumerated_shapes.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/specification.h"
#include "reference/arithmetic.h"
#include "reference/matrix.h"

namespace tileproof {

namespace {

// Index properties use digit planes: plane d of a matrix holds, at every element, hexadecimal digit d of the element's
// linear index. The digits that arrive at a place in all planes spell the index of the element that went there, so a
// failure shows the whole permutation, element by element.

/// Runs an operation over one plane of a matrix.
/// @param wanted  the elements of the result to read
using RunPlane = std::function<GeneratedResult(const generated::Codes& plane, const std::vector<std::int64_t>& wanted)>;
/// The code that a result element holds for an element of the matrix; -1 if it is no code.
using CodeOf = std::function<int(std::uint32_t element, std::int64_t row, std::int64_t column)>;

generated::Codes plane_of(const Problem& p, int digit, bool complemented) {
  generated::Codes plane = generated::codes_of(p, generated::Codes::Kind::digit);
  plane.shift = 4 * digit;
  plane.flip = complemented ? 15u : 0u;
  return plane;
}

/// An element of the matrix that is wrong in a plane, and the index of the result element that holds it.
struct WrongDigit {
  std::int64_t in_matrix;
  std::int64_t in_result;
  std::uint32_t got;  // the value of the result element
};

/// The name of an operation's result elements, and how their codes are read.
struct ReadCodes {
  const char* elements;  // "codes"
  CodeOf code_of;
  /// The value that arrived at an element of the matrix, as text for people.
  std::function<std::string(std::uint32_t element, std::int64_t row, std::int64_t column)> text;
  /// The elements of the matrix that a wrong element of the result holds, without padding.
  std::function<std::vector<reference::Element>(const Differences::One&)> elements_in;
};

/// The digits that arrive at some elements in all planes and their complements.
std::vector<ElementInPlanes> seen_in_planes(const Problem& p, const Planes& planes, const RunPlane& run,
                                            const CodeOf& code_of, const std::vector<WrongDigit>& wrong) {
  std::vector<std::int64_t> in_result;
  std::vector<ElementInPlanes> seen;
  for (const WrongDigit& one : wrong) {
    in_result.push_back(one.in_result);
    seen.push_back({one.in_matrix, {}, {}});
  }
  for (int digit = 0; digit < planes.digits(); ++digit) {
    for (const bool complemented : {false, true}) {
      const GeneratedResult judged = run(plane_of(p, digit, complemented), in_result);
      for (std::size_t i = 0; i < wrong.size(); ++i) {
        const std::int64_t at = wrong[i].in_matrix;
        const std::uint32_t element = judged.read.at(i);
        const int code = code_of(element, at / p.k, at % p.k);
        (complemented ? seen[i].complements : seen[i].plain)
            .push_back({planes.digit_of(at, digit, complemented), code,
                        code < 0 ? element : static_cast<std::uint32_t>(code)});
      }
    }
  }
  return seen;
}

/// Runs every digit plane and its complement. The plane shows where a code came from; the pair shows that no bit is
/// stuck.
void every_plane_arrives(Case& c, const RunPlane& run, const ReadCodes& read) {
  const Problem& p = c.problem;
  const Planes planes = {4, p.n * p.k};
  for (int digit = 0; digit < planes.digits(); ++digit) {
    for (const bool complemented : {false, true}) {
      const GeneratedResult judged = run(plane_of(p, digit, complemented), {});
      if (judged.differences.wrong == 0) continue;
      const auto sent_to = [&](std::int64_t at) { return planes.digit_of(at, digit, complemented); };
      std::vector<WrongDigit> wrong;
      for (const Differences::One& one : judged.differences.listed) {
        for (const reference::Element& element : read.elements_in(one)) {
          const std::int64_t at = element.n * p.k + element.k;
          const bool is_wrong = read.code_of(one.got, element.n, element.k) != sent_to(at);
          if (is_wrong && wrong.size() < Differences::most_listed) wrong.push_back({at, one.index, one.got});
        }
      }
      std::ostringstream text;
      text << judged.differences.wrong << " of the " << read.elements
           << (judged.differences.wrong == 1 ? " is" : " are") << " wrong in the plane of digit " << digit
           << (complemented ? ", complemented. " : ". ");
      if (wrong.empty()) {
        text << "Of those listed, all that is wrong is in the padding, which holds code " << p.layout().padding_code
             << ".";
        throw Failure("mismatch", text.str());
      }
      const std::vector<ElementInPlanes> seen = seen_in_planes(p, planes, run, read.code_of, wrong);
      const Arrival arrival = arrival_of(planes, seen);
      text << arrival_text(arrival, seen,
                           "Each holds the code of another element, by the linear index row * k + column:");
      for (std::size_t i = 0; i < wrong.size(); ++i) {
        const std::int64_t at = wrong[i].in_matrix;
        text << "\n  " << place_text(p, at / p.k, at % p.k) << ": expected ";
        const std::optional<std::int64_t> from = source_of(planes, seen[i]);
        if (arrival == Arrival::moved && from) {
          text << at << ", got " << *from << ", which is row " << *from / p.k << ", column " << *from % p.k;
        } else if (arrival == Arrival::moved) {
          text << at << ", got code 0 in every plane, as the padding holds";
        } else {
          text << "code " << sent_to(at) << ", got " << read.text(wrong[i].got, at / p.k, at % p.k);
        }
      }
      Failure failure("mismatch", text.str());
      failure.cause = cause_of(arrival);
      throw failure;
    }
  }
}

void pack_puts_every_code(Case& c) {
  const reference::Layout& layout = c.problem.layout();
  const Size size = c.problem.size();
  const auto run = [&](const generated::Codes& plane, const std::vector<std::int64_t>& wanted) {
    return c.pack(plane, wanted);
  };
  const auto code_of = [&](std::uint32_t unit, std::int64_t row, std::int64_t column) {
    return static_cast<int>(unit >> (4 * (layout.slot_of({row, column}, size) % layout.slots_of_unit())) & 15);
  };
  const auto held = [&](const Differences::One& one) {
    std::vector<reference::Element> elements;
    for (int nibble = 0; nibble < layout.slots_of_unit(); ++nibble) {
      const auto element = layout.element_at(one.index * layout.slots_of_unit() + nibble, size);
      if (element) elements.push_back(*element);
    }
    return elements;
  };
  const auto text = [&](std::uint32_t unit, std::int64_t row, std::int64_t column) {
    return std::to_string(code_of(unit, row, column)) + " in the " + layout.unit + " " +
           hex_text(unit, layout.slots_of_unit());
  };
  const std::string units = std::string("packed ") + layout.unit + "s";
  every_plane_arrives(c, run, {units.c_str(), code_of, text, held});
}

/// For a result with one element for each element of the matrix.
auto one_for_one(const Problem& p) {
  return [&p](const Differences::One& one) {
    return std::vector<reference::Element>{{one.index / p.k, one.index % p.k}};
  };
}

void unpack_takes_every_code(Case& c) {
  const auto run = [&](const generated::Codes& plane, const std::vector<std::int64_t>& wanted) {
    return c.unpack(plane, wanted);
  };
  const auto code_of = [](std::uint32_t element, std::int64_t, std::int64_t) {
    return element < 16 ? static_cast<int>(element) : -1;
  };
  const auto text = [](std::uint32_t element, std::int64_t, std::int64_t) {
    return std::to_string(static_cast<std::int32_t>(element));
  };
  every_plane_arrives(c, run, {"codes", code_of, text, one_for_one(c.problem)});
}

/// Scale 1 and the zero (point) that make a weight equal to its code, in every domain.
Parameters identity_parameters(const Problem& problem) {
  const reference::FloatFormat format = float_format_of(problem.types.parameter);
  const auto bits = [&](int value) { return reference::rounded(format, reference::whole(value)); };
  Parameters identity = zero_parameters(problem);
  for (std::uint32_t& scale : identity.scales.elements) scale = bits(1);
  for (std::uint32_t& zero : identity.zeros.elements) zero = bits(8);
  return identity;
}

/// @return the code with this weight, -1 if there is none
int code_of_weight(reference::FloatFormat format, std::uint32_t weight) {
  for (int code = 0; code < 16; ++code) {
    if (weight == reference::rounded(format, reference::whole(code))) return code;
  }
  return -1;
}

Matrix<std::int32_t> codes_of_weights(Case& c, const std::vector<std::uint32_t>& packed) {
  const reference::FloatFormat format = float_format_of(c.problem.types.weight);
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
  const generated::Parameters identity = generated::parameters_of(p, generated::Parameters::Kind::identity);
  const auto run = [&](const generated::Codes& plane, const std::vector<std::int64_t>& wanted) {
    return c.dequantize(plane, identity, wanted);
  };
  const auto code_of = [&](std::uint32_t weight, std::int64_t, std::int64_t) {
    return code_of_weight(float_format_of(p.types.weight), weight);
  };
  const auto text = [&](std::uint32_t weight, std::int64_t, std::int64_t) {
    const int code = code_of_weight(float_format_of(p.types.weight), weight);
    return code < 0 ? "the weight " + weight_text(p, weight) : std::to_string(code);
  };
  every_plane_arrives(c, run, {"weights", code_of, text, one_for_one(p)});
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
  c.expect_equal(unpacked, specified::as_int32(codes));  // unpack must give codes 0..15 only
  c.expect_equal(c.pack(codes), words);
}

void unpack_reads_the_specified_nibbles(Case& c) {
  const std::vector<std::uint32_t> words = c.words();
  c.expect_equal(c.unpack(words), specified::unpacked(*c.problem.format, words, {c.problem.n, c.problem.k}));
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
  c.elements_are("the code of the weight, -1 for none");
  c.expect_equal(codes_of_weights(c, specified::packed(*c.problem.format, codes)), specified::as_int32(codes));
}

const std::vector<const CoverageGoals*> shapes = {&every_format, &with_padding, &not_square, &both_alignments};
const std::vector<const CoverageGoals*> whole_tiles = {&every_code_at_every_nibble, &every_format, &not_square,
                                                       &both_alignments};
const std::vector<const CoverageGoals*> codes_and_shapes = {&every_code_at_every_nibble, &every_format, &with_padding,
                                                            &not_square, &both_alignments};

}  // namespace

std::vector<Property> index_properties() {
  const Sampling of_codes = {.of_codes = true};
  Sampling any_words = of_codes;
  any_words.n_multiple = 8;
  const Sampling typed = {};
  Sampling special = typed;
  special.profiles = {"mixed", "any"};
  return {
      proved_over_shapes({"index/pack_puts_every_code_where_the_specification_says",
                          "nibble order, lanes, fragments, tiles swapped or skipped",
                          {Operation::pack},
                          shapes,
                          of_codes,
                          pack_puts_every_code}),
      proved_over_shapes({"index/unpack_takes_every_code_from_where_the_specification_says",
                          "the same, on the way back",
                          {Operation::unpack},
                          shapes,
                          of_codes,
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
       of_codes,
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
       of_codes,
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
