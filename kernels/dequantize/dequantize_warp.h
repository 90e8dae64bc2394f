/// A warp that dequantizes: it holds the codes of eight rows of the weights, 512 bytes of each, and stores them a row
/// at a time, 16 bytes a lane. Codes come from their places in the packed words by the steps of warps/permutation.h.
#pragma once

#include "kernels/dequantize/groups.h"
#include "kernels/warps/words.h"

namespace tileproof::kernels {

inline constexpr int row_bits_of_warp = 3;  // of the rows of the weights
inline constexpr int rows_of_warp = 1 << row_bits_of_warp;

/// How the codes of a warp get where they are stored. `along` is the axis whose numbers run along a row of the weights.
///
/// A lane's word has the codes of eight neighbouring weights, of 16 bits: number 2i in nibble i and 2i + 1 in nibble
/// i + 4, so that a shift and a mask bring two of them where two weights are. Of weights of 32 bits it has those of
/// four neighbours in two rows.
/// @param more_rows  bits by which the warps of a tile differ in rows
constexpr Permutation permutation_to_weights(const Order& source, Axis along, int element_bytes, int more_rows) {
  const auto in_row = [=](int number) { return Bit{along, number}; };
  const auto of_rows = [=](int number) { return Bit{other(along), number}; };
  const int neighbour_bits = element_bytes == 2 ? 3 : 2;
  const int along_bits = neighbour_bits + lane_bits;

  Bits held;
  for (int i = 0; i < along_bits; ++i) held.add(in_row(i));
  for (int i = 0; i < row_bits_of_warp; ++i) held.add(of_rows(i));
  Permutation p;
  p.source = arranged(source, held);
  p.target.register_bits = p.source.register_bits;
  p.target.add(in_row(1));
  p.target.add(element_bytes == 2 ? in_row(2) : of_rows(0));
  p.target.add(in_row(0));
  for (int i = element_bytes == 2 ? 0 : 1; i < row_bits_of_warp; ++i) p.target.add(of_rows(i));
  for (int i = neighbour_bits; i < along_bits; ++i) p.target.add(in_row(i));
  for (int i = 0; i < held.count; ++i) {
    if (source.flips(held.all[i])) p.flipped.add(held.all[i]);
  }
  find_steps(p);

  (along == Axis::n ? p.n_bits : p.k_bits) = along_bits;
  (along == Axis::n ? p.k_bits : p.n_bits) = row_bits_of_warp + more_rows;
  for (int i = 0; i < more_rows; ++i) p.rest.add(of_rows(row_bits_of_warp + i));
  return p;
}

/// Groups of neighbouring k, where k runs along a row: the weights of a store are of one group.
template <class T, template <class> class DomainOf>
struct GroupsAlongRows {
  using Type = T;
  using Domain = DomainOf<T>;
  static constexpr Axis along = Axis::k;
  // Measured on an H200, as a part of a copy's speed, for groups of 32: 0.91 where the warps of a block have the same
  // rows, 0.956 where four of them have neighbouring ones, whose parameters are neighbours too.
  static constexpr int more_rows = 2;

  Domain domain;
  std::int64_t n, groups;
  FastDivmod group_size;

  struct OfLane {
    typename Domain::Parameters rows[rows_of_warp];
  };
  /// Loads what a lane needs, before its codes have come: for group 32, 0.89 of a copy's speed before this, 0.956 with
  /// it (H200).
  TILEPROOF_DEVICE void load(OfLane& of, std::int64_t expert, std::int64_t row, std::int64_t column,
                             std::int64_t rows_left) const {
    const std::int64_t first = (expert * groups + group_size.quotient(column)) * n + row;
    for_constants<rows_of_warp>([&](auto i) {
      if (i < rows_left) of.rows[i] = domain.of(first + i);
    });
  }
  TILEPROOF_DEVICE void reload(OfLane&, std::int64_t, std::int64_t, std::int64_t) const {}
  template <int i>
  TILEPROOF_DEVICE Quad weights(const std::uint32_t (&pairs)[8 / sizeof(typename T::Bits)], const OfLane& of) const {
    return weights_of<T>(pairs, domain, of.rows[i]);
  }
  bool takes() const { return group_size.divisor % 8 == 0; }
};

/// Groups of k, where n runs along a row: each weight of a store is of a group of its own, which the rows share.
template <class T, ZeroPoints kind>
struct GroupsAcrossRows {
  using Type = T;
  using Parameters = PackedZeroPoints<T, kind>;
  static constexpr Axis along = Axis::n;
  static constexpr int more_rows = 0;

