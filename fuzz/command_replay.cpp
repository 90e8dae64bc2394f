// tileproof replay: one problem again, from its line.
#include <iostream>

#include "../properties/judge.h"
#include "commands.h"

namespace tileproof {

namespace {

int replay(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  const Problem problem = problem_of(line);
  static_cast<void>(claim_of(problem.claim));
  require_possible(problem);
  const SubjectRow& row = subject_row(problem.subject);
  const MadeSubject made = row.make();
  if (made.subject == nullptr) {
    std::cout << "SKIPPED: " << problem.subject << ": " << made.why_not << "\n";
    return exit_code::mistrusted;
  }
  const Judgement judgement = judge_one(problem, row, *made.subject);
  std::cout << line_of(problem) << "\n" << name_of(judgement.verdict);
  if (judgement.finding) std::cout << ": " << judgement.finding->kind << ": " << judgement.finding->details;
  if (!judgement.reason.empty()) std::cout << ": " << judgement.reason;
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
  app.prefix_command();  // everything that follows is the problem's line, as one argument or as many
  return [&app] { return replay(app.remaining()); };
}

}  // namespace tileproof
