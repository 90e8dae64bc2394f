/// tinygemm's formats, and the inner_k_tiles by which its operators and kernels name them.
#pragma once

#include <cstdint>
#include <vector>

#include "properties/problem/problem.h"

namespace tileproof {

/// @param number  inner_k_tiles: 2, 4 or 8
const Format* tinygemm(std::int64_t number);
/// All three, in the order 2, 4, 8.
std::vector<const Format*> tinygemm_formats();
bool is_tinygemm(const Format&);
/// The inner_k_tiles of a format.
/// @throws std::logic_error if the format is not tinygemm's
std::int64_t tinygemm_number(const Format&);

}  // namespace tileproof
