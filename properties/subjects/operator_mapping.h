/// How an operator library's schemas map onto operations, as its user writes it, a line for each operation:
///
///   dequantize = awq_dequantize(packed, scales, zeros, 0, 0, 0) -> weights[k][n]
///
/// This header needs no torch: subjects/torch_operators.cpp holds the lines against the operators' schemas.
#pragma once

#include <string>
#include <vector>

#include "properties/subjects/call.h"

namespace tileproof {

/// One argument of an operator.
struct MappedArgument {
  enum class Kind { named, integer, real, boolean, none, text };
  std::string keyword;  // of `keyword=value`; "" if it is given by its place
  Kind kind = Kind::named;
  std::string value;  // the name of a tensor or a size, or "dtype"; or a literal as written, a text without its quotes
};

/// One operation of a mapping.
struct MappedOperation {
  Operation operation;
  std::string op;  // "name" or "name.overload", without namespace
  std::vector<MappedArgument> arguments;
  bool is_transposed = false;  // the result's order is not the format's
  std::string line;            // as written

  /// The tensors, sizes and dtype that the operator takes, each once, in the order of its arguments.
  std::vector<std::string> names() const;
};

/// The operations that a mapping may name.
inline constexpr auto& mapped_operations = kernel_operations;

/// The lines of what --map is given: of a file, or the line itself. Blank lines and those that begin with # are left
/// out.
/// @throws UsageError if it is neither, or the file has none
std::vector<std::string> lines_of_map(const std::string& file_or_line);

/// Reads the lines of a mapping for a format.
/// @throws UsageError for a line that is not legal, or an operation that two lines name
std::vector<MappedOperation> mapping_of(const std::vector<std::string>& lines, const Format&);

/// The scheme of the format whose tensors the mapping's dequantize takes; the first one if it has no dequantize.
/// @throws UsageError if no scheme has these tensors
const Scheme* scheme_of(const std::vector<MappedOperation>&, const Format&);

}  // namespace tileproof
