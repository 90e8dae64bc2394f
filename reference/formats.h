/// The formats: a row each, which joins a layout to the schemes that it is used with. A format is added by one line of
/// the list `Formats`, and asked by name or index: as data by `formats`, as types by with_format and with_scheme, so
/// that loops are compiled for one layout.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "reference/format.h"
#include "reference/layouts/awq.h"
#include "reference/layouts/flat.h"
#include "reference/layouts/gguf.h"
#include "reference/layouts/int4pack_cpu.h"
#include "reference/layouts/marlin.h"
#include "reference/layouts/plain.h"
#include "reference/layouts/tensor_core_tiled.h"
#include "reference/layouts/words_of_eight.h"
#include "reference/schemes/affine_float.h"
#include "reference/schemes/affine_float_in_steps.h"
#include "reference/schemes/affine_integer.h"
#include "reference/schemes/codebook.h"
#include "reference/schemes/parameters.h"
#include "reference/schemes/scale_and_bias.h"
#include "reference/schemes/scale_only.h"
#include "reference/schemes/scaled_e2m1.h"

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

template <class T>
struct FirstIn;
template <class First, class... Others>
struct FirstIn<List<First, Others...>> {
  using type = First;
};
template <class All>
using FirstOf = typename FirstIn<All>::type;

/// The place of a type in a list that has it.
template <class T, class... All>
constexpr int index_in(List<All...>) {
  constexpr bool is_it[] = {std::is_same_v<T, All>...};
  static_assert(has_type<T>(List<All...>()));
  int index = 0;
  while (!is_it[index]) ++index;
  return index;
}

/// The groups of a matrix are runs of a row: group_size divides k.
struct GroupsOfRows {
  static constexpr bool divide_rows = true;
  static constexpr Size groups(Size size, std::int64_t group_size) { return {size.n, divided(size.k, group_size)}; }
  static constexpr Element group_of(Element element, Size /*size*/, std::int64_t group_size) {
    return {element.n, divided(element.k, group_size)};
  }
  /// The column behind the last one of a row that is in an element's group.
  static constexpr std::int64_t group_end(Element element, Size /*size*/, std::int64_t group_size) {
    return (divided(element.k, group_size) + 1) * group_size;
  }
};

/// The groups of a matrix are runs of all its elements, which may cross rows; the last one may be shorter. They are
/// those of one row.
struct GroupsOfElements {
  static constexpr bool divide_rows = false;
  static constexpr Size groups(Size size, std::int64_t group_size) {
    return {1, divided(size.n * size.k + group_size - 1, group_size)};
  }
  static constexpr Element group_of(Element element, Size size, std::int64_t group_size) {
    return {0, divided(element.n * size.k + element.k, group_size)};
  }
  static constexpr std::int64_t group_end(Element element, Size size, std::int64_t group_size) {
    const std::int64_t index = element.n * size.k + element.k;
    const std::int64_t end = element.k + group_size - (index - divided(index, group_size) * group_size);
    return end < size.k ? end : size.k;
  }
};

