#include "kernels/torch/registration.h"

#include <c10/util/Exception.h>

#include <cstdio>
#include <exception>
#include <string>

// Of CPython's stable interface. Weak: the library also loads into programs without Python.
extern "C" {
__attribute__((weak)) int Py_IsInitialized();
__attribute__((weak)) int PyGILState_Ensure();
__attribute__((weak)) void PyGILState_Release(int);
__attribute__((weak)) void PyErr_SetString(void* type, const char* message);
__attribute__((weak)) extern void* PyExc_ImportError;
}

namespace tileproof::kernels {

namespace {

/// dlopen itself has no way to fail any more. But Python looks for a pending error when ctypes returns from it.
void tell(const std::string& message) {
  if (Py_IsInitialized != nullptr && Py_IsInitialized() != 0) {
    const int state = PyGILState_Ensure();
    PyErr_SetString(PyExc_ImportError, message.c_str());
    PyGILState_Release(state);
  } else {
    std::fprintf(stderr, "%s\n", message.c_str());
  }
}

}  // namespace

bool enrolled(const char* library, void (*enroll)()) {
  const std::string refused = std::string(library) + " registers nothing: ";
  try {
    enroll();
    return true;
  } catch (const c10::Error& error) {
    tell(refused + error.what_without_backtrace());
  } catch (const std::exception& error) {
    tell(refused + error.what());
  }
  return false;
}

}  // namespace tileproof::kernels
