/// Reads a bench record, which holds every repeat of every row, and compares two rows. Internal to reports/.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace tileproof::reports {

using Samples = std::vector<double>;

struct TimedRow {
  std::string name;
  std::string unit;  // bytes or cases
  double amount = 0;
  std::map<std::string, Samples> seconds;
  std::string wrong;
  std::string note;

  bool has(const std::string& what) const { return seconds.contains(what); }
  const Samples& operation() const { return seconds.at("operation"); }
  /// The operation's speed in each repeat: bytes, or cases, a second.
  Samples speeds() const {
    Samples speeds;
    for (const double one : operation()) speeds.push_back(amount / one);
    return speeds;
  }
  /// Time of a yardstick (copy, fill or identity) divided by the operation's, in each repeat: above 1 is faster.
  Samples ratios_to(const std::string& yardstick) const {
    Samples ratios;
    for (std::size_t i = 0; i < operation().size(); ++i) ratios.push_back(seconds.at(yardstick)[i] / operation()[i]);
    return ratios;
  }
};

struct Bench {
  std::string run_start;
  std::string commit;
  std::string cpu;
  std::string gpu;
  std::string device;  // further facts about the GPU
  std::vector<TimedRow> rows;
  std::vector<std::string> skipped;
  std::map<std::string, std::string> not_measured;
};

/// @throws std::runtime_error naming the field that is missing, mistyped or contradicts another
Bench read_bench(const nlohmann::json&);

// The figures of a row, for terminal and page.
std::string spread_text(const TimedRow&);  // of the repeats' times: "3.1 %"
std::string speed_text(const TimedRow&);   // "512 GB/s", "4902 cases/s"
/// The median of ratios_to(yardstick); "" if the row lacks it.
std::string ratio_text(const TimedRow&, const std::string& yardstick);

enum class Change { same, slower, faster, cannot_tell };

struct Compared {
  Change change = Change::same;
  double now = 0, before = 0, p = 1;
};

/// Compares two rows of the same name by the Mann-Whitney test, over ratios to copy if both have them, else over
/// speeds.
Compared compared(const TimedRow& now, const TimedRow& before);
/// "host pack: 0.512 -> 0.498 of copy (-2.7 %, p = 0.003)"
std::string change_text(const TimedRow& now, const TimedRow& before, const Compared&);

}  // namespace tileproof::reports
