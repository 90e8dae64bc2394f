/// The layout is that of strips.h: the four words of a row in a strip hold its 32 codes such that masks and two
/// shuffles put them in order, sixteen a vector. A group of a row has no more than sixteen different weights: they are
/// computed once (sixteen_weights.h), and then looked up.
#include "kernels/tinygemm/n_tiles.h"

#include <bit>
#include <cstring>

#include "kernels/float_mode.h"
#include "kernels/tinygemm/n_tile_addresses.h"
#include "kernels/tinygemm/sixteen_weights.h"
#include "kernels/vectors_host.h"

namespace tileproof::kernels {

namespace {

static_assert(std::endian::native == std::endian::little, "bytes of words are taken as they lie in memory");

constexpr int columns_of_vector = 16;
constexpr int columns_of_strip = 2 * columns_of_vector;

/// A row of a supertile, strip by strip: a vector holds the words of the row's four lanes.
template <int words_of_lane>
using Strips = Words[words_of_lane];

/// Vector by vector: GCC would put them through the stack where they are copied as one.
template <int words_of_lane>
TILEPROOF_INLINE void load(const void* from, Words (&to)[words_of_lane]) {
#pragma GCC unroll 4
  for (int i = 0; i < words_of_lane; ++i) {
    std::memcpy(&to[i], static_cast<const std::uint8_t*>(from) + 16 * i, sizeof to[i]);
  }
}

/// Turns the words of a row of a supertile, as they lie in memory, into its strips.
TILEPROOF_INLINE void strips_of(Strips<1>&) {}
TILEPROOF_INLINE void strips_of(Strips<2>& words) {
  const Words first = __builtin_shufflevector(words[0], words[1], 0, 2, 4, 6);
  words[1] = __builtin_shufflevector(words[0], words[1], 1, 3, 5, 7);
  words[0] = first;
}
TILEPROOF_INLINE void strips_of(Strips<4>& words) {
  const Words low[2] = {__builtin_shufflevector(words[0], words[1], 0, 4, 1, 5),
                        __builtin_shufflevector(words[2], words[3], 0, 4, 1, 5)};
  const Words high[2] = {__builtin_shufflevector(words[0], words[1], 2, 6, 3, 7),
                         __builtin_shufflevector(words[2], words[3], 2, 6, 3, 7)};
  words[0] = __builtin_shufflevector(low[0], low[1], 0, 1, 4, 5);
  words[1] = __builtin_shufflevector(low[0], low[1], 2, 3, 6, 7);
  words[2] = __builtin_shufflevector(high[0], high[1], 0, 1, 4, 5);
  words[3] = __builtin_shufflevector(high[0], high[1], 2, 3, 6, 7);
}

/// The way back.
TILEPROOF_INLINE void words_of(Strips<1>&) {}
TILEPROOF_INLINE void words_of(Strips<2>& strips) {
  const Words first = __builtin_shufflevector(strips[0], strips[1], 0, 4, 1, 5);
  strips[1] = __builtin_shufflevector(strips[0], strips[1], 2, 6, 3, 7);
  strips[0] = first;
}
TILEPROOF_INLINE void words_of(Strips<4>& strips) { strips_of(strips); }  // a square is transposed

/// @param halves  the codes of columns 0 to 15, and 16 to 31
TILEPROOF_INLINE void codes_of(Words strip, Bytes (&halves)[2]) {
  const auto low = reinterpret_cast<Bytes>(strip & 0x0f0f0f0f);
  const auto high = reinterpret_cast<Bytes>(strip >> 4 & 0x0f0f0f0f);
  // Bytes 0 and 2 of a word are of columns below 16, bytes 1 and 3 of those behind; the high nibbles' are 8 to the
  // right.
  halves[0] = even_bytes(low, high);
  halves[1] = odd_bytes(low, high);
}

/// @param bytes  of 32 columns of a row, as pack takes them
TILEPROOF_INLINE Words strip_of(Bytes bytes) {
  // High nibbles are of even columns, low ones of odd. Of words 0 and 1, as of 2 and 3, two new ones: byte c of the
  // first has the even columns' nibbles of byte c of both, that of the second the odd columns'.
  const auto words = reinterpret_cast<Words>(bytes);
  constexpr Words in_place_right = {0x0f0f0f0f, 0, 0x0f0f0f0f, 0}, in_place_left = {0, 0xf0f0f0f0, 0, 0xf0f0f0f0};
  constexpr Words exchanged = {0xf0f0f0f0, 0x0f0f0f0f, 0xf0f0f0f0, 0x0f0f0f0f};
  const Words together = (words >> 4 & in_place_right) | (words << 4 & in_place_left) |
                         (__builtin_shufflevector(words, words, 1, 0, 3, 2) & exchanged);
  const auto apart = reinterpret_cast<Bytes>(together);
  // Byte c of words 0 and 1 becomes the low byte of a half-word of lane c, of words 2 and 3 the high byte: even columns
  // make the lower half-word, odd ones the upper.
  const Bytes half_words = low_half(apart, swapped(apart));
  return reinterpret_cast<Words>(low_half_of_pairs(half_words, swapped(half_words)));
}

template <int words_of_lane, bool is_streamed>
TILEPROOF_INLINE void pack_as(const PackArguments a, NTiles n_tiles) {
  constexpr std::int64_t columns = columns_of_strip * words_of_lane;  // of a supertile
  constexpr int bytes_of_row = 16 * words_of_lane;                    // of a supertile, as codes and packed
  for (std::int64_t n_tile = n_tiles.begin; n_tile < n_tiles.end; ++n_tile) {
    const NTile tile = n_tile_of(a, n_tile);
    for (std::int64_t column = 0; column < a.k; column += columns) {
      auto* to = reinterpret_cast<std::uint8_t*>(a.packed + word_of(a, tile, column));
      for (int row = 0; row < rows_of_n_tile; ++row, to += bytes_of_row) {
        Strips<words_of_lane> strips = {};
        if (row < tile.rows) {
          load(a.codes + element_of(a, tile, row, column) / 2, strips);
#pragma GCC unroll 4
          for (Words& strip : strips) strip = strip_of(reinterpret_cast<Bytes>(strip));
          words_of(strips);
        }
#pragma GCC unroll 4
        for (int i = 0; i < words_of_lane; ++i) store<is_streamed>(reinterpret_cast<Bytes>(strips[i]), to + 16 * i);
      }
    }
  }
}

/// Calls `begin` with the column where each supertile of an n-tile begins, and then `use` with each of its rows, that
/// column and the row's strips.
template <int words_of_lane, class Arguments, class Begin, class Use>
TILEPROOF_INLINE void for_each_row(const Arguments& a, const NTile& tile, Begin begin, Use use) {
  constexpr std::int64_t columns = columns_of_strip * words_of_lane;
  constexpr int words_of_row = 4 * words_of_lane;
  for (std::int64_t column = 0; column < a.k; column += columns) {
    const std::uint32_t* words = a.packed + word_of(a, tile, column);
    begin(column);
    for (int row = 0; row < tile.rows; ++row) {
      Strips<words_of_lane> strips;
      load(words + row * words_of_row, strips);
      strips_of(strips);
      use(row, column, strips);
    }
  }
}

template <int words_of_lane, bool is_streamed>
TILEPROOF_INLINE void unpack_as(const UnpackArguments a, NTiles n_tiles) {
  for (std::int64_t n_tile = n_tiles.begin; n_tile < n_tiles.end; ++n_tile) {
    const NTile tile = n_tile_of(a, n_tile);
    const auto use = [&](int row, std::int64_t column, const Strips<words_of_lane>& strips)
        __attribute__((always_inline)) {
      std::int32_t* to = a.codes + element_of(a, tile, row, column);
#pragma GCC unroll 4
      for (const Words strip : strips) {
        Bytes halves[2];
        codes_of(strip, halves);
#pragma GCC unroll 2
        for (const Bytes half : halves) {
          const Bytes zeros = {};
          const Bytes low = low_half(half, zeros), high = high_half(half, zeros);
          store<is_streamed>(low_half_of_pairs(low, zeros), to);
          store<is_streamed>(high_half_of_pairs(low, zeros), to + 4);
          store<is_streamed>(low_half_of_pairs(high, zeros), to + 8);
          store<is_streamed>(high_half_of_pairs(high, zeros), to + 12);
          to += columns_of_vector;
        }
      }
    };
    for_each_row<words_of_lane>(
        a, tile, [](std::int64_t) {}, use);
  }
}

/// The groups of a row, as its supertiles come to them. All rows of an n-tile come to theirs together.
template <int words_of_lane>
struct Groups {
  static constexpr int vectors = 2 * words_of_lane;  // of a row of a supertile: as many groups can begin in it

