/// Judging: a property put to a subject over many cases, or over one, and the verdict.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

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
  std::optional<Problem> smaller = std::nullopt;  // that should fail too, where the property knows one
  std::vector<WrongElement> wrong = {};           // the first ones, where elements are wrong
  std::string cause = "";                         // Failure::cause
};

/// A finding that is known, and not ours to mend: a row of the ledger. It is about one property on one subject; any
/// other field that is empty matches everything.
struct ExpectedFailure {
  std::string id;
  std::string subject;
  std::string property;
  std::string variant;
  std::string kind;
  std::string says;     // a part of the finding's details
  std::string what;     // what it is, for people
  std::string since;    // when it was seen first, and in what
  std::string expires;  // what would make it go away
};

/// Whether a finding of the row's property on the row's subject is what the row knows.
bool matches(const ExpectedFailure& row, const Finding&);

/// How often a known finding was met, and the first time.
struct KnownCases {
  ExpectedFailure row;
  std::int64_t cases = 0;
  Finding first;
};

/// What came of a case.
struct CaseOutcome {
  std::optional<Finding> finding = std::nullopt;
  bool device_lost = false;   // nothing more can be run
  bool process_lost = false;  // a process died of it, and another one goes on: such cases are expensive
  bool was_hang = false;      // and more so where it had to be waited for
  bool discarded = false;     // the body did not want the problem
  std::optional<std::string> refused = std::nullopt;      // the subject's error
  std::optional<std::string> unavailable = std::nullopt;  // what this machine has not

  bool has_passed() const { return !finding && !refused && !unavailable && !discarded; }
};

/// Who runs cases on a subject: this process, or one that may die of them.
class CaseRunner {
 public:
  virtual ~CaseRunner() = default;
  /// @param met  empty; what the case meets is added to it
  virtual CaseOutcome run(const Property&, const Problem&, Coverage& coverage) = 0;
  /// Runs the next case in a process that has run none. @return whether it can
  virtual bool start_afresh() { return false; }
};

/// Runs them here.
class InThisProcess : public CaseRunner {
 public:
  InThisProcess(const Capabilities& capabilities, Subject& subject) : capabilities_(capabilities), subject_(subject) {}
  CaseOutcome run(const Property&, const Problem&, Coverage&) override;

 private:
  const Capabilities& capabilities_;
  Subject& subject_;
};

/// What a subject was asked, of all cases together.
struct SizesAsked {
  struct Range {
    std::int64_t least = 0;
    std::int64_t most = 0;
  };
  std::map<std::string, Range> ranges;  // "n", "k", "groups"
  std::set<std::string> formats;
  std::set<std::int64_t> group_sizes;

  void add(const Problem&);
  void add(const SizesAsked&);
};

/// The verdict on one variant of a property.
struct VariantVerdict {
  Verdict verdict = Verdict::mistrusted;
  std::int64_t cases = 0;
  std::string reason;  // of FAILED the kind of the finding
};

struct Judgement {
  std::string property;
  std::string subject;
  Verdict verdict = Verdict::mistrusted;
  std::string reason;  // of SKIPPED and MISTRUSTED
  std::int64_t cases = 0;
  std::int64_t elements = 0;
  double seconds = 0;
  std::uint64_t output_hash = 0;
  std::map<std::string, std::int64_t> classes;
  std::map<std::string, std::int64_t> explained;
  std::vector<Finding> findings;  // of a variant one, and one more where an unclear error hid a graver finding
  std::vector<KnownCases> known;
  std::int64_t refused_cases = 0;
  std::string first_refusal;
  std::int64_t unavailable_cases = 0;
  std::map<std::string, std::string> unavailable;  // by variant: what a case needed and this machine has not
  std::set<std::string> variants_run;              // of which a case was not unavailable
  std::map<std::string, std::int64_t> cases_of;    // by variant
  std::map<std::string, std::int64_t> refused_of;  // likewise
  std::map<std::string, std::int64_t> known_of;    // likewise
  std::map<std::string, VariantVerdict> variants;  // of a property that has some
  std::vector<std::string> out_of_reach;           // coverage goals that what the subject takes leaves out
  SizesAsked asked;
  bool device_lost = false;
  Coverage coverage;    // what all cases together have met: the fields above are taken from it
  Coverage met_apart;   // and what those met that were refused or unavailable
  Coverage met_known;   // and what those met that failed as known: it was looked at
  std::string gave_up;  // of the generator, where it did

  /// Adds another round of the same property on the same subject; of a variant, the first finding stays. The verdict is
  /// of all together.
  void add(const Judgement& round, const Property&, const Capabilities&);
  /// Takes verdict and figures from what has been met. @param space  what the property is drawn from for the subject
  void settle(const Property&, const SampleSpace&);

 private:
  void settle_variants(const Property&, const SampleSpace&);
};

/// One case as it happened, for records.
struct Observation {
  const Problem& problem;
  std::string status;  // passed, failed, gave_up
  std::string kind;    // of the failure, or why it gave up
  double seconds;
};

/// How many processes shrinking may lose, over all properties of a run; a hang costs as much as ten crashes. When it is
/// used up, a finding of that kind is reported as it was drawn.
struct Patience {
  std::int64_t crashes = 80;
};

struct Effort {
  std::int64_t cases = 100;
  std::uint64_t seed = 1;
  const std::vector<ExpectedFailure>* expected_failures = nullptr;
  Patience* patience = nullptr;          // of the run; each property has its own where there is none
  std::function<bool()> stop = nullptr;  // asked while shrinking: whether to make do with what there is
  bool draws_for_goals = true;           // on where chance has not met a goal
};

using Observer = std::function<void(const Observation&)>;

/// Draws `effort.cases` problems of the property for the subject, shrinks the first of each variant that fails.
Judgement judge(const Property&, const SubjectRow&, CaseRunner&, const Effort&, const Observer& = nullptr);
Judgement judge(const Property&, const SubjectRow&, Subject&, const Effort&, const Observer& = nullptr);

/// Runs one problem. Its verdict is PASSED, FAILED, SKIPPED, or MISTRUSTED where nothing was compared.
/// @throws UsageError where the problem is impossible or outside what the property or the subject takes
Judgement judge_one(const Problem&, const SubjectRow&, CaseRunner&);
Judgement judge_one(const Problem&, const SubjectRow&, Subject&);

/// The judgement where the subject cannot be run here.
Judgement skipped(const Property&, const std::string& subject_name, const std::string& why);

}  // namespace tileproof
