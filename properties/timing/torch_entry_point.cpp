// Loads the timer of the PyTorch operators from its library beside the program, so that nothing else loads torch.
#include <dlfcn.h>

#include <filesystem>
#include <stdexcept>

#include "properties/timing/rows.h"

namespace tileproof {

#if defined(TILEPROOF_TORCH_TIMER)

MadeTimer make_torch_timer() {
  if (const MadeTimer cuda = make_cuda_timer(); cuda.timer == nullptr) return {nullptr, cuda.why_not};
  const std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  void* handle = dlopen((folder / TILEPROOF_TORCH_TIMER).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw std::runtime_error(std::string("the torch timer does not load: ") + dlerror());
  using EntryPoint = Timer* (*)(const char* operators);
  const auto entry_point = reinterpret_cast<EntryPoint>(dlsym(handle, "tileproof_torch_timer"));
  if (entry_point == nullptr) throw std::runtime_error(std::string("not the library of the torch timer: ") + dlerror());
  MadeTimer made;
  made.timer.reset(entry_point((folder / TILEPROOF_TORCH_OPERATORS).c_str()));
  return made;
}

#else

MadeTimer make_torch_timer() { return {nullptr, "built without torch, or without CUDA"}; }

#endif

}  // namespace tileproof
