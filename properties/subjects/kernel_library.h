/// A user's kernels as a subject: the functions of tileproof_kernel.h in a shared library, called by raw pointers.
#pragma once

#include <string>

#include "properties/subjects/subject.h"

namespace tileproof {

struct KernelLibrary {
  std::string file;
  std::string format;  // "": the library's FORMAT
  std::string device;  // "cpu" or "cuda"; "": the library's DEVICE, or cpu
};

/// @return for messages: which library is legal
std::string text_of_legal_kernels();

/// Loads the library and makes a subject of its functions, with the capabilities that it states.
/// @throws UsageError if the library is not what it should be
MadeSubject make_kernel_subject(const KernelLibrary&);

}  // namespace tileproof
