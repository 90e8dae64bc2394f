/// Declares how each timer is made, for timing.cpp and the files that implement timers.
#pragma once

#include "properties/timing/timing.h"

namespace tileproof {

/// The production kernels on as many threads as there are cores.
MadeTimer make_host_timer();
/// A given subject in host memory.
MadeTimer make_timer_of(std::unique_ptr<Subject>);
MadeTimer make_cuda_timer();
MadeTimer make_torch_timer();

}  // namespace tileproof
