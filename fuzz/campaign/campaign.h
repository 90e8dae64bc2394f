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
#include "properties/problem/stopwatch.h"

namespace tileproof {

struct CampaignOptions {
  std::size_t workers = 1;  // at least 1
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

/// The finding of a failed case as it was found.
/// @param fingerprint  "" until it has been looked into, or is not to be
CampaignFinding as_found(const std::string& fingerprint, const FailedCase&,
                         const std::string& shrunk = "not looked into");

/// Shrinks the smallest case of a finding, and says how far that went.
/// @param fresh  a worker of the subject's
void shrink(CampaignFinding&, const SelectedSubject&, Worker& fresh, const CampaignOptions&,
            const std::function<bool()>& stop);

/// The results of a campaign, for campaign_summary().
struct CampaignFacts {
  CampaignIdentity identity;
  std::string command;
  std::string why;  // why it ended
  std::map<std::uint64_t, BatchCounts> done;
  std::map<std::string, Signed> findings;
  nlohmann::json planted = nlohmann::json::array();
  nlohmann::json corpus = nlohmann::json::object();  // counts of the corpus' lines that ran again
  // Shards that were not given to the merge, or ran no batch: how many, and the first of them, at most ten.
  std::uint64_t missing_shards = 0;
  std::vector<std::uint64_t> first_missing = {};
  std::size_t unfinished = 0;  // batches begun and not ended, of all shards, that this run has not taken up
  std::int64_t lost_workers = 0;
  /// True if an internal error ended the campaign and is its verdict: memory does not hold what is written to it, or
  /// nothing had been found before another error (a full disk, no process to be had).
  bool machine_is_at_fault = false;
  nlohmann::json before = nlohmann::json::object();  // seconds of the phases before the cases, by name
  double starting_seconds = 0;                       // waiting for processes to start, summed over workers
  double findings_seconds = 0;                       // looking into findings, summed over workers
  double seconds = 0;
  nlohmann::json provenance = nullptr;  // of the process that ran the cases, or merged the shards
};

/// Counts the outcomes of a batch's cases.
class BatchTally {
 public:
  explicit BatchTally(const std::vector<ExpectedFailure>& expected_failures) : expected_failures_(expected_failures) {}
  void add(std::uint64_t index, const Property&, const CaseOutcome&, std::int64_t compared);
  bool has_passed(std::uint64_t index) const { return passed_.contains(index); }
  BatchCounts counts() const;

 private:
  const std::vector<ExpectedFailure>& expected_failures_;
  Clock::time_point begin_ = Clock::now();
  BatchCounts counts_;
  std::map<std::string, bool> compared_;  // by property: whether some case compared something
  std::map<std::string, bool> asked_;     // whether some case passed or was refused, so that it should have compared
  std::set<std::uint64_t> passed_;
};

class Campaign {
 public:
  /// @param so_far  contents of the journal when it was opened
  Campaign(const SelectedSubject&, const CaseList&, const CampaignIdentity&, const CampaignOptions&, Journal&,
           const JournalContents& so_far, const std::vector<ExpectedFailure>& expected_failures);

  /// Runs until a limit is reached or `stop` returns true.
  /// @return the results, without the fields about what runs before or around it: command, planted, corpus, before,
  /// provenance
  CampaignFacts run(const std::function<bool()>& stop, const std::function<void(const std::string&)>& say);

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
  void is_broken_by(const std::exception&);  // the caller holds mutex_, or is alone
  void end(Process&);
  void end(std::uint64_t batch, const std::vector<ListedCase>&, const BatchTally&);
  /// The outcome of a finding's problem in a process of its own.
  CaseOutcome outcome_alone(const Finding&, std::int64_t& compared);
  /// Writes down a failed case, and looks into it if it is the first with its fingerprint.
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
  const CaseList& list_;
  CampaignOptions options_;
  Journal& journal_;
  const std::vector<ExpectedFailure>& expected_failures_;
  Clock::time_point begin_ = Clock::now();
  std::function<bool()> stop_;
  std::function<void(const std::string&)> say_;

  std::mutex mutex_;                  // guards the members below
  std::vector<std::uint64_t> again_;  // batches that an earlier run gave out and did not end
  std::uint64_t next_batch_ = 0;
  CampaignFacts facts_;
  std::set<std::pair<std::uint64_t, std::string>> seen_;  // case and kind of each failure
  std::map<std::string, Looks> looks_;                    // key: property and kind
  std::set<Cell> cells_;                                  // cells in which a case has run
  std::atomic<double> starting_seconds_ = 0, findings_seconds_ = 0;
  std::string broken_;  // the internal error that ended the campaign; empty: none
  bool memory_is_broken_ = false;
};

}  // namespace tileproof
