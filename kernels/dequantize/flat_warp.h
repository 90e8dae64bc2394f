/// A warp that dequantizes bitsandbytes' flat codes: two a byte, of all elements one after the other.
#pragma once

#include "kernels/dequantize/groups.h"
#include "kernels/warps/words.h"

namespace tileproof::kernels {

// bitsandbytes' tables, as fp32. Code 8 of fp4 is -0, as its formula has it.
TILEPROOF_TABLE std::uint32_t nf4_table[16] = {0xbf800000, 0xbf3239b1, 0xbf066b30, 0xbeca32a0, 0xbe91a24d, 0xbe3d353f,
                                               0xbdba7871, 0x00000000, 0x3da2faff, 0x3e24cae3, 0x3e7c04dd, 0x3ead033a,
                                               0x3ee1a4b8, 0x3f1007ab, 0x3f3913b3, 0x3f800000};
TILEPROOF_TABLE std::uint32_t fp4_table[16] = {0x00000000, 0x3baaaaab, 0x3f2aaaab, 0x3f800000, 0x3eaaaaab, 0x3f000000,
                                               0x3e2aaaab, 0x3e800000, 0x80000000, 0xbbaaaaab, 0xbf2aaaab, 0xbf800000,
                                               0xbeaaaaab, 0xbf000000, 0xbe2aaaab, 0xbe800000};

/// absmax of a block of flat elements: as it is, or a number of a code of 256, scaled, beside an offset.
struct BlockScales {
  const void* scales;  // [expert][block]: fp32; uint8 where they are nested
  const float *of_scales = nullptr, *code = nullptr, *offset = nullptr;
  std::int64_t blocks, blocks_of_blocks;

  static constexpr int of_nested = 256;  // scales that share a scale

  TILEPROOF_DEVICE float of(std::int64_t expert, std::int64_t block) const {
    const std::int64_t place = expert * blocks + block;
    if (of_scales == nullptr) return float_of(loaded(static_cast<const std::uint32_t*>(scales) + place));
    const int stored = loaded(static_cast<const std::uint8_t*>(scales) + place);
    const auto number = [](const float* from) {
      return float_of(loaded(reinterpret_cast<const std::uint32_t*>(from)));
    };
    return sum_of(product_of(number(code + 256 * expert + stored),
                             number(of_scales + expert * blocks_of_blocks + block / of_nested)),
                  number(offset + expert));
  }
};

/// How codes get from 16 bytes a lane to the lanes that store them, 512 bytes of neighbouring weights at a time. The
/// codes' order is plain's, where all are one row.
constexpr Permutation permutation_to_flat_weights(int element_bytes) {
  const int neighbour_bits = element_bytes == 2 ? 3 : 2, stored_bits = neighbour_bits + lane_bits;
  constexpr int held_bits_of_quads = nibble_bits + 2 + lane_bits;
  Bits held;
  for (int i = 0; i < held_bits_of_quads; ++i) held.add(k(i));
  Permutation p;
  p.source = arranged(Plain::row.order, held);
  p.target.register_bits = p.source.register_bits;
  p.target.add(k(1));
  p.target.add(element_bytes == 2 ? k(2) : k(stored_bits));
  p.target.add(k(0));
  for (int i = stored_bits + (element_bytes == 2 ? 0 : 1); i < held.count; ++i) p.target.add(k(i));
  for (int i = neighbour_bits; i < stored_bits; ++i) p.target.add(k(i));
  p.flipped.add(k(0));
  find_steps(p);
  return p;
}

/// A warp that takes 1024 codes, of which each lane loads 32: one block has these, so that a lane loads one scale.
///
/// Measured on an H200 for nf4 in blocks of 64, as a part of a copy's speed, in bf16 and fp32: 0.96 and 0.94; nested
/// scales 0.96 and 0.94. Where each lane loaded the word of its own store and looked numbers up in memory, 0.85 and
/// 0.88, nested 0.63; with numbers looked up among lanes and two words a lane 0.96 and 0.87, nested 0.87.
/// @tparam T       of the weights
/// @tparam is_nf4  else fp4
template <class T, bool is_nf4>
struct FlatWarp {
  using Bits = typename T::Bits;
  struct Plan {
    static constexpr Permutation all = permutation_to_flat_weights(sizeof(Bits));
  };
  static constexpr int registers = 4;
  static constexpr int codes_of_store = sizeof(Quad) / sizeof(Bits);
  static constexpr int codes_of_lane = 32, codes_of_warp = codes_of_lane * lanes_of_warp;
  static constexpr int warps_of_block = 4;

