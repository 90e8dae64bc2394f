/// The weights of a subject that only multiplies, by an identity matrix: for the claims about them and for the survey.
#pragma once

#include "properties/case/case.h"

namespace tileproof {

/// The body: one comparison with the specified weights, every difference under its reason.
void identity_matmul(Case&);

}  // namespace tileproof
