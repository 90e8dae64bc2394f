/// A run's summary, grouped for its writers. What these point to lives in the summary. Internal to reports/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reports/records/summary.h"

namespace tileproof::reports {

struct Row {
  std::string property;
  std::vector<const Judgement*> cells;  // one a subject of the table; nullptr where the property was not put to it
};
struct Table {
  std::vector<const Subject*> subjects;  // those that ran: not every property is SKIPPED
  std::vector<Row> rows;                 // properties that any of them ran, in the order of first appearance
};
Table table_of(const Summary&);

std::vector<const Judgement*> with_verdict(const Summary&, Verdict);

struct Failure {
  const Judgement* judgement;
  Finding finding;  // where none is recorded, one without a kind, whose details say so
};
/// Why the judgement is FAILED: at least one.
std::vector<Failure> failures_of(const Judgement&);
/// The failures of all properties, the most diagnostic first (causes.h).
std::vector<Failure> failures_of(const Summary&);

struct KnownFailure {
  const Judgement* judgement;
  const ExpectedFailure* finding;
};
std::vector<KnownFailure> known_failures(const Summary&);

struct Group {
  std::string subject;
  std::string reason;
  std::uint64_t count = 0;
};
/// Subjects of which no property ran. Counts the properties that are SKIPPED for that very reason.
std::vector<Group> subjects_not_run(const Summary&);
/// Properties SKIPPED for any other reason.
std::vector<Group> properties_skipped(const Summary&);
/// Properties MISTRUSTED for lack of a single case, by reason, all their subjects in one, where that is the reason of
/// more than one property: where somebody ended a run they are most of it.
std::vector<Group> properties_without_cases(const Summary&);
bool is_without_cases(const Judgement&);
/// Elements that differ as the property foresaw.
std::vector<Group> elements_explained(const Summary&);

/// Coverage goals out of reach of what a subject takes: counts the properties that have them.
std::vector<Group> goals_out_of_reach(const Summary&);
/// The sizes that each subject was asked, over all properties: "formats tinygemm-4; group_size 32, 64; n 8 to 524,296;
/// ...".
std::vector<Group> asked_of(const Summary&);

struct Refusals {
  std::string subject;
  std::uint64_t cases = 0;
  std::uint64_t properties = 0;
  std::string property;  // the first one with a message
  std::string message;   // its message
};
/// Cases refused with an error, by subject: a line for each property would be too long.
std::vector<Refusals> refusals_of(const Summary&);

std::string counts_text(const Summary&);  // "60 PASSED, 1 FAILED"
std::string how_found(const Failure&);    // "after 17 cases, smallest case after 5 shrinks"

}  // namespace tileproof::reports
