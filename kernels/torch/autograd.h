/// How the operators meet autograd. They have no derivative: a call takes inputs that require grad, and backward
/// through it is an error. A compiler traces backward together with forward, so the error is an operator of its own,
/// which only raises it when it runs.
#pragma once

#include <torch/library.h>

#include "kernels/torch/operator_rules.h"

namespace tileproof::kernels {

/// Calls the operator below autograd, with the arguments that are on the stack.
void call_without_derivative(const Operator& of, const c10::OperatorHandle& handle, c10::DispatchKeySet keys,
                             torch::jit::Stack* stack);

template <const Operator& of>
void call_without_derivative(const c10::OperatorHandle& handle, c10::DispatchKeySet keys, torch::jit::Stack* stack) {
  call_without_derivative(of, handle, keys, stack);
}

/// An operator's kernel for autograd: nothing to do where no argument can require grad.
template <const Operator& of>
torch::CppFunction autograd_kernel() {
  if constexpr (!takes(of, Argument::scales) && !takes(of, Argument::scales_and_zeros)) {
    return torch::CppFunction::makeFallthrough();
  } else {
    return torch::CppFunction::makeFromBoxedFunction<call_without_derivative<of>>();
  }
}

/// Defines the operator that raises the error.
void register_no_derivative(torch::Library& library);

}  // namespace tileproof::kernels
