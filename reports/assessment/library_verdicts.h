/// The table of verdicts: of each library, format, operation and type of weights whether it is exact, or how it
/// differs. Internal to reports/.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "reports/records/summary.h"

namespace tileproof::reports {

/// One row. An operation on codes alone has no type.
struct LibraryVerdict {
  std::string name;  // of the adapter or the subject
  std::string library, format, operation, type, machine;
  Verdict verdict = Verdict::skipped;
  std::vector<std::string> how;  // it differs, what is said beside that, or why nothing is known
  std::string since;      // when that was first seen; "new" if no ledger lists it
  std::string replay;     // the command that shows the first difference, or that judged it
  bool is_exact = false;  // PASSED, with every bit as specified, but for the bits of a NaN
};

/// "EXACT" for such a PASSED; the other names as they are.
const char* name_in_table(const LibraryVerdict&);

struct LibraryVerdicts {
  std::vector<LibraryVerdict> rows;
  std::string tool, run_start, cpu, gpu;
  std::uint64_t cases = 0;  // drawn for each property
  int exit_code = 0;
};

/// Reads what `tileproof verdicts` has run (schema 1): the cases of a property; for each run its name, the type of
/// weights, the environment, the command, and a summary or why there is none.
///
/// An operation is EXACT if every property that needs it PASSED, and nothing was explained or held to a bound. A
/// property that fails and needs several operations tells against those of them that fail a property of their own;
/// against all, if none does.
/// @throws std::runtime_error naming what is wrong
LibraryVerdicts library_verdicts(const nlohmann::json&);

}  // namespace tileproof::reports
