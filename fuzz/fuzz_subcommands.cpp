#include "fuzz_subcommands.h"

#include <unistd.h>

#include <iostream>

#include "../reports/reports.h"
#include "commands.h"
#include "history.h"
#include "merging.h"
#include "recorded.h"
#include "records.h"
#include "wire.h"

namespace tileproof {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* history_file = "history.sqlite";

}  // namespace

void keep_in_history(const fs::path& memory, const fs::path& folder, const std::string& begun, json& summary) {
  try {
    fs::create_directories(memory);
    History history(memory / history_file);
    history.keep(run_of_hunt(summary, folder, begun));
    for (json& finding : summary["findings"]) {
      for (const SeenFinding& seen : history.seen(finding["signature"])) {
        finding["seen"] = {{"first", seen.first}, {"last", seen.last}, {"runs", seen.runs}, {"of_runs", seen.of_runs}};
      }
    }
  } catch (const std::exception& error) {
    std::cerr << "not in the history: " << reports::visible(error.what())
              << "\n  'tileproof fuzz history' makes it again of the runs' folders\n";
  }
}

int merge_hunts(const std::vector<std::string>& folders, const std::string& out, const std::string& command) {
  const fs::path merged = out.empty() ? new_run_folder() : fs::path(out);
  std::error_code error;
  fs::create_directories(merged, error);
  if (error || fs::exists(merged / "hunt.json")) {
    throw Illegal("--out", "'" + merged.string() + "'", "a folder that can be made, without a hunt in it");
  }
  HuntOfFolders hunt = hunt_of_folders(folders);
  hunt.facts.command = command;
  const json summary = hunt_summary(hunt.facts, hunt.list());
  write_file(merged / "hunt.json", dumped(summary, 2) + "\n");
  std::cerr << "merged: " << (merged / "hunt.json").string() << "\n";
  std::cout << reports::hunt_page(summary, isatty(STDOUT_FILENO) != 0) << std::flush;
  return summary["exit_code"];
}

/// Makes the history again of what folders hold.
int make_history(const std::vector<std::string>& given, const fs::path& memory) {
  std::vector<fs::path> folders(given.begin(), given.end());
  if (given.empty() && fs::is_directory(memory)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(memory)) folders.push_back(entry.path());
  }
  std::vector<RunOfHistory> runs;
  for (const fs::path& folder : folders) {
    std::optional<RunOfHistory> run;
    try {
      run = recorded_run(folder);
    } catch (const Illegal& illegal) {
      if (!given.empty()) throw;
      std::cerr << "left out: " << reports::visible(illegal.what()) << "\n";
    }
    if (run) runs.push_back(std::move(*run));
    if (!run && !given.empty()) throw Illegal("history", "'" + folder.string() + "'", "the folder of a run");
  }
  if (runs.empty()) {
    std::cerr << "tileproof: no runs in " << memory.string() << "\n";
    return exit_code::mistrusted;
  }
  fs::create_directories(memory);
  History history(memory / history_file);
  if (given.empty()) history.forget_all();
  for (const RunOfHistory& run : runs) history.keep(run);
  json page = {{"file", (memory / history_file).string()}, {"runs", json::array()}, {"findings", json::array()}};
  for (const RunOfHistory& run : history.runs()) {
    page["runs"].push_back({{"begun", run.begun},
                            {"kind", run.kind},
                            {"subject", run.subject},
                            {"verdict", run.verdict},
                            {"seconds", run.seconds},
                            {"findings", run.findings.size()},
                            {"folder", run.folder}});
  }
  for (const SeenFinding& seen : history.seen()) {
    page["findings"].push_back({{"signature", seen.signature},
                                {"first", seen.first},
                                {"last", seen.last},
                                {"runs", seen.runs},
                                {"of_runs", seen.of_runs},
                                {"cases", seen.cases},
                                {"problem", seen.problem}});
  }
  std::cout << reports::history_page(page) << std::flush;
  return exit_code::passed;
}

}  // namespace tileproof
