/// The canary kernels of watched.h, launched beside the production kernels for compute-sanitizer to find.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <string>

namespace tileproof {

/// The memory that a canary kernel works on.
struct Watched {
  const std::uint8_t* input;  // completely written
  std::int64_t input_bytes;
  const std::uint8_t* output;  // completely unwritten
};

/// @param kernel  the kernel of a row of plants(), see watched.h
/// @throws std::logic_error if there is no such kernel
void launch_canary(const std::string& kernel, const Watched&, cudaStream_t);

}  // namespace tileproof
