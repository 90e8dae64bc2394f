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
  return view_of(static_cast<const char*>(elements), {c.n, c.groups(), c.group_size}, type);
}

/// Parameters [k / group_size][n], to be combined with weights [n][k / group_size][group_size].
at::Tensor of_groups(const Call& c, const void* parameters, at::ScalarType type) {
  return view_of(static_cast<const char*>(parameters), {c.groups(), c.n}, type).t().unsqueeze(-1);
}

void give_of_groups(const Call& c, void* to, std::int64_t element_bytes, const at::Tensor& parameters) {
  copy_to(to, c.groups() * c.n * element_bytes, parameters.t());
}

at::Tensor clamped_codes(const at::Tensor& rounded) { return at::clamp(rounded, 0, most_code); }

class AtenEager : public SubjectByOperation {
 public:
  Memory& memory() override { return host_memory(); }

 private:
  static bool is_float(const Call& c) { return c.scheme->zero_kind == Zero::value; }

  void choose(const Call& c) override {
    in_torch([&] { is_float(c) ? choose_float(c) : choose_integer(c); });
  }
  void quantize(const Call& c) override {
    in_torch([&] {
      copy_to(c.codes(), c.n * c.k * 4, (is_float(c) ? quantized_float(c) : quantized_integer(c)).to(at::kInt));
    });
  }
  void dequantize_eagerly(const Call& c) override {
    in_torch([&] {
      copy_to(c.weights(), c.n * c.k * bytes_of(c.types.weight),
              is_float(c) ? dequantized_float(c) : dequantized_integer(c));
    });
  }

  static void choose_float(const Call& c) {
    const at::Tensor weights = in_groups(c, c.weights(), type_of(c.types.weight));
    const at::Tensor min = at::amin(weights, {-1});
    const at::Tensor max = at::amax(weights, {-1});
    at::Tensor scale = at::div(at::sub(max, min), most_code);
    scale = at::clamp(scale, 1e-6);
    const at::Tensor zero = at::add(min, at::mul(scale, midpoint));
    give_of_groups(c, c.scales(), bytes_of(c.types.weight), scale);
    give_of_groups(c, c.zeros(), bytes_of(c.types.weight), zero);
  }

  static void choose_integer(const Call& c) {
    const at::Tensor weights = in_groups(c, c.weights(), type_of(c.types.weight));
    const at::Tensor least = at::amin(weights, {-1});
    const at::Tensor largest = at::amax(weights, {-1});
    const at::Tensor min = at::minimum(least, at::zeros_like(least));
    const at::Tensor max = at::maximum(largest, at::zeros_like(largest));
    at::Tensor scale = at::div(at::sub(max, min), most_code);
    scale = at::clamp(scale, std::ldexp(1, -float_format_of(c.types.weight).fraction_bits));  // torch.finfo(dtype).eps
    const at::Tensor zero_point = clamped_codes(at::rsub(at::round(at::div(min, scale)), 0));
    give_of_groups(c, c.scales(), bytes_of(c.types.weight), scale);
    give_of_groups(c, c.zero_points(), 1, zero_point.to(at::kChar));
  }

  static at::Tensor quantized_float(const Call& c) {
    const at::ScalarType type = type_of(c.types.weight);
    const at::Tensor scale = of_groups(c, c.scales(), type);
    const at::Tensor min = at::sub(of_groups(c, c.zeros(), type), at::mul(scale, midpoint));
    const at::Tensor steps = at::div(at::sub(in_groups(c, c.weights(), type), min), scale);
    return clamped_codes(at::round(steps));
  }

  static at::Tensor quantized_integer(const Call& c) {
    const at::ScalarType type = type_of(c.types.weight);
    const at::Tensor zero_point = of_groups(c, c.zero_points(), at::kChar).to(at::kInt);
    const at::Tensor reciprocal =
        at::mul(at::reciprocal(of_groups(c, c.scales(), type)), 1.0);  // 1.0 / scale in Python
    const at::Tensor steps = at::mul(in_groups(c, c.weights(), type), reciprocal);
    return clamped_codes(at::add(at::round(steps), zero_point));
  }

  static at::Tensor dequantized_float(const Call& c) {
    const at::ScalarType type = type_of(c.types.weight);
    at::Tensor weights = at::sub(in_groups(c, c.codes(), at::kInt), midpoint).to(type);
    weights.mul_(of_groups(c, c.scales(), type));
    return weights.add_(of_groups(c, c.zeros(), type));
  }

  static at::Tensor dequantized_integer(const Call& c) {
    const at::ScalarType type = type_of(c.types.weight);
    const at::Tensor zero_point = of_groups(c, c.zero_points(), at::kChar).to(at::kInt);
    at::Tensor weights = at::sub(in_groups(c, c.codes(), at::kInt), zero_point).to(type);
    return weights.mul_(of_groups(c, c.scales(), type));
  }
};

}  // namespace

}  // namespace tileproof

/// An entry point of the library of torch subjects.
extern "C" tileproof::Subject* tileproof_aten_eager_subject() { return new tileproof::AtenEager(); }
