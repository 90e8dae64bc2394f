/// The scales and zeros of a problem's groups, and their bits as the elements of a tensor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "properties/problem/matrix.h"
#include "properties/problem/problem.h"

namespace tileproof {

/// The parameters of a problem's groups as bits, [k / group_size][n], or [groups][1] where groups are not of rows; in a
/// batch, expert by expert.
struct Parameters {
  Matrix<std::uint32_t> scales;
  // for schemes whose zeros are float numbers; for those with a factor of the matrix, that in each
  Matrix<std::uint32_t> zeros;
  Matrix<std::int8_t> zero_points;  // for schemes whose zeros are integers
};

/// Parameters of a problem's size with all bits 0.
Parameters zero_parameters(const Problem&);
/// Scales and zeros as tinygemm's operators take them: bits, [k / group_size][n][2], scale first.
std::vector<std::uint32_t> interleaved(const Parameters&);

/// A tensor of a problem's parameters in the layout of its scheme; in a batch, expert by expert.
struct ParameterBytes {
  const char* role;
  std::int64_t element_bytes;
  std::vector<std::uint8_t> bytes;
};
/// The parameter tensors of the problem's scheme, in its order. Parameters that the scheme does not use are left out.
std::vector<ParameterBytes> tensors_of(const Problem&, const Parameters&);
/// Writes the parameters of a problem into its packed codes, where they lie there.
/// @param packed  words of 32 bits; in a batch, expert by expert
void put_parameters(const Problem&, const Parameters&, std::vector<std::uint32_t>& packed);
/// The bytes of one element of a parameter tensor.
std::int64_t bytes_of(const reference::ParameterTensor&, Types);
/// The shape of a parameter tensor of a format, for messages: "[k/group_size][n]".
std::string dims_text_of(const reference::ParameterTensor&, const Format&);
/// Converts bits to little-endian elements of `element_bytes` bytes, and back.
std::vector<std::uint8_t> narrowed(const std::vector<std::uint32_t>& bits, std::int64_t element_bytes);
std::vector<std::uint32_t> widened(const std::vector<std::uint8_t>& bytes, std::int64_t element_bytes);

}  // namespace tileproof
