/// Where the parameters of a matrix's groups lie: which tensors there are, and which element holds the scale or the
/// zero of a group.
///
/// A group is named by Element{row, group of the row}, and all of a matrix by Size{n, k / group_size}. A type without
/// state says:
///
///   tensors           role, dtype and shape of each, scales first
///   scale_at          index of a group's scale in the first tensor
///   zero_at           index of its zero in the last tensor; a 4-bit slot where zeros are packed
///   ZeroElement       the element of the last tensor, as an integer
#pragma once

#include <cstdint>

#include "reference/layouts/layout.h"

namespace tileproof::reference {

/// A tensor of parameters, as operators take it.
struct ParameterTensor {
  const char* role;
  const char* dtype;  // nullptr: the type of the problem's parameters
  const char* dims_text;
  Dims (*dims)(Size groups);
};

/// tinygemm's float domain: one tensor of pairs, the scale first.
struct ScalesAndZeros {
  static constexpr Dims dims(Size groups) { return {groups.k, groups.n, 2}; }
  static constexpr ParameterTensor tensors[] = {{"scales_and_zeros", nullptr, "[k/group_size][n][2]", dims}};
  template <class Bits>
  using ZeroElement = Bits;
  static constexpr bool zeros_are_packed = false;
  static constexpr std::int64_t scale_at(Element group, Size groups) { return (group.k * groups.n + group.n) * 2; }
  static constexpr std::int64_t zero_at(Element group, Size groups) { return scale_at(group, groups) + 1; }
};

/// Scales, and zero points of int8.
struct ScalesAndZeroPoints {
  static constexpr Dims dims(Size groups) { return {groups.k, groups.n}; }
  static constexpr ParameterTensor tensors[] = {{"scales", nullptr, "[k/group_size][n]", dims},
                                                {"zero_points", "int8", "[k/group_size][n]", dims}};
  template <class Bits>
  using ZeroElement = std::int8_t;
  static constexpr bool zeros_are_packed = false;
  static constexpr std::int64_t scale_at(Element group, Size groups) { return group.k * groups.n + group.n; }
  static constexpr std::int64_t zero_at(Element group, Size groups) { return group.k * groups.n + group.n; }
};

/// Scales, and nothing beside them.
struct ScalesAlone {
  static constexpr ParameterTensor tensors[] = {ScalesAndZeroPoints::tensors[0]};
  template <class Bits>
  using ZeroElement = Bits;
  static constexpr bool zeros_are_packed = false;
  static constexpr std::int64_t scale_at(Element group, Size groups) {
    return ScalesAndZeroPoints::scale_at(group, groups);
  }
  static constexpr std::int64_t zero_at(Element, Size) { return 0; }  // never asked for
};

/// Scales, and zero points of 0..15, eight rows a word: packed by the layout L, a column for each group.
template <IsLayout L>
struct ScalesAndPackedZeros {
  static_assert(L::dims({16, 3}) == Dims(3, 2));
  static constexpr ParameterTensor tensors[] = {ScalesAndZeroPoints::tensors[0],
                                                {"zeros", L::dtype, "[k/group_size][n/8]", L::dims}};
  template <class Bits>
  using ZeroElement = typename L::Storage;
  static constexpr bool zeros_are_packed = true;
  static constexpr std::int64_t scale_at(Element group, Size groups) {
    return ScalesAndZeroPoints::scale_at(group, groups);
  }
  static constexpr std::int64_t zero_at(Element group, Size groups) { return L::slot_of(group, groups); }
  /// The group whose zero a slot holds: the inverse of zero_at.
  static constexpr std::optional<Element> packed_zero_of(std::int64_t slot, Size groups) {
    return L::element_at(slot, groups);
  }
};

/// Bits of a group's zero, as a scheme takes them.
/// @param zeros  the last tensor
template <class Parameters, class ZeroElement>
constexpr std::uint32_t zero_of(const ZeroElement* zeros, Element group, Size groups) {
  const std::int64_t at = Parameters::zero_at(group, groups);
  if constexpr (Parameters::zeros_are_packed) return static_cast<std::uint32_t>(code_at(zeros, at));
  return static_cast<std::uint32_t>(zeros[at]);  // int8 keeps its sign
}

}  // namespace tileproof::reference
