/// Tests of the harness itself, run by `tileproof prove self`. Each proof is cut into steps of at most seconds (a
/// minute for the peers' criteria), so that the caller can show progress and keep to a budget. The parts of the harness
/// (problem lines, comparisons, generators, shrinking) have their tests beside them.
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
  std::size_t threads = 2;               // for steps that take minutes; each thread uses up to 600 MB
};

enum class SelfVerdict {
  held,
  broken,
  // The budget ended first. Reported, but neither green nor red.
  not_shown
};
const char* name_of(SelfVerdict);

/// A named fact for records.
using SelfField = std::pair<std::string, std::variant<bool, std::int64_t, double, std::string>>;

struct SelfResult {
  std::string name;  // of the step
  SelfVerdict verdict = SelfVerdict::not_shown;
  std::string said;               // one line for people; a cell of the table
  std::string details;            // about what is broken or not shown; any number of lines
  std::vector<SelfField> fields;  // for records; none if the step was not begun
  double seconds = 0;             // filled in by run_step
};

struct SelfStep {
  std::string name;
  std::function<SelfResult(const SelfEffort&)> run;
};

struct SelfProof {
  std::string name;  // "mutants", "control", "peers" ...
  std::string what;
  std::vector<SelfStep> steps = {};
  /// The score of the results so far, as lines for people.
  std::function<std::string(const std::vector<SelfResult>&)> summary = nullptr;
};

/// All proofs, newly made: the mutants first, and last the peers, which take minutes. The steps of one proof may share
/// results, so run them once and in order.
std::vector<SelfProof> self_proofs();

/// Runs a step and measures its time; an exception makes it BROKEN.
SelfResult run_step(const SelfStep&, const SelfEffort&);

// Proofs that have a file of their own.
SelfProof proof_of_starved_properties();
SelfProof proof_of_peers();

/// How many steps held, and what is wrong with the others.
/// @param things  the noun for steps, in the plural
/// @param done    the word for a step that held: "found", "passed"
std::string tally(const std::vector<SelfResult>&, const std::string& things, const std::string& done);

/// How many subjects each of the peers' criteria has rejected so far.
/// @param complete  whether all were judged; if not, the verdict is not_shown
SelfResult result_of(const Peers&, bool complete);

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

/// Runs one property against one mutant.
MutantScore score_of(const Mutant&, const std::string& property, const SelfEffort&);

/// A mutant's score as the result of a step. A command that runs enumerations in processes of their own, for mutants
/// that only those find, adds it to the results of the steps.
SelfResult result_of(const MutantScore&, const Mutant&);

}  // namespace tileproof
