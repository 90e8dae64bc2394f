/// Where a warp's words lie in a layout, and how its lanes load them.
#pragma once

#include <algorithm>
#include <bit>
#include <type_traits>
#include <utility>

#include "kernels/device.h"
#include "kernels/warps/permutation.h"

namespace tileproof::kernels {

/// Calls `use` with the constants 0 to count - 1.
template <int count, class Use>
TILEPROOF_DEVICE void for_constants(Use use) {
  [&]<int... i>(std::integer_sequence<int, i...>) { (use(std::integral_constant<int, i>()), ...); }
  (std::make_integer_sequence<int, count>());
}

/// A place in a tile: its row and column, and its words in a layout.
struct PlaceInTile {
  int row = 0, column = 0, words = 0, lasts = 0;
};

/// Adds where the bits lead that are set in a number.
/// @tparam BitsOf  has `count`, and `at(i)`: the Bit for bit i of the number
template <class Layout, class BitsOf>
TILEPROOF_DEVICE void add_place(int number, PlaceInTile& place) {
  for_constants<BitsOf::count>([&](auto i) {
    constexpr Bit bit = BitsOf::at(i);
    constexpr Distance distance = distance_of(Layout::row.order, bit);
    const int is_set = number >> i & 1;
    if constexpr (bit.axis == Axis::n) place.row += is_set << bit.number;
    if constexpr (bit.axis == Axis::k) place.column += is_set << bit.number;
    if constexpr (distance.words != 0) place.words += is_set * distance.words;
    if constexpr (distance.lasts != 0) place.lasts += is_set * distance.lasts;
  });
}

/// Where a register's word is among those of its lane.
template <class Layout>
constexpr PlaceInTile place_of_register(const Arrangement& arrangement, int number) {
  PlaceInTile place;
  for (int i = 0; i < arrangement.register_bits; ++i) {
    if ((number >> i & 1) == 0) continue;
    const Bit bit = arrangement.all[nibble_bits + i];
    const Distance distance = distance_of(Layout::row.order, bit);
    (bit.axis == Axis::n ? place.row : place.column) += 1 << bit.number;
    place.words += distance.words;
    place.lasts += distance.lasts;
  }
  return place;
}

/// Words from one to the next of what comes last in a layout.
inline std::int64_t words_of_last(const Layout& layout, std::int64_t n, std::int64_t k) {
  const Order& order = layout.order;
  const std::int64_t extent = order.next == Axis::n ? layout.padded_n(n) : k;
  return ((extent >> order.low_of(order.next)) << order.low_count) >> nibble_bits;
}

/// The words before a tile.
/// @tparam n_bits, k_bits  of its size
template <class Layout, int n_bits, int k_bits>
TILEPROOF_DEVICE std::int64_t words_before(std::int64_t n_tile, std::int64_t k_tile, std::int64_t last) {
  constexpr Distance of_n = distance_of(Layout::row.order, n(n_bits));
  constexpr Distance of_k = distance_of(Layout::row.order, k(k_bits));
  return of_n.words * n_tile + of_k.words * k_tile + (of_n.lasts * n_tile + of_k.lasts * k_tile) * last;
}

/// Whether nothing that is loaded or stored at once is in parts at the end of a row or a column.
inline bool has_whole_quads(const Arrangement& arrangement, std::int64_t n, std::int64_t k) {
  constexpr int of_quad = nibble_bits + 2;
  std::int64_t rows = 1, columns = 1;  // multiples of these
  for (int i = 0; i < of_quad; ++i) {
    std::int64_t& multiple = arrangement.all[i].axis == Axis::n ? rows : columns;
    multiple = std::max(multiple, std::int64_t{2} << arrangement.all[i].number);
  }
  return n % rows == 0 && k % columns == 0;
}

/// Loads a lane's words, four at a time; those of rows and columns past the end are 0.
/// @tparam Plan  has `all`, the permutation whose source is loaded
template <class Layout, class Plan, int registers>
TILEPROOF_DEVICE void load_words(const std::uint32_t* lane, std::int64_t last, std::int64_t rows_left,
                                 std::int64_t columns_left, std::uint32_t (&words)[registers]) {
  for_constants<registers / 4>([&](auto quad) {
    constexpr PlaceInTile place = place_of_register<Layout>(Plan::all.source, 4 * quad);
    words[4 * quad] = words[4 * quad + 1] = words[4 * quad + 2] = words[4 * quad + 3] = 0;
    if (place.row >= rows_left || place.column >= columns_left) return;
    const Quad four = loaded_quad_of_line(lane + place.words + place.lasts * last);
    words[4 * quad] = four.x;
    words[4 * quad + 1] = four.y;
    words[4 * quad + 2] = four.z;
    words[4 * quad + 3] = four.w;
  });
}

// The bits that tell apart the lanes of a warp before the steps of a plan and after them, and the warps of a tile.
template <class Plan>
struct SourceLaneBits {
  static constexpr int count = lane_bits;
  static constexpr Bit at(int i) { return Plan::all.source.all[Plan::all.source.first_lane_bit() + i]; }
};
template <class Plan>
struct TargetLaneBits {
  static constexpr int count = lane_bits;
  static constexpr Bit at(int i) { return Plan::all.moved.all[Plan::all.moved.first_lane_bit() + i]; }
};
template <class Plan>
struct RestBits {
  static constexpr int count = Plan::all.rest.count;
  static constexpr Bit at(int i) { return Plan::all.rest.all[i]; }
};

/// Which register holds a word of the target after the steps.
template <class Plan>
constexpr int moved_register(int of_target) {
  int number = 0;
  for (int i = 0; i < Plan::all.target.register_bits; ++i) {
    if ((of_target >> i & 1) == 0) continue;
    number |= 1 << (Plan::all.moved.position_of(Plan::all.target.all[nibble_bits + i]) - nibble_bits);
  }
  return number;
}

/// Exchanges the bits by which two words and the nibbles in them differ: of the bit that is set in `b`'s number and
/// clear in `a`'s, and a nibble bit.
template <int nibble>
TILEPROOF_DEVICE void exchange_nibbles(std::uint32_t& a, std::uint32_t& b) {
  const std::uint32_t low = a, high = b;
  if constexpr (nibble == 0) {
    a = (low & 0x0f0f0f0fu) | (high << 4 & 0xf0f0f0f0u);
    b = (low >> 4 & 0x0f0f0f0fu) | (high & 0xf0f0f0f0u);
  } else if constexpr (nibble == 1) {
    a = bytes_of(low, high, 0x6240);
    b = bytes_of(low, high, 0x7351);
  } else {
    a = bytes_of(low, high, 0x5410);
    b = bytes_of(low, high, 0x7632);
  }
}

/// Exchanges two nibble bits of a word; or complements one, where they are one.
template <int a, int b>
TILEPROOF_DEVICE std::uint32_t exchanged(std::uint32_t word) {
  constexpr int low = a < b ? a : b, high = a < b ? b : a;
  if constexpr (low == high) {
    if constexpr (low == 0) return (word & 0x0f0f0f0fu) << 4 | (word >> 4 & 0x0f0f0f0fu);
    return bytes_of(word, 0, low == 1 ? 0x2301 : 0x1032);
  } else if constexpr (low == 1) {
    return bytes_of(word, 0, 0x3120);
  } else {
    constexpr int distance = 4 * ((1 << high) - (1 << low));
    constexpr std::uint32_t lower_of_pair = high == 1 ? 0x00f000f0u : 0x0000f0f0u;
    const std::uint32_t differ = ((word >> distance) ^ word) & lower_of_pair;
    return word ^ differ ^ (differ << distance);
  }
}

/// Takes a step in the words of a lane, where it is about nibbles and registers alone.
template <int a, int b, int registers>
TILEPROOF_DEVICE void move_in_lane(std::uint32_t (&words)[registers]) {
  constexpr int low = a < b ? a : b, high = a < b ? b : a;
  if constexpr (high < nibble_bits) {
    for_constants<registers>([&](auto i) { words[i] = exchanged<low, high>(words[i]); });
  } else {
    for_constants<registers>([&](auto i) {
      constexpr int with_bit = i | 1 << (high - nibble_bits);
      if constexpr (i == with_bit) return;
      if constexpr (low == high) {  // complements what tells registers apart
        const std::uint32_t word = words[i];
        words[i] = words[with_bit];
        words[with_bit] = word;
      } else {
        exchange_nibbles<low>(words[i], words[with_bit]);
      }
    });
  }
}

/// Takes a step of a permutation.
template <int a, int b, int registers>
TILEPROOF_DEVICE void move(WarpWords<registers>& all) {
  constexpr int first_lane_bit = nibble_bits + std::countr_zero(static_cast<unsigned>(registers));
  constexpr int low = a < b ? a : b, high = a < b ? b : a;
  if constexpr (high < first_lane_bit) {
    all.for_each_lane([](int, std::uint32_t(&words)[registers]) { move_in_lane<low, high>(words); });
  } else {
    static_assert(low >= nibble_bits && low < first_lane_bit);
    for_constants<registers>([&](auto i) {
      constexpr int with_bit = i | 1 << (low - nibble_bits);
      if constexpr (i != with_bit) all.template exchange_lanes<i, with_bit, 1 << (high - first_lane_bit)>();
    });
  }
}

/// Takes all steps of a plan.
template <class Plan, int registers>
TILEPROOF_DEVICE void move_all(WarpWords<registers>& all) {
  for_constants<Plan::all.step_count>([&](auto i) {
    constexpr Step step = Plan::all.steps[i];
    move<step.a, step.b>(all);
  });
}

}  // namespace tileproof::kernels
