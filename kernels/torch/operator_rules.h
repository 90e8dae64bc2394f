/// What the PyTorch operators take: a table of the operators, and one of the rules about their arguments.
///
/// The rules are asked by torch/operators.cpp, and printed as ARGUMENTS.md (operator_document.h). Fake tensors, whose
/// sizes a compiler may leave open, ask the same ones in Python (fuzz/python/tileproof/ops.py); operators_test.py holds
/// them against these. No torch here: a tensor is anything with
///
///   std::int64_t dim() const;        // how many dimensions
///   std::int64_t size(int dimension) const;  // from the end: -1 is the last
///   bool is(Element) const;          // whether its elements are of that type
///   auto device() const;             // anything that compares
///   std::string text() const;        // "int32 [3, 2, 32, 1] on cpu"
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/arguments.h"
#include "kernels/rules.h"

namespace tileproof::kernels {

enum class Argument {
  none,  // behind the last of an operator
  codes,
  packed_w,
  packed,
  scales_and_zeros,
  scales,
  zero_points,
  group_size,
  inner_k_tiles,
  n,
  k,
  source_format,
  target_format,
  parameters,
  parameter_0,  // and those behind it: of the list `parameters`, not in the schema
  parameter_1,
  parameter_2,
  parameter_3,
  format,
  scheme,
  group_size_of_format,
  dtype,
  // convert_parameters takes these.
  source_format_of_parameters,
  source_scheme,
  target_format_of_parameters,
  target_scheme,
  rounding
};

/// An argument's name, and its type in the schema. A compiler may leave a SymInt open; inner_k_tiles, one of
/// three numbers that decide the layout, is an int.
struct ArgumentRow {
  Argument argument;
  const char* name;
  const char* type;
  const char* default_value = "";  // as the schema has it
};
inline constexpr ArgumentRow argument_rows[] = {{Argument::none, "", ""},
                                                {Argument::codes, "codes", "Tensor"},
                                                {Argument::packed_w, "packed_w", "Tensor"},
                                                {Argument::packed, "packed", "Tensor"},
                                                {Argument::scales_and_zeros, "scales_and_zeros", "Tensor"},
                                                {Argument::scales, "scales", "Tensor"},
                                                {Argument::zero_points, "zero_points", "Tensor"},
                                                {Argument::group_size, "group_size", "SymInt"},
                                                {Argument::inner_k_tiles, "inner_k_tiles", "int"},
                                                {Argument::n, "n", "SymInt"},
                                                {Argument::k, "k", "SymInt"},
                                                {Argument::source_format, "source_format", "str"},
                                                {Argument::target_format, "target_format", "str"},
                                                {Argument::parameters, "parameters", "Tensor[]"},
                                                {Argument::parameter_0, "parameters[0]", "Tensor"},
                                                {Argument::parameter_1, "parameters[1]", "Tensor"},
                                                {Argument::parameter_2, "parameters[2]", "Tensor"},
                                                {Argument::parameter_3, "parameters[3]", "Tensor"},
                                                {Argument::format, "format", "str"},
                                                {Argument::scheme, "scheme", "str"},
                                                {Argument::group_size_of_format, "group_size", "SymInt"},
                                                {Argument::dtype, "dtype", "ScalarType?", "=None"},
                                                {Argument::source_format_of_parameters, "source_format", "str"},
                                                {Argument::source_scheme, "source_scheme", "str"},
                                                {Argument::target_format_of_parameters, "target_format", "str"},
                                                {Argument::target_scheme, "target_scheme", "str"},
                                                {Argument::rounding, "rounding", "str", "=\"exact\""}};
inline constexpr std::size_t argument_count = std::size(argument_rows);
static_assert([] {
  for (std::size_t i = 0; i < argument_count; ++i) {
    if (static_cast<std::size_t>(argument_rows[i].argument) != i) return false;
  }
  return true;
}());
constexpr const ArgumentRow& row_of(Argument argument) { return argument_rows[static_cast<int>(argument)]; }
constexpr bool is_tensor(Argument argument) { return std::string_view(row_of(argument).type) == "Tensor"; }
constexpr bool is_text(Argument argument) { return std::string_view(row_of(argument).type) == "str"; }
constexpr bool is_list(Argument argument) { return argument == Argument::parameters; }
constexpr bool is_type(Argument argument) { return argument == Argument::dtype; }
constexpr Argument parameter(int number) {
  return static_cast<Argument>(static_cast<int>(Argument::parameter_0) + number);
}
constexpr bool is_parameter(Argument argument) {
  return Argument::parameter_0 <= argument && argument <= Argument::parameter_3;
}

struct Operator {
  const char* name;
  std::array<Argument, 10> arguments;  // in the order of the schema; a type comes last, and by its name alone
  const char* meaning;
  const char* result;
  const char* result_type = "Tensor";

