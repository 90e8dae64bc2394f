/// Tests of the harness itself, run by `tileproof prove self`. Each proof is a row, cut into steps of at most seconds
/// (a minute for the peers' criteria), so that the caller can show progress and keep to a budget.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "properties/judging/judge.h"
#include "properties/mutants/mutants.h"

namespace tileproof {

class Peers;

struct SelfEffort {
  std::int64_t cases = 300;
  std::uint64_t seed = 1;
  std::function<bool()> stop = nullptr;  // called between cases: true ends the step
  int threads = 2;                       // for steps that take minutes; each thread uses up to 600 MB
};

enum class SelfVerdict {
  held,
  broken,
  // A requirement is missing, or the budget ended first. Reported, but neither green nor red.
  not_shown
};

/// A named fact for records.
using SelfField = std::pair<std::string, std::variant<bool, std::int64_t, double, std::string>>;

struct SelfResult {
  SelfVerdict verdict = SelfVerdict::not_shown;
  std::string said;               // one line for people; a cell of the table
  std::string details;            // about what is broken or not shown, and distributions; any number of lines
  std::vector<SelfField> fields;  // for records
  double seconds = 0;             // filled in by run_step
};

struct SelfStep {
  std::string name;
  std::function<SelfResult(const SelfEffort&)> run;
};

struct SelfProof {
  std::string name;  // "mutants", "control", "peers" ...
  std::string what;
  bool takes_minutes;
  std::vector<SelfStep> steps;
  /// The score of the results so far, as lines for people.
  std::function<std::string(const std::vector<SelfResult>&)> summary;
};

/// All proofs, newly made. The steps of one proof may share results, so run them once and in order.
std::vector<SelfProof> self_proofs();

/// Runs a step and measures its time; an exception makes it BROKEN.
SelfResult run_step(const SelfStep&, const SelfEffort&);

/// How many subjects each of the peers' criteria has rejected so far.
/// @param complete  whether all were judged; if not, the verdict is not_shown
SelfResult result_of(const Peers&, bool complete);

const char* name_of(SelfVerdict);

// One function for each proof.
SelfProof proof_of_mutants();
SelfProof proof_of_control();
SelfProof proof_of_starved_properties();
SelfProof proof_of_harness();
SelfProof proof_of_peers();

/// How a property did against a mutant.
struct MutantScore {
  std::string mutant;
  std::string property;
  SelfVerdict verdict = SelfVerdict::broken;  // `held` means found
  std::int64_t cases_until_found = 0;         // of the property, including the failing one
  std::int64_t shrinks = 0;
  double seconds_until_found = 0;  // before shrinking
  std::string kind;                // of the failure
  std::string problem;             // the smallest failing problem, as a line
  std::string details;             // the finding, or why there is none
};

/// Runs one property against one mutant: sampled, or enumerated where the mutant requires it.
MutantScore score_of(const Mutant&, const std::string& property, const SelfEffort&);

/// A mutant's score as the result of a step. A command that runs enumerations in processes of their own, for mutants
/// that only those find, adds it to the results of the steps.
SelfResult result_of(const MutantScore&, const Mutant&);

/// A property that tests too little, or a subject that does too little, and the verdict it must get.
struct StarvedRow {
  std::string name;
  std::string what;
  Verdict wanted;
  std::string says;  // part of the expected reason or finding
  std::function<Judgement(const SelfEffort&)> judged;
  /// Judges the row with the missing part supplied. It must pass, which shows that the missing part was the reason.
  /// Empty if nothing can be supplied.
  std::function<Judgement(const SelfEffort&)> fed = nullptr;
};
const std::vector<StarvedRow>& starved_rows();

/// A property about the harness itself.
struct HarnessProperty {
  std::string name;
  std::string what;
  std::function<SelfResult(const SelfEffort&)> run;
};
const std::vector<HarnessProperty>& harness_properties();

}  // namespace tileproof
