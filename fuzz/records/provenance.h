/// Provenance: what a record came from. All commands write the same object into their records.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace tileproof {

/// The commit that the program was built from, in a file that the build writes; "" if git did not know it.
struct Commit {
  std::string hash;
  std::optional<bool> dirty;
};
Commit commit();

/// Compiler, processor and GPU: what a reader needs to compare two runs. The GPU is the name of the CUDA device that a
/// program gets; "" if there is none. A history has one series for each machine. Only the command may call this, since
/// it runs itself in another process.
nlohmann::json machine();
/// @param provenance  of a run on this machine; nullptr if nobody has asked for its GPU
nlohmann::json machine_of(const nlohmann::json& provenance);

/// @param seed     of the run, if it has one
/// @param given    path of the operator library or the Python module that is judged; "" if there is none
nlohmann::json provenance(const std::optional<std::uint64_t>& seed, const std::string& given = "");

}  // namespace tileproof
