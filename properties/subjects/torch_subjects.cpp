// Loads the subjects made of torch from their library, which lies beside the program, so that everything else starts
// without waiting for torch.
#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "properties/subjects/cores.h"
#include "properties/subjects/library.h"
#include "properties/subjects/rows.h"

namespace tileproof {

void* library_beside(const char* library, const std::string& failure) {
  const std::filesystem::path file = std::filesystem::read_symlink("/proc/self/exe").parent_path() / library;
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw std::runtime_error(failure + ": " + dlerror());
  return handle;
}

void* entry_point_beside(const char* library, const char* name, const std::string& failure) {
  void* found = dlsym(library_beside(library, failure), name);
  if (found == nullptr) throw std::runtime_error(failure + ": " + dlerror());
  return found;
}

namespace {

#if defined(TILEPROOF_HAS_TORCH)

/// Makes a subject by an entry point of the library.
template <class... Given>
MadeSubject made_by(const char* name, const Given&... given) {
  // Set before OpenMP is loaded with the library: threads that spin while they wait take cores from other processes.
  setenv("OMP_WAIT_POLICY", "PASSIVE", /*overwrite=*/0);
  setenv("OMP_NUM_THREADS", std::to_string(cores()).c_str(), /*overwrite=*/0);  // torch ignores CPU quotas
  MadeSubject made;
  entry_point<void (*)(const Given&..., MadeSubject&)>(TILEPROOF_TORCH_SUBJECTS, name,
                                                       "the torch subjects do not load")(given..., made);
  return made;
}

#else

template <class... Given>
MadeSubject made_by(const char*, const Given&...) {
  return {nullptr, "built without torch"};
}

#define TILEPROOF_ATEN ""

#endif

/// PyTorch's own: of the version that this was built with, which is the one that it loads.
MadeSubject of_aten(MadeSubject made) {
  made.library = TILEPROOF_ATEN;
  return made;
}

}  // namespace

MadeSubject make_aten_cpu_subject() { return of_aten(made_by("tileproof_aten_cpu_subject")); }
MadeSubject make_aten_eager_subject() { return of_aten(made_by("tileproof_aten_eager_subject")); }
MadeSubject make_library_subject(const Library& library) { return made_by("tileproof_library_subject", library); }

MadeSubject make_aten_cuda_subject() {
#if defined(TILEPROOF_HAS_CUDA)
  if (const MadeSubject cuda = make_cuda_subject(); cuda.subject == nullptr) return {nullptr, cuda.why_not};
#endif
  return of_aten(make_library_subject(
      {.file = "",
       .name_space = "aten",
       .operators = {{Operation::pack, "_convert_weight_to_int4pack"}, {Operation::matmul, "_weight_int4pack_mm"}},
       .required = {Operation::pack, Operation::matmul},
       .device = "cuda"}));
}

}  // namespace tileproof
