/// What goes on: on a terminal in one line that is overwritten, elsewhere in a line for each subject.
#pragma once

#include <unistd.h>

#include <iostream>
#include <string>

namespace tileproof {

class Progress {
 public:
  explicit Progress(std::size_t steps) : steps_(steps), terminal_(isatty(STDERR_FILENO) != 0) {}
  ~Progress() { clear(); }

  void step(const std::string& subject, const std::string& claim) {
    ++step_;
    if (terminal_) {
      std::cerr << "\r\033[K[" << step_ << "/" << steps_ << "] " << subject << ": " << claim << std::flush;
    } else if (subject != subject_) {
      std::cerr << "judging " << subject << "\n";
    }
    subject_ = subject;
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
  std::size_t step_ = 0;
  bool terminal_;
  std::string subject_;
};

}  // namespace tileproof
