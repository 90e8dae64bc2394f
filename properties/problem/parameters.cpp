#include "properties/problem/parameters.h"

#include <cstring>

namespace tileproof {

namespace {

/// Calls `use` with the unsigned type of so many bytes.
template <class Use>
void with_element(std::int64_t element_bytes, Use use) {
  if (element_bytes == 1) return use.template operator()<std::uint8_t>();
  if (element_bytes == 2) return use.template operator()<std::uint16_t>();
  use.template operator()<std::uint32_t>();
}

}  // namespace

std::vector<std::uint8_t> narrowed(const std::vector<std::uint32_t>& bits, std::int64_t element_bytes) {
  std::vector<std::uint8_t> bytes(bits.size() * static_cast<std::size_t>(element_bytes));
  with_element(element_bytes, [&]<class Element>() {
    for (std::size_t i = 0; i < bits.size(); ++i) {
      const auto element = static_cast<Element>(bits[i]);
      std::memcpy(&bytes[i * sizeof element], &element, sizeof element);
    }
  });
  return bytes;
}

std::vector<std::uint32_t> widened(const std::vector<std::uint8_t>& bytes, std::int64_t element_bytes) {
  std::vector<std::uint32_t> bits(bytes.size() / static_cast<std::size_t>(element_bytes));
  with_element(element_bytes, [&]<class Element>() {
    for (std::size_t i = 0; i < bits.size(); ++i) {
      Element element;
      std::memcpy(&element, &bytes[i * sizeof element], sizeof element);
      bits[i] = element;
    }
  });
  return bits;
}

std::vector<std::uint32_t> interleaved(const Parameters& parameters) {
  std::vector<std::uint32_t> both;
  both.reserve(parameters.scales.elements.size() * 2);
  for (std::size_t i = 0; i < parameters.scales.elements.size(); ++i) {
    both.push_back(parameters.scales.elements[i]);
    both.push_back(parameters.zeros.elements[i]);
  }
  return both;
}

Parameters zero_parameters(const Problem& p) {
  const std::int64_t groups = p.experts * p.groups();
  return {Matrix<std::uint32_t>(groups, p.n), Matrix<std::uint32_t>(groups, p.n), Matrix<std::int8_t>(groups, p.n)};
}

}  // namespace tileproof
