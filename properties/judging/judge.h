/// Judging: runs a property on a subject over many cases, or over one, and gives the verdict.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "properties/case/cells.h"
#include "properties/case/property.h"

namespace tileproof {

struct SampleSpace;

enum class Verdict { passed, failed, skipped, mistrusted, known };
const char* name_of(Verdict);

/// The smallest case found that fails.
struct Finding {
  Problem problem;
  std::string kind;                               // mismatch, guard, error, refusal, crash, hang
  std::string details;                            // the first wrong elements, and how many there are
  std::int64_t shrinks = 0;                       // smaller problems that failed on the way here
  std::optional<Problem> smaller = std::nullopt;  // a smaller problem that should fail too
  std::vector<WrongElement> wrong = {};           // the first wrong elements, if any
  std::string cause = "";                         // Failure::cause
};

/// A known failure that is not ours to fix, about one property on one subject. Any other field that is empty matches
/// everything.
struct ExpectedFailure {
  std::string id;
  std::string subject;
  std::string property;
  std::string variant;
  std::string kind;
  std::string says;     // a part of the finding's details
  std::string what;     // a description for people
  std::string since;    // when it was first seen, and in what
  std::string expires;  // what would make it go away
  // Conditions on the run. A row whose conditions do not hold is left out of it (fuzz/records/expected_failures.h).
  std::string library = {};     // "bitsandbytes 0.50.2"
  std::string capability = {};  // of the CPU
  std::string device = {};
  std::string format = {};
  // Conditions on the case and the finding.
  std::string scheme = {};
  std::string weight_type = {};
  std::string where = {};    // a class of problems (patterns.h)
  std::string pattern = {};  // the pattern of values of the elements that it is about (case/wrong_elements.h)

  /// How many drawn cases that fulfil its conditions may miss it by chance: where data decide, some occur in one of a
  /// hundred.
  std::int64_t may_miss() const { return !(where + pattern).empty() ? 999 : (scheme + weight_type).empty() ? 0 : 29; }
  /// Whether it says of itself which cases fail, so that a case without a result is one that was looked at.
  bool says_which_cases() const { return !(variant + where).empty(); }
};

/// The rows that together expect a finding, which must be about their property and subject: each wrong element is
/// expected by one, by the first pattern that it shows. Empty if something is expected by none.
std::vector<const ExpectedFailure*> rows_that_expect(const std::vector<const ExpectedFailure*>& rows, const Finding&);

/// How often an expected failure was met, and its first finding.
struct KnownCases {
  ExpectedFailure row;
  std::int64_t cases = 0;
  Finding first;
  std::int64_t chances = 0;  // cases of its variant, format, scheme, type and class
};

/// The outcome of a case.
struct CaseOutcome {
  std::optional<Finding> finding = std::nullopt;
  bool device_lost = false;  // nothing more can be run
  // The case ended its process and another one goes on: such cases are expensive.
  bool process_lost = false;
  bool was_hang = false;                              // the process hung: the wait makes the case even more expensive
  bool discarded = false;                             // the body rejected the problem
  std::optional<std::string> refused = std::nullopt;  // the subject's error
  std::optional<std::string> unavailable = std::nullopt;  // what this machine lacks

  bool has_passed() const { return !finding && !refused && !unavailable && !discarded; }
};

/// Runs cases on a subject, in this process or in one that a case may end.
class CaseRunner {
 public:
  virtual ~CaseRunner() = default;
  /// @param coverage  empty at first; what the case meets is added to it
  virtual CaseOutcome run(const Property&, const Problem&, Coverage& coverage) = 0;
  /// Makes the next case run in a process that has run none.
  /// @return whether the runner can
  virtual bool start_afresh() { return false; }
};

/// Runs cases in this process.
class InThisProcess : public CaseRunner {
 public:
  InThisProcess(const Capabilities& capabilities, Subject& subject) : capabilities_(capabilities), subject_(subject) {}
  CaseOutcome run(const Property&, const Problem&, Coverage&) override;

 private:
  const Capabilities& capabilities_;
  Subject& subject_;
};

/// The sizes, formats, group sizes and cells of all cases that a subject was asked.
struct Asked {
  struct Range {
    std::int64_t least = 0;
    std::int64_t most = 0;
  };
  std::map<std::string, Range> ranges;  // "n", "k", "groups"
  std::set<std::string> formats;
  std::set<std::string> schemes;  // of formats that have several
  std::set<std::int64_t> group_sizes;
  std::set<Cell> cells;