  std::int64_t next_column = 0;  // where the next group begins
  std::int64_t next = 0;         // which that is
  std::int64_t first = 0;        // the first that begins in the supertile
  int begin = 0;                 // how many do
  int slot[vectors];             // whose table a vector takes: 0 that of the group from before, 1 that of the first...

  TILEPROOF_INLINE void enter(std::int64_t column, std::int64_t group_size) {
    first = next;
    begin = 0;
    for (int i = 0; i < vectors; ++i) {
      if (column + i * columns_of_vector == next_column) {
        ++begin;
        ++next;
        next_column += group_size;
      }
      slot[i] = begin;
    }
  }
};

/// The tables of an n-tile: [row][slot], with the slots of Groups::slot.
template <class T, int slots>
using Tables = SixteenWeights<T>[rows_of_n_tile][slots];

/// Fills the tables of a group in all rows of an n-tile, where all eight are easy (sixteen_weights.h).
/// @return false: none is filled, as one is not, or there are fewer rows
template <class T, int slots>
TILEPROOF_INLINE bool fill_all_rows(const DequantizeArguments& a, std::int64_t group_row, int rows, int slot,
                                    Tables<T, slots>& tables) {
  if constexpr (sizeof(typename T::Bits) != 2) {
    return false;
  } else {
    if (rows != rows_of_n_tile) return false;
    const auto* scales = static_cast<const std::uint16_t*>(a.scales);
    EightRows<T> eight;
    if (a.domain == Domain::floating) {
      eight.load_pairs(scales + 2 * group_row);
    } else {
      eight.load(scales + group_row, a.domain == Domain::integer ? a.zero_points + group_row : nullptr);
    }
    if (!eight.are_easy) return false;
    for (int row = 0; row < rows_of_n_tile; ++row) {
      tables[row][slot].fill_easy(eight.offset[row], eight.scale[row], eight.zero[row]);
    }
    return true;
  }
}

/// Fills the tables of the groups that begin in a supertile, from the second slot on.
template <class T, int slots>
TILEPROOF_INLINE void fill(const DequantizeArguments& a, std::int64_t group_row, int rows, int groups,
                           Tables<T, slots>& tables) {
  const auto* scales = static_cast<const typename T::Bits*>(a.scales);
  const std::int8_t* zero_points = a.domain == Domain::integer ? a.zero_points : nullptr;
  for (int slot = 1; slot <= groups; ++slot, group_row += a.n) {
    if (fill_all_rows(a, group_row, rows, slot, tables)) continue;
    for (int row = 0; row < rows; ++row) {
      const std::int64_t at = group_row + row;
      if (a.domain == Domain::floating) {
        tables[row][slot].fill(scales[2 * at], scales[2 * at + 1]);
      } else {
        tables[row][slot].fill_with_zero_point(scales[at], zero_points != nullptr ? zero_points[at] : 0);
      }
    }
  }
}

/// Asks for a group's parameters of eight rows: they lie n apart from the last group's, where no processor looks ahead.
template <class T>
TILEPROOF_INLINE void prefetch(const DequantizeArguments& a, std::int64_t group_row) {
  const auto* scales = static_cast<const typename T::Bits*>(a.scales);
  __builtin_prefetch(scales + (a.domain == Domain::floating ? 2 : 1) * group_row);
  if (a.domain == Domain::integer) __builtin_prefetch(a.zero_points + group_row);
}

/// @tparam Fill  `fill`, compiled for the same processors: apart from the loop, in whose registers it would not fit
template <class T, class Fill, int words_of_lane, bool is_streamed>
TILEPROOF_INLINE void dequantize_as(const DequantizeArguments& arguments, NTiles n_tiles) {
  using Bits = typename T::Bits;
  const DequantizeArguments a = arguments;
  const std::int64_t groups = a.k / a.group_size;
  const std::int64_t groups_ahead = a.group_size < 256 ? 256 / a.group_size : 1;
  for (std::int64_t n_tile = n_tiles.begin; n_tile < n_tiles.end; ++n_tile) {
    const NTile tile = n_tile_of(a, n_tile);
    Groups<words_of_lane> of_supertile;
    Tables<T, Groups<words_of_lane>::vectors + 1> tables;
    const auto begin = [&](std::int64_t column) __attribute__((always_inline)) {
      of_supertile.enter(column, a.group_size);
      for (std::int64_t ahead = of_supertile.first + groups_ahead; ahead < of_supertile.next + groups_ahead; ++ahead) {
        if (ahead < groups) prefetch<T>(a, parameters_of(a, tile, ahead));
      }
      if (of_supertile.begin != 0) {
        const std::int64_t group_row = parameters_of(a, tile, of_supertile.first);
        Fill::run(arguments, group_row, tile.rows, of_supertile.begin, tables);
      }
    };
    const auto use = [&](int row, std::int64_t column, const Strips<words_of_lane>& strips)
        __attribute__((always_inline)) {
      SixteenWeights<T>* of_row = tables[row];
      const int* slot = of_supertile.slot;
      Bits* to = static_cast<Bits*>(a.weights) + element_of(a, tile, row, column);
#pragma GCC unroll 4
      for (const Words strip : strips) {
        Bytes halves[2];
        codes_of(strip, halves);
#pragma GCC unroll 2
        for (const Bytes half : halves) {
          Bytes found[sizeof(Bits)];
          of_row[*slot++].look_up(half, found);
#pragma GCC unroll 4
          for (const Bytes bytes : found) {
            store<is_streamed>(bytes, to);
            to += 16 / sizeof(Bits);
          }
        }
      }
      of_row[0] = of_row[of_supertile.begin];
    };
    for_each_row<words_of_lane>(a, tile, begin, use);
  }
}

/// Calls `use` with the words that a lane of a supertile has, and whether results are streamed.
template <class Arguments, class Use>
TILEPROOF_INLINE void with_layout(const Arguments& a, bool is_streamed, Use use) {
  if (is_streamed) {
    if (a.inner_k_tiles == 2) use.template operator()<1, true>();
    if (a.inner_k_tiles == 4) use.template operator()<2, true>();
    if (a.inner_k_tiles == 8) use.template operator()<4, true>();
    return end_stream();
  }
  if (a.inner_k_tiles == 2) use.template operator()<1, false>();
  if (a.inner_k_tiles == 4) use.template operator()<2, false>();
  if (a.inner_k_tiles == 8) use.template operator()<4, false>();
}

TILEPROOF_INLINE void unpack_any(const UnpackArguments& a, NTiles n_tiles, bool is_streamed) {
  with_layout(
      a, is_streamed, [&]<int words_of_lane, bool streamed>() __attribute__((always_inline)) {
        unpack_as<words_of_lane, streamed>(a, n_tiles);
      });
}

template <class Fill>
TILEPROOF_INLINE void dequantize_any(const DequantizeArguments& a, NTiles n_tiles, bool is_streamed) {
  with_layout(
      a, is_streamed, [&]<int words_of_lane, bool streamed>() __attribute__((always_inline)) {
        if (a.type == Type::bf16) return dequantize_as<Bf16, Fill, words_of_lane, streamed>(a, n_tiles);
        if (a.type == Type::fp16) return dequantize_as<Fp16, Fill, words_of_lane, streamed>(a, n_tiles);
        dequantize_as<Fp32, Fill, words_of_lane, streamed>(a, n_tiles);
      });
}

// Twice from the same source: shuffling by a variable is one instruction with the vectors of most x86 processors, and
// some forty with those that all of them have (ten times the speed, where a tenth was asked for).
struct FillPlainly {
  template <class T, int slots>
  __attribute__((noinline)) static void run(const DequantizeArguments& a, std::int64_t group_row, int rows, int groups,
                                            Tables<T, slots>& tables) {
    fill(a, group_row, rows, groups, tables);
  }
};
void unpack_plainly(const UnpackArguments& a, NTiles n_tiles, bool is_streamed) { unpack_any(a, n_tiles, is_streamed); }
void dequantize_plainly(const DequantizeArguments& a, NTiles n_tiles, bool is_streamed) {
  dequantize_any<FillPlainly>(a, n_tiles, is_streamed);
}

#if defined(__x86_64__)
struct FillByAvx2 {
  template <class T, int slots>
  __attribute__((noinline, target("avx2"), flatten)) static void run(const DequantizeArguments& a,
                                                                     std::int64_t group_row, int rows, int groups,
                                                                     Tables<T, slots>& tables) {
    fill(a, group_row, rows, groups, tables);
  }
};
__attribute__((target("avx2"), flatten)) void unpack_by_avx2(const UnpackArguments& a, NTiles n_tiles,
                                                             bool is_streamed) {
  unpack_any(a, n_tiles, is_streamed);
}
__attribute__((target("avx2"), flatten)) void dequantize_by_avx2(const DequantizeArguments& a, NTiles n_tiles,
                                                                 bool is_streamed) {
  dequantize_any<FillByAvx2>(a, n_tiles, is_streamed);
}
const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
#else
constexpr bool has_avx2 = false;
constexpr auto unpack_by_avx2 = unpack_plainly;
constexpr auto dequantize_by_avx2 = dequantize_plainly;
#endif

Way way_to(const void* result, std::int64_t bytes) {
  // Past the caches where the result is larger than those of a core, and its strips are whole lines: a store through
  // them reads the line first. On two cores of a Sapphire Rapids: 16 to 64 MiB are written 2 times as fast, and read
  // back as fast (15 GB/s) as from the last level; at 4 MiB it is no faster, and reading back is (16 GB/s for 24).
  constexpr std::int64_t bytes_min = 16 << 20;
  const bool has_whole_lines = reinterpret_cast<std::uintptr_t>(result) % 64 == 0;
  return {.by_avx2 = has_avx2, .is_streamed = has_whole_lines && bytes >= bytes_min};
}

}  // namespace

std::string name_of(Way way) {
  return std::string(way.by_avx2 ? "by AVX2" : "plainly") + (way.is_streamed ? ", streamed" : "");
}

std::vector<Way> all_ways() {
  std::vector<Way> ways = {{false, false}, {false, true}};
  if (has_avx2) ways.insert(ways.end(), {{true, false}, {true, true}});
  return ways;
}

void pack(const PackArguments& a, NTiles n_tiles, Way way) {
  with_layout(a, way.is_streamed,
              [&]<int words_of_lane, bool streamed>() { pack_as<words_of_lane, streamed>(a, n_tiles); });
}

void unpack(const UnpackArguments& a, NTiles n_tiles, Way way) {
  return way.by_avx2 ? unpack_by_avx2(a, n_tiles, way.is_streamed) : unpack_plainly(a, n_tiles, way.is_streamed);
}

void dequantize(const DequantizeArguments& a, NTiles n_tiles, Way way) {
  const DefaultFloatMode mode;
  return way.by_avx2 ? dequantize_by_avx2(a, n_tiles, way.is_streamed)
                     : dequantize_plainly(a, n_tiles, way.is_streamed);
}

Way way_of(const PackArguments& a) { return way_to(a.packed, n_tiles_of(a) * rows_of_n_tile * (a.k / 2)); }
Way way_of(const UnpackArguments& a) { return way_to(a.codes, a.experts * a.n * a.k * 4); }
Way way_of(const DequantizeArguments& a) {
  return way_to(a.weights, a.experts * a.n * a.k * (a.type == Type::fp32 ? 4 : 2));
}

void pack(const PackArguments& a, NTiles n_tiles) { pack(a, n_tiles, way_of(a)); }
void unpack(const UnpackArguments& a, NTiles n_tiles) { unpack(a, n_tiles, way_of(a)); }
void dequantize(const DequantizeArguments& a, NTiles n_tiles) { dequantize(a, n_tiles, way_of(a)); }

}  // namespace tileproof::kernels
