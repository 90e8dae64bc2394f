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
///   in_blocks         whether parameters lie among the packed codes: then there are no tensors, scale_at, zero_at and
///                     parameter_at, and `block` says how a block of codes holds the parameters of its groups
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>

#include "reference/layouts/layout.h"
#include "reference/schemes/scheme.h"

namespace tileproof::reference {

/// A tensor of parameters, as operators take it.
struct ParameterTensor {
  const char* role;
  const char* dtype;  // nullptr: the type of the problem's parameters
  const char* dims_text;
  Dims (*dims)(Size groups);
};

/// One of a group's two parameters.
struct GroupParameter {
  Element group;
  bool is_zero;
  constexpr bool operator==(const GroupParameter&) const = default;
};

/// The parameters of a group, as bits.
struct GroupBits {
  std::uint32_t scale = 0;
  std::uint32_t zero = 0;
};

/// A block of codes that holds the parameters of its groups, which are neighbours in a row, in its first bytes.
struct BlockForm {
  std::int64_t bytes = 0;
  std::int64_t before_codes = 0;  // bytes
  std::int64_t groups = 1;
  void (*put)(std::uint8_t* block, std::int64_t group, GroupBits) = nullptr;
  GroupBits (*get)(const std::uint8_t* block, std::int64_t group) = nullptr;

