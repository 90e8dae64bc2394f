/// Pack: codes, two a byte, into the tensor-core-tiled layout.
///
/// Layout. 32 columns of a row are 16 consecutive bytes, and become one word in each of four consecutive lanes
/// (strips.h). Byte c + 4i of the 16 holds columns 8i + 2c (high nibble) and 8i + 2c + 1 (low nibble), and goes to lane
/// c at bits 4i (the even column) and 16 + 4i (the odd one).
///
/// A thread owns 16 bytes of the packed words: of 4, 2 or 1 lanes of a row, for inner_k_tiles 2, 4 and 8. It reads that
/// row of the supertile (its neighbours read the same one, from the cache). Rows past n in the last n-tile are written
/// as code 0.
#include "kernels/device.h"

namespace tileproof::kernels {

namespace {

/// The nibbles of byte `lane` of four codes' bytes, apart: the even column in bits 0..3, the odd one in bits 16..19.
TILEPROOF_DEVICE std::uint32_t nibbles_apart(std::uint32_t bytes, int lane) {
  const std::uint32_t byte = bytes >> (8 * lane) & 0xff;
  return byte >> 4 | (byte & 15) << 16;
}

TILEPROOF_DEVICE std::uint32_t word_of_lane(const Quad& bytes, int lane) {
  return nibbles_apart(bytes.x, lane) | nibbles_apart(bytes.y, lane) << 4 | nibbles_apart(bytes.z, lane) << 8 |
         nibbles_apart(bytes.w, lane) << 12;
}

template <int inner_k_tiles, bool is_batch>
struct PackedQuadThread {
  static constexpr int words_of_lane = inner_k_tiles / 2;  // as many strips and quads as a row of a supertile has
  static constexpr int lanes_of_quad = 4 / words_of_lane;
  static constexpr int bytes_of_row = 8 * inner_k_tiles;

  const std::uint8_t* codes;
  std::uint32_t* packed;
  std::int64_t n;
  std::int64_t k;
  FastDivmod n_tiles;  // of one expert
  FastDivmod supertiles_of_row;

  explicit PackedQuadThread(const PackArguments& a)
      : codes(a.codes),
        packed(a.packed),
        n(a.n),
        k(a.k),
        n_tiles((a.n + 7) / 8),
        supertiles_of_row(a.k / (16 * inner_k_tiles)) {}

  TILEPROOF_DEVICE void operator()(std::int64_t thread) const {
    // Quads in the order of memory: first the quads of a row, then the rows of a supertile.
    const int quad = static_cast<int>(thread % words_of_lane);
    const int row_of_n_tile = static_cast<int>(thread / words_of_lane % 8);
    const std::int64_t supertile = thread / (8 * words_of_lane);
    const std::int64_t n_tile = supertiles_of_row.quotient(supertile);  // of the batch
    const std::int64_t expert = is_batch ? n_tiles.quotient(n_tile) : 0;
    const std::int64_t row = (n_tile - expert * n_tiles.divisor) * 8 + row_of_n_tile;

    std::uint32_t words[4] = {};
    if (row < n) {
      const std::int64_t supertile_of_row = supertile - n_tile * supertiles_of_row.divisor;
      const std::uint8_t* from = codes + (expert * n + row) * (k / 2) + supertile_of_row * bytes_of_row;
      TILEPROOF_UNROLL
      for (int strip = 0; strip < words_of_lane; ++strip) {
        const Quad bytes = loaded_quad(from + 16 * strip);
        TILEPROOF_UNROLL
        for (int lane = 0; lane < lanes_of_quad; ++lane) {
          words[lane * words_of_lane + strip] = word_of_lane(bytes, quad * lanes_of_quad + lane);
        }
      }
    }
    store(Quad{words[0], words[1], words[2], words[3]}, packed + thread * 4);
  }
};

std::int64_t threads_of_pack(const PackArguments& a) { return a.experts * ((a.n + 7) / 8 * 8) * (a.k / 32); }

}  // namespace

Outcome pack(const PackArguments& a, Where where) {
#if defined(__CUDACC__)
  if (Outcome outcome; refused(a, &outcome)) return outcome;
  if (a.experts == 0 || a.n == 0 || a.k == 0) return nothing_to_do;
#endif
  return with_inner_k_tiles(a.inner_k_tiles, a.experts, [&]<int inner_k_tiles, bool is_batch>() {
    return run(PackedQuadThread<inner_k_tiles, is_batch>(a), threads_of_pack(a), where);
  });
}

#if !defined(__CUDACC__)
std::int64_t threads_of(const PackArguments& a) { return threads_of_pack(a); }
#endif

}  // namespace tileproof::kernels
