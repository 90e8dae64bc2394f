/// Pack: codes, two a byte, into the tensor-core-tiled layout.
///
/// Layout. 32 columns of a row are 16 consecutive bytes, and become one word in each of four consecutive lanes
/// (strips.h). Byte c + 4i of the 16 holds columns 8i + 2c (high nibble) and 8i + 2c + 1 (low nibble), and goes to lane
/// c at bits 4i (the even column) and 16 + 4i (the odd one).
///
/// A thread owns one row of one supertile: 8 * inner_k_tiles consecutive bytes in, as many consecutive bytes out. Rows
/// past n in the last n-tile are written as code 0.
#include "words.h"

namespace tileproof::kernels {

namespace {

/// The nibbles of byte `lane` of four codes' bytes, apart: the even column in bits 0..3, the odd one in bits 16..19.
TILEPROOF_WORD std::uint32_t nibbles_apart(std::uint32_t bytes, int lane) {
  const std::uint32_t byte = bytes >> (8 * lane) & 0xff;
  return byte >> 4 | (byte & 15) << 16;
}

TILEPROOF_WORD std::uint32_t word_of_lane(const Quad& bytes, int lane) {
  return nibbles_apart(bytes.x, lane) | nibbles_apart(bytes.y, lane) << 4 | nibbles_apart(bytes.z, lane) << 8 |
         nibbles_apart(bytes.w, lane) << 12;
}

template <int inner_k_tiles, bool is_batch>
struct SupertileRowThread {
  static constexpr int words_of_lane = inner_k_tiles / 2;
  static constexpr int bytes_of_row = 8 * inner_k_tiles;

  const std::uint8_t* codes;
  std::uint32_t* packed;
  std::int64_t n;
  std::int64_t k;

  TILEPROOF_WORD void operator()(std::int64_t thread) const {
    // Neighbouring threads take neighbouring rows of one supertile: their stores are one run of memory.
    const std::int64_t supertile = thread / 8;
    const std::int64_t supertiles_of_row = k / (16 * inner_k_tiles);
    const std::int64_t n_tile = quotient_of(supertile, supertiles_of_row);  // of the batch
    std::int64_t row = n_tile * 8 + thread % 8;
    const std::uint8_t* of_expert = codes;
    if constexpr (is_batch) {
      const std::int64_t n_tiles = (n + 7) / 8;
      const std::int64_t expert = quotient_of(n_tile, n_tiles);
      row -= expert * n_tiles * 8;
      of_expert += expert * n * (k / 2);
    }

    std::uint32_t words[4 * words_of_lane] = {};
    if (row < n) {
      const std::uint8_t* from = of_expert + row * (k / 2) + (supertile - n_tile * supertiles_of_row) * bytes_of_row;
      for (int strip = 0; strip < words_of_lane; ++strip) {
        const Quad bytes = loaded_quad(from + 16 * strip);
        for (int lane = 0; lane < 4; ++lane) words[lane * words_of_lane + strip] = word_of_lane(bytes, lane);
      }
    }
    std::uint32_t* to = packed + thread * (4 * words_of_lane);
    for (int quad = 0; quad < words_of_lane; ++quad) {
      const std::uint32_t* four = words + 4 * quad;
      store(Quad{four[0], four[1], four[2], four[3]}, to + 4 * quad);
    }
  }
};

std::int64_t threads_of_pack(const PackArguments& a) {
  return a.experts * ((a.n + 7) / 8 * 8) * (a.k / (16 * a.inner_k_tiles));
}

}  // namespace

Outcome pack(const PackArguments& a, Where where) {
#if defined(__CUDACC__)
  if (Outcome outcome; refused(a, &outcome)) return outcome;
  if (a.experts == 0 || a.n == 0 || a.k == 0) return nothing_to_do;
#endif
  return with_inner_k_tiles(a.inner_k_tiles, a.experts, [&]<int inner_k_tiles, bool is_batch>() {
    return run(SupertileRowThread<inner_k_tiles, is_batch>{a.codes, a.packed, a.n, a.k}, threads_of_pack(a), where);
  });
}

#if !defined(__CUDACC__)
std::int64_t threads_of(const PackArguments& a) { return threads_of_pack(a); }
#endif

}  // namespace tileproof::kernels
