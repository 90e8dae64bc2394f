/// Progress: one line that is overwritten on a terminal, elsewhere one line for each subject.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>

#include "fuzz/process/screen.h"

namespace tileproof {

class Progress {
 public:
  /// @param doing  a verb for the work on a subject
  explicit Progress(std::size_t steps, const char* doing = "judging")
      : steps_(steps), doing_(doing), overwrites_(takes_escapes(STDERR_FILENO)) {}
  ~Progress() { clear(); }

  void step(const std::string& subject, const std::string& property) {
    ++step_;
    if (overwrites_) {
      show(subject + ": " + property);
    } else if (subject != subject_) {
      std::cerr << doing_ << " " << subject << "\n";
    }
    subject_ = subject;
  }
  /// Shows which share of the step is done after this many seconds.
  void part(double share, double seconds) {
    const auto now = std::chrono::steady_clock::now();
    if (!overwrites_ || now - shown_ < std::chrono::milliseconds(200)) return;
    shown_ = now;
    show(std::to_string(static_cast<int>(100 * share)) + " %, " +
         std::to_string(static_cast<std::int64_t>(share > 0 ? seconds / share - seconds : 0)) + " s left: " + subject_);
  }
  /// Prints a line that is not overwritten.
  void say(const std::string& line) {
    clear();
    std::cerr << line << "\n";
  }
  void clear() {
    if (overwrites_) std::cerr << "\r\033[K" << std::flush;
  }

 private:
  /// Leaves one column free: some terminals begin a new line after the last one.
  void show(const std::string& what) {
    const std::string line = "[" + std::to_string(step_) + "/" + std::to_string(steps_) + "] " + what;
    const auto width = static_cast<std::size_t>(std::max(1, columns_of(STDERR_FILENO, 80) - 1));
    std::cerr << "\r\033[K" << line.substr(0, width) << std::flush;
  }

  std::size_t steps_;
  const char* doing_;
  std::size_t step_ = 0;
  std::chrono::steady_clock::time_point shown_ = {};
  bool overwrites_;
  std::string subject_;
};

}  // namespace tileproof
