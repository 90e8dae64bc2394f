/// Reads from compiler flags how floating-point arithmetic is compiled.
#pragma once

#include <string>

namespace tileproof {

struct HostFacts {
  bool fast_math = false;            // -ffast-math, or any part of it that changes results
  std::string contract = "default";  // -ffp-contract: whether a product and a sum may be rounded once
};
HostFacts host_facts_of(const std::string& flags);

struct NvccFacts {
  bool fast_math = false;
  bool ftz = false;       // flush subnormals to 0
  bool fmad = true;       // fuse a product and a sum into one rounding
  bool prec_div = true;   // round divisions correctly
  bool prec_sqrt = true;  // round square roots correctly
};
/// The defaults are those of nvcc's documentation.
/// Source: CUDA Compiler Driver NVCC, "Options for Steering GPU Code Generation".
NvccFacts nvcc_facts_of(const std::string& flags);

}  // namespace tileproof
