/// The matrices over which the properties about the layout are proved. Each matrix is covered completely.
#pragma once

#include "properties/case/property.h"

namespace tileproof {

/// Returns the property with enumerations over every combination of format, group size class, tail of n and number of
/// supertiles, and over the shapes of real models.
Property proved_over_shapes(Property);

}  // namespace tileproof
