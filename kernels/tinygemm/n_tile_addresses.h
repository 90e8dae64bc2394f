/// Where the elements of an n-tile lie, in a batch that may have more than 2^32 of anything: for n_tiles.cpp, and for
/// the test that asks about matrices which no memory holds.
#pragma once

#include <cstdint>

#include "kernels/arguments.h"

namespace tileproof::kernels {

inline constexpr int rows_of_n_tile = 8;

/// An n-tile of a batch.
struct NTile {
  std::int64_t n_tile;  // of the batch
  std::int64_t expert;
  std::int64_t first_row;  // of the expert
  int rows;                // eight, or what the expert has left
};

template <class Arguments>
NTile n_tile_of(const Arguments& a, std::int64_t n_tile) {
  const std::int64_t of_expert = (a.n + rows_of_n_tile - 1) / rows_of_n_tile;
  const std::int64_t expert = n_tile / of_expert;
  const std::int64_t row = (n_tile - expert * of_expert) * rows_of_n_tile;
  return {n_tile, expert, row, static_cast<int>(a.n - row < rows_of_n_tile ? a.n - row : rows_of_n_tile)};
}

/// Which of a batch's codes or weights, [expert][n][k], is at a row of an n-tile and a column.
template <class Arguments>
std::int64_t element_of(const Arguments& a, const NTile& tile, int row, std::int64_t column) {
  return (tile.expert * a.n + tile.first_row + row) * a.k + column;
}

/// Which packed word is the first of the supertile of an n-tile that begins at a column. A word holds eight codes, and
/// an n-tile has eight rows: so there are as many words before it as columns.
template <class Arguments>
std::int64_t word_of(const Arguments& a, const NTile& tile, std::int64_t column) {
  return tile.n_tile * a.k + column;
}

/// Which of a batch's parameters, [expert][group][n], are those of an n-tile's first row in a group.
inline std::int64_t parameters_of(const DequantizeArguments& a, const NTile& tile, std::int64_t group) {
  return (tile.expert * (a.k / a.group_size) + group) * a.n + tile.first_row;
}

}  // namespace tileproof::kernels
