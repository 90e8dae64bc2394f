/// Canaries: before a campaign begins, it must find mutants of the harness' own table.
#pragma once

#include <string>
#include <vector>

#include "fuzz/process/case_list.h"

namespace tileproof {

struct Canary {
  std::string mutant;
  bool found = false;
  std::uint64_t cases = 0;  // run until it was found, or in all
  std::string property;     // the property that found it; empty if none did
};

/// A canary is missed if this many cases of each property in the list do not find it.
inline constexpr std::uint64_t turns_for_canaries = 60;

/// Runs short campaigns on three mutants, chosen by the seed among those that one of the properties must find; among
/// those of all properties if there is none.
std::vector<Canary> canaries_found(const std::vector<const Property*>& properties, std::uint64_t seed);

}  // namespace tileproof
