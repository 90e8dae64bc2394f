// A user's library of kernels, loaded into this process and called by raw pointers.
#include "properties/subjects/kernel_library.h"

#include <dlfcn.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "properties/problem/named.h"
#include "properties/subjects/cuda_device.h"
#include "properties/subjects/stated.h"
#include "properties/subjects/tileproof_kernel.h"
#if defined(TILEPROOF_HAS_CUDA)
#include "properties/memory/cuda.h"
#include "properties/memory/cuda_errors.h"
#endif

namespace tileproof {

namespace {

using Kernel = int (*)(const tileproof_call*);

std::string symbol_of(Operation operation) { return std::string("tileproof_") + name_of(operation); }

class KernelSubject : public Subject {
 public:
  KernelSubject(std::map<Operation, Kernel> kernels, std::unique_ptr<Memory> memory, bool on_device)
      : kernels_(std::move(kernels)), memory_(std::move(memory)), on_device_(on_device) {}

  Memory& memory() override { return *memory_; }

  void run(const Call& c) override {
    const tileproof_call call = {.format = c.format->name,
                                 .scheme = c.scheme->name,
                                 .weight_type = name_of(c.types.weight),
                                 .parameter_type = name_of(c.types.parameter),
                                 .n = c.n,
                                 .k = c.k,
                                 .group_size = c.group_size,
                                 .stream = nullptr,
                                 .pairs = c.pairs(),
                                 .packed = c.packed_bytes(),
                                 .scales = c.scales(),
                                 .zeros = c.zeros(),
                                 .codes = c.codes(),
                                 .weights = c.weights(),
                                 .format_to = c.format_to == nullptr ? nullptr : c.format_to->name,
                                 .converted = c.converted()};
    const int result = kernels_.at(c.operation)(&call);
    if (on_device_) wait();
    if (result != 0) throw SubjectError(symbol_of(c.operation) + " returned " + std::to_string(result));
  }

 private:
  static void wait() {
#if defined(TILEPROOF_HAS_CUDA)
    require(cudaDeviceSynchronize(), "the kernel");
    require(cudaPeekAtLastError(), "an error was left pending");
#endif
  }

  std::map<Operation, Kernel> kernels_;
  std::unique_ptr<Memory> memory_;
  bool on_device_;
};

std::unique_ptr<Memory> memory_of_device() {
#if defined(TILEPROOF_HAS_CUDA)
  return std::make_unique<CudaMemory>();
#else
  return nullptr;
#endif
}

}  // namespace

std::string text_of_legal_kernels() {
  return "a shared library with tileproof_takes and " +
         joined(pointer_operations, ", ", [](Operation one) { return symbol_of(one); }) +
         ", or some of them, as properties/subjects/tileproof_kernel.h has them";
}

MadeSubject make_kernel_subject(const KernelLibrary& library) {
  const auto refuse = [&](const std::string& why) {
    return UsageError("--kernel", "'" + library.file + "' (" + why + ")", text_of_legal_kernels());
  };
  void* const handle = dlopen(library.file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw refuse(dlerror());
  const auto takes = reinterpret_cast<decltype(&tileproof_takes)>(dlsym(handle, "tileproof_takes"));
  if (takes == nullptr) throw refuse("it has no tileproof_takes");
  const char* const stated = takes();
  if (stated == nullptr) throw refuse("tileproof_takes returned NULL");
  std::string text = stated;
  constexpr const char* legal[] = {"FORMAT",     "FORMAT_TO",  "SCHEMES", "TYPES", "GROUP_SIZES",
                                   "N_MULTIPLE", "K_MULTIPLE", "MAX_N",   "MAX_K", "DEVICE"};
  for (const std::string& line : lines_of(text)) {
    if (line.find('=') == std::string::npos && !line.empty()) {
      throw UsageError("tileproof_takes", "'" + line + "'", "lines NAME=VALUE");
    }
  }
  for (const std::string& name : Facts(text).names()) {
    if (std::find(std::begin(legal), std::end(legal), name) == std::end(legal)) {
      throw UsageError("tileproof_takes", "'" + name + "'", joined(legal, ", ", [](const char* one) { return one; }));
    }
  }
  std::map<Operation, Kernel> kernels;
  for (const Operation operation : pointer_operations) {
    const auto kernel = reinterpret_cast<Kernel>(dlsym(handle, symbol_of(operation).c_str()));
    if (kernel == nullptr) continue;
    kernels.emplace(operation, kernel);
    text += std::string("\nfunction=") + name_of(operation);
  }
  if (kernels.empty()) throw refuse("it has none of the operations");
  Facts facts(text);
  Capabilities capabilities = stated_capabilities(facts, library.file, library.format);
  capabilities.not_watched = "memory that kernels allocate themselves, which is not watched";
  const std::string device = !library.device.empty() ? library.device : facts.one("DEVICE");
  if (device == "cuda") {
    if (const std::string why_not = why_no_cuda_device(); !why_not.empty()) return {nullptr, why_not};
    return {std::make_unique<KernelSubject>(kernels, memory_of_device(), true), "", on_a_gpu(capabilities), device};
  }
  if (!device.empty() && device != "cpu") throw UsageError("DEVICE", "'" + device + "'", "cpu or cuda");
  return {std::make_unique<KernelSubject>(kernels, make_host_memory(), false), "", capabilities, "cpu"};
}

}  // namespace tileproof