  /// @param group_size  the type of that argument: SymInt or int
  std::string schema(const std::string& group_size = "SymInt") const {
    std::string text;
    for (const Argument argument : arguments) {
      if (argument == Argument::none) break;
      text += text.empty() ? "(" : ", ";
      if (is_type(argument)) text += "*, ";
      text += row_of(argument).name == std::string_view("group_size") ? group_size : row_of(argument).type;
      text += std::string(" ") + row_of(argument).name + row_of(argument).default_value;
    }
    return name + text + ") -> " + result_type;
  }
};

inline constexpr Operator pack_operator = {
    "pack",
    {Argument::codes, Argument::inner_k_tiles},
    "Codes into the tensor-core-tiled layout. Rows past n in the last n-tile become code 0.",
    "int32 `[ceil(n/8)][k/(16*inner_k_tiles)][32][inner_k_tiles/2]`"};
inline constexpr Operator unpack_operator = {"unpack_tensor_core_tiled_layout",
                                             {Argument::packed_w, Argument::inner_k_tiles},
                                             "The codes 0..15 of every row of every n-tile: n is 8 * n_tiles.",
                                             "int32 `[n][k]`"};
inline constexpr Operator dequantize_operator = {
    "dequantize_tensor_core_tiled_layout",
    {Argument::packed_w, Argument::scales_and_zeros, Argument::group_size, Argument::inner_k_tiles},
    "(code - 8) * scale + zero, rounded once.",
    "`[n][k]` of the type of scales_and_zeros"};
inline constexpr Operator dequantize_integer_operator = {
    "dequantize_integer",
    {Argument::packed_w, Argument::scales, Argument::zero_points, Argument::group_size, Argument::inner_k_tiles},
    "(code - zero_point) * scale, rounded once.",
    "`[n][k]` of the type of scales"};
inline constexpr Operator dequantize_scale_only_operator = {
    "dequantize_scale_only",
    {Argument::packed_w, Argument::scales, Argument::group_size, Argument::inner_k_tiles},
    "code * scale, rounded once.",
    "`[n][k]` of the type of scales"};

inline constexpr Operator convert_operator = {
    "convert",
    {Argument::packed, Argument::source_format, Argument::target_format, Argument::n, Argument::k},
    "Codes of one packed layout into another, without anything between. Rows that fill n up in the target are code 0.",
    "the packed tensor of target_format"};

inline constexpr Operator any_dequantize_operator = {
    "dequantize",
    {Argument::packed, Argument::parameters, Argument::format, Argument::scheme, Argument::group_size_of_format,
     Argument::n, Argument::k, Argument::dtype},
    "Weights of a packed tensor of any format below, as its scheme computes them.",
    "weights `[n][k]`, or `[k][n]` where the format says so"};

inline constexpr Operator convert_parameters_operator = {
    "convert_parameters",
    {Argument::parameters, Argument::source_format_of_parameters, Argument::source_scheme,
     Argument::target_format_of_parameters, Argument::target_scheme, Argument::n, Argument::k,
     Argument::group_size_of_format, Argument::rounding},
    "Scales and zeros of one format into those of another, where weights stay what they are.",
    "the tensors of the target's scheme",
    "Tensor[]"};

inline constexpr const Operator* all_operators[] = {&pack_operator,
                                                    &unpack_operator,
                                                    &dequantize_operator,
                                                    &dequantize_integer_operator,
                                                    &dequantize_scale_only_operator,
                                                    &convert_operator,
                                                    &any_dequantize_operator,
                                                    &convert_parameters_operator};

enum class Element { uint8, int8, int32, bf16, fp16, fp32 };
/// The element of a tensor of a layout or a format.
constexpr Element element_named(std::string_view dtype) {
  return dtype == "uint8"     ? Element::uint8
         : dtype == "int8"    ? Element::int8
         : dtype == "float32" ? Element::fp32
                              : Element::int32;
}

/// A call of an operator. The sizes may be asked for once the rules hold that come before them in the table.
template <class Tensor>
struct Call {
  const Operator& of;
  // By Argument: of each only those that the operator takes and that are of the type.
  std::array<const Tensor*, argument_count> tensors = {};
  std::array<std::int64_t, argument_count> numbers = {};
  std::array<std::string_view, argument_count> texts = {};
  int list_count = 0;                  // of `parameters`, of which as many as there may be are in `tensors`
  std::optional<Element> type = {};    // of the weights, where it is given
  std::string_view name_of_type = "";  // as it is given: "" where it is not

