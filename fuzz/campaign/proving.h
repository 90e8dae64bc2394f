/// Proving: a property put to all steps of its domain, by several processes at once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fuzz/campaign/selection.h"

namespace tileproof {

/// What came of a proof. Only `proved` means that every point of the domain was compared.
enum class Proof { proved, sampled, failed, mistrusted, skipped };
const char* name_of(Proof);

struct ProofResult {
  std::string kind;  // layout, words, ...
  std::string property;
  std::string subject;
  Proof verdict = Proof::skipped;
  std::string reason;  // where it is neither proved nor failed
  std::string point;   // what is counted, in the plural
  std::string order;   // what a part of the steps is
  std::string type;    // of the problems, where all are of one
  std::uint64_t points = 0;
  std::uint64_t points_done = 0;
  std::int64_t steps = 0;
  std::int64_t steps_done = 0;
  double seconds = 0;
  double estimated_seconds = 0;
  Coverage coverage;
  std::optional<Finding> finding;
  std::vector<std::string> replay_flags;
};

/// A subject in as many processes as work on it at once.
class Processes {
 public:
  /// @param count  as many, but one where the subject works on a GPU
  /// @throws UsageError where a library is not what it should be
  Processes(const SelectedSubject&, std::size_t count, std::chrono::milliseconds step_deadline);

  /// One that is ready.
  explicit Processes(SubjectInstance subject) { ready_.push_back(std::move(subject)); }

  const SubjectInstance& subject() const { return ready_.front(); }
  bool can_run() const { return ready_.front().runner != nullptr; }
  std::size_t count() const { return ready_.size(); }
  CaseRunner& runner(std::size_t i) { return *ready_.at(i).runner; }

 private:
  std::vector<SubjectInstance> ready_;
};

/// One property on one subject, to be proved.
class ProofTask {
 public:
  /// @param enumerations  of the property's, those to run here; their points are counted together
  ProofTask(const Property&, const SelectedSubject&, std::shared_ptr<Processes>, std::vector<Enumeration> enumerations);

  /// Runs a step or a few to know how long all will take; sets the result's estimate.
  void estimate();
  /// Runs the steps until they are done, one fails, `seconds` are used up or `stop` says so. @param seconds  0: no
  /// limit
  /// @param progress  called now and then with the points done so far
  void run(double seconds, const std::function<bool()>& stop, const std::function<void(std::uint64_t)>& progress);

  const ProofResult& result() const { return result_; }

 private:
  Problem problem_of(std::int64_t step) const;
  const Enumeration& enumeration_of(std::int64_t step) const;
  CaseOutcome run_step(std::size_t process, std::int64_t step, Coverage&);
  void make_smaller(Finding&);

  const Property& property_;
  std::shared_ptr<Processes> processes_;
  std::vector<Enumeration> enumerations_;
  std::vector<std::int64_t> first_steps_;  // of each enumeration, among all
  ProofResult result_;
};

/// A property's tasks on a subject: one for each kind of point that it enumerates, so that one can be proved where
/// another is too large. One that says why, where there is nothing to run.
std::vector<ProofTask> proof_tasks(const Property&, const SelectedSubject&, const std::shared_ptr<Processes>&);

}  // namespace tileproof
