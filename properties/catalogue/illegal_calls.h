/// UsageError calls: one argument of a legal call made wrong. Which there are depends on what a subject takes: a group
/// size that it takes is called with a k that it does not divide, one that it does not take is refused or exact.
#pragma once

#include <string>
#include <vector>

#include "properties/case/calls.h"

namespace tileproof {

struct IllegalCall {
  std::string name;                   // "scales_and_zeros:one-group-too-few"
  std::vector<std::string> at_fault;  // the arguments that an error may name
  std::string legal;                  // what would be legal
  std::function<void(OperatorCall&, const Problem&)> change;
  /// The problem whose call is changed, where that is not the case's own: its k may be no multiple of its group size.
  std::function<Problem(const Problem&)> base = nullptr;
  /// Where somebody may rightly accept: throws Failure unless the result is exact for what was given.
  std::function<void(Case&, const CallData&, const OperatorResult&)> exact = nullptr;
};
std::vector<IllegalCall> illegal_calls(Operation, const Capabilities&);

std::vector<std::string> names_of_illegal_calls(Operation, const Capabilities&);

/// The illegal call of the case's variant.
struct Illegally {
  IllegalCall row;
  CallData data;  // of the call before it was changed
  OperatorCall call;
};
Illegally illegally_called(Case&, Operation);

}  // namespace tileproof
