/// A call of the harness as arguments of the production kernels: for the subjects that run them.
#pragma once

#include "kernels/kernels.h"
#include "kernels/tinygemm/n_tiles.h"
#include "properties/subjects/subject.h"

namespace tileproof {

inline kernels::Domain kernel_domain(Domain domain) {
  return domain == Domain::floating  ? kernels::Domain::floating
         : domain == Domain::integer ? kernels::Domain::integer
                                     : kernels::Domain::none;
}

inline kernels::Type kernel_type(Type type) {
  return type == Type::bf16 ? kernels::Type::bf16 : type == Type::fp16 ? kernels::Type::fp16 : kernels::Type::fp32;
}

inline kernels::PackArguments arguments_of(const PackCall& c) {
  return {c.codes, c.packed, c.n, c.k, c.inner_k_tiles, c.experts};
}

inline kernels::UnpackArguments arguments_of(const UnpackCall& c) {
  return {c.packed, c.codes, c.n, c.k, c.inner_k_tiles, c.experts};
}

inline kernels::DequantizeArguments arguments_of(const DequantizeCall& c) {
  return {c.packed,     c.scales,        c.zero_points,           c.weights,           c.n,      c.k,
          c.group_size, c.inner_k_tiles, kernel_domain(c.domain), kernel_type(c.type), c.experts};
}

// One name for the three operations, wherever they run: a range of threads, some n-tiles and by which way, or a stream.
template <class... Where>
auto run_kernel(const kernels::PackArguments& a, Where... where) {
  return kernels::pack(a, where...);
}
template <class... Where>
auto run_kernel(const kernels::UnpackArguments& a, Where... where) {
  return kernels::unpack(a, where...);
}
template <class... Where>
auto run_kernel(const kernels::DequantizeArguments& a, Where... where) {
  return kernels::dequantize(a, where...);
}

}  // namespace tileproof
