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

namespace {

#if defined(TILEPROOF_HAS_TORCH)

/// Loads the library and finds one of its entry points.
/// @throws std::runtime_error if it was built but does not load: the machine is at fault, and a SKIPPED would hide it
template <class EntryPoint>
EntryPoint entry_point(const char* name) {
  // Set before OpenMP is loaded with the library: threads that spin while they wait take cores from other processes.
  setenv("OMP_WAIT_POLICY", "PASSIVE", /*overwrite=*/0);
  setenv("OMP_NUM_THREADS", std::to_string(cores()).c_str(), /*overwrite=*/0);  // torch ignores CPU quotas
  const std::filesystem::path library =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / TILEPROOF_TORCH_SUBJECTS;
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw std::runtime_error(std::string("the torch subjects do not load: ") + dlerror());
  const auto found = reinterpret_cast<EntryPoint>(dlsym(handle, name));
  if (found == nullptr) throw std::runtime_error(std::string("not the library of the torch subjects: ") + dlerror());
  return found;
}

#endif

}  // namespace

#if defined(TILEPROOF_HAS_TORCH)

MadeSubject make_aten_cpu_subject() {
  MadeSubject made;
  entry_point<void (*)(MadeSubject&)>("tileproof_aten_cpu_subject")(made);
  return made;
}

MadeSubject make_aten_eager_subject() {
  MadeSubject made;
  made.subject.reset(entry_point<Subject* (*)()>("tileproof_aten_eager_subject")());
  return made;
}

MadeSubject make_library_subject(const Library& library) {
  MadeSubject made;
  entry_point<void (*)(const Library&, MadeSubject&)>("tileproof_library_subject")(library, made);
  return made;
}

#else

MadeSubject make_aten_cpu_subject() { return {nullptr, "built without torch"}; }
MadeSubject make_aten_eager_subject() { return {nullptr, "built without torch"}; }
MadeSubject make_library_subject(const Library&) { return {nullptr, "built without torch"}; }

#endif

MadeSubject make_aten_cuda_subject() {
#if defined(TILEPROOF_HAS_CUDA)
  if (const MadeSubject cuda = make_cuda_subject(); cuda.subject == nullptr) return {nullptr, cuda.why_not};
#endif
  Library aten;
  aten.name_space = "aten";
  aten.operators = {{Operation::pack, "_convert_weight_to_int4pack"}, {Operation::matmul, "_weight_int4pack_mm"}};
  aten.required = {Operation::pack, Operation::matmul};
  aten.device = "cuda";
  return make_library_subject(aten);
}

std::string expected_schema(Operation operation) {
  switch (operation) {
    case Operation::pack:
      return "(Tensor codes, int inner_k_tiles) -> Tensor";
    case Operation::unpack:
      return "(Tensor packed_w, int inner_k_tiles) -> Tensor";
    case Operation::dequantize:
      return "(Tensor packed_w, Tensor scales_and_zeros, int group_size, int inner_k_tiles) -> Tensor";
    case Operation::matmul:
      return "(Tensor activations, Tensor packed_w, int group_size, Tensor scales_and_zeros) -> Tensor";
    default:
      throw std::logic_error(std::string(name_of(operation)) + " is no operator over packed weights");
  }
}

}  // namespace tileproof
