/// The cases that came closest to the bounds of their properties, kept across campaigns.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace tileproof {

/// The case of a property that came closest to its bound.
struct Closest {
  double of_bound = 0;  // its error as a fraction of the bound
  std::string line;

  bool operator==(const Closest&) const = default;
};
using ClosestOfProperties = std::map<std::string, Closest>;

/// Keeps the closer of two cases. On a tie it keeps the one whose line sorts first, so that the order of arrival does
/// not matter.
void keep_closer(ClosestOfProperties&, const std::string& property, const Closest&);

nlohmann::json json_of(const ClosestOfProperties&);
ClosestOfProperties closest_of(const nlohmann::json&);

}  // namespace tileproof
