/// The journal of a campaign: an append-only file of JSON lines in the observation schema of property-based testing
/// tools (https://hypothesis.readthedocs.io, "Observability"), so that their viewers can read it.
///
///   info  "run"      what is judged; the first line, and again whenever the campaign is resumed
///   info  "planted"  whether the campaign finds the canaries that run before it
///   info  "corpus"   the results of the kept problems, which run again before it
///   info  "begin"    a batch of cases, before its first case can do harm
///   test_case        a case that did not pass, or the first one of a cell
///   info  "end"      the end of a batch: how many cases passed, and its other counts
///   alert "finding"  one fingerprint, confirmed and shrunk
///   info  "stop"     why the campaign ended
///
/// Each line is one write system call, so a killed process leaves all earlier lines intact; readers leave out a last
/// line that was cut, and report it.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "properties/judging/judge.h"

namespace tileproof {

inline constexpr int journal_version = 7;
inline constexpr std::uint64_t cases_of_batch = 64;
inline constexpr std::uint64_t most_shards = std::uint64_t{1} << 32;

/// The inputs that determine a campaign: they stay the same for a journal's whole life.
struct CampaignIdentity {
  std::string subject;
  std::vector<std::string> properties;  // the properties that take turns
  std::uint64_t seed = 1;
  std::uint64_t shard = 0;  // batches whose number has this remainder modulo `shards`
  std::uint64_t shards = 1;
  std::vector<std::string> replay_flags;
  std::string capabilities;  // of the subject, as JSON; the case list depends on them

  bool operator==(const CampaignIdentity&) const = default;
};

/// The results of a batch's cases.
struct BatchCounts {
  std::int64_t passed = 0;
  std::int64_t failed = 0;
  std::int64_t refused = 0;
  std::int64_t unavailable = 0;
  std::int64_t discarded = 0;
  std::int64_t elements = 0;
  double seconds = 0;
  std::map<std::string, std::int64_t> fingerprints = {};  // cases that failed, by fingerprint
  std::map<std::string, std::int64_t> known = {};         // cases that failed as expected, by entry of the ledger
  // Properties none of whose cases in the batch compared anything. Idle: some case passed or was refused although
  // refusing is not allowed. Absent: all cases were refused, unavailable or discarded.
  std::vector<std::string> idle = {};
  std::vector<std::string> absent = {};

  std::int64_t cases() const { return passed + failed + refused + unavailable + discarded; }
  void add(const BatchCounts&);
};

nlohmann::json json_of(const BatchCounts&);
BatchCounts batch_counts_of(const nlohmann::json&);

/// A case that failed, as it was first found.
struct FailedCase {
  std::uint64_t index;
  Finding finding;
};

/// The findings with one fingerprint, which are taken for one cause. See fingerprint.h.
struct CampaignFinding {
  std::string fingerprint;
  std::vector<std::uint64_t> cases;  // the first of them, at most five
  Finding smallest;
  bool was_looked_into =
      // Findings of one property and kind are examined up to the first that is reproducible; the others are recorded as
      // found.
      false;
  bool is_reproducible = false;  // fails alone, so its smallest case is worth keeping
  std::string how;               // reproducible; flaky, 1 of 3; needs the cases 3 to 17 before it
  std::string shrunk;            // how far it was shrunk, and why no further
};

class Journal {
 public:
  /// Opens the file for appending, and ends a last line that was cut.
  /// @throws UsageError if the file cannot be written
  explicit Journal(const std::filesystem::path& file);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Any thread may call these. Each throws std::runtime_error if the line cannot be written whole, as on a full disk.
  /// @param memory  the full path of the folder that --memory names, for a campaign that goes on
  void run(const CampaignIdentity&, const std::string& command, const nlohmann::json& machine = nullptr,
           const std::string& memory = "");
  void planted(const nlohmann::json&);
  void corpus(const nlohmann::json&);
  void begin(std::uint64_t batch, std::size_t worker);
  void end(std::uint64_t batch, const BatchCounts&);
  void first_of_cell(std::uint64_t index, const Problem&, const std::string& cell);
  void failed(const FailedCase&);
  void finding(const CampaignFinding&);
  void stop(const std::string& why);

  double run_start() const { return run_start_; }  // in seconds since 1970, written in each line

 private:
  void write(nlohmann::json line);

  int file_;
  double run_start_;
  std::mutex mutex_;
};

/// The contents of a journal.
struct JournalContents {
  CampaignIdentity identity;
  std::string memory;  // of the last run
  nlohmann::json planted = nlohmann::json::array();
  nlohmann::json corpus = nlohmann::json::object();  // counts of the last run
  std::map<std::uint64_t, BatchCounts> done;         // by batch number
  std::vector<std::uint64_t> begun;                  // batches that have begun and not ended
  std::vector<FailedCase> failed;                    // one for each case, from batches that ended or did not
  std::vector<CampaignFinding> findings;             // one for each fingerprint
  std::size_t lines = 0;
  /// Seconds that the journal's runs took, without the time between them.
  double seconds() const { return earlier_runs + (until - last_run); }
  double since = 0, until = 0;  // start of the first run and end of the last, in seconds since 1970
  double last_run = 0;          // start of the last run
  double earlier_runs = 0;      // total duration of all runs before the last
  bool was_cut = false;         // the last line, or the last line before a resumed run, was cut
};

/// The cases of a batch, except those in `skipped`.
std::vector<std::uint64_t> cases_of(std::uint64_t batch, const std::vector<std::uint64_t>& skipped = {});

/// Batches of the journal's shard, up to the last one it contains, that have not ended: those that have begun, and
/// those that were given out but never begun.
std::vector<std::uint64_t> unfinished_batches(const JournalContents&);

/// @throws UsageError if the file is no journal, has another version, or was edited: which line, and what is wrong
JournalContents journal_of(const std::filesystem::path& file);
/// @param name  of the journal, for messages
JournalContents journal_of(std::istream&, const std::string& name);

}  // namespace tileproof
