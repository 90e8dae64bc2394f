/// What the tensors of a call hold, as bytes or as formulas.
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

/// The parameters of an operation's call, as its tensors hold them; nothing else.
Contents contents_of(Operation, const Problem&, const Parameters&);
/// The same with codes, as pairs and packed.
/// @param parameters  of operations that have some
Contents contents_of(Operation, const Problem&, const Matrix<std::uint8_t>& codes, const Parameters* parameters);

/// The formula of a tensor of codes and parameters.
/// @throws std::logic_error of activations and products, which have none
GeneratedTensor formula_of(Role, const Format&, const generated::Codes&, const generated::Parameters*);

}  // namespace tileproof
