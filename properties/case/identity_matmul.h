/// The weights of a subject that only multiplies, by an identity matrix: for the properties about them and for the
/// measurement.
#pragma once

#include "properties/case/case.h"

namespace tileproof {

/// Weights as a product with an identity gives them: rounded to the activations' type, bf16. In the problem's type of
/// weights, as Case::matmul.
Matrix<std::uint32_t> as_products(const Problem&, Matrix<std::uint32_t> weights);

/// The body: one comparison with the specified weights as products, every difference under its reason.
void identity_matmul(Case&);

}  // namespace tileproof
