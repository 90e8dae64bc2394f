/// The operations for tensors in a host's memory, as fast as a host moves memory: what the operators run on CPU
/// tensors. The same results as kernels.h, from code that walks as a processor likes it: through the packed words once,
/// eight rows at a time.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/arguments.h"
#include "kernels/kernels.h"

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
/// (`validate`), host pointers.
void pack(const PackArguments&, NTiles);
void unpack(const UnpackArguments&, NTiles);
void dequantize(const DequantizeArguments&, NTiles);

/// What the results do not depend on, and the functions above choose: what the code was compiled for, and how it
/// stores.
struct Way {
  bool by_avx2;      // instructions that most x86 processors have, or those that all have
  bool is_streamed;  // past the caches, or through them
};

/// "plainly", "by AVX2, streamed"
std::string name_of(Way);

/// Those that this machine can run: for who judges them, since a call takes only one of them.
std::vector<Way> all_ways();
/// The one that a call takes.
Way way_of(const PackArguments&);
Way way_of(const UnpackArguments&);
Way way_of(const DequantizeArguments&);

void pack(const PackArguments&, NTiles, Way);
void unpack(const UnpackArguments&, NTiles, Way);
void dequantize(const DequantizeArguments&, NTiles, Way);

/// The unit in which threads share an operation on CPU tensors: ranges of what it has on a GPU.
template <class Arguments>
struct Shares {
  using Part = Range;
  static std::int64_t count(const Arguments& arguments) { return threads_of(arguments); }
};
/// Or n-tiles, where it has code of its own over these.
template <class Arguments>
struct SharesOfNTiles {
  using Part = NTiles;
  static std::int64_t count(const Arguments& arguments) { return n_tiles_of(arguments); }
};
template <>
struct Shares<PackArguments> : SharesOfNTiles<PackArguments> {};
template <>
struct Shares<UnpackArguments> : SharesOfNTiles<UnpackArguments> {};
template <>
struct Shares<DequantizeArguments> : SharesOfNTiles<DequantizeArguments> {};

/// Whether an operation has code of its own over n-tiles, in the ways of `Way`.
template <class Arguments>
constexpr bool has_ways = std::is_same_v<typename Shares<Arguments>::Part, NTiles>;

}  // namespace tileproof::kernels
