// tileproof replay: runs one problem again, from its line.
#include <CLI/CLI.hpp>

#include <iostream>

#include "fuzz/campaign/selection.h"
#include "fuzz/commands/commands.h"
#include "properties/registry.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

int replay(const std::vector<std::string>& words, GivenSubjectOptions& given, bool in_process) {
  const Problem problem = possible_problem(reports::joined(words, " "));
  given.judge_as(problem.format->name);
  SelectedSubject selected;
  if (given.any()) selected = given.subject();
  if (given.any() && selected.row.name != problem.subject) {
    throw UsageError(given_subject_row(selected.row.name)->flag,
                     "for a problem of the subject '" + problem.subject + "'",
                     "--subject=" + selected.row.name + " in its line");
  }
  if (const GivenSubjectRow* row = given_subject_row(problem.subject); row != nullptr && !given.any()) {
    throw UsageError(row->flag, "none", row->what);
  }
  if (!given.any()) selected = selected_subjects({problem.subject}).front();
  if (in_process && selected.order.python) {
    throw UsageError("--in-process", "beside --python", "without it: a module is run by its interpreter");
  }
  const RunsIn where = in_process ? RunsIn::this_process : RunsIn::own_process;
  const SubjectInstance ready = made_ready(selected, given.case_deadline(), where, /*shows_output=*/true);
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
  auto given = std::make_shared<GivenSubjectOptions>();
  auto in_process = std::make_shared<bool>(false);
  app.add_flag("--in-process", *in_process, "run the case in this process, for a debugger: a crash ends it");
  given->add_to(app);
  return [&app, given, in_process] { return replay(app.remaining(), *given, *in_process); };
}

}  // namespace tileproof
