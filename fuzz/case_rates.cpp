#include "case_rates.h"

#include <algorithm>
#include <chrono>
#include <map>

namespace tileproof {

std::vector<const Claim*> core_claims() {
  std::vector<const Claim*> core;
  for (const Claim& claim : claims()) {
    const bool is_drawn = claim.draws.fixed.empty() && !claim.heavy;
    if (is_drawn && !claim.of_tensors && !claim.of_specification) core.push_back(&claim);
  }
  return core;
}

CaseRate case_rate(ReadySubject& subject, std::int64_t cases_of_claim, int passes) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_since = [](Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  CaseRate rate;
  std::map<const Claim*, std::pair<std::int64_t, double>> of_claims;  // cases, seconds
  for (int pass = -1; pass < passes && rate.failed.empty(); ++pass) {
    // Each pass has problems of its own. The first is not counted: memory grows to what cases need.
    rate.cases = 0;
    const Clock::time_point begin = Clock::now();
    for (const Claim* claim : core_claims()) {
      const Clock::time_point begin_of_claim = Clock::now();
      const auto seed = static_cast<std::uint64_t>(pass + 2);
      const Judgement judgement = judge(*claim, subject.row, *subject.runner, {.cases = cases_of_claim, .seed = seed});
      rate.cases += judgement.cases;
      if (!judgement.findings.empty()) {
        const Finding& finding = judgement.findings.front();
        rate.failed = claim->name + ": " + finding.kind + ": " + finding.details;
        break;
      }
      if (pass < 0 || judgement.cases == 0) continue;
      of_claims[claim].first += judgement.cases;
      of_claims[claim].second += seconds_since(begin_of_claim);
    }
    if (pass >= 0) rate.seconds_of_pass.push_back(seconds_since(begin));
  }
  for (const auto& [claim, cases_and_seconds] : of_claims) {
    const double a_second = static_cast<double>(cases_and_seconds.first) / cases_and_seconds.second;
    if (!rate.slowest_claim.empty() && a_second >= rate.slowest_cases_a_second) continue;
    rate.slowest_claim = claim->name;
    rate.slowest_cases_a_second = a_second;
  }
  return rate;
}

}  // namespace tileproof
