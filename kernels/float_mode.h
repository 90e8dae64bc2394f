/// The floating-point mode that the arithmetic of device_host.h needs: rounds to nearest, keeps subnormals, traps
/// nothing.
#pragma once

#include <cfenv>
#include <cstdint>

namespace tileproof::kernels {

/// Gives the calling thread the default mode, and its own back at the end. Every thread has a mode of its own, which
/// others set: torch.set_flush_denormal, a library linked with -ffast-math, std::fesetround, feenableexcept. Exception
/// flags are given back too.
///
/// A compiler may move arithmetic past the change of mode, but neither the loads of its operands nor the stores of its
/// results, where these are memory that other code can reach: so nothing is computed in another mode.
class DefaultFloatMode {
 public:
  DefaultFloatMode(const DefaultFloatMode&) = delete;
  DefaultFloatMode& operator=(const DefaultFloatMode&) = delete;

#if defined(__x86_64__)  // fesetenv sets the x87's mode too, which takes 400 ns where this takes 10
  DefaultFloatMode() {
    asm volatile("stmxcsr %0" : "=m"(callers_));
    set(0x1f80);
  }
  ~DefaultFloatMode() { set(callers_); }

 private:
  static void set(std::uint32_t mode) { asm volatile("ldmxcsr %0" : : "m"(mode) : "memory"); }
  std::uint32_t callers_;
#else
  DefaultFloatMode() {
    std::fegetenv(&callers_);
    std::fesetenv(FE_DFL_ENV);  // flush-to-zero included: glibc, musl
  }
  ~DefaultFloatMode() { std::fesetenv(&callers_); }

 private:
  std::fenv_t callers_;
#endif
};

}  // namespace tileproof::kernels
