/// Errors that a subject, or the memory it works in, reports instead of a result.
#pragma once

#include <stdexcept>
#include <string>

namespace tileproof {

/// The subject's machinery reported an error, or a subject that must take every problem of its capabilities refused
/// one.
struct SubjectError : std::runtime_error {
  SubjectError(const std::string& what, bool device_lost_ = false)
      : std::runtime_error(what), device_lost(device_lost_) {}
  bool device_lost;  // a sticky error: nothing this process reports about the device is reliable any more
};

/// A subject that may refuse a call refused it with an error of its own. Judged separately from wrong results.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// This machine lacks something that the case needs, such as a second device or memory. The case is SKIPPED.
struct Unavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace tileproof
