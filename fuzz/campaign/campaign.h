/// A campaign runs the cases of a list in workers that may die of them, keeps a journal, and confirms, shrinks and
/// names each failure in fresh processes. The supervisor touches neither torch nor CUDA.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fuzz/campaign/selection.h"
#include "fuzz/process/case_list.h"
#include "fuzz/process/worker.h"
#include "fuzz/records/journal.h"

namespace tileproof {

struct CampaignOptions {
  std::size_t workers = 1;
  double seconds = 0;       // 0: no limit
  std::uint64_t cases = 0;  // end of the case list, for all shards together; 0: no limit
  bool until_finding = false;
  std::chrono::milliseconds case_deadline = std::chrono::seconds(10);
  double shrink_seconds = 300;
  std::int64_t shrink_tries = 500;
};

inline constexpr std::size_t most_examples = 5;  // kept for each fingerprint
inline constexpr const char* kind_of_hang = "hang";

/// The cases that share a fingerprint.
struct Signed {
  std::vector<std::uint64_t> examples;  // the lowest indices in the list, ascending, in whatever order they were found
  std::uint64_t found_first = 0;        // index of the case found first, which is looked into
  CampaignFinding finding;              // as found, until it has been looked into

  /// @return whether the index is now one of the examples
  bool add(std::uint64_t index);
};

/// What has come of the cases of a batch.
class BatchTally {
 public:
  explicit BatchTally(const std::vector<ExpectedFailure>& expected_failures) : expected_failures_(expected_failures) {}
  void add(std::uint64_t index, const Property&, const CaseOutcome&, std::int64_t compared);
  bool has_passed(std::uint64_t index) const { return passed_.contains(index); }
  BatchCounts counts() const;

 private:
  const std::vector<ExpectedFailure>& expected_failures_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  BatchCounts counts_;
  std::map<std::string, bool> compared_;  // by property: whether some case compared something
  std::map<std::string, bool> asked_;     // whether some case passed or was refused, so that it should have compared
  std::set<std::uint64_t> passed_;
};

class Campaign {
 public:
  /// @param so_far  contents of the journal when it was opened
  Campaign(const SelectedSubject&, const Capabilities&, const CaseList&, const CampaignIdentity&,
           const CampaignOptions&, Journal&, const JournalContents& so_far,
           const std::vector<ExpectedFailure>& expected_failures);

  /// Runs until a limit is reached or `stop` returns true.
  /// @return why it ended
  std::string run(const std::function<bool()>& stop, const std::function<void(const std::string&)>& say);

  const std::map<std::uint64_t, BatchCounts>& done() const { return done_; }
  const std::map<std::string, Signed>& findings() const { return findings_; }
  /// Batches that an earlier run gave out and did not end, and that this run has not taken up.
  std::size_t unfinished() const { return again_.size(); }
  double seconds() const;
  std::int64_t lost_workers() const { return lost_workers_; }
  // Seconds summed over workers: waiting for processes to start, and looking into findings.
  double starting_seconds() const { return starting_seconds_; }
  double findings_seconds() const { return findings_seconds_; }
  /// True if an internal error ended the campaign and is its verdict: memory does not hold what is written to it, or
  /// nothing had been found before another error (a full disk, no process to be had).
  bool machine_is_at_fault() const { return !broken_.empty() && (memory_is_broken_ || findings_.empty()); }

 private:
  struct ToLookInto {
    std::string fingerprint;
    FailedCase failed;
    std::vector<std::uint64_t> history;  // the cases before it in its process, in order
  };
  /// Findings of one property and kind are looked into one after another until one is reproducible or
  /// `most_looks_in_vain` were not: a flaky finding could hide a reproducible one.
  struct Looks {
    bool go_on_or_are_over = false;
    std::size_t in_vain = 0;
    std::deque<ToLookInto> waiting;
  };
  /// A worker's process, and the cases that it has run since it began.
  struct Process {
    std::unique_ptr<Worker> worker;
    std::vector<std::uint64_t> history;
  };
  static constexpr int most_canaries = 3;
  static constexpr std::size_t most_looks_in_vain = 5;

  std::string why_over();
  bool next(std::uint64_t& batch);
  void work(std::size_t worker);
  void run_batch(Process&, std::uint64_t batch);
  void end(Process&);
  void end(std::uint64_t batch, const BatchTally&);
  void remember(const FailedCase&);
  /// The outcome of a finding's problem in a process of its own.
  CaseOutcome outcome_alone(const Finding&, std::int64_t* compared = nullptr);
  void take(const FailedCase&, const std::vector<std::uint64_t>& history);
  void look_into(const ToLookInto&);
  Looks& looks_of(const Finding&);  // the caller holds mutex_
  /// @return false if another finding of the same property and kind has been or is being looked into; this one then
  /// waits
  bool begins_look(const ToLookInto&);
  /// @return the waiting finding that is next, if any
  std::optional<ToLookInto> ends_look(const Finding&, bool is_reproducible);
  CampaignFinding looked_into(const ToLookInto&);
  void keep(const CampaignFinding&);
  std::string confirmed(const FailedCase&, const std::vector<std::uint64_t>& history, bool& is_reproducible);
  std::string needed_before(const FailedCase&, const std::vector<std::uint64_t>& history);

  const SelectedSubject& selected_;
  Capabilities capabilities_;
  const CaseList& list_;
  CampaignIdentity identity_;
  CampaignOptions options_;
  Journal& journal_;
  const std::vector<ExpectedFailure>& expected_failures_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::function<bool()> stop_;
  std::function<void(const std::string&)> say_;

  std::mutex mutex_;                  // guards the members below
  std::vector<std::uint64_t> again_;  // batches that an earlier run gave out and did not end
  std::uint64_t next_batch_ = 0;
  std::map<std::uint64_t, BatchCounts> done_;
  std::map<std::string, Signed> findings_;
  std::set<std::pair<std::uint64_t, std::string>> seen_;  // case and kind of each failure
  std::map<std::string, Looks> looks_;                    // key: property and kind
  std::set<Cell> cells_;                                  // cells in which a case has run
  std::int64_t lost_workers_ = 0;
  std::atomic<double> starting_seconds_ = 0, findings_seconds_ = 0;
  std::string broken_;  // the internal error that ended the campaign; empty: none
  bool memory_is_broken_ = false;
};

}  // namespace tileproof
