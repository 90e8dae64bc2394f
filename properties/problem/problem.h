/// A problem: everything that determines one case. It prints itself as one command line and parses that line back.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/format.h"

namespace tileproof {

using reference::Format;  // a row of reference/formats.h
using reference::Scheme;
using reference::Size;
using reference::Zero;

/// PyTorch's schemes, as rows of reference/formats.h, and the first format.
namespace scheme {
extern const Scheme* const floating;
extern const Scheme* const integer;
extern const Scheme* const none;
}  // namespace scheme
extern const Format* const first_format;

enum class Type { bf16, fp16, fp32, e8m0, e4m3 };  // the last two: of parameters alone

const char* name_of(Type);
/// @throws UsageError if no type has the name
Type type_of(const char* argument, const std::string& name);
reference::FloatFormat float_format_of(Type);
std::int64_t bytes_of(Type);

/// The type of the weights, and the type of their scales and zeros.
struct Types {
  Type weight = Type::bf16;
  Type parameter = Type::bf16;

  constexpr Types() = default;
  // NOLINT: implicit, so that one type may stand for both
  constexpr Types(Type both) : weight(both), parameter(both) {}
  constexpr Types(Type weight_, Type parameter_) : weight(weight_), parameter(parameter_) {}
  bool operator==(const Types&) const = default;
  auto operator<=>(const Types&) const = default;
};
/// "bf16", or "fp32 of bf16".
std::string name_of(Types);

/// A user's argument is unusable: names the argument, the value given and what is legal. Exit code 2.
class UsageError : public std::runtime_error {
 public:
  UsageError(const std::string& argument, const std::string& given, const std::string& legal);
  explicit UsageError(const std::string& whole_message) : std::runtime_error(whole_message) {}
};

/// The elements from `first` up to, not including, `end`, in memory order.
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
  const Format* format = first_format;
  const Format* format_to = nullptr;                // that convert gives; nullptr unless the property is about convert
  const Scheme* scheme = first_format->schemes[0];  // one of the format's schemes
  std::int64_t n = 8;                               // rows and columns, in the multiples that the layout requires
  std::int64_t k = 32;
  std::int64_t group_size = 32;  // a size that the format takes; it divides k where groups are of rows
  Types types;
  std::string profile = "ordinary";  // of values.h, from which scales and zeros are drawn
  std::string variant;               // one of the property's variants; "" if it has only one
  std::uint64_t seed = 0;            // determines all drawn data
  std::int64_t experts = 1;          // matrices of this size in one call, one after the other
  Span codes;  // the elements of [experts][n][k] that are drawn; the others are code 8, the midpoint
  // the elements of [experts][groups of a row][rows] that are drawn; the others are scale 1, zero 0, zero point 8
  Span parameters;

  bool operator==(const Problem&) const = default;

  Size size() const { return {n, k}; }
  /// Rows of groups, and the groups of such a row. Where groups are of rows, those are the rows of the matrix.
  Size groups() const { return format->groups(size(), group_size); }
  std::int64_t group_count() const { return groups().n * groups().k; }
  reference::Element group_of(std::int64_t row, std::int64_t column) const {
    return format->group_of({row, column}, size(), group_size);
  }
  const reference::Layout& layout() const { return format->layout; }
  /// Where codes lie after the call.
  const reference::Layout& layout_of_result() const { return (format_to != nullptr ? format_to : format)->layout; }
};

/// The legal group sizes as text: "a positive number", "a positive multiple of 16", or a list.
std::string text_of(const reference::GroupSizes&);

/// The step of legal k in a format with this group size, and of legal n; `k_multiple` and `n_multiple` are what they
/// must also be multiples of.
/// @param format_to  another format in which they are legal too, or nullptr
std::int64_t k_unit(const Format&, std::int64_t group_size, std::int64_t k_multiple = 1,
                    const Format* format_to = nullptr);
std::int64_t n_unit(const Format&, std::int64_t n_multiple, const Format* format_to = nullptr);
/// Every pair of weight type and parameter type that some scheme has.
std::vector<Types> every_types();
/// Whether a scheme has this pair of weight type and parameter type.
bool has_types(const Scheme&, Types);
/// Keeps the types that the scheme has, in the given order.
std::vector<Types> types_of(const Scheme&, std::vector<Types>);
/// Whether a packed matrix holds codes and no parameters, so that it can be packed of codes.
bool packs_codes_alone(const Format&);
/// The formats that pack codes alone.
std::vector<const Format*> formats_of_codes_alone();
/// The schemes of a format, the default first; the second overload keeps those of the given schemes that it has, in the
/// given order.
std::vector<const Scheme*> schemes_of(const Format&);
std::vector<const Scheme*> schemes_of(const Format&, std::vector<const Scheme*>);
/// The schemes of every_scheme() with this kind of zero.
std::vector<const Scheme*> schemes_with(Zero);
std::vector<const Scheme*> schemes_with_zeros();

/// The smallest non-empty matrix that fills its buffer without padding.
Size least_full_size(const Format&);
/// Whether some slots of a packed matrix have no element, beside those of parameters.
bool has_padding(const Format&, Size);
/// Whether a row may be one group of no multiple of 16 elements.
bool takes_uneven_rows(const Format&);

/// The problem as one line, "--property=... --subject=... --n=24 ...", which `tileproof replay` takes.
std::string line_of(const Problem&);

/// Reads such a line. A missing field keeps its default; property and subject are required.
/// @throws UsageError if a flag is unknown or a value unreadable
Problem problem_of(const std::string& line);

/// A format by its name.
/// @throws UsageError if no format has the name
const Format* format_of(const char* argument, const std::string& name);
/// Requires that convert can be asked between two formats: they differ, and each packs codes alone.
/// @param argument, argument_to  where they are stated
/// @throws UsageError if it cannot
void require_convertible(const char* argument, const Format&, const char* argument_to, const Format& format_to);
/// A scheme of the format by its name.
/// @throws UsageError if the format has no such scheme
const Scheme* scheme_of(const Format&, const char* argument, const std::string& name);
/// The rows of reference/formats.h, in its order.
std::vector<const Format*> every_format_there_is();
std::vector<const Scheme*> every_scheme();
/// "tinygemm-2, tinygemm-4"
std::string listed(const std::vector<const Format*>&);
std::string listed(const std::vector<const Scheme*>&);

/// A seed from decimal or 0x-hexadecimal text.
/// @throws UsageError if it is not a 64-bit number
std::uint64_t seed_of(const char* argument, const std::string& text);

/// @throws UsageError if no data can exist for the problem: n or k that a layout does not take, formats between which
/// nothing is converted, a group size that does not divide k, an unknown profile
void require_possible(const Problem&);

}  // namespace tileproof
