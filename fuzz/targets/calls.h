/// Calls of the production kernels on the host, for fuzz targets. Each call runs between fences and is compared with
/// the specification.
#pragma once

#include "fuzz/targets/target.h"
#include "kernels/kernels.h"

namespace tileproof {

/// Runs a legal call over data of its own, in a way that the choices decide, and compares every element with the
/// specification. Only the alignment of the pointers is used.
/// @throws GuardViolation, Wrong
void require_as_specified(kernels::PackArguments, Choices&);
void require_as_specified(kernels::UnpackArguments, Choices&);
void require_as_specified(kernels::DequantizeArguments, Choices&);

}  // namespace tileproof
