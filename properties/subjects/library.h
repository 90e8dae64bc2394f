/// Somebody's library of PyTorch operators: where it is, and what its operators are called.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "properties/subjects/operators.h"

namespace tileproof {

struct Library {
  std::string file;  // a shared library; "" for what PyTorch itself brings
  std::string name_space;
  std::map<Operation, std::string> operators;  // "name" or "name.overload"
  std::vector<Operation> required;             // missing, these are the caller's mistake; others are SKIPPED
  std::string device;                          // "cpu", "cuda"; "" for cuda where there are a device and kernels for it
  Capabilities takes = library_capabilities({});  // what its user says it takes, but for the operations that it has
};

/// The schema that an operator must have, but for the names of its arguments.
std::string expected_schema(Operation);

/// Loads the library and makes a subject of its operators, which says what capabilities it has.
/// @throws UsageError where the file, the namespace or a schema is wrong
MadeSubject make_library_subject(const Library&);

}  // namespace tileproof
