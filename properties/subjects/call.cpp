#include "properties/subjects/call.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "properties/problem/named.h"
#include "properties/problem/parameters.h"

namespace tileproof {

namespace {

constexpr bool in = false, out = true;

/// An operation, its tensors in the order of a call, and the arguments of its PyTorch operator.
struct OperationRow {
  Operation value;
  const char* name;
  bool is_eager;
  std::vector<RoleRow> roles;
  std::vector<const char*> operator_arguments = {};
};

const std::vector<OperationRow>& operations() {
  static const std::vector<OperationRow> rows = {
      {Operation::pack, "pack", false, {{Role::pairs, in}, {Role::packed, out}}, {"codes", "inner_k_tiles"}},
      {Operation::unpack, "unpack", false, {{Role::packed, in}, {Role::codes, out}}, {"packed_w", "inner_k_tiles"}},
      {Operation::dequantize,
       "dequantize",
       false,
       {{Role::packed, in}, {Role::scales, in}, {Role::zeros, in}, {Role::weights, out}},
       {"packed_w", "scales_and_zeros", "group_size", "inner_k_tiles"}},
      {Operation::convert, "convert", false, {{Role::packed, in}, {Role::converted, out}}},
      {Operation::matmul,
       "matmul",
       false,
       {{Role::activations, in}, {Role::pairs, in}, {Role::scales, in}, {Role::zeros, in}, {Role::products, out}},
       {"activations", "packed_w", "group_size", "scales_and_zeros"}},
      {Operation::choose, "choose", true, {{Role::weights, in}, {Role::scales, out}, {Role::zeros, out}}},
      {Operation::quantize,
       "quantize",
       true,
       {{Role::weights, in}, {Role::scales, in}, {Role::zeros, in}, {Role::codes, out}}},
      {Operation::dequantize_eagerly,
       "dequantize_eagerly",
       true,
       {{Role::codes, in}, {Role::scales, in}, {Role::zeros, in}, {Role::weights, out}}},
  };
  return rows;
}

const OperationRow& row_of(Operation operation) {
  for (const OperationRow& row : operations()) {
    if (row.value == operation) return row;
  }
  throw std::logic_error("an operation without a row");
}

/// The form of an eager operation's scales or zeros, which are one tensor each.
std::optional<TensorForm> eager_form_of(const Call& c, Role role) {
  const std::int64_t groups = c.groups().n * c.groups().k;
  if (role == Role::scales) return TensorForm{"scales", groups, bytes_of(c.types.parameter)};
  if (c.scheme->zero_kind == Zero::none) return std::nullopt;
  if (c.scheme->zero_kind == Zero::point) return TensorForm{"zero_points", groups, 1};
  return TensorForm{"zeros", groups, bytes_of(c.types.parameter)};
}

/// The form of an operation's scales or zeros, as the scheme lays them out unless the operation is eager.
std::optional<TensorForm> parameter_form_of(const Call& c, Role role) {
  if (is_eager(c.operation)) return eager_form_of(c, role);
  const int number = role == Role::scales ? 0 : 1;
  if (number >= c.scheme->tensor_count) return std::nullopt;
  const reference::ParameterTensor& tensor = c.scheme->tensors[number];
  return TensorForm{tensor.role, tensor.dims(c.groups()).elements(), bytes_of(tensor, c.types)};
}

}  // namespace

const char* name_of(Operation operation) { return name_in(operations(), operation); }
Operation operation_of(const char* argument, const std::string& name) { return value_in(operations(), argument, name); }
std::span<const RoleRow> roles_of(Operation operation) { return row_of(operation).roles; }
Role result_role(Operation operation) { return row_of(operation).roles.back().role; }
bool takes(Operation operation, Role role) {
  const std::span<const RoleRow> rows = roles_of(operation);
  return std::any_of(rows.begin(), rows.end(), [=](const RoleRow& row) { return row.role == role && !row.is_output; });
}
bool is_packed(Role role) { return role == Role::packed || role == Role::converted; }
bool is_eager(Operation operation) { return row_of(operation).is_eager; }
std::span<const char* const> operator_arguments_of(Operation operation) { return row_of(operation).operator_arguments; }
bool has_argument(Operation operation, const std::string& name) {
  const std::span<const char* const> names = operator_arguments_of(operation);
  return std::find(names.begin(), names.end(), name) != names.end();
}

Call call_of(Operation operation, const Problem& p) {
  return {.operation = operation,
          .format = p.format,
          .format_to = p.format_to,
          .scheme = p.scheme,
          .types = p.types,
          .n = p.n,
          .k = p.k,
          .group_size = p.group_size,
          .experts = p.experts};
}

std::optional<TensorForm> form_of(const Call& c, RoleRow row) {
  switch (row.role) {
    case Role::activations:
      return TensorForm{"activations", c.m * c.k, 2};
    case Role::pairs:
      return TensorForm{"codes", c.n * ((c.k + 1) / 2), 1};
    case Role::packed:
    case Role::converted: {
      const reference::Layout& layout = format_in(c, row.role).layout;
      const char* const name = row.role == Role::packed ? "packed" : "converted";
      return TensorForm{name, layout.units(c.size()), layout.bytes_of_unit};
    }
    case Role::codes:
      return TensorForm{"codes", c.n * c.k, 4};
    case Role::weights:
      return TensorForm{"weights", c.n * c.k, bytes_of(c.types.weight)};
    case Role::products:
      return TensorForm{"out", c.m * c.n, 2};
    case Role::scales:
    case Role::zeros:
      return parameter_form_of(c, row.role);
  }
  return std::nullopt;
}

ArrayForm array_form_of(const Call& c, Role role) {
  switch (role) {
    case Role::pairs:
      return {"codes", "uint8", {c.n, (c.k + 1) / 2}};
    case Role::packed:
    case Role::converted: {
      const reference::Layout& layout = format_in(c, role).layout;
      return {"packed", layout.dtype, layout.dims(c.size())};
    }
    case Role::codes:
      return {"codes", "int32", {c.n, c.k}};
    case Role::weights:
      return {"weights", name_of(c.types.weight), c.format->result_dims(c.size())};
    case Role::scales:
    case Role::zeros: {
      const reference::ParameterTensor& tensor = c.scheme->tensors[role == Role::scales ? 0 : 1];
      return {tensor.role, tensor.dtype != nullptr ? tensor.dtype : name_of(c.types.parameter),
              tensor.dims(c.groups())};
    }
    case Role::activations:
    case Role::products:
      break;
  }
  throw std::logic_error("no operation by raw pointers has such a tensor");
}

Call call_of_expert(const Call& batch, std::int64_t expert) {
  Call one = batch;
  one.experts = 1;
  for (const RoleRow& row : roles_of(batch.operation)) {
    const auto form = form_of(batch, row);
    void*& tensor = one.at(row.role);
    if (form && tensor != nullptr) tensor = static_cast<std::uint8_t*>(tensor) + expert * form->bytes();
  }
  return one;
}

}  // namespace tileproof
