/// Where the parameters of a matrix's groups lie: which tensors there are, and which element holds the scale or the
/// zero of a group.
///
/// A group is named by Element{row, group of the row}, and all of a matrix by Size{n, k / group_size}. A type without
/// state says:
///
///   tensors           role, dtype and shape of each, scales first
///   scale_at          index of a group's scale in the first tensor
///   zero_at           index of its zero in the last tensor; a 4-bit slot where zeros are packed
///   parameter_at      the inverse of both: which parameter a place holds, nothing for padding
///   ZeroElement       the element of the last tensor, as an integer
///   stored_less       a zero point is stored less this, in four bits where zeros are packed
///   in_blocks         whether parameters lie among the packed codes, as bytes: then there are no tensors, scale_at and
///                     zero_at are indices of bytes in the packed buffer, and parameter_at takes such an index
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>

#include "reference/layouts/layout.h"

namespace tileproof::reference {

/// A tensor of parameters, as operators take it.
struct ParameterTensor {
  const char* role;
  const char* dtype;  // nullptr: the type of the problem's parameters
  const char* dims_text;
  Dims (*dims)(Size groups);
};

/// One of a group's two parameters; of one in the packed buffer, a byte.
struct GroupParameter {
  Element group;
  bool is_zero;
  int byte = 0;  // the lowest is 0
  constexpr bool operator==(const GroupParameter&) const = default;
};

/// A number for each group, the rows of one group together.
struct ByGroup {
  static constexpr char dims_text[] = "[k/group_size][n]";
  static constexpr Dims dims(Size groups) { return {groups.k, groups.n}; }
  static constexpr std::int64_t index_of(Element group, Size groups) { return group.k * groups.n + group.n; }
  static constexpr Element group_at(std::int64_t index, Size groups) {
    const std::int64_t group = divided(index, groups.n);
    return {index - group * groups.n, group};
  }
};

/// A number for each group, the groups of one row together.
struct ByRow {
  static constexpr char dims_text[] = "[n][k/group_size]";
  static constexpr Dims dims(Size groups) { return {groups.n, groups.k}; }
  static constexpr std::int64_t index_of(Element group, Size groups) { return group.n * groups.k + group.k; }
  static constexpr Element group_at(std::int64_t index, Size groups) {
    const std::int64_t row = divided(index, groups.k);
    return {row, index - row * groups.k};
  }
};

/// The scales of every kind of parameters but tinygemm's pairs.
template <class Order>
struct Scales {
  static constexpr ParameterTensor scales = {"scales", nullptr, Order::dims_text, Order::dims};
  static constexpr bool zeros_are_packed = false;
  static constexpr bool in_blocks = false;
  static constexpr int stored_less = 0;
  static constexpr std::int64_t scale_at(Element group, Size groups) { return Order::index_of(group, groups); }
  static constexpr std::int64_t zero_at(Element group, Size groups) { return Order::index_of(group, groups); }
  static constexpr std::optional<GroupParameter> parameter_at(int tensor, std::int64_t index, Size groups) {
    return GroupParameter{Order::group_at(index, groups), tensor == 1};
  }
};

/// tinygemm's float domain: one tensor of pairs, the scale first.
struct ScalesAndZeros {
  static constexpr Dims dims(Size groups) { return {groups.k, groups.n, 2}; }
  static constexpr ParameterTensor tensors[] = {{"scales_and_zeros", nullptr, "[k/group_size][n][2]", dims}};
  template <class Bits>
  using ZeroElement = Bits;
  static constexpr bool zeros_are_packed = false;
  static constexpr bool in_blocks = false;
  static constexpr int stored_less = 0;
  static constexpr std::int64_t scale_at(Element group, Size groups) { return ByGroup::index_of(group, groups) * 2; }
  static constexpr std::int64_t zero_at(Element group, Size groups) { return scale_at(group, groups) + 1; }
  static constexpr std::optional<GroupParameter> parameter_at(int, std::int64_t index, Size groups) {
    return GroupParameter{ByGroup::group_at(index / 2, groups), index % 2 == 1};
  }
};

/// Scales, and zero points of int8.
struct ScalesAndZeroPoints : Scales<ByGroup> {
  static constexpr ParameterTensor tensors[] = {scales, {"zero_points", "int8", ByGroup::dims_text, ByGroup::dims}};
  template <class Bits>
  using ZeroElement = std::int8_t;
};

/// Scales, and nothing beside them.
template <class Order>
struct ScalesAlone : Scales<Order> {
  static constexpr ParameterTensor tensors[1] = {Scales<Order>::scales};
  template <class Bits>
  using ZeroElement = Bits;
};

/// Scales and numbers of their type that are added, in tensors of one shape.
template <class Order>
struct ScalesAndBiases : Scales<Order> {
  static constexpr ParameterTensor tensors[2] = {Scales<Order>::scales,
                                                {"biases", nullptr, Order::dims_text, Order::dims}};
  template <class Bits>
  using ZeroElement = Bits;
};

/// The shape of a matrix of n x k as text, where k is the number of a row's groups.
template <IsLayout L>
struct TextOfGroups {
  static constexpr char k[] = "k/group_size";
  static constexpr int size_of_text() {
    int size = 0;
    for (const char each : L::dims_text) size += each == 'k' ? static_cast<int>(sizeof k) - 1 : 1;
    return size;
  }
  struct Text {
    char text[size_of_text()] = {};
  };
  static constexpr Text replaced() {
    Text result;
    char* to = result.text;
    for (const char each : L::dims_text) {
      if (each != 'k') {
        *to++ = each;
        continue;
      }
      for (const char* from = k; *from != '\0'; ++from) *to++ = *from;
    }
    return result;
  }
  static constexpr Text text = replaced();
};

/// Scales, and zero points of four bits, packed by the layout L as a matrix of a column for each group.
template <class Order, IsLayout L, int less = 0>
struct ScalesAndPackedZeros : Scales<Order> {
  static constexpr ParameterTensor tensors[2] = {Scales<Order>::scales,
                                                {"zeros", L::dtype, TextOfGroups<L>::text.text, L::dims}};
  template <class Bits>
  using ZeroElement = typename L::Storage;
  static constexpr bool zeros_are_packed = true;
  static constexpr int stored_less = less;
  static constexpr std::int64_t zero_at(Element group, Size groups) { return L::slot_of(group, groups); }
  /// @param index  in the first tensor; a slot of the second one
  static constexpr std::optional<GroupParameter> parameter_at(int tensor, std::int64_t index, Size groups) {
    if (tensor == 0) return Scales<Order>::parameter_at(tensor, index, groups);
    const std::optional<Element> group = L::element_at(index, groups);
    if (!group) return std::nullopt;
    return GroupParameter{*group, true};
  }
};

/// Parameters of whole bytes before the codes of each block of the layout L, a block a group: the scale, then the zero.
/// @tparam bytes  of a parameter
template <IsLayout L, int bytes, bool has_zero>
struct InBlocks {
  static constexpr const ParameterTensor* tensors = nullptr;
  template <class Bits>
  using ZeroElement = Bits;
  static constexpr bool zeros_are_packed = false;
  static constexpr bool in_blocks = true;
  static constexpr int stored_less = 0;
  static constexpr std::int64_t scale_at(Element group, Size groups) {
    return ByRow::index_of(group, groups) * L::bytes_of_block;
  }
  static constexpr std::int64_t zero_at(Element group, Size groups) { return scale_at(group, groups) + bytes; }
  static constexpr std::optional<GroupParameter> parameter_at(int /*tensor*/, std::int64_t index, Size groups) {
    const std::int64_t block = index / L::bytes_of_block;
    const auto byte = static_cast<int>(index - block * L::bytes_of_block);
    if (byte >= bytes * (has_zero ? 2 : 1)) return std::nullopt;
    return GroupParameter{ByRow::group_at(block, groups), byte >= bytes, byte % bytes};
  }
};

/// The tensors of parameters. A class template must state their number: nvcc takes an array that is sized by its
/// initializer for one of no elements until something uses it.
template <class Parameters>
constexpr int number_of_tensors() {
  constexpr auto count = static_cast<int>(std::extent_v<decltype(Parameters::tensors)>);
  static_assert((count == 0) == Parameters::in_blocks);
  return count;
}
template <class Parameters>
constexpr int tensor_count = number_of_tensors<Parameters>();

/// A number of `bytes` bytes, the lowest first.
template <class Storage>
constexpr std::uint32_t number_at(const Storage* storage, std::int64_t byte, int bytes) {
  std::uint32_t number = 0;
  for (int i = 0; i < bytes; ++i) {
    const std::int64_t at = byte + i;
    constexpr auto of_unit = static_cast<std::int64_t>(sizeof(Storage));
    number |= static_cast<std::uint32_t>(storage[at / of_unit] >> (at % of_unit * 8) & 255) << (8 * i);
  }
  return number;
}

/// The four bits that stand for a zero point, and the zero point that four bits stand for.
constexpr int packed_zero(int zero_point, int stored_less) { return (zero_point - stored_less) & 15; }
constexpr int zero_of_packed(int stored, int stored_less) { return stored + stored_less; }

/// Bits of a group's zero, as a scheme takes them.
/// @param zeros  the last tensor
template <class Parameters, class ZeroElement>
constexpr std::uint32_t zero_of(const ZeroElement* zeros, Element group, Size groups) {
  const std::int64_t at = Parameters::zero_at(group, groups);
  if constexpr (Parameters::zeros_are_packed) {
    return static_cast<std::uint32_t>(zero_of_packed(code_at(zeros, at), Parameters::stored_less));
  }
  return static_cast<std::uint32_t>(zeros[at]);  // int8 keeps its sign
}

}  // namespace tileproof::reference
