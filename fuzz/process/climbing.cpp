#include "fuzz/process/climbing.h"

#include <algorithm>

#include "properties/problem/draw.h"

namespace tileproof {

namespace {

constexpr int most_tries = 6;

/// A neighbour of a problem: a smaller problem with the same seed, or the same problem with other data.
Problem neighbour_of(const Problem& p, const SampleSpace& space, std::uint64_t bits) {
  const std::vector<Problem> smaller = smaller_problems(p, space);
  if (bits >> 63 != 0 && !smaller.empty()) {
    return smaller[static_cast<std::size_t>(below(static_cast<std::int64_t>(smaller.size()), mixed(bits)))];
  }
  Problem other = p;
  other.seed = mixed(bits);
  return other;
}

}  // namespace

double closeness_of(const Coverage& coverage) {
  double closest = 0;
  for (const auto& [name, one] : coverage.largest) closest = std::max(closest, one.value);
  return closest;
}

Climbed climbed(const Problem& problem, const SampleSpace& space, const Coverage& coverage,
                const std::function<CaseOutcome(const Problem&, Coverage&)>& run) {
  Climbed result;
  if (coverage.largest.empty()) return result;
  Problem highest = problem;
  result.closest.of_bound = closeness_of(coverage);
  while (result.tries < most_tries) {
    const Problem next =
        neighbour_of(highest, space, drawn(problem.seed, stream::choice, static_cast<std::uint64_t>(++result.tries)));
    Coverage met_there;
    const CaseOutcome outcome = run(next, met_there);
    if (outcome.finding) {
      result.failed = outcome;
      break;
    }
    if (closeness_of(met_there) <= result.closest.of_bound) continue;
    result.closest.of_bound = closeness_of(met_there);
    highest = next;
  }
  result.closest.line = line_of(highest);
  return result;
}

}  // namespace tileproof
