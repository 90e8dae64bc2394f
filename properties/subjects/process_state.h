/// What a call must leave as it was: the settings of its process and of the thread that calls it.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace tileproof {

/// Settings by name: "rounding mode", "signal mask". Of a value, only that it is another one matters.
using ProcessState = std::map<std::string, std::string>;

/// The floating-point modes of this thread, and of this process what any library may change: locale, working directory,
/// environment, signal handlers and masks, umask, the cores it may use, where its output goes.
ProcessState process_state();

/// "rounding mode: was to nearest, is toward zero", one a change.
std::vector<std::string> changes(const ProcessState& before, const ProcessState& after);

}  // namespace tileproof
