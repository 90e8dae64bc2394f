#include "corpus_of_hunt.h"

#include <algorithm>
#include <sstream>

#include "ledger.h"
#include "records.h"
#include "signature.h"

namespace tileproof {

std::vector<HuntFinding> CorpusOfHunt::run_again(const ChosenSubject& chosen, const std::vector<const Claim*>& claims,
                                                 std::chrono::milliseconds deadline,
                                                 const std::vector<KnownFinding>& ledger,
                                                 const std::function<bool()>& stop) {
  std::vector<CorpusLine> lines = lines_for(chosen.row, claims, corpus_.of_subject(chosen.row.name));
  const std::size_t kept = lines.size();
  for (CorpusLine& own : lines_for(chosen.row, claims, own_corpus())) {
    const bool is_kept =
        std::any_of(lines.begin(), lines.end(), [&](const CorpusLine& line) { return line.problem == own.problem; });
    if (!is_kept) lines.push_back(std::move(own));
  }
  std::vector<HuntFinding> failing;
  const std::vector<Replayed> all = replayed(chosen, lines, deadline, stop);
  for (std::size_t i = 0; i < all.size(); ++i) {
    take(all[i], i < kept, ledger, failing);
    const Problem& problem = all[i].line.problem;
    if (all[i].of_bound > 0) keep_closer(closest_, problem.claim, {all[i].of_bound, line_of(problem)});
  }
  counts_ = {{"replayed", all.size()}, {"failed", failing.size()}};
  return failing;
}

void CorpusOfHunt::take(const Replayed& one, bool is_kept, const std::vector<KnownFinding>& ledger,
                        std::vector<HuntFinding>& failing) {
  if (!one.outcome.finding) {
    if (is_kept && one.has_passed()) corpus_.keep_incubating(one.line.problem, one.line.comment);
    return;
  }
  const Finding& finding = *one.outcome.finding;
  if (known_as(ledger, finding) != nullptr) return;
  // A smallest case need not show the pattern that the hunt found it by.
  const std::string first_line = one.line.comment.substr(0, one.line.comment.find('\n'));
  const std::string signature = is_kept && !first_line.empty() ? first_line : signature_of(finding);
  failing.push_back({.signature = signature,
                     .cases = {},
                     .smallest = finding,
                     .was_looked_into = true,
                     .is_reproducible = true,
                     .how = "kept, and failing: " + one.line.place,
                     .shrunk = "as it is there"});
  corpus_.keep_crashing(one.line.problem, is_kept ? one.line.comment : signature + "\nfound " + utc_now());
}

void CorpusOfHunt::keep(const std::map<std::string, Signed>& findings, const ClosestOfClaims& closest) {
  for (const auto& [claim, one] : closest) keep_closer(closest_, claim, one);
  for (const auto& [claim, one] : closest_) {
    std::ostringstream comment;
    comment << 100 * one.of_bound << " % of its bound";
    corpus_.keep_coverage(problem_of(one.line), comment.str());
  }
  for (const auto& [signature, one] : findings) {
    if (!one.finding.is_reproducible || one.finding.cases.empty()) continue;
    corpus_.keep_crashing(one.finding.smallest.problem, signature + "\nfound " + utc_now());
  }
}

}  // namespace tileproof
