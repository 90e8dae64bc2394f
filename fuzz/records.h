/// The memory of a run: a folder with every observation as a JSON line, and a summary.
///
///   observations.jsonl  one case a line, in the observation schema of property-based testing tools (type, status,
///                       representation, arguments, features, timing, property, run_start)
///   summary.json        the verdicts; what reports/ reads
///   accuracy.json       the survey of accuracy, where there is one
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../properties/judge.h"

namespace tileproof {

/// The program's own build folder: run folders go there by default.
std::filesystem::path folder_of_program();

/// A dated folder below it that is not there yet.
std::filesystem::path new_run_folder();

/// Writes a file whole. @throws std::runtime_error where it cannot be written: a full disk, say
void write_file(const std::filesystem::path&, const std::string& text);

/// A case in the observation schema of property-based testing tools.
nlohmann::json observation_line(const Problem&, const std::string& status, const std::string& reason, double seconds,
                                const std::string& how_generated, double run_start);

/// 64 bits as records write them: 0x and sixteen digits.
std::string in_hex(std::uint64_t value);

/// Now, as 2026-11-22T15:50:00Z.
std::string utc_now();
/// Seconds since 1970, likewise.
std::string utc_of(double seconds);

class Records {
 public:
  /// @param folder  made where it is not there; empty: a new dated folder under the build folder
  /// @throws Illegal where it cannot be made or written, or holds another run
  explicit Records(std::filesystem::path folder);

  const std::filesystem::path& folder() const { return folder_; }
  const std::string& run_start() const { return run_start_; }

  /// A case as a line of the observations; any thread may ask.
  std::string line(const Observation&) const;
  /// Of one thread at a time.
  void add(const std::string& lines) { observations_ << lines; }
  /// Writes a file of the folder whole.
  /// @throws std::runtime_error where it cannot be written: a full disk, say
  void write(const std::string& name, const std::string& text) const;
  /// Closes the observations. @throws std::runtime_error where they could not be written
  void finish();

 private:
  std::filesystem::path folder_;
  std::string run_start_;
  double run_start_seconds_;
  std::ofstream observations_;
};

/// Compiler, processor and GPU: what a reader must know to compare two runs.
nlohmann::json machine();

}  // namespace tileproof
