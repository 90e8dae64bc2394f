/// Decides whether something that did not run makes the whole result red.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace tileproof {

/// The first name that did not run although it had to, in words; "" if there is none. All names had to run if they were
/// asked for by name; those that need a GPU had to if the build requires one.
/// @param rows      rows of a registry: each has a name and says whether it needs a GPU
/// @param not_here  names that did not run, and why
/// @param did_not   for the message: "did not run"
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
