/// A tensor of PyTorch as the rules of operator_rules.h ask for it, and how a refusal is told to PyTorch.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/SymInt.h>

#include <sstream>
#include <utility>

#include "kernels/torch/operator_rules.h"

namespace tileproof::kernels {

using at::Tensor;

/// Symbolic sizes answer by a guard; where they have no value yet, by an assertion when the program runs.
template <>
struct Asked<c10::SymInt> {
  static bool equal(const c10::SymInt& a, const c10::SymInt& b) { return a.sym_eq(b).expect_true(__FILE__, __LINE__); }
  static bool at_most(const c10::SymInt& a, const c10::SymInt& b) {
    return a.sym_le(b).expect_true(__FILE__, __LINE__);
  }
  static std::optional<std::int64_t> known(const c10::SymInt& a) { return a.maybe_as_int(); }
  static std::string text(const c10::SymInt& a) { return (std::ostringstream() << a).str(); }
};

inline at::ScalarType scalar_type_of(Element element) {
  switch (element) {
    case Element::uint8:
      return at::kByte;
    case Element::int8:
      return at::kChar;
    case Element::int32:
      return at::kInt;
    case Element::bf16:
      return at::kBFloat16;
    case Element::fp16:
      return at::kHalf;
    case Element::fp32:
      return at::kFloat;
  }
  return at::ScalarType::Undefined;
}

/// A tensor as the rules ask for it.
class Given {
 public:
  using Int = c10::SymInt;

  explicit Given(Tensor tensor) : tensor_(std::move(tensor)) {}

  std::int64_t dim() const { return tensor_.dim(); }
  c10::SymInt size(int dimension) const { return tensor_.sym_size(dimension); }
  bool is(Element element) const { return tensor_.scalar_type() == scalar_type_of(element); }
  /// Of a fake tensor in its operator's kernel, where it says that it is on meta, its keys still have the backend.
  std::pair<c10::Device, c10::BackendComponent> device() const {
    return {tensor_.device(), tensor_.key_set().highestBackendKey()};
  }
  std::string text() const {
    return (std::ostringstream() << c10::getDtypeNames(tensor_.scalar_type()).first << ' ' << tensor_.sym_sizes()
                                 << " on " << tensor_.device())
        .str();
  }

 private:
  Tensor tensor_;
};

inline void refuse(const Operator& of, const std::optional<InvalidArgument>& refusal) {
  if (refusal) TORCH_CHECK_VALUE(false, of.name, ": ", refusal->text());
}

}  // namespace tileproof::kernels
