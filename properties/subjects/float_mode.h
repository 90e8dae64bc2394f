/// The mode that a thread computes floating point in. Threads inherit it: of a library linked with -ffast-math, which
/// sets flush-to-zero in the thread that loads it, or of whoever began them. Judging has a mode of its own.
#pragma once

#include <string>

namespace tileproof {

/// What the processor does, as found by trying.
struct FloatMode {
  bool flushes_results = false;   // a result below the least normal value becomes 0 (FTZ)
  bool flushes_operands = false;  // and so does an operand (DAZ)
  bool rounds_to_nearest = true;

  bool operator==(const FloatMode&) const = default;
};

FloatMode float_mode();

/// "results below the least normal value become 0"; "" of IEEE 754's default.
std::string what_is_unusual(const FloatMode&);

/// IEEE 754's default from now on, in this thread and those that it begins: subnormals are kept, results are rounded to
/// nearest even, no exception traps.
void compute_in_default_mode();

/// As compute_in_default_mode(), and remembers the mode until now as what this process was begun with.
void leave_inherited_mode();
const FloatMode& inherited_mode();

}  // namespace tileproof
