/// Groups a run's summary for the functions that write it. The pointers point into the summary, which must outlive
/// them. Internal to reports/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reports/records/summary.h"

namespace tileproof::reports {

struct Row {
  std::string property;
  std::vector<const Judgement*> cells;  // one per subject of the table; nullptr if it was not asked the property
};
struct Table {
  std::vector<const Subject*> subjects;  // subjects that ran: not every property is SKIPPED
  std::vector<Row> rows;                 // properties that a subject ran, in the order of first appearance
};
Table table_of(const Summary&);

std::vector<const Judgement*> with_verdict(const Summary&, Verdict);

struct Failure {
  const Judgement* judgement;
  Finding finding;  // if none is recorded: one without a kind, whose details give the reason
};
/// The reasons why the judgement is FAILED; at least one.
std::vector<Failure> failures_of(const Judgement&);
/// The failures of all properties, the most diagnostic first (causes.h). The first failure of every property comes
/// before the second of any.
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
/// Subjects for which no property ran, with the number of properties that are SKIPPED for that same reason.
std::vector<Group> subjects_not_run(const Summary&);
/// Properties SKIPPED for any other reason, and PASSED or KNOWN properties of which a part was left out.
std::vector<Group> properties_skipped(const Summary&);
/// Properties that are MISTRUSTED because they had no case at all, grouped by reason over all subjects. Only reasons of
/// more than one property are listed: after an interrupted run, most properties share one.
std::vector<Group> properties_without_cases(const Summary&);
/// Coverage goals that a subject's capabilities put out of reach, with the number of properties that have each goal.
std::vector<Group> goals_out_of_reach(const Summary&);
/// The formats and sizes that each subject was asked, over all properties:
/// "host: formats tinygemm-4; group_size 32, 64; n 8 to 524,296; ...".
std::vector<std::string> asked_of(const Summary&);

/// A list below the table of a run, with a line for each entry.
struct List {
  std::string title;
  std::vector<std::string> lines;
};
/// How a writer shows text from a record: one_line on a terminal, code in Markdown.
using Quote = std::string (*)(std::string_view);
List list_of_not_run(const Summary&, Quote);
List list_of_skipped(const Summary&, Quote);
/// Cases refused with an error, by subject: a list by property would be too long.
List list_of_refused(const Summary&, Quote);
/// Elements that differ in a way that the property predicts and explains.
List list_of_explained(const Summary&, Quote);
List list_of_known(const Summary&, Quote, bool with_expiry);

std::string counts_text(const Summary&);  // "60 PASSED, 1 FAILED"
std::string how_found(const Failure&);    // "after 17 cases, smallest case after 5 shrinks"

}  // namespace tileproof::reports
