/// Suggests the name that a user probably meant.
#pragma once

#include <string>
#include <vector>

namespace tileproof {

/// @return the name nearest to `given` by edit distance, at most a third of its length or 2; "" if none is that near
std::string nearest(const std::string& given, const std::vector<std::string>& names);

}  // namespace tileproof
