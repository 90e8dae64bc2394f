// tileproof replay: runs one problem again, from its line.
#include <CLI/CLI.hpp>

#include <iostream>

#include "fuzz/campaign/selection.h"
#include "fuzz/commands/commands.h"
#include "properties/registry.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

int replay(const std::vector<std::string>& words, const LibraryOptions& library, bool in_process) {
  const Problem problem = possible_problem(reports::joined(words, " "));
  const bool of_library = library.given() && problem.subject == "library";
  if (problem.subject == "library" && !of_library) {
    throw UsageError("--library", "none", "the operator library that the problem's subject is");
  }
  const SelectedSubject selected = of_library ? library.subject() : selected_subjects({problem.subject}).front();
  if (library.given() && !of_library) {
    throw UsageError("--library", "for a problem of the subject '" + problem.subject + "'",
                     "--subject=library in its line");
  }
  const RunsIn where = in_process ? RunsIn::this_process : RunsIn::own_process;
  const SubjectInstance ready = made_ready(selected, library.case_deadline(), where, /*shows_output=*/true);
  if (!ready.died.empty()) {
    std::cout << "FAILED: crash: " << reports::visible(ready.died) << "\n";
    return exit_code::failed;
  }
  if (ready.runner == nullptr) {
    std::cout << "SKIPPED: " << problem.subject << ": " << ready.why_not << "\n";
    return exit_code::mistrusted;
  }
  const Judgement judgement = judge_one(problem, ready.row, *ready.runner);
  std::cout << line_of(problem) << "\n" << name_of(judgement.verdict);
  for (const Finding& finding : judgement.findings) {
    std::cout << ": " << reports::visible(finding.kind + ": " + finding.details);
  }
  if (!judgement.reason.empty()) std::cout << ": " << reports::visible(judgement.reason);
  if (judgement.verdict == Verdict::passed) std::cout << ": " << judgement.elements << " elements compared";
  std::cout << "\n";
  for (const auto& [reason, count] : judgement.explained)
    std::cout << "explained: " << count << " elements: " << reason << "\n";
  return judgement.verdict == Verdict::passed   ? exit_code::passed
         : judgement.verdict == Verdict::failed ? exit_code::failed
                                                : exit_code::mistrusted;
}

}  // namespace

std::function<int()> set_up_replay(CLI::App& app) {
  app.allow_extras();  // the fields of the problem's line, as one argument or as many
  auto library = std::make_shared<LibraryOptions>();
  auto in_process = std::make_shared<bool>(false);
  app.add_flag("--in-process", *in_process, "run the case in this process, for a debugger: a crash ends it");
  library->add_to(app);
  return [&app, library, in_process] { return replay(app.remaining(), *library, *in_process); };
}

}  // namespace tileproof
