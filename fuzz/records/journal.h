/// The journal of a campaign: a file that only grows, JSON lines in the observation schema of property-based testing
/// tools (https://hypothesis.readthedocs.io, "Observability"), so that their viewers read it.
///
///   info  "run"      what is judged; the first line, and again whenever the campaign is resumed
///   info  "planted"  whether the campaign finds what was planted before it
///   info  "corpus"   what became of the problems that were kept and run again before it
///   info  "begin"    a batch of cases, before its first case can do harm
///   test_case        a case that did not pass, and the first one of a cell
///   info  "end"      of a batch: how many cases passed, and what else they did
///   alert "finding"  one fingerprint, confirmed and shrunk
///   info  "stop"     why the campaign ended
///
/// Each line is one write of the operating system's: whoever is killed, the lines before it stay. A last line that was
/// cut is left out by readers, and said.
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

#include "fuzz/records/closest.h"
#include "properties/judging/judge.h"

namespace tileproof {

inline constexpr int journal_version = 4;
inline constexpr std::uint64_t cases_of_batch = 64;
inline constexpr std::uint64_t most_shards = std::uint64_t{1} << 32;

/// The inputs that determine a campaign: they stay the same for a journal's whole life.
struct CampaignIdentity {
  std::string subject;
  std::vector<std::string> properties;  // those that take turns
  std::uint64_t seed = 1;
  std::uint64_t shard = 0;  // of the batches those whose number leaves this remainder
  std::uint64_t shards = 1;
  std::vector<std::string> replay_flags;
  std::string capabilities;  // what the subject takes, as JSON: the list depends on it

  bool operator==(const CampaignIdentity&) const = default;
};

/// What came of a batch's cases.
struct BatchCounts {
  std::int64_t passed = 0;
  std::int64_t failed = 0;
  std::int64_t refused = 0;
  std::int64_t unavailable = 0;
  std::int64_t discarded = 0;
  std::int64_t elements = 0;
  double seconds = 0;
  std::map<std::string, std::int64_t> fingerprints = {};  // of those that failed
  std::map<std::string, std::int64_t> known = {};         // rows of the ledger that cases failed by
  // Properties with cases in the batch of which none compared anything: some passed, or none was more than refused,
  // unavailable or discarded.
  std::vector<std::string> idle = {};
  std::vector<std::string> absent = {};
  std::int64_t climbs = 0;           // cases run besides, around those of properties with a bound
  ClosestOfProperties closest = {};  // to their bounds

  std::int64_t cases() const { return passed + failed + refused + unavailable + discarded; }
  void add(const BatchCounts&);
};

nlohmann::json json_of(const BatchCounts&);
BatchCounts batch_counts_of(const nlohmann::json&);

/// A case that failed, as it was found.
struct FailedCase {
  std::uint64_t index;
  Finding finding;
};

/// A fingerprint: what findings that are one and the same have in common. See fingerprint.h.
struct CampaignFinding {
  std::string fingerprint;
  std::vector<std::uint64_t> cases;  // the first of them, at most five
  Finding smallest;
  bool was_looked_into =
      false;  // of its property and kind, up to the first that is reproducible; others stand as found
  bool is_reproducible = false;  // alone: its smallest case is one to keep
  std::string how;               // reproducible; flaky, 1 of 3; needs the cases 3 to 17 before it
  std::string shrunk;            // how far, and why no further
};

class Journal {
 public:
  /// Opens for appending; a last line that was cut is closed.
  /// @throws UsageError where the file cannot be written
  explicit Journal(const std::filesystem::path& file);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Each may be called from any thread. @throws std::runtime_error where the line cannot be written whole: a full disk
  void run(const CampaignIdentity&, const std::string& command, const nlohmann::json& machine = nullptr);
  void planted(const nlohmann::json&);
  void corpus(const nlohmann::json&);
  void begin(std::uint64_t batch, std::size_t worker);
  void end(std::uint64_t batch, const BatchCounts&);
  void first_of_cell(std::uint64_t index, const Problem&, const std::string& cell);
  void failed(const FailedCase&);
  void finding(const CampaignFinding&);
  void stop(const std::string& why);

  double run_start() const { return run_start_; }  // seconds since 1970, as each line says

 private:
  void write(nlohmann::json line);

  int file_;
  double run_start_;
  std::mutex mutex_;
};

/// What a journal tells.
struct JournalContents {
  CampaignIdentity identity;
  nlohmann::json planted = nlohmann::json::array();
  nlohmann::json corpus = nlohmann::json::object();  // of the last run: counts
  std::map<std::uint64_t, BatchCounts> done;         // by batch
  std::vector<std::uint64_t> begun;                  // and not ended
  std::vector<FailedCase> failed;                    // of batches that ended or not, one an index
  std::vector<CampaignFinding> findings;             // one a fingerprint
  std::size_t lines = 0;
  /// Of its runs, without the time between them.
  double seconds() const { return earlier_runs + (until - last_run); }
  double since = 0, until = 0;  // of its first and last run, since 1970
  double last_run = 0;          // began
  double earlier_runs = 0;      // took so long together
  bool was_cut = false;         // its last line, or the last before a resume
};

/// The cases of a batch, but for some.
std::vector<std::uint64_t> cases_of(std::uint64_t batch, const std::vector<std::uint64_t>& skipped = {});

/// Batches of the journal's shard below its last one that have not ended: begun, or given out and not even that.
std::vector<std::uint64_t> unfinished_batches(const JournalContents&);

/// @throws UsageError where the file is no journal, of another version, or was edited: which line, and what is wrong
JournalContents journal_of(const std::filesystem::path& file);
/// @param name  of the journal, for messages
JournalContents journal_of(std::istream&, const std::string& name);

}  // namespace tileproof
