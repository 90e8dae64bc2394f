// The harness as a library that a Python interpreter loads: its process is then a worker, as of `tileproof work`.
// properties/subjects/python/worker.py is the program. No variable of an inline function may get into this file:
// RapidCheck must find those in an archive.
#include "fuzz/process/worker.h"
#include "properties/subjects/python.h"
#include "properties/subjects/python_blocks.h"

/// Takes orders from a socket, and ends the process.
extern "C" [[gnu::visibility("default")]] int tileproof_work_of_python(
    int socket, decltype(tileproof::PythonFunctions::import_module) import_module,
    decltype(tileproof::PythonFunctions::call) call, decltype(tileproof::PythonFunctions::state) state) {
  tileproof::set_python_functions({import_module, call, state});
  return tileproof::work(socket);
}

// The functions of an allocator, as torch.cuda.memory.CUDAPluggableAllocator has them.

extern "C" [[gnu::visibility("default")]] void* tileproof_allocate_on_cuda(std::ptrdiff_t bytes, int device,
                                                                           void* stream) {
  return tileproof::allocated_for_torch_on_cuda(static_cast<std::size_t>(bytes), device, stream);
}

extern "C" [[gnu::visibility("default")]] void tileproof_free_on_cuda(void* memory, std::ptrdiff_t, int, void* stream) {
  tileproof::give_back_for_torch_on_cuda(memory, stream);
}
