/// The memory of a run: a folder with observations as JSON lines, and a summary.
///
///   observations.jsonl  one case a line, in the observation schema of property-based testing tools (type, status,
///                       representation, arguments, features, timing, property, run_start). See Kept for which cases
///   summary.json        the verdicts; what reports/ reads
///   accuracy.json       the measurement of accuracy, where there is one
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "fuzz/records/coverage_cells.h"
#include "properties/judging/judge.h"

namespace tileproof {

/// The program's own build folder: run folders go there by default.
std::filesystem::path folder_of_program();

/// A dated folder below it that is not there yet.
std::filesystem::path new_run_folder();

/// Writes a file whole or not at all: under another name beside it, which is then renamed. A device or a pipe is
/// written as it is.
/// @throws std::runtime_error where it cannot be written: a full disk, say
void write_file(const std::filesystem::path&, const std::string& text);

/// Whether write_file() can be expected to succeed: nothing is made or changed.
bool can_be_written(const std::filesystem::path&);

/// Writes the files of a run, and remembers which could not be written: what a run came to is told first.
class Written {
 public:
  void write(const std::filesystem::path&, const std::string& text);
  /// Runs what writes, and remembers what it throws.
  void attempt(const std::function<void()>& write);
  /// Says on stderr what could not be written.
  /// @return the verdict's exit code; machine_at_fault in place of passed where something could not be written
  int exit_code(int of_verdict) const;

 private:
  std::vector<std::string> troubles_;
};

/// A case in the observation schema of property-based testing tools.
nlohmann::json observation_line(const Problem&, const std::string& status, const std::string& reason, double seconds,
                                const std::string& how_generated, double run_start);

/// 64 bits as records write them: 0x and sixteen digits.
std::string in_hex(std::uint64_t value);

/// Now, as 2026-11-22T15:50:00Z.
std::string utc_now();
/// Seconds since 1970, likewise.
std::string utc_of(double seconds);

/// Which observations a run keeps, so that a long one does not fill the disk. For each property on each subject: every
/// failure that is not known, up to a limit; of other cases the first ones, then the first of each cell.
class Kept {
 public:
  static constexpr std::int64_t most_failures = 10000;
  static constexpr std::int64_t whole = 500;
  static constexpr std::size_t most_cells = 500;

  /// Any thread may ask; each property's cases in their order.
  bool keeps(const Observation&);

  std::int64_t cases() const { return cases_; }
  std::int64_t kept() const { return kept_; }
  /// As the summary has it.
  nlohmann::json json() const;

 private:
  struct OfProperty {
    std::int64_t failures = 0, others = 0;
    std::set<std::pair<Cell, std::string>> cells;  // with what became of the case
  };

  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, OfProperty> properties_;  // by property and subject
  std::int64_t cases_ = 0, kept_ = 0;
};

class Records {
 public:
  /// @param folder  made where it is not there; empty: a new dated folder under the build folder
  /// @throws UsageError where it cannot be made or written, or holds another run
  explicit Records(std::filesystem::path folder);

  const std::filesystem::path& folder() const { return folder_; }
  const std::string& run_start() const { return run_start_; }
  const Kept& observed() const { return kept_; }

  /// A case as a line of the observations; "" where it is not kept. Any thread may ask.
  std::string line(const Observation&);
  /// Of one thread at a time.
  void add(const std::string& lines) { observations_ << lines; }
  /// Writes a file of the folder whole.
  void write(const std::string& name, const std::string& text) { written_.write(folder_ / name, text); }
  /// What writes another way.
  void attempt(const std::function<void()>& write) { written_.attempt(write); }
  /// Gives the observations their name. Those that a full disk has cut are removed, which makes room for other files:
  /// call it first.
  void end_observations();
  int exit_code(int of_verdict) const { return written_.exit_code(of_verdict); }

 private:
  std::filesystem::path folder_;
  std::string run_start_;
  double run_start_seconds_;
  std::ofstream observations_;
  Kept kept_;
  Written written_;
};

}  // namespace tileproof
