/// Suggests the name that a user probably meant.
#pragma once

#include <string>
#include <vector>

namespace tileproof {

/// @return the name nearest to `given`, or that begins with what is nearest to it: at most two letters off, and half
///         of its own; "" if none is that near
std::string nearest(const std::string& given, const std::vector<std::string>& names);

}  // namespace tileproof
