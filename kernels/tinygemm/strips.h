/// How unpack and dequantize walk the tensor-core-tiled layout.
///
/// Layout. Row n of a supertile is four consecutive lanes, 4 * (n % 8) + {0, 1, 2, 3}, of inner_k_tiles / 2 words each.
/// The same word of those four lanes holds a strip: 32 consecutive columns of the row. Bits 4i..4i+3 and 16+4i..19+4i
/// of the word of lane c are the neighbouring columns 8i + 2c and 8i + 2c + 1, so (word >> 4i) & 0x000f000f is that
/// pair in two half-words:
///
///   strip column  0 1 2 3 4 5 6 7   8 ... 15   16 ... 23   24 ... 31
///   shift         0 . . . . . . .   4          8           12
///   lane          0 0 1 1 2 2 3 3   0 0 1 1 2 2 3 3 ...
///
/// A batch of experts is one matrix after the other. Its n-tiles are counted through: only a row and its parameters,
/// which begin anew with each expert, need to know where its expert begins.
///
/// A thread owns one 16-byte store in each of some neighbouring strips of a row: eight columns of 2 bytes or four of 4
/// bytes. It reads the words that hold them (its neighbours read the same ones, from the cache), and shares nothing
/// with anybody. Eight neighbouring threads are of one row, the next eight of the n-tile's next row: a warp reads
/// packed words in runs of 64 bytes or more, and parameters of rows that lie side by side.
#pragma once

#include "kernels/device.h"

namespace tileproof::kernels {

/// @tparam is_batch   whether there are more experts than one: telling them apart costs a division and registers
/// @tparam Converter  turns codes into elements of `Converter::element_bytes` bytes, with the parameters of the group,
/// if
///                    it has any; see unpack.cu and dequantize.cu
template <int inner_k_tiles, bool is_batch, class Converter>
struct StripsThread {
  static constexpr int columns_of_strip = 32;
  static constexpr int columns_of_store = 16 / Converter::element_bytes;
  static constexpr int stores_of_strip = columns_of_strip / columns_of_store;
  static constexpr int words_of_store = columns_of_store / 2;  // each in a lane of its own
  static constexpr int words_of_lane = inner_k_tiles / 2;      // as many strips as a supertile has
  static constexpr int strips = Converter::strips_of_thread;
  static constexpr int rows_of_n_tile = 8;
  static constexpr int threads_of_piece = 8;
  static constexpr int threads_of_tile = rows_of_n_tile * threads_of_piece;  // a tile: a piece of each row of an n-tile

  const std::uint32_t* packed;
  unsigned char* out;
  std::int64_t n;  // rows of one expert
  std::int64_t k;
  FastDivmod n_tiles;  // of one expert
  FastDivmod pieces_of_row;
  bool quads_are_aligned;
  bool one_group;  // whether all columns of a thread are of one group
  Converter converter;

  template <class Arguments>
  StripsThread(const Arguments& a, void* elements, Converter how)
      : packed(a.packed),
        out(static_cast<unsigned char*>(elements)),
        n(a.n),
        k(a.k),
        n_tiles((a.n + rows_of_n_tile - 1) / rows_of_n_tile),
        pieces_of_row(pieces(a.k)),
        quads_are_aligned(reinterpret_cast<std::uintptr_t>(a.packed) % sizeof(Quad) == 0),
        one_group(how.columns_of_group() % (strips * columns_of_strip) == 0),
        converter(how) {}

  static std::int64_t pieces(std::int64_t k) {
    constexpr int columns_of_threads = strips * columns_of_strip;  // of stores_of_strip threads, side by side
    const std::int64_t threads = (k + columns_of_threads - 1) / columns_of_threads * stores_of_strip;
    return (threads + threads_of_piece - 1) / threads_of_piece;
  }
  template <class Arguments>
  static std::int64_t threads(const Arguments& a) {
    return a.experts * ((a.n + rows_of_n_tile - 1) / rows_of_n_tile) * pieces(a.k) * threads_of_tile;
  }

