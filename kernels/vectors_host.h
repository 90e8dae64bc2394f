/// Vectors of sixteen bytes on a host, which every processor has that this runs on: in the vector extensions that GCC
/// and clang share.
#pragma once

#include <cstdint>

#define TILEPROOF_INLINE inline __attribute__((always_inline))

namespace tileproof::kernels {

using Words = std::uint32_t __attribute__((vector_size(16)));
using Bytes = std::uint8_t __attribute__((vector_size(16)));

// Of two vectors, byte by byte in turn, or two bytes by two bytes.
TILEPROOF_INLINE Bytes low_half(Bytes a, Bytes b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
TILEPROOF_INLINE Bytes high_half(Bytes a, Bytes b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
TILEPROOF_INLINE Bytes low_half_of_pairs(Bytes a, Bytes b) {
  return __builtin_shufflevector(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
}
TILEPROOF_INLINE Bytes high_half_of_pairs(Bytes a, Bytes b) {
  return __builtin_shufflevector(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
}
TILEPROOF_INLINE Bytes swapped(Bytes a) {
  return __builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
}
// And back.
TILEPROOF_INLINE Bytes even_bytes(Bytes a, Bytes b) {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
TILEPROOF_INLINE Bytes odd_bytes(Bytes a, Bytes b) {
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

/// Stores to an aligned address: through the caches, or streamed past them.
template <bool is_streamed>
TILEPROOF_INLINE void store(Bytes bytes, void* to) {
#if defined(__clang__)
  if constexpr (is_streamed) return __builtin_nontemporal_store(bytes, static_cast<Bytes*>(to));
#elif defined(__x86_64__)
  if constexpr (is_streamed) {
    using Quadwords = long long __attribute__((vector_size(16)));
    return __builtin_ia32_movntdq(static_cast<Quadwords*>(to), reinterpret_cast<Quadwords>(bytes));
  }
#endif
  *static_cast<Bytes*>(to) = bytes;
}

/// What is stored after this is seen after what was streamed before it.
inline void end_stream() {
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#endif
}

}  // namespace tileproof::kernels
