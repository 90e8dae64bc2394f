#include "reports/assessment/groups.h"

#include <algorithm>
#include <set>
#include <utility>

#include "reports/assessment/causes.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

/// Adds to the group of a subject and a reason, which becomes the last one if it is new.
void add(std::vector<Group>& groups, const std::string& subject, const std::string& reason, std::uint64_t count) {
  const auto group = std::find_if(groups.begin(), groups.end(),
                                  [&](const Group& one) { return one.subject == subject && one.reason == reason; });
  if (group == groups.end()) {
    groups.push_back({subject, reason, count});
  } else {
    group->count += count;
  }
}

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

}  // namespace

std::vector<Group> goals_out_of_reach(const Summary& summary) {
  std::vector<Group> groups;
  for (const Judgement& judgement : summary.judgements) {
    for (const std::string& goal : judgement.out_of_reach) add(groups, judgement.subject, goal, 1);
  }
  return groups;
}

std::vector<std::string> asked_of(const Summary& summary) {
  std::vector<std::string> lines;
  for (const Subject& subject : summary.subjects) {
    Asked all;
    for (const Judgement& judgement : summary.judgements) {
      if (judgement.subject != subject.name) continue;
      all.formats.insert(judgement.asked.formats.begin(), judgement.asked.formats.end());
      all.group_sizes.insert(judgement.asked.group_sizes.begin(), judgement.asked.group_sizes.end());
      for (const auto& [name, range] : judgement.asked.ranges) {
        Asked::Range& own = all.ranges.try_emplace(name, range).first->second;
        own = {std::min(own.least, range.least), std::max(own.most, range.most)};
      }
      all.cells += judgement.asked.cells;
      all.cells_in_reach += judgement.asked.cells_in_reach;
    }
    if (all.ranges.empty()) continue;
    std::string text =
        subject.name + ": formats " + joined(all.formats, ", ") + "; group_size " +
        joined(all.group_sizes, ", ", [](std::uint64_t size) { return size == 0 ? "a row" : std::to_string(size); });
    for (const char* name : {"n", "k", "groups"}) {
      const Asked::Range& range = all.ranges[name];
      text += std::string("; ") + name + " " + with_commas(range.least);
      if (range.most != range.least) text += " to " + with_commas(range.most);
    }
    if (all.cells_in_reach != 0) {
      text += "; " + with_commas(all.cells) + " of " + with_commas(all.cells_in_reach) + " cells of its properties";
    }
    lines.push_back(text);
  }
  return lines;
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
  if (!failures.empty()) return failures;
  Finding none;
  none.details = judgement.reason.empty() ? "no finding is recorded" : judgement.reason;
  return {{&judgement, none}};
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
  std::vector<Group> groups;
  for (const Subject& subject : summary.subjects) {
    if (const auto found = reasons.find(subject.name); found != reasons.end())
      add(groups, subject.name, found->second, 0);
  }
  for (const Judgement& judgement : summary.judgements) {
    const auto found = reasons.find(judgement.subject);
    if (found != reasons.end() && found->second == judgement.reason)
      add(groups, judgement.subject, judgement.reason, 1);
  }
  return groups;
}

std::vector<Group> properties_skipped(const Summary& summary) {
  const std::map<std::string, std::string> reasons = reasons_not_run(summary);
  std::vector<Group> groups;
  for (const Judgement* judgement : with_verdict(summary, Verdict::skipped)) {
    const auto found = reasons.find(judgement->subject);
    const bool is_the_subjects = found != reasons.end() && found->second == judgement->reason;
    if (!is_the_subjects) add(groups, judgement->subject, judgement->reason, 1);
  }
  // A property that passed may still say which part of it was left out.
  for (const Judgement& judgement : summary.judgements) {
    const bool in_part = judgement.verdict == Verdict::passed || judgement.verdict == Verdict::known;
    if (in_part && !judgement.reason.empty()) add(groups, judgement.subject, judgement.reason, 1);
  }
  return groups;
}

std::vector<Group> properties_without_cases(const Summary& summary) {
  std::vector<Group> groups;
  std::set<std::pair<std::string, std::string>> named;  // (reason, subject)
  for (const Judgement& judgement : summary.judgements) {
    if (judgement.verdict != Verdict::mistrusted || judgement.cases != 0) continue;
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const Group& one) { return one.reason == judgement.reason; });
    if (group == groups.end()) group = groups.insert(group, {"", judgement.reason, 0});
    if (named.insert({judgement.reason, judgement.subject}).second) {
      group->subject += (group->subject.empty() ? "" : ", ") + judgement.subject;
    }
    ++group->count;
  }
  std::erase_if(groups, [](const Group& group) { return group.count == 1; });
  return groups;
}

List list_of_not_run(const Summary& summary, Quote quote) {
  List list = {"Did not run", {}};
  for (const Group& group : subjects_not_run(summary)) {
    list.lines.push_back(quote(group.subject) + ": " + quote(group.reason) +
                         (group.count == 0 ? "" : " (" + counted(group.count, "property") + " SKIPPED)"));
  }
  return list;
}

List list_of_skipped(const Summary& summary, Quote quote) {
  List list = {"Skipped", {}};
  for (const Group& group : properties_skipped(summary)) {
    list.lines.push_back(quote(group.subject) + ": " + counted(group.count, "property") +
                         " SKIPPED: " + quote(group.reason));
  }
  return list;
}

List list_of_refused(const Summary& summary, Quote quote) {
  List list = {"Refused with an error", {}};
  std::set<std::string> listed;
  for (const Judgement& first : summary.judgements) {
    if (first.refused.cases == 0 || !listed.insert(first.subject).second) continue;
    std::uint64_t cases = 0, properties = 0;
    const Judgement* example = &first;  // the first with a message, or the last if none has one
    for (const Judgement& one : summary.judgements) {
      if (one.subject != first.subject || one.refused.cases == 0) continue;
      cases += one.refused.cases;
      ++properties;
      if (example->refused.message.empty()) example = &one;
    }
    list.lines.push_back(quote(first.subject) + ": " + counted(cases, "case") + " in " +
                         counted(properties, "property") + ", such as in " + quote(example->property) + ": " +
                         quote(example->refused.message));
  }
  return list;
}

List list_of_explained(const Summary& summary, Quote quote) {
  std::vector<Group> groups;
  for (const Judgement& judgement : summary.judgements) {
    for (const auto& [reason, count] : judgement.explained) add(groups, judgement.subject, reason, count);
  }
  List list = {"Explained differences, which are not failures", {}};
  for (const Group& group : groups) {
    list.lines.push_back(quote(group.subject) + ": " + counted(group.count, "element") + ": " + quote(group.reason));
  }
  return list;
}

List list_of_known(const Summary& summary, Quote quote, bool with_expiry) {
  List list = {"Known findings, which are not failures of this run", {}};
  for (const auto& [judgement, finding] : known_failures(summary)) {
    list.lines.push_back(quote(judgement->subject) + ": " + quote(finding->id) + ": " + quote(finding->what) +
                         " (since " + quote(finding->since) +
                         (with_expiry ? ", expires " + quote(finding->expires) : "") + ", " +
                         counted(finding->cases, "case") + " in " + quote(judgement->property) + ")");
  }
  return list;
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
