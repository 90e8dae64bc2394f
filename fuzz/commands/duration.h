/// Times on the command line.
#pragma once

#include <string>

namespace tileproof {

/// "90", "90s", "5m", "4h" in seconds; 0 for "". @throws UsageError naming the argument
double seconds_of(const char* argument, const std::string& duration);

}  // namespace tileproof
