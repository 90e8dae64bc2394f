/// The specification in terms of the harness's matrices. Properties expect these results.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "properties/problem/matrix.h"
#include "properties/problem/parameters.h"

namespace tileproof::specified {

/// Two codes in each byte, as pack takes them. The last byte of an odd row holds one code and 0.
std::vector<std::uint8_t> pairs(const Matrix<std::uint8_t>& codes);

/// A packed matrix is a number for each storage unit of the layout.
std::vector<std::uint32_t> packed(const Format&, const Matrix<std::uint8_t>& codes);
Matrix<std::int32_t> unpacked(const Format&, const std::vector<std::uint32_t>& packed, Size);
std::vector<std::uint32_t> converted(const Format& from, const Format& to, const std::vector<std::uint32_t>& packed,
                                     Size);
/// Replaces the codes of the padding.
/// @param code_of  (slot of the buffer) -> code 0..15
void fill_padding(const Format&, Size, std::vector<std::uint32_t>& packed,
                  const std::function<std::uint32_t(std::int64_t slot)>& code_of);
/// For each code of a row, the nibble of its storage unit that holds it.
std::vector<int> nibbles_of_row(const Format&, std::int64_t row, Size);

/// The zero of a group, as reference::weight takes it.
std::uint32_t zero_of(const Problem&, const Parameters&, reference::Element group);
/// The weight of one code at (row, column), as bits of the problem's weight type.
std::uint32_t weight(const Problem&, int code, const Parameters&, std::int64_t row, std::int64_t column);
Matrix<std::uint32_t> weights(const Problem&, const Matrix<std::int32_t>& codes, const Parameters&);
/// Whether a weight is the scheme's with a rounding more: to fp32 before the last one; or, before a zero is added or
/// subtracted, of the products, to fp32 or to the weight's type.
/// @param zero  as zero_of gives it
bool is_of_two_roundings(const Problem&, int code, std::uint32_t scale, std::uint32_t zero, std::uint32_t weight);

// PyTorch's eager formulas for the problem's scheme and types. Weights and results are bits.
Parameters chosen(const Problem&, const Matrix<std::uint32_t>& weights);
Matrix<std::int32_t> quantized(const Problem&, const Matrix<std::uint32_t>& weights, const Parameters&);
Matrix<std::uint32_t> eager_weights(const Problem&, const Matrix<std::int32_t>& codes, const Parameters&);

/// Codes as int32, as unpack returns them.
inline Matrix<std::int32_t> as_int32(const Matrix<std::uint8_t>& codes) { return codes.as<std::int32_t>(); }

/// A finite value as a double, which holds every format here exactly.
double value(reference::FloatFormat, std::uint32_t pattern);
double value(const reference::Exact&);

}  // namespace tileproof::specified
