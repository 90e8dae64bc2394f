/// A thread that dequantizes one weight of any layout, in any legal sizes. Slower than the warps of dequantize_warp.h.
#pragma once

#include "kernels/dequantize/groups.h"
#include "kernels/slots.h"

namespace tileproof::kernels {

template <class T, class Parameters>
struct AnyElement {
  Parameters parameters;
  Slots slots;
  const std::uint8_t* packed;
  typename T::Bits* weights;
  const std::int32_t* group_of_k;  // [expert][k], or nullptr: groups are neighbours
  bool n_is_along;                 // weights are [k][n]
  std::int64_t n, k, groups;
  FastDivmod group_size, columns, elements;

  TILEPROOF_DEVICE void operator()(std::int64_t thread) const {
    const std::int64_t expert = elements.quotient(thread), of_expert = thread - expert * elements.divisor;
    const std::int64_t row = columns.quotient(of_expert), column = of_expert - row * columns.divisor;
    const std::int64_t its_n = n_is_along ? column : row, its_k = n_is_along ? row : column;
    const std::int64_t slot = slots.slot_of(its_n, its_k);
    const std::uint32_t code = loaded(packed + expert * (slots.count() / 2) + slot / 2) >> (slot % 2 * 4) & 15u;
    const std::int64_t group =
        group_of_k == nullptr ? group_size.quotient(its_k) : std::int64_t{loaded(group_of_k + expert * k + its_k)};
    typename T::Bits weight = nan;
    if (group >= 0 && group < groups) {
      weight =
          static_cast<typename T::Bits>(parameters.weight(code, parameters.of((expert * groups + group) * n + its_n)));
    }
    weights[thread] = weight;
  }

  static constexpr auto nan = static_cast<typename T::Bits>(sizeof(typename T::Bits) == 2 ? 0x7fff : 0x7fffffff);
};

}  // namespace tileproof::kernels
