#include "kernels/arguments.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "kernels/rules.h"

namespace tileproof::kernels {

namespace {

std::optional<InvalidArgument> validate_pointer(const char* argument, const void* pointer, std::int64_t elements,
                                                std::uintptr_t alignment_bytes) {
  if (elements == 0) return std::nullopt;
  if (pointer == nullptr)
    return InvalidArgument{argument, "a null pointer", "memory of " + std::to_string(elements) + " elements"};
  const std::uintptr_t past = reinterpret_cast<std::uintptr_t>(pointer) % alignment_bytes;
  if (past == 0) return std::nullopt;
  return InvalidArgument{argument, "an address " + std::to_string(past) + " bytes past alignment",
                         "aligned to " + std::to_string(alignment_bytes) + " bytes"};
}

template <class Arguments>
std::int64_t words_of(const Arguments& a) {
  return a.experts * ((a.n + 7) / 8) * a.k;
}

std::int64_t parameters_of(const DequantizeArguments& a) { return a.experts * (a.k / a.group_size) * a.n; }

/// Sizes that both of two layouts hold.
std::optional<InvalidArgument> validate_sizes(std::int64_t n, std::int64_t k, std::int64_t experts, const Layout& a,
                                              const Layout& b) {
  const auto size = [&](const char* argument, std::int64_t given, std::int64_t multiple,
                        bool is_small) -> std::optional<InvalidArgument> {
    if (given >= 0 && given % multiple == 0 && is_small) return std::nullopt;
    std::string legal = "0 or more";
    if (multiple > 1) {
      legal += ", a multiple of " + std::to_string(multiple) + " for " + a.name;
      if (&a != &b) legal += std::string(" and ") + b.name;
    }
    if (!is_small) legal += std::string(", and ") + legal_elements;
    return InvalidArgument{argument, std::to_string(given), legal};
  };
  if (auto refusal = size("n", n, std::lcm(a.n_multiple, b.n_multiple), n <= most_elements)) return refusal;
  if (auto refusal = size("k", k, std::lcm(a.k_multiple, b.k_multiple), is_addressable(std::int64_t{1}, n, k)))
    return refusal;
  return size("experts", experts, 1, is_addressable(experts, n, k));
}

std::optional<InvalidArgument> validate_group_size(const Format& format, std::int64_t k, std::int64_t group_size) {
  if (format.is_group_size(group_size, k)) return std::nullopt;
  return InvalidArgument{"group_size", std::to_string(group_size), format.legal_group_size()};
}

/// Any tensor of a format in a call.
template <class Arguments>
std::optional<InvalidArgument> validate_tensor(const Arguments& a, const Parameter& tensor, const void* pointer) {
  return validate_pointer(tensor.name, pointer, a.experts * tensor.dims.elements({a.n, a.k, a.group_size}),
                          bytes_of_element(tensor, a.type));
}
template <class Arguments>
std::optional<InvalidArgument> validate_tensors(const Arguments& a, const Format& format, const void* const* pointers,
                                                int count) {
  for (int i = 0; i < count; ++i) {
    if (auto refusal = validate_tensor(a, format.parameters[i], pointers[i])) return refusal;
  }
  return std::nullopt;
}

template <class First, class... Rest>
std::optional<InvalidArgument> first_of(First first, Rest... rest) {
  if (auto refusal = first()) return refusal;
  if constexpr (sizeof...(rest) > 0) return first_of(rest...);
  return std::nullopt;
}

}  // namespace

std::uintptr_t bytes_of(Type type) { return type == Type::fp32 ? 4 : 2; }
std::uintptr_t bytes_of_element(const Parameter& tensor, Type type) {
  if (tensor.dtype == nullptr) return bytes_of(type);
  return tensor.dtype == std::string_view("uint8") || tensor.dtype == std::string_view("int8") ? 1 : 4;
}

std::string InvalidArgument::text() const { return argument + ": given " + given + ", legal is " + legal; }

std::optional<DequantizeArguments> of_tinygemm(const AnyDequantizeArguments& a) {
  const Layout* const all[] = {&Tinygemm2::row, &Tinygemm4::row, &Tinygemm8::row};
  const auto* const layout = std::find(std::begin(all), std::end(all), a.format->layout);
  if (layout == std::end(all)) return std::nullopt;
  return DequantizeArguments{static_cast<const std::uint32_t*>(a.packed),
                             a.parameters[0],
                             static_cast<const std::int8_t*>(a.parameters[1]),
                             a.weights,
                             a.n,
                             a.k,
                             a.group_size,
                             std::int64_t{2} << (layout - all),
                             a.format->formula == Formula::floating  ? Domain::floating
                             : a.format->formula == Formula::integer ? Domain::integer
                                                                     : Domain::none,
                             a.type,
                             a.experts};
}

std::optional<InvalidArgument> validate_shape(std::int64_t n, std::int64_t k, std::int64_t inner_k_tiles,
                                              std::int64_t experts) {
  if (!is_inner_k_tiles(inner_k_tiles)) {
    return InvalidArgument{"inner_k_tiles", std::to_string(inner_k_tiles), legal_inner_k_tiles};
  }
  const std::string addressable = std::string("0 or more, and ") + legal_elements;
  if (n < 0 || n > most_elements) return InvalidArgument{"n", std::to_string(n), addressable};
  if (!is_k(k, inner_k_tiles)) {
    return InvalidArgument{"k", std::to_string(k),
                           std::string("0 or more, and ") + legal_k + " = " + std::to_string(16 * inner_k_tiles)};
  }
  if (!is_addressable(std::int64_t{1}, n, k)) return InvalidArgument{"k", std::to_string(k), legal_elements};
  if (experts < 0 || !is_addressable(experts, n, k))
    return InvalidArgument{"experts", std::to_string(experts), addressable};
  return std::nullopt;
}

std::optional<InvalidArgument> validate_group_size(std::int64_t k, std::int64_t group_size) {
  if (is_group_size(group_size, k)) return std::nullopt;
  return InvalidArgument{"group_size", std::to_string(group_size),
                         std::string(legal_group_size) + " = " + std::to_string(k)};
}

std::optional<InvalidArgument> validate(const PackArguments& a) {
  return first_of([&] { return validate_shape(a.n, a.k, a.inner_k_tiles, a.experts); },
                  [&] { return validate_pointer("codes", a.codes, a.experts * (a.n * a.k / 2), 16); },
                  [&] { return validate_pointer("packed", a.packed, words_of(a), 16); });
}

std::optional<InvalidArgument> validate(const UnpackArguments& a) {
  return first_of([&] { return validate_shape(a.n, a.k, a.inner_k_tiles, a.experts); },
                  [&] { return validate_pointer("packed", a.packed, words_of(a), 4); },
                  [&] { return validate_pointer("codes", a.codes, a.experts * a.n * a.k, 16); });
}

std::optional<InvalidArgument> validate(const DequantizeArguments& a) {
  return first_of([&] { return validate_shape(a.n, a.k, a.inner_k_tiles, a.experts); },
                  [&] { return validate_group_size(a.k, a.group_size); },
                  [&] { return validate_pointer("packed", a.packed, words_of(a), 4); },
                  [&] {
                    const std::int64_t of_parameter = a.domain == Domain::floating ? 2 : 1;
                    return validate_pointer("scales", a.scales, parameters_of(a) * of_parameter, bytes_of(a.type));
                  },
                  [&] {
                    const bool used = a.domain == Domain::integer;
                    return validate_pointer("zero_points", a.zero_points, used ? parameters_of(a) : 0, 1);
                  },
                  [&] { return validate_pointer("weights", a.weights, a.experts * a.n * a.k, 16); });
}

std::optional<InvalidArgument> validate(const AnyDequantizeArguments& a) {
  const Format& format = *a.format;
  return first_of([&] { return validate_sizes(a.n, a.k, a.experts, *format.layout, *format.layout); },
                  [&] { return validate_group_size(format, a.k, a.group_size); },
                  [&]() -> std::optional<InvalidArgument> {
                    if (format.weight_type != WeightType::fp32 || a.type == Type::fp32) return std::nullopt;
                    return InvalidArgument{"type", "16 bits", "fp32"};
                  },
                  [&] {
                    const Layout& layout = *format.layout;
                    return validate_tensor(a, {"packed", layout.dtype, layout.dims}, a.packed);
                  },
                  [&] { return validate_tensors(a, format, a.parameters, format.parameter_count()); },
                  [&] { return validate_pointer("weights", a.weights, a.experts * a.n * a.k, 16); });
}

std::optional<InvalidArgument> validate(const ConvertParametersArguments& a) {
  const auto groups = [&](const Format& format) { return validate_group_size(format, a.k, a.group_size); };
  const auto tensors = [&](const Format& format, const void* const* pointers) {
    return validate_tensors(a, format, pointers, format.tensors_of_groups());
  };
  return first_of([&] { return validate_sizes(a.n, a.k, a.experts, *a.source->layout, *a.target->layout); },
                  [&] { return groups(*a.source); }, [&] { return groups(*a.target); },
                  [&] { return tensors(*a.source, a.parameters); }, [&] { return tensors(*a.target, a.converted); },
                  [&] {
                    const bool is_used = a.groups() != 0 && !is_always_convertible(*a.source, *a.target);
                    return validate_pointer("refused", a.refused, is_used ? 1 : 0, sizeof *a.refused);
                  });
}

std::optional<InvalidArgument> validate(const ConvertArguments& a) {
  const auto bytes = [&](const Layout& layout) { return a.experts * layout.padded_n(a.n) * a.k / 2; };
  return first_of([&] { return validate_sizes(a.n, a.k, a.experts, *a.source, *a.target); },
                  [&] { return validate_pointer("packed", a.packed, bytes(*a.source), 1); },
                  [&] { return validate_pointer("converted", a.converted, bytes(*a.target), 16); });
}

}  // namespace tileproof::kernels
