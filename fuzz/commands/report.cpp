// tileproof report: writes the page that a reviewer signs, from the records of runs.
#include "reports/page/report.h"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <iostream>
#include <memory>

#include "fuzz/commands/commands.h"
#include "fuzz/records/records.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

namespace fs = std::filesystem;

std::string usual_budgets() { return installed_or_source("budgets.json", TILEPROOF_BUDGETS).string(); }

struct ReportOptions {
  std::vector<std::string> runs;
  std::vector<std::string> against;
  std::string out;
  std::string budgets = usual_budgets();
  bool update_budgets = false;
  std::string history;
};

std::vector<fs::path> paths_of(const std::vector<std::string>& names) { return {names.begin(), names.end()}; }

/// The default page lies in its own folder beside the first run's records, because a run's folder has a summary.md and
/// a junit.xml already.
fs::path page_of(const ReportOptions& options) {
  if (!options.out.empty()) return options.out;
  const fs::path run = options.runs.front();
  return (fs::is_directory(run) ? run : run.parent_path()) / "report" / "report.html";
}

fs::path folder_of(const fs::path& page) { return page.has_parent_path() ? page.parent_path() : fs::path("."); }

/// Makes the folder of the page before anything is read.
/// @throws UsageError if the page is no .html file, would overwrite files of a run, or has a folder that cannot be made
void make_folder_of(const fs::path& page) {
  const auto unusable = [&](const std::string& why, const std::string& legal) {
    return UsageError("--out", "'" + page.string() + "' (" + why + ")", legal);
  };
  const fs::path folder = folder_of(page);
  if (page.extension() != ".html") throw unusable("it does not end in .html", "the name of an .html file");
  for (const char* record : {"summary.json", "proofs.json", "campaign.json", "observations.jsonl",
                             "observations.jsonl.new", "journal.jsonl"}) {
    if (!fs::exists(folder / record)) continue;
    throw unusable("its folder holds a run, whose summary.md and junit.xml would be lost",
                   "a file in another folder, such as " + (folder / "report" / page.filename()).string());
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw unusable(error.message(), "a file in a folder that can be made and written");
}

void say(const std::vector<std::string>& troubles) {
  for (const std::string& trouble : troubles) std::cerr << "tileproof: " << reports::visible(trouble) << "\n";
}

int update_budgets(const ReportOptions& options, const reports::ReportRequest& request) {
  const reports::BudgetsUpdate update = reports::updated_budgets(request);
  say(update.troubles);
  if (!update.troubles.empty()) return exit_code::wrong_usage;
  for (const std::string& line : update.changed) std::cout << reports::visible(line) << "\n";
  for (const std::string& line : update.refused) std::cout << "NOT TAKEN " << reports::visible(line) << "\n";
  if (!update.json.empty()) write_file(options.budgets, update.json);
  std::cout << (update.json.empty() ? "nothing to change in " : "written: ") << options.budgets << "\n";
  return update.refused.empty() ? exit_code::passed : exit_code::failed;
}

int history(const ReportOptions& options) {
  const reports::HistoryReport made = reports::history_report(options.history);
  if (!made.trouble.empty()) {
    say({made.trouble});
    return exit_code::wrong_usage;
  }
  fs::path page = options.out;
  if (page.empty()) {
    const fs::path beside = fs::absolute(options.history).parent_path();
    page = (access(beside.c_str(), W_OK) == 0 ? beside : fs::current_path()) / "history.html";
  }
  make_folder_of(page);
  Written written;
  written.write(page, made.html);
  written.write(fs::path(page).replace_extension(".json"), made.json);
  std::cerr << "history: " << page.string() << "\n";
  std::cout << made.said << std::flush;
  return written.exit_code(exit_code::passed);
}

int report(const ReportOptions& options) {
  if (!options.history.empty()) return history(options);
  constexpr const char* legal = "a folder that verify, prove or fuzz wrote, or a file of bench --json";
  if (options.runs.empty()) throw UsageError("RUN", "none", legal);
  const reports::ReportRequest request = {paths_of(options.runs), paths_of(options.against), options.budgets};
  if (options.update_budgets) return update_budgets(options, request);
  for (const std::string& run : options.runs) {
    if (!fs::exists(run)) throw UsageError("RUN", "'" + run + "' (it is not there)", legal);
  }
  if (!fs::is_regular_file(options.budgets) && options.budgets != usual_budgets()) {
    throw UsageError("--budgets", "'" + options.budgets + "'", "a file that 'report --update-budgets' wrote");
  }
  const fs::path page = page_of(options);
  make_folder_of(page);
  const reports::Report made = reports::report(request);
  say(made.troubles);
  if (made.is_empty) return made.exit_code;
  Written written;
  written.write(page, made.html);
  written.write(folder_of(page) / "summary.md", made.markdown);
  written.write(folder_of(page) / "junit.xml", made.junit);
  written.write(folder_of(page) / "report.json", made.json);
  std::cerr << "report: " << page.string() << "\n";
  std::cout << made.said << std::flush;
  return written.exit_code(made.exit_code);
}

}  // namespace

std::function<int()> set_up_report(CLI::App& app) {
  auto options = std::make_shared<ReportOptions>();
  app.add_option("RUN", options->runs,
                 "folders that verify, prove or fuzz wrote, files of bench --json, or folders of several");
  app.add_option("--against", options->against, "a baseline to compare with, given as RUN; may be given again");
  app.add_option("--out", options->out,
                 "the page; summary.md, junit.xml and report.json go beside it (default: report/report.html in RUN)");
  app.add_option("--budgets", options->budgets, "what results may be off at most, as JSON (default: of this tree)");
  app.add_flag("--update-budgets", options->update_budgets, "writes what RUN measured as budgets, and no report");
  CLI::Option* history =
      app.add_option(
             "--history", options->history,
             "instead of RUN: the figures of all runs in a history, with their steps (default: where fuzz keeps it)")
          ->expected(0, 1);
  return [options, history] {
    if (history->count() != 0 && !options->runs.empty()) {
      throw UsageError("--history", "beside RUN", "one of the two: a history has runs of its own");
    }
    if (history->count() != 0 && (options->history.empty() || options->history == "true")) {
      options->history = (folder_of_runs() / "history.sqlite").string();
    }
    return report(*options);
  };
}

}  // namespace tileproof
