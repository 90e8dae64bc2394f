/// Pack, unpack, convert and dequantize of whole matrices: the specification of the operations, as loops over what a
/// layout and a scheme say. A layout as a type argument compiles the loop for it; tinygemm's by run-time inner_k_tiles
/// stand below.
///
/// Scales, zeros and weights are bits, in the low bits of the element type that the caller chose.
#pragma once

#include <cassert>
#include <cstdint>

#include "reference/dequantize.h"
#include "reference/formats.h"

namespace tileproof::reference {

/// Writes a whole buffer: the code of every element in its slot, and the padding.
/// @param code_of  (Element) -> code 0..15
/// @param packed   units<L>(size) units, all written
template <IsLayout L, class CodeOf>
constexpr void pack_from(CodeOf code_of, Size size, typename L::Storage* packed) {
  assert(is_legal<L>(size));
  constexpr auto all_padding = static_cast<typename L::Storage>(std::uint32_t{0x11111111} * L::padding_code);
  for (std::int64_t unit = 0; unit < units<L>(size); ++unit) packed[unit] = all_padding;
  for (std::int64_t n = 0; n < size.n; ++n) {
    for (std::int64_t k = 0; k < size.k; ++k) set_code_at(packed, L::slot_of({n, k}, size), code_of(Element{n, k}));
  }
}

/// @param codes   uint8 [n][k], a code each
/// @param packed  as pack_from
template <IsLayout L>
constexpr void pack(const std::uint8_t* codes, Size size, typename L::Storage* packed) {
  pack_from<L>([=](Element e) { return static_cast<int>(codes[e.n * size.k + e.k]); }, size, packed);
}

/// @param codes  int32 [n][k]
template <IsLayout L>
constexpr void unpack(const typename L::Storage* packed, Size size, std::int32_t* codes) {
  assert(is_legal<L>(size));
  for (std::int64_t n = 0; n < size.n; ++n) {
    for (std::int64_t k = 0; k < size.k; ++k) codes[n * size.k + k] = code_at(packed, L::slot_of({n, k}, size));
  }
}

/// A packed matrix in another layout.
/// @param to  as pack_from
template <IsLayout From, IsLayout To>
constexpr void convert(const typename From::Storage* from, Size size, typename To::Storage* to) {
  assert(is_legal<From>(size));
  pack_from<To>([=](Element e) { return code_at(from, From::slot_of(e, size)); }, size, to);
}

/// @tparam F     a FormatOf
/// @tparam Used  one of its schemes, a With
/// @param packed   units of F's layout
/// @param scales   the first tensor of Used::Parameters; where those lie in the packed buffer, only its type counts
/// @param zeros    the last one: scales again where that is one tensor; read where the scheme has a zero or a factor
/// @param weights  in F's order, all written
template <class F, class Used, class Bits, class Weight>
constexpr void dequantize(FloatFormat weight_type, FloatFormat parameter_type, const typename F::Codes::Storage* packed,
                          const Bits* scales, const typename Used::Parameters::template ZeroElement<Bits>* zeros,
                          Size size, std::int64_t group_size, Weight* weights) {
  using L = typename F::Codes;
  using S = typename Used::Scheme;
  using Parameters = typename Used::Parameters;
  assert(is_legal<L>(size) && group_size > 0 && (!F::divide_rows || size.k % group_size == 0));
  const Size groups = F::groups(size, group_size);
  constexpr int codes = 16;  // that there are
  for (std::int64_t n = 0; n < size.n; ++n) {
    for (std::int64_t first = 0, end = 0; first < size.k; first = end) {
      end = F::group_end({n, first}, size, group_size);
      const Element group = F::group_of({n, first}, size, group_size);
      std::uint32_t scale = 0, zero = 0;
      if constexpr (Parameters::in_blocks) {
        constexpr BlockForm block = Parameters::block;
        const GroupBits bits = Parameters::get(packed + block.first_byte(group, groups), group.k % block.groups);
        scale = bits.scale;
        zero = bits.zero;
      } else {
        scale = scales[Parameters::scale_at(group, groups)];
        if constexpr (S::zero_kind != Zero::none || has_factor<S>) zero = zero_of<Parameters>(zeros, group, groups);
      }
      with_units(weight_type, parameter_type, [&]<class Units>() {
        const auto decoded = S::template decoded<Units>(weight_type, parameter_type, scale, zero);
        Weight weight_of[codes] = {};  // of this group
        for (int code = 0; code < codes; ++code) {
          weight_of[code] = static_cast<Weight>(weight_in<S>(weight_type, code, decoded));
        }
        for (std::int64_t k = first; k < end; ++k) {
          weights[F::result_at({n, k}, size)] = weight_of[code_at(packed, L::slot_of({n, k}, size))];
        }
      });
    }
  }
}

// tinygemm by run-time inner_k_tiles, with weights and parameters of one type.

/// Calls `use` with tinygemm's format of 2, 4 or 8 inner k-tiles.
template <class Use>
constexpr void with_inner_k_tiles(int inner_k_tiles, Use use) {
  if (inner_k_tiles == 2) return use.template operator()<Tinygemm<2>>();
  if (inner_k_tiles == 4) return use.template operator()<Tinygemm<4>>();
  use.template operator()<Tinygemm<8>>();
}

/// Code (n, k) of a matrix of pairs uint8 [n][ceil(k_total / 2)].
constexpr int code_of_pairs(const std::uint8_t* pairs, std::int64_t n, std::int64_t k, std::int64_t k_total) {
  return code_at(pairs, Plain::slot_of({n, k}, {n + 1, k_total + k_total % 2}));
}

/// Code (n, k) of a packed matrix.
constexpr int code_of_packed(const std::uint32_t* packed, std::int64_t n, std::int64_t k, std::int64_t k_total,
                             int inner_k_tiles) {
  const Place place = place_of(n, k, k_total, inner_k_tiles);
  return static_cast<int>(packed[place.word] >> (4 * place.nibble) & 15);
}

/// @param pairs   uint8 [n][k / 2], as Plain
/// @param packed  words_of(n, k) words, all written
constexpr void pack(const std::uint8_t* pairs, std::int64_t n, std::int64_t k, int inner_k_tiles,
                    std::uint32_t* packed) {
  assert(is_legal(n, k, inner_k_tiles));
  with_inner_k_tiles(inner_k_tiles, [=]<class F>() { convert<Plain, typename F::Codes>(pairs, {n, k}, packed); });
}

/// @param codes  int32 [n][k]
constexpr void unpack(const std::uint32_t* packed, std::int64_t n, std::int64_t k, int inner_k_tiles,
                      std::int32_t* codes) {
  assert(is_legal(n, k, inner_k_tiles));
  with_inner_k_tiles(inner_k_tiles, [=]<class F>() { unpack<typename F::Codes>(packed, {n, k}, codes); });
}

/// Float domain.
/// @param scales_and_zeros  [k / group_size][n][2], scale first
/// @param weights           [n][k]
template <class Bits>
constexpr void dequantize_float(FloatFormat format, const std::uint32_t* packed, const Bits* scales_and_zeros,
                                std::int64_t n, std::int64_t k, std::int64_t group_size, int inner_k_tiles,
                                Bits* weights) {
  assert(is_legal(n, k, inner_k_tiles));
  with_inner_k_tiles(inner_k_tiles, [=]<class F>() {
    dequantize<F, With<AffineFloat, ScalesAndZeros>>(format, format, packed, scales_and_zeros, scales_and_zeros, {n, k},
                                                     group_size, weights);
  });
}

/// Integer domain.
/// @param scales       [k / group_size][n]
/// @param zero_points  int8 [k / group_size][n]
template <class Bits>
constexpr void dequantize_integer(FloatFormat format, const std::uint32_t* packed, const Bits* scales,
                                  const std::int8_t* zero_points, std::int64_t n, std::int64_t k,
                                  std::int64_t group_size, int inner_k_tiles, Bits* weights) {
  assert(is_legal(n, k, inner_k_tiles));
  with_inner_k_tiles(inner_k_tiles, [=]<class F>() {
    dequantize<F, With<AffineInteger, ScalesAndZeroPoints>>(format, format, packed, scales, zero_points, {n, k},
                                                            group_size, weights);
  });
}

/// No zero point.
/// @param scales  [k / group_size][n]
template <class Bits>
constexpr void dequantize_none(FloatFormat format, const std::uint32_t* packed, const Bits* scales, std::int64_t n,
                               std::int64_t k, std::int64_t group_size, int inner_k_tiles, Bits* weights) {
  assert(is_legal(n, k, inner_k_tiles));
  with_inner_k_tiles(inner_k_tiles, [=]<class F>() {
    dequantize<F, NoZeros>(format, format, packed, scales, static_cast<const Bits*>(nullptr), {n, k}, group_size,
                           weights);
  });
}

}  // namespace tileproof::reference
