/// Illegal calls: one argument of a legal call made wrong. The list depends on the subject: a group size that it takes
/// is called with a k that it does not divide; one that it does not take must be refused or computed exactly.
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
  /// Makes the problem whose call is changed, where it is not the case's own: k may be no multiple of the group size.
  std::function<Problem(const Problem&)> base = nullptr;
  /// Set where accepting the call is legitimate: throws Failure unless the result is exact for the arguments given.
  std::function<void(Case&, const CallData&, const OperatorResult&)> exact = nullptr;
};
std::vector<IllegalCall> illegal_calls(Operation, const Capabilities&);
/// Illegal calls of an operator that a mapping names. They follow from the roles and extents of its tensors and from
/// its sizes, because its schema is its user's.
std::vector<IllegalCall> illegal_mapped_calls(Operation, const Capabilities&);

/// Gives an argument another type or size, with all elements 0, which is legal content of every type.
void become(Argument&, Element, const Sizes&);

std::vector<std::string> names_of_illegal_calls(Operation, const Capabilities&);

/// The illegal call of the case's variant.
struct Illegally {
  IllegalCall row;
  CallData data;  // of the call before the change
  OperatorCall call;
};
Illegally illegally_called(Case&, Operation);

}  // namespace tileproof
