/// Reads the records of a run's folder for the history.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "fuzz/records/history.h"

namespace tileproof {

/// A campaign as a row of the history.
/// @param summary  as campaign_summary() gives it
RunOfHistory run_of_campaign(const nlohmann::json& summary, const std::filesystem::path& folder,
                             const std::string& begun);

/// Whether a folder has records that recorded_run() reads.
bool holds_a_run(const std::filesystem::path& folder);

/// The run that left its records in a folder; nothing if there are none. A campaign is read from its journal.
/// @throws UsageError if the records cannot be read
std::optional<RunOfHistory> recorded_run(const std::filesystem::path& folder);

}  // namespace tileproof
