/// Runs the kernels under the tools of NVIDIA's compute-sanitizer. A tool that does not report its canary, a kernel
/// with a deliberate mistake, has shown nothing.
#pragma once

#include <string>
#include <vector>

#include "properties/judging/judge.h"

namespace tileproof {

/// A tool, and the canary that it must report.
struct Sanitizer {
  std::string tool;           // a name that `compute-sanitizer --tool` takes
  std::string planted;        // the canary's mistake, for people
  std::string canary_kernel;  // a report of the canary names this kernel
  std::string plant_command;  // arguments of `tileproof` that run the canary once
};

struct SanitizerResult {
  std::string tool;
  Verdict verdict = Verdict::mistrusted;
  std::string reason;  // for FAILED, SKIPPED and MISTRUSTED, with the tool's output
  double seconds = 0;
};

/// Runs each tool over its canary, and then over the cases.
/// @param program        the tileproof executable
/// @param cases_command  its arguments that run the cases: exit code 0 if they pass, 3 with a reason if they cannot run
///                       here
std::vector<SanitizerResult> run_sanitizers(const std::string& program, const std::string& cases_command,
                                            const std::vector<Sanitizer>&);

/// Runs every sanitizer over this program's distilled cases.
std::vector<SanitizerResult> run_all_sanitizers();

}  // namespace tileproof
