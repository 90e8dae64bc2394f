#include "case_rates.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "judging.h"

namespace tileproof {

std::vector<const Claim*> core_claims() {
  std::vector<const Claim*> core;
  for (const Claim& claim : claims()) {
    const bool is_drawn = claim.draws.fixed.empty() && !claim.heavy;
    if (is_drawn && !claim.of_tensors && !claim.of_specification) core.push_back(&claim);
  }
  return core;
}

CaseRate case_rate(ReadySubject& subject, std::int64_t cases_of_claim, int passes, std::size_t threads) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_since = [](Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  CaseRate rate;
  const std::vector<const Claim*> core = core_claims();
  rate.threads = std::min(subject.jobs(threads), core.size());
  // A subject for each thread.
  std::vector<std::unique_ptr<CaseRunner>> runners;
  runners.push_back(std::make_unique<Borrowed>(*subject.runner));
  while (runners.size() < rate.threads) runners.push_back(subject.another());
  std::map<const Claim*, std::pair<std::int64_t, double>> of_claims;  // cases, seconds
  for (int pass = -1; pass < passes && rate.failed.empty(); ++pass) {
    // Each pass has problems of its own. The first is not counted: memory grows to what cases need.
    const auto seed = static_cast<std::uint64_t>(pass + 2);
    std::vector<Judgement> judgements(core.size());
    const Clock::time_point begin = Clock::now();
    in_threads(rate.threads, core.size(), [&](std::size_t thread, std::size_t i) {
      judgements[i] = judge(*core[i], subject.row, *runners[thread], {.cases = cases_of_claim, .seed = seed});
    });
    if (pass >= 0) rate.seconds_of_pass.push_back(seconds_since(begin));
    rate.cases = 0;
    for (std::size_t i = 0; i < core.size(); ++i) {
      const Judgement& judgement = judgements[i];
      rate.cases += judgement.cases;
      if (!judgement.findings.empty() && rate.failed.empty()) {
        const Finding& finding = judgement.findings.front();
        rate.failed = core[i]->name + ": " + finding.kind + ": " + finding.details;
      }
      if (pass < 0 || judgement.cases == 0) continue;
      of_claims[core[i]].first += judgement.cases;
      of_claims[core[i]].second += judgement.seconds;
    }
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
