/// A k-tile at a time: where its sixteen columns lie, once the specification has said where the first one does.
#pragma once

#include <cstdint>

#include "reference/tile_map.h"

namespace tileproof {

/// Sixteen columns from a k-tile's first on lie in four neighbouring lanes: where, from the first one's place on.
struct FromFirst {
  int lane;
  int nibble;
};
constexpr FromFirst from_first_of_k_tile(int column) { return {column % 8 / 2, column % 2 * 4 + column / 8}; }

/// That this is what the specification says, for every k-tile of two supertiles and every row.
template <int inner_k_tiles>
constexpr bool shortcut_is_as_specified() {
  constexpr std::int64_t k = 2 * reference::columns_of_tile * inner_k_tiles;
  for (std::int64_t row = 0; row < 2 * reference::rows_of_tile; ++row) {
    for (std::int64_t column = 0; column < k; ++column) {
      const int i = static_cast<int>(column % reference::columns_of_tile);
      const reference::Place first = reference::place_of(row, column - i, k, inner_k_tiles);
      const reference::Place expected = {first.word + from_first_of_k_tile(i).lane * (inner_k_tiles / 2),
                                         first.nibble + from_first_of_k_tile(i).nibble};
      if (reference::place_of(row, column, k, inner_k_tiles) != expected) return false;
    }
  }
  return true;
}
static_assert(shortcut_is_as_specified<2>() && shortcut_is_as_specified<4>() && shortcut_is_as_specified<8>());

}  // namespace tileproof
