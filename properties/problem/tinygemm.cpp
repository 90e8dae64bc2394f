#include "properties/problem/tinygemm.h"

#include <stdexcept>
#include <string>

namespace tileproof {

const Format* tinygemm(std::int64_t number) { return format_of("format", "tinygemm-" + std::to_string(number)); }

std::vector<const Format*> tinygemm_formats() { return {tinygemm(2), tinygemm(4), tinygemm(8)}; }

std::int64_t tinygemm_number(const Format& format) {
  for (const std::int64_t number : {2, 4, 8}) {
    if (&format == tinygemm(number)) return number;
  }
  throw std::logic_error(std::string(format.name) + " is no format of tinygemm");
}

}  // namespace tileproof
