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

/// Compiler, processor and GPU: what a reader must know to compare two runs. The GPU is the CUDA device that a program
/// gets, by its name; "" where there is none. A history has a series for each. The command alone may ask: it asks
/// itself, in another process.
nlohmann::json machine();
/// @param provenance  of a run here; nullptr where nobody has asked for its GPU
nlohmann::json machine_of(const nlohmann::json& provenance);

/// @param seed     of the run, where it has one
/// @param library  the file of the operator library that is judged; "" where none is
nlohmann::json provenance(const std::optional<std::uint64_t>& seed, const std::string& library = "");

}  // namespace tileproof
