/// The history of runs: an SQLite database (with a write-ahead log) of facts from records. It contains nothing that is
/// not in a record, and can be rebuilt from records at any time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

struct sqlite3;

namespace tileproof {

/// A number that a run produced.
struct Figure {
  std::string name;  // "cases a second"
  std::string unit;  // "1/s"; "" for a count
  double value;

  bool operator==(const Figure&) const = default;
};

struct RunFinding {
  std::string fingerprint;
  std::int64_t cases;
  std::string how;
  std::string shrunk;
  std::string problem;

  bool operator==(const RunFinding&) const = default;
};

struct RunOfHistory {
  std::string folder;  // full path; identifies the run
  std::string kind;    // verify, prove, fuzz, bench
  std::string subject;
  std::string command;
  std::string begun;  // 2026-11-22T15:50:00Z
  double seconds = 0;
  std::string verdict;
  int exit_code = 0;
  std::string commit;
  std::string machine;  // as JSON
  std::vector<Figure> figures = {};
  std::vector<RunFinding> findings = {};

  bool operator==(const RunOfHistory&) const = default;
};

/// A fingerprint in the history: how often it was seen, and since when.
struct SeenFinding {
  std::string fingerprint;
  std::string first, last;   // start times of the first and last run that saw it
  std::int64_t runs = 0;     // runs that saw it
  std::int64_t of_runs = 0;  // campaigns of the same subject
  std::int64_t cases = 0;    // in all those campaigns
  std::string problem;       // the smallest failing case of the last run
};

class History {
 public:
  /// Opens the database, and creates it if it does not exist.
  /// @throws UsageError if the file is no database, or one of another version
  explicit History(const std::filesystem::path& file);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  // Each throws std::runtime_error if the database cannot be read or written.
  /// Replaces the run with the same folder, if there is one.
  void keep(const RunOfHistory&);
  /// All runs, ordered by their start.
  std::vector<RunOfHistory> runs() const;
  /// The findings, ordered by when they were first seen.
  /// @param fingerprint  if not empty, only this one
  std::vector<SeenFinding> seen(const std::string& fingerprint = "") const;

 private:
  class Statement;

  sqlite3* database_ = nullptr;
};

}  // namespace tileproof