  /// The byte in the packed buffer at which a group's block begins.
  constexpr std::int64_t first_byte(Element group, Size all) const {
    return (group.n * (all.k / groups) + group.k / groups) * bytes;
  }
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

/// Scales of rows in tiles of 128 rows by 4 groups, 512 bytes each, as the tensor cores of sm_100 read them: rows that
/// are 32 apart lie together. What a tile holds beside the matrix is 0. Source: NVIDIA's cuBLAS, "1D block scaling
/// factors layout"; bytes recorded from torchao's to_blocked.
struct Swizzled {
  static constexpr char dims_text[] = "[ceil(n/128)*128][ceil(k/group_size/4)*4]";
  static constexpr std::int64_t tiles_along(std::int64_t extent, std::int64_t of_tile) {
    return (extent + of_tile - 1) / of_tile;
  }
  static constexpr Dims dims(Size groups) { return {tiles_along(groups.n, 128) * 128, tiles_along(groups.k, 4) * 4}; }
  static constexpr std::int64_t index_of(Element group, Size groups) {
    const std::int64_t tile = group.n / 128 * tiles_along(groups.k, 4) + group.k / 4;
    return tile * 512 + group.n % 32 * 16 + group.n / 32 % 4 * 4 + group.k % 4;
  }
  static constexpr std::optional<Element> group_at(std::int64_t index, Size groups) {
    const std::int64_t tile = index / 512, of_tile = index % 512, of_row = tiles_along(groups.k, 4);
    const Element group = {tile / of_row * 128 + of_tile / 4 % 4 * 32 + of_tile / 16, tile % of_row * 4 + of_tile % 4};
    if (group.n >= groups.n || group.k >= groups.k) return std::nullopt;
    return group;
  }
};

/// As ByGroup, the columns in the order of Marlin's lanes: of 64, the j-th of each eight lie together; where a row has
/// one group, of 32, the pairs of neighbours that are eight apart.
struct ByGroupForMarlin : ByGroup {
  static constexpr std::int64_t index_of(Element group, Size groups) {
    const std::int64_t n = group.n;
    const std::int64_t place =
        groups.k == 1 ? n / 32 * 32 + n / 2 % 4 * 8 + n % 32 / 8 * 2 + n % 2 : n / 64 * 64 + n % 8 * 8 + n % 64 / 8;
    return group.k * groups.n + place;
  }
  static constexpr Element group_at(std::int64_t index, Size groups) {
    const std::int64_t place = index % groups.n;
    const std::int64_t n = groups.k == 1 ? place / 32 * 32 + place / 2 % 4 * 8 + place % 32 / 8 * 2 + place % 2
                                         : place / 64 * 64 + place % 8 * 8 + place % 64 / 8;
    return {n, index / groups.n};
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
    const std::optional<Element> group = Order::group_at(index, groups);
    if (!group) return std::nullopt;
    return GroupParameter{*group, tensor == 1};
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

/// Scales, and one number of the whole matrix.
template <class Order>
struct ScalesAndFactor : Scales<Order> {
  static constexpr Dims dims_of_factor(Size /*groups*/) { return {1}; }
  static constexpr ParameterTensor tensors[2] = {Scales<Order>::scales,
                                                 {"global_scale", "fp32", "[1]", dims_of_factor}};
  template <class Bits>
  using ZeroElement = std::uint32_t;
  static constexpr std::int64_t zero_at(Element /*group*/, Size /*groups*/) { return 0; }
  static constexpr std::optional<GroupParameter> parameter_at(int tensor, std::int64_t index, Size groups) {
    if (tensor == 0) return Scales<Order>::parameter_at(tensor, index, groups);
    return GroupParameter{{0, 0}, true};
  }
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

/// The bytes of a number, the lowest first.
constexpr std::uint32_t number_at(const std::uint8_t* bytes, int count) {
  std::uint32_t number = 0;
  for (int i = 0; i < count; ++i) number |= static_cast<std::uint32_t>(bytes[i]) << (8 * i);
  return number;
}
constexpr void set_number_at(std::uint8_t* bytes, int count, std::uint32_t number) {
  for (int i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (8 * i) & 255);
}

struct OfBlocks {
  static constexpr const ParameterTensor* tensors = nullptr;
  template <class Bits>
  using ZeroElement = Bits;
  static constexpr bool zeros_are_packed = false;
  static constexpr bool in_blocks = true;
  static constexpr int stored_less = 0;
};

/// Whole bytes before the codes of each block of the layout L, a block a group: the scale, then the zero.
/// @tparam bytes  of a parameter
template <IsLayout L, int bytes, bool has_zero>
struct InBlocks : OfBlocks {
  static constexpr void put(std::uint8_t* block, std::int64_t /*group*/, GroupBits bits) {
    set_number_at(block, bytes, bits.scale);
    if (has_zero) set_number_at(block + bytes, bytes, bits.zero);
  }
  static constexpr GroupBits get(const std::uint8_t* block, std::int64_t /*group*/) {
    return {number_at(block, bytes), has_zero ? number_at(block + bytes, bytes) : 0};
  }
  static constexpr BlockForm block = {L::bytes_of_block, bytes*(has_zero ? 2 : 1), 1, put, get};
};

/// q4_k's: a scale and a zero of fp16 for eight groups, and for each group a factor of either, 6 bits above those 16.
/// The factors lie in 12 bytes: those of the first four groups in the low bits of a byte each, the others' low halves
/// in the last four bytes, and their high bits above the factors of the first four.
struct InBlocksOfEight : OfBlocks {
  static constexpr void put(std::uint8_t* block, std::int64_t group, GroupBits bits) {
    set_number_at(block, 2, bits.scale);
    set_number_at(block + 2, 2, bits.zero);
    put_factor(block + 4, group, factor_above(bits.scale), false);
    put_factor(block + 4, group, factor_above(bits.zero), true);
  }
  static constexpr GroupBits get(const std::uint8_t* block, std::int64_t group) {
    return {with_factor(number_at(block, 2), factor_in(block + 4, group, false)),
            with_factor(number_at(block + 2, 2), factor_in(block + 4, group, true))};
  }
  static constexpr BlockForm block = {144, 16, 8, put, get};

 private:
  static constexpr int six_bits = 63;
  static constexpr void put_factor(std::uint8_t* bytes, std::int64_t group, std::uint32_t factor, bool is_zero) {
    const auto put_bits = [](std::uint8_t& byte, unsigned mask, std::uint32_t bits) {
      byte = static_cast<std::uint8_t>((byte & ~mask) | bits);
    };
    std::uint8_t& own = bytes[group % 4 + (is_zero ? 4 : 0)];
    if (group < 4) return put_bits(own, six_bits, factor);
    put_bits(own, 0xc0, factor >> 4 << 6);
    put_bits(bytes[group % 4 + 8], is_zero ? 0xf0 : 0x0f, (factor & 15) << (is_zero ? 4 : 0));
  }
  static constexpr std::uint32_t factor_in(const std::uint8_t* bytes, std::int64_t group, bool is_zero) {
    const std::uint32_t own = bytes[group % 4 + (is_zero ? 4 : 0)];
    if (group < 4) return own & six_bits;
    return (bytes[group % 4 + 8] >> (is_zero ? 4 : 0) & 15u) | own >> 6 << 4;
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
