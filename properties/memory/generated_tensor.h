/// Generated tensors: whose elements are a function of their index, judged where they lie.
///
/// A proof looks at more elements than can be drawn one by one and carried to a judge. Its inputs are formulas, written
/// into the subject's memory by whoever owns that memory, and so are the results it expects: the harness compares them
/// there, on the device with the device's threads. What is expected is computed by the specification of reference/,
/// compiled for the place where it runs; nothing here knows the layout or the arithmetic itself.
#pragma once

#include <cstdint>
#include <variant>

#include "properties/problem/problem.h"

namespace tileproof::generated {

/// The codes of a matrix, [n][k].
struct Codes {
  enum class Kind {
    each,       // all sixteen in every 16 columns
    constant,   // `value` everywhere
    digit,      // hexadecimal digit of the element's linear index, at bit `shift`, xor `flip`
    drawn,      // uniform, by the seed `first`
    every_word  // whatever stands in the packed words: word i is first + (i xor swizzle), modulo 2^32
  };
  Kind kind = Kind::each;
  std::int64_t n = 0;
  std::int64_t k = 0;
  int format = 0;  // as index_of: what is written here must be evaluated on a device too
  std::int32_t value = 0;
  std::int32_t shift = 0;
  std::uint32_t flip = 0;
  std::uint32_t first = 0;
  std::uint32_t swizzle = 0;

  bool operator==(const Codes&) const = default;
};

/// The parameters of a matrix's groups, [k / group_size][n].
struct Parameters {
  enum class Kind {
    every,        // the pairs of scale and zero (point) from number `first` on, see pair_at
    identity,     // scale 1, and the zero that makes a weight its code
    scale_digit,  // zero 0; the scale is a digit, of `digit_bits`, of the group's number
    zero_digit,   // scale 1; the zero is that digit, or the zero point `zero_base` less the digit
    ordinary      // as weights have them: normal numbers, drawn by their number from `first` on
  };
  Kind kind = Kind::every;
  Type type = Type::bf16;
  int scheme = 0;  // as index_of
  std::int64_t n = 0;
  std::int64_t groups = 0;
  std::int64_t group_size = 32;
  std::uint64_t first = 0;
  std::int32_t digit_bits = 6;
  std::int32_t shift = 0;  // of the digit, in bits
  std::int32_t flip = 0;   // the digit is taken from the largest there is where it is 1
  std::int32_t zero_base = 0;
};

// The tensors. Elements are numbered in the order of memory.
struct Constant {
  std::uint32_t value;
  std::int64_t elements;
};
struct CodePairs {  // uint8 [n][k / 2], as pack takes them
  Codes codes;
};
struct PackedWords {  // the storage units of the format, as pack gives them
  Codes codes;
};
struct UnpackedCodes {  // int32 [n][k]
  Codes codes;
};
struct ScaleElements {  // [groups][n], or where the scheme has one tensor [groups][n][2] with the zero second
  Parameters parameters;
};
struct ZeroPointElements {  // the scheme's second tensor: int8 [groups][n], or the units of packed zeros
  Parameters parameters;
};
struct Weights {  // [n][k], or [k][n]
  Codes codes;
  Parameters parameters;
  reference::ResultOrder order = reference::ResultOrder::n_k;
};

/// Codes and parameters of a problem's size, format, scheme and type; every other field has its default.
Codes codes_of(const Problem&, Codes::Kind);
Parameters parameters_of(const Problem&, Parameters::Kind);

/// How many pairs of scale and zero (point) there are in Kind::every.
std::uint64_t pairs_of(Type, const Scheme&);

}  // namespace tileproof::generated

namespace tileproof {

struct GeneratedTensor
    : std::variant<generated::Constant, generated::CodePairs, generated::PackedWords, generated::UnpackedCodes,
                   generated::ScaleElements, generated::ZeroPointElements, generated::Weights> {
  using variant::variant;
};

std::int64_t elements_of(const GeneratedTensor&);
/// One element, evaluated here.
std::uint32_t element_of(const GeneratedTensor&, std::int64_t index);

}  // namespace tileproof