  void add(const Property&, const Problem&);
  void add(const Asked&);
};

/// The verdict on one variant of a property.
struct VariantVerdict {
  Verdict verdict = Verdict::mistrusted;
  std::int64_t cases = 0;
  std::string reason;  // for FAILED, the kind of the finding
};

struct Judgement {
  std::string property;
  std::string subject;
  Verdict verdict = Verdict::mistrusted;
  std::string reason;  // for SKIPPED and MISTRUSTED; otherwise what was left out as unavailable
  std::int64_t cases = 0;
  std::int64_t elements = 0;
  double seconds = 0;
  std::uint64_t output_hash = 0;
  std::map<std::string, std::int64_t> classes;
  std::map<std::string, std::int64_t> explained;
  std::vector<Finding> findings;  // one for each variant, and one more if an unclear error hid a graver finding
  std::vector<KnownCases> known;
  std::int64_t refused_cases = 0;
  std::string first_refusal;
  std::int64_t unavailable_cases = 0;
  std::map<std::string, std::string> unavailable;  // by variant: what a case needed and this machine lacks
  std::set<std::string> variants_run;              // variants with a case that showed something
  std::map<std::string, std::int64_t> cases_of;    // by variant
  std::map<std::string, std::int64_t> refused_of;  // refused cases by variant
  std::map<std::string, std::int64_t> known_of;    // known failures by variant
  std::map<std::string, VariantVerdict> variants;  // empty for a property without variants
  std::vector<std::string> out_of_reach;           // coverage goals that the subject's capabilities exclude
  Asked asked;
  std::uint64_t cells_in_reach = 0;  // that the property draws from for the subject; 0 for fixed problems
  bool device_lost = false;
  Coverage coverage;             // coverage of all cases; the fields above are taken from it
  Coverage met_apart;            // coverage of the cases that were refused or unavailable
  Coverage met_known;            // coverage of the cases that failed as known and have shown something
  bool known_has_shown = false;  // there is such a case
  std::string gave_up;           // why the generator gave up, if it did

  /// Adds another round of the same property on the same subject. Each variant keeps its first finding, and the verdict
  /// is about all rounds together.
  void add(const Judgement& round, const Property&, const Capabilities&);
  /// Derives the verdict and the figures from what has been met.
  /// @param space  the problems that the property draws from for the subject
  void settle(const Property&, const SampleSpace&);

 private:
  void settle_variants(const Property&, const SampleSpace&);
};

/// One case as it happened, for records.
struct Observation {
  const Problem& problem;
  std::string status;  // passed, failed, gave_up
  std::string kind;    // kind of the failure, or why the case gave up
  double seconds;
};

/// The number of processes that a run may lose, over all its properties; a hang costs as much as ten crashes. Once it
/// is used up, a finding that ends a process is reported as it was drawn, without shrinking.
struct Patience {
  std::int64_t crashes = 80;

  /// Charges a lost process to the budget.
  /// @return false if that used the budget up
  bool outlasts(const CaseOutcome& outcome) {
    if (outcome.process_lost) crashes -= outcome.was_hang ? 10 : 1;
    return !outcome.process_lost || crashes > 0;
  }
};

struct Effort {
  std::int64_t cases = 100;
  std::uint64_t seed = 1;
  const std::vector<ExpectedFailure>* expected_failures = nullptr;
  Patience* patience = nullptr;          // shared by the run; if null, each property has its own
  std::function<bool()> stop = nullptr;  // true ends shrinking early, and drawing for goals
  bool draws_for_goals = true;           // draw more problems if chance has not met a goal
};

using Observer = std::function<void(const Observation&)>;

/// Draws `effort.cases` problems of the property for the subject, and shrinks the first failure of each variant.
Judgement judge(const Property&, const SubjectRow&, CaseRunner&, const Effort&, const Observer& = nullptr);
Judgement judge(const Property&, const SubjectRow&, Subject&, const Effort&, const Observer& = nullptr);

/// Runs one problem. The verdict is PASSED, FAILED, SKIPPED, or MISTRUSTED if nothing was compared.
/// @throws UsageError if the problem is impossible, or the property is not about it, or the subject does not take it
Judgement judge_one(const Problem&, const SubjectRow&, CaseRunner&);
Judgement judge_one(const Problem&, const SubjectRow&, Subject&);

/// The judgement of a property on a subject that cannot run it here.
Judgement skipped(const Property&, const std::string& subject_name, const std::string& why);

}  // namespace tileproof
