/// Kernels with the mutants of watched.h, launched beside the production kernels; for compute-sanitizer to find.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <string>

namespace tileproof {

/// Where a planted kernel works.
struct Watched {
  const std::uint8_t* input;  // all of it written
  std::int64_t input_bytes;
  const std::uint8_t* output;  // none of it
};

/// @param kernel  a name of watched.h's plants
void launch_canary(const std::string& kernel, const Watched&, cudaStream_t);

}  // namespace tileproof
