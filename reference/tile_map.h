/// The tile map of tinygemm by its free functions: place_of, element_at, words_of. layouts/tensor_core_tiled.h states
/// it; new code asks the layout.
#pragma once

#include "reference/layouts/tensor_core_tiled.h"
