// Claims: what `verify` judged, subject by subject.
#include <map>
#include <set>

#include "verdict.h"

namespace tileproof::reports {

namespace {

/// What all records say of a claim on a subject.
struct Said {
  std::vector<const Judgement*> judgements;

  bool any(Verdict verdict) const {
    for (const Judgement* one : judgements) {
      if (one->verdict == verdict) return true;
    }
    return false;
  }
  const Judgement* first(Verdict verdict) const {
    for (const Judgement* one : judgements) {
      if (one->verdict == verdict) return one;
    }
    return nullptr;
  }
  bool all_skipped() const {
    for (const Judgement* one : judgements) {
      if (one->verdict != Verdict::skipped) return false;
    }
    return true;
  }
};

using Claims = std::map<std::pair<std::string, std::string>, Said>;  // subject, claim

Claims claims_in(const Evidence& evidence) {
  Claims claims;
  for (const auto& found : evidence.verified) {
    for (const Judgement& one : found.record.judgements) claims[{one.subject, one.claim}].judgements.push_back(&one);
  }
  return claims;
}

std::string why_failed(const Said& said) {
  const Judgement& judgement = *said.first(Verdict::failed);
  const Failure failure = failures_of(judgement).front();
  const std::string first_line = failure.finding.details.substr(0, failure.finding.details.find('\n'));
  return (failure.finding.kind.empty() ? "" : failure.finding.kind + ": ") + first_line;
}

Item judged(const std::string& name, const Said& now, const Said* before) {
  Item item = {Word::exact, "claim", name, ""};
  const bool ran_before = before != nullptr && !before->all_skipped();
  const bool failed = now.any(Verdict::failed);
  const bool failed_before = ran_before && before->any(Verdict::failed);
  if (failed && now.any(Verdict::passed)) {
    item.word = Word::flaky;
    item.why = "one record says PASSED, another FAILED: " + why_failed(now);
  } else if (failed) {
    item.word = ran_before && !failed_before ? Word::regressed : Word::over_budget;
    item.why = why_failed(now) + (failed_before ? " (as in the baseline)" : "");
  } else if (now.any(Verdict::mistrusted)) {
    item.word = Word::mistrusted;
    item.why = now.first(Verdict::mistrusted)->reason;
  } else if (now.all_skipped()) {
    item.word = Word::not_run;
    item.is_red = ran_before;
    item.why = now.judgements.front()->reason + (ran_before ? "; the baseline ran it" : "");
  } else if (failed_before) {
    item.word = Word::improved;
    item.why = "failed in the baseline";
  } else if (now.any(Verdict::known)) {
    item.word = Word::pass;
    item.why = "known findings alone: " + now.first(Verdict::known)->known.front().id;
  } else {
    std::uint64_t explained = 0;
    for (const Judgement* one : now.judgements) {
      for (const auto& [reason, count] : one->explained) explained += count;
    }
    item.word = explained == 0 ? Word::exact : Word::pass;
    if (explained != 0) item.why = counted(explained, "difference") + ", explained bit for bit";
  }
  return item;
}

}  // namespace

std::vector<Item> items_of_claims(const Evidence& now, const Evidence* before) {
  const Claims claims = claims_in(now);
  const Claims baseline = before != nullptr ? claims_in(*before) : Claims();
  std::vector<Item> items;
  for (const auto& [key, said] : claims) {
    const auto then = baseline.find(key);
    items.push_back(judged(key.second + " on " + key.first, said, then == baseline.end() ? nullptr : &then->second));
  }
  for (const auto& [key, said] : baseline) {
    if (claims.contains(key) || said.all_skipped()) continue;
    items.push_back({Word::not_run, "claim", key.second + " on " + key.first, "only the baseline has it", true});
  }
  // A subject that was asked for and did not run, with no claim to show for it.
  for (const auto& found : now.verified) {
    if (found.record.verdict != Verdict::mistrusted || found.record.counts.at(Verdict::mistrusted) != 0) continue;
    items.push_back({Word::mistrusted, "claim", "the run as a whole", found.record.reason, true});
  }
  return items;
}

}  // namespace tileproof::reports
