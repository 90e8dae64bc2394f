/// Functions that make each subject, for subjects.cpp and the files that implement them.
#pragma once

#include "properties/subjects/subject.h"

namespace tileproof {

MadeSubject make_reference_subject();
MadeSubject make_host_subject();
MadeSubject make_cpu_subject();
MadeSubject make_cuda_subject();
/// Makes the CUDA subject for compute-sanitizer: see watched.h.
/// @param planted  the name of a canary kernel, or ""
MadeSubject make_watched_cuda_subject(const std::string& planted);
MadeSubject make_aten_cpu_subject();
/// @param formats  names of the formats that it packs; one on a given machine
Capabilities aten_cpu_capabilities(const std::vector<std::string>& formats);
MadeSubject make_aten_cuda_subject();
MadeSubject make_aten_eager_subject();

/// Loads a library of ours, which lies beside the program.
/// @param failure  "the torch subjects do not load"
/// @throws std::runtime_error if it was built but does not load: the machine is at fault, and a SKIPPED would hide it
void* library_beside(const char* library, const std::string& failure);
/// Loads such a library, and finds an entry point of it.
void* entry_point_beside(const char* library, const char* name, const std::string& failure);
template <class EntryPoint>
EntryPoint entry_point(const char* library, const char* name, const std::string& failure) {
  return reinterpret_cast<EntryPoint>(entry_point_beside(library, name, failure));
}

}  // namespace tileproof
