// PyTorch's own int4 weight operators, on the CPU and on a GPU. Built into a library of its own that is loaded when one
// of these subjects is asked for: everything else starts without waiting for torch.
//
// On CUDA, packing gives the tensor-core-tiled layout. The CPU has a packed format of its own, which only its matmul
// reads.
#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/ops/_convert_weight_to_int4pack.h>
#include <ATen/ops/_convert_weight_to_int4pack_for_cpu.h>
#include <ATen/ops/_weight_int4pack_mm.h>
#include <ATen/ops/_weight_int4pack_mm_for_cpu.h>
#include <dlfcn.h>

#include <cstring>
#include <string>

#include "subject.h"

namespace tileproof {

namespace {

template <class T>
at::Tensor view_of(const T* data, at::IntArrayRef sizes, at::ScalarType type) {
  return at::from_blob(const_cast<T*>(data), sizes, at::TensorOptions().dtype(type));
}

/// Runs torch code; its exceptions become the harness's, one line long.
template <class Use>
void in_torch(Use use) {
  try {
    use();
  } catch (const c10::Error& error) {
    const std::string what = error.what_without_backtrace();
    throw SubjectError(what, what.find("CUDA error") != std::string::npos);
  }
}

/// @param bytes  what the call has room for: an operator that gives more or less has failed
void copy_to(void* out, std::int64_t bytes, const at::Tensor& result) {
  const at::Tensor contiguous = result.contiguous().cpu();
  if (static_cast<std::int64_t>(contiguous.nbytes()) != bytes) {
    throw SubjectError("the result has " + std::to_string(contiguous.nbytes()) + " bytes, expected " +
                       std::to_string(bytes));
  }
  std::memcpy(out, contiguous.data_ptr(), contiguous.nbytes());
}

/// Tensors live in host memory; a CUDA operator takes copies.
class AtenSubject : public Subject {
 public:
  Memory& memory() override { return host_memory(); }
};

class AtenCpu : public AtenSubject {
 public:
  WeightRounding weight_rounding() const override { return WeightRounding::to_fp32; }

  void run(const MatmulCall& c) override {
    in_torch([&] {
      const at::Tensor pairs = view_of(c.codes, {c.n, c.k / 2}, at::kByte).to(at::kInt);
      const at::Tensor codes = at::stack({pairs.bitwise_right_shift(4), pairs.bitwise_and(15)}, -1).view({c.n, c.k});
      const at::Tensor packed = at::_convert_weight_to_int4pack_for_cpu(codes.contiguous(), c.inner_k_tiles);
      copy_to(
          c.out, c.m * c.n * 2,
          at::_weight_int4pack_mm_for_cpu(view_of(c.activations, {c.m, c.k}, at::kBFloat16), packed, c.group_size,
                                          view_of(c.scales_and_zeros, {c.k / c.group_size, c.n, 2}, at::kBFloat16)));
    });
  }
};

class AtenCuda : public AtenSubject {
 public:
  void run(const PackCall& c) override {
    in_torch([&] { copy_to(c.packed, (c.n + 7) / 8 * c.k * 4, packed(c.codes, c.n, c.k, c.inner_k_tiles)); });
  }

  /// aten pads n to whole n-tiles, and wants the scales padded alike: scale and zero 0.
  void run(const MatmulCall& c) override {
    in_torch([&] {
      const std::int64_t padding = (8 - c.n % 8) % 8;
      const at::Tensor scales_and_zeros = at::constant_pad_nd(
          view_of(c.scales_and_zeros, {c.k / c.group_size, c.n, 2}, at::kBFloat16).cuda(), {0, 0, 0, padding});
      const at::Tensor activations = view_of(c.activations, {c.m, c.k}, at::kBFloat16).cuda();
      const at::Tensor out = at::_weight_int4pack_mm(activations, packed(c.codes, c.n, c.k, c.inner_k_tiles),
                                                     c.group_size, scales_and_zeros.contiguous());
      copy_to(c.out, c.m * c.n * 2, out.narrow(1, 0, c.n));
    });
  }

 private:
  static at::Tensor packed(const std::uint8_t* codes, std::int64_t n, std::int64_t k, std::int64_t inner_k_tiles) {
    return at::_convert_weight_to_int4pack(view_of(codes, {n, k / 2}, at::kByte).cuda(), inner_k_tiles);
  }
};

}  // namespace

}  // namespace tileproof

/// The one door of this library. @param why_not  set where the subject cannot be run here
extern "C" tileproof::Subject* tileproof_aten_subject(const char* device, std::string* why_not) {
  if (std::string(device) == "cpu") return new tileproof::AtenCpu();
  // Registers the CUDA operators; before anything asks whether there are any.
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    *why_not = std::string("this torch has no CUDA library: ") + dlerror();
    return nullptr;
  }
  if (!at::hasCUDA()) {
    *why_not = "torch finds no CUDA device";
    return nullptr;
  }
  return new tileproof::AtenCuda();
}
