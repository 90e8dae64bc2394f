/// What the records of a run's folder say for the history.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "fuzz/records/history.h"

namespace tileproof {

/// Of a hunt.
/// @param summary  as hunt_summary() gives it
RunOfHistory run_of_hunt(const nlohmann::json& summary, const std::filesystem::path& folder, const std::string& begun);

/// Whether a folder has records that recorded_run() reads.
bool holds_a_run(const std::filesystem::path& folder);

/// Of whatever run has left its records in a folder; nothing where there are none. A hunt's are read from its journal.
/// @throws Illegal where they cannot be read
std::optional<RunOfHistory> recorded_run(const std::filesystem::path& folder);

}  // namespace tileproof
