/// The contents of a call's tensors, as bytes or as formulas.
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

/// The contents of the parameter tensors of an operation's call, and of no other tensor.
Contents contents_of(Operation, const Problem&, const Parameters&);
/// The contents of the parameter and code tensors of an operation's call; codes are pairs or packed, as the operation
/// takes them.
/// @param parameters  nullptr if the operation has none
Contents contents_of(Operation, const Problem&, const Matrix<std::uint8_t>& codes, const Parameters* parameters);

/// The formula of a tensor of codes and parameters.
/// @throws std::logic_error for activations and products, which have no formula
GeneratedTensor formula_of(Role, const Format&, const generated::Codes&, const generated::Parameters*);

}  // namespace tileproof