  Parameters parameters;
  const std::int32_t* group_of_k;  // [expert][k], or nullptr: they are neighbours
  std::int64_t n, k, groups;
  FastDivmod group_size;
  bool one_group;  // of all rows of a warp

  struct OfLane {
    typename Parameters::Parameters all;
  };
  TILEPROOF_DEVICE void load(OfLane& of, std::int64_t expert, std::int64_t row, std::int64_t column,
                             std::int64_t rows_left) const {
    if (rows_left <= 0) return;
    const std::int64_t group =
        group_of_k == nullptr ? group_size.quotient(row) : std::int64_t{loaded(group_of_k + expert * k + row)};
    of.all =
        group >= 0 && group < groups ? parameters.of((expert * groups + group) * n + column) : Parameters::nothing();
  }
  /// Before another row than the first one.
  TILEPROOF_DEVICE void reload(OfLane& of, std::int64_t expert, std::int64_t row, std::int64_t column) const {
    if (!one_group) load(of, expert, row, column, 1);
  }
  template <int>
  TILEPROOF_DEVICE Quad weights(const std::uint32_t (&pairs)[8 / sizeof(typename T::Bits)], const OfLane& of) const {
    return weights_of<T, kind>(pairs, parameters, of.all);
  }
  bool takes() const { return reinterpret_cast<std::uintptr_t>(parameters.scales) % sizeof(Quad) == 0 && n % 8 == 0; }
};

/// @tparam Source  a layout
/// @tparam Groups  GroupsAlongRows or GroupsAcrossRows
template <class Source, class Groups>
struct DequantizeWarp {
  using Bits = typename Groups::Type::Bits;
  static constexpr int element_bytes = sizeof(Bits);
  static constexpr int of_store = sizeof(Quad) / element_bytes;
  struct Plan {
    static constexpr Permutation all =
        permutation_to_weights(Source::row.order, Groups::along, element_bytes, Groups::more_rows);
  };
  static constexpr Permutation plan = Plan::all;
  static constexpr int registers = 1 << plan.source.register_bits;
  static constexpr int rest_bits = plan.rest.count;
  static constexpr bool n_is_along = Groups::along == Axis::n;
  static constexpr int along_bits = n_is_along ? plan.n_bits : plan.k_bits;
  static constexpr int across_bits = n_is_along ? plan.k_bits : plan.n_bits;
  static constexpr int warps_of_block = 4;

  Groups groups;
  const std::uint32_t* packed;
  Bits* weights;
  std::int64_t rows, columns;  // of the weights
  std::int64_t last, words;    // words from one to the next of what comes last in the layout; of an expert
  std::int64_t experts;
  FastDivmod tiles_of_row, tiles_of_expert;

  DequantizeWarp(Groups its_groups, const void* its_packed, void* its_weights, std::int64_t n, std::int64_t k,
                 std::int64_t its_experts)
      : groups(its_groups),
        packed(static_cast<const std::uint32_t*>(its_packed)),
        weights(static_cast<Bits*>(its_weights)),
        rows(n_is_along ? k : n),
        columns(n_is_along ? n : k),
        last(words_of_last(Source::row, n, k)),
        words(Source::row.padded_n(n) * k / 8),
        experts(its_experts),
        tiles_of_row(divided_up(columns, along_bits)),
        tiles_of_expert(tiles_of_row.divisor * divided_up(rows, across_bits)) {}

