#include "fuzz/commands/fuzz_subcommands.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "fuzz/campaign/merging.h"
#include "fuzz/commands/commands.h"
#include "fuzz/commands/recorded.h"
#include "fuzz/process/screen.h"
#include "fuzz/records/history.h"
#include "fuzz/records/protocol.h"
#include "fuzz/records/records.h"
#include "reports/reports.h"

namespace tileproof {

namespace fs = std::filesystem;
using nlohmann::json;

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SeenFinding, fingerprint, first, last, runs, of_runs, cases, problem)

namespace {

constexpr const char* history_file = "history.sqlite";

/// The folders of runs in a folder and in its subfolders, because each nightly run keeps its runs in a folder of its
/// own.
std::vector<fs::path> run_folders_in(const fs::path& memory) {
  std::vector<fs::path> folders;
  if (!fs::is_directory(memory)) return folders;
  for (auto entry = fs::recursive_directory_iterator(memory); entry != fs::recursive_directory_iterator(); ++entry) {
    if (!entry->is_directory()) continue;
    if (entry.depth() == 1) entry.disable_recursion_pending();
    if (holds_a_run(entry->path())) folders.push_back(entry->path());
  }
  return folders;
}

}  // namespace

void keep_in_history(const fs::path& memory, const fs::path& folder, const std::string& begun, json& summary) {
  try {
    fs::create_directories(memory);
    History history(memory / history_file);
    history.keep(run_of_campaign(summary, folder, begun));
    for (json& finding : summary["findings"]) {
      for (const SeenFinding& seen : history.seen(finding["fingerprint"])) {
        finding["seen"] = {{"first", seen.first}, {"last", seen.last}, {"runs", seen.runs}, {"of_runs", seen.of_runs}};
      }
    }
  } catch (const std::exception& error) {
    std::cerr << "not in the history: " << reports::visible(error.what())
              << "\n  'tileproof fuzz history' makes it again of the runs' folders\n";
  }
}

int merge_campaigns(const std::vector<std::string>& folders, const std::string& out, const std::string& command) {
  if (!out.empty()) require_no_run_in(out);
  CampaignOfFolders campaign = campaign_of_folders(folders);
  campaign.facts.command = command;
  campaign.facts.provenance = provenance_of(campaign.facts.identity);
  const json summary = campaign_summary(campaign.facts, campaign.list());
  const fs::path merged = new_run_folder(out);
  Written written;
  written.write(merged / "campaign.json", dumped(summary, 2) + "\n");
  std::cerr << "merged: " << (merged / "campaign.json").string() << "\n";
  std::cout << reports::campaign_page(summary, takes_escapes(STDOUT_FILENO)) << std::flush;
  return written.exit_code(summary["exit_code"]);
}

int make_history(const std::vector<std::string>& given, const fs::path& memory) {
  std::vector<fs::path> folders(given.begin(), given.end());
  if (given.empty()) folders = run_folders_in(memory);
  if (folders.empty() && !fs::exists(memory / history_file)) {
    std::cerr << "tileproof: no runs in " << memory.string() << "\n";
    return exit_code::mistrusted;
  }
  fs::create_directories(memory);
  History history(memory / history_file);
  // A run may have its records elsewhere (--out). Those that are gone keep their rows.
  for (const RunOfHistory& run : given.empty() ? history.runs() : std::vector<RunOfHistory>()) {
    if (std::ranges::count(folders, fs::path(run.folder)) == 0 && holds_a_run(run.folder))
      folders.push_back(run.folder);
  }
  for (const fs::path& folder : folders) {
    try {
      const std::optional<RunOfHistory> run = recorded_run(folder);
      if (run) history.keep(*run);
      if (!run) throw UsageError("history", "'" + folder.string() + "'", "the folder of a run");
    } catch (const UsageError& illegal) {
      if (!given.empty()) throw;
      std::cerr << "left as it is: " << reports::visible(illegal.what()) << "\n";
    }
  }
  json page = {{"file", (memory / history_file).string()}, {"runs", json::array()}, {"findings", history.seen()}};
  for (const RunOfHistory& run : history.runs()) {
    page["runs"].push_back({{"begun", run.begun},
                            {"kind", run.kind},
                            {"subject", run.subject},
                            {"verdict", run.verdict},
                            {"seconds", run.seconds},
                            {"findings", run.findings.size()},
                            {"folder", run.folder}});
  }
  std::cout << reports::history_page(page) << std::flush;
  return exit_code::passed;
}

}  // namespace tileproof
