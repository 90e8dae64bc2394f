/// Judging: a claim put to a subject over many cases, or over one, and the verdict.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "claim.h"

namespace tileproof {

enum class Verdict { passed, failed, skipped, mistrusted };
const char* name_of(Verdict);

/// The smallest case found that fails.
struct Finding {
  Problem problem;
  std::string kind;      // mismatch, guard, error
  std::string details;   // the first wrong elements, and how many there are
  std::int64_t shrinks;  // smaller problems that failed on the way here
};

struct Judgement {
  std::string claim;
  std::string subject;
  Verdict verdict = Verdict::mistrusted;
  std::string reason;  // of SKIPPED and MISTRUSTED
  std::int64_t cases = 0;
  std::int64_t elements = 0;
  double seconds = 0;
  std::uint64_t output_hash = 0;
  std::map<std::string, std::int64_t> classes;
  std::map<std::string, std::int64_t> explained;
  std::optional<Finding> finding;
  bool device_lost = false;
  Met met;              // what all cases together have met: the fields above are taken from it
  std::string gave_up;  // of the generator, where it did

  /// Adds another round of the same claim on the same subject; the first finding stays. The verdict is of all together.
  void add(const Judgement& round, const Claim&, const Envelope&);
  /// Takes verdict and figures from what has been met.
  void settle(const Claim&, const Envelope&);
};

/// One case as it happened, for records.
struct Observation {
  const Problem& problem;
  bool failed;
  std::string kind;
  double seconds;
};

struct Effort {
  std::int64_t cases = 100;
  std::uint64_t seed = 1;
};

using Observer = std::function<void(const Observation&)>;

/// Draws `effort.cases` problems of the claim for the subject, shrinks the first that fails.
Judgement judge(const Claim&, const SubjectRow&, Subject&, const Effort&, const Observer& = nullptr);

/// Runs one problem. Its verdict is PASSED, FAILED, SKIPPED, or MISTRUSTED where nothing was compared.
/// @throws Illegal where the problem is impossible or outside what the claim or the subject takes
Judgement judge_one(const Problem&, const SubjectRow&, Subject&);

/// The judgement where the subject cannot be run here.
Judgement skipped(const Claim&, const std::string& subject_name, const std::string& why);

}  // namespace tileproof
