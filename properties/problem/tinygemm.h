/// tinygemm's formats, and the number by which its operators and kernels name them: their argument inner_k_tiles.
#pragma once

#include <cstdint>
#include <vector>

#include "properties/problem/problem.h"

namespace tileproof {

/// @param number  inner_k_tiles: 2, 4 or 8
const Format* tinygemm(std::int64_t number);
/// In the order 2, 4, 8.
std::vector<const Format*> tinygemm_formats();
/// @throws std::logic_error for any other format
std::int64_t tinygemm_number(const Format&);

}  // namespace tileproof
