/// Illegal calls: one argument of a legal call made wrong.
#pragma once

#include <string>
#include <vector>

#include "calls.h"

namespace tileproof {

struct IllegalCall {
  std::string name;                   // "scales_and_zeros:one-group-too-few"
  std::vector<std::string> at_fault;  // the arguments that an error may name
  std::string legal;                  // what would be legal
  std::function<void(OperatorCall&, const Problem&)> change;
  /// Where somebody may rightly accept: throws Failure unless the result is exact for what was given.
  std::function<void(Case&, const CallData&, const OperatorResult&)> exact = nullptr;
};
const std::vector<IllegalCall>& illegal_calls(Operation);

std::vector<std::string> names_of_illegal_calls(Operation);

/// The illegal call of the case's variant.
struct Illegally {
  const IllegalCall& row;
  CallData data;  // of the legal call
  OperatorCall call;
};
Illegally illegally_called(Case&, Operation);

}  // namespace tileproof
