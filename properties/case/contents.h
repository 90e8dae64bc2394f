/// The contents of a call's tensors: as data of a problem, as bytes, or as formulas.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "properties/memory/generated_tensor.h"
#include "properties/problem/matrix.h"
#include "properties/problem/parameters.h"
#include "properties/subjects/call.h"

namespace tileproof {

class Contents {
 public:
  std::vector<std::uint8_t>& operator[](Role role) { return bytes_[static_cast<std::size_t>(role)]; }
  const std::vector<std::uint8_t>& operator[](Role role) const { return bytes_[static_cast<std::size_t>(role)]; }

 private:
  std::array<std::vector<std::uint8_t>, role_count> bytes_;
};

/// The data of a call over packed weights; in a batch, expert by expert.
struct CallData {
  Matrix<std::uint8_t> codes;              // [n][k]
  Parameters parameters = {};              // if the operation takes them
  Matrix<std::uint16_t> activations = {};  // [m][k], bf16, if the operation takes them
};

/// The result of an operation, as bits: packed storage units, in a row for each expert, or codes, weights or products.
struct Result {
  Role role = Role::packed;
  Matrix<std::uint32_t> bits;

  bool operator==(const Result&) const = default;
  Matrix<std::int32_t> as_codes() const { return bits.as<std::int32_t>(); }
};

/// The contents of the parameter tensors of an operation's call, and of no other tensor.
Contents contents_of(Operation, const Problem&, const Parameters&);
/// The contents of all inputs of an operation over packed weights.
Contents contents_of(Operation, const Problem&, const CallData&);

/// The formula of a tensor of codes and parameters.
/// @param order, weight_type  of weights
/// @param codes  of the format in which the tensor lies
/// @throws std::logic_error for activations and products, which have no formula
GeneratedTensor formula_of(Role, reference::ResultOrder order, Type weight_type, const generated::Codes&,
                           const generated::Parameters&);

}  // namespace tileproof