  bool has(Argument argument) const { return tensors[static_cast<std::size_t>(argument)] != nullptr; }
  const Tensor& tensor(Argument argument) const { return *tensors[static_cast<std::size_t>(argument)]; }
  std::int64_t number(Argument argument) const { return numbers[static_cast<std::size_t>(argument)]; }
  std::string_view text(Argument argument) const { return texts[static_cast<std::size_t>(argument)]; }

  std::int64_t group_size() const { return number(has_row() ? Argument::group_size_of_format : Argument::group_size); }
  std::int64_t inner_k_tiles() const { return number(Argument::inner_k_tiles); }
  const Tensor& codes() const { return tensor(Argument::codes); }
  const Tensor& packed_w() const { return tensor(Argument::packed_w); }
  const Tensor& zero_points() const { return tensor(Argument::zero_points); }
  bool has_zeros() const { return has(Argument::scales_and_zeros); }
  const Tensor& scales() const { return tensor(has_zeros() ? Argument::scales_and_zeros : Argument::scales); }

  bool is_packed() const { return has(Argument::packed_w); }
  bool has_scales() const { return has_zeros() || has(Argument::scales); }
  bool is_by_name() const { return has(Argument::packed) || is_convert_parameters(); }
  bool is_convert_parameters() const { return &of == &convert_parameters_operator; }
  /// Whether the first or only format has a row with its parameters.
  bool has_row() const { return &of == &any_dequantize_operator || is_convert_parameters(); }
  /// The packed tensor, the codes or the first parameter, and how many dimensions it has of one matrix.
  const Tensor& first() const {
    if (is_convert_parameters()) return tensor(Argument::parameter_0);
    return is_by_name() ? packed() : is_packed() ? packed_w() : codes();
  }
  int dims_of_one() const {
    if (is_convert_parameters()) return row()->parameters[0].dims.count();
    return is_by_name() ? source()->dims.count() : is_packed() ? 4 : 2;
  }
  bool has_experts() const { return first().dim() > dims_of_one(); }
  std::int64_t experts() const { return has_experts() ? first().size(-dims_of_one() - 1) : std::int64_t{1}; }
  std::int64_t k() const {
    if (is_by_name()) return number(Argument::k);
    return is_packed() ? packed_w().size(-3) * (16 * inner_k_tiles()) : codes().size(-1) * 2;
  }
  std::int64_t n_tiles() const { return is_packed() ? packed_w().size(-4) : (n() + 7) / 8; }
  std::int64_t n() const {
    if (is_by_name()) return number(Argument::n);
    if (has_scales()) return scales().size(has_zeros() ? -2 : -1);
    return is_packed() ? n_tiles() * 8 : codes().size(-2);
  }
  std::int64_t groups_of_scales() const { return scales().size(has_zeros() ? -3 : -2); }

  // Operators that take formats by name ask these.
  const Tensor& packed() const { return tensor(Argument::packed); }
  const Layout* source() const { return has_row() ? row()->layout : layout_named(text(Argument::source_format)); }
  const Layout* target() const {
    return has_row() ? target_row()->layout : layout_named(text(Argument::target_format));
  }

