/// The floating-point mode that the arithmetic of words_host.h needs: rounds to nearest, keeps subnormals, traps nothing.
#pragma once

#include <cfenv>

namespace tileproof::kernels {

/// Gives the calling thread the default mode, and its own back at the end. Every thread has a mode of its own, which
/// others set: torch.set_flush_denormal, a library linked with -ffast-math, std::fesetround, feenableexcept. Exception
/// flags are given back too.
///
/// A compiler may move arithmetic across the two calls, but not the loads of its operands and the stores of its
/// results, where these are memory that other code can reach: so nothing is computed outside.
class DefaultFloatMode {
 public:
  DefaultFloatMode() {
    std::fegetenv(&callers_);
    std::fesetenv(FE_DFL_ENV);  // flush-to-zero and denormals-are-zero included: glibc, musl
  }
  ~DefaultFloatMode() { std::fesetenv(&callers_); }
  DefaultFloatMode(const DefaultFloatMode&) = delete;
  DefaultFloatMode& operator=(const DefaultFloatMode&) = delete;

 private:
  std::fenv_t callers_;
};

}  // namespace tileproof::kernels
