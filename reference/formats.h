/// The formats: a row each, which joins a layout to the schemes that it is used with. A format is added by one line of
/// the list `Formats`, and asked by name or index: as data by `formats`, as types by with_format and with_scheme, so
/// that loops are compiled for one layout.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "reference/format.h"
#include "reference/layouts/awq.h"
#include "reference/layouts/int4pack_cpu.h"
#include "reference/layouts/plain.h"
#include "reference/layouts/tensor_core_tiled.h"
#include "reference/schemes/affine_float.h"
#include "reference/schemes/affine_float_in_steps.h"
#include "reference/schemes/affine_integer.h"
#include "reference/schemes/parameters.h"
#include "reference/schemes/scale_only.h"

namespace tileproof::reference {

// As types, for nvcc 13.0 cannot name a kernel whose template arguments hold a struct as a value.
template <std::int64_t multiple>
struct MultiplesOf {
  static constexpr GroupSizes group_sizes = {.multiple_of = multiple};
};
template <std::int64_t... legal>
struct OnlyOf {
  static constexpr GroupSizes group_sizes = {.only = {legal...}};
};

/// A scheme, where its parameters lie, and the type of its weights.
template <IsScheme S, class P, WeightType type = WeightType::of_parameters>
struct With {
  using Scheme = S;
  using Parameters = P;
  static constexpr WeightType weight_type = type;
};

template <class... T>
struct List {
  static constexpr int count = sizeof...(T);
};

template <class T, class... All>
constexpr bool has_type(List<All...>) {
  return (std::is_same_v<T, All> || ...);
}

/// The place of a type in a list that has it.
template <class T, class... All>
constexpr int index_in(List<All...>) {
  constexpr bool is_it[] = {std::is_same_v<T, All>...};
  static_assert(has_type<T>(List<All...>()));
  int index = 0;
  while (!is_it[index]) ++index;
  return index;
}

/// A format as a type. The first scheme is the default one.
/// @tparam Used  a List of some of `Schemes`
template <IsLayout L, class LegalGroupSizes, ResultOrder order, class Used>
struct FormatOf {
  using Codes = L;
  using Schemes = Used;
  static constexpr GroupSizes group_sizes = LegalGroupSizes::group_sizes;
  static constexpr ResultOrder result = order;

