#include "fuzz/commands/duration.h"

#include <sstream>

#include "properties/problem/problem.h"

namespace tileproof {

double seconds_of(const char* argument, const std::string& duration) {
  if (duration.empty()) return 0;
  const std::size_t unit_at = duration.find_first_not_of("0123456789.");
  const std::string number = duration.substr(0, unit_at);
  const std::string unit = unit_at == std::string::npos ? "s" : duration.substr(unit_at);
  const double factor = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  double value = 0;
  std::istringstream text(number);
  if (number.empty() || !(text >> value) || !text.eof() || factor == 0 || value <= 0) {
    throw UsageError(argument, "'" + duration + "'", "a time such as 90s (or 90), 5m or 4h");
  }
  return value * factor;
}

}  // namespace tileproof
