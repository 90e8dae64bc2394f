/// Guards over the memory that the packages of an interpreter allocate through posix_memalign, as torch does for
/// tensors on the CPU.
#pragma once

#include "properties/subjects/guarded_blocks.h"

namespace tileproof {

/// @return nullptr if this process was started without python/allocations.cpp, so that nobody asks the harness
GuardedBlocks* python_blocks();

}  // namespace tileproof
