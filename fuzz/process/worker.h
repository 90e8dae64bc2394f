/// A process that runs cases and may die of them: this program again, as `tileproof work`, or the interpreter of a
/// Python module. The runner that starts it therefore needs neither torch nor CUDA nor Python.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <span>
#include <stdexcept>

#include "fuzz/process/case_list.h"
#include "fuzz/records/protocol.h"
#include "properties/judging/judge.h"

namespace tileproof {

/// Whether this death means that someone killed the process: the user, or a system without memory.
bool was_killed(const std::string& death);

/// A process's memory does not hold what is written to it. The machine is at fault, and the case has no outcome.
struct BrokenMemory : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A subject made in this process, and runs cases on it.
struct SubjectHere : CaseRunner {
  explicit SubjectHere(const SubjectOrder&);
  CaseOutcome run(const Property&, const Problem&, Coverage&) override;

  SubjectRow row;  // with the capabilities that making the subject has shown
  MadeSubject made;
};

/// A worker's report about the subject that it has made.
struct MadeElsewhere {
  std::string why_not;  // the reason why it cannot run here; "" if it can
  std::optional<Capabilities> capabilities;
  std::string device;
  std::string float_mode = "";  // set by making the subject, in the words of what_is_unusual()
  std::string library = "";     // whose it is, with its version
};

class Worker : public CaseRunner {
 public:
  /// @param deadline  for one case; a case of a heavy property, or one of fixed problems, has twenty times as long
  Worker(const SubjectOrder& order, std::chrono::milliseconds deadline);
  ~Worker() override;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Makes the subject, again if it was made before. Starts the process if none runs.
  /// @throws UsageError if the order names no possible subject or no interpreter; std::runtime_error if the process
  /// dies while making it
  MadeElsewhere make();

  /// Runs a case. If the process dies, that is the case's finding, and the next case runs in a new process.
  /// @throws std::runtime_error if no new process can be started, and BrokenMemory: both are the machine's fault
  CaseOutcome run(const Property&, const Problem&, Coverage&) override;
  /// Runs cases in turn. The process works on the next while the outcome of one is taken. A case that ends the process
  /// has that as its finding, and the cases behind it run in another.
  /// @param take  gets each case's place, its outcome, and the number of elements that it compared
  /// @throws as run()
  void run_all(std::span<const ListedCase>,
               const std::function<void(std::size_t, const CaseOutcome&, std::int64_t compared)>& take);
  bool start_afresh() override {
    stop();
    return true;
  }
  /// Whether a case of run() failed, or ended its process.
  bool has_failed() const { return has_failed_; }
  /// The seconds that processes took to start and to make the subject.
  double starting_seconds() const { return starting_seconds_; }

  /// Lets new processes write straight to our stderr, so that no output is lost when one dies.
  void show_output() { shows_output_ = true; }

 private:
  struct Program {
    std::string file;
    std::vector<std::string> arguments;  // its name first
    std::vector<std::string> environment;
  };
  Program program() const;
  void start();
  void stop();
  void forget();
  bool is_running() const { return process_ > 0; }
  /// Starts the interpreter of a Python module, which must load this harness before it is asked for anything.
  /// @throws UsageError
  void require_interpreter();
  bool is_sent(nlohmann::json question);
  /// @return the worker's next answer; empty if it died or did not answer in time
  std::optional<nlohmann::json> answer(std::chrono::milliseconds patience);
  void ask_for(std::span<const ListedCase>, const char* what);
  CaseOutcome outcome_of_next(const ListedCase&, std::size_t place, Coverage&, std::int64_t& compared);
  CaseOutcome lost(const Problem&, std::chrono::milliseconds patience);
  std::string how_it_died();
  std::string last_lines() const;
  std::string last_words() const;

  SubjectOrder order_;
  std::chrono::milliseconds deadline_;
  pid_t process_ = 0;
  int socket_ = -1;
  int output_ = -1;     // of the process: stdout and stderr
  int touch_ = -1;      // the process's message about a page that it touched
  int death_ = -1;      // becomes readable when the process has ended, even if another process holds its socket
  std::string unread_;  // bytes from the socket after the last line
  bool timed_out_ = false;
  bool shows_output_ = false;
  bool has_loaded_harness_ = false;  // as the interpreter of a Python module did once
  bool has_failed_ = false;
  std::uint64_t questions_ = 0;
  double starting_seconds_ = 0;
};

/// The worker's part: takes orders from a socket until it is closed.
int work(int socket);

}  // namespace tileproof
