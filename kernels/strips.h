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
/// A thread owns one 16-byte store in each of two neighbouring strips: eight columns of 2 bytes or four of 4 bytes. It
/// reads the words that hold them (its neighbours read the same ones, from the cache), and shares nothing with anybody.
#pragma once

#include "words.h"

namespace tileproof::kernels {

/// @tparam Converter  turns codes into elements of `Converter::element_bytes` bytes; see unpack.cu and dequantize.cu
template <int inner_k_tiles, class Converter>
struct StripPairThread {
  static constexpr int columns_of_strip = 32;
  static constexpr int columns_of_store = 16 / Converter::element_bytes;
  static constexpr int stores_of_strip = columns_of_strip / columns_of_store;
  static constexpr int words_of_store = columns_of_store / 2;
  static constexpr int words_of_lane = inner_k_tiles / 2;  // as many strips as a supertile has

  const std::uint32_t* packed;
  unsigned char* out;
  std::int64_t k;
  Converter converter;

  static std::int64_t threads_of_row(std::int64_t k) { return (k / columns_of_strip + 1) / 2 * stores_of_strip; }

  TILEPROOF_WORD void operator()(std::int64_t thread) const {
    const std::int64_t strips = k / columns_of_strip;
    const std::int64_t of_row = (strips + 1) / 2 * stores_of_strip;
    const std::int64_t row = quotient_of(thread, of_row);
    const std::int64_t in_row = thread - row * of_row;
    const int store_of_strip = static_cast<int>(in_row % stores_of_strip);
    const std::int64_t first = in_row / stores_of_strip * 2;
    store_in_strip(row, first, store_of_strip);
    if (first + 1 < strips) store_in_strip(row, first + 1, store_of_strip);  // 32 columns may be left alone at the end
  }

  TILEPROOF_WORD void store_in_strip(std::int64_t row, std::int64_t strip, int store_of_strip) const {
    const int column_of_strip = store_of_strip * columns_of_store;
    const int shift = column_of_strip / 8 * 4;
    const int first_lane = static_cast<int>(row % 8) * 4 + column_of_strip % 8 / 2;
    const std::int64_t supertiles_of_row = k / (16 * inner_k_tiles);
    const std::int64_t supertile = row / 8 * supertiles_of_row + strip / words_of_lane;
    const std::uint32_t* words = packed + (supertile * 32 + first_lane) * words_of_lane + strip % words_of_lane;

    std::uint32_t pairs[words_of_store];
    for (int word = 0; word < words_of_store; ++word) {
      pairs[word] = loaded(words + word * words_of_lane) >> shift & 0x000f000fu;
    }
    const std::int64_t column = strip * columns_of_strip + column_of_strip;
    store(converter(pairs, row, column), out + (row * k + column) * Converter::element_bytes);
  }
};

/// Calls `use` with the thread's type for the given inner_k_tiles, one of 2, 4 and 8.
template <class Converter, class Use>
auto with_inner_k_tiles(std::int64_t inner_k_tiles, Use use) {
  if (inner_k_tiles == 2) return use.template operator()<StripPairThread<2, Converter>>();
  if (inner_k_tiles == 4) return use.template operator()<StripPairThread<4, Converter>>();
  return use.template operator()<StripPairThread<8, Converter>>();
}

/// Runs a converter over all of a matrix's strips.
template <class Converter, class Arguments>
Outcome run_strips(const Arguments& a, void* out, Converter converter, Where where) {
  return with_inner_k_tiles<Converter>(a.inner_k_tiles, [&]<class Thread>() {
    const Thread thread = {a.packed, static_cast<unsigned char*>(out), a.k, converter};
    return run(thread, a.n * Thread::threads_of_row(a.k), where);
  });
}

}  // namespace tileproof::kernels
