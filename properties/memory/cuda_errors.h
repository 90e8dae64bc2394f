/// Turns an error of the CUDA runtime into an exception, for the files that call the runtime.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "properties/memory/errors.h"

namespace tileproof {

/// @throws SubjectError, with device_lost set if the error is sticky
inline void require(cudaError_t error, const char* doing) {
  if (error == cudaSuccess) return;
  const bool lost = cudaDeviceSynchronize() != cudaSuccess;
  cudaGetLastError();
  throw SubjectError(std::string(doing) + ": " + cudaGetErrorName(error) + ", " + cudaGetErrorString(error), lost);
}

}  // namespace tileproof
