/// Whether a campaign finds what is there: before it begins, mutants of the harness's own table are planted.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fuzz/process/case_list.h"

namespace tileproof {

struct Canary {
  std::string mutant;
  bool is_found = false;
  std::uint64_t cases = 0;  // until then, or in all
  std::string property;     // that found it
};

/// A mutant is to be found within so many cases of each property that names it.
inline constexpr std::uint64_t turns_for_canaries = 60;

/// Campaigns for three mutants, chosen by the seed among those that one of the properties is to find.
/// @param in_flight  a file that a worker may map
std::vector<Canary> canaries_found(const std::vector<const Property*>& properties, std::uint64_t seed,
                                   const std::filesystem::path& in_flight);

}  // namespace tileproof
