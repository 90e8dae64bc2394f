/// The matrices over which claims about the layout are proved: complete for each of them.
#pragma once

#include "properties/case/claim.h"

namespace tileproof {

/// The claim, to be proved over every combination of inner_k_tiles, group size class, tail of n, and number of
/// supertiles, and over the shapes of real models.
Claim proved_over_shapes(Claim);

}  // namespace tileproof
