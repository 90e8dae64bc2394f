// Properties: what `verify` judged, for each subject.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "reports/assessment/causes.h"
#include "reports/assessment/groups.h"
#include "reports/assessment/verdict.h"

namespace tileproof::reports {

namespace {

/// The judgements of one property on one subject, from all records.
struct Said {
  std::vector<const Judgement*> judgements;

  /// nullptr if no judgement has this verdict.
  const Judgement* first(Verdict verdict) const {
    for (const Judgement* one : judgements) {
      if (one->verdict == verdict) return one;
    }
    return nullptr;
  }
  bool any(Verdict verdict) const { return first(verdict) != nullptr; }
  bool all_skipped() const {
    return std::all_of(judgements.begin(), judgements.end(),
                       [](const Judgement* one) { return one->verdict == Verdict::skipped; });
  }
};

using Properties = std::map<std::pair<std::string, std::string>, Said>;  // subject, property

Properties properties_in(const Records& records) {
  Properties properties;
  for (const Judgement& one : parts_of(records.verified, &Summary::judgements)) {
    properties[{one.subject, one.property}].judgements.push_back(&one);
  }
  return properties;
}

std::string why_failed(const Said& said) {
  const Judgement& judgement = *said.first(Verdict::failed);
  const Failure failure = failures_of(judgement).front();
  return (failure.finding.kind.empty() ? "" : failure.finding.kind + ": ") + first_line(failure.finding.details);
}

/// "known: aten-cuda-offset: the scales are read past their end"
std::string text_of_known(const Said& said) {
  std::string text;
  std::set<std::string> ids;
  for (const Judgement* one : said.judgements) {
    for (const ExpectedFailure& finding : one->known) {
      if (ids.insert(finding.id).second) text += (text.empty() ? "known: " : "; ") + finding.id + ": " + finding.what;
    }
  }
  return text;
}

Item judged(const std::string& name, const Said& now, const Said* before) {
  const auto is = [&](Status word, const std::string& why, bool is_red = false) {
    return Item{word, "property", name, why, is_red};
  };
  const bool ran_before = before != nullptr && !before->all_skipped();
  const bool failed_before = ran_before && before->any(Verdict::failed);
  const bool known_before = ran_before && !failed_before && before->any(Verdict::known);
  const bool passed_before = ran_before && !failed_before && !known_before && before->any(Verdict::passed);
  if (now.any(Verdict::failed) && now.any(Verdict::passed)) {
    return is(Status::flaky, "one record says PASSED, another FAILED: " + why_failed(now));
  }
  if (now.any(Verdict::failed)) {
    return is(ran_before && !failed_before ? Status::regressed : Status::failed,
              why_failed(now) + (failed_before  ? " (it failed in the baseline)"
                                 : known_before ? " (in the baseline it failed only as known)"
                                                : ""));
  }
  if (const Judgement* one = now.first(Verdict::mistrusted)) return is(Status::mistrusted, one->reason);
  if (now.all_skipped()) {
    return is(Status::not_run, now.judgements.front()->reason + (ran_before ? "; the baseline ran it" : ""),
              ran_before);
  }
  if (now.any(Verdict::known)) {
    // A line in the ledger excuses a failure, but a property that passed before has still become worse.
    return is(passed_before ? Status::regressed : Status::known,
              text_of_known(now) + (passed_before   ? " (it passed in the baseline)"
                                    : failed_before ? " (it failed in the baseline)"
                                                    : ""));
  }
  if (failed_before) return is(Status::improved, "failed in the baseline");
  if (known_before) return is(Status::improved, "failed in the baseline, as known");
  std::uint64_t explained = 0;
  for (const Judgement* one : now.judgements) {
    for (const auto& [reason, count] : one->explained) explained += count;
  }
  return explained == 0 ? is(Status::exact, "")
                        : is(Status::passed, counted(explained, "difference") + ", explained bit for bit");
}

std::string name_of(const Properties::key_type& key) { return key.second + " on " + key.first; }

}  // namespace

std::vector<Item> items_of_properties(const Records& now, const Records* before) {
  const Properties properties = properties_in(now);
  const Properties baseline = before != nullptr ? properties_in(*before) : Properties();
  std::vector<Item> items;
  const auto add = [&](const Properties::key_type& key) {
    const auto then = baseline.find(key);
    items.push_back(judged(name_of(key), properties.at(key), then == baseline.end() ? nullptr : &then->second));
  };
  std::vector<Failure> failures;
  for (const auto& [key, said] : properties) {
    if (const Judgement* failed = said.first(Verdict::failed)) failures.push_back(failures_of(*failed).front());
  }
  for (const Failure& failure : in_order_of_cause(failures)) {
    add({failure.judgement->subject, failure.judgement->property});
  }
  for (const auto& [key, said] : properties) {
    if (!said.any(Verdict::failed)) add(key);
  }
  for (const auto& [key, said] : baseline) {
    if (properties.contains(key) || said.all_skipped()) continue;
    items.push_back({Status::not_run, "property", name_of(key), "only the baseline has it", true});
  }
  // A run may be MISTRUSTED although none of its properties is, as when a subject that was asked for did not run.
  for (const auto& found : now.verified) {
    if (found.record.verdict != Verdict::mistrusted || found.record.counts.at(Verdict::mistrusted) != 0) continue;
    items.push_back({Status::mistrusted, "property", "the run as a whole", found.record.reason, true});
  }
  return items;
}

}  // namespace tileproof::reports
