/// A run's summary, read from summary.json (schema 3) and checked. Internal to reports/.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reports/text.h"

namespace tileproof::reports {

enum class Verdict { passed, failed, skipped, mistrusted, known };
const char* name_of(Verdict);

struct Finding {
  std::string problem;  // its command line; empty if no case shows the finding, as when a known one no longer occurs
  std::string kind;
  std::string details;  // several lines
  std::string cause;    // "value" or "state" if the evidence shows that, whatever the property is about
  std::uint64_t shrinks = 0;
  std::vector<std::string> replay;     // words after `./tileproof replay`; empty: cannot be replayed
  std::string pattern = {};            // what all wrong elements listed share, such as "the sign of a zero"
  std::set<std::string> classes = {};  // of problems: "a group crosses rows"
};

/// A finding that the committed ledger lists, so that it is no failure of this run.
struct ExpectedFailure {
  std::string id;
  std::string what;
  std::string since;
  std::string expires;
  std::uint64_t cases = 0;
  std::string details;
  std::vector<std::string> replay;
  std::string problem = {}, kind = {}, pattern = {};  // as of a finding; "" in older records
  std::set<std::string> classes = {};
};

/// Cases that the subject answered with an error.
struct Refused {
  std::uint64_t cases = 0;
  std::string message;  // the first one; empty: none
};

/// One of the ways in which a property calls its subject; each is judged separately.
struct Variant {
  std::string name;
  Verdict verdict = Verdict::mistrusted;
  std::string reason;
};

/// The formats, sizes and cells that a subject was asked. `ranges` has "n", "k" and "groups", both ends included.
struct Asked {
  struct Range {
    std::uint64_t least = 0;
    std::uint64_t most = 0;
  };
  std::map<std::string, Range> ranges;
  std::set<std::string> formats;
  std::set<std::string> schemes;  // of formats that have several; none in older records
  std::set<std::uint64_t> group_sizes;
  std::uint64_t cells = 0;           // that cases have been in
  std::uint64_t cells_in_reach = 0;  // 0 in older records, and where problems are not drawn
};

struct Judgement {
  std::string property;
  std::string subject;
  std::vector<std::string> needs = {};  // operations; none in older records
  Verdict verdict = Verdict::mistrusted;
  std::string reason;
  std::uint64_t cases = 0;
  double seconds = 0;
  std::string output_hash;
  std::map<std::string, std::uint64_t> explained;  // elements, by reason
  std::vector<Finding> findings;                   // one for each way in which the property fails
  std::vector<ExpectedFailure> known;
  Refused refused;
  std::vector<Variant> variants;
  std::vector<std::string> out_of_reach;  // coverage goals beyond the subject's capabilities
  Asked asked;
  std::map<std::string, std::string> runs;  // way of running -> hash of all outputs, for properties about determinism
};

struct Subject {
  std::string name;
  std::string what;
  std::string why_not;
  std::string library = {}, device = {}, capability = {};  // whose it is, and where it ran; "" in older records
};

struct Machine {
  std::string compiler;
  std::string cpu;
  std::string gpu;  // empty: none
};

/// How many of the observed cases the run kept, and by which rule.
struct Observations {
  std::uint64_t cases = 0;
  std::uint64_t kept = 0;
  std::string rule;
};

struct Summary {
  std::string tool;
  std::string command;
  std::string run_start;
  double seconds = 0;
  std::string seed;  // 64 bits, as 0x and sixteen digits
  std::uint64_t cases_per_property = 0;
  Machine machine;
  Verdict verdict = Verdict::mistrusted;
  std::string reason;
  std::uint64_t exit_code = 0;
  std::string output_hash;
  std::map<Verdict, std::uint64_t> counts;
  std::vector<Subject> subjects;
  std::vector<Judgement> judgements;
  Observations observations;
};

/// @throws std::runtime_error: "summary.json: judgements[3].verdict: expected a string, got 7"; also if one field
///         contradicts another, because a verdict could then be lost on the way to the reader
Summary read(const nlohmann::json&);

}  // namespace tileproof::reports
