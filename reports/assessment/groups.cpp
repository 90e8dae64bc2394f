#include "reports/assessment/groups.h"

#include <algorithm>
#include <set>
#include <utility>

#include "reports/assessment/causes.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

/// Counts by subject and reason, in the order of first appearance.
class Groups {
 public:
  void add(const std::string& subject, const std::string& reason, std::uint64_t count) {
    const auto [place, is_new] = places_.try_emplace({subject, reason}, groups_.size());
    if (is_new) groups_.push_back({subject, reason, 0});
    groups_[place->second].count += count;
  }
  const std::vector<Group>& all() const { return groups_; }

 private:
  std::vector<Group> groups_;
  std::map<std::pair<std::string, std::string>, std::size_t> places_;
};

std::set<std::string> names_that_ran(const Summary& summary) {
  std::set<std::string> names;
  for (const Judgement& judgement : summary.judgements) {
    if (judgement.verdict != Verdict::skipped) names.insert(judgement.subject);
  }
  return names;
}

/// The subjects that did not run at all, by name, and the reason.
std::map<std::string, std::string> reasons_not_run(const Summary& summary) {
  const std::set<std::string> ran = names_that_ran(summary);
  std::set<std::string> skipped;
  for (const Judgement& judgement : summary.judgements) skipped.insert(judgement.subject);
  std::map<std::string, std::string> reasons;
  for (const Subject& subject : summary.subjects) {
    if (ran.contains(subject.name)) continue;
    reasons[subject.name] = !subject.why_not.empty()         ? subject.why_not
                            : skipped.contains(subject.name) ? "every property is SKIPPED"
                                                             : "no property was put to it";
  }
  return reasons;
}

Finding no_finding(const Judgement& judgement) {
  Finding finding;
  finding.details = judgement.reason.empty() ? "no finding is recorded" : judgement.reason;
  return finding;
}

}  // namespace

std::vector<Group> goals_out_of_reach(const Summary& summary) {
  Groups groups;
  for (const Judgement& judgement : summary.judgements) {
    for (const std::string& goal : judgement.out_of_reach) groups.add(judgement.subject, goal, 1);
  }
  return groups.all();
}

