/// The weights of a subject that only multiplies, by an identity matrix: for the properties about them and for the
/// measurement.
#pragma once

#include "properties/case/case.h"

namespace tileproof {

/// The weights that meet the activations inside a subject: bf16, or fp32 where it rounds only the product.
struct InnerWeights {
  reference::FloatFormat format;
  Matrix<std::uint32_t> bits;  // [n][k]
};
InnerWeights inner_weights(Case& c, const Matrix<std::uint8_t>& codes, const Parameters& parameters);

/// The body: one comparison with the specified weights, every difference under its reason.
void identity_matmul(Case&);

}  // namespace tileproof
