/// Scales and zeros of a problem's groups, and their bits as the elements of a tensor.
#pragma once

#include <cstdint>
#include <vector>

#include "properties/problem/matrix.h"
#include "properties/problem/problem.h"

namespace tileproof {

/// The parameters of a problem's groups, as bits: [k / group_size][n]; of a batch, expert by expert.
struct Parameters {
  Matrix<std::uint32_t> scales;
  Matrix<std::uint32_t> zeros;      // where zeros are numbers
  Matrix<std::int8_t> zero_points;  // where they are whole numbers
};

/// Parameters of a problem's size, all bits 0.
Parameters zero_parameters(const Problem&);
/// Scales and zeros as tinygemm's operators take them: bits, [k / group_size][n][2], scale first.
std::vector<std::uint32_t> interleaved(const Parameters&);

/// A tensor of a problem's parameters, as its scheme lays it out; of a batch, expert by expert.
struct ParameterBytes {
  const char* role;
  std::int64_t element_bytes;
  std::vector<std::uint8_t> bytes;
};
/// The tensors of the problem's scheme, in its order. They hold nothing that the scheme has no use for.
std::vector<ParameterBytes> tensors_of(const Problem&, const Parameters&);
/// Bytes of an element of a tensor of parameters.
std::int64_t bytes_of(const reference::ParameterTensor&, Types);
/// Bits as little-endian elements of so many bytes, and back.
std::vector<std::uint8_t> narrowed(const std::vector<std::uint32_t>& bits, std::int64_t element_bytes);
std::vector<std::uint32_t> widened(const std::vector<std::uint8_t>& bytes, std::int64_t element_bytes);

}  // namespace tileproof
