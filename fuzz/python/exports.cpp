// The Python package calls these C functions of the harness by ctypes. This file includes no header with inline
// functions: their variables must come from an archive alone, as process/python_worker.cpp says.
#include "fuzz/python/askable.h"
#include "fuzz/python/specification.h"

extern "C" {

[[gnu::visibility("default")]] const char* tileproof_formats() { return tileproof::specified_formats(); }
[[gnu::visibility("default")]] const char* tileproof_tensors(const tileproof::SpecifiedCall* call) {
  return tileproof::specified_tensors(call);
}
[[gnu::visibility("default")]] const char* tileproof_result(const tileproof::SpecifiedCall* call,
                                                            const void* const* inputs, void* result) {
  return tileproof::specified_result(call, inputs, result);
}

[[gnu::visibility("default")]] const char* tileproof_askable_properties(const char* facts) {
  return tileproof::askable_properties(facts);
}

}  // extern "C"
