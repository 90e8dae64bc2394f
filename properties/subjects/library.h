/// A user's library of PyTorch operators: where it is, and the names of its operators.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "properties/subjects/operators.h"

namespace tileproof {

struct Library {
  std::string file;  // a shared library; "" for PyTorch's own operators
  std::string name_space;
  std::map<Operation, std::string> operators;     // "name" or "name.overload"
  std::vector<Operation> required;                // a missing one is a UsageError; other missing ones are SKIPPED
  std::vector<std::string> map = {};              // lines of operator_mapping.h, which then say the operators
  std::string device;                             // "cpu" or "cuda"; "" for cuda if a device and kernels for it exist
  Capabilities takes = library_capabilities({});  // as its user states them, except the operations
};

/// Loads the library and makes a subject of its operators, with the capabilities that were found.
/// @throws UsageError if the file, the namespace or a schema is wrong
MadeSubject make_library_subject(const Library&);

}  // namespace tileproof
