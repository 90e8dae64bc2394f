/// Ends a run on a signal without losing it: what has been judged is reported.
#pragma once

#include <signal.h>

namespace tileproof {

/// Signals that end a run: Ctrl-C, a supervisor's request, a terminal that was closed.
inline constexpr int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};

/// After this call, the first ending signal is remembered and the second one ends the process.
void report_when_interrupted();
bool is_interrupted();

/// After this call, a failed write (to a pipe without a reader, or beyond the file size limit) does not end the
/// process, which must still write records and give an exit code. Child programs still die of such a signal.
void survive_failed_writes();

}  // namespace tileproof
