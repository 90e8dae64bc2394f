/// A record of the bench: every repeat of every row, and how two rows compare. Internal to reports/.
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
  /// What the operation moves in a second.
  Samples speeds() const {
    Samples speeds;
    for (const double one : operation()) speeds.push_back(amount / one);
    return speeds;
  }
  /// How fast the operation is beside a yardstick, in each repeat.
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
  std::string device;  // what else is known of the GPU
  std::vector<TimedRow> rows;
  std::vector<std::string> skipped;
  std::map<std::string, std::string> not_measured;
};

/// @throws std::runtime_error naming the field that is missing, mistyped or contradicts another
Bench read_bench(const nlohmann::json&);

enum class Change { same, slower, faster, cannot_tell };

struct Compared {
  Change change = Change::same;
  double now = 0, before = 0, p = 1;
};

/// The Mann-Whitney test over what two rows of the same name have been measured to.
Compared compared(const TimedRow& now, const TimedRow& before);
/// "host pack: 0.512 -> 0.498 of copy (-2.7 %, p = 0.003)"
std::string change_text(const TimedRow& now, const TimedRow& before, const Compared&);

}  // namespace tileproof::reports
