// Loads the aten subjects from their library, which lies beside the program.
#include <dlfcn.h>

#include <filesystem>
#include <stdexcept>

#include "subject_rows.h"

namespace tileproof {

namespace {

#if defined(TILEPROOF_HAS_TORCH)

using MakeSubject = Subject* (*)(const char* device, std::string* why_not);

MadeSubject made(const char* device) {
  const std::filesystem::path library =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / TILEPROOF_ATEN_LIBRARY;
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  // Built here and not to be loaded: the machine is at fault, and a SKIPPED would hide it.
  if (handle == nullptr) throw std::runtime_error(std::string("the aten subjects do not load: ") + dlerror());
  const auto make = reinterpret_cast<MakeSubject>(dlsym(handle, "tileproof_aten_subject"));
  if (make == nullptr) throw std::runtime_error(std::string("not the library of the aten subjects: ") + dlerror());
  MadeSubject result;
  result.subject.reset(make(device, &result.why_not));
  return result;
}

#else

MadeSubject made(const char*) { return {nullptr, "built without torch"}; }

#endif

}  // namespace

MadeSubject make_aten_cpu_subject() { return made("cpu"); }

MadeSubject make_aten_cuda_subject() {
#if defined(TILEPROOF_HAS_CUDA)
  if (const MadeSubject cuda = make_cuda_subject(); cuda.subject == nullptr) return {nullptr, cuda.why_not};
#endif
  return made("cuda");
}

}  // namespace tileproof
