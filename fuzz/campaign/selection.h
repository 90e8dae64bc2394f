/// Selects the subjects and the properties that a command line names.
#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fuzz/records/expected_failures.h"
#include "fuzz/records/protocol.h"
#include "properties/judging/judge.h"
#include "properties/problem/named.h"

namespace CLI {
class App;  // its header takes as long to compile as most files here
}

namespace tileproof {

/// A subject to judge: its row, and how a worker process makes it.
struct SelectedSubject {
  SubjectRow row;
  SubjectOrder order;
  std::vector<std::string> replay_flags;  // flags that `tileproof replay` needs beside the problem
  bool asked_for = false;                 // named on the command line
};

/// The names of subjects that their user gives, "library", "python" and "kernel", and the options that give them.
struct GivenSubjectRow {
  const char* subject;
  const char* flag;
  const char* what;
};
/// @return nullptr if no such subject has the name
const GivenSubjectRow* given_subject_row(const std::string& subject);

/// The folder of the Python modules that put other people's libraries to --python.
std::filesystem::path adapters_folder();

/// The options that give a subject, an operator library, a Python module or kernels, for the commands that judge one.
class GivenSubjectOptions {
 public:
  /// @param deadline_seconds  for each case, if the command line gives none
  void add_to(CLI::App&, double deadline_seconds = 10);
  /// Adds --format too, for commands that do not read a problem's line, where a flag has that name.
  void add_with_format_to(CLI::App&, double deadline_seconds = 10);
  bool any() const { return !given_file().empty(); }
  /// As --python, --python-with and --device say.
  void judge_module(const std::string& file, const std::string& interpreter, const std::string& device) {
    python_file_ = file, python_with_ = interpreter, device_ = device;
  }
  /// The format of a Python module, of kernels or of a mapped library, as of a problem's line.
  void judge_as(const std::string& format) { format_ = format; }
  /// @throws UsageError for an option without the one that it is about
  void require_meant(const CLI::App&) const;
  /// @throws UsageError for an option whose value is not legal
  SelectedSubject subject() const;
  /// The full path of what is given; "" if nothing is.
  std::string file() const;
  /// The subjects that are named, where its kind's name stands for the given one; the given one alone if none is
  /// named.
  /// @throws UsageError as selected_subjects() and subject()
  std::vector<SelectedSubject> subjects(std::vector<std::string> names) const;
  std::chrono::milliseconds case_deadline() const;

 private:
  SelectedSubject library() const;
  /// Makes a library one whose operators a mapping names, and adds the flags of that to a replay's.
  void map(Library&, std::vector<std::string>& replay_flags) const;
  SelectedSubject module() const;
  SelectedSubject kernels() const;
  /// The files of the options, in the order of the table of such subjects; "" for those that are not given.
  std::array<const std::string*, 3> given_files() const;
  const std::string& given_file() const;
  void replay_as_run(SelectedSubject&) const;

  std::string library_file_;
  std::string python_file_;
  std::string python_with_;
  std::string kernel_file_;
  std::string format_;
  std::string name_space_ = "torchao";
  std::map<Operation, std::string> operators_;  // names as given on the command line
  std::string device_;
  std::vector<std::string> map_;  // lines, or files of them
  std::vector<std::string> formats_;
  std::vector<std::string> types_;
  std::vector<std::string> group_sizes_;
  std::int64_t n_multiple_ = 1;
  std::int64_t k_multiple_ = 1;
  std::int64_t most_n_ = Capabilities().most_n;
  std::int64_t most_k_ = Capabilities().most_k;
  double usual_deadline_seconds_ = 10;
  double case_deadline_seconds_ = 10;
};

/// Subjects by their names; all subjects if none is named.
/// @throws UsageError for an unknown name
std::vector<SelectedSubject> selected_subjects(const std::vector<std::string>& names);

/// Properties by their names or by how names begin: "value/" is every property about values. All if none is named.
/// @throws UsageError for text that no name begins with
std::vector<const Property*> selected_properties(const std::vector<std::string>& names);

/// The error for an unknown name: ", legal is THIS; did you mean 'that'?".
UsageError unknown_name(const std::string& argument, const std::string& given, const std::string& legal,
                        const std::vector<std::string>& names);

/// Where a subject's cases are run.
enum class RunsIn {
  own_process,  // a worker, which may die of them
  this_process  // for a debugger, a tool that watches this process, and measurements of the harness
};

/// A subject that is ready to run cases, or why it is not.
struct SubjectInstance {
  SubjectRow row;
  std::shared_ptr<CaseRunner> runner;
  std::string why_not;
  std::string died;  // how its process died of loading the library, which is a verdict on the library
  /// Makes another runner, with its own subject, for another thread. Empty if there can be only one.
  /// @throws std::runtime_error if the subject cannot be made any more
  std::function<std::shared_ptr<CaseRunner>()> another = nullptr;
  SubjectFacts facts = {};  // of a subject that runs

  /// How many of `wanted` threads can judge it. Processes that share a GPU take turns, so more than a few gain nothing.
  std::size_t jobs(std::size_t wanted) const {
    constexpr std::size_t most_on_a_gpu = 4;
    return !another ? 1 : row.needs_gpu ? std::min(wanted, most_on_a_gpu) : wanted;
  }
  /// The runner for one of its jobs: another one, or the only one there can be.
  std::shared_ptr<CaseRunner> runner_of_job() const { return another ? another() : runner; }
};
/// Makes a subject. If the machine fails to make one that was not asked for by name, the result says why.
/// @throws UsageError if a library is not what it should be; std::runtime_error if the machine fails to make a subject
/// that was asked for
/// @param shows_output  true: show what the subject's process prints; false: keep it for the report of a crash
SubjectInstance made_ready(const SelectedSubject&, std::chrono::milliseconds case_deadline,
                           RunsIn = RunsIn::own_process, bool shows_output = false);

}  // namespace tileproof
