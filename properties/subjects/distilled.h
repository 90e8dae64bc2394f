/// A few small problems that together reach every path of the kernels: for tools under which a case takes long.
#pragma once

#include <string>
#include <vector>

#include "properties/problem/problem.h"

namespace tileproof {

/// Every operation with every format of tinygemm and every tail of n. Dequantize also runs with every type and scheme,
/// and with groups smaller than, equal to and larger than a supertile.
std::vector<Problem> distilled_problems(const std::string& subject);

}  // namespace tileproof
