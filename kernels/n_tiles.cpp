/// The layout is that of strips.h: the four words of a row in a strip hold its 32 codes such that masks and two
/// shuffles put them in order, sixteen a vector. A group of a row has no more than sixteen different weights: they are
/// computed once, by the words of words_host.h, and then looked up.
#include "n_tiles.h"

#include <bit>
#include <cstring>

#include "words_host.h"

#define TILEPROOF_INLINE inline __attribute__((always_inline))

namespace tileproof::kernels {

namespace {

static_assert(std::endian::native == std::endian::little, "bytes of words are taken as they lie in memory");

constexpr int rows_of_n_tile = 8;
constexpr int columns_of_vector = 16;
constexpr int columns_of_strip = 2 * columns_of_vector;
constexpr int codes = 16;  // that there are
constexpr int midpoint = 8;

using Words = std::uint32_t __attribute__((vector_size(16)));
using Bytes = std::uint8_t __attribute__((vector_size(16)));

/// @param words          a row's word of the strip in its first lane
/// @param words_of_lane  from one lane's to the next
/// @param columns        the codes of columns 0 to 15, and 16 to 31
TILEPROOF_INLINE void read_strip(const std::uint32_t* words, int words_of_lane, Bytes (&columns)[2]) {
  const Words four = {words[0], words[words_of_lane], words[2 * words_of_lane], words[3 * words_of_lane]};
  const auto low = reinterpret_cast<Bytes>(four & 0x0f0f0f0f);
  const auto high = reinterpret_cast<Bytes>(four >> 4 & 0x0f0f0f0f);
  // Bytes 0 and 2 of a word are of columns below 16, bytes 1 and 3 of those behind; the high nibbles' are 8 to the
  // right.
  columns[0] = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  columns[1] = __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

/// An n-tile of a batch.
struct NTile {
  std::int64_t expert;
  std::int64_t first_row;  // of the expert
  int rows;                // eight, or what the expert has left
};

template <class Arguments>
NTile n_tile_of(const Arguments& a, std::int64_t n_tile) {
  const std::int64_t of_expert = (a.n + rows_of_n_tile - 1) / rows_of_n_tile;
  const std::int64_t expert = n_tile / of_expert;
  const std::int64_t row = (n_tile - expert * of_expert) * rows_of_n_tile;
  return {expert, row, static_cast<int>(a.n - row < rows_of_n_tile ? a.n - row : rows_of_n_tile)};
}

/// Calls `use` with a row of the n-tile, the column and the codes of every sixteen columns, rows fastest.
template <class Arguments, class Use>
TILEPROOF_INLINE void for_each_vector(const Arguments& a, std::int64_t n_tile, int rows, Use use) {
  const int words_of_lane = static_cast<int>(a.inner_k_tiles / 2);
  const std::int64_t words_of_supertile = 32 * words_of_lane;
  const std::int64_t supertiles = a.k / (16 * a.inner_k_tiles);
  const std::uint32_t* words = a.packed + n_tile * supertiles * words_of_supertile;
  std::int64_t column = 0;
  for (std::int64_t supertile = 0; supertile < supertiles; ++supertile, words += words_of_supertile) {
    for (int strip = 0; strip < words_of_lane; ++strip, column += columns_of_strip) {
      for (int row = 0; row < rows; ++row) {
        Bytes columns[2];
        read_strip(words + row * 4 * words_of_lane + strip, words_of_lane, columns);
        use(row, column, columns[0]);
        use(row, column + columns_of_vector, columns[1]);
      }
    }
  }
}

/// The sixteen weights of a group of a row, a table for each of their bytes.
template <class Bits>
class Table {
 public:
  TILEPROOF_INLINE void fill(const Bits (&weights)[codes]) {
    for (std::size_t i = 0; i < sizeof(Bits); ++i) {
      for (int code = 0; code < codes; ++code) byte[i][code] = static_cast<std::uint8_t>(weights[code] >> (8 * i));
    }
  }

  TILEPROOF_INLINE void look_up(Bytes columns, Bits* to) const {
    if constexpr (sizeof(Bits) == 2) {
      store_neighbours(found(0, columns), found(1, columns), to);
    } else {
      const Bytes low[2] = {low_half(found(0, columns), found(1, columns)),
                            high_half(found(0, columns), found(1, columns))};
      const Bytes high[2] = {low_half(found(2, columns), found(3, columns)),
                             high_half(found(2, columns), found(3, columns))};
      for (int half = 0; half < 2; ++half) {
        const Bytes quads[2] = {
            __builtin_shufflevector(low[half], high[half], 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23),
            __builtin_shufflevector(low[half], high[half], 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30,
                                    31)};
        std::memcpy(to + half * 8, quads, sizeof quads);
      }
    }
  }

 private:
  Bytes byte[sizeof(Bits)];

  TILEPROOF_INLINE Bytes found(int of_weight, Bytes columns) const {
#if defined(__clang__)  // which has no shuffle by a variable
    Bytes bytes;
    for (int i = 0; i < columns_of_vector; ++i) bytes[i] = byte[of_weight][columns[i]];
    return bytes;
#else
    return __builtin_shuffle(byte[of_weight], columns);
#endif
  }

  // Of two vectors, byte by byte in turn.
  static TILEPROOF_INLINE Bytes low_half(Bytes a, Bytes b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  }
  static TILEPROOF_INLINE Bytes high_half(Bytes a, Bytes b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  }
  static TILEPROOF_INLINE void store_neighbours(Bytes a, Bytes b, Bits* to) {
    const Bytes halves[2] = {low_half(a, b), high_half(a, b)};
    std::memcpy(to, halves, sizeof halves);
  }
};

template <class T>
TILEPROOF_INLINE void fill(const DequantizeArguments& a, std::int64_t group_row, Table<typename T::Bits>& table) {
  using Bits = typename T::Bits;
  const auto* scales = static_cast<const Bits*>(a.scales);
  Bits weights[codes];
  if (a.domain == Domain::floating) {
    const float scale = T::value(scales[2 * group_row]), zero = T::value(scales[2 * group_row + 1]);
    for (int code = 0; code < codes; ++code) {
      weights[code] = static_cast<Bits>(T::fma(static_cast<float>(code - midpoint), scale, zero));
    }
  } else {
    const int zero_point = a.domain == Domain::integer ? a.zero_points[group_row] : 0;
    const float scale = T::value(scales[group_row]);
    for (int code = 0; code < codes; ++code) {
      weights[code] = static_cast<Bits>(T::product(static_cast<float>(code - zero_point), scale));
    }
  }
  table.fill(weights);
}

template <class T>
TILEPROOF_INLINE void dequantize_as(const DequantizeArguments& a, NTiles n_tiles) {
  using Bits = typename T::Bits;
  const std::int64_t groups = a.k / a.group_size;
  for (std::int64_t n_tile = n_tiles.begin; n_tile < n_tiles.end; ++n_tile) {
    const NTile tile = n_tile_of(a, n_tile);
    Bits* weights = static_cast<Bits*>(a.weights) + (tile.expert * a.n + tile.first_row) * a.k;
    Table<Bits> tables[rows_of_n_tile];
    std::int64_t next_group[rows_of_n_tile] = {};  // the column where a row's next group begins
    std::int64_t group_row[rows_of_n_tile];
    for (int row = 0; row < tile.rows; ++row) group_row[row] = tile.expert * groups * a.n + tile.first_row + row;
    for_each_vector(
        a, n_tile, tile.rows, [&](int row, std::int64_t column, Bytes columns) __attribute__((always_inline)) {
          if (column == next_group[row]) {
            fill<T>(a, group_row[row], tables[row]);
            next_group[row] += a.group_size;
            group_row[row] += a.n;
          }
          tables[row].look_up(columns, weights + row * a.k + column);
        });
  }
}

TILEPROOF_INLINE void unpack_as(const UnpackArguments& a, NTiles n_tiles) {
  for (std::int64_t n_tile = n_tiles.begin; n_tile < n_tiles.end; ++n_tile) {
    const NTile tile = n_tile_of(a, n_tile);
    std::int32_t* to = a.codes + (tile.expert * a.n + tile.first_row) * a.k;
    for_each_vector(
        a, n_tile, tile.rows, [&](int row, std::int64_t column, Bytes columns) __attribute__((always_inline)) {
          std::int32_t unpacked[columns_of_vector];
          for (int i = 0; i < columns_of_vector; ++i) unpacked[i] = columns[i];
          std::memcpy(to + row * a.k + column, unpacked, sizeof unpacked);
        });
  }
}

TILEPROOF_INLINE void dequantize_of_type(const DequantizeArguments& a, NTiles n_tiles) {
  if (a.type == Type::bf16) return dequantize_as<Bf16>(a, n_tiles);
  if (a.type == Type::fp16) return dequantize_as<Fp16>(a, n_tiles);
  dequantize_as<Fp32>(a, n_tiles);
}

// Twice from the same source: shuffling by a variable is one instruction with the vectors of most x86 processors, and
// some forty with those that all of them have (ten times the speed, where a tenth was asked for).
void unpack_plainly(const UnpackArguments& a, NTiles n_tiles) { unpack_as(a, n_tiles); }
void dequantize_plainly(const DequantizeArguments& a, NTiles n_tiles) { dequantize_of_type(a, n_tiles); }

#if defined(__x86_64__)
__attribute__((target("avx2"), flatten)) void unpack_by_avx2(const UnpackArguments& a, NTiles n_tiles) {
  unpack_as(a, n_tiles);
}
__attribute__((target("avx2"), flatten)) void dequantize_by_avx2(const DequantizeArguments& a, NTiles n_tiles) {
  dequantize_of_type(a, n_tiles);
}
const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
#else
constexpr bool has_avx2 = false;
constexpr auto unpack_by_avx2 = unpack_plainly;
constexpr auto dequantize_by_avx2 = dequantize_plainly;
#endif

}  // namespace

void pack(const PackArguments& a, NTiles n_tiles) {
  if (threads_of(a) == 0) return;
  const std::int64_t threads_of_n_tile = threads_of(a) / n_tiles_of(a);  // whose threads are numbered n-tile by n-tile
  pack(a, Range{n_tiles.begin * threads_of_n_tile, n_tiles.end * threads_of_n_tile});
}

void unpack(const UnpackArguments& a, NTiles n_tiles) {
  return has_avx2 ? unpack_by_avx2(a, n_tiles) : unpack_plainly(a, n_tiles);
}

void dequantize(const DequantizeArguments& a, NTiles n_tiles) {
  return has_avx2 ? dequantize_by_avx2(a, n_tiles) : dequantize_plainly(a, n_tiles);
}

}  // namespace tileproof::kernels
