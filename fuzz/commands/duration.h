/// Reads durations of the command line.
#pragma once

#include <string>

namespace tileproof {

/// Converts "90", "90s", "5m", "4h" to seconds; "" is 0.
/// @throws UsageError naming the argument
double seconds_of(const char* argument, const std::string& duration);

}  // namespace tileproof