  const std::uint8_t* packed;
  Bits* weights;
  BlockScales scales;
  int block_shift;  // a block has 2^this elements, 32 or more
  std::int64_t elements;
  std::int64_t bytes;  // of an expert
  bool loads_quads;    // all experts' codes are aligned to 16 bytes
  bool stores_quads;   // all experts' weights are
  std::int64_t experts;
  FastDivmod warps_of_expert;

  Warps warps() const { return {experts * warps_of_expert.divisor}; }

  TILEPROOF_DEVICE void operator()(std::int64_t warp, WarpWords<registers>& all) const {
    const std::int64_t expert = experts == 1 ? 0 : warps_of_expert.quotient(warp);
    const std::int64_t first = (warp - expert * warps_of_expert.divisor) * codes_of_warp, left = elements - first;
    const std::uint8_t* const codes = packed + expert * bytes + first / 2;
    Bits* const to = weights + expert * elements + first;
    PerLane<float> scale;
    all.for_each_lane([&](int lane, std::uint32_t(&words)[registers]) {
      load(codes + lane * (codes_of_lane / 2), left - lane * codes_of_lane, words);
      scale.of(lane) =
          lane * codes_of_lane < left ? scales.of(expert, (first + lane * codes_of_lane) >> block_shift) : 0;
    });
    move_all<Plan>(all);
    all.for_each_lane([&](int lane, const std::uint32_t(&words)[registers]) {
      const TableOfLanes table(is_nf4 ? nf4_table : fp4_table, lane);
      PlaceInTile its_place;
      add_place<Plain, TargetLaneBits<Plan>>(lane, its_place);
      constexpr int apart = codes_of_store * lanes_of_warp;  // the codes of a store of the warp
      constexpr int stores = codes_of_warp / apart, of_word = 8 / codes_of_store;
      Quad quads[stores];
      for_constants<stores>([&](auto i) {
        const std::uint32_t word = words[moved_register<Plan>(i / of_word)];
        const float its_scale = scale.from((i * apart + its_place.column) / codes_of_lane);
        const auto weight = [&](int code) {  // of nibbles in the order of permutation_to_flat_weights
          const int nibble = i % of_word * 2 + code / 2 + code % 2 * 4;
          return product_of(float_of(table.at(word >> (4 * nibble))), its_scale);
        };
        if constexpr (codes_of_store == 8) {
          quads[i] = {T::rounded_two(weight(0), weight(1)), T::rounded_two(weight(2), weight(3)),
                      T::rounded_two(weight(4), weight(5)), T::rounded_two(weight(6), weight(7))};
        } else {
          quads[i] = {T::rounded(weight(0)), T::rounded(weight(1)), T::rounded(weight(2)), T::rounded(weight(3))};
        }
      });
      TILEPROOF_UNROLL
      for (int i = 0; i < stores; ++i) {
        const int place = i * apart + its_place.column;
        store_some(quads[i], to + place, left - place);
      }
    });
  }

 private:
  TILEPROOF_DEVICE void load(const std::uint8_t* from, std::int64_t left, std::uint32_t (&words)[registers]) const {
    if (loads_quads && left >= codes_of_lane) {
      const Quad quad = loaded_quad(from);
      words[0] = quad.x;
      words[1] = quad.y;
      words[2] = quad.z;
      words[3] = quad.w;
      return;
    }
    TILEPROOF_UNROLL
    for (int word = 0; word < registers; ++word) {
      words[word] = 0;
      for (int i = 0; i < 4; ++i) {
        const int byte = word * 4 + i;
        if (2 * byte < left) words[word] |= static_cast<std::uint32_t>(loaded(from + byte)) << (8 * i);
      }
    }
  }
  TILEPROOF_DEVICE void store_some(const Quad& quad, Bits* to, std::int64_t left) const {
    if (stores_quads && left >= codes_of_store) return store(quad, to);
    const std::uint32_t words[4] = {quad.x, quad.y, quad.z, quad.w};
    TILEPROOF_UNROLL
    for (int i = 0; i < codes_of_store; ++i) {
      const std::uint32_t word = words[i * static_cast<int>(sizeof(Bits)) / 4];
      if (i < left) to[i] = static_cast<Bits>(codes_of_store == 8 && i % 2 == 1 ? word >> 16 : word);
    }
  }
};

}  // namespace tileproof::kernels
