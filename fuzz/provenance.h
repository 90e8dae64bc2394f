/// Provenance: what a record came from. One object, the same in the records of all commands.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace tileproof {

/// Of the tree when the program was built, as the build has written it beside it; "" where git did not know.
struct Commit {
  std::string hash;
  std::optional<bool> dirty;
};
Commit commit();

/// @param seed     of the run, where it has one
/// @param library  the file of the operator library that is judged; "" where none is
nlohmann::json provenance(const std::optional<std::uint64_t>& seed, const std::string& library = "");

}  // namespace tileproof
