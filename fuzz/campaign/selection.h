/// The subjects and the properties that a command line names.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fuzz/records/protocol.h"
#include "properties/judging/judge.h"

namespace CLI {
class App;  // its header takes as long to compile as most files here
}

namespace tileproof {

/// A subject to judge: its row, and how a process of its own would make it.
struct SelectedSubject {
  SubjectRow row;
  SubjectOrder order;
  std::vector<std::string> replay_flags;  // what `tileproof replay` needs beside the problem
  bool asked_for = false;                 // by name
};

/// The options that name an operator library, for the commands that judge one.
class LibraryOptions {
 public:
  /// @param deadline_seconds  of a case, where none is given
  void add_to(CLI::App&, double deadline_seconds = 10);
  bool given() const { return !file_.empty(); }
  /// @throws UsageError
  SelectedSubject subject() const;
  std::chrono::milliseconds case_deadline() const;

 private:
  std::string file_;
  std::string name_space_ = "torchao";
  std::map<Operation, std::string> operators_;  // as given
  std::string device_;
  std::vector<std::string> formats_;
  std::vector<std::string> group_sizes_;
  std::int64_t n_multiple_ = 1;
  std::int64_t most_n_ = Capabilities().most_n;
  std::int64_t most_k_ = Capabilities().most_k;
  double usual_deadline_seconds_ = 10;
  double case_deadline_seconds_ = 10;
};

/// Subjects by their names; all that there are where none is named.
/// @throws UsageError for a name that is none
std::vector<SelectedSubject> selected_subjects(const std::vector<std::string>& names);

/// Properties by their names or how they begin: "value/" is every property about values. All where none is named.
/// @throws UsageError
std::vector<const Property*> selected_properties(const std::vector<std::string>& names);

/// ", legal is THIS; did you mean 'that'?": for a name that is none of those there are.
UsageError unknown_name(const std::string& argument, const std::string& given, const std::string& legal,
                        const std::vector<std::string>& names);

/// Where a subject's cases are run.
enum class RunsIn {
  own_process,  // which may die of them
  this_process  // for a debugger, a tool that watches this process, and whoever measures the harness
};

/// A subject that is ready to run cases; or why not.
struct SubjectInstance {
  SubjectRow row;
  std::unique_ptr<CaseRunner> runner;
  std::string why_not;
  std::string died;  // how a process died of loading the library: a verdict on it
  /// Another runner, with a subject of its own, for another thread. Empty where one runner is all there is to be.
  /// @throws std::runtime_error where the subject cannot be made any more
  std::function<std::unique_ptr<CaseRunner>()> another = nullptr;

  /// How many of so many threads can judge it. Processes that share a GPU take turns: more than a few gain nothing.
  std::size_t jobs(std::size_t wanted) const {
    constexpr std::size_t most_on_a_gpu = 4;
    return !another ? 1 : row.needs_gpu ? std::min(wanted, most_on_a_gpu) : wanted;
  }
};
/// A subject that nobody asked for by name and that this machine fails to make is one that does not run, and why.
/// @throws UsageError where a library is not what it should be; std::runtime_error where the machine fails to make one
/// that
///         was asked for
/// @param shows_output  whether what a process of its own prints is shown, or kept for the last words of a crash
SubjectInstance made_ready(const SelectedSubject&, std::chrono::milliseconds case_deadline,
                           RunsIn = RunsIn::own_process, bool shows_output = false);

/// A runner that belongs to somebody else.
class Borrowed : public CaseRunner {
 public:
  explicit Borrowed(CaseRunner& runner) : runner_(runner) {}
  CaseOutcome run(const Property& property, const Problem& problem, Coverage& coverage) override {
    return runner_.run(property, problem, coverage);
  }
  bool start_afresh() override { return runner_.start_afresh(); }

 private:
  CaseRunner& runner_;
};

}  // namespace tileproof