  // Operators that take parameters ask these.
  Use use() const { return is_convert_parameters() ? Use::convert_parameters : Use::dequantize; }
  std::string_view format() const {
    return text(is_convert_parameters() ? Argument::source_format_of_parameters : Argument::format);
  }
  std::string_view scheme() const { return text(is_convert_parameters() ? Argument::source_scheme : Argument::scheme); }
  /// The row of the format whose parameters are given; nullptr where there is none.
  const Format* row() const { return format_named(use(), format(), scheme(), list_count); }
  /// The row of the format whose parameters are asked for.
  const Format* target_row() const {
    if (!is_convert_parameters()) return row();
    return format_to_convert_to(text(Argument::target_format_of_parameters), text(Argument::target_scheme),
                                row()->has_order_of_columns());
  }
  Extents extents() const { return {n(), k(), group_size()}; }
  /// The type of the weights, and of parameters that have none of their own.
  Element weight_element() const {
    if (row()->weight_type == WeightType::of_scales) {
      const Tensor& first_parameter = tensor(Argument::parameter_0);
      for (const Element element : {Element::bf16, Element::fp16}) {
        if (first_parameter.is(element)) return element;
      }
      return Element::fp32;
    }
    return row()->weight_type == WeightType::any ? type.value_or(Element::fp32) : Element::fp32;
  }
  /// The sizes of a tensor of one matrix, behind those that experts have.
  bool has_sizes(const Tensor& of_tensor, const Dims& dims) const {
    const int more = static_cast<int>(of_tensor.dim()) - dims.count();
    if (more != (has_experts() ? 1 : 0) || (more == 1 && of_tensor.size(-dims.count() - 1) != experts())) return false;
    for (int d = 0; d < dims.count(); ++d) {
      if (of_tensor.size(d - dims.count()) != dims.size(d, extents())) return false;
    }
    return true;
  }

