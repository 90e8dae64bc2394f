/// The kernels under the tools of NVIDIA's compute-sanitizer, and the tools under suspicion: one that does not notice
/// the mutant that is planted for it has shown nothing.
#pragma once

#include <string>
#include <vector>

#include "properties/judging/judge.h"

namespace tileproof {

/// A tool, and the mutant that it must notice.
struct Sanitizer {
  std::string tool;           // a name that `compute-sanitizer --tool` takes
  std::string planted;        // what the mutant is, for people
  std::string canary_kernel;  // which a report of it names
  std::string plant_command;  // arguments of `tileproof` that run the mutant once
};

struct SanitizerResult {
  std::string tool;
  Verdict verdict = Verdict::mistrusted;
  std::string reason;  // of FAILED, SKIPPED and MISTRUSTED, with what the tool said
  double seconds = 0;
};

/// Runs each tool over its mutant, and then over the cases.
/// @param program        the tileproof executable
/// @param cases_command  its arguments that run the cases: exit code 0 where they pass, 3 with a reason where they
///                       cannot run here
std::vector<SanitizerResult> run_sanitizers(const std::string& program, const std::string& cases_command,
                                            const std::vector<Sanitizer>&);

/// All that there are, over this program's distilled cases.
std::vector<SanitizerResult> run_all_sanitizers();

}  // namespace tileproof
