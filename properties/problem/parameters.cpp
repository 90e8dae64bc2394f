#include "properties/problem/parameters.h"

#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace tileproof {

namespace {

/// Calls `use` with the unsigned type of `element_bytes` bytes.
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

std::string dims_text_of(const reference::ParameterTensor& tensor, const Format& format) {
  return format.groups_divide_rows ? tensor.dims_text : "[ceil(n*k/group_size)][1]";
}

std::int64_t bytes_of(const reference::ParameterTensor& tensor, Types types) {
  const std::string dtype = tensor.dtype == nullptr ? name_of(types.parameter) : tensor.dtype;
  for (const auto& [name, bytes] : {std::pair("int8", 1),
                                    {"uint8", 1},
                                    {"e8m0", 1},
                                    {"e4m3", 1},
                                    {"bf16", 2},
                                    {"fp16", 2},
                                    {"fp32", 4},
                                    {"int32", 4},
                                    {"uint32", 4}}) {
    if (dtype == name) return bytes;
  }
  throw std::logic_error("a tensor of parameters of the type " + dtype);
}

std::vector<ParameterBytes> tensors_of(const Problem& p, const Parameters& parameters) {
  const Scheme& scheme = *p.scheme;
  const Size groups = p.groups();
  std::vector<ParameterBytes> tensors;
  const int last = scheme.tensor_count - 1;
  for (int i = 0; i <= last; ++i) {
    const reference::ParameterTensor& tensor = scheme.tensors[i];
    const std::int64_t element_bytes = bytes_of(tensor, p.types), elements = tensor.dims(groups).elements();
    std::vector<std::uint32_t> bits(static_cast<std::size_t>(p.experts * elements));
    for (std::int64_t expert = 0; expert < p.experts; ++expert) {
      std::uint32_t* const own = bits.data() + expert * elements;
      for (std::int64_t group = 0; group < groups.k; ++group) {
        for (std::int64_t row = 0; row < groups.n; ++row) {
          const std::int64_t at = expert * groups.k + group;
          if (i == 0) own[scheme.scale_at({row, group}, groups)] = parameters.scales(at, row);
          if (i != last || (scheme.zero_kind == Zero::none && !scheme.has_factor)) continue;
          const std::uint32_t zero = scheme.zero_kind == Zero::point
                                         ? static_cast<std::uint32_t>(parameters.zero_points(at, row))
                                         : parameters.zeros(at, row);
          const std::int64_t zero_at = scheme.zero_at({row, group}, groups);
          if (scheme.zeros_are_packed) {
            if (!scheme.zero_points.contains(static_cast<int>(zero))) {
              throw std::logic_error("a zero point that cannot be stored: " + std::to_string(static_cast<int>(zero)));
            }
            const int stored = reference::packed_zero(static_cast<int>(zero), scheme.stored_less);
            reference::set_code_at(own, zero_at, stored);
          } else {
            own[zero_at] = zero;
          }
        }
      }
    }
    tensors.push_back({tensor.role, element_bytes, narrowed(bits, element_bytes)});
  }
  return tensors;
}

void put_parameters(const Problem& p, const Parameters& parameters, std::vector<std::uint32_t>& packed) {
  const Scheme& scheme = *p.scheme;
  if (!scheme.in_blocks) return;
  const Size groups = p.groups();
  const std::int64_t bytes_of_matrix = p.layout().slots(p.size()) / 2;
  std::vector<std::uint8_t> all = narrowed(packed, 1);  // blocks are of bytes
  std::uint8_t* const bytes = all.data();
  for (std::int64_t expert = 0; expert < p.experts; ++expert) {
    for (std::int64_t row = 0; row < groups.n; ++row) {
      for (std::int64_t group = 0; group < groups.k; ++group) {
        const std::int64_t of_batch = expert * groups.k + group;
        scheme.block.put(bytes + expert * bytes_of_matrix + scheme.block.first_byte({row, group}, groups),
                         group % scheme.block.groups,
                         {parameters.scales(of_batch, row), parameters.zeros(of_batch, row)});
      }
    }
  }
  packed = widened(all, 1);
}

Parameters zero_parameters(const Problem& p) {
  const std::int64_t rows = p.groups().n, groups = p.experts * p.groups().k;
  return {Matrix<std::uint32_t>(groups, rows), Matrix<std::uint32_t>(groups, rows), Matrix<std::int8_t>(groups, rows)};
}

}  // namespace tileproof
