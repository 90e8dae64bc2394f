/// What compiler flags say of floating-point arithmetic.
#pragma once

#include <string>

namespace tileproof {

struct HostFacts {
  bool fast_math = false;            // or any part of it that changes results
  std::string contract = "default";  // whether a product and a sum may become one rounding, as -ffp-contract says
};
HostFacts host_facts_of(const std::string& flags);

struct NvccFacts {
  bool fast_math = false;
  bool ftz = false;       // subnormals become 0
  bool fmad = true;       // a product and a sum become one rounding
  bool prec_div = true;   // divisions are rounded correctly
  bool prec_sqrt = true;  // square roots are
};
/// What nvcc does unless a flag says otherwise is what its documentation says.
/// Source: CUDA Compiler Driver NVCC, "Options for Steering GPU Code Generation".
NvccFacts nvcc_facts_of(const std::string& flags);

}  // namespace tileproof
