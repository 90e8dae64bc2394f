// PyTorch's eager formulas for choosing and applying a group's parameters: the chain of tensor operations that
// torchao's choose_qparams_affine, quantize_affine and dequantize_affine run (and those with the suffix _tinygemm, the
// float domain), one after the other, on the CPU.
#include <ATen/ATen.h>

#include <cmath>

#include "properties/subjects/subject.h"
#include "properties/subjects/tensors_of_calls.h"

namespace tileproof {

namespace {

constexpr double most_code = 15;
constexpr double midpoint = 8;

at::ScalarType type_of(Type type) {
  constexpr at::ScalarType types[] = {at::kBFloat16, at::kHalf, at::kFloat};
  return types[static_cast<int>(type)];
}

at::Tensor in_groups(const Call& c, const void* elements, at::ScalarType type) {
  return view_of(elements, {c.n, c.groups().k, c.group_size}, type);
}

/// Parameters [k / group_size][n], to be combined with weights [n][k / group_size][group_size].
at::Tensor of_groups(const Call& c, const void* parameters, at::ScalarType type) {
  return view_of(parameters, {c.groups().k, c.n}, type).t().unsqueeze(-1);
}

void give_of_groups(const Call& c, void* to, std::int64_t element_bytes, const at::Tensor& parameters) {
  copy_to(to, c.groups().k * c.n * element_bytes, parameters.t());
}

at::Tensor clamped_codes(const at::Tensor& rounded) { return at::clamp(rounded, 0, most_code); }

class AtenEager : public CpuTensorsSubject {
  static bool is_float(const Call& c) { return c.scheme->zero_kind == Zero::value; }

  void choose(const Call& c) override {
    const at::Tensor weights = in_groups(c, c.weights(), type_of(c.types.weight));
    at::Tensor min = at::amin(weights, {-1});
    at::Tensor max = at::amax(weights, {-1});
    if (!is_float(c)) {
      min = at::minimum(min, at::zeros_like(min));
      max = at::maximum(max, at::zeros_like(max));
    }
    // torch.finfo(dtype).eps
    const double least = is_float(c) ? 1e-6 : std::ldexp(1, -float_format_of(c.types.weight).fraction_bits);
    const at::Tensor scale = at::clamp(at::div(at::sub(max, min), most_code), least);
    give_of_groups(c, c.scales(), bytes_of(c.types.weight), scale);
    if (is_float(c)) {
      const at::Tensor zero = at::add(min, at::mul(scale, midpoint));
      give_of_groups(c, c.zeros(), bytes_of(c.types.weight), zero);
    } else {
      const at::Tensor zero_point = clamped_codes(at::rsub(at::round(at::div(min, scale)), 0));
      give_of_groups(c, c.zero_points(), 1, zero_point.to(at::kChar));
    }
  }

  void quantize(const Call& c) override {
    const at::ScalarType type = type_of(c.types.weight);
    const at::Tensor weights = in_groups(c, c.weights(), type);
    const at::Tensor scale = of_groups(c, c.scales(), type);
    at::Tensor codes;
    if (is_float(c)) {
      const at::Tensor min = at::sub(of_groups(c, c.zeros(), type), at::mul(scale, midpoint));
      codes = at::round(at::div(at::sub(weights, min), scale));
    } else {
      const at::Tensor reciprocal = at::mul(at::reciprocal(scale), 1.0);  // 1.0 / scale in Python
      codes = at::add(at::round(at::mul(weights, reciprocal)), zero_points_of(c));
    }
    copy_to(c.codes(), c.n * c.k * 4, clamped_codes(codes).to(at::kInt));
  }

  void dequantize_eagerly(const Call& c) override {
    const at::ScalarType type = type_of(c.types.weight);
    const at::Tensor codes = in_groups(c, c.codes(), at::kInt);
    at::Tensor weights = (is_float(c) ? at::sub(codes, midpoint) : at::sub(codes, zero_points_of(c))).to(type);
    weights.mul_(of_groups(c, c.scales(), type));
    if (is_float(c)) weights.add_(of_groups(c, c.zeros(), type));
    copy_to(c.weights(), c.n * c.k * bytes_of(c.types.weight), weights);
  }

  static at::Tensor zero_points_of(const Call& c) { return of_groups(c, c.zero_points(), at::kChar).to(at::kInt); }
};

}  // namespace

}  // namespace tileproof

/// An entry point of the library of torch subjects.
extern "C" void tileproof_aten_eager_subject(tileproof::MadeSubject& made) {
  made.subject = std::make_unique<tileproof::AtenEager>();
}
