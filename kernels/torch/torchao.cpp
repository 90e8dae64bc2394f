// Two operators once more, under the names that torchao registered until it deleted them: code written for those runs
// unchanged.
#include <ATen/core/dispatch/Dispatcher.h>

#include "kernels/torch/operators.h"
#include "kernels/torch/registration.h"

namespace tileproof::kernels {

namespace {

constexpr char space[] = "torchao";

/// An operator of that name may come from an old torchao, or from another library like this one.
void require_free(const Operator& of) {
  const std::string name = std::string(space) + "::" + of.name;
  const auto taken = c10::Dispatcher::singleton().findOp({name, ""});
  TORCH_CHECK(!taken, name, " is already registered, by torchao itself or by another library in its place. ",
              "Use tileproof::", of.name, ", or load this library without the other. What is registered:\n",
              taken->debug());
}

/// In torchao's schema group_size is no number that a compiler may leave open.
Tensor dequantize_with_int(const Tensor& packed_w, const Tensor& scales_and_zeros, std::int64_t group_size,
                           std::int64_t inner_k_tiles) {
  return dequantize_tensor(packed_w, scales_and_zeros, group_size, inner_k_tiles);
}

[[maybe_unused]] const bool is_enrolled = enrolled("libtileproof_torchao.so", [] {
  require_free(unpack_operator);
  require_free(dequantize_operator);
  torch::Library library(torch::Library::FRAGMENT, space, std::nullopt, __FILE__, __LINE__);
  register_operator<unpack_operator>(library, unpack_tensor);
  register_operator<dequantize_operator>(library, dequantize_with_int, "int");
  static const torch::Library kept = std::move(library);
});

}  // namespace

}  // namespace tileproof::kernels
