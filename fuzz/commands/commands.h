/// The commands of `tileproof`, one row each. README.md of this folder says how to add one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fuzz/records/exit_code.h"

namespace CLI {
class App;  // its header takes as long to compile as most files here
}

namespace tileproof {

struct CommandRow {
  const char* name;
  const char* what;
  const char* examples;  // two command lines for the end of --help; "" for internal commands
  /// Adds the command's options.
  /// @return a function that runs the command and gives its exit code
  std::function<int()> (*set_up)(CLI::App&);
};

const std::vector<CommandRow>& commands();

/// A command and its given arguments, for records: "verify --subject host".
std::string as_given(const CLI::App&);

/// Converts "90", "90s", "5m", "4h" to seconds; "" is 0.
/// @throws UsageError naming the argument
double seconds_of(const char* argument, const std::string& duration);

std::function<int()> set_up_verify(CLI::App&);
std::function<int()> set_up_verdicts(CLI::App&);
std::function<int()> set_up_prove(CLI::App&);
std::function<int()> set_up_fuzz(CLI::App&);
std::function<int()> set_up_bench(CLI::App&);
std::function<int()> set_up_report(CLI::App&);
std::function<int()> set_up_replay(CLI::App&);
std::function<int()> set_up_list(CLI::App&);
std::function<int()> set_up_device(CLI::App&);
std::function<int()> set_up_watched(CLI::App&);
std::function<int()> set_up_work(CLI::App&);

}  // namespace tileproof
