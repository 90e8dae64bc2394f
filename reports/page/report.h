/// The report that a reviewer signs: one page, from the records of any number of runs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tileproof::reports {

struct ReportRequest {
  std::vector<std::filesystem::path> runs;     // folders and files; one at least
  std::vector<std::filesystem::path> against;  // the baseline's; empty: none
  std::filesystem::path budgets;               // one that is not there holds none
};

struct Report {
  std::string html;                   // complete: it refers to nothing
  std::string markdown;               // of at most 65,536 bytes, as a pull request's comment may have
  std::string junit;                  // a testcase for each thing that was looked at
  std::string json;                   // what the page was made of
  std::string said;                   // the verdict, for a terminal
  std::vector<std::string> troubles;  // bad input: what was given and what is legal, a line each
  bool is_empty = false;              // there was no record at all: nothing to show
  int exit_code = 0;  // 0 nothing is worse; 1 something is, or fails; 2 bad input; 3 mistrusted, or nothing was there
};

/// What of the records can be read is in the report, whatever is wrong with the others.
Report report(const ReportRequest&);

struct BudgetsUpdate {
  std::string json;                  // the new file; "" where nothing changes
  std::vector<std::string> changed;  // a line each
  std::vector<std::string> refused;
  std::vector<std::string> troubles;
};
BudgetsUpdate updated_budgets(const ReportRequest&);

struct HistoryReport {
  std::string html;
  std::string json;
  std::string said;
  std::string trouble;  // bad input; "" where there is none
};
/// The figures of all runs in a history (SQLite, version 1), each as a line over the runs, with the steps in it marked.
HistoryReport history_report(const std::filesystem::path& database);

}  // namespace tileproof::reports
