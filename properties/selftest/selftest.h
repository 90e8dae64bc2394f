/// The harness judged: what `tileproof prove self` runs. Each proof is a row, cut into steps that take seconds at most
/// (those of the peers' criteria: a minute), so that whoever runs them shows progress and keeps to a budget.
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
  std::function<bool()> stop = nullptr;  // asked in between: whether to end
  int threads = 2;                       // of what takes minutes; each has up to 600 MB
};

enum class SelfVerdict {
  held,
  broken,
  not_shown  // what it needs is not there, or the budget ended before: neither green nor red, and said
};

/// A fact for records: a name and its value.
using SelfField = std::pair<std::string, std::variant<bool, std::int64_t, double, std::string>>;

struct SelfResult {
  SelfVerdict verdict = SelfVerdict::not_shown;
  std::string said;               // for people, one line; a cell of the table
  std::string details;            // of what is broken or not shown, and distributions: any number of lines
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
  /// The score, in lines for people, of the results that there are.
  std::function<std::string(const std::vector<SelfResult>&)> summary;
};

/// Fresh ones: steps of one proof may share what they computed, and are to be run in their order, once.
std::vector<SelfProof> self_proofs();

/// Runs a step and takes its time; an exception that leaves it is BROKEN.
SelfResult run_step(const SelfStep&, const SelfEffort&);

/// How many subjects each of the peers' criteria has rejected so far.
/// @param complete  whether all were judged; else nothing is shown
SelfResult result_of(const Peers&, bool complete);

const char* name_of(SelfVerdict);

// The proofs, one each.
SelfProof proof_of_mutants();
SelfProof proof_of_control();
SelfProof proof_of_starved_properties();
SelfProof proof_of_harness();
SelfProof proof_of_peers();

/// How a property did against a mutant.
struct MutantScore {
  std::string mutant;
  std::string property;
  SelfVerdict verdict = SelfVerdict::broken;  // held: found
  std::int64_t cases_until_found = 0;         // of the property's, the failing one included
  std::int64_t shrinks = 0;
  double seconds_until_found = 0;  // and not until it was shrunk
  std::string kind;                // of the failure
  std::string problem;             // the smallest, as a line
  std::string details;             // what was found, or why it was not
};

/// One mutant put to one property: drawn, or enumerated where the mutant says so.
MutantScore score_of(const Mutant&, const std::string& property, const SelfEffort&);

/// A mutant's score as the result of a step. A command that runs the enumerations of mutants which only they show, in
/// processes of their own, adds it to the results of the steps.
SelfResult result_of(const MutantScore&, const Mutant&);

/// A property that looks at too little, or a subject that does, and what has to come of it.
struct StarvedRow {
  std::string name;
  std::string what;
  Verdict wanted;
  std::string says;  // a part of the reason, or of the finding
  std::function<Judgement(const SelfEffort&)> judged;
  /// The same with what it lacked, which must pass: that the want is what was seen. Empty where it has none.
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
