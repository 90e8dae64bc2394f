/// How a library registers its operators while it is loaded.
#pragma once

#include <torch/library.h>

#include <string>

#include "kernels/torch/autograd.h"
#include "kernels/torch/operator_rules.h"

namespace tileproof::kernels {

/// Defines an operator in a library and gives it its kernels: one function for CPU, CUDA and fake tensors, and one for
/// autograd (torch/autograd.h).
/// @param group_size  its type in the schema
template <const Operator& of, class Function>
void register_operator(torch::Library& library, Function* function, const std::string& group_size = "SymInt") {
  // Any layout is taken as it comes, so a compiler need not restore the one it was traced with.
  library.def(of.schema(group_size).c_str(), {at::Tag::pt2_compliant_tag, at::Tag::flexible_layout});
  library.impl(of.name, torch::dispatch(c10::DispatchKey::CPU, function));
#if defined(TILEPROOF_HAS_CUDA)
  library.impl(of.name, torch::dispatch(c10::DispatchKey::CUDA, function));
#endif
  library.impl(of.name, torch::dispatch(c10::DispatchKey::Meta, function));
  library.impl(of.name, torch::dispatch(c10::DispatchKey::Autograd, autograd_kernel<of>()));
}

/// Runs `enroll` while a library is loaded. An exception that left a library's initialisation would end the process.
/// Here it becomes the error that torch.ops.load_library raises or, where there is no Python, a line on stderr.
/// @param library  its file name, for the message
/// @return         whether nothing was thrown
bool enrolled(const char* library, void (*enroll)());

}  // namespace tileproof::kernels
