/// The operations for tensors in a host's memory, as fast as a host moves memory: what the operators run on CPU
/// tensors. The same results as kernels.h, from code that walks as a processor likes it: through the packed words once,
/// eight rows at a time.
#pragma once

#include <cstdint>

#include "arguments.h"
#include "kernels.h"

namespace tileproof::kernels {

/// How many n-tiles, of eight rows each, a batch of experts has.
template <class Arguments>
std::int64_t n_tiles_of(const Arguments& a) {
  return a.experts * ((a.n + 7) / 8);
}

/// The n-tiles begin <= n_tile < end of a batch.
struct NTiles {
  std::int64_t begin;
  std::int64_t end;
};

/// Runs some n-tiles on the calling host thread; any split of them gives the same bits. Legal arguments only
/// (`refusal_of`), host pointers.
void pack(const PackArguments&, NTiles);
void unpack(const UnpackArguments&, NTiles);
void dequantize(const DequantizeArguments&, NTiles);

}  // namespace tileproof::kernels
