/// A thread that dequantizes eight weights of a block of GGUF's: it takes four bytes of codes, four weights of their
/// low halves and four of their high ones.
#pragma once

#include "kernels/dequantize/groups.h"

namespace tileproof::kernels {

/// Four bytes, from any address.
TILEPROOF_DEVICE std::uint32_t four_bytes(const std::uint8_t* from, int alignment) {
  if (alignment % 4 == 0) return loaded(reinterpret_cast<const std::uint32_t*>(from));
  if (alignment % 2 == 0) {
    const auto* two = reinterpret_cast<const std::uint16_t*>(from);
    return loaded(two) | static_cast<std::uint32_t>(loaded(two + 1)) << 16;
  }
  std::uint32_t word = 0;
  TILEPROOF_UNROLL
  for (int i = 0; i < 4; ++i) word |= static_cast<std::uint32_t>(loaded(from + i)) << (8 * i);
  return word;
}
TILEPROOF_DEVICE std::uint16_t two_bytes(const std::uint8_t* from, int alignment) {
  if (alignment % 2 == 0) return loaded(reinterpret_cast<const std::uint16_t*>(from));
  return static_cast<std::uint16_t>(loaded(from) | loaded(from + 1) << 8);
}

struct Q40Block {
  static constexpr int elements = 32, bytes = 18, before_codes = 2, half = 16;
  float d;
  TILEPROOF_DEVICE Q40Block(const std::uint8_t* block, int alignment, int /*first*/)
      : d(Fp16::value(two_bytes(block, alignment))) {}
  TILEPROOF_DEVICE std::uint32_t weight(std::uint32_t code, bool /*is_high*/) const {
    return Fp32::product(Fp32::minus(code, midpoint_of_codes), d);
  }
};
struct Q41Block {
  static constexpr int elements = 32, bytes = 20, before_codes = 4, half = 16;
  float d, m;
  TILEPROOF_DEVICE Q41Block(const std::uint8_t* block, int alignment, int /*first*/)
      : d(Fp16::value(two_bytes(block, alignment))), m(Fp16::value(two_bytes(block + 2, alignment))) {}
  TILEPROOF_DEVICE std::uint32_t weight(std::uint32_t code, bool /*is_high*/) const {
    return Fp32::fma(Fp32::minus(code, 0), d, m);
  }
};
/// Eight groups of 32, each with a scale and a minimum of six bits that multiply d and dmin. Those of the first four
/// groups are the low bits of a byte each; of the others, the low four bits are in the last four bytes, and the high
/// two above the bits of the first four.
struct Q4KBlock {
  static constexpr int elements = 256, bytes = 144, before_codes = 16, half = 32;
  float scale[2], minus_minimum[2];  // of the low halves' group, and of the high ones'

  /// @param first  of the low halves' elements
  TILEPROOF_DEVICE Q4KBlock(const std::uint8_t* block, int alignment, int first) {
    const float d = Fp16::value(two_bytes(block, alignment)), dmin = Fp16::value(two_bytes(block + 2, alignment));
    const std::uint32_t firsts = four_bytes(block + 4, alignment), seconds = four_bytes(block + 8, alignment),
                        lasts = four_bytes(block + 12, alignment);
    const int group = first / half;  // even
    TILEPROOF_UNROLL
    for (int i = 0; i < 2; ++i) {
      const int shift = (group + i) % 4 * 8;
      const std::uint32_t of_first = firsts >> shift & 255u, of_second = seconds >> shift & 255u,
                          of_last = lasts >> shift & 255u;
      const bool is_early = group < 4;
      const std::uint32_t six = is_early ? of_first & 63u : (of_last & 15u) | of_first >> 6 << 4;
      const std::uint32_t six_of_minimum = is_early ? of_second & 63u : of_last >> 4 | of_second >> 6 << 4;
      scale[i] = product_of(d, static_cast<float>(six));  // exact
      minus_minimum[i] = -product_of(dmin, static_cast<float>(six_of_minimum));
    }
  }
  TILEPROOF_DEVICE std::uint32_t weight(std::uint32_t code, bool is_high) const {
    return Fp32::fma(Fp32::minus(code, 0), is_high ? scale[1] : scale[0],
                     is_high ? minus_minimum[1] : minus_minimum[0]);
  }
};

template <class Block>
struct BlockThread {
  static constexpr int threads_of_block = Block::elements / 8;

  const std::uint8_t* packed;
  std::uint32_t* weights;
  int alignment;  // of every block

  TILEPROOF_DEVICE void operator()(std::int64_t thread) const {
    const std::int64_t number = thread / threads_of_block;
    const int of_block = static_cast<int>(thread % threads_of_block);
    const int byte = of_block * 4, first = byte / Block::half * (2 * Block::half) + byte % Block::half;
    const std::uint8_t* const bytes = packed + number * Block::bytes;
    const std::uint32_t word = four_bytes(bytes + Block::before_codes + byte, alignment);
    const Block block(bytes, alignment, first);
    std::uint32_t* const to = weights + number * Block::elements + first;
    TILEPROOF_UNROLL
    for (int i = 0; i < 2; ++i) {
      const auto weight = [&](int byte_of_word) {
        return block.weight(word >> (8 * byte_of_word + 4 * i) & 15u, i == 1);
      };
      store(Quad{weight(0), weight(1), weight(2), weight(3)}, to + i * Block::half);
    }
  }
};

}  // namespace tileproof::kernels
