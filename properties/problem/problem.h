/// A problem: everything that determines one case. It prints itself as one command line and parses that line back.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/formats.h"

namespace tileproof {

using reference::Format;  // rows of reference/formats.h
using reference::Scheme;
using reference::Size;
using reference::Zero;

/// PyTorch's schemes, as rows of reference/formats.h.
namespace scheme {
inline constexpr const Scheme* floating = &reference::schemes[0];
inline constexpr const Scheme* integer = &reference::schemes[1];
inline constexpr const Scheme* none = &reference::schemes[2];
}  // namespace scheme

enum class Type { bf16, fp16, fp32 };

const char* name_of(Type);
/// @throws UsageError where there is no type of the name
Type type_of(const char* argument, const std::string& name);
reference::FloatFormat float_format_of(Type);
std::int64_t bytes_of(Type);

/// The type of weights, and that of their scales and zeros.
struct Types {
  Type weight = Type::bf16;
  Type parameter = Type::bf16;

  constexpr Types() = default;
  constexpr Types(Type both) : weight(both), parameter(both) {}  // NOLINT: where there is one, it is written alone
  constexpr Types(Type weight_, Type parameter_) : weight(weight_), parameter(parameter_) {}
  bool operator==(const Types&) const = default;
  auto operator<=>(const Types&) const = default;
};
/// "bf16", or "fp32 of bf16".
std::string name_of(Types);

/// Something a user gave that cannot be used: which argument, what was given, what is legal. Exit code 2.
class UsageError : public std::runtime_error {
 public:
  UsageError(const std::string& argument, const std::string& given, const std::string& legal);
  explicit UsageError(const std::string& whole_message) : std::runtime_error(whole_message) {}
};

/// Elements from first to before end, in the order of memory.
struct Span {
  static constexpr std::int64_t all = std::int64_t{1} << 62;
  std::int64_t first = 0;
  std::int64_t end = all;

  bool holds(std::int64_t i) const { return first <= i && i < end; }
  bool operator==(const Span&) const = default;
};

struct Problem {
  std::string property;
  std::string subject;
  const Format* format = &reference::formats[0];
  const Scheme* scheme = reference::formats[0].schemes[0];  // one of the format's
  std::int64_t n = 8;                                       // rows and columns, as the format's layout takes them
  std::int64_t k = 32;
  std::int64_t group_size = 32;  // that the format takes, and that divides k
  Types types;
  std::string scales = "ordinary";  // the profile that scales and zeros are drawn from, a name of values.h
  std::string variant;              // which of its property's ways of calling this is; "" where there is one
  std::uint64_t seed = 0;           // of the data
  std::int64_t experts = 1;         // matrices of this size in one call, one behind the other
  Span codes;                       // of [experts][n][k], those that are drawn; every other one is 8, the midpoint
  Span parameters;                  // of [experts][groups][n], likewise: else scale 1, zero 0, zero point 8

  bool operator==(const Problem&) const = default;

  std::int64_t groups() const { return k / group_size; }
  Size size() const { return {n, k}; }
  const reference::Layout& layout() const { return format->layout; }
};

/// "a positive multiple of 16", or those that there are.
std::string text_of(const reference::GroupSizes&);

/// A legal k is a multiple of this in a format with groups of a size; and a legal n, where it is a multiple of
/// `n_multiple` besides.
std::int64_t k_unit(const Format&, std::int64_t group_size);
std::int64_t n_unit(const Format&, std::int64_t n_multiple);
/// Every type of weights, with every type of parameters that some scheme has for it.
std::vector<Types> every_types();
/// Whether a scheme has weights of such a type for parameters of such a one.
bool has_types(const Scheme&, Types);
/// The types that a scheme has, of some, in their order.
std::vector<Types> types_of(const Scheme&, const std::vector<Types>&);
/// The schemes that a format has, the default one first; and those of some, in the order of those.
std::vector<const Scheme*> schemes_of(const Format&);
std::vector<const Scheme*> schemes_of(const Format&, const std::vector<const Scheme*>&);
/// The ones of every_scheme() with such a zero.
std::vector<const Scheme*> schemes_with(Zero);
std::vector<const Scheme*> schemes_with_zeros();

/// A packed matrix is words of 32 bits to the harness, whatever the format's storage unit is.
inline constexpr int codes_of_packed_word = 8;
std::int64_t packed_words(const Format&, Size);
/// The smallest matrix that fills its buffer without padding, and is not empty.
Size least_full_size(const Format&);

/// One line, "--property=... --subject=... --n=24 ...": what `tileproof replay` takes.
std::string line_of(const Problem&);

/// Reads a line back; a field that is left out keeps its default, except property and subject.
/// @throws UsageError where a flag is unknown or a value unreadable
Problem problem_of(const std::string& line);

/// A format by its name. @throws UsageError where there is none
const Format* format_of(const char* argument, const std::string& name);
/// One of a format's schemes by its name. @throws UsageError where it has none
const Scheme* scheme_of(const Format&, const char* argument, const std::string& name);
/// The rows of reference/formats.h, in its order.
std::vector<const Format*> every_format_there_is();
std::vector<const Scheme*> every_scheme();
/// "tinygemm-2, tinygemm-4"
std::string listed(const std::vector<const Format*>&);
std::string listed(const std::vector<const Scheme*>&);

/// A seed from text, decimal or 0x hexadecimal. @throws UsageError where it is no number of 64 bits
std::uint64_t seed_of(const char* argument, const std::string& text);

/// @throws UsageError where no data can exist for the problem: n or k that the layout does not take, a packed matrix
///         that is not whole words, a group size that does not divide, unknown names of profiles
void require_possible(const Problem&);

}  // namespace tileproof
