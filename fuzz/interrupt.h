/// Ctrl-C: what has been judged is reported.
#pragma once

namespace tileproof {

/// From now on the first SIGINT or SIGTERM is remembered; the second one ends the process.
void report_when_interrupted();
bool is_interrupted();

}  // namespace tileproof
