/// The records that a report is made from, read and checked, and the troubles with those that cannot be used. Internal
/// to reports/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "reports/records/accuracy.h"
#include "reports/records/bench.h"
#include "reports/records/summary.h"

namespace tileproof::reports {

/// The machine and the program of a record, as name and value: "host_compiler.flags", "-O2 -g1".
using Provenance = std::map<std::string, std::string>;

/// A record with its file and provenance.
template <class Record>
struct Found {
  std::string file;
  std::string run_start;
  Provenance provenance;
  Record record;
};

/// All parts of one sort, such as judgements, from several records. The records must outlive them.
template <class Record, class Part>
std::vector<std::reference_wrapper<const Part>> parts_of(const std::vector<Found<Record>>& records,
                                                         std::vector<Part> Record::*parts) {
  std::vector<std::reference_wrapper<const Part>> all;
  for (const Found<Record>& one : records) {
    for (const Part& part : one.record.*parts) all.push_back(part);
  }
  return all;
}

struct Proof {
  std::string property, subject, verdict, reason, point;
  std::uint64_t points = 0, points_done = 0;
  std::map<std::string, std::uint64_t> explained;
  double seconds = 0;
  std::string finding = {};              // kind and details; "" if there is none
  std::vector<std::string> replay = {};  // words of the replay command of `finding`
};

/// A measured error of converting integer zero points to float zeros, or back.
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
  std::string reason;
  std::uint64_t exit_code = 0;
  std::vector<Proof> proofs;
  std::vector<DomainFigure> domains;
  std::vector<SelfProof> self;
  std::vector<SanitizerRun> sanitizers;
  std::map<std::string, std::string> not_here;  // subject that could not be asked -> reason
};

struct CampaignFinding {
  std::string fingerprint, how, shrunk, kind, details, cause;
  std::uint64_t cases = 0;
  std::vector<std::uint64_t> examples = {};
  bool was_looked_into = false;
  std::vector<std::string> replay;
  std::string first_seen = {}, last_seen = {};  // from the journal; "" without one
};

struct Campaign {
  std::string subject, seed, verdict, reason;
  std::uint64_t cases = 0, elements = 0, cells_hit = 0, cells_reachable = 0;
  double chance_of_a_new_cell = 0;
  std::vector<CampaignFinding> findings = {};
  std::map<std::string, std::uint64_t> known;
  std::vector<std::string> never_asked;
  std::vector<std::pair<std::string, bool>> planted = {};  // (mutant, whether it was found)
  std::vector<std::string> cells = {};                     // cells that were hit, from the journal
};

struct Records {
  std::vector<Found<Summary>> verified;
  std::vector<Found<Accuracy>> measured;
  std::vector<Found<Proofs>> proved;
  std::vector<Found<Campaign>> campaigns;
  std::vector<Found<Bench>> timed;
  std::vector<std::string> troubles;  // bad input: records that could not be read

  /// Calls `visit` with the name and the records of each kind. The name is that of the command, or of the file.
  template <class Visit>
  void each_kind(Visit visit) const {
    visit("verify", verified), visit("accuracy", measured), visit("prove", proved), visit("fuzz", campaigns);
    visit("bench", timed);
  }
  /// The names of the kinds that have a record.
  std::vector<std::string> kinds() const;
  bool empty() const { return kinds().empty(); }
  /// All values that the records have for each name.
  std::map<std::string, std::set<std::string>> values_of_provenance() const;
  /// The provenance of all records; values that differ are joined by " | ".
  Provenance provenance() const;
};

/// Reads files, and searches folders for records by their names.
/// @param argument  for messages: "RUN" or "--against"
Records records_in(const std::string& argument, const std::vector<std::filesystem::path>&);

// Each function throws std::runtime_error like read() in summary.h.
Proofs read_proofs(const nlohmann::json&);
Campaign read_campaign(const nlohmann::json&);
/// Flattens the part of a record that says where it was made: `provenance` if it has one, else `machine`.
Provenance read_provenance(const nlohmann::json& record);
/// "" if the provenance does not have the name.
std::string value_named(const Provenance&, const std::string& name);

/// Adds the cells that were hit and when each fingerprint was seen. An empty campaign is filled from the journal alone.
/// @throws std::runtime_error naming the line that is wrong or cut, or if the journal goes on after campaign.json
void add_journal(const std::filesystem::path&, Campaign&);

}  // namespace tileproof::reports
