/// A few small problems that together reach every path of the kernels: for tools under which a case takes long.
#pragma once

#include <string>
#include <vector>

#include "properties/problem/problem.h"

namespace tileproof {

/// Each operation with every format of tinygemm and every tail of n; dequantize besides with every type, scheme and
/// size of group beside a supertile.
std::vector<Problem> distilled_problems(const std::string& subject);

}  // namespace tileproof
