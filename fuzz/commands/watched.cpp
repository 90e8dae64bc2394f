// tileproof watched: runs the distilled cases for a tool that watches this process. `tileproof prove sanitizers` runs
// it under every tool of compute-sanitizer, and checks each tool with its canary.
#include <CLI/CLI.hpp>

#include <filesystem>
#include <iostream>

#include "fuzz/commands/commands.h"
#include "fuzz/process/sanitizers.h"
#include "properties/registry.h"
#include "properties/subjects/distilled.h"
#include "properties/subjects/watched.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

/// Runs the distilled cases in this process, which a tool watches.
int run_cases(const std::string& subject) {
  const SubjectRow& row = subject_row(subject);
  const MadeSubject made = row.make();
  if (made.subject == nullptr) {
    std::cout << made.why_not << "\n";
    return exit_code::mistrusted;
  }
  std::int64_t elements = 0;
  const std::vector<Problem> problems = distilled_problems(subject);
  for (const Problem& problem : problems) {
    const Judgement judgement = judge_one(problem, row, *made.subject);
    elements += judgement.elements;
    if (judgement.verdict == Verdict::passed) continue;
    std::cout << name_of(judgement.verdict) << ": " << line_of(problem) << "\n" << judgement.reason;
    for (const Finding& finding : judgement.findings) {
      std::cout << reports::visible(finding.kind + ": " + finding.details) << "\n";
    }
    return exit_code::failed;
  }
  std::cout << "PASSED: " << problems.size() << " cases, " << elements << " elements compared\n";
  return exit_code::passed;
}

std::vector<Sanitizer> all_sanitizers() {
  std::vector<Sanitizer> all;
  for (const Plant& plant : plants()) {
    // The canary stands beside the operation unpack, so take the first problem of unpack.
    for (const Problem& problem : distilled_problems(plant.subject)) {
      if (problem.property.find("/unpack") == std::string::npos) continue;
      all.push_back({plant.tool, plant.what, plant.kernel, "replay --in-process " + line_of(problem)});
      break;
    }
  }
  return all;
}

}  // namespace

std::vector<SanitizerResult> run_all_sanitizers() {
  return run_sanitizers(std::filesystem::read_symlink("/proc/self/exe"), "watched --cases-of watched:cuda",
                        all_sanitizers());
}

std::function<int()> set_up_watched(CLI::App& app) {
  app.group("");  // internal: hidden from --help
  auto subject = std::make_shared<std::string>("watched:cuda");
  app.add_option("--cases-of", *subject, "run the cases on this subject")->capture_default_str();
  return [subject] { return run_cases(*subject); };
}

}  // namespace tileproof
