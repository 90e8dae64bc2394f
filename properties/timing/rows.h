/// How each timer is made; for timing.cpp and the files that implement them.
#pragma once

#include "properties/timing/timing.h"

namespace tileproof {

/// The production kernels by as many threads as there are cores.
MadeTimer make_host_timer();
/// A subject in host memory, as it is.
MadeTimer make_timer_of(std::unique_ptr<Subject>);
MadeTimer make_cuda_timer();
MadeTimer make_torch_timer();

}  // namespace tileproof
