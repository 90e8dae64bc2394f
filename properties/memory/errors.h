/// An error that a subject, or the memory that it works in, reports instead of a result.
#pragma once

#include <stdexcept>
#include <string>

namespace tileproof {

/// The subject's machinery reported an error, or a subject that takes every problem of its capabilities refused one.
struct SubjectError : std::runtime_error {
  SubjectError(const std::string& what, bool device_lost_ = false)
      : std::runtime_error(what), device_lost(device_lost_) {}
  bool device_lost;  // a sticky error: nothing this process says about the device is true any more
};

/// A subject that may refuse, refused with an error of its own: judged apart from what it gets wrong.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// This machine lacks something that the case needs: a second device, memory. The case is SKIPPED.
struct Unavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace tileproof
