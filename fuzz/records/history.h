/// The history of runs: an SQLite database (write-ahead log) of what records say. It holds nothing that is not in a
/// record, and is made again of them at any time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

struct sqlite3;

namespace tileproof {

/// A number that a run ended with.
struct Figure {
  std::string name;  // "cases a second"
  std::string unit;  // "1/s"; "" of a count
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
  std::string folder;  // whole; a run is known by it
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
  std::string first, last;   // when runs that saw it began
  std::int64_t runs = 0;     // that saw it
  std::int64_t of_runs = 0;  // campaigns of the same subject
  std::int64_t cases = 0;    // in all of them
  std::string problem;       // the smallest case of the last one
};

class History {
 public:
  /// Opens the database, which is made where it is not there.
  /// @throws UsageError where the file is none, or one of another version
  explicit History(const std::filesystem::path& file);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  // @throws std::runtime_error where the database cannot be read or written
  /// In place of what is there of the same folder.
  void keep(const RunOfHistory&);
  /// As they began.
  std::vector<RunOfHistory> runs() const;
  /// As they were seen first. @param fingerprint  this one alone, where it is not empty
  std::vector<SeenFinding> seen(const std::string& fingerprint = "") const;

 private:
  class Statement;

  sqlite3* database_ = nullptr;
};

}  // namespace tileproof
