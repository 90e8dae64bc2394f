/// How a warp turns the words of one layout into words of another: which codes it holds, where their words lie, and the
/// steps that move them between nibbles, registers and lanes. All of it is computed by the compiler.
///
/// A warp holds the codes of a matrix that differ in some bits of n and k. The lowest three bits of a slot's number
/// tell apart the nibbles of a word, the next ones words that a lane loads or stores at once, in its registers, and
/// those after them neighbouring lanes, so that every load and store of a warp is of whole sectors of memory. So the
/// held bits are the lowest ones of both layouts. They lie in one arrangement when they are loaded, and in another when
/// they are stored. Steps that exchange two bits lead from one to the other: two nibble bits, or a nibble's and a
/// register's, by shifts and byte permutations, a register's and a lane's by a shuffle. Registers and lanes are renamed
/// at will.
///
/// Measured on an H200, as a part of a copy's speed: 0.64 where a thread copies 64 neighbouring bytes of its own, and
/// 1.01 where it copies 16. Lanes that exchange words store at the speed of those that need not.
#pragma once

#include "kernels/layouts.h"
#include "kernels/warps.h"

namespace tileproof::kernels {

inline constexpr int nibble_bits = 3;  // that tell the nibbles of a word apart

/// Bits in some order, without repetition.
struct Bits {
  static constexpr int most = 16;
  Bit all[most];
  int count = 0;

  constexpr int position_of(Bit bit) const {
    for (int i = 0; i < count; ++i) {
      if (all[i].is(bit)) return i;
    }
    return -1;
  }
  constexpr bool has(Bit bit) const { return position_of(bit) >= 0; }
  constexpr void add(Bit bit) {
    if (!has(bit)) all[count++] = {bit.axis, bit.number};
  }
};

/// Where the held bits are: the nibble bits first, then those of registers, then those of lanes.
struct Arrangement : Bits {
  int register_bits = 0;
  constexpr int first_lane_bit() const { return nibble_bits + register_bits; }
  constexpr bool is_register(int position) const { return position >= nibble_bits && position < first_lane_bit(); }
};

/// Exchanges the bits at two positions; where these are one, complements the bit there.
struct Step {
  int a, b;
};

/// How far apart in memory two words are: so many words, and so many times from one to the next of what comes last.
struct Distance {
  int words;
  int lasts;
};

/// The distance of two words whose codes differ in one bit.
constexpr Distance distance_of(const Order& order, Bit bit) {
  const int position = order.position_of(bit);
  if (position == Order::unknown) return {0, 1 << (bit.number - order.low_of(bit.axis))};
  return {position < nibble_bits ? 0 : 1 << (position - nibble_bits), 0};
}

/// The held bits as they are loaded or stored: in the order of the layout, but for registers that are loaded or stored
/// one after the other, which come behind the first two, and of which lanes know nothing.
constexpr Arrangement arranged(const Order& order, const Bits& held) {
  Bits in_order;
  for (int position = 0; position < 24; ++position) {
    if (held.has(order.at(position))) in_order.add(order.at(position));
  }
  for (int number = 0; number < 16; ++number) {
    if (held.has({other(order.next), number})) in_order.add({other(order.next), number});
  }
  constexpr int at_once = 2;  // bits of registers that make 16 bytes
  constexpr int first_lane_bit = nibble_bits + at_once;
  Arrangement all;
  all.register_bits = held.count - nibble_bits - lane_bits;
  for (int i = 0; i < first_lane_bit; ++i) all.add(in_order.all[i]);
  for (int i = first_lane_bit + lane_bits; i < held.count; ++i) all.add(in_order.all[i]);
  for (int i = 0; i < lane_bits; ++i) all.add(in_order.all[first_lane_bit + i]);
  return all;
}

/// How many of a layout's lowest bits are held: a warp has its memory in runs of as many slots.
constexpr int held_run(const Order& order, const Bits& held) {
  int run = 0;
  while (run < held.count && held.has(order.at(run))) ++run;
  return run;
}

struct Permutation {
  Arrangement source, target;  // as loaded, and as stored
  Arrangement moved;           // as the steps leave them: as in `target`, but for the names of registers and lanes
  Step steps[24] = {};
  int step_count = 0;
  Bits flipped;  // that are still to be complemented

  // A tile is all that differs in the held bits and those below them, which are all of the bits whose order is a
  // layout's own. Tiles lie at equal distances. Several warps may share one, that differ in the rest of its bits.
  int n_bits = 0, k_bits = 0;
  Bits rest;

