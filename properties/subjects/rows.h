/// How each subject is made; for subjects.cpp and the files that implement them.
#pragma once

#include "properties/subjects/subject.h"

namespace tileproof {

MadeSubject make_reference_subject();
MadeSubject make_host_subject();
MadeSubject make_cpu_subject();
MadeSubject make_cuda_subject();
/// The same for compute-sanitizer: see watched.h. @param planted  the name of a kernel, or ""
MadeSubject make_watched_cuda_subject(const std::string& planted);
MadeSubject make_aten_cpu_subject();
/// @param formats  names of what it packs: one, on a machine
Capabilities aten_cpu_capabilities(const std::vector<std::string>& formats);
MadeSubject make_aten_cuda_subject();
MadeSubject make_aten_eager_subject();

}  // namespace tileproof
