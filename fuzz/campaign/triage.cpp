// Triage of a failed case: does it fail again, alone or after other cases, and how small can it be made?
#include <utility>

#include "fuzz/campaign/campaign.h"
#include "fuzz/campaign/fingerprint.h"
#include "properties/judging/shrinking.h"
#include "properties/registry.h"

namespace tileproof {

void shrink(CampaignFinding& found, const SelectedSubject& selected, Worker& fresh, const CampaignOptions& options,
            const std::function<bool()>& stop) {
  const Property& property = property_of(found.smallest.problem.property);
  std::string why_not;
  const SampleSpace space = sample_space_of(property, selected.row.capabilities, &why_not);
  const Shrunk smallest = shrunk(property, space, found.smallest, fresh, are_alike,
                                 {.tries = options.shrink_tries, .seconds = options.shrink_seconds, .stop = stop});
  found.smallest = smallest.finding;
  found.shrunk = smallest.how_far;
}

Campaign::Looks& Campaign::looks_of(const Finding& finding) {
  return looks_[finding.problem.property + " " + finding.kind];
}

bool Campaign::begins_look(const ToLookInto& one) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Looks& looks = looks_of(one.failed.finding);
  if (!std::exchange(looks.go_on_or_are_over, true)) return true;
  if (looks.waiting.size() < most_looks_in_vain) looks.waiting.push_back(one);
  return false;
}

std::optional<Campaign::ToLookInto> Campaign::ends_look(const Finding& finding, bool is_reproducible) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Looks& looks = looks_of(finding);
  const bool are_over = is_reproducible || ++looks.in_vain == most_looks_in_vain;
  looks.go_on_or_are_over = are_over || !looks.waiting.empty();
  if (are_over || looks.waiting.empty()) return std::nullopt;
  ToLookInto next = std::move(looks.waiting.front());
  looks.waiting.pop_front();
  return next;
}

void Campaign::look_into(const ToLookInto& one) {
  const Clock::time_point begin = Clock::now();
  if (!begins_look(one)) {
    return keep(as_found(one.fingerprint, one.failed, "not shrunk: one of its property and kind was"));
  }
  for (std::optional<ToLookInto> next = one; next;) {
    try {
      const CampaignFinding found = looked_into(*next);
      keep(found);
      next = ends_look(next->failed.finding, found.is_reproducible);
    } catch (const BrokenMemory&) {
      keep(as_found(next->fingerprint, next->failed, "not looked into: the machine was at fault"));
      ends_look(next->failed.finding, false);
      throw;
    }
  }
  findings_seconds_ += seconds_since(begin);
}

CampaignFinding Campaign::looked_into(const ToLookInto& one) {
  const FailedCase& failed = one.failed;
  say_("FOUND " + one.fingerprint);
  CampaignFinding found = as_found(one.fingerprint, failed, "not shrunk: it is not reproducible alone");
  found.was_looked_into = true;
  found.how = confirmed(failed, one.history, found.is_reproducible);
  if (!found.is_reproducible) return found;
  Worker fresh(selected_.order, options_.case_deadline);
  shrink(found, selected_, fresh, options_, stop_);
  return found;
}

void Campaign::keep(const CampaignFinding& found) {
  journal_.finding(found);
  const std::lock_guard<std::mutex> lock(mutex_);
  facts_.findings[found.fingerprint].finding = found;
}

CaseOutcome Campaign::outcome_alone(const Finding& finding, std::int64_t& compared) {
  Worker fresh(selected_.order, options_.case_deadline);
  Coverage coverage;
  CaseOutcome outcome = fresh.run(property_of(finding.problem.property), finding.problem, coverage);
  compared = coverage.compared;
  return outcome;
}

std::string Campaign::confirmed(const FailedCase& failed, const std::vector<std::uint64_t>& history,
                                bool& is_reproducible) {
  constexpr int first_times = 3;
  constexpr int most_times = 10;  // a case that fails 3 times in 10 fails 3 times running with probability 1/37
  const bool is_slow = failed.finding.kind == kind_of_hang;
  Worker fresh(selected_.order, options_.case_deadline);
  int times = 0, failures = 0;
  const auto again = [&](int until) {
    const Property& property = property_of(failed.finding.problem.property);
    failures += failures_alone(property, failed.finding, fresh, are_of_one_kind, until - times).value();
    times = until;
  };
  again(first_times);
  if (failures < times || !is_slow) again(most_times);
  const std::string rate = std::to_string(failures) + " times of ";
  is_reproducible = failures == times;
  if (is_reproducible) return "reproducible: fails alone, " + rate + std::to_string(times);
  if (failures == 0 && !history.empty()) {
    if (const std::string needed = needed_before(failed, history); !needed.empty()) return needed;
  }
  return "flaky: fails alone, " + rate + std::to_string(times);
}

std::string Campaign::needed_before(const FailedCase& failed, const std::vector<std::uint64_t>& history) {
  const auto fails_after = [&](std::size_t first) {
    std::vector<ListedCase> cases = list_.at(std::span(history).subspan(first));
    cases.push_back(list_.at(failed.index));
    Worker fresh(selected_.order, options_.case_deadline);
    bool has_failed = false, has_history = true;
    fresh.run_all(cases, [&](std::size_t i, const CaseOutcome& outcome, std::int64_t) {
      has_failed = i + 1 == cases.size() && outcome.finding;
      has_history &= i + 1 == cases.size() || !outcome.process_lost;
    });
    return has_failed && has_history;
  };
  // A flaky case may fail here by chance, so it must fail five times after its whole history.
  constexpr int times = 5;
  for (int i = 0; i < times; ++i) {
    if (!fails_after(0)) return "";
  }
  // Bisect for the shortest suffix of the history after which the case fails.
  std::size_t fails = 0, passes = history.size();
  while (passes - fails > 1) {
    const std::size_t middle = fails + (passes - fails) / 2;
    (fails_after(middle) ? fails : passes) = middle;
  }
  return "order-dependent: passes alone, fails after the " + std::to_string(history.size() - fails) +
         " cases before it in its process, from case " + std::to_string(history[fails]) + " on";
}

}  // namespace tileproof
