/// A call: an operation of a subject, its sizes, and its tensors by role. README of this folder says how to add an
/// operation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "properties/problem/problem.h"

namespace tileproof {

enum class Operation {
  pack,
  unpack,
  dequantize,
  convert,  // packed codes of one format, packed in another; parameters take no part
  matmul,   // activations * weights^T, the weights packed and dequantized inside
  // Eager PyTorch's chains of tensor operations, before there is a packed weight and instead of one.
  choose,
  quantize,
  dequantize_eagerly
};
/// The operations of the kernels, which depend on a format's layout.
inline constexpr Operation kernel_operations[] = {Operation::pack, Operation::unpack, Operation::dequantize};
/// The operations over packed weights by raw pointers. Some properties have a row for each.
inline constexpr Operation pointer_operations[] = {Operation::pack, Operation::unpack, Operation::dequantize,
                                                   Operation::convert};
/// The operations of PyTorch's operators over packed weights. Properties about tensors have a row for each.
inline constexpr Operation operator_operations[] = {Operation::pack, Operation::unpack, Operation::dequantize,
                                                    Operation::matmul};

const char* name_of(Operation);
/// @throws UsageError if no operation has the name
Operation operation_of(const char* argument, const std::string& name);

/// The role of a tensor in a call.
enum class Role {
  activations,  // bf16 [m][k]
  pairs,        // codes, uint8 [n][ceil(k / 2)], the even column in the high nibble; an odd row ends with 0
  packed,       // as the format lays codes out, in its storage units
  converted,    // as packed, but laid out as format_to
  codes,        // int32 [n][k], 0..15
  scales,       // the scheme's first tensor; for eager operations [k / group_size][n]
  // The scheme's second tensor, if it has one; for eager operations [k / group_size][n], int8 if zeros are points.
  zeros,
  weights,  // [n][k], in the order of the format's result
  products  // bf16 [m][n]
};
inline constexpr std::size_t role_count = static_cast<std::size_t>(Role::products) + 1;

/// A tensor of an operation.
struct RoleRow {
  Role role;
  bool is_output;
};

/// The tensors of an operation, in the order of a call.
std::span<const RoleRow> roles_of(Operation);
/// The role of an operation's result: its last tensor.
Role result_role(Operation);
/// Whether a tensor of the role is an input of an operation.
bool takes(Operation, Role);
/// Whether a tensor of the role holds packed codes.
bool is_packed(Role);
/// The format in which a tensor of packed codes lies.
/// @param of  a problem or a call
template <class T>
const Format& format_in(const T& of, Role role) {
  return role == Role::converted ? *of.format_to : *of.format;
}
/// Whether an operation is one of eager PyTorch's.
bool is_eager(Operation);

/// The arguments of an operation's PyTorch operator, by our names in the order of its schema; none if it has no such
/// operator.
std::span<const char* const> operator_arguments_of(Operation);
/// Whether the operator has an argument of that name.
bool has_argument(Operation, const std::string& name);

/// Tensors are raw pointers into the subject's memory. Packed units to read, scales and zeros are aligned to their
/// elements, pairs and every output to 16 bytes; the tensors of matmul and of eager operations are aligned as
/// allocators align. A batch of experts is a sequence of matrices of one size: `experts` leads every shape. It is 1 for
/// subjects that take no batch (Capabilities::takes_experts).
struct Call {
  Operation operation = Operation::pack;
  const Format* format = nullptr;
  const Format* format_to = nullptr;  // of convert
  const Scheme* scheme = nullptr;
  Types types = {};
  std::int64_t n = 0, k = 0, group_size = 0;
  std::int64_t m = 0;  // rows of activations
  std::int64_t experts = 1;
  std::array<void*, role_count> tensors = {};  // by role; nullptr if the operation has no such tensor

  Size size() const { return {n, k}; }
  /// As Problem::groups.
  Size groups() const { return format->groups(size(), group_size); }
  /// The number of an element's group where they are counted [groups of a row][rows], as matrices of parameters are.
  std::int64_t parameter_at(std::int64_t row, std::int64_t column) const {
    const reference::Element group = format->group_of({row, column}, size(), group_size);
    return group.k * groups().n + group.n;
  }

  void*& at(Role role) { return tensors[static_cast<std::size_t>(role)]; }
  template <class T>
  T* at(Role role) const {
    return static_cast<T*>(tensors[static_cast<std::size_t>(role)]);
  }
  std::uint16_t* activations() const { return at<std::uint16_t>(Role::activations); }
  std::uint8_t* pairs() const { return at<std::uint8_t>(Role::pairs); }
  std::uint32_t* packed() const { return at<std::uint32_t>(Role::packed); }  // of a format with words
  std::uint8_t* packed_bytes() const { return at<std::uint8_t>(Role::packed); }
  void* converted() const { return at<void>(Role::converted); }
  std::int32_t* codes() const { return at<std::int32_t>(Role::codes); }
  void* scales() const { return at<void>(Role::scales); }
  void* zeros() const { return at<void>(Role::zeros); }
  std::int8_t* zero_points() const { return at<std::int8_t>(Role::zeros); }
  void* weights() const { return at<void>(Role::weights); }
  std::uint16_t* products() const { return at<std::uint16_t>(Role::products); }
};

/// Loads and stores one element of a type, as bits.
inline std::uint32_t loaded(const void* from, Type type, std::int64_t index) {
  if (bytes_of(type) == 1) return static_cast<const std::uint8_t*>(from)[index];
  if (type == Type::fp32) return static_cast<const std::uint32_t*>(from)[index];
  return static_cast<const std::uint16_t*>(from)[index];
}
inline void stored(void* to, Type type, std::int64_t index, std::uint32_t bits) {
  if (type == Type::fp32) {
    static_cast<std::uint32_t*>(to)[index] = bits;
  } else {
    static_cast<std::uint16_t*>(to)[index] = static_cast<std::uint16_t>(bits);
  }
}

/// An operation's call for a problem, without tensors.
Call call_of(Operation, const Problem&);

/// The size of a call's tensor for one expert.
struct TensorForm {
  const char* name;  // for messages
  std::int64_t elements;
  std::int64_t element_bytes;
  std::int64_t bytes() const { return elements * element_bytes; }
};
/// @return nothing if the scheme has no tensor of the role
std::optional<TensorForm> form_of(const Call&, RoleRow);

/// A tensor of an operation by raw pointers as an array of numpy's or PyTorch's. Codes to pack are pairs.
struct ArrayForm {
  const char* name;   // for messages
  const char* dtype;  // a name of numpy's and torch's: "int32"; or "bf16", "fp16", "fp32"
  reference::Dims dims;
};
ArrayForm array_form_of(const Call&, Role);

/// The call of one expert of a batch, for subjects whose code takes a single matrix.
Call call_of_expert(const Call& batch, std::int64_t expert);

}  // namespace tileproof
