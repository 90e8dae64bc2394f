/// The instructions of this CPU, in the words of ATEN_CPU_CAPABILITY: libraries choose their code by them.
#pragma once

#include <cstddef>
#include <string>

namespace tileproof {

inline constexpr const char* cpu_capability_names[] = {"default", "avx2", "avx512"};  // each has those before it

/// The index of the highest one that the CPU has: "avx512" where it has what PyTorch asks for under that name.
inline std::size_t cpu_capability_index() {
#if defined(__x86_64__)
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  return !has_avx2 ? 0 : !has_avx512 ? 1 : 2;
#else
  return 0;
#endif
}

inline std::string cpu_capability() { return cpu_capability_names[cpu_capability_index()]; }

}  // namespace tileproof
