/// The specification, in the harness's own matrices: what properties expect.
#pragma once

#include <cstdint>
#include <vector>

#include "properties/problem/matrix.h"
#include "properties/problem/parameters.h"

namespace tileproof::specified {

/// Two codes a byte, as pack takes them.
std::vector<std::uint8_t> pairs(const Matrix<std::uint8_t>& codes);

std::vector<std::uint32_t> packed(const Format&, const Matrix<std::uint8_t>& codes);
Matrix<std::int32_t> unpacked(const Format&, const std::vector<std::uint32_t>& packed, Size);
/// The nibble of its storage unit in which each code of a row lies.
std::vector<int> nibbles_of_row(const Format&, std::int64_t row, Size);

/// The weight of one code in its group, as bits of the problem's type.
std::uint32_t weight(const Problem&, int code, const Parameters&, std::int64_t row, std::int64_t column);
Matrix<std::uint32_t> weights(const Problem&, const Matrix<std::int32_t>& codes, const Parameters&);

// PyTorch's eager formulas, in the problem's scheme and type. Weights and results are bits.
Parameters chosen(const Problem&, const Matrix<std::uint32_t>& weights);
Matrix<std::int32_t> quantized(const Problem&, const Matrix<std::uint32_t>& weights, const Parameters&);
Matrix<std::uint32_t> eager_weights(const Problem&, const Matrix<std::int32_t>& codes, const Parameters&);

/// Codes as unpack gives them.
Matrix<std::int32_t> as_int32(const Matrix<std::uint8_t>& codes);

/// A finite value of a format, as a double: exact for every format here.
double value(reference::FloatFormat, std::uint32_t pattern);
double value(const reference::Exact&);

}  // namespace tileproof::specified
