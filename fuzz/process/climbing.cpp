#include "fuzz/process/climbing.h"

#include <algorithm>

#include "properties/problem/draw.h"

namespace tileproof {

namespace {

constexpr int most_tries = 6;

/// Other data, or of the same seed a smaller problem.
Problem neighbour_of(const Problem& p, const Domains& domains, std::uint64_t bits) {
  const std::vector<Problem> smaller = smaller_problems(p, domains);
  if (bits >> 63 != 0 && !smaller.empty()) {
    return smaller[static_cast<std::size_t>(below(static_cast<std::int64_t>(smaller.size()), mixed(bits)))];
  }
  Problem other = p;
  other.seed = mixed(bits);
  return other;
}

}  // namespace

double closeness_of(const Met& met) {
  double closest = 0;
  for (const auto& [name, one] : met.largest) closest = std::max(closest, one.value);
  return closest;
}

void keep_closer(ClosestOfClaims& all, const std::string& claim, const Closest& one) {
  const auto [at, is_new] = all.try_emplace(claim, one);
  const Closest& kept = at->second;
  const bool is_closer = one.of_bound > kept.of_bound || (one.of_bound == kept.of_bound && one.line < kept.line);
  if (!is_new && is_closer) at->second = one;
}

nlohmann::json json_of(const ClosestOfClaims& all) {
  nlohmann::json value = nlohmann::json::object();
  for (const auto& [claim, one] : all) value[claim] = {{"of_bound", one.of_bound}, {"problem", one.line}};
  return value;
}

ClosestOfClaims closest_of(const nlohmann::json& value) {
  ClosestOfClaims all;
  for (const auto& [claim, one] : value.items()) all[claim] = {one.at("of_bound"), one.at("problem")};
  return all;
}

Climbed climbed(const Problem& problem, const Domains& domains, const Met& met,
                const std::function<CaseOutcome(const Problem&, Met&)>& run) {
  Climbed result;
  if (met.largest.empty()) return result;
  Problem highest = problem;
  result.closest.of_bound = closeness_of(met);
  while (result.tries < most_tries) {
    const Problem next =
        neighbour_of(highest, domains, drawn(problem.seed, stream::choice, static_cast<std::uint64_t>(++result.tries)));
    Met met_there;
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
