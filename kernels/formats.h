/// The formats that the kernels dequantize, or convert the parameters of: a layout, how a weight is computed of a code,
/// and the tensors of parameters. A row of the list `formats` at the end is all that a format needs here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "kernels/layouts.h"

namespace tileproof::kernels {

// Flat: all elements one after the other, two a byte, the even one in the high half. bitsandbytes'.
constexpr Layout flat(const char* name) {
  return {.name = name, .dtype = "uint8", .dims = {{{'e', 1, 2}, {'1'}}}, .order = {}};
}
// Blocks of a row's elements, each with its parameters before its codes. GGUF's.
constexpr Layout in_blocks(const char* name, int elements, int bytes) {
  return {
      .name = name, .dtype = "uint8", .dims = {{{'n'}, {'k', bytes, elements}}}, .k_multiple = elements, .order = {}};
}
inline constexpr Layout nf4_layout = flat("nf4"), fp4_layout = flat("fp4"), q4_0_layout = in_blocks("q4_0", 32, 18),
                        q4_1_layout = in_blocks("q4_1", 32, 20), q4_k_layout = in_blocks("q4_k", 256, 144);

/// How a weight is computed. Each has one rounding to the weight's type, but for nf4 and fp4.
enum class Formula {
  floating,   // (code - 8) * scale + zero
  integer,    // (code - zero_point) * scale
  none,       // code * scale
  symmetric,  // (code - 8) * scale
  nf4,        // table[code] * absmax, rounded to fp32 and then to the weight's type
  fp4,
  q4_0,  // (code - 8) * d
  q4_1,  // code * d + m
  q4_k   // code * (d * scale) - dmin * minimum
};

constexpr const char* formula_text(Formula formula) {
  switch (formula) {
    case Formula::floating:
      return "(code - 8) * scale + zero";
    case Formula::integer:
      return "(code - zero_point) * scale";
    case Formula::none:
      return "code * scale";
    case Formula::symmetric:
      return "(code - 8) * scale";
    case Formula::nf4:
    case Formula::fp4:
      return "table[code] * scale, rounded to float32 and then to T";
    case Formula::q4_0:
      return "(code - 8) * d";
    case Formula::q4_1:
      return "code * d + m";
    case Formula::q4_k:
      return "code * (d * scale) - dmin * minimum";
  }
  return "";
}

/// How zero points lie, where they are packed: eight columns a word, the first in its low half.
enum class ZeroPoints {
  int8,             // not packed
  as_awq,           // in the order of AWQ's codes
  in_order,         // in their own order
  in_order_less_1,  // and each stored less one: they are 1 to 16
  as_marlin         // of 64 columns, the word of column n % 8, with n / 8 in the order of AWQ's codes
};

/// Columns in their own order, as bits of a place in a row of parameters.
inline constexpr Order in_their_order = Order::of(Axis::n);
/// The order of packed zero points, as bits of a nibble's number in a row of them.
constexpr Order order_of(ZeroPoints zero_points) {
  if (zero_points == ZeroPoints::as_awq) return Order::of(Axis::n, n(1), n(2), n(0));
  if (zero_points == ZeroPoints::as_marlin) return Order::of(Axis::n, n(4), n(5), n(3), n(0), n(1), n(2));
  return in_their_order;
}
constexpr bool are_packed(ZeroPoints zero_points) { return zero_points != ZeroPoints::int8; }
constexpr int stored_less(ZeroPoints zero_points) { return zero_points == ZeroPoints::in_order_less_1 ? 1 : 0; }

/// Whole numbers, the first and the last included.
struct WholeNumbers {
  int first, last;
  constexpr bool hold(WholeNumbers others) const { return first <= others.first && others.last <= last; }
};

/// A tensor of parameters.
struct Parameter {
  const char* name;
  const char* dtype;  // nullptr: the type of the weights
  Dims dims;
};

/// The types of a format's weights.
enum class WeightType { of_scales, any, fp32 };

/// The operators that take a format with its parameters.
enum class Use { dequantize, convert_parameters };

/// How the scales of a row of groups lie.
enum class ScaleOrder { by_column, as_marlin };

/// A format as data.
struct Format {
  static constexpr int most_parameters = 4;
  const Layout* layout;  // whose name is the format's
  const char* scheme;
  Formula formula;
  Parameter parameters[most_parameters] = {};  // those behind the last one have no name
  ZeroPoints zero_points = ZeroPoints::int8;
  Axis columns = Axis::k;  // whose numbers run along a row of the weights: k of [n][k], n of [k][n]
  WeightType weight_type = WeightType::of_scales;
  int group_multiple = 1;          // group_size is a multiple of this
  int most_group = 0;              // and a power of two up to this, where this is not 0
  bool groups_divide_rows = true;  // and divides k
  ScaleOrder scales = ScaleOrder::by_column;
  bool is_dequantized = true;

