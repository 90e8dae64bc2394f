/// Whether what did not run here makes the whole red.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace tileproof {

/// Of what was asked for by name, or needs a GPU where one is required: the first that did not run, in words; else "".
/// @param rows      of a registry: each has a name and says whether it needs a GPU
/// @param not_here  what did not run, and why
/// @param did_not   what it did not do: "did not run"
template <class Row>
std::string missing([[maybe_unused]] const std::vector<Row>& rows, const std::map<std::string, std::string>& not_here,
                    bool by_name, const std::string& did_not) {
  for (const auto& [name, why] : not_here) {
    bool required = by_name;
#if defined(TILEPROOF_REQUIRE_GPU)
    for (const Row& row : rows) required |= row.name == name && row.needs_gpu;
#endif
    if (required) return name + " was asked for and " + did_not + ": " + why;
  }
  return "";
}

}  // namespace tileproof
