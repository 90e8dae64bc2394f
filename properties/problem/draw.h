/// Random data as a pure function of (seed, stream, index): the same on every machine, in any order, for any size.
#pragma once

#include <cstdint>

namespace tileproof {

/// 64 well-mixed bits. drawn() applies this finalizer of SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014) twice to
/// a counter.
constexpr std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// @param stream  names the tensor or choice of the problem that is drawn
constexpr std::uint64_t drawn(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
  return mixed(mixed(seed + (stream + 1) * 0x9e3779b97f4a7c15u) + (index + 1) * 0x9e3779b97f4a7c15u);
}

/// Uniform in 0..bound-1, from the upper 32 of `bits`; bound < 2^31.
constexpr std::int64_t below(std::int64_t bound, std::uint64_t bits) {
  return static_cast<std::int64_t>((bits >> 32) * static_cast<std::uint64_t>(bound) >> 32);
}

/// The i-th of 2^bits points, in an order that visits each once and covers them evenly from the start: a Weyl sequence
/// of the golden ratio. Its step is odd, and so coprime to every power of two.
constexpr std::uint64_t spread(std::uint64_t i, int bits) {
  if (bits == 0) return 0;
  const std::uint64_t step = (0x9e3779b97f4a7c15u >> (64 - bits)) | 1;
  return i * step & (bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1);
}

/// One stream for each tensor and choice of a problem, so that no two share their data.
namespace stream {
inline constexpr std::uint64_t codes = 0;
inline constexpr std::uint64_t words = 1;
inline constexpr std::uint64_t scales = 2;
inline constexpr std::uint64_t zeros = 3;
inline constexpr std::uint64_t zero_points = 4;
inline constexpr std::uint64_t activations = 5;
inline constexpr std::uint64_t choice = 6;
inline constexpr std::uint64_t weights = 7;
inline constexpr std::uint64_t alignment = 8;
inline constexpr std::uint64_t problems = 9;
inline constexpr std::uint64_t pages = 10;
inline constexpr std::uint64_t experts = 11;
}  // namespace stream

/// Sixteen drawn codes that follow each other in a matrix, the first in the lowest bits.
constexpr std::uint64_t sixteen_codes(std::uint64_t seed, std::uint64_t run) { return drawn(seed, stream::codes, run); }

/// Whether a problem with this seed aligns its tensors to exactly the least that the subject must accept. Otherwise
/// they are aligned as allocators align.
constexpr bool draws_least_alignment(std::uint64_t seed) { return drawn(seed, stream::alignment, 0) >> 63 != 0; }

}  // namespace tileproof
