// PyTorch's own int4 weight operators on the CPU: they have a packed format of their own, which only their matmul
// reads. Those on a GPU are a subject of subjects/torch_operators.cpp.
#include <ATen/ATen.h>
#include <ATen/ops/_convert_weight_to_int4pack_for_cpu.h>
#include <ATen/ops/_weight_int4pack_mm_for_cpu.h>

#include "properties/subjects/subject.h"
#include "properties/subjects/tensors_of_calls.h"

namespace tileproof {

namespace {

class AtenCpu : public Subject {
 public:
  Memory& memory() override { return host_memory(); }
  WeightRounding weight_rounding() const override { return WeightRounding::to_fp32; }

  void run(const MatmulCall& c) override {
    in_torch([&] {
      const at::Tensor pairs = view_of(c.codes, {c.n, c.k / 2}, at::kByte).to(at::kInt);
      const at::Tensor codes = at::stack({pairs.bitwise_right_shift(4), pairs.bitwise_and(15)}, -1).view({c.n, c.k});
      const at::Tensor packed =
          at::_convert_weight_to_int4pack_for_cpu(codes.contiguous(), /*innerKTiles, without meaning here*/ 2);
      copy_to(
          c.out, c.m * c.n * 2,
          at::_weight_int4pack_mm_for_cpu(view_of(c.activations, {c.m, c.k}, at::kBFloat16), packed, c.group_size,
                                          view_of(c.scales_and_zeros, {c.k / c.group_size, c.n, 2}, at::kBFloat16)));
    });
  }
};

}  // namespace

}  // namespace tileproof

/// An entry point of the library of torch subjects.
extern "C" tileproof::Subject* tileproof_aten_cpu_subject() { return new tileproof::AtenCpu(); }
