/// What goes on: on a terminal in one line that is overwritten, elsewhere in a line for each subject.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>

namespace tileproof {

class Progress {
 public:
  /// @param doing  what is done with a subject
  explicit Progress(std::size_t steps, const char* doing = "judging")
      : steps_(steps), doing_(doing), terminal_(isatty(STDERR_FILENO) != 0) {}
  ~Progress() { clear(); }

  void step(const std::string& subject, const std::string& claim) {
    ++step_;
    if (terminal_) {
      std::cerr << "\r\033[K[" << step_ << "/" << steps_ << "] " << subject << ": " << claim << std::flush;
    } else if (subject != subject_) {
      std::cerr << doing_ << " " << subject << "\n";
    }
    subject_ = subject;
  }
  /// How much of the step is done, after so many seconds.
  void part(double share, double seconds) {
    const auto now = std::chrono::steady_clock::now();
    if (!terminal_ || now - shown_ < std::chrono::milliseconds(200)) return;
    shown_ = now;
    std::cerr << "\r\033[K[" << step_ << "/" << steps_ << "] " << subject_ << ": " << static_cast<int>(100 * share)
              << " %, " << static_cast<std::int64_t>(share > 0 ? seconds / share - seconds : 0) << " s left"
              << std::flush;
  }
  /// A line that stays.
  void say(const std::string& line) {
    clear();
    std::cerr << line << "\n";
  }
  void clear() {
    if (terminal_) std::cerr << "\r\033[K" << std::flush;
  }

 private:
  std::size_t steps_;
  const char* doing_;
  std::size_t step_ = 0;
  std::chrono::steady_clock::time_point shown_ = {};
  bool terminal_;
  std::string subject_;
};

}  // namespace tileproof
