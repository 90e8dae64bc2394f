#include "kernels/torch/autograd.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <list>
#include <string>
#include <string_view>

#include "kernels/torch/given.h"

namespace tileproof::kernels {

namespace {

/// The error, as torch's own operators without a derivative raise it.
/// @param grad  unused: it makes the call a part of backward, where a compiler takes apart what it has traced
Tensor raised(const Tensor& /*grad*/, const Tensor& /*input*/, std::string_view name) {
  TORCH_CHECK_NOT_IMPLEMENTED(false, "derivative for ", name, " is not implemented");
}
Tensor raised_later(const Tensor& /*grad*/, const Tensor& input, std::string_view /*name*/) {
  return at::empty_like(input);
}

/// What backward comes to.
class NoDerivative : public torch::autograd::Node {
 public:
  NoDerivative(std::string of, const Tensor& scales) : of_(std::move(of)), scales_(scales, /*is_output=*/false) {
    set_next_edges(torch::autograd::collect_next_edges(scales));
  }

  torch::autograd::variable_list apply(torch::autograd::variable_list&& grads) override {
    static const auto raise =
        c10::Dispatcher::singleton().findSchemaOrThrow("tileproof::_no_derivative", "").typed<decltype(raised)>();
    return {raise.call(grads[0], scales_.unpack(), of_)};
  }
  /// Of torch's compiled autograd, which asks before it would run.
  void compiled_args(torch::dynamo::autograd::CompiledNodeArgs& /*args*/) const override { raised({}, {}, of_); }
  void release_variables() override { scales_.reset_data(); }

 private:
  std::string of_;
  torch::autograd::SavedVariable scales_;
};

/// @tparam Pointer  by which torch shares nodes: std::shared_ptr, and of late c10::intrusive_ptr
template <class Pointer, class Node = NoDerivative>
Pointer shared_node(const std::string& of, const Tensor& scales) {
  if constexpr (std::is_same_v<Pointer, std::shared_ptr<torch::autograd::Node>>) {
    return Pointer(new Node(of, scales), [](auto* node) { deleteNode(node); });
  } else {
    return c10::make_intrusive<Node>(of, scales);
  }
}

}  // namespace

void call_without_derivative(const Operator& of, const c10::OperatorHandle& handle, c10::DispatchKeySet keys,
                             torch::jit::Stack* stack) {
  std::list<Given> tensors;
  Call<Given> call = {of, {}, 0, 0};
  const std::size_t count = handle.schema().arguments().size();
  for (std::size_t i = 0; i < count; ++i) {
    const c10::IValue& value = (*stack)[stack->size() - count + i];
    const Argument argument = of.arguments[i];
    if (argument == Argument::group_size) {
      call.group_size = value.toSymInt();
    } else if (argument == Argument::inner_k_tiles) {
      call.inner_k_tiles = value.toInt();
    } else {
      call.tensors[static_cast<std::size_t>(argument)] = &tensors.emplace_back(value.toTensor());
    }
  }
  // Here fake tensors still say on which devices they are; in a kernel they are all on meta, and then torch refuses two
  // devices in words that name no argument.
  for (const Given& tensor : tensors) {
    if (tensor.device() != tensors.front().device()) refuse(of, validate(call));
  }
  const Tensor scales = (*stack)[stack->size() - count + 1].toTensor();
  const std::string& name = handle.schema().name();
  TORCH_CHECK_NOT_IMPLEMENTED(!torch::autograd::isFwGradDefined(scales), "forward derivative for ", name,
                              " is not implemented");
  {
    const at::AutoDispatchBelowAutograd below;
    handle.redispatchBoxed(keys & c10::after_autograd_keyset, stack);
  }
  if (!torch::autograd::compute_requires_grad(scales)) return;
  using Pointer = decltype(torch::autograd::Edge::function);
  torch::autograd::set_history(stack->back().toTensor(), shared_node<Pointer>(name, scales));
}

void register_no_derivative(torch::Library& library) {
  library.def("_no_derivative(Tensor grad, Tensor input, str name) -> Tensor", {at::Tag::pt2_compliant_tag});
  library.impl("_no_derivative", torch::dispatch(c10::DispatchKey::Meta, raised_later));
  library.impl("_no_derivative", torch::dispatch(c10::DispatchKey::CompositeExplicitAutograd, raised));
}

}  // namespace tileproof::kernels
