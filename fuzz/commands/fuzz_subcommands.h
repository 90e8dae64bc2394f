/// The subcommands of `tileproof fuzz` about campaigns that have ended: merging shards, and the history.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tileproof {

// Each gives the exit code. @throws UsageError for what is no folder of a campaign, or of a run

/// `fuzz merge`
int merge_campaigns(const std::vector<std::string>& folders, const std::string& out, const std::string& command);
/// `fuzz history`: makes it again of what folders hold; where none are given, of all beside it.
int make_history(const std::vector<std::string>& folders, const std::filesystem::path& memory);

/// Keeps a campaign in the history, and says of each of its findings what is known of it there. The journal is what
/// must not be lost: a history that cannot be written is said, and made again of journals.
/// @param summary  as campaign_summary() gives it; findings get "seen"
void keep_in_history(const std::filesystem::path& memory, const std::filesystem::path& folder, const std::string& begun,
                     nlohmann::json& summary);

}  // namespace tileproof