  TILEPROOF_DEVICE void operator()(std::int64_t thread) const {
    const std::int64_t tile = thread / threads_of_tile;
    const std::int64_t n_tile = pieces_of_row.quotient(tile);  // of the batch
    const std::int64_t piece = tile - n_tile * pieces_of_row.divisor;
    const int row_of_n_tile = static_cast<int>(thread / threads_of_piece % rows_of_n_tile);
    const std::int64_t expert = is_batch ? n_tiles.quotient(n_tile) : 0;
    const std::int64_t row = (n_tile - expert * n_tiles.divisor) * rows_of_n_tile + row_of_n_tile;
    const std::int64_t of_row = piece * threads_of_piece + thread % threads_of_piece;
    const std::int64_t first_strip = of_row / stores_of_strip * strips;
    const std::int64_t strips_of_row = k / columns_of_strip;
    if (row >= n || first_strip >= strips_of_row) return;
    const int left = strips_of_row - first_strip < strips ? static_cast<int>(strips_of_row - first_strip) : strips;

    const int column_of_strip = static_cast<int>(of_row % stores_of_strip) * columns_of_store;
    const int first_lane = row_of_n_tile * 4 + column_of_strip % 8 / 2;
    std::uint32_t words[strips][words_of_store];
    read_words(n_tile, first_strip, left, first_lane, words);

    const std::int64_t parameters = converter.parameters_of(expert, row);
    const std::int64_t column = first_strip * columns_of_strip + column_of_strip;
    auto group = converter.group(parameters, column);
    const int shift = column_of_strip / 8 * 4;
    unsigned char* to = out + ((expert * n + row) * k + column) * Converter::element_bytes;
    TILEPROOF_UNROLL
    for (int strip = 0; strip < strips; ++strip) {
      if (strip >= left) return;
      // Asked for when it is needed: all groups at once are 6 % slower where they are of 32 columns (H100).
      if (strip > 0 && !one_group) group = converter.group(parameters, column + strip * columns_of_strip);
      std::uint32_t pairs[words_of_store];
      TILEPROOF_UNROLL
      for (int word = 0; word < words_of_store; ++word) pairs[word] = words[strip][word] >> shift & 0x000f000fu;
      store(converter(pairs, group), to + strip * columns_of_strip * Converter::element_bytes);
    }
  }

  /// The same words of neighbouring lanes, in each of the thread's strips that are left in the row.
  TILEPROOF_DEVICE void read_words(std::int64_t n_tile, std::int64_t first_strip, int left, int first_lane,
                                   std::uint32_t (&words)[strips][words_of_store]) const {
    constexpr int together = strips < words_of_lane ? strips : words_of_lane;  // strips of one supertile
    const std::int64_t supertiles_of_row = k / (16 * inner_k_tiles);
    TILEPROOF_UNROLL
    for (int strip = 0; strip < strips; strip += together) {
      if (strip >= left) return;
      const std::int64_t supertile = n_tile * supertiles_of_row + (first_strip + strip) / words_of_lane;
      const std::uint32_t* from = packed + (supertile * 32 + first_lane) * words_of_lane;
      if constexpr (together == words_of_lane) {  // all words of those lanes
        std::uint32_t lanes[words_of_store * words_of_lane];
        read_all(from, lanes, quads_are_aligned);
        TILEPROOF_UNROLL
        for (int i = 0; i < words_of_store * words_of_lane; ++i) {
          words[strip + i % words_of_lane][i / words_of_lane] = lanes[i];
        }
      } else {
        from += (first_strip + strip) % words_of_lane;
        TILEPROOF_UNROLL
        for (int word = 0; word < words_of_store; ++word) {
          std::uint32_t of_lane[together];
          read_all(from + word * words_of_lane, of_lane, quads_are_aligned);
          TILEPROOF_UNROLL
          for (int i = 0; i < together; ++i) words[strip + i][word] = of_lane[i];
        }
      }
    }
  }

  /// Words that lie one behind the other: as many at a time as their number is a multiple of, where the packed words
  /// are aligned to that.
  template <int count>
  static TILEPROOF_DEVICE void read_all(const std::uint32_t* from, std::uint32_t (&words)[count], bool are_aligned) {
    constexpr int at_once = count % 4 == 0 ? 4 : count % 2 == 0 ? 2 : 1;
    if (at_once > 1 && are_aligned) {
      TILEPROOF_UNROLL
      for (int i = 0; i < count; i += at_once) {
        if constexpr (at_once == 4) {
          const Quad quad = loaded_quad(from + i);
          words[i] = quad.x;
          words[i + 1] = quad.y;
          words[i + 2] = quad.z;
          words[i + 3] = quad.w;
        } else if constexpr (at_once == 2) {
          const auto two = loaded_two(from + i);
          words[i] = two.x;
          words[i + 1] = two.y;
        }
      }
      return;
    }
    TILEPROOF_UNROLL
    for (int i = 0; i < count; ++i) words[i] = loaded(from + i);
  }
};

/// Calls `use` with the thread that runs a converter over strips, and how many such threads a batch has.
template <class Converter, class Arguments, class Use>
void use_strips(const Arguments& a, void* out, const Converter& converter, Use use) {
  with_inner_k_tiles(a.inner_k_tiles, [&]<int inner_k_tiles>() {
    const auto with = [&]<bool is_batch>() {
      const StripsThread<inner_k_tiles, is_batch, Converter> thread(a, out, converter);
      use(thread, thread.threads(a));
    };
    a.experts == 1 ? with.template operator()<false>() : with.template operator()<true>();
  });
}

}  // namespace tileproof::kernels
