/// What a report is made of: the records that were given, each read and checked, and what was wrong with the others.
/// Internal to reports/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reports/records/accuracy.h"
#include "reports/records/bench.h"
#include "reports/records/summary.h"

namespace tileproof::reports {

/// What a record says of the machine and the program, as name and value: "host_compiler.flags", "-O2 -g1".
using Provenance = std::map<std::string, std::string>;

/// A record as it was found.
template <class Record>
struct Found {
  std::string file;
  std::string run_start;
  Provenance provenance;
  Record record;
};

struct Measure {
  std::string name;
  double value = 0;
  std::string where;
};

struct Proof {
  std::string kind, property, subject, verdict, reason, point, order;
  std::uint64_t points = 0, points_done = 0, compared = 0;
  std::map<std::string, std::uint64_t> explained;
  std::vector<Measure> measures;
  double seconds = 0;
  std::string finding;              // kind and details; "" where there is none
  std::vector<std::string> replay;  // of it
};

/// What converting a zero point costs, measured.
struct DomainFigure {
  std::string format, direction, quantity, unit, zero_points, where;
  double value = 0;
  bool is_proved = false;
};

struct SelfStep {
  std::string step, verdict, said;
  std::map<std::string, std::string> fields;
};
struct SelfProof {
  std::string name, what, summary;
  std::vector<SelfStep> steps;
};
struct SanitizerRun {
  std::string tool, verdict, reason;
};

struct Proofs {
  std::string command, reason;
  std::uint64_t exit_code = 0;
  std::vector<Proof> proofs;
  std::vector<DomainFigure> domains;
  std::vector<SelfProof> self;
  std::vector<SanitizerRun> sanitizers;
  std::map<std::string, std::string> not_here;  // subjects that could not be asked, and why
};

struct CampaignFinding {
  std::string fingerprint, how, shrunk, kind, details, cause;
  std::uint64_t cases = 0;
  std::vector<std::uint64_t> examples;
  bool was_looked_into = false;
  std::vector<std::string> replay;
  std::string first_seen, last_seen;  // of the journal; "" where there is none
};

struct Campaign {
  std::string command, subject, seed, verdict, reason, why_it_ended;
  std::uint64_t cases = 0, elements = 0, failed = 0, cells_hit = 0, cells_reachable = 0;
  double chance_of_a_new_cell = 0, seconds = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> discovery;  // cases, cells
  std::vector<CampaignFinding> findings;
  std::map<std::string, std::uint64_t> known;
  std::vector<std::string> never_asked;
  std::vector<std::pair<std::string, bool>> planted;  // and whether it was found
  std::vector<std::string> cells;                     // those hit, of the journal
};

struct Records {
  std::vector<Found<Summary>> verified;
  std::vector<Found<Accuracy>> measured;
  std::vector<Found<Proofs>> proved;
  std::vector<Found<Campaign>> campaigns;
  std::vector<Found<Bench>> timed;
  std::vector<std::string> troubles;  // what could not be read: bad input

  bool empty() const {
    return verified.empty() && measured.empty() && proved.empty() && campaigns.empty() && timed.empty();
  }
  /// Of all records together.
  std::map<std::string, std::set<std::string>> values_of_provenance() const;
  /// The same; values that differ are joined by " | ".
  Provenance provenance() const;
};

/// Reads files, and searches folders for records by their names.
/// @param argument  for messages: "RUN" or "--against"
Records records_in(const std::string& argument, const std::vector<std::filesystem::path>&);

// Each throws std::runtime_error as read does of a summary.
Proofs read_proofs(const nlohmann::json&);
Campaign read_campaign(const nlohmann::json&);
/// Of the JSON that every record has of where it was made: `provenance` where there is one, else `machine`.
Provenance read_provenance(const nlohmann::json& record);

/// Adds what a campaign's journal holds: the cells that were hit, and when each fingerprint was seen.
/// @throws std::runtime_error which line is none, or was cut
void add_journal(const std::filesystem::path&, Campaign&);

}  // namespace tileproof::reports