  constexpr std::string_view name() const { return layout->name; }
  constexpr int parameter_count() const {
    int count = 0;
    while (count < most_parameters && parameters[count].name != nullptr) ++count;
    return count;
  }
  /// Whether a group's parameters are a scale and a constant in tensors, so that another format can have the same.
  constexpr bool has_convertible_parameters() const {
    return formula == Formula::floating || formula == Formula::integer || formula == Formula::none ||
           formula == Formula::symmetric;
  }
  constexpr bool serves(Use use) const {
    return use == Use::dequantize ? is_dequantized : has_convertible_parameters();
  }
  /// The zero points that the format can state; where it has none, the one that its formula has.
  constexpr WholeNumbers zero_point_range() const {
    if (formula == Formula::none) return {0, 0};
    if (formula == Formula::symmetric) return {8, 8};
    if (!are_packed(zero_points)) return {-128, 127};
    return {stored_less(zero_points), 15 + stored_less(zero_points)};
  }
  constexpr bool has_order_of_columns() const { return parameter_count() > 2 && formula == Formula::integer; }
  /// How many tensors hold numbers of groups: the order of columns is none.
  constexpr int tensors_of_groups() const { return parameter_count() - (has_order_of_columns() ? 1 : 0); }
  /// The order of the scales of a row of groups, as bits of a place there.
  constexpr Order order_of_scales(std::int64_t groups_of_row) const {
    if (scales == ScaleOrder::by_column) return in_their_order;
    // Marlin puts the j-th columns of each eight of 64 together. Where a row has one group, it puts pairs of neighbours
    // together that are eight apart in 32 columns.
    return groups_of_row == 1 ? Order::of(Axis::n, n(0), n(3), n(4), n(1), n(2))
                              : Order::of(Axis::n, n(3), n(4), n(5), n(0), n(1), n(2));
  }
  constexpr bool is_group_size(std::int64_t group_size, std::int64_t k) const {
    if (group_size < 1 || group_size % group_multiple != 0) return false;
    if (groups_divide_rows && k % group_size != 0) return false;
    return most_group == 0 || (group_size <= most_group && (group_size & (group_size - 1)) == 0);
  }
  std::string legal_group_size() const {
    const std::string multiple = std::to_string(group_multiple);
    if (most_group == group_multiple) return multiple;
    const std::string divides = groups_divide_rows ? " that divides k" : "";
    if (most_group != 0) return "a power of two from " + multiple + " to " + std::to_string(most_group) + divides;
    return group_multiple == 1 ? "a positive divisor of k" : "a positive multiple of " + multiple + divides;
  }
};

namespace rows_of_formats {

inline constexpr Dims by_group = {{{'g'}, {'n'}}};
inline constexpr Parameter scales = {"scales", nullptr, by_group};
inline constexpr Parameter packed_zeros = {"zeros", "int32", {{{'g'}, {'n', 1, 8}}}};
inline constexpr Parameter group_of_columns = {"g_idx", "int32", {{{'k'}}}};

constexpr Format floating(const Layout& layout, int group_multiple) {
  return {.layout = &layout,
          .scheme = "float",
          .formula = Formula::floating,
          .parameters = {{"scales_and_zeros", nullptr, {{{'g'}, {'n'}, {'1', 2}}}}},
          .group_multiple = group_multiple};
}
constexpr Format integer(const Layout& layout, int group_multiple) {
  return {.layout = &layout,
          .scheme = "integer",
          .formula = Formula::integer,
          .parameters = {scales, {"zero_points", "int8", by_group}},
          .group_multiple = group_multiple};
}
constexpr Format none(const Layout& layout, int group_multiple) {
  return {.layout = &layout,
          .scheme = "none",
          .formula = Formula::none,
          .parameters = {scales},
          .group_multiple = group_multiple};
}
/// Weights [k][n] and packed zero points.
constexpr Format packed(const Layout& layout, ZeroPoints zero_points, bool has_order = false) {
  return {.layout = &layout,
          .scheme = "integer",
          .formula = Formula::integer,
          .parameters = {scales, packed_zeros, has_order ? group_of_columns : Parameter{}},
          .zero_points = zero_points,
          .columns = Axis::n};
}
constexpr Format looked_up(const Layout& layout, Formula formula, bool is_nested) {
  const Dims blocks = {{{'b'}}};
  return {.layout = &layout,
          .scheme = layout.name,
          .formula = formula,
          .parameters = {{"scales", is_nested ? "uint8" : "float32", blocks},
                         is_nested ? Parameter{"scales_of_scales", "float32", {{{'b', 1, 256}}}} : Parameter{},
                         is_nested ? Parameter{"code_of_scales", "float32", {{{'1', 256}}}} : Parameter{},
                         is_nested ? Parameter{"offset_of_scales", "float32", {{{'1'}}}} : Parameter{}},
          .weight_type = WeightType::any,
          .group_multiple = 32,
          .most_group = 4096,
          .groups_divide_rows = false};
}
constexpr Format with_parameters_inside(const Layout& layout, const char* scheme, Formula formula) {
  return {.layout = &layout,
          .scheme = scheme,
          .formula = formula,
          .weight_type = WeightType::fp32,
          .group_multiple = 32,
          .most_group = 32};
}

/// Marlin's, whose weights a matmul computes and nobody stores.
constexpr Format marlin(bool is_symmetric) {
  return {.layout = &Marlin::row,
          .scheme = is_symmetric ? "symmetric" : "integer",
          .formula = is_symmetric ? Formula::symmetric : Formula::integer,
          .parameters = {scales, is_symmetric ? Parameter{} : packed_zeros},
          .zero_points = is_symmetric ? ZeroPoints::int8 : ZeroPoints::as_marlin,
          .columns = Axis::n,
          .group_multiple = 16,
          .scales = ScaleOrder::as_marlin,
          .is_dequantized = false};
}
/// aten's for CPUs, likewise.
constexpr Format int4pack_cpu(const Layout& layout, const char* scheme) {
  Format format = floating(layout, 32);
  format.scheme = scheme;
  format.most_group = 256;
  format.is_dequantized = false;
  return format;
}

}  // namespace rows_of_formats

/// A format and scheme may have several rows, with more parameters or fewer.
inline constexpr Format formats[] = {
    rows_of_formats::floating(Tinygemm2::row, 16),
    rows_of_formats::integer(Tinygemm2::row, 16),
    rows_of_formats::none(Tinygemm2::row, 16),
    rows_of_formats::floating(Tinygemm4::row, 16),
    rows_of_formats::integer(Tinygemm4::row, 16),
    rows_of_formats::none(Tinygemm4::row, 16),
    rows_of_formats::floating(Tinygemm8::row, 16),
    rows_of_formats::integer(Tinygemm8::row, 16),
    rows_of_formats::none(Tinygemm8::row, 16),
    rows_of_formats::floating(Plain::row, 1),
    rows_of_formats::integer(Plain::row, 1),
    rows_of_formats::none(Plain::row, 1),
    rows_of_formats::integer(PlainInt32::row, 1),
    rows_of_formats::none(PlainInt32::row, 1),
    rows_of_formats::packed(Awq::row, ZeroPoints::as_awq),
    rows_of_formats::packed(Gptq::row, ZeroPoints::in_order),
    rows_of_formats::packed(Gptq::row, ZeroPoints::in_order, /*has_order=*/true),
    rows_of_formats::packed(GptqV1::row, ZeroPoints::in_order_less_1),
    rows_of_formats::packed(GptqV1::row, ZeroPoints::in_order_less_1, /*has_order=*/true),
    rows_of_formats::looked_up(nf4_layout, Formula::nf4, /*is_nested=*/false),
    rows_of_formats::looked_up(nf4_layout, Formula::nf4, /*is_nested=*/true),
    rows_of_formats::looked_up(fp4_layout, Formula::fp4, /*is_nested=*/false),
    rows_of_formats::looked_up(fp4_layout, Formula::fp4, /*is_nested=*/true),
    rows_of_formats::with_parameters_inside(q4_0_layout, "symmetric", Formula::q4_0),
    rows_of_formats::with_parameters_inside(q4_1_layout, "minimum", Formula::q4_1),
    rows_of_formats::with_parameters_inside(q4_k_layout, "minimum-of-factors", Formula::q4_k),
    rows_of_formats::marlin(/*is_symmetric=*/true),
    rows_of_formats::marlin(/*is_symmetric=*/false),
    rows_of_formats::int4pack_cpu(Int4PackCpuDefault::row, "float-stepped"),
    rows_of_formats::int4pack_cpu(Int4PackCpuAvx2::row, "float-folded"),
    rows_of_formats::int4pack_cpu(Int4PackCpuAvx512::row, "float")};

/// The rows that dequantize takes. They come first.
inline constexpr std::span<const Format> dequantized_formats = [] {
  std::size_t count = 0;
  while (formats[count].is_dequantized) ++count;
  return std::span(formats, count);
}();
static_assert([] {
  for (const Format& format : std::span(formats).subspan(dequantized_formats.size())) {
    if (format.is_dequantized) return false;
  }
  return true;
}());

/// Whether a row is the first of those that have its name and, where it is asked about them, its scheme.
constexpr bool is_first(const Format& row, bool of_scheme) {
  for (const Format* one = formats; one != &row; ++one) {
    if (one->name() == row.name() && (!of_scheme || one->scheme == std::string_view(row.scheme))) return false;
  }
  return true;
}
constexpr bool has_format(Use use, std::string_view name) {
  for (const Format& format : formats) {
    if (format.serves(use) && name == format.name()) return true;
  }
  return false;
}
/// "tinygemm-2, tinygemm-4, ...", all that serve it.
inline std::string formats_text(Use use) {
  std::string text;
  for (const Format& format : formats) {
    if (format.serves(use) && is_first(format, false)) text += (text.empty() ? "" : ", ") + std::string(format.name());
  }
  return text;
}
/// "float, integer, none": the schemes of a format.
inline std::string schemes_text(Use use, std::string_view name) {
  std::string text;
  for (const Format& format : formats) {
    const bool is_new = name == format.name() && format.serves(use) && is_first(format, true);
    if (is_new) text += (text.empty() ? "" : ", ") + std::string(format.scheme);
  }
  return text;
}
/// "scales, zeros; or scales, zeros, g_idx": the parameters of a format's scheme; "" where it has no such scheme.
inline std::string parameters_text(Use use, std::string_view name, std::string_view scheme) {
  std::string text;
  for (const Format& format : formats) {
    if (!format.serves(use) || name != format.name() || scheme != format.scheme) continue;
    text += text.empty() ? "" : "; or ";
    for (int i = 0; i < format.parameter_count(); ++i)
      text += (i == 0 ? "" : ", ") + std::string(format.parameters[i].name);
    if (format.parameter_count() == 0) text += "none";
  }
  return text;
}

/// @param parameters  how many tensors there are of them
/// @return the row, or nullptr
constexpr const Format* format_named(Use use, std::string_view name, std::string_view scheme, int parameters) {
  for (const Format& format : formats) {
    const bool is_it = name == format.name() && scheme == format.scheme && parameters == format.parameter_count();
    if (is_it && format.serves(use)) return &format;
  }
  return nullptr;
}
/// The row of a format whose columns have an order of their own, or of one whose columns have none.
/// @return the row, or nullptr
constexpr const Format* format_to_convert_to(std::string_view name, std::string_view scheme, bool has_order) {
  for (const Format& format : formats) {
    const bool is_it = name == format.name() && scheme == format.scheme && format.has_order_of_columns() == has_order;
    if (is_it && format.serves(Use::convert_parameters)) return &format;
  }
  return nullptr;
}
/// Whether some scheme of a format has an order of columns.
constexpr bool takes_order_of_columns(std::string_view name) {
  for (const Format& format : formats) {
    if (name == format.name() && format.has_order_of_columns()) return true;
  }
  return false;
}
/// Whether no group can be refused, whatever its numbers are.
constexpr bool is_always_convertible(const Format& source, const Format& target) {
  if (source.formula == Formula::floating) return target.formula == Formula::floating;
  if (target.formula == Formula::floating) return source.formula == Formula::symmetric;
  return target.zero_point_range().hold(source.zero_point_range());
}

}  // namespace tileproof::kernels