/// A format as a type. The first scheme is the default one.
/// @tparam Used  a List of some of `Schemes`
/// @tparam GroupsOf  which elements share parameters
template <IsLayout L, class LegalGroupSizes, ResultOrder order, class Used, class GroupsOf = GroupsOfRows>
struct FormatOf : GroupsOf {
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
using NoZeros = With<ScaleOnly, ScalesAlone<ByGroup>>;
using ThreeDomains = List<FloatZeros, IntegerZeros, NoZeros>;

using AwqZeros = With<AffineIntegerOfCodes, ScalesAndPackedZeros<ByGroup, Awq>>;
using GptqTwoZeros = With<AffineIntegerOfCodes, ScalesAndPackedZeros<ByGroup, GptqZeros>>;
/// A stored 15 stands for 16, as ExLlama's kernels and AutoGPTQ read it; others read 0, or carry into the next nibble.
using GptqOneZeros = With<AffineIntegerFromOne, ScalesAndPackedZeros<ByGroup, GptqZeros, /*less=*/1>>;
using MarlinTwoZeros = With<AffineIntegerOfCodes, ScalesAndPackedZeros<ByGroupForMarlin, MarlinZeros>>;
using MarlinSymmetric = With<Symmetric, ScalesAlone<ByGroupForMarlin>>;
using PackQuantizedRows = With<AffineIntegerOfCodes, ScalesAndPackedZeros<ByRow, PackQuantizedZeros>>;
using SymmetricRows = With<Symmetric, ScalesAlone<ByRow>>;
/// bitsandbytes: an fp32 number a block, of which a matrix has one row.
template <class Table>
using LookedUp = With<Codebook<Table>, ScalesAlone<ByGroup>, WeightType::any_of_fp32>;
using MxRows = With<ScaledE2m1, ScalesAlone<ByRow>, WeightType::any_of_e8m0>;
using Nvfp4Rows = With<MultipliedE2m1, ScalesAndFactor<ByRow>, WeightType::any_of_e4m3>;
using Nvfp4Swizzled = With<SwizzledE2m1, ScalesAndFactor<Swizzled>, WeightType::any_of_e4m3>;
using Nvfp4Divided = With<DividedE2m1, ScalesAndFactor<ByRow>, WeightType::any_of_e4m3>;
using Q40Blocks = With<Symmetric, InBlocks<Q40, 2, false>, WeightType::fp32_of_fp16>;
using Q41Blocks = With<ScaleAndMinimum, InBlocks<Q41, 2, true>, WeightType::fp32_of_fp16>;
using Q4KBlocks = With<FactoredScaleAndMinimum, InBlocksOfEight, WeightType::fp32_of_fp16>;
using MxBlocks = With<ScaledE2m1OfGguf, InBlocks<Mxfp4Gguf, 1, false>, WeightType::fp32_of_e8m0>;
using BiasedRows = With<ScaleAndBias, ScalesAndBiases<ByRow>>;

/// aten's CPU kernels: a weight is fp32 inside a matmul, and never stored.
template <class S>
using Fp32Weights = With<S, ScalesAndZeros, WeightType::always_fp32>;

/// Every scheme that a format is used with. One that several formats have is one of these.
using Schemes =
    List<FloatZeros, IntegerZeros, NoZeros, AwqZeros, Fp32Weights<AffineFloatStepped>, Fp32Weights<AffineFloatFolded>,
         Fp32Weights<AffineFloat>, GptqTwoZeros, GptqOneZeros, BiasedRows, PackQuantizedRows, SymmetricRows,
         LookedUp<Nf4Table>, LookedUp<Fp4Table>, MxRows, Q40Blocks, Q41Blocks, MxBlocks, MarlinSymmetric,
         MarlinTwoZeros, Nvfp4Rows, Nvfp4Swizzled, Nvfp4Divided, Q4KBlocks>;

template <int inner_k_tiles>
using Tinygemm = FormatOf<TensorCoreTiled<inner_k_tiles>, MultiplesOf<16>, ResultOrder::n_k, ThreeDomains>;

template <CpuCapability capability, class S>
using Int4PackForCpu =
    FormatOf<Int4PackCpu<capability>, OnlyOf<32, 64, 128, 256>, ResultOrder::n_k, List<Fp32Weights<S>>>;

template <class L, class Table>
using Bitsandbytes = FormatOf<L, OnlyOf<32, 64, 128, 256, 512, 1024, 2048, 4096>, ResultOrder::n_k,
                              List<LookedUp<Table>>, GroupsOfElements>;

/// Groups of any size that divides k.
using AnySize = MultiplesOf<1>;

/// Every format, by the name of its layout.
using Formats =
    List<Tinygemm<2>, Tinygemm<4>, Tinygemm<8>, FormatOf<Plain, AnySize, ResultOrder::n_k, ThreeDomains>,
         FormatOf<Awq, AnySize, ResultOrder::k_n, List<AwqZeros>>,
         Int4PackForCpu<CpuCapability::standard, AffineFloatStepped>,
         Int4PackForCpu<CpuCapability::avx2, AffineFloatFolded>, Int4PackForCpu<CpuCapability::avx512, AffineFloat>,
         FormatOf<Gptq, AnySize, ResultOrder::k_n, List<GptqTwoZeros>>,
         FormatOf<GptqV1, AnySize, ResultOrder::k_n, List<GptqOneZeros>>,
         FormatOf<Marlin, MultiplesOf<16>, ResultOrder::k_n, List<MarlinSymmetric, MarlinTwoZeros>>,
         FormatOf<Mlx, OnlyOf<32, 64, 128>, ResultOrder::n_k, List<BiasedRows>>,
         FormatOf<PackQuantized, AnySize, ResultOrder::n_k, List<PackQuantizedRows, SymmetricRows>>,
         FormatOf<PlainInt32, AnySize, ResultOrder::n_k, List<IntegerZeros, NoZeros>>, Bitsandbytes<Nf4, Nf4Table>,
         Bitsandbytes<Fp4, Fp4Table>, FormatOf<Mxfp4, OnlyOf<32>, ResultOrder::n_k, List<MxRows>>,
         FormatOf<Nvfp4, OnlyOf<16>, ResultOrder::n_k, List<Nvfp4Rows, Nvfp4Swizzled, Nvfp4Divided>>,
         FormatOf<Q40, OnlyOf<32>, ResultOrder::n_k, List<Q40Blocks>>,
         FormatOf<Q41, OnlyOf<32>, ResultOrder::n_k, List<Q41Blocks>>,
         FormatOf<Q4K, OnlyOf<32>, ResultOrder::n_k, List<Q4KBlocks>>,
         FormatOf<Mxfp4Gguf, OnlyOf<32>, ResultOrder::n_k, List<MxBlocks>>>;

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

template <class P>
constexpr BlockForm block_form() {
  if constexpr (P::in_blocks) return P::block;
  return {};
}

template <class P, bool of_zero>
constexpr auto place_of_parameter() -> std::int64_t (*)(Element, Size) {
  if constexpr (P::in_blocks) {
    return nullptr;
  } else {
    return of_zero ? P::zero_at : P::scale_at;
  }
}

template <class Used>
constexpr Scheme scheme_as_data() {
  using S = typename Used::Scheme;
  using P = typename Used::Parameters;
  return {.name = S::name,
          .weight_type = Used::weight_type,
          .zero_kind = S::zero_kind,
          .zero_points = S::zero_points,
          .midpoint = S::midpoint,
          .has_factor = has_factor<S>,
          .weight = weight<S>,
          .unrounded = unrounded<S>,
          .tensors = P::tensors,
          .tensor_count = tensor_count<P>,
          .groups_of_number = groups_of_number<S>(),
          .in_blocks = P::in_blocks,
          .block = block_form<P>(),
          .zeros_are_packed = P::zeros_are_packed,
          .stored_less = P::stored_less,
          .scale_at = place_of_parameter<P, false>(),
          .zero_at = place_of_parameter<P, true>()};
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
            .groups_divide_rows = F::divide_rows,
            .groups = F::groups,
            .group_of = F::group_of,
            .group_end = F::group_end,
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

/// @return whether the type that stands at an index of a list is one of some
template <class... Some, class All>
constexpr bool is_one_of(List<Some...>, All, int index) {
  return ((index_in<Some>(All()) == index) || ...);
}

/// Calls `use.operator()<T>()` with the type that stands at an index of a list, if it is one of some that are wanted.
/// @return whether it is
template <class... Some, class All, class Use>
constexpr bool with_one_of(List<Some...>, All, int index, Use&& use) {
  const auto use_if = [&]<class T>() {
    if (index != index_in<T>(All())) return false;
    use.template operator()<T>();
    return true;
  };
  return (use_if.template operator()<Some>() || ...);
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
