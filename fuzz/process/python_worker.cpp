// The harness as a library that a Python interpreter loads: its process is then a worker, as of `tileproof work`.
// properties/subjects/python/worker.py is the program.
#include "fuzz/process/worker.h"
#include "properties/subjects/python.h"

/// Takes orders from a socket, and ends the process.
extern "C" [[gnu::visibility("default")]] int tileproof_work_of_python(
    int socket, decltype(tileproof::PythonFunctions::import_module) import_module,
    decltype(tileproof::PythonFunctions::call) call, decltype(tileproof::PythonFunctions::state) state) {
  tileproof::set_python_functions({import_module, call, state});
  return tileproof::work(socket);
}