  std::string given(Argument argument) const {
    if (is_list(argument)) return std::to_string(list_count);
    if (is_type(argument)) return std::string(name_of_type);
    if (is_tensor(argument)) return tensor(argument).text();
    return is_text(argument) ? std::string(text(argument)) : std::to_string(number(argument));
  }
};

/// What must hold for an argument, in words and as code.
template <class Tensor>
struct Rule {
  using OfCall = Call<Tensor>;
  Argument argument;
  std::string legal;
  bool (*holds)(const OfCall&);
  std::string (*here)(const OfCall&) = nullptr;  // what the words come to in this call
};

/// The types that weights can have, in words.
constexpr const char* types_text(WeightType type) {
  switch (type) {
    case WeightType::of_scales:
      return "that of the scales";
    case WeightType::any:
      return "bfloat16, float16 or float32";
    case WeightType::fp32:
      return "float32";
  }
  return "";
}

/// The rules about a tensor of the list `parameters`, where the format has one of that number.
template <class Tensor, int i>
void add_rules_of_parameter(std::vector<Rule<Tensor>>& rules) {
  using C = Call<Tensor>;
  static constexpr auto of = [](const C& c) -> const Parameter* {
    return i < c.row()->parameter_count() ? &c.row()->parameters[i] : nullptr;
  };
  static constexpr auto name_of = [](const C& c) { return std::string(of(c)->name) + " of " + c.row()->layout->name; };
  constexpr Argument argument = parameter(i);
  rules.push_back({argument, "the type that the format has there",
                   [](const C& c) {
                     if (of(c) == nullptr) return true;
                     const Tensor& tensor = c.tensor(argument);
                     return tensor.is(of(c)->dtype == nullptr ? c.weight_element() : element_named(of(c)->dtype));
                   },
                   [](const C& c) {
                     const bool is_first = of(c)->dtype == nullptr;
                     return " = " + std::string(is_first ? "bfloat16, float16 or float32" : of(c)->dtype) + ", " +
                            name_of(c);
                   }});
  rules.push_back({argument, "on the device of the first tensor",
                   [](const C& c) { return of(c) == nullptr || c.tensor(argument).device() == c.first().device(); }});
  rules.push_back({argument, "the sizes that the format has there, behind experts where the first tensor has them",
                   [](const C& c) { return of(c) == nullptr || c.has_sizes(c.tensor(argument), of(c)->dims); },
                   [](const C& c) {
                     std::string sizes = of(c)->dims.sizes_text(c.extents());
                     if (c.has_experts()) sizes.insert(1, std::to_string(c.experts()) + ", ");
                     return " = " + sizes + ", " + name_of(c);
                   }});
}
template <class Tensor, int... i>
void add_rules_of_parameters(std::vector<Rule<Tensor>>& rules, std::integer_sequence<int, i...>) {
  (add_rules_of_parameter<Tensor, i>(rules), ...);
  rules.push_back({Argument::parameter_0, legal_elements, [](const Call<Tensor>& c) {
                     return c.row()->parameter_count() == 0 || is_addressable(c.experts(), c.n(), c.k());
                   }});
}

/// All rules, in the order in which they are asked: a rule may rely on those before it.
template <class Tensor>
const std::vector<Rule<Tensor>>& all_rules() {
  using C = Call<Tensor>;
  static const auto is_float = [](const Tensor& t) {
    return t.is(Element::bf16) || t.is(Element::fp16) || t.is(Element::fp32);
  };
  static const auto text_of = [](std::int64_t number) { return " = " + std::to_string(number); };

  // Scales come in two forms, whose rules differ in words alone.
  const auto scales_type = [](const C& c) { return is_float(c.scales()); };
  const auto scales_device = [](const C& c) { return c.scales().device() == c.packed_w().device(); };
  const auto scales_dim = [](const C& c) { return c.scales().dim() == 2 + c.has_zeros() + c.has_experts(); };
  const auto scales_experts = [](const C& c) {
    return !c.has_experts() || c.scales().size(c.has_zeros() ? -4 : -3) == c.experts();
  };
  const auto scales_groups = [](const C& c) { return c.groups_of_scales() == c.k() / c.group_size(); };
  const auto groups_here = [](const C& c) { return text_of(c.k() / c.group_size()); };
  const auto scales_rows = [](const C& c) { return is_n_tiles(c.n_tiles(), c.n()); };
  const auto rows_here = [](const C& c) { return text_of(c.n_tiles()); };

  static const std::string float_types = "bfloat16, float16 or float32";
  static const std::string device_of_packed = "on the device of packed_w";
  static const std::string experts_of_packed = "as many experts as packed_w";
  static const std::string rows_of_packed = "n with ceil(n/8) n-tiles, as many as packed_w";

  static const std::string names_of_layouts = legal_formats(), names_of_formats = formats_text(Use::dequantize),
                           names_of_convertible = formats_text(Use::convert_parameters);
  const auto names_of = [](const C& c) {
    return c.source()->name + (c.source() == c.target() ? std::string() : std::string(" and ") + c.target()->name);
  };
  static const auto multiples_here = [=](const C& c, int Layout::*multiple) {
    return text_of(std::lcm(c.source()->*multiple, c.target()->*multiple)) + " for " + names_of(c);
  };
  static const auto is_multiple = [](const C& c, std::int64_t number, int Layout::*multiple) {
    return number >= 0 && number % (c.source()->*multiple) == 0 && number % (c.target()->*multiple) == 0;
  };

  const auto has_format_given = [](const C& c) { return has_format(c.use(), c.format()); };
  const auto has_scheme_given = [](const C& c) { return !parameters_text(c.use(), c.format(), c.scheme()).empty(); };
  const auto schemes_here = [](const C& c) { return ": " + schemes_text(c.use(), c.format()); };
  /// The format that does not take the group size, or nullptr.
  static const auto wrong_groups = [](const C& c) -> const Format* {
    for (const Format* format : {c.row(), c.target_row()}) {
      if (!format->is_group_size(c.group_size(), c.k())) return format;
    }
    return nullptr;
  };

  static const std::vector<Rule<Tensor>> rules = {
      {Argument::inner_k_tiles, legal_inner_k_tiles, [](const C& c) { return is_inner_k_tiles(c.inner_k_tiles()); }},

      {Argument::source_format, names_of_layouts, [](const C& c) { return c.source() != nullptr; }},
      {Argument::target_format, names_of_layouts, [](const C& c) { return c.target() != nullptr; }},
      {Argument::format, names_of_formats, has_format_given},
      {Argument::scheme, "one of the format's schemes", has_scheme_given, schemes_here},
      {Argument::source_format_of_parameters, names_of_convertible, has_format_given},
      {Argument::source_scheme, "one of the format's schemes", has_scheme_given, schemes_here},
      {Argument::parameters, "the tensors of the scheme", [](const C& c) { return c.row() != nullptr; },
       [](const C& c) { return ": " + parameters_text(c.use(), c.format(), c.scheme()); }},
      {Argument::target_format_of_parameters, names_of_convertible,
       [](const C& c) { return has_format(c.use(), c.text(Argument::target_format_of_parameters)); }},
      {Argument::target_format_of_parameters, "gptq or gptq-v1, where g_idx is given",
       [](const C& c) {
         const std::string_view name = c.text(Argument::target_format_of_parameters);
         return !c.row()->has_order_of_columns() || takes_order_of_columns(name);
       }},
      {Argument::target_scheme, "one of the format's schemes", [](const C& c) { return c.target_row() != nullptr; },
       [](const C& c) { return ": " + schemes_text(c.use(), c.text(Argument::target_format_of_parameters)); }},
      {Argument::n, "0 or more, in multiples that the formats take",
       [](const C& c) { return is_multiple(c, c.n(), &Layout::n_multiple); },
       [](const C& c) { return multiples_here(c, &Layout::n_multiple); }},
      {Argument::n, legal_elements, [](const C& c) { return c.n() <= most_elements; }},
      {Argument::k, "0 or more, in multiples that the formats take",
       [](const C& c) { return is_multiple(c, c.k(), &Layout::k_multiple); },
       [](const C& c) { return multiples_here(c, &Layout::k_multiple); }},
      {Argument::k, legal_elements, [](const C& c) { return is_addressable(std::int64_t{1}, c.n(), c.k()); }},
      {Argument::group_size_of_format, "what the format has", [](const C& c) { return wrong_groups(c) == nullptr; },
       [](const C& c) {
         const Format& wrong = *wrong_groups(c);
         const bool ends_with_k = wrong.groups_divide_rows && wrong.most_group != wrong.group_multiple;
         const std::string of = c.row() == c.target_row() ? "" : " in " + std::string(wrong.name());
         return ": " + wrong.legal_group_size() + (ends_with_k ? text_of(c.k()) : "") + of;
       }},
      {Argument::rounding, "exact or nearest",
       [](const C& c) { return c.text(Argument::rounding) == "exact" || c.text(Argument::rounding) == "nearest"; }},
      {Argument::packed, "the type of the format's tensor",
       [](const C& c) { return c.packed().is(element_named(c.source()->dtype)); },
       [](const C& c) { return std::string(" = ") + c.source()->dtype + " in " + c.source()->name; }},
      {Argument::packed, "the sizes of the format's tensor for n and k, or these behind experts",
       [](const C& c) { return c.has_sizes(c.packed(), c.source()->dims); },
       [](const C& c) {
         return " = " + c.source()->dims.sizes_text({c.n(), c.k()}) + " in " + c.source()->name;
       }},
      {Argument::packed, legal_elements, [](const C& c) { return is_addressable(c.experts(), c.n(), c.k()); }},
      {Argument::dtype, "None, or what the format's weights can be",
       [](const C& c) {
         if (c.name_of_type.empty()) return true;
         if (c.type != Element::bf16 && c.type != Element::fp16 && c.type != Element::fp32) return false;
         return c.row()->weight_type == WeightType::any || *c.type == c.weight_element();
       },
       [](const C& c) { return std::string(": ") + types_text(c.row()->weight_type); }},

      {Argument::codes, "uint8", [](const C& c) { return c.codes().is(Element::uint8); }},
      {Argument::codes, "2 dimensions [n][k/2], or 3 with experts first",
       [](const C& c) { return c.codes().dim() == 2 || c.codes().dim() == 3; }},
      {Argument::codes, legal_elements,
       [](const C& c) { return c.codes().size(-1) <= most_elements && is_addressable(c.experts(), c.n(), c.k()); }},
      {Argument::codes, std::string("k ") + legal_k, [](const C& c) { return is_k(c.k(), c.inner_k_tiles()); },
       [](const C& c) { return " = " + std::to_string(16 * c.inner_k_tiles()); }},

      {Argument::packed_w, "int32", [](const C& c) { return c.packed_w().is(Element::int32); }},
      {Argument::packed_w, "4 dimensions [n_tiles][k/(16*inner_k_tiles)][32][inner_k_tiles/2], or 5 with experts first",
       [](const C& c) { return c.packed_w().dim() == 4 || c.packed_w().dim() == 5; }},
      {Argument::packed_w, "32 lanes in the last dimension but one",
       [](const C& c) { return c.packed_w().size(-2) == 32; }},
      {Argument::packed_w, "inner_k_tiles/2 words of a lane in the last dimension",
       [](const C& c) { return c.packed_w().size(-1) == c.inner_k_tiles() / 2; },
       [](const C& c) { return " = " + std::to_string(c.inner_k_tiles() / 2); }},
      {Argument::packed_w, legal_elements,
       [](const C& c) {
         return c.packed_w().size(-4) <= most_elements / 8 && c.packed_w().size(-3) <= most_elements / 128 &&
                is_addressable(c.experts(), c.n_tiles() * 8, c.k());
       }},

      {Argument::group_size, legal_group_size, [](const C& c) { return is_group_size(c.group_size(), c.k()); },
       [](const C& c) { return text_of(c.k()); }},

      {Argument::scales_and_zeros, float_types, scales_type},
      {Argument::scales_and_zeros, device_of_packed, scales_device},
      {Argument::scales_and_zeros, "3 dimensions [k/group_size][n][2], or 4 with experts first where packed_w has them",
       scales_dim},
      {Argument::scales_and_zeros, experts_of_packed, scales_experts},
      {Argument::scales_and_zeros, "k/group_size groups", scales_groups, groups_here},
      {Argument::scales_and_zeros, rows_of_packed, scales_rows, rows_here},
      {Argument::scales_and_zeros, "a scale and a zero in the last dimension",
       [](const C& c) { return c.scales().size(-1) == 2; }},

      {Argument::scales, float_types, scales_type},
      {Argument::scales, device_of_packed, scales_device},
      {Argument::scales, "2 dimensions [k/group_size][n], or 3 with experts first where packed_w has them", scales_dim},
      {Argument::scales, experts_of_packed, scales_experts},
      {Argument::scales, "k/group_size groups", scales_groups, groups_here},
      {Argument::scales, rows_of_packed, scales_rows, rows_here},

      {Argument::zero_points, "int8", [](const C& c) { return c.zero_points().is(Element::int8); }},
      {Argument::zero_points, device_of_packed,
       [](const C& c) { return c.zero_points().device() == c.packed_w().device(); }},
      {Argument::zero_points, "the sizes of scales",
       [](const C& c) {
         bool same = c.zero_points().dim() == c.scales().dim();
         for (int d = -1; same && d >= -c.scales().dim(); --d) same = c.zero_points().size(d) == c.scales().size(d);
         return same;
       },
       [](const C& c) { return ": " + c.scales().text(); }},
  };
  static const std::vector<Rule<Tensor>> with_lists = [] {
    std::vector<Rule<Tensor>> all = rules;
    add_rules_of_parameters<Tensor>(all, std::make_integer_sequence<int, Format::most_parameters>());
    return all;
  }();
  return with_lists;
}

constexpr bool takes(const Operator& of, Argument argument) {
  for (const Argument taken : of.arguments) {
    if (taken == Argument::none) break;
    if (taken == argument || (is_list(taken) && is_parameter(argument))) return true;
  }
  return false;
}

/// @return why the call is illegal, or nothing
template <class Tensor>
std::optional<InvalidArgument> validate(const Call<Tensor>& call) {
  for (const Rule<Tensor>& rule : all_rules<Tensor>()) {
    if (!takes(call.of, rule.argument) || rule.holds(call)) continue;
    return InvalidArgument{row_of(rule.argument).name, call.given(rule.argument),
                           rule.legal + (rule.here != nullptr ? rule.here(call) : "")};
  }
  return std::nullopt;
}

}  // namespace tileproof::kernels
