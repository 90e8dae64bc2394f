#include "fuzz/campaign/case_rates.h"

#include <algorithm>
#include <map>

#include "fuzz/process/in_threads.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/stopwatch.h"

namespace tileproof {

namespace {

/// Properties whose problems are drawn, as `verify` draws them, without heavy ones and those about tensors or the
/// specification.
std::vector<const Property*> core_properties() {
  std::vector<const Property*> core;
  for (const Property& property : properties()) {
    const bool is_drawn = !property.sampling.is_fixed() && !property.heavy;
    if (is_drawn && !property.of_tensors && !property.of_specification) core.push_back(&property);
  }
  return core;
}

}  // namespace

CaseRate case_rate(SubjectInstance& subject, std::int64_t cases_of_property, int passes, std::size_t threads) {
  CaseRate rate;
  const std::vector<const Property*> core = core_properties();
  // Judge each property in parts, so that threads do not wait for one that has an expensive property.
  constexpr std::int64_t cases_of_part = 5;
  const auto parts = static_cast<std::size_t>(std::max<std::int64_t>(1, cases_of_property / cases_of_part));
  const std::int64_t cases =
      (cases_of_property + static_cast<std::int64_t>(parts) - 1) / static_cast<std::int64_t>(parts);
  const std::size_t tasks = core.size() * parts;
  rate.threads = std::min(subject.jobs(threads), tasks);
  // One subject for each thread.
  std::vector<std::shared_ptr<CaseRunner>> runners = {subject.runner};
  while (runners.size() < rate.threads) runners.push_back(subject.another());
  std::map<const Property*, std::pair<std::int64_t, double>> of_properties;  // cases, seconds
  for (int pass = -1; pass < passes && rate.failed.empty(); ++pass) {
    // Each part of each pass has its own seed. The first pass is not timed, because memory still grows to what the
    // cases need.
    const std::size_t first_seed = static_cast<std::size_t>(pass + 1) * parts + 1;
    std::vector<Judgement> judgements(tasks);
    const Clock::time_point begin = Clock::now();
    in_threads(rate.threads, tasks, [&](std::size_t thread, std::size_t i) {
      const std::uint64_t seed = first_seed + i / core.size();
      const Effort effort = {.cases = cases, .seed = seed, .draws_for_goals = false};
      judgements[i] = judge(*core[i % core.size()], subject.row, *runners[thread], effort);
    });
    if (pass >= 0) rate.seconds_of_pass.push_back(seconds_since(begin));
    rate.cases = 0;
    for (std::size_t i = 0; i < tasks; ++i) {
      const Property* property = core[i % core.size()];
      const Judgement& judgement = judgements[i];
      rate.cases += judgement.cases;
      if (!judgement.findings.empty() && rate.failed.empty()) {
        const Finding& finding = judgement.findings.front();
        rate.failed = property->name + ": " + finding.kind + ": " + finding.details;
      }
      if (pass < 0 || judgement.cases == 0) continue;
      of_properties[property].first += judgement.cases;
      of_properties[property].second += judgement.seconds;
    }
  }
  for (const auto& [property, cases_and_seconds] : of_properties) {
    const double a_second = static_cast<double>(cases_and_seconds.first) / cases_and_seconds.second;
    if (!rate.slowest_property.empty() && a_second >= rate.slowest_cases_a_second) continue;
    rate.slowest_property = property->name;
    rate.slowest_cases_a_second = a_second;
  }
  return rate;
}

}  // namespace tileproof
