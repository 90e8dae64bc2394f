/// The settings of the process and of the calling thread that a call must leave unchanged.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace tileproof {

/// Settings by name: "rounding mode", "signal mask". Values are only compared for equality.
using ProcessState = std::map<std::string, std::string>;

/// The floating-point modes of this thread, and the settings of this process that any library may change: locale,
/// working directory, environment, signal handlers and masks, umask, the cores it may use, where its output goes.
ProcessState process_state();

/// One text for each change: "rounding mode: was to nearest, is toward zero".
std::vector<std::string> changes(const ProcessState& before, const ProcessState& after);

}  // namespace tileproof
