/// The records of a run: a folder with observations as JSON lines, and a summary.
///
///   observations.jsonl  one case a line, in the observation schema of property-based testing tools (type, status,
///                       representation, arguments, features, timing, property, run_start). See Kept for which cases
///   summary.json        the verdicts; reports/ reads this
///   accuracy.json       the measurement of accuracy, if there is one
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

#include "properties/case/cells.h"
#include "properties/judging/judge.h"

namespace tileproof {

/// The folder of the program and of what it loads: a build folder, or where it is installed.
std::filesystem::path folder_of_program();
/// The path of what is installed beside the program, or of the source that it is installed from.
std::filesystem::path installed_or_source(const char* name, const char* source);

/// Where run folders go by default: "runs" in the build folder or, of an installed program, which may lie where its
/// user must not write, "tileproof-runs" in the current folder.
std::filesystem::path folder_of_runs();
/// The same, for the help of options.
inline constexpr const char* usual_run_folder =
    "(default: a dated one in runs of the build folder, or in tileproof-runs once installed)";

/// Requires a folder to hold no records of another run, of whatever command.
/// @throws UsageError naming --out
void require_no_run_in(const std::filesystem::path& folder);
/// Makes the folder for the records of a new run, and those above it.
/// @param given  as --out says; empty: a dated one in folder_of_runs(), which is no other run's
/// @throws UsageError naming --out if it cannot be made or holds another run
std::filesystem::path new_run_folder(const std::filesystem::path& given);

/// Writes a file completely or not at all: it writes another file beside it and renames that. A device or a pipe is
/// written directly.
/// @throws std::runtime_error if it cannot be written, for example on a full disk
void write_file(const std::filesystem::path&, const std::string& text);

/// Whether write_file() can be expected to succeed. It changes nothing.
bool can_be_written(const std::filesystem::path&);

/// Writes the files of a run, and remembers which of them failed, so that the run's result is reported first.
class Written {
 public:
  void write(const std::filesystem::path&, const std::string& text);
  /// Runs `write`, and remembers its exception.
  void attempt(const std::function<void()>& write);
  /// Reports the failed writes on stderr.
  /// @return the verdict's exit code; machine_at_fault instead of passed if a write failed
  int exit_code(int of_verdict) const;

 private:
  std::vector<std::string> troubles_;
};

/// A case in the observation schema of property-based testing tools.
nlohmann::json observation_line(const Problem&, const std::string& status, const std::string& reason, double seconds,
                                const std::string& how_generated, double run_start);

/// 64 bits as records contain them: 0x and sixteen digits.
std::string in_hex(std::uint64_t value);

/// The current time as 2026-11-22T15:50:00Z.
std::string utc_now();
/// Seconds since 1970 in the same form.
std::string utc_of(double seconds);

/// Chooses which observations a run keeps, so that a long run does not fill the disk. For each property on each subject
/// it keeps every unknown failure up to a limit, the first of the other cases, and then the first case of each cell.
class Kept {
 public:
  static constexpr std::int64_t most_failures = 10000;
  static constexpr std::int64_t whole = 500;
  static constexpr std::size_t most_cells = 500;

  /// Any thread may call this. The cases of a property must come in their order.
  bool keeps(const Observation&);

  std::int64_t cases() const { return cases_; }
  std::int64_t kept() const { return kept_; }
  /// The counts as the summary contains them.
  nlohmann::json json() const;

 private:
  struct OfProperty {
    std::int64_t failures = 0, others = 0;
    std::set<std::pair<Cell, std::string>> cells;  // with the outcome of the case
  };

  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, OfProperty> properties_;  // by property and subject
  std::int64_t cases_ = 0, kept_ = 0;
};

class Records {
 public:
  /// @param given  as --out says: see new_run_folder()
  /// @throws UsageError if the folder cannot be made or written, or holds another run
  explicit Records(const std::filesystem::path& given);

  const std::filesystem::path& folder() const { return folder_; }
  const std::string& run_start() const { return run_start_; }
  const Kept& observed() const { return kept_; }

  /// A case as a line of the observations; "" if it is not kept. Any thread may call this.
  std::string line(const Observation&);
  /// Only one thread at a time may call this.
  void add(const std::string& lines) { observations_ << lines; }
  /// Writes a file of the folder whole.
  void write(const std::string& name, const std::string& text) { written_.write(folder_ / name, text); }
  /// Runs a function that writes in another way.
  void attempt(const std::function<void()>& write) { written_.attempt(write); }
  /// Gives the observations their final name. Observations cut by a full disk are removed, which makes room for the
  /// other files, so call this first.
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
