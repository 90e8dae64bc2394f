/// Calls of the production kernels on the host, for fuzz targets: each is run between fences and compared with the
/// specification.
#pragma once

#include "fuzz/targets/target.h"
#include "kernels/kernels.h"

namespace tileproof {

/// Runs a legal call over data of its own, in a way that the choices say, and compares every element with the
/// specification's. Of the pointers only the alignment is taken.
/// @throws GuardViolation, Wrong
void require_as_specified(kernels::PackArguments, Choices&);
void require_as_specified(kernels::UnpackArguments, Choices&);
void require_as_specified(kernels::DequantizeArguments, Choices&);

}  // namespace tileproof
