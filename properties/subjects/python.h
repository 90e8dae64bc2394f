/// A user's Python module as a subject: its functions pack, unpack, dequantize and convert over arrays. The worker
/// process is the user's own interpreter, which has loaded this harness as a library; python/worker.py is its side.
#pragma once

#include <cstdint>
#include <string>

#include "properties/subjects/subject.h"

namespace tileproof {

struct PythonModule {
  std::string file;         // a Python file
  std::string interpreter;  // the program that runs it; "" if there is none
  std::string format;       // "": the module's FORMAT
  std::string device;       // "cpu" or "cuda"; "": the module's DEVICE, or cpu
};

/// @return for messages: which module is legal
std::string text_of_legal_module();

/// Imports the module and makes a subject of its functions, with the capabilities that it states.
/// @throws UsageError if the module is not what it should be
/// @throws std::logic_error if this process is no Python interpreter
MadeSubject make_python_subject(const PythonModule&);

// --- Requests to python/worker.py, in plain memory; its ctypes structures mirror these ---------------------------

/// An array of a call, contiguous.
struct PythonArray {
  const char* name;   // for messages
  const char* dtype;  // a name of numpy's and torch's: "int32"; or "bf16", "fp16", "fp32"
  void* data;
  std::int64_t dims[reference::Dims::most];
  std::int32_t dim_count;
};

/// A call: the function's arguments are the arrays, and by name the numbers that it has parameters for.
struct PythonCall {
  static constexpr int most_arrays = 3;
  const char* function;
  PythonArray arrays[most_arrays];
  std::int32_t array_count;
  std::int64_t n, k, group_size;
  PythonArray result;  // where its elements go
  std::int32_t fence;  // the byte beside arrays on a device
};

enum class PythonAnswer : int {
  done,
  illegal,      // the module is not what it should be: three lines, as of UsageError
  unavailable,  // this machine lacks what the module needs
  error,        // the function raised, or its result is of another form
  violation,    // the call broke a rule of memory
  device_lost   // as error, and the device answers nothing but errors any more
};

/// The functions of python/worker.py. Each writes at most `capacity` bytes of text, the 0 at its end included.
struct PythonFunctions {
  /// Imports a module. The text of an answer that is done: a line "name=value" for each fact.
  int (*import_module)(const char* file, const char* device, char* text, std::int64_t capacity) = nullptr;
  int (*call)(const PythonCall*, char* text, std::int64_t capacity) = nullptr;
  /// The settings that the packages keep for the process. The text: a line "name=value" for each.
  int (*state)(char* text, std::int64_t capacity) = nullptr;
};

/// Tells this process, an interpreter, which functions to ask.
void set_python_functions(const PythonFunctions&);

}  // namespace tileproof
