/// Makes the report that a reviewer signs: one page from the records of any number of runs.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
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

struct LibraryReport {
  std::string html;      // complete: it refers to no other file
  std::string markdown;  // one table, and below it a command for each row
  std::string said;      // a line for each row, for a terminal
  int exit_code = 0;     // 0 all is exact, or differs as a ledger says; 1 something differs otherwise; 3 mistrusted, or
                         // nothing ran
};
/// The table of verdicts on libraries, of what `tileproof verdicts` has run (assessment/library_verdicts.h).
/// @throws std::runtime_error naming what is wrong
LibraryReport library_report(const nlohmann::json&);

}  // namespace tileproof::reports