  static constexpr Dims result_dims(Size size) {
    return order == ResultOrder::n_k ? Dims{size.n, size.k} : Dims{size.k, size.n};
  }
  static constexpr std::int64_t result_at(Element element, Size size) {
    return order == ResultOrder::n_k ? element.n * size.k + element.k : element.k * size.n + element.n;
  }
};

/// The three domains of a zero point in PyTorch.
using FloatZeros = With<AffineFloat, ScalesAndZeros>;
using IntegerZeros = With<AffineInteger, ScalesAndZeroPoints>;
using NoZeros = With<ScaleOnly, ScalesAlone>;
using ThreeDomains = List<FloatZeros, IntegerZeros, NoZeros>;

using AwqZeros = With<AffineIntegerOfCodes, ScalesAndPackedZeros<Awq>>;

/// aten's CPU kernels: a weight is fp32 inside a matmul, and never stored.
template <class S>
using Fp32Weights = With<S, ScalesAndZeros, WeightType::always_fp32>;

/// Every scheme that a format is used with. One that several formats have is one of these.
using Schemes = List<FloatZeros, IntegerZeros, NoZeros, AwqZeros, Fp32Weights<AffineFloatStepped>,
                     Fp32Weights<AffineFloatFolded>, Fp32Weights<AffineFloat>>;

template <int inner_k_tiles>
using Tinygemm = FormatOf<TensorCoreTiled<inner_k_tiles>, MultiplesOf<16>, ResultOrder::n_k, ThreeDomains>;

template <CpuCapability capability, class S>
using Int4PackForCpu =
    FormatOf<Int4PackCpu<capability>, OnlyOf<32, 64, 128, 256>, ResultOrder::n_k, List<Fp32Weights<S>>>;

/// Every format, by the name of its layout.
using Formats =
    List<Tinygemm<2>, Tinygemm<4>, Tinygemm<8>, FormatOf<Plain, MultiplesOf<1>, ResultOrder::n_k, ThreeDomains>,
         FormatOf<Awq, MultiplesOf<1>, ResultOrder::k_n, List<AwqZeros>>,
         Int4PackForCpu<CpuCapability::standard, AffineFloatStepped>,
         Int4PackForCpu<CpuCapability::avx2, AffineFloatFolded>, Int4PackForCpu<CpuCapability::avx512, AffineFloat>>;

template <IsLayout L>
constexpr Layout layout_as_data() {
  return {.name = L::name,
          .dtype = L::dtype,
          .dims_text = L::dims_text,
          .unit = unit_name<L>(),
          .bytes_of_unit = static_cast<int>(sizeof(typename L::Storage)),
          .legal = L::legal,
          .padding_code = L::padding_code,
          .is_legal = is_legal<L>,
          .dims = L::dims,
          .padded = padded<L>,
          .slots = slots<L>,
          .slot_of = L::slot_of,
          .element_at = L::element_at,
          .coordinates = coordinates_in_batch<L>};
}

template <class Used>
constexpr Scheme scheme_as_data() {
  using S = typename Used::Scheme;
  using P = typename Used::Parameters;
  return {.name = S::name,
          .weight_type = Used::weight_type,
          .zero_kind = S::zero_kind,
          .zero_points = S::zero_points,
          .weight = weight<S>,
          .tensors = P::tensors,
          .tensor_count = static_cast<int>(sizeof P::tensors / sizeof P::tensors[0]),
          .zeros_are_packed = P::zeros_are_packed,
          .scale_at = P::scale_at,
          .zero_at = P::zero_at};
}

template <class All>
struct SchemesAsData;
template <class... Used>
struct SchemesAsData<List<Used...>> {
  static constexpr Scheme rows[] = {scheme_as_data<Used>()...};
};

/// `Schemes` as data, in its order: a scheme of several formats is one object.
inline constexpr const auto& schemes = SchemesAsData<Schemes>::rows;
template <class Used>
inline constexpr const Scheme* row_of_scheme = &schemes[index_in<Used>(Schemes())];

template <class F>
constexpr Format format_as_data() {
  const auto with_schemes = []<class... Used>(List<Used...>) -> Format {
    static_assert(sizeof...(Used) <= Format::most_schemes);
    return {.name = F::Codes::name,
            .layout = layout_as_data<typename F::Codes>(),
            .schemes = {row_of_scheme<Used>...},
            .scheme_count = sizeof...(Used),
            .group_sizes = F::group_sizes,
            .result = F::result,
            .result_dims = F::result_dims,
            .result_at = F::result_at};
  };
  return with_schemes(typename F::Schemes());
}

template <class All>
struct FormatsAsData;
template <class... F>
struct FormatsAsData<List<F...>> {
  static constexpr Format rows[] = {format_as_data<F>()...};
};

/// `Formats` as data, in its order.
inline constexpr const auto& formats = FormatsAsData<Formats>::rows;

/// @return the one of `formats` that has the name, or nullptr
constexpr const Format* format_named(std::string_view name) {
  for (const Format& format : formats) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

/// The place of a row among `formats`, or `schemes`: what with_format and with_scheme take.
constexpr int index_of(const Format& format) { return static_cast<int>(&format - &formats[0]); }
constexpr int index_of(const Scheme& scheme) { return static_cast<int>(&scheme - &schemes[0]); }

/// Calls `use` with the index-th type of a list.
template <class Use, class First, class... Others>
constexpr decltype(auto) with_type_at(List<First, Others...>, int index, Use&& use) {
  if constexpr (sizeof...(Others) != 0) {
    if (index != 0) return with_type_at(List<Others...>(), index - 1, use);
  }
  return use.template operator()<First>();
}

/// Calls `use.operator()<F>()` with the FormatOf of a row; F::Codes is its layout.
/// @param index  of the row, 0 <= index < Formats::count
template <class Use>
constexpr decltype(auto) with_format(int index, Use&& use) {
  return with_type_at(Formats(), index, use);
}

/// Calls `use.operator()<L>()` with the layout of a row.
template <class Use>
constexpr decltype(auto) with_layout(int index, Use&& use) {
  return with_format(index, [&]<class F>() -> decltype(auto) { return use.template operator()<typename F::Codes>(); });
}

/// Calls `use.operator()<Used>()` with a With.
/// @param index  of the scheme, 0 <= index < Schemes::count
template <class Use>
constexpr decltype(auto) with_scheme(int index, Use&& use) {
  return with_type_at(Schemes(), index, use);
}

}  // namespace tileproof::reference
