/// A format as data, for the host: what a layout, a scheme and a format are asked. formats.h has the rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "reference/layouts/layout.h"
#include "reference/schemes/parameters.h"
#include "reference/schemes/scheme.h"

namespace tileproof::reference {

/// The group sizes of a format, beside that a group divides k.
struct GroupSizes {
  static constexpr int most = 8;
  std::int64_t multiple_of = 1;
  std::int64_t only[most] = {};  // the legal ones, where there are few; 0 ends the list

  constexpr bool contains(std::int64_t group_size) const {
    if (group_size <= 0 || group_size % multiple_of != 0) return false;
    for (const std::int64_t legal : only) {
      if (legal == group_size) return true;
    }
    return only[0] == 0;
  }
  constexpr bool operator==(const GroupSizes&) const = default;
};

/// The order of a dequantized matrix, the last letter fastest.
enum class ResultOrder { n_k, k_n };

/// The types of a scheme's weights and of its parameters: one type; fp32 weights of any parameters, of fp16 or of e8m0
/// alone; or weights of any type, of parameters that are fp32, e8m0 or e4m3.
enum class WeightType { of_parameters, always_fp32, fp32_of_fp16, fp32_of_e8m0, any_of_fp32, any_of_e8m0, any_of_e4m3 };

/// A layout of layouts/.
struct Layout {
  const char* name;
  const char* dtype;
  const char* dims_text;
  const char* unit;  // "word" or "byte", in texts
  int bytes_of_unit;
  Multiples legal;
  int padding_code;
  bool (*is_legal)(Size);
  Dims (*dims)(Size);
  Size (*padded)(Size);
  std::int64_t (*slots)(Size);
  std::int64_t (*slot_of)(Element, Size);
  std::optional<Element> (*element_at)(std::int64_t slot, Size);
  Coordinates (*coordinates)(std::int64_t slot, Size);  // of a batch, as coordinates_in_batch

  constexpr int slots_of_unit() const { return 2 * bytes_of_unit; }
  constexpr std::int64_t units(Size size) const { return slots(size) / slots_of_unit(); }
};

/// A scheme of schemes/, and the places of its parameters.
struct Scheme {
  const char* name;
  WeightType weight_type;
  Zero zero_kind;
  Range zero_points;
  int midpoint;
  bool has_factor;  // a number of the whole matrix, fp32, in the second tensor: it stands for `zero` below
  std::uint32_t (*weight)(FloatFormat weight_type, FloatFormat parameter_type, int code, std::uint32_t scale,
                          std::uint32_t zero);
  Exact (*unrounded)(FloatFormat weight_type, FloatFormat parameter_type, int code, std::uint32_t scale,
                     std::uint32_t zero);  // the weight before its last rounding
  const ParameterTensor* tensors;
  int tensor_count;
  int groups_of_number;  // that have one scale and one zero, and factors of their own above these; usually 1
  bool in_blocks;        // parameters lie in the packed buffer, as `block` says, and there are no tensors
  BlockForm block;
  bool zeros_are_packed;
  int stored_less;
  std::int64_t (*scale_at)(Element group, Size groups);  // and zero_at: nullptr where parameters lie in blocks
  std::int64_t (*zero_at)(Element group, Size groups);
};

/// A layout with the schemes that it is used with.
struct Format {
  static constexpr int most_schemes = 3;
  const char* name;
  Layout layout;
  const Scheme* schemes[most_schemes];  // the first is the default one
  int scheme_count;
  GroupSizes group_sizes;
  bool groups_divide_rows;  // each group is of one row, and group_size divides k
  Size (*groups)(Size, std::int64_t group_size);
  Element (*group_of)(Element, Size, std::int64_t group_size);
  std::int64_t (*group_end)(Element, Size, std::int64_t group_size);
  ResultOrder result;
  Dims (*result_dims)(Size);
  std::int64_t (*result_at)(Element, Size);

  constexpr bool has(const Scheme& scheme) const {
    for (const Scheme* own : schemes) {
      if (own == &scheme) return true;
    }
    return false;
  }
  /// @return the one of its schemes that has the name, or nullptr
  constexpr const Scheme* scheme_named(std::string_view scheme) const {
    for (int i = 0; i < scheme_count; ++i) {
      if (schemes[i]->name == scheme) return schemes[i];
    }
    return nullptr;
  }
};

}  // namespace tileproof::reference
