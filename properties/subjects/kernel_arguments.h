/// Turns a call of the harness into arguments of the production kernels, for the subjects that run them.
#pragma once

#include <stdexcept>

#include "kernels/kernels.h"
#include "kernels/tinygemm/n_tiles.h"
#include "properties/subjects/subject.h"

namespace tileproof {

inline kernels::Type kernel_type(Type type) {
  return type == Type::bf16 ? kernels::Type::bf16 : type == Type::fp16 ? kernels::Type::fp16 : kernels::Type::fp32;
}

/// @throws std::logic_error if the kernels do not know the layout
inline const kernels::Layout* kernel_layout(const Format& format) {
  const kernels::Layout* const layout = kernels::layout_named(format.name);
  if (layout == nullptr) throw std::logic_error(std::string("the kernels do not know the layout of ") + format.name);
  return layout;
}

/// @throws std::logic_error if the kernels do not dequantize the format in this scheme
inline const kernels::Format* kernel_format(const Call& c) {
  const kernels::Format* const format =
      kernels::format_named(kernels::Use::dequantize, c.format->name, c.scheme->name, c.scheme->tensor_count);
  if (format == nullptr) throw std::logic_error(std::string("the kernels do not dequantize ") + c.format->name);
  return format;
}

/// Calls `use` with the arguments of a kernel.
/// @throws std::logic_error if the operation has no kernel
template <class Use>
void with_arguments(const Call& c, Use use) {
  switch (c.operation) {
    case Operation::pack:
      return use(kernels::PackArguments{c.pairs(), c.packed(), c.n, c.k, tinygemm_number(*c.format), c.experts});
    case Operation::unpack:
      return use(kernels::UnpackArguments{c.packed(), c.codes(), c.n, c.k, tinygemm_number(*c.format), c.experts});
    case Operation::dequantize: {
      const kernels::AnyDequantizeArguments any = {
          c.packed_bytes(), {c.scales(), c.zeros()},     c.weights(), kernel_format(c), c.n, c.k,
          c.group_size,     kernel_type(c.types.weight), c.experts};
      if (const auto of_tinygemm = kernels::of_tinygemm(any)) return use(*of_tinygemm);
      return use(any);
    }
    case Operation::convert:
      return use(kernels::ConvertArguments{c.packed_bytes(), c.converted(), kernel_layout(*c.format),
                                           kernel_layout(*c.format_to), c.n, c.k, c.experts});
    default:
      lacks(c.operation);
  }
}

/// @throws SubjectError if the kernels refuse the arguments
template <class Arguments>
void require_legal(const Arguments& arguments) {
  if (const auto refusal = kernels::validate(arguments)) throw SubjectError("refused: " + refusal->text());
}

// One name for the operations; `where` is a range of threads, some n-tiles and a way, or a stream.
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
template <class... Where>
auto run_kernel(const kernels::AnyDequantizeArguments& a, Where... where) {
  return kernels::dequantize(a, where...);
}
template <class... Where>
auto run_kernel(const kernels::ConvertArguments& a, Where... where) {
  return kernels::convert(a, where...);
}

}  // namespace tileproof
