/// What an error of the CUDA runtime becomes: for the files that call it.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "properties/memory/errors.h"

namespace tileproof {

/// @throws SubjectError, which says whether the context answers nothing but errors from now on
inline void require(cudaError_t error, const char* doing) {
  if (error == cudaSuccess) return;
  const bool lost = cudaDeviceSynchronize() != cudaSuccess;
  cudaGetLastError();
  throw SubjectError(std::string(doing) + ": " + cudaGetErrorName(error) + ", " + cudaGetErrorString(error), lost);
}

}  // namespace tileproof
