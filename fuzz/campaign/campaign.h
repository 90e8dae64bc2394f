/// A campaign: cases of a list, run by workers that may die of them, while a journal remembers; what fails is confirmed
/// in fresh processes, shrunk and named. The supervisor touches neither torch nor CUDA.
#pragma once

#include <atomic>
#include <deque>
#include <filesystem>
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
#include "fuzz/process/in_flight.h"
#include "fuzz/process/worker.h"
#include "fuzz/records/journal.h"

namespace tileproof {

struct CampaignOptions {
  std::size_t workers = 1;
  double seconds = 0;       // 0: no limit
  std::uint64_t cases = 0;  // of the whole list, all shards together; 0: no limit
  bool until_finding = false;
  std::chrono::milliseconds case_deadline = std::chrono::seconds(10);
  double shrink_seconds = 300;
  std::int64_t shrink_tries = 500;
};

inline constexpr std::size_t most_examples = 5;  // of a fingerprint
inline constexpr const char* kind_of_hang = "hang";

/// The cases that share a fingerprint.
struct Signed {
  std::vector<std::uint64_t> examples;  // the first five of the list, ascending, whichever was found first
  std::uint64_t found_first = 0;        // of them: what is looked into
  CampaignFinding finding;              // when it has been looked into

  /// @return whether it is among the first
  bool add(std::uint64_t index);
};

class Campaign {
 public:
  /// @param so_far  what the journal held when it was opened
  Campaign(const SelectedSubject&, const Capabilities&, const CaseList&, const CampaignIdentity&,
           const CampaignOptions&, const std::filesystem::path& folder, Journal&, const JournalContents& so_far,
           const std::vector<ExpectedFailure>& expected_failures);

  /// Runs until a limit is reached or `stop` says so. @return why it ended
  std::string run(const std::function<bool()>& stop, const std::function<void(const std::string&)>& say);

  const std::map<std::uint64_t, BatchCounts>& done() const { return done_; }
  const std::map<std::string, Signed>& findings() const { return findings_; }
  /// Batches that were begun, by this run or an earlier one, and have not ended.
  std::size_t unfinished() const { return again_.size(); }
  double seconds() const;
  std::int64_t lost_workers() const { return lost_workers_; }
  // Summed over workers: how long they waited for processes to start, and looked into findings.
  double starting_seconds() const { return starting_seconds_; }
  double findings_seconds() const { return findings_seconds_; }
  /// Whether it ended for a reason that is no limit and no subject's, and that is its verdict: a memory that does not
  /// hold; and a full disk or no process to be had, where nothing had been found.
  bool machine_is_at_fault() const { return !broken_.empty() && (memory_is_broken_ || findings_.empty()); }

 private:
  struct ToLookInto {
    std::string fingerprint;
    FailedCase failed;
    std::vector<std::uint64_t> history;  // the cases before it in its process
  };
  /// Findings of one property and kind are looked into one after another until one is reproducible: a flaky one could
  /// hide it.
  struct Looks {
    bool go_on_or_are_over = false;
    std::size_t in_vain = 0;
    std::deque<ToLookInto> waiting;
  };
  static constexpr int most_canaries = 3;
  static constexpr int most_kills = 3;  // of processes in a batch, by whoever kills
  static constexpr std::size_t most_looks_in_vain = 5;

  Cell cell_at(std::uint64_t index) const;
  std::string why_over();
  bool next(std::uint64_t& batch);
  void work(std::size_t worker);
  void run_batch(std::size_t worker, std::unique_ptr<Worker>& process, std::vector<std::uint64_t>& history,
                 std::uint64_t batch);
  std::unique_ptr<Worker> started(std::size_t slot);
  std::optional<nlohmann::json> asked(Worker&, std::size_t slot, const nlohmann::json& question,
                                      const std::function<void(const nlohmann::json&)>& note);
  void end(std::uint64_t batch, const BatchCounts&, const std::vector<std::uint64_t>& not_passed);
  void count(const std::vector<FailedCase>&, BatchCounts&) const;
  void remember(const FailedCase&);
  bool fails_alone(const FailedCase&);
  void take(const FailedCase&, const std::vector<std::uint64_t>& history, std::size_t slot);
  void look_into(const ToLookInto&, std::size_t slot);
  Looks& looks_of(const Finding&);  // under the mutex
  /// @return false where another of its property and kind was, or is being looked into, for which this one waits
  bool begins_look(const ToLookInto&);
  /// @return what has waited, and is next
  std::optional<ToLookInto> ends_look(const Finding&, bool is_reproducible);
  CampaignFinding looked_into(const ToLookInto&, std::size_t slot);
  void keep(const CampaignFinding&);
  std::string confirmed(const FailedCase&, const std::vector<std::uint64_t>& history, std::size_t slot,
                        bool& is_reproducible);
  std::string needed_before(const FailedCase&, const std::vector<std::uint64_t>& history, std::size_t slot);

  const SelectedSubject& selected_;
  Capabilities capabilities_;
  const CaseList& list_;
  CampaignIdentity identity_;
  CampaignOptions options_;
  std::filesystem::path in_flight_file_;
  InFlight in_flight_;
  Journal& journal_;
  const std::vector<ExpectedFailure>& expected_failures_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::function<bool()> stop_;
  std::function<void(const std::string&)> say_;

  std::mutex mutex_;                  // of what follows
  std::vector<std::uint64_t> again_;  // batches that were begun in an earlier run
  std::uint64_t next_batch_ = 0;
  std::map<std::uint64_t, BatchCounts> done_;
  std::map<std::string, Signed> findings_;
  std::set<std::pair<std::uint64_t, std::string>> seen_;  // cases that failed, and how
  std::map<std::string, Looks> looks_;                    // by property and kind
  std::set<Cell> cells_;                                  // in which a case was
  std::int64_t lost_workers_ = 0;
  std::atomic<double> starting_seconds_ = 0, findings_seconds_ = 0;
  std::string broken_;  // what ended the campaign from inside
  bool memory_is_broken_ = false;
};

}  // namespace tileproof
