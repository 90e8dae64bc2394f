/// Makes the report that a reviewer signs: one page from the records of any number of runs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tileproof::reports {

struct ReportRequest {
  std::vector<std::filesystem::path> runs;     // at least one folder or file
  std::vector<std::filesystem::path> against;  // folders and files of the baseline; empty: none
  std::filesystem::path budgets;               // a file; if it does not exist, there are no budgets
};

struct Report {
  std::string html;                   // complete: it refers to no other file
  std::string markdown;               // at most 65,536 bytes, the limit of a pull request comment
  std::string junit;                  // one testcase for each thing that was looked at
  std::string json;                   // the data of the page
  std::string said;                   // the verdict, for a terminal
  std::vector<std::string> troubles;  // bad input: one line each, saying what was given and what is legal
  bool is_empty = false;              // no record was found
  int exit_code = 0;  // 0 nothing fails or is worse; 1 something does; 2 bad input; 3 mistrusted, or no record
};

/// Reports on all records that can be read; those that cannot are listed in `troubles`.
Report report(const ReportRequest&);

struct BudgetsUpdate {
  std::string json;                  // contents of the new file; "" if nothing changes
  std::vector<std::string> changed;  // one line each, as are the two below
  std::vector<std::string> refused;
  std::vector<std::string> troubles;
};
BudgetsUpdate updated_budgets(const ReportRequest&);

struct HistoryReport {
  std::string html;
  std::string json;
  std::string said;
  std::string trouble;  // bad input; "" if there is none
};
/// Draws each figure in a history (SQLite, user_version 2) as a line over the runs, with its steps marked.
HistoryReport history_report(const std::filesystem::path& database);

}  // namespace tileproof::reports