namespace {

std::string listed(const std::set<std::uint64_t>& numbers) {
  std::string text;
  for (const std::uint64_t number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return text;
}

std::string listed(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::vector<Group> asked_of(const Summary& summary) {
  std::vector<Group> groups;
  for (const Subject& subject : summary.subjects) {
    Asked all;
    std::uint64_t cases = 0;
    for (const Judgement& judgement : summary.judgements) {
      if (judgement.subject != subject.name) continue;
      cases += judgement.cases;
      all.formats.insert(judgement.asked.formats.begin(), judgement.asked.formats.end());
      all.group_sizes.insert(judgement.asked.group_sizes.begin(), judgement.asked.group_sizes.end());
      for (const auto& [name, range] : judgement.asked.ranges) {
        Asked::Range& own = all.ranges.try_emplace(name, range).first->second;
        own = {std::min(own.least, range.least), std::max(own.most, range.most)};
      }
    }
    if (all.ranges.empty()) continue;
    std::string text = "formats " + listed(all.formats) + "; group_size " + listed(all.group_sizes);
    for (const char* name : {"n", "k", "groups"}) {
      const Asked::Range& range = all.ranges[name];
      text += std::string("; ") + name + " " + with_commas(range.least);
      if (range.most != range.least) text += " to " + with_commas(range.most);
    }
    groups.push_back({subject.name, text, cases});
  }
  return groups;
}

Table table_of(const Summary& summary) {
  Table table;
  const std::set<std::string> ran = names_that_ran(summary);
  std::map<std::string, std::size_t> column;
  for (const Subject& subject : summary.subjects) {
    if (!ran.contains(subject.name)) continue;
    column[subject.name] = table.subjects.size();
    table.subjects.push_back(&subject);
  }
  std::map<std::string, std::size_t> line;
  for (const Judgement& judgement : summary.judgements) {
    const auto [place, is_new] = line.try_emplace(judgement.property, table.rows.size());
    if (is_new) table.rows.push_back({judgement.property, std::vector<const Judgement*>(table.subjects.size())});
    const auto found = column.find(judgement.subject);
    if (found != column.end()) table.rows[place->second].cells[found->second] = &judgement;
  }
  const auto says_nothing = [](const Judgement* cell) { return cell == nullptr || cell->verdict == Verdict::skipped; };
  std::erase_if(table.rows, [&](const Row& row) {
    return std::all_of(row.cells.begin(), row.cells.end(), says_nothing);  // the reason stands below the table
  });
  return table;
}

std::vector<const Judgement*> with_verdict(const Summary& summary, Verdict verdict) {
  std::vector<const Judgement*> found;
  for (const Judgement& judgement : summary.judgements) {
    if (judgement.verdict == verdict) found.push_back(&judgement);
  }
  return found;
}

std::vector<Failure> failures_of(const Judgement& judgement) {
  std::vector<Failure> failures;
  for (const Finding& finding : judgement.findings) failures.push_back({&judgement, finding});
  if (failures.empty()) failures.push_back({&judgement, no_finding(judgement)});
  return failures;
}

std::vector<Failure> failures_of(const Summary& summary) {
  std::vector<Failure> failures, others;
  // The first failure of every property comes before the second of any, so that a property with many failures does
  // not hide the others.
  for (const Judgement* judgement : with_verdict(summary, Verdict::failed)) {
    std::vector<Failure> all = failures_of(*judgement);
    std::move(all.begin() + 1, all.end(), std::back_inserter(others));
    failures.push_back(std::move(all.front()));
  }
  failures = in_order_of_cause(std::move(failures));
  others = in_order_of_cause(std::move(others));
  std::move(others.begin(), others.end(), std::back_inserter(failures));
  return failures;
}

std::vector<KnownFailure> known_failures(const Summary& summary) {
  std::vector<KnownFailure> known;
  for (const Judgement& judgement : summary.judgements) {
    for (const ExpectedFailure& finding : judgement.known) known.push_back({&judgement, &finding});
  }
  return known;
}

std::vector<Group> subjects_not_run(const Summary& summary) {
  const std::map<std::string, std::string> reasons = reasons_not_run(summary);
  Groups groups;
  for (const Subject& subject : summary.subjects) {
    if (const auto found = reasons.find(subject.name); found != reasons.end())
      groups.add(subject.name, found->second, 0);
  }
  for (const Judgement& judgement : summary.judgements) {
    const auto found = reasons.find(judgement.subject);
    if (found != reasons.end() && found->second == judgement.reason) groups.add(judgement.subject, judgement.reason, 1);
  }
  return groups.all();
}

std::vector<Group> properties_skipped(const Summary& summary) {
  const std::map<std::string, std::string> reasons = reasons_not_run(summary);
  Groups groups;
  for (const Judgement* judgement : with_verdict(summary, Verdict::skipped)) {
    const auto found = reasons.find(judgement->subject);
    const bool is_the_subjects = found != reasons.end() && found->second == judgement->reason;
    if (!is_the_subjects) groups.add(judgement->subject, judgement->reason, 1);
  }
  // A property that passed may still say which part of it was left out.
  for (const Judgement& judgement : summary.judgements) {
    const bool in_part = judgement.verdict == Verdict::passed || judgement.verdict == Verdict::known;
    if (in_part && !judgement.reason.empty()) groups.add(judgement.subject, judgement.reason, 1);
  }
  return groups.all();
}

bool is_without_cases(const Judgement& judgement) {
  return judgement.verdict == Verdict::mistrusted && judgement.cases == 0;
}

std::vector<Group> properties_without_cases(const Summary& summary) {
  Groups by_subject;
  for (const Judgement& judgement : summary.judgements) {
    if (is_without_cases(judgement)) by_subject.add(judgement.subject, judgement.reason, 1);
  }
  std::vector<Group> by_reason;
  for (const Group& group : by_subject.all()) {
    const auto same =
        std::find_if(by_reason.begin(), by_reason.end(), [&](const Group& one) { return one.reason == group.reason; });
    if (same == by_reason.end()) {
      by_reason.push_back(group);
      continue;
    }
    same->subject += ", " + group.subject;
    same->count += group.count;
  }
  std::erase_if(by_reason, [](const Group& group) { return group.count == 1; });
  return by_reason;
}

std::vector<Group> elements_explained(const Summary& summary) {
  Groups groups;
  for (const Judgement& judgement : summary.judgements) {
    for (const auto& [reason, count] : judgement.explained) groups.add(judgement.subject, reason, count);
  }
  return groups.all();
}

std::vector<Refusals> refusals_of(const Summary& summary) {
  std::vector<Refusals> all;
  std::map<std::string, std::size_t> places;
  for (const Judgement& judgement : summary.judgements) {
    if (judgement.refused.cases == 0) continue;
    const auto [place, is_new] = places.try_emplace(judgement.subject, all.size());
    if (is_new) all.push_back({judgement.subject, 0, 0, "", ""});
    Refusals& refusals = all[place->second];
    refusals.cases += judgement.refused.cases;
    ++refusals.properties;
    if (!refusals.message.empty()) continue;
    refusals.property = judgement.property;
    refusals.message = judgement.refused.message;
  }
  return all;
}

std::string counts_text(const Summary& summary) {
  std::string text = std::to_string(summary.counts.at(Verdict::passed)) + " PASSED";
  for (const Verdict verdict : {Verdict::failed, Verdict::mistrusted, Verdict::known, Verdict::skipped}) {
    const std::uint64_t count = summary.counts.at(verdict);
    if (count != 0) text += ", " + std::to_string(count) + " " + name_of(verdict);
  }
  return text;
}

std::string how_found(const Failure& failure) {
  const std::string after = "after " + counted(failure.judgement->cases, "case");
  if (failure.finding.problem.empty()) return after;
  return after + ", smallest case after " + counted(failure.finding.shrinks, "shrink");
}

}  // namespace tileproof::reports
