/// Views raw pointers of calls as tensors and copies results back, for what calls torch.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include <string>

#include "properties/subjects/subject.h"

namespace tileproof {

inline at::Tensor view_of(const void* data, at::IntArrayRef sizes, at::ScalarType type,
                          c10::Device device = c10::kCPU) {
  return at::from_blob(const_cast<void*>(data), sizes, at::TensorOptions().dtype(type).device(device));
}

inline at::Tensor packed_of(const Call& c, c10::Device device) {
  const reference::Dims dims = c.format->layout.dims(c.size());
  return view_of(c.packed(), at::IntArrayRef(dims.begin(), dims.end()), at::kInt, device);
}
inline at::Tensor scales_and_zeros_of(const Call& c, c10::Device device = c10::kCPU) {
  return view_of(c.scales(), {c.groups().k, c.n, 2}, at::kBFloat16, device);
}
inline at::Tensor activations_of(const Call& c, c10::Device device = c10::kCPU) {
  return view_of(c.activations(), {c.m, c.k}, at::kBFloat16, device);
}

/// @param bytes  the size of `out`
/// @throws SubjectError if the result has another size
inline void copy_to(void* out, std::int64_t bytes, const at::Tensor& result, c10::Device device = c10::kCPU) {
  const at::Tensor dense = result.contiguous();
  if (static_cast<std::int64_t>(dense.nbytes()) != bytes) {
    throw SubjectError("the result has " + std::to_string(dense.nbytes()) + " bytes, expected " +
                       std::to_string(bytes));
  }
  if (bytes != 0) view_of(out, {bytes}, at::kByte, device).copy_(dense.view({-1}).view(at::kByte));
}

/// A subject of torch code on the CPU. An exception of torch becomes a SubjectError without the backtrace.
class CpuTensorsSubject : public SubjectByOperation {
 public:
  Memory& memory() override { return host_memory(); }
  void run(const Call& c) override {
    try {
      SubjectByOperation::run(c);
    } catch (const c10::Error& error) {
      throw SubjectError(error.what_without_backtrace());
    }
  }
};

}  // namespace tileproof
