/// The subcommands of `tileproof fuzz` about campaigns that have ended: merging shards, and the history.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tileproof {

// Both return the exit code.
// @throws UsageError for a folder that holds no campaign or no run

/// `fuzz merge`
int merge_campaigns(const std::vector<std::string>& folders, const std::string& out, const std::string& command);
/// `fuzz history`: makes the rows of the given folders again; without folders, those of all runs beside the history.
int make_history(const std::vector<std::string>& folders, const std::filesystem::path& memory);

/// Adds a campaign to the history, and adds to each of its findings what the history knows of it. A history that cannot
/// be written is reported on stderr and can be made again from the journals.
/// @param summary  as campaign_summary() gives it; findings get "seen"
void keep_in_history(const std::filesystem::path& memory, const std::filesystem::path& folder, const std::string& begun,
                     nlohmann::json& summary);

}  // namespace tileproof
