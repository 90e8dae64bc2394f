/// Proves a property by running all steps of its domain, in several processes at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/campaign/selection.h"

namespace tileproof {

/// The result of a proof. Only `proved` means that every point of the domain was compared.
enum class Proof { proved, sampled, failed, mistrusted, skipped };
const char* name_of(Proof);

struct ProofResult {
  std::string kind;  // layout, words, ...
  std::string property;
  std::string subject;
  Proof verdict = Proof::skipped;
  std::string reason;  // empty if proved or failed by a finding
  std::string point;   // the unit that is counted, in the plural
  std::string order;   // how the first steps lie in the domain, for a sample
  std::string type;    // weight and parameter types, if all enumerations have the same
  std::uint64_t points = 0;
  std::uint64_t points_done = 0;
  std::int64_t steps = 0;
  std::int64_t steps_done = 0;
  double seconds = 0;
  std::optional<double> estimated_seconds;  // for all steps
  Coverage coverage;
  std::optional<Finding> finding;
  std::string shrunk;  // how far the finding was, and why no further
  std::vector<std::string> replay_flags;
};

/// A subject in several processes that work at once. If it cannot run, the only element says why.
using Processes = std::vector<SubjectInstance>;

/// @param count  processes to start; one if the subject works on a GPU, and fewer if the machine cannot start them
/// @throws UsageError if a library is not what it should be
std::shared_ptr<const Processes> started(const SelectedSubject&, std::size_t count,
                                         std::chrono::milliseconds step_deadline);

/// One property to be proved on one subject.
class ProofTask {
 public:
  static constexpr double most_shrink_seconds = 60;

  /// @param enumerations  those of the property's enumerations to run here, all of which the subject takes, or none;
  ///                      their points are counted together
  ProofTask(const Property&, const SelectedSubject&, std::shared_ptr<const Processes>, std::vector<Enumeration>);

  /// Runs a step or a few and sets the result's estimated seconds for all.
  void estimate();
  /// Runs the steps until they are done, one fails, `seconds` are used up or `stop` returns true.
  /// @param seconds  0: no limit
  /// @param progress  called now and then with the points done so far
  /// @param shrink_seconds  for making a finding smaller
  void run(double seconds, const std::function<bool()>& stop, const std::function<void(std::uint64_t)>& progress,
           double shrink_seconds = most_shrink_seconds);
  /// Ends the task without a step.
  void leave_out(const std::string& why) { settle(Proof::skipped, why); }

  const ProofResult& result() const { return result_; }

 private:
  /// The enumeration of a step, and the step's index in it.
  std::pair<const Enumeration&, std::int64_t> place_of(std::int64_t step) const;
  CaseOutcome run_step(std::size_t process, std::int64_t step, Coverage&);
  void settle(Proof verdict, const std::string& reason = "");
  void make_smaller(Finding&, const std::function<bool()>& stop, double seconds);

  const Property& property_;
  std::shared_ptr<const Processes> processes_;
  std::vector<Enumeration> enumerations_;
  std::vector<std::int64_t> first_steps_;  // index of the first step of each enumeration, among all steps
  ProofResult result_;
};

/// A property's tasks on a subject: one for each kind of point that it enumerates, so that one can be proved if another
/// is too large; and one for what the subject does not take, which is SKIPPED. If there is nothing to run, the result
/// is one task that says why.
std::vector<ProofTask> proof_tasks(const Property&, const SelectedSubject&, const std::shared_ptr<const Processes>&);

}  // namespace tileproof
