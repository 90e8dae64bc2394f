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
/// A batch of experts is one matrix after the other. Its rows are counted through: only packed n-tiles and parameters,
/// which begin anew with each expert, need to know where a row's expert begins.
///
/// A thread owns one 16-byte store in each of two neighbouring strips: eight columns of 2 bytes or four of 4 bytes. It
/// reads the words that hold them (its neighbours read the same ones, from the cache), and shares nothing with anybody.
#pragma once

#include "words.h"

namespace tileproof::kernels {

/// @tparam is_batch   whether there are more experts than one: telling them apart costs a division and registers
/// @tparam Converter  turns codes into elements of `Converter::element_bytes` bytes, with the parameters of the row, if
///                    it has any; see unpack.cu and dequantize.cu
template <int inner_k_tiles, bool is_batch, class Converter>
struct StripPairThread {
  static constexpr int columns_of_strip = 32;
  static constexpr int columns_of_store = 16 / Converter::element_bytes;
  static constexpr int stores_of_strip = columns_of_strip / columns_of_store;
  static constexpr int words_of_store = columns_of_store / 2;
  static constexpr int words_of_lane = inner_k_tiles / 2;  // as many strips as a supertile has

  const std::uint32_t* packed;
  unsigned char* out;
  std::int64_t n;  // rows of one expert
  std::int64_t k;
  Converter converter;

  /// A row of the batch, and what belongs to it.
  struct Row {
    std::int64_t of_batch;    // 0 <= of_batch < experts * n
    std::int64_t n_tile;      // 0 <= n_tile < experts * ceil(n / 8)
    int of_n_tile;            // 0..7
    std::int64_t parameters;  // what Converter needs to find them
  };

  static std::int64_t threads_of_row(std::int64_t k) { return (k / columns_of_strip + 1) / 2 * stores_of_strip; }

  TILEPROOF_WORD void operator()(std::int64_t thread) const {
    const std::int64_t strips = k / columns_of_strip;
    const std::int64_t of_row = (strips + 1) / 2 * stores_of_strip;
    const std::int64_t of_batch = quotient_of(thread, of_row);
    const std::int64_t in_row = thread - of_batch * of_row;
    const Row row = row_of(of_batch);
    const int store_of_strip = static_cast<int>(in_row % stores_of_strip);
    const std::int64_t first = in_row / stores_of_strip * 2;
    store_in_strip(row, first, store_of_strip);
    if (first + 1 < strips) store_in_strip(row, first + 1, store_of_strip);  // 32 columns may be left alone at the end
  }

  TILEPROOF_WORD Row row_of(std::int64_t of_batch) const {
    Row row = {of_batch, of_batch / 8, static_cast<int>(of_batch % 8), of_batch};
    if constexpr (is_batch) {
      const std::int64_t expert = quotient_of(of_batch, n);
      const std::int64_t of_expert = of_batch - expert * n;
      row.n_tile = expert * ((n + 7) / 8) + of_expert / 8;
      row.of_n_tile = static_cast<int>(of_expert % 8);
      row.parameters = converter.parameters_of(expert, of_expert);
    }
    return row;
  }

  TILEPROOF_WORD void store_in_strip(const Row& row, std::int64_t strip, int store_of_strip) const {
    const int column_of_strip = store_of_strip * columns_of_store;
    const int shift = column_of_strip / 8 * 4;
    const int first_lane = row.of_n_tile * 4 + column_of_strip % 8 / 2;
    const std::int64_t supertiles_of_row = k / (16 * inner_k_tiles);
    const std::int64_t supertile = row.n_tile * supertiles_of_row + strip / words_of_lane;
    const std::uint32_t* words = packed + (supertile * 32 + first_lane) * words_of_lane + strip % words_of_lane;

    std::uint32_t pairs[words_of_store];
    for (int word = 0; word < words_of_store; ++word) {
      pairs[word] = loaded(words + word * words_of_lane) >> shift & 0x000f000fu;
    }
    const std::int64_t column = strip * columns_of_strip + column_of_strip;
    store(converter(pairs, row.parameters, column), out + (row.of_batch * k + column) * Converter::element_bytes);
  }
};

/// Runs a converter over all strips of a batch.
template <class Converter, class Arguments>
Outcome run_strips(const Arguments& a, void* out, Converter converter, Where where) {
  return with_inner_k_tiles(a.inner_k_tiles, a.experts, [&]<int inner_k_tiles, bool is_batch>() {
    using Thread = StripPairThread<inner_k_tiles, is_batch, Converter>;
    const Thread thread = {a.packed, static_cast<unsigned char*>(out), a.n, a.k, converter};
    return run(thread, a.experts * a.n * Thread::threads_of_row(a.k), where);
  });
}

}  // namespace tileproof::kernels
