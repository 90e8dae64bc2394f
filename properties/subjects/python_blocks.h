/// Guards over the memory that torch allocates in the interpreter of a Python module: through posix_memalign for
/// tensors on the CPU, as other packages do, and through functions of the harness for those on a CUDA device.
#pragma once

#include "properties/subjects/guarded_cuda_blocks.h"

namespace tileproof {

/// @return nullptr if this process was started without python/allocations.cpp, so that nobody asks the harness
GuardedBlocks* python_blocks();

/// @return nullptr if there is no CUDA driver
GuardedCudaBlocks* python_cuda_blocks();

// Torch calls these in place of its own allocator.
/// @throws std::runtime_error of torch's C++ library
void* allocated_for_torch_on_cuda(std::size_t bytes, int device, void* stream);
void give_back_for_torch_on_cuda(void* memory, void* stream);

}  // namespace tileproof
