// PyTorch's own int4 weight operators on the CPU: they have a packed format of their own, which only their matmul
// reads. Those on a GPU are a subject of subject_operators.cpp.
#include <ATen/ATen.h>
#include <ATen/ops/_convert_weight_to_int4pack_for_cpu.h>
#include <ATen/ops/_weight_int4pack_mm_for_cpu.h>

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
    throw SubjectError(what);
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

class AtenCpu : public Subject {
 public:
  Memory& memory() override { return host_memory(); }
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

}  // namespace

}  // namespace tileproof

/// A door of the library of torch subjects.
extern "C" tileproof::Subject* tileproof_aten_cpu_subject() { return new tileproof::AtenCpu(); }
