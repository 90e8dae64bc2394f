/// A warp that converts: permutation.h says what it holds and what it does.
#pragma once

#include "kernels/arguments.h"
#include "kernels/warps/words.h"

namespace tileproof::kernels {

/// @tparam source_bits, target_bits  as held_bits of permutation.h takes them
template <class Source, class Target, int source_bits, int target_bits>
struct ConvertWarp {
  static constexpr Order source_order = Source::row.order, target_order = Target::row.order;
  struct Plan {
    static constexpr Permutation all = permutation_of(source_order, target_order, source_bits, target_bits);
  };
  static constexpr Permutation plan = Plan::all;
  static constexpr int registers = 1 << plan.source.register_bits;
  static constexpr int rest_bits = plan.rest.count;
  static constexpr int warps_of_block = 8;
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
        last_from(words_of_last(Source::row, a.n, a.k)),
        last_to(words_of_last(Target::row, a.n, a.k)),
        words_from(Source::row.padded_n(a.n) * a.k / 8),
        words_to(n_stored * a.k / 8),
        experts(a.experts),
        tiles_of_line(tiles(line)),
        tiles_of_expert(tiles(Axis::n) * tiles(Axis::k)) {}

  /// Whether no word, and nothing that is loaded or stored at once, is in parts at the end of a row or a column, and
  /// the memory is aligned to it.
  static bool takes(const ConvertArguments& a) {
    const auto has_whole_blocks = [&](const Layout& layout) {
      return layout.padded_n(a.n) % (std::int64_t{1} << layout.order.low_of(Axis::n)) == 0;
    };
    const bool is_aligned = reinterpret_cast<std::uintptr_t>(a.packed) % sizeof(Quad) == 0;
    return is_aligned && has_whole_quads(plan.source, a.n, a.k) && has_whole_quads(plan.target, a.n, a.k) &&
           has_whole_blocks(Source::row) && has_whole_blocks(Target::row);
  }

  std::int64_t tiles(Axis axis) const {
    const int bits = axis == Axis::n ? plan.n_bits : plan.k_bits;
    return ((axis == Axis::n ? n_stored : k) + (std::int64_t{1} << bits) - 1) >> bits;
  }
  Warps warps() const { return {(experts * tiles_of_expert.divisor) << rest_bits}; }

  TILEPROOF_DEVICE void operator()(std::int64_t warp, WarpWords<registers>& all) const {
    const std::int64_t of_all = warp >> rest_bits;
    const std::int64_t expert = experts == 1 ? 0 : tiles_of_expert.quotient(of_all);
    const std::int64_t tile = of_all - expert * tiles_of_expert.divisor;
    const std::int64_t across = tiles_of_line.quotient(tile), along = tile - across * tiles_of_line.divisor;
    const std::int64_t n_tile = line == Axis::n ? along : across, k_tile = line == Axis::n ? across : along;
    const std::int64_t rows_left = n - (n_tile << plan.n_bits), stored_left = n_stored - (n_tile << plan.n_bits);
    const std::int64_t columns_left = k - (k_tile << plan.k_bits);
    const std::uint32_t* const source =
        from + expert * words_from + words_before<Source, plan.n_bits, plan.k_bits>(n_tile, k_tile, last_from);
    std::uint32_t* const target =
        to + expert * words_to + words_before<Target, plan.n_bits, plan.k_bits>(n_tile, k_tile, last_to);
    const int rest = static_cast<int>(warp);

    all.for_each_lane([&](int lane, std::uint32_t(&words)[registers]) {
      PlaceInTile place;
      add_place<Source, RestBits<Plan>>(rest, place);
      add_place<Source, SourceLaneBits<Plan>>(lane, place);
      load_words<Source, Plan>(source + place.words + place.lasts * last_from, last_from, rows_left - place.row,
                               columns_left - place.column, words);
    });
    move_all<Plan>(all);
    all.for_each_lane([&](int lane, const std::uint32_t(&words)[registers]) {
      PlaceInTile place;
      add_place<Target, RestBits<Plan>>(rest, place);
      add_place<Target, TargetLaneBits<Plan>>(lane, place);
      store_words(words, target + place.words + place.lasts * last_to, stored_left - place.row,
                  columns_left - place.column);
    });
  }

  TILEPROOF_DEVICE void store_words(const std::uint32_t (&words)[registers], std::uint32_t* lane,
                                    std::int64_t rows_left, std::int64_t columns_left) const {
    for_constants<registers / 4>([&](auto quad) {
      constexpr PlaceInTile place = place_of_register<Target>(plan.target, 4 * quad);
      if (place.row >= rows_left || place.column >= columns_left) return;
      store_of_line(Quad{words[moved_register<Plan>(4 * quad)], words[moved_register<Plan>(4 * quad + 1)],
                         words[moved_register<Plan>(4 * quad + 2)], words[moved_register<Plan>(4 * quad + 3)]},
                    lane + place.words + place.lasts * last_to);
    });
  }
};

}  // namespace tileproof::kernels
