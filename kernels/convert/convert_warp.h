/// A warp that converts: permutation.h says what it holds and what it does.
#pragma once

#include <algorithm>
#include <bit>
#include <type_traits>
#include <utility>

#include "kernels/arguments.h"
#include "kernels/convert/permutation.h"
#include "kernels/device.h"

namespace tileproof::kernels {

/// Calls `use` with the constants 0 to count - 1.
template <int count, class Use>
TILEPROOF_DEVICE void for_constants(Use use) {
  [&]<int... i>(std::integer_sequence<int, i...>) { (use(std::integral_constant<int, i>()), ...); }
  (std::make_integer_sequence<int, count>());
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

/// @tparam source_bits, target_bits  as held_bits of permutation.h takes them
template <class Source, class Target, int source_bits, int target_bits>
struct ConvertWarp {
  static constexpr Order source_order = Source::row.order, target_order = Target::row.order;
  static constexpr Permutation plan = permutation_of(source_order, target_order, source_bits, target_bits);
  static constexpr int registers = 1 << plan.source.register_bits;
  static constexpr int rest_bits = plan.rest.count;
  // Warps follow each other along what comes next in the layout of which a warp has the shorter runs of memory: so they
  // soon make them whole lines and pages.
  static constexpr Axis line =
      held_run(source_order, plan.source) < held_run(target_order, plan.target) ? source_order.next : target_order.next;

  const std::uint32_t* from;
  std::uint32_t* to;
  std::int64_t n, n_stored, k;        // rows, rows with the target's padding, columns
  std::int64_t last_from, last_to;    // words from one to the next of what comes last in a layout
  std::int64_t words_from, words_to;  // of an expert
  std::int64_t experts;
  FastDivmod tiles_of_line;  // along `line`
  FastDivmod tiles_of_expert;

  explicit ConvertWarp(const ConvertArguments& a)
      : from(static_cast<const std::uint32_t*>(a.packed)),
        to(static_cast<std::uint32_t*>(a.converted)),
        n(a.n),
        n_stored(Target::row.padded_n(a.n)),
        k(a.k),
        last_from(words_of_last(Source::row, a)),
        last_to(words_of_last(Target::row, a)),
        words_from(Source::row.padded_n(a.n) * a.k / 8),
        words_to(n_stored * a.k / 8),
        experts(a.experts),
        tiles_of_line(tiles(line)),
        tiles_of_expert(tiles(Axis::n) * tiles(Axis::k)) {}

  /// Whether no word, and nothing that is loaded or stored at once, is in parts at the end of a row or a column, and
  /// the memory is aligned to it.
  static bool takes(const ConvertArguments& a) {
    constexpr int of_quad = nibble_bits + 2;
    std::int64_t rows = 1, columns = 1;  // multiples of these
    for (const Bits* bits : {static_cast<const Bits*>(&plan.source), static_cast<const Bits*>(&plan.target)}) {
      for (int i = 0; i < of_quad; ++i) {
        std::int64_t& multiple = bits->all[i].axis == Axis::n ? rows : columns;
        multiple = std::max(multiple, std::int64_t{2} << bits->all[i].number);
      }
    }
    const auto has_whole_blocks = [&](const Layout& layout) {
      return layout.padded_n(a.n) % (std::int64_t{1} << layout.order.low_of(Axis::n)) == 0;
    };
    const bool is_aligned = reinterpret_cast<std::uintptr_t>(a.packed) % sizeof(Quad) == 0;
    return is_aligned && a.n % rows == 0 && a.k % columns == 0 && has_whole_blocks(Source::row) &&
           has_whole_blocks(Target::row);
  }

  static std::int64_t words_of_last(const Layout& layout, const ConvertArguments& a) {
    const Order& order = layout.order;
    const std::int64_t extent = order.next == Axis::n ? layout.padded_n(a.n) : a.k;
    return ((extent >> order.low_of(order.next)) << order.low_count) >> nibble_bits;
  }
  std::int64_t tiles(Axis axis) const {
    const int bits = axis == Axis::n ? plan.n_bits : plan.k_bits;
    return ((axis == Axis::n ? n_stored : k) + (std::int64_t{1} << bits) - 1) >> bits;
  }
  Warps warps() const { return {(experts * tiles_of_expert.divisor) << rest_bits}; }

  // The bits that tell apart the warps of a tile, and the lanes of a warp before and after the steps.
  struct RestBits {
    static constexpr int count = plan.rest.count;
    static constexpr Bit at(int i) { return plan.rest.all[i]; }
  };
  struct SourceLaneBits {
    static constexpr int count = lane_bits;
    static constexpr Bit at(int i) { return plan.source.all[plan.source.first_lane_bit() + i]; }
  };
  struct TargetLaneBits {
    static constexpr int count = lane_bits;
    static constexpr Bit at(int i) { return plan.moved.all[plan.moved.first_lane_bit() + i]; }
  };

  /// A place in a tile: its row and column, and its words in a layout.
  struct Place {
    int row = 0, column = 0, words = 0, lasts = 0;
  };

  /// Adds where the bits lead that are set in a number.
  template <class Layout, class BitsOf>
  static TILEPROOF_DEVICE void add(int number, Place& place) {
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
  static constexpr Place place_of_register(const Arrangement& arrangement, int number) {
    Place place;
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
  /// Which register holds a word of the target after the steps.
  static constexpr int moved_register(int of_target) {
    int number = 0;
    for (int i = 0; i < plan.target.register_bits; ++i) {
      if ((of_target >> i & 1) == 0) continue;
      number |= 1 << (plan.moved.position_of(plan.target.all[nibble_bits + i]) - nibble_bits);
    }
    return number;
  }

  TILEPROOF_DEVICE void operator()(std::int64_t warp, WarpWords<registers>& all) const {
    const std::int64_t of_all = warp >> rest_bits;
    const std::int64_t expert = experts == 1 ? 0 : tiles_of_expert.quotient(of_all);
    const std::int64_t tile = of_all - expert * tiles_of_expert.divisor;
    const std::int64_t across = tiles_of_line.quotient(tile), along = tile - across * tiles_of_line.divisor;
    const std::int64_t n_tile = line == Axis::n ? along : across, k_tile = line == Axis::n ? across : along;
    const std::int64_t rows_left = n - (n_tile << plan.n_bits), stored_left = n_stored - (n_tile << plan.n_bits);
    const std::int64_t columns_left = k - (k_tile << plan.k_bits);
    const std::uint32_t* const source = from + expert * words_from + words_before<Source>(n_tile, k_tile, last_from);
    std::uint32_t* const target = to + expert * words_to + words_before<Target>(n_tile, k_tile, last_to);
    const int rest = static_cast<int>(warp);

    all.for_each_lane([&](int lane, std::uint32_t(&words)[registers]) {
      Place place;
      add<Source, RestBits>(rest, place);
      add<Source, SourceLaneBits>(lane, place);
      load(source + place.words + place.lasts * last_from, rows_left - place.row, columns_left - place.column, words);
    });
    for_constants<plan.step_count>([&](auto i) {
      constexpr Step step = plan.steps[i];
      move<step.a, step.b>(all);
    });
    all.for_each_lane([&](int lane, const std::uint32_t(&words)[registers]) {
      Place place;
      add<Target, RestBits>(rest, place);
      add<Target, TargetLaneBits>(lane, place);
      store_words(words, target + place.words + place.lasts * last_to, stored_left - place.row,
                  columns_left - place.column);
    });
  }

  template <class Layout>
  static TILEPROOF_DEVICE std::int64_t words_before(std::int64_t n_tile, std::int64_t k_tile, std::int64_t last) {
    constexpr Distance of_n = distance_of(Layout::row.order, tileproof::kernels::n(plan.n_bits));
    constexpr Distance of_k = distance_of(Layout::row.order, tileproof::kernels::k(plan.k_bits));
    return of_n.words * n_tile + of_k.words * k_tile + (of_n.lasts * n_tile + of_k.lasts * k_tile) * last;
  }

  /// Loads a lane's words; those of rows past the end are 0, as they are given.
  TILEPROOF_DEVICE void load(const std::uint32_t* lane, std::int64_t rows_left, std::int64_t columns_left,
                             std::uint32_t (&words)[registers]) const {
    for_constants<registers / 4>([&](auto quad) {
      constexpr Place place = place_of_register<Source>(plan.source, 4 * quad);
      words[4 * quad] = words[4 * quad + 1] = words[4 * quad + 2] = words[4 * quad + 3] = 0;
      if (place.row >= rows_left || place.column >= columns_left) return;
      const Quad four = loaded_quad_of_line(lane + place.words + place.lasts * last_from);
      words[4 * quad] = four.x;
      words[4 * quad + 1] = four.y;
      words[4 * quad + 2] = four.z;
      words[4 * quad + 3] = four.w;
    });
  }

  TILEPROOF_DEVICE void store_words(const std::uint32_t (&words)[registers], std::uint32_t* lane,
                                    std::int64_t rows_left, std::int64_t columns_left) const {
    for_constants<registers / 4>([&](auto quad) {
      constexpr Place place = place_of_register<Target>(plan.target, 4 * quad);
      if (place.row >= rows_left || place.column >= columns_left) return;
      store_of_line(Quad{words[moved_register(4 * quad)], words[moved_register(4 * quad + 1)],
                         words[moved_register(4 * quad + 2)], words[moved_register(4 * quad + 3)]},
                    lane + place.words + place.lasts * last_to);
    });
  }
};

}  // namespace tileproof::kernels
