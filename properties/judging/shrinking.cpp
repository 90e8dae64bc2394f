#include "properties/judging/shrinking.h"

#include <algorithm>
#include <set>

#include "properties/problem/stopwatch.h"

namespace tileproof {

namespace {

class Shrinking {
 public:
  Shrinking(const Property& property, const Finding& finding, CaseRunner& runner, const Alike& are_alike,
            const ShrinkLimits& limits)
      : property_(property), smallest_(finding), runner_(runner), are_alike_(are_alike), limits_(limits) {
    tried_.insert(line_of(finding.problem));
  }

  const Finding& smallest() const { return smallest_; }

  /// Makes a candidate the smallest if it fails alike.
  /// @return whether it does
  bool takes(const Problem& candidate) {
    const std::optional<Finding> found = failure_of(candidate);
    if (found) smallest_ = *found;
    return found.has_value();
  }

  /// A candidate's failure; nothing if it does not fail alike, was tried before, or shrinking is over.
  std::optional<Finding> failure_of(const Problem& candidate) {
    if (is_over() || !tried_.insert(line_of(candidate)).second) return std::nullopt;
    ++tries_;
    Coverage coverage;
    const CaseOutcome outcome = runner_.run(property_, candidate, coverage);
    if (!outcome.finding || !are_alike_(*outcome.finding, smallest_)) return std::nullopt;
    // Few elements may not show any more what the evidence of more has shown.
    if (!smallest_.cause.empty() && outcome.finding->cause != smallest_.cause) return std::nullopt;
    Finding found = *outcome.finding;
    found.shrinks = ++smallest_.shrinks;
    return found;
  }

  bool is_over() {
    if (!why_.empty()) return true;
    if (tries_ >= limits_.tries) why_ = "ended by its tries";
    if (seconds_since(begin_) >= limits_.seconds) why_ = "ended by its time";
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
  const Alike& are_alike_;
  const ShrinkLimits& limits_;
  Clock::time_point begin_ = Clock::now();
  std::int64_t tries_ = 0;
  std::set<std::string> tried_;
  std::string why_;
};

/// Takes the first proposed step that fails alike, and starts again from it until no step does. The property's own
/// proposal comes first: where the seed numbers the values, a smaller matrix needs another seed to hold the failing
/// one.
void shrink_problem(Shrinking& shrinking, const SampleSpace& space) {
  for (bool went_on = true; went_on && !shrinking.is_over();) {
    std::vector<Problem> steps = smaller_problems(shrinking.smallest().problem, space);
    if (shrinking.smallest().smaller) steps.insert(steps.begin(), *shrinking.smallest().smaller);
    went_on = std::any_of(steps.begin(), steps.end(), [&](const Problem& step) { return shrinking.takes(step); });
  }
}

/// Shrinks a span to a small part that still fails: cuts off halves, then smaller and smaller parts, at both ends.
void shrink_span(Shrinking& shrinking, Span Problem::*span, std::int64_t elements) {
  Problem without = shrinking.smallest().problem;
  Span kept = without.*span;
  without.*span = {0, 0};
  if (shrinking.failure_of(without)) return;
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

std::optional<int> failures_alone(const Property& property, const Finding& finding, CaseRunner& runner,
                                  const Alike& are_alike, int times) {
  int failures = 0;
  for (int i = 0; i < times; ++i) {
    if (!runner.start_afresh()) return std::nullopt;
    Coverage coverage;
    const CaseOutcome outcome = runner.run(property, finding.problem, coverage);
    if (outcome.finding && are_alike(*outcome.finding, finding)) ++failures;
  }
  return failures;
}

Shrunk shrunk(const Property& property, const SampleSpace& space, const Finding& finding, CaseRunner& runner,
              const Alike& are_alike, const ShrinkLimits& limits) {
  Shrinking shrinking(property, finding, runner, are_alike, limits);
  shrink_problem(shrinking, space);
  const Problem& p = shrinking.smallest().problem;
  shrink_span(shrinking, &Problem::codes, p.experts * p.n * p.k);
  shrink_span(shrinking, &Problem::parameters, p.experts * p.group_count());
  shrinking.is_over();
  return {shrinking.smallest(), shrinking.how_far()};
}

}  // namespace tileproof