  static std::int64_t divided_up(std::int64_t extent, int bits) {
    return (extent + (std::int64_t{1} << bits) - 1) >> bits;
  }
  /// Whether nothing that is loaded or stored at once is in parts, and all is aligned.
  bool takes() const {
    const std::int64_t n = n_is_along ? columns : rows, k = n_is_along ? rows : columns;
    return groups.takes() && reinterpret_cast<std::uintptr_t>(packed) % sizeof(Quad) == 0 &&
           has_whole_quads(plan.source, Source::row.padded_n(n), k) && columns % of_store == 0;
  }
  Warps warps() const { return {(experts * tiles_of_expert.divisor) << rest_bits}; }

  TILEPROOF_DEVICE void operator()(std::int64_t warp, WarpWords<registers>& all) const {
    const std::int64_t of_all = warp >> rest_bits;
    const std::int64_t expert = experts == 1 ? 0 : tiles_of_expert.quotient(of_all);
    const std::int64_t tile = of_all - expert * tiles_of_expert.divisor;
    const std::int64_t across = tiles_of_row.quotient(tile), along = tile - across * tiles_of_row.divisor;
    const std::int64_t n_tile = n_is_along ? along : across, k_tile = n_is_along ? across : along;
    PlaceInTile of_warp;
    add_place<Source, RestBits<Plan>>(static_cast<int>(warp), of_warp);
    const std::int64_t first_row = (across << across_bits) + (n_is_along ? of_warp.column : of_warp.row);
    const std::int64_t rows_left = rows - first_row, columns_left = columns - (along << along_bits);
    if (rows_left <= 0) return;
    const std::uint32_t* const source = packed + expert * words + of_warp.words + of_warp.lasts * last +
                                        words_before<Source, plan.n_bits, plan.k_bits>(n_tile, k_tile, last);

    PerLane<typename Groups::OfLane> parameters;
    all.for_each_lane([&](int lane, std::uint32_t(&own)[registers]) {
      PlaceInTile from, to;
      add_place<Source, SourceLaneBits<Plan>>(lane, from);
      const std::int64_t n_left = n_is_along ? columns_left : rows_left, k_left = n_is_along ? rows_left : columns_left;
      load_words<Source, Plan>(source + from.words + from.lasts * last, last, n_left - from.row, k_left - from.column,
                               own);
      add_place<Source, TargetLaneBits<Plan>>(lane, to);
      const int column = n_is_along ? to.row : to.column;
      if (column < columns_left) {
        groups.load(parameters.of(lane), expert, first_row, (along << along_bits) + column, rows_left);
      }
    });
    move_all<Plan>(all);
    all.for_each_lane([&](int lane, const std::uint32_t(&own)[registers]) {
      PlaceInTile place;
      add_place<Source, TargetLaneBits<Plan>>(lane, place);
      const int column_of_tile = n_is_along ? place.row : place.column;
      if (column_of_tile >= columns_left) return;
      const std::int64_t column = (along << along_bits) + column_of_tile;
      Bits* const to = weights + (expert * rows + first_row) * columns + column;
      auto& of_lane = parameters.of(lane);
      for_constants<rows_of_warp>([&](auto i) {
        if (i >= rows_left) return;
        if constexpr (i > 0) groups.reload(of_lane, expert, first_row + i, column);
        constexpr int rows_of_word = element_bytes / 2;
        const std::uint32_t word = own[moved_register<Plan>(i / rows_of_word)];
        std::uint32_t pairs[8 / element_bytes];
        TILEPROOF_UNROLL
        for (int pair = 0; pair < 8 / element_bytes; ++pair) {
          pairs[pair] = word >> (4 * (i % rows_of_word * 2 + pair)) & 0x000f000fu;
        }
        store(groups.template weights<i>(pairs, of_lane), to + i * columns);
      });
    });
  }
};

}  // namespace tileproof::kernels
