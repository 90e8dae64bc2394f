/// The name that somebody probably meant.
#pragma once

#include <string>
#include <vector>

namespace tileproof {

/// @return the name nearest to `given` by edit distance, or "" where none is near
std::string nearest(const std::string& given, const std::vector<std::string>& names);

}  // namespace tileproof
