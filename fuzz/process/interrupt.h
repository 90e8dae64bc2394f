/// How a run ends on a signal: what has been judged is reported.
#pragma once

#include <signal.h>

namespace tileproof {

/// Signals that end a run: Ctrl-C, a supervisor's request, a terminal that was closed.
inline constexpr int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};

/// From now on the first ending signal is remembered; the second one ends the process.
void report_when_interrupted();
bool is_interrupted();

/// A write that fails, to a pipe that nobody reads any more or beyond the limit of a file's size, does not end the
/// process from now on: it has records to write and an exit code to give. Programs that it starts die of one as usual.
void survive_failed_writes();

}  // namespace tileproof
