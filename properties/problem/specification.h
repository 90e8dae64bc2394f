/// The specification, in the harness's own matrices: what properties expect.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "properties/problem/matrix.h"
#include "properties/problem/parameters.h"

namespace tileproof::specified {

/// Calls `use` with 2, 4 or 8 as a constant: the divisions of the tile map then are shifts.
template <class Use>
auto with_inner_k_tiles(std::int64_t inner_k_tiles, Use use) {
  if (inner_k_tiles == 2) return use(std::integral_constant<int, 2>());
  if (inner_k_tiles == 4) return use(std::integral_constant<int, 4>());
  return use(std::integral_constant<int, 8>());
}

/// Two codes a byte, as pack takes them.
std::vector<std::uint8_t> pairs(const Matrix<std::uint8_t>& codes);

std::vector<std::uint32_t> packed(const Matrix<std::uint8_t>& codes, std::int64_t inner_k_tiles);
Matrix<std::int32_t> unpacked(const std::vector<std::uint32_t>& packed, std::int64_t n, std::int64_t k,
                              std::int64_t inner_k_tiles);

/// The weight of one code in its group, as bits of the problem's type.
std::uint32_t weight(const Problem&, int code, const Parameters&, std::int64_t row, std::int64_t column);
Matrix<std::uint32_t> weights(const Problem&, const Matrix<std::int32_t>& codes, const Parameters&);

// PyTorch's eager formulas, in the problem's domain and type. Weights and results are bits.
Parameters chosen(const Problem&, const Matrix<std::uint32_t>& weights);
Matrix<std::int32_t> quantized(const Problem&, const Matrix<std::uint32_t>& weights, const Parameters&);
Matrix<std::uint32_t> eager_weights(const Problem&, const Matrix<std::int32_t>& codes, const Parameters&);

/// Codes as unpack gives them.
Matrix<std::int32_t> as_int32(const Matrix<std::uint8_t>& codes);

/// A finite value of a format, as a double: exact for every format here.
double value(reference::FloatFormat, std::uint32_t pattern);
double value(const reference::Exact&);

}  // namespace tileproof::specified
