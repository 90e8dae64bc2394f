#include "reports/assessment/causes.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <tuple>
#include <utility>

#include "reports/assessment/groups.h"

namespace tileproof::reports {

namespace {

enum class Cause { memory, state, layout, group, value, arithmetic, rest };

struct Family {
  const char* beginning;  // prefix of the names of properties
  Cause cause;
};

// Findings of one cause are in this order. The first prefix that fits a property decides.
constexpr Family families[] = {
    {"load/", Cause::memory},
    {"write/", Cause::memory},
    {"read/", Cause::memory},
    {"determinism/", Cause::state},
    {"index/", Cause::layout},
    {"bits/", Cause::layout},
    {"words/", Cause::layout},
    {"padding/", Cause::layout},
    {"group/", Cause::group},
    {"value/", Cause::value},
    {"codes/", Cause::value},
    {"arithmetic/", Cause::arithmetic},
    {"eager/", Cause::arithmetic},
    {"choose/", Cause::arithmetic},
    {"quantize/", Cause::arithmetic},
    {"matmul/", Cause::arithmetic},
    {"", Cause::rest},
};

std::size_t family_of(const std::string& property) {
  const auto found = std::find_if(std::begin(families), std::end(families),
                                  [&](const Family& one) { return property.starts_with(one.beginning); });
  return static_cast<std::size_t>(found - std::begin(families));
}

/// The parts of a finding that decide its place in the order.
struct Clue {
  std::string property, subject, kind, cause;
};

/// Subjects that fail a property about an index; true if each such property says that no index is wrong.
using NoIndexIsWrong = std::map<std::string, bool>;

NoIndexIsWrong subjects_in(const std::vector<Clue>& all) {
  NoIndexIsWrong subjects;
  for (const Clue& one : all) {
    if (!one.property.starts_with("index/") || one.kind != "mismatch") continue;
    bool& none = subjects.try_emplace(one.subject, true).first->second;
    none = none && one.cause == "value";
  }
  return subjects;
}

/// A property about an index may fail although no index is wrong: code 15 that is read as 7 looks like the code of
/// another element. The property says so in `cause`. If it does, and no property about an index says otherwise, the
/// subject's findings about the layout count as findings about the value, and come after those of properties about it.
Cause cause_of(const Clue& one, const NoIndexIsWrong& no_index_is_wrong) {
  if (one.kind == "guard" || one.kind == "crash" || one.kind == "hang") return Cause::memory;
  if (one.cause == "value") return Cause::value;
  if (one.cause == "state") return Cause::state;
  const Cause own = families[family_of(one.property)].cause;
  const auto found = no_index_is_wrong.find(one.subject);
  return own == Cause::layout && found != no_index_is_wrong.end() && found->second ? Cause::value : own;
}

/// The indices of the findings, in the order in which they are shown.
std::vector<std::size_t> order_of(const std::vector<Clue>& all) {
  const NoIndexIsWrong no_index_is_wrong = subjects_in(all);
  const auto rank_of = [&](std::size_t i) {
    const Cause cause = cause_of(all[i], no_index_is_wrong);
    const std::size_t family = family_of(all[i].property);
    // Among findings of one cause, those of properties about that cause come first.
    const bool is_of_another = families[family].cause != cause;
    return std::tuple(cause, is_of_another, family);
  };
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return rank_of(a) < rank_of(b); });
  return order;
}

}  // namespace

std::vector<Failure> in_order_of_cause(std::vector<Failure> failures) {
  std::vector<Clue> clues;
  for (const Failure& one : failures) {
    clues.push_back({one.judgement->property, one.judgement->subject, one.finding.kind, one.finding.cause});
  }
  std::vector<Failure> ordered;
  for (const std::size_t i : order_of(clues)) ordered.push_back(std::move(failures[i]));
  return ordered;
}

std::vector<const CampaignFinding*> in_order_of_cause(const Campaign& campaign) {
  std::vector<Clue> clues;
  for (const CampaignFinding& one : campaign.findings) {
    clues.push_back({one.fingerprint.substr(0, one.fingerprint.find(' ')), campaign.subject, one.kind, one.cause});
  }
  std::vector<const CampaignFinding*> ordered;
  for (const std::size_t i : order_of(clues)) ordered.push_back(&campaign.findings[i]);
  return ordered;
}

}  // namespace tileproof::reports
