#include "fuzz/campaign/shrinking.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "fuzz/campaign/fingerprint.h"

namespace tileproof {

namespace {

using Clock = std::chrono::steady_clock;

class Shrinking {
 public:
  Shrinking(const Property& property, const Finding& finding, CaseRunner& runner, const ShrinkLimits& limits)
      : property_(property), smallest_(finding), runner_(runner), limits_(limits) {
    tried_.insert(line_of(finding.problem));
  }

  const Finding& smallest() const { return smallest_; }

  /// Takes a candidate over where it fails alike. @return whether it does
  bool takes(const Problem& candidate) {
    if (is_over() || !tried_.insert(line_of(candidate)).second) return false;
    ++tries_;
    Coverage coverage;
    const CaseOutcome outcome = runner_.run(property_, candidate, coverage);
    if (!outcome.finding || !are_alike(*outcome.finding, smallest_)) return false;
    const std::int64_t shrinks = smallest_.shrinks;
    smallest_ = *outcome.finding;
    smallest_.shrinks = shrinks + 1;
    return true;
  }

  bool is_over() {
    if (!why_.empty()) return true;
    if (tries_ >= limits_.tries) why_ = "ended by its tries";
    if (std::chrono::duration<double>(Clock::now() - begin_).count() >= limits_.seconds) why_ = "ended by its time";
    if (limits_.stop && limits_.stop()) why_ = "interrupted";
    return !why_.empty();
  }

  std::string how_far() const {
    return (why_.empty() ? "to the smallest" : why_) + ", in " + std::to_string(tries_) + " tries";
  }

 private:
  const Property& property_;
  Finding smallest_;
  CaseRunner& runner_;
  const ShrinkLimits& limits_;
  Clock::time_point begin_ = Clock::now();
  std::int64_t tries_ = 0;
  std::set<std::string> tried_;
  std::string why_;
};

/// Steps in the order in which they are proposed; from the first that is taken on, afresh.
void shrink_problem(Shrinking& shrinking, const SampleSpace& space) {
  for (bool went_on = true; went_on && !shrinking.is_over();) {
    const std::vector<Problem> steps = smaller_problems(shrinking.smallest().problem, space);
    went_on = std::any_of(steps.begin(), steps.end(), [&](const Problem& step) { return shrinking.takes(step); });
  }
}

/// Keeps as little of a span as fails, by halves, then by smaller and smaller parts from both ends.
void shrink_span(Shrinking& shrinking, Span Problem::*span, std::int64_t elements) {
  Problem begin = shrinking.smallest().problem;
  Span kept = begin.*span;
  kept.end = std::min(kept.end, elements);
  const auto takes = [&](std::int64_t first, std::int64_t end) {
    Problem candidate = shrinking.smallest().problem;
    candidate.*span = {first, end};
    if (!shrinking.takes(candidate)) return false;
    kept = {first, end};
    return true;
  };
  for (std::int64_t part = (kept.end - kept.first + 1) / 2; part > 0 && !shrinking.is_over();) {
    const bool goes_on =
        kept.end - kept.first > part && (takes(kept.first, kept.end - part) || takes(kept.first + part, kept.end));
    if (!goes_on) part /= 2;
  }
}

}  // namespace

bool are_alike(const Finding& a, const Finding& b) {
  const Problem &p = a.problem, &q = b.problem;
  const bool same_place = p.property == q.property && p.subject == q.subject && p.variant == q.variant &&
                          p.scheme == q.scheme && p.types == q.types && p.format == q.format;
  if (!same_place || a.kind != b.kind) return false;
  const std::string pattern = pattern_of(a), other = pattern_of(b);
  return pattern == other || a.wrong.size() < 2 || b.wrong.size() < 2;
}

Shrunk shrunk(const Property& property, const SampleSpace& space, const Finding& finding, CaseRunner& runner,
              const ShrinkLimits& limits) {
  Shrinking shrinking(property, finding, runner, limits);
  shrink_problem(shrinking, space);
  const Problem& p = shrinking.smallest().problem;
  shrink_span(shrinking, &Problem::codes, p.n * p.k);
  shrink_span(shrinking, &Problem::parameters, p.n * p.groups());
  shrinking.is_over();
  return {shrinking.smallest(), shrinking.how_far()};
}

}  // namespace tileproof
