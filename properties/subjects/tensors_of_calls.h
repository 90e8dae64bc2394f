/// Views raw pointers of calls as CPU tensors and copies results back, for the subjects made of torch.
#pragma once

#include <ATen/ATen.h>

#include <cstring>
#include <string>

#include "properties/subjects/subject.h"

namespace tileproof {

template <class T>
at::Tensor view_of(const T* data, at::IntArrayRef sizes, at::ScalarType type) {
  return at::from_blob(const_cast<T*>(data), sizes, at::TensorOptions().dtype(type));
}

/// Runs torch code, and turns its exceptions into a SubjectError without the backtrace.
template <class Use>
void in_torch(Use use) {
  try {
    use();
  } catch (const c10::Error& error) {
    const std::string what = error.what_without_backtrace();
    throw SubjectError(what);
  }
}

/// @param bytes  the size of `out`
/// @throws SubjectError if the result has another size
inline void copy_to(void* out, std::int64_t bytes, const at::Tensor& result) {
  const at::Tensor contiguous = result.contiguous().cpu();
  if (static_cast<std::int64_t>(contiguous.nbytes()) != bytes) {
    throw SubjectError("the result has " + std::to_string(contiguous.nbytes()) + " bytes, expected " +
                       std::to_string(bytes));
  }
  std::memcpy(out, contiguous.data_ptr(), contiguous.nbytes());
}

}  // namespace tileproof
