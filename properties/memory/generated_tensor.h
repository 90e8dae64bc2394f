/// Generated tensors: each element is a function of its index, computed by the specification of reference/. A proof
/// compares more elements than can be drawn one by one and copied, so inputs and expected results are formulas, which
/// the owner of the memory writes and compares in place (on a device, with the device's threads).
#pragma once

#include <cstdint>
#include <variant>

#include "properties/problem/problem.h"

namespace tileproof::generated {

/// The codes of a matrix, [n][k].
struct Codes {
  enum class Kind {
    each,       // all sixteen codes in every 16 columns
    constant,   // `value` everywhere
    digit,      // hexadecimal digit of the element's linear index, at bit `shift`, xor `flip`
    drawn,      // uniform, from the seed `first`
    every_word  // defined by the packed words: word i is first + (i xor swizzle), modulo 2^32
  };
  Kind kind = Kind::each;
  std::int64_t n = 0;
  std::int64_t k = 0;
  int format = 0;  // an index_of(), because a device must evaluate it too
  std::int32_t value = 0;
  std::int32_t shift = 0;
  std::uint32_t flip = 0;
  std::uint32_t first = 0;
  std::uint32_t swizzle = 0;

  bool operator==(const Codes&) const = default;
};

/// The parameters of a matrix's groups, [groups][n].
struct Parameters {
  enum class Kind {
    every,        // pairs of scale and zero (point) with the numbers from `first` on, see pair_at()
    identity,     // scale 1, and the zero that makes a weight equal to its code
    scale_digit,  // zero 0; the scale is a digit, of `digit_bits` bits, of the group's number
    zero_digit,   // scale 1; the zero is that digit, or the zero point is `zero_base` minus the digit
    ordinary      // normal numbers like those of real weights, drawn by their number from `first` on
  };
  Kind kind = Kind::every;
  Type type = Type::bf16;
  int scheme = 0;      // an index_of()
  std::int64_t n = 0;  // rows of groups: of the matrix, or 1 where groups may cross rows
  std::int64_t groups = 0;
  std::int64_t group_size = 32;
  bool cross_rows = false;  // groups are runs of all elements
  std::uint64_t first = 0;
  std::int32_t digit_bits = 6;
  std::int32_t shift = 0;  // position of the digit, in bits
  std::int32_t flip = 0;   // 1: the digit is subtracted from the largest digit
  std::int32_t zero_base = 0;
};

/// Where scales are powers of two, digit 0 is this one in Kind::scale_digit, so that fp16 holds sixteen of them.
inline constexpr int lowest_power_of_digit = -8;

/// The parameters of one group.
struct Pair {
  std::uint32_t scale;
  std::uint32_t zero;  // of Zero::value; or the matrix's factor
  int zero_point;      // of Zero::point
  constexpr bool operator==(const Pair&) const = default;
};

/// The parameters of one group of a matrix, computed on the host.
Pair pair_of(const Parameters&, reference::Element group);

// The tensors. Elements are numbered in memory order.
struct Constant {
  std::uint32_t value;
  std::int64_t elements;
};
struct CodePairs {  // uint8 [n][k / 2], as pack takes them
  Codes codes;
};
struct PackedWords {  // the storage units of the format, as pack gives them
  Codes codes;
  Parameters parameters = {};  // where the format's schemes keep them there
};
struct UnpackedCodes {  // int32 [n][k]
  Codes codes;
};
struct ScaleElements {  // the scheme's first tensor of parameters
  Parameters parameters;
};
struct ZeroElements {  // the scheme's second tensor
  Parameters parameters;
};
struct Weights {  // [n][k], or [k][n]
  Codes codes;
  Parameters parameters;
  reference::ResultOrder order = reference::ResultOrder::n_k;
  Type type = Type::bf16;  // where the scheme leaves it open
};

/// Codes and parameters with a problem's size, format, scheme and type; all other fields keep their defaults.
Codes codes_of(const Problem&, Codes::Kind);
/// Sets the format that packs the codes. Kinds that fill words give other codes in another format.
Codes in_format(const Format&, Codes);
Parameters parameters_of(const Problem&, Parameters::Kind);

/// The number of pairs of scale and zero (point) in Kind::every.
std::uint64_t pairs_of(Type, const Scheme&);

}  // namespace tileproof::generated

namespace tileproof {

struct GeneratedTensor
    : std::variant<generated::Constant, generated::CodePairs, generated::PackedWords, generated::UnpackedCodes,
                   generated::ScaleElements, generated::ZeroElements, generated::Weights> {
  using variant::variant;
};

std::int64_t elements_of(const GeneratedTensor&);
/// Whether sixteen elements from a multiple of sixteen on lie in one row and one group, where the tensor has any. Of
/// other tensors, a device computes only weights in the order [k][n] and weights whose groups cross rows.
bool is_in_runs(const GeneratedTensor&);
/// One element, computed on the host.
std::uint32_t element_of(const GeneratedTensor&, std::int64_t index);

}  // namespace tileproof
