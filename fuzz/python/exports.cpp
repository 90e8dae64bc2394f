// What the Python package asks the harness, as C functions. No variable of an inline function may get into this file,
// as in process/python_worker.cpp.
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
