/// The arguments of the operations, and why a call is refused: the rules of rules.h, and that the pointers are aligned.
/// No torch, no CUDA: only numbers and raw pointers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernels/formats.h"
#include "kernels/layouts.h"

namespace tileproof::kernels {

/// The type of scales, zeros and dequantized weights.
enum class Type { bf16, fp16, fp32 };

/// What a zero point means: (code - 8) * scale + zero, (code - zero_point) * scale, or code * scale.
enum class Domain { floating, integer, none };

// Every operation takes a batch of experts, matrices of one size, one after the other: `experts` leads every shape.

/// Pack: codes into the tensor-core-tiled layout.
struct PackArguments {
  const std::uint8_t* codes;  // [n][k / 2], the even column in the high nibble; 16-byte aligned
  std::uint32_t* packed;      // [ceil(n / 8)][k / (16 * inner_k_tiles)][32][inner_k_tiles / 2]; 16-byte aligned
  std::int64_t n;
  std::int64_t k;
  std::int64_t inner_k_tiles;  // 2, 4 or 8
  std::int64_t experts = 1;
};

/// Unpack: the tensor-core-tiled layout into one int32 a code.
struct UnpackArguments {
  const std::uint32_t* packed;  // as PackArguments::packed; 4-byte aligned
  std::int32_t* codes;          // [n][k], 0..15; 16-byte aligned
  std::int64_t n;
  std::int64_t k;
  std::int64_t inner_k_tiles;
  std::int64_t experts = 1;
};

/// Dequantize: the tensor-core-tiled layout into weights, with one rounding each.
struct DequantizeArguments {
  const std::uint32_t* packed;     // as PackArguments::packed; 4-byte aligned
  const void* scales;              // Type [k / group_size][n]; floating: [k / group_size][n][2], scale first, then zero
  const std::int8_t* zero_points;  // integer: [k / group_size][n]; otherwise unused
  void* weights;                   // Type [n][k]; 16-byte aligned
  std::int64_t n;
  std::int64_t k;
  std::int64_t group_size;  // a multiple of 16 that divides k
  std::int64_t inner_k_tiles;
  Domain domain;
  Type type;
  std::int64_t experts = 1;
};

/// Dequantize: packed codes of any format that the kernels know into weights.
struct AnyDequantizeArguments {
  const void* packed;                               // as the format's layout has it; faster where 16-byte aligned
  const void* parameters[Format::most_parameters];  // as the format lists them, each aligned to its elements
  void* weights;                                    // Type, [n][k] or [k][n] as the format has it; 16-byte aligned
  const Format* format;                             // of `formats`
  std::int64_t n;
  std::int64_t k;
  std::int64_t group_size;
  Type type;  // of the weights, and of parameters that have no type of their own
  std::int64_t experts = 1;
};

/// Turns the call into one of tinygemm's kernels; nothing where the format is another.
std::optional<DequantizeArguments> of_tinygemm(const AnyDequantizeArguments&);

/// Convert: packed codes of one layout into those of another.
struct ConvertArguments {
  const void* packed;    // as `source` lays out n x k; faster where it is 16-byte aligned
  void* converted;       // as `target` does; 16-byte aligned
  const Layout* source;  // of `layouts`
  const Layout* target;
  std::int64_t n;
  std::int64_t k;
  std::int64_t experts = 1;
};

/// Convert of parameters: scales and zeros of one format into those of another. A group is refused where its sixteen
/// weights, by the formulas of the two formats in the type of the scales, are not the same bits; is_nearest takes also
/// one whose zero moves by half a scale at most.
struct ConvertParametersArguments {
  // As the formats list them, each aligned to its elements. The order of columns (g_idx) is not read, and not written.
  const void* parameters[Format::most_parameters];
  void* converted[Format::most_parameters];
  const Format* source;  // of `formats`, with convertible parameters
  const Format* target;
  std::int64_t n;
  std::int64_t k;
  std::int64_t group_size;
  Type type;  // of scales, and of zeros that are numbers
  bool is_nearest;
  // In the memory of the parameters, 0 before the call. After it: 0 where no group was refused, else groups() - i,
  // where i is the first that was, counted [expert][group][n]. Unused where is_always_convertible.
  std::uint64_t* refused;
  std::int64_t experts = 1;

  std::int64_t groups() const { return experts * (k / group_size) * n; }
};

/// The bytes of an element.
std::uintptr_t bytes_of(Type);
/// @param type  of the numbers that have no type of their own
std::uintptr_t bytes_of_element(const Parameter&, Type type);

/// Why a call is refused: which argument, what was given, what is legal.
struct InvalidArgument {
  std::string argument;
  std::string given;
  std::string legal;

  /// One line: "k: given 100, legal is a multiple of 16 * inner_k_tiles = 32".
  std::string text() const;
};

/// @return why the call is illegal, or nothing; null pointers are legal where they point to no elements
std::optional<InvalidArgument> validate(const PackArguments&);
std::optional<InvalidArgument> validate(const UnpackArguments&);
std::optional<InvalidArgument> validate(const DequantizeArguments&);
std::optional<InvalidArgument> validate(const AnyDequantizeArguments&);
std::optional<InvalidArgument> validate(const ConvertArguments&);
std::optional<InvalidArgument> validate(const ConvertParametersArguments&);

/// The part about sizes alone: for callers that have no pointers yet.
std::optional<InvalidArgument> validate_shape(std::int64_t n, std::int64_t k, std::int64_t inner_k_tiles,
                                              std::int64_t experts = 1);
std::optional<InvalidArgument> validate_group_size(std::int64_t k, std::int64_t group_size);

}  // namespace tileproof::kernels
