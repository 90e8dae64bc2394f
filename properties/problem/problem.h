/// A problem: everything that determines one case. It prints itself as one command line and parses that line back.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/float_bits.h"

namespace tileproof {

enum class Domain { floating, integer, none };
enum class Type { bf16, fp16, fp32 };

const char* name_of(Domain);
const char* name_of(Type);
reference::FloatFormat format_of(Type);
std::int64_t bytes_of(Type);

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
  std::int64_t n = 8;              // rows, any
  std::int64_t k = 32;             // columns, a multiple of 16 * inner_k_tiles
  std::int64_t inner_k_tiles = 2;  // 2, 4 or 8
  std::int64_t group_size = 32;    // a multiple of 16 that divides k
  Domain domain = Domain::floating;
  Type out = Type::bf16;            // of scales, zeros and weights
  std::string scales = "ordinary";  // the profile that scales and zeros are drawn from, a name of values.h
  std::string variant;              // which of its property's ways of calling this is; "" where there is one
  std::uint64_t seed = 0;           // of the data
  std::int64_t experts = 1;         // matrices of this size in one call, one behind the other
  Span codes;                       // of [experts][n][k], those that are drawn; every other one is 8, the midpoint
  Span parameters;                  // of [experts][groups][n], likewise: else scale 1, zero 0, zero point 8

  bool operator==(const Problem&) const = default;

  std::int64_t groups() const { return k / group_size; }
  std::int64_t supertile_columns() const { return 16 * inner_k_tiles; }
};

/// One line, "--property=... --subject=... --n=24 ...": what `tileproof replay` takes.
std::string line_of(const Problem&);

/// Reads a line back; a field that is left out keeps its default, except property and subject.
/// @throws UsageError where a flag is unknown or a value unreadable
Problem problem_of(const std::string& line);

/// A seed from text, decimal or 0x hexadecimal. @throws UsageError where it is no number of 64 bits
std::uint64_t seed_of(const char* argument, const std::string& text);

/// @throws UsageError where no data can exist for the problem: k no multiple, a group size that does not divide,
/// unknown names of
///         profiles
void require_possible(const Problem&);

}  // namespace tileproof
