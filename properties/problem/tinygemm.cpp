#include "properties/problem/tinygemm.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace tileproof {

const Format* tinygemm(std::int64_t number) { return format_of("format", "tinygemm-" + std::to_string(number)); }

std::vector<const Format*> tinygemm_formats() { return {tinygemm(2), tinygemm(4), tinygemm(8)}; }

bool is_tinygemm(const Format& format) { return std::ranges::count(tinygemm_formats(), &format) != 0; }

std::int64_t tinygemm_number(const Format& format) {
  for (const std::int64_t number : {2, 4, 8}) {
    if (&format == tinygemm(number)) return number;
  }
  throw std::logic_error(std::string(format.name) + " is no format of tinygemm");
}

}  // namespace tileproof
