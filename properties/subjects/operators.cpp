#include "properties/subjects/operators.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "properties/problem/named.h"

namespace tileproof {

namespace {

struct ElementRow {
  const char* name;
  std::int64_t bytes;
};
constexpr ElementRow elements[] = {{"uint8", 1}, {"int8", 1}, {"int16", 2}, {"int32", 4}, {"int64", 8},
                                   {"bf16", 2},  {"fp16", 2}, {"fp32", 4},  {"fp64", 8},  {"uint32", 4}};
const ElementRow& row_of(Element element) { return elements[static_cast<int>(element)]; }

}  // namespace

const char* name_of(Element element) { return row_of(element).name; }
std::int64_t bytes_of(Element element) { return row_of(element).bytes; }

Element element_named(const std::string& name) {
  if (name == name_of(Type::e8m0) || name == name_of(Type::e4m3)) return Element::uint8;
  for (std::size_t i = 0; i < std::size(elements); ++i) {
    if (name == elements[i].name) return static_cast<Element>(i);
  }
  throw std::logic_error("no element has the name " + name);
}

std::string text_of(const Sizes& sizes) {
  return "[" + joined(sizes, ", ", [](std::int64_t size) { return std::to_string(size); }) + "]";
}

Sizes dense_strides(const Sizes& sizes) {
  Sizes strides(sizes.size());
  std::int64_t stride = 1;
  for (std::size_t d = sizes.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= std::max<std::int64_t>(1, sizes[d]);  // as in PyTorch
  }
  return strides;
}

std::int64_t count_of(const Sizes& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

std::string Argument::text() const {
  if (number) return std::to_string(*number);
  if (is_dtype) return name_of(element);
  return std::string(name_of(element)) + " " + text_of(sizes) + (where == Where::host ? " on the host" : "");
}

Argument& OperatorCall::argument(const std::string& name) {
  for (Argument& one : arguments) {
    if (one.name == name) return one;
  }
  throw std::logic_error(std::string(name_of(operation)) + " has no argument " + name);
}

std::string OperatorResult::text() const { return std::string(name_of(element)) + " " + text_of(sizes); }

Argument tensor_argument(const std::string& name, Element element, const Sizes& sizes,
                         std::vector<std::uint8_t> bytes) {
  if (static_cast<std::int64_t>(bytes.size()) != count_of(sizes) * bytes_of(element)) {
    throw std::logic_error(name + ": " + std::to_string(bytes.size()) + " bytes are not " + text_of(sizes));
  }
  return {
      .name = name, .element = element, .sizes = sizes, .strides = dense_strides(sizes), .storage = std::move(bytes)};
}

Argument number_argument(const std::string& name, std::int64_t number) { return {.name = name, .number = number}; }
Argument dtype_argument(const std::string& name, Element element) {
  return {.name = name, .element = element, .is_dtype = true};
}

}  // namespace tileproof