  constexpr void exchange(int a, int b) {
    const Bit bit = moved.all[a];
    moved.all[a] = moved.all[b];
    moved.all[b] = bit;
    steps[step_count++] = {a, b};
    flip_registers();
  }
  /// Complements bits that tell registers apart, which is renaming these.
  constexpr void flip_registers() {
    for (int i = 0; i < flipped.count; ++i) {
      const int position = moved.position_of(flipped.all[i]);
      if (moved.is_register(position)) flip(i);
    }
  }
  constexpr void flip(int number) {
    const int position = moved.position_of(flipped.all[number]);
    steps[step_count++] = {position, position};
    flipped.all[number] = flipped.all[--flipped.count];
  }
};

/// @param source_bits, target_bits  how many of each layout's lowest bits to hold: 5 are 16 bytes, 8 are 128
constexpr Bits held_bits(const Order& source, const Order& target, int source_bits, int target_bits) {
  Bits held;
  for (int i = 0; i < source_bits; ++i) held.add(source.at(i));
  for (int i = 0; i < target_bits; ++i) held.add(target.at(i));
  constexpr int least = nibble_bits + 2 + lane_bits;  // 16 bytes of each lane
  for (int i = 0; held.count < least; ++i) {
    if (held.count < least) held.add(target.at(i));
    if (held.count < least) held.add(source.at(i));
  }
  return held;
}

/// Finds the steps from the source's arrangement to the target's, and complements the bits of `flipped`.
constexpr void find_steps(Permutation& p) {
  p.moved = p.source;
  p.flip_registers();
  const int first_lane_bit = p.source.first_lane_bit();
  const auto belongs_in_lanes = [&](Bit bit) { return p.target.position_of(bit) >= first_lane_bit; };
  // Bring each bit that belongs in a lane's words there from the lane bits, through a register whose bit belongs in
  // lanes.
  for (int lane_bit = first_lane_bit; lane_bit < p.source.count; ++lane_bit) {
    if (belongs_in_lanes(p.moved.all[lane_bit])) continue;
    int leaves = first_lane_bit - 1;
    while (leaves >= 0 && !belongs_in_lanes(p.moved.all[leaves])) --leaves;
    if (leaves < nibble_bits) {  // a nibble bit, for which a register must be found: best one with the bit wanted there
      int through = p.moved.position_of(p.target.all[leaves]);
      if (!p.moved.is_register(through)) through = nibble_bits;
      p.exchange(leaves, through);
      leaves = through;
    }
    p.exchange(leaves, lane_bit);
  }
  // Then the nibbles: from registers as long as there are such, which is cheaper than within a word.
  for (bool again = true; again;) {
    again = false;
    for (int nibble = nibble_bits - 1; nibble >= 0; --nibble) {
      const int from = p.moved.position_of(p.target.all[nibble]);
      if (!p.moved.is_register(from)) continue;
      p.exchange(nibble, from);
      again = true;
    }
  }
  for (int nibble = 0; nibble < nibble_bits; ++nibble) {
    const int from = p.moved.position_of(p.target.all[nibble]);
    if (from != nibble) p.exchange(nibble, from);
  }
  while (p.flipped.count > 0) p.flip(0);
}

constexpr Permutation permutation_of(const Order& source, const Order& target, int source_bits, int target_bits) {
  const Bits held = held_bits(source, target, source_bits, target_bits);
  Permutation p;
  p.source = arranged(source, held);
  p.target = arranged(target, held);
  for (int i = 0; i < held.count; ++i) {
    if (source.flips(held.all[i]) != target.flips(held.all[i])) p.flipped.add(held.all[i]);
  }
  find_steps(p);

  const auto bits_of = [&](Axis axis) {
    int bits = source.low_of(axis) > target.low_of(axis) ? source.low_of(axis) : target.low_of(axis);
    for (int i = 0; i < held.count; ++i) {
      if (held.all[i].axis == axis && bits <= held.all[i].number) bits = held.all[i].number + 1;
    }
    return bits;
  };
  p.n_bits = bits_of(Axis::n);
  p.k_bits = bits_of(Axis::k);
  // The warps of a tile make whole lines of 128 bytes.
  constexpr int of_line = 8;
  for (const Order* order : {&source, &target}) {
    for (int i = 0; i < of_line; ++i) {
      int& bits = order->at(i).axis == Axis::n ? p.n_bits : p.k_bits;
      if (bits <= order->at(i).number) bits = order->at(i).number + 1;
    }
  }
  for (int number = 0; number < 16; ++number) {
    if (number < p.k_bits && !held.has(k(number))) p.rest.add(k(number));
    if (number < p.n_bits && !held.has(n(number))) p.rest.add(n(number));
  }
  return p;
}

}  // namespace tileproof::kernels
