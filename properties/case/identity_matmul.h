/// Reads the weights of a subject that only multiplies, through a product with an identity matrix. The properties about
/// such weights and the measurement of accuracy use it.
#pragma once

#include "properties/case/case.h"

namespace tileproof {

/// Weights as a product with an identity gives them: rounded to bf16, the activations' type, and expressed in the
/// problem's weight type as in Case::matmul().
Matrix<std::uint32_t> as_products(const Problem&, Matrix<std::uint32_t> weights);

/// The properties' body: compares the product with the specified weights once, and counts each explained difference
/// under its reason.
void identity_matmul(Case&);

}  // namespace tileproof
