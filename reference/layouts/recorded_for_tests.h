/// The codes of matrices whose packed bytes were recorded from a library, and the hash that stands for the bytes. A
/// recorder in Python has the two formulas:
///
///   code(n, k) = ((n * 131 + k) * 2654435761 & 0xffffffff) >> 28
///   FNV-1a of 64 bits over the bytes of the contiguous tensor
#pragma once

#include <cstdint>
#include <vector>

#include "reference/layouts/layout.h"
#include "reference/matrix.h"

namespace tileproof::reference {

/// Codes that tell elements apart: neighbours in either direction differ, and no row or column repeats another.
constexpr int recorded_code(std::int64_t n, std::int64_t k) {
  return static_cast<int>(static_cast<std::uint32_t>(n * 131 + k) * 2654435761u >> 28);
}

/// uint8 [n][k], a code each.
inline std::vector<std::uint8_t> recorded_codes(Size size) {
  std::vector<std::uint8_t> codes;
  for (std::int64_t n = 0; n < size.n; ++n) {
    for (std::int64_t k = 0; k < size.k; ++k) codes.push_back(static_cast<std::uint8_t>(recorded_code(n, k)));
  }
  return codes;
}

/// The codes, packed into a buffer that held something else.
template <IsLayout L>
std::vector<typename L::Storage> packed_codes(Size size) {
  constexpr auto old = static_cast<typename L::Storage>(0xdeadbeef);
  std::vector<typename L::Storage> packed(static_cast<std::size_t>(units<L>(size)), old);
  pack<L>(recorded_codes(size).data(), size, packed.data());
  return packed;
}

/// @param elements  of any width, hashed in the order of a little-endian memory.
template <class Element>
constexpr std::uint64_t fnv1a(const std::vector<Element>& elements) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const Element element : elements) {
    for (std::size_t byte = 0; byte < sizeof(Element); ++byte) {
      hash = (hash ^ (static_cast<std::uint64_t>(element) >> (8 * byte) & 255)) * 0x100000001b3;
    }
  }
  return hash;
}

}  // namespace tileproof::reference
