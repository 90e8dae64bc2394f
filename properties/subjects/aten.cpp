// PyTorch's own int4 weight operators on the CPU, whose packed format depends on the machine. The operators on a GPU
// are a subject of subjects/torch_operators.cpp.
#include <ATen/ATen.h>
#include <ATen/Version.h>
#include <ATen/ops/_convert_weight_to_int4pack_for_cpu.h>
#include <ATen/ops/_weight_int4pack_mm_for_cpu.h>

#include "properties/subjects/rows.h"
#include "properties/subjects/tensors_of_calls.h"

namespace tileproof {

namespace {

class AtenCpu : public CpuTensorsSubject {
  void pack(const Call& c) override { copy_to(c.packed(), c.n * c.k / 2, packed(c)); }

  void matmul(const Call& c) override {
    copy_to(c.products(), c.m * c.n * 2,
            at::_weight_int4pack_mm_for_cpu(activations_of(c), packed(c), c.group_size, scales_and_zeros_of(c)));
  }

  static at::Tensor packed(const Call& c) {
    const at::Tensor pairs = view_of(c.pairs(), {c.n, c.k / 2}, at::kByte).to(at::kInt);
    const at::Tensor each = at::stack({pairs.bitwise_right_shift(4), pairs.bitwise_and(15)}, -1).view({c.n, c.k});
    return at::_convert_weight_to_int4pack_for_cpu(each.contiguous(), /*innerKTiles, without meaning here*/ 2);
  }
};

/// The name of the format that aten packs on this machine; the variable ATEN_CPU_CAPABILITY can lower it.
std::string format_of_this_machine() {
  const std::string capability = at::get_cpu_capability();
  if (capability == "AVX512") return "int4pack-cpu-avx512";
  return capability == "AVX2" ? "int4pack-cpu-avx2" : "int4pack-cpu-default";
}

}  // namespace

}  // namespace tileproof

/// An entry point of the library of torch subjects.
extern "C" void tileproof_aten_cpu_subject(tileproof::MadeSubject& made) {
  made.subject = std::make_unique<tileproof::AtenCpu>();
  made.capabilities = tileproof::aten_cpu_capabilities({tileproof::format_of_this_machine()});
}
