/// A process that runs cases and may die of them: this program again, as `tileproof work`. The runner that starts it
/// touches neither torch nor CUDA on its account.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>

#include "fuzz/records/protocol.h"
#include "properties/judging/judge.h"

namespace tileproof {

/// Whether a process that died so was killed by somebody: this one's user, or a system that is out of memory.
bool was_killed(const std::string& death);

/// What is found of a case that a process died of: the page that it touched, where it did; else how it died.
Finding finding_of_death(const Problem&, const std::string& touch, const std::string& death);

/// What a worker says of the subject that it has made.
struct MadeElsewhere {
  std::string why_not;  // it cannot be run here
  std::optional<Capabilities> capabilities;
  std::string device;
  std::string float_mode = "";  // that making it has set, as what_is_unusual() says it
};

class Worker : public CaseRunner {
 public:
  /// @param deadline  of one case; a case of a heavy property, or of fixed and large problems, has twenty
  Worker(const SubjectOrder& order, std::chrono::milliseconds deadline);
  ~Worker() override;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Makes the subject, anew where it has been made before. Starts the process, where none runs.
  /// @throws UsageError what the subject cannot be made of; std::runtime_error where the process dies of making it
  MadeElsewhere make();

  /// Whatever the process dies of is the case's finding; the next case runs in a fresh one.
  /// @throws std::runtime_error where none can be had any more: the machine's fault
  CaseOutcome run(const Property&, const Problem&, Coverage&) override;
  bool start_afresh() override {
    stop();
    return true;
  }

  /// Asks the process, which runs, for something that takes long.
  /// @param note        is told what the process says before its answer
  /// @param is_overdue  asked ten times a second: whether to give it up
  /// @return the answer; nothing where it died or was given up, see death()
  std::optional<nlohmann::json> asked(const nlohmann::json& question,
                                      const std::function<void(const nlohmann::json&)>& note,
                                      const std::function<bool()>& is_overdue);
  /// How the process died that gave no answer, and its last words: "died of SIGSEGV (...)". It has ended now.
  std::string death();
  /// What it said of a page that nobody may touch, before it died of touching it; else "".
  std::string touch() const;
  /// Whether it was given up.
  bool timed_out() const { return timed_out_; }

  /// What the process prints goes to this one's stderr, too late for nobody.
  void show_output() { shows_output_ = true; }

 private:
  void start();
  void stop();
  void forget();
  bool is_running() const { return process_ > 0; }
  /// @return what the worker answers; nothing where it died, or said nothing in time
  std::optional<nlohmann::json> asked(const nlohmann::json& question, std::chrono::milliseconds patience);
  bool is_answer(const nlohmann::json&) const;
  CaseOutcome lost(const Problem&, std::chrono::milliseconds patience);
  std::string how_it_died();
  std::string last_words() const;

  SubjectOrder order_;
  std::chrono::milliseconds deadline_;
  pid_t process_ = 0;
  int socket_ = -1;
  int output_ = -1;     // of the process, both streams
  int touch_ = -1;      // what it said of a page that nobody may touch, before it died
  int death_ = -1;      // readable when the process has ended, whoever holds its socket
  std::string unread_;  // of the socket
  bool timed_out_ = false;
  bool shows_output_ = false;
  std::uint64_t questions_ = 0;
};

/// The worker's part: takes orders from a socket until it is closed.
int work(int socket);

}  // namespace tileproof
