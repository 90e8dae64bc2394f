/// The floating-point mode of a thread. Threads inherit it from the thread that starts them, even from one where a
/// library linked with -ffast-math set flush-to-zero when it was loaded, so judging sets a mode of its own.
#pragma once

#include <string>

namespace tileproof {

/// The processor's behaviour, found by trying.
struct FloatMode {
  bool flushes_results = false;   // a result below the least normal value becomes 0 (FTZ)
  bool flushes_operands = false;  // an operand below it becomes 0 (DAZ)
  bool rounds_to_nearest = true;

  bool operator==(const FloatMode&) const = default;
};

FloatMode float_mode();

/// "results below the least normal value become 0"; "" for IEEE 754's default.
std::string what_is_unusual(const FloatMode&);

/// Sets IEEE 754's default mode in this thread and those that it starts from now on: subnormals are kept, results are
/// rounded to nearest even, no exception traps.
void compute_in_default_mode();

/// Remembers the current mode as the one that this process was started with, then calls compute_in_default_mode().
void leave_inherited_mode();
const FloatMode& inherited_mode();

}  // namespace tileproof
