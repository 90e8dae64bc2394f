/// The matrices over which properties about the layout are proved: complete for each of them.
#pragma once

#include "properties/case/property.h"

namespace tileproof {

/// The property, to be proved over every combination of format, group size class, tail of n, and number of
/// supertiles, and over the shapes of real models.
Property proved_over_shapes(Property);

}  // namespace tileproof
