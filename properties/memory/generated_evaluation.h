/// Computes the elements of a formula, sixteen at a time, in the host's loop and in the device's threads. Only
/// generated_tensor.cpp and cuda.cu include it.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "properties/memory/generated_tensor.h"
#include "properties/problem/draw.h"
#include "reference/formats.h"

/// Unrolls the following loop, so that the compiler computes its layout indices at compile time, on host and device.
#if defined(__CUDACC__)
#define TILEPROOF_UNROLLED _Pragma("unroll")
#else
#define TILEPROOF_UNROLLED _Pragma("GCC unroll 16")
#endif

namespace tileproof::generated {

// elements that are computed together; every row of codes and every group is whole runs
inline constexpr int run = 16;

/// Calls `use` with every number below `count` as a constant, so that the compiler computes what depends on it.
template <int count, class Use>
constexpr void for_each_constant(Use use) {
  [&]<int... i>(std::integer_sequence<int, i...>) { (use.template operator()<i>(), ...); }
  (std::make_integer_sequence<int, count>());
}

/// a / b for a >= 0, b > 0. A GPU divides 32-bit numbers much faster than 64-bit ones.
constexpr std::int64_t quotient(std::int64_t a, std::int64_t b) {
  if (((a | b) >> 32) == 0) return static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b);
  return a / b;
}

constexpr std::uint32_t word_at(const Codes& c, std::int64_t word) {
  return c.first + (static_cast<std::uint32_t>(word) ^ c.swizzle);
}

/// The sixteen drawn codes of the run that contains `column`. k is a multiple of sixteen.
constexpr std::uint64_t drawn_codes(const Codes& c, std::int64_t row, std::int64_t column) {
  return sixteen_codes(c.first, static_cast<std::uint64_t>(row * c.k + column) / run);
}

constexpr std::uint32_t code_at(const Codes& c, std::int64_t row, std::int64_t column) {
  if (c.kind == Codes::Kind::drawn) {
    return static_cast<std::uint32_t>(drawn_codes(c, row, column) >> (4 * (column % run))) & 15;
  }
  if (c.kind == Codes::Kind::constant) return static_cast<std::uint32_t>(c.value);
  if (c.kind == Codes::Kind::digit) {
    return (static_cast<std::uint32_t>((row * c.k + column) >> c.shift) ^ c.flip) & 15;
  }
  return static_cast<std::uint32_t>(column + (row >> 2)) & 15;
}

/// The codes of sixteen columns, from a multiple of sixteen on, for Kind::every_word.
template <class L>
constexpr std::uint64_t codes_of_words(const Codes& codes, std::int64_t row, std::int64_t column) {
  constexpr int codes_of_word = 8;  // 32-bit words, whatever the storage unit is
  const reference::Size size = {codes.n, codes.k};
  std::uint64_t of_run = 0;
  if constexpr (reference::HasRuns<L>) {
    static_assert(L::run_columns == run);
    const std::int64_t first = L::slot_of({row, column}, size);
    const std::int64_t word = first / codes_of_word;
    const auto nibble = static_cast<int>(first % codes_of_word);
    TILEPROOF_UNROLLED
    for (int i = 0; i < run; ++i) {
      const int from_word = nibble + L::slot_from_first(i);
      const std::uint32_t code = word_at(codes, word + (from_word >> 3)) >> (4 * (from_word & 7)) & 15;
      of_run |= static_cast<std::uint64_t>(code) << (4 * i);
    }
  } else {
    for (int i = 0; i < run && column + i < codes.k; ++i) {
      const std::int64_t slot = L::slot_of({row, column + i}, size);
      const std::uint32_t code = word_at(codes, slot / codes_of_word) >> (4 * (slot % codes_of_word)) & 15;
      of_run |= static_cast<std::uint64_t>(code) << (4 * i);
    }
  }
  return of_run;
}

/// The codes of sixteen columns from a multiple of sixteen on, code i in bits 4i..4i+3. The kind is tested once per
/// run, so that the loop can be unrolled and a GPU keeps the result in registers.
/// @param of_words  computes the codes of Kind::every_word, which depend on the layout
template <class OfWords>
constexpr std::uint64_t codes_of_run(const Codes& codes, std::int64_t row, std::int64_t column, OfWords of_words) {
  constexpr std::uint64_t ones = 0x1111111111111111;
  const auto all = [](auto code_of_column) {
    std::uint64_t of_run = 0;
    TILEPROOF_UNROLLED
    for (int i = 0; i < run; ++i) of_run |= static_cast<std::uint64_t>(code_of_column(i) & 15) << (4 * i);
    return of_run;
  };
  if (codes.kind == Codes::Kind::drawn) return drawn_codes(codes, row, column);
  if (codes.kind == Codes::Kind::constant) return static_cast<std::uint32_t>(codes.value) * ones;
  if (codes.kind == Codes::Kind::digit) {
    // The indices of a run differ only in their lowest digit.
    const std::int64_t first = row * codes.k + column;
    if (codes.shift >= 4) return ((static_cast<std::uint32_t>(first >> codes.shift) ^ codes.flip) & 15) * ones;
    return all([&](int i) { return static_cast<std::uint32_t>((first + i) >> codes.shift) ^ codes.flip; });
  }
  if (codes.kind == Codes::Kind::each) {
    return all([&](int i) { return static_cast<std::uint32_t>(column + i + (row >> 2)); });
  }
  return of_words();
}

/// codes_of_run() for a layout known at compile time.
template <class L>
constexpr std::uint64_t codes_of_run(const Codes& codes, std::int64_t row, std::int64_t column) {
  return codes_of_run(codes, row, column, [&] { return codes_of_words<L>(codes, row, column); });
}

constexpr std::uint64_t codes_of_run(const Codes& codes, std::int64_t row, std::int64_t column) {
  return codes_of_run(codes, row, column, [&] {
    return reference::with_layout(codes.format, [&]<class L>() { return codes_of_words<L>(codes, row, column); });
  });
}

/// Code i in bits 4i..4i+3.
inline constexpr std::uint64_t every_code_once = 0xfedcba9876543210;

constexpr int code_of_run(std::uint64_t codes, int i) { return static_cast<int>(codes >> (4 * i) & 15); }

struct Pair {
  std::uint32_t scale;
  std::uint32_t zero;
  int zero_point;
  constexpr bool operator==(const Pair&) const = default;
};

/// The format whose patterns scales and zeros take in Kind::every.
template <Type type>
inline constexpr reference::FloatFormat enumerated_format = type == Type::fp16 ? reference::fp16 : reference::bf16;
template <Type type>
inline constexpr reference::FloatFormat own_format = type == Type::bf16   ? reference::bf16
                                                     : type == Type::fp16 ? reference::fp16
                                                                          : reference::fp32;

template <Type type>
using ElementOf = std::conditional_t<type == Type::fp32, std::uint32_t, std::uint16_t>;

/// The bits of a pair's number: those of a pattern for scale and zero each, or eight for a zero point. fp32 takes only
/// the scales and zeros that bf16 holds, with two exceptions: with zero points, products of such scales never need
/// rounding, so each scale comes once more with a full fraction; without a zero point, every fp32 scale is taken.
template <Type type, Zero zero_kind>
inline constexpr int bits_of_number = zero_kind == Zero::value   ? 32
                                      : zero_kind == Zero::point ? (type == Type::fp32 ? 25 : 24)
                                                                 : (type == Type::fp32 ? 32 : 16);

/// The pair with this number. Fractions run fastest, so that neighbours in a row, which a GPU computes together, take
/// the same path; signs and exponents are spread evenly over the domain from the start.
template <Type type, Zero zero_kind>
constexpr Pair pair_at(std::uint64_t number) {
  constexpr int fraction = enumerated_format<type>.fraction_bits;
  constexpr int rest = 16 - fraction;
  constexpr std::uint32_t fraction_mask = (1u << fraction) - 1;
  const auto pattern = [](std::uint64_t high, std::uint64_t low) {
    const auto bits = static_cast<std::uint32_t>(high << fraction | low);
    return type == Type::fp32 ? bits << 16 : bits;  // the bf16 value as fp32
  };
  if constexpr (zero_kind == Zero::value) {
    const std::uint64_t high = spread(number >> (2 * fraction), 2 * rest);
    return {pattern(high >> rest, number >> fraction & fraction_mask),
            pattern(high & ((1u << rest) - 1), number & fraction_mask), 0};
  } else if constexpr (zero_kind == Zero::point) {
    const std::uint64_t of_pattern = number & 0xffffff;
    const std::uint64_t high = spread(of_pattern >> (fraction + 8), rest);
    const std::uint32_t scale = pattern(high, of_pattern >> 8 & fraction_mask);
    const std::uint32_t lower = type == Type::fp32 && number >> 24 != 0 ? mixed(scale) & 0xffff : 0;
    return {scale | lower, 0, static_cast<int>(number & 255) - 128};
  } else if constexpr (type == Type::fp32) {
    constexpr int full_fraction = own_format<type>.fraction_bits;
    return {static_cast<std::uint32_t>(spread(number >> full_fraction, 32 - full_fraction) << full_fraction |
                                       (number & ((1u << full_fraction) - 1))),
            0, 0};
  } else {
    return {pattern(spread(number >> fraction, rest), number & fraction_mask), 0, 0};
  }
}

/// The bits of a small whole number, which every type represents.
template <Type type>
constexpr std::uint32_t bits_of(int value) {
  // a local copy, because device code cannot refer to namespace-scope objects
  constexpr reference::FloatFormat format = own_format<type>;
  return reference::rounded(format, reference::whole(value));
}

/// A scale in 2^-8..2^-4 and a zero of either sign in 2^-6..2^-2, with full fractions; a zero point in 0..15.
template <Type type>
constexpr Pair ordinary_pair(std::uint64_t number) {
  constexpr reference::FloatFormat format = own_format<type>;
  constexpr std::uint64_t fraction_mask = (std::uint64_t{1} << format.fraction_bits) - 1;
  const std::uint64_t bits = drawn(0, stream::scales, number);
  const auto binade = [=](int exponent, std::uint64_t of_four, std::uint64_t fraction) {
    const auto biased = static_cast<std::uint64_t>(format.bias() + exponent) + of_four % 4;
    return static_cast<std::uint32_t>(biased << format.fraction_bits | (fraction & fraction_mask));
  };
  const std::uint32_t sign = (bits >> 54 & 1) != 0 ? format.sign_bit() : 0;
  return {binade(-8, bits >> 50, bits), sign | binade(-6, bits >> 52, bits >> 25), static_cast<int>(bits >> 60)};
}

template <Type type, class Used>
constexpr Pair pair_of_group(const Parameters& p, std::int64_t group, std::int64_t row) {
  if (p.kind == Parameters::Kind::every) {
    constexpr Zero zero_kind = Used::Scheme::zero_kind;
    constexpr std::uint64_t last = (std::uint64_t{1} << bits_of_number<type, zero_kind>)-1;
    Pair pair = pair_at<type, zero_kind>((p.first + static_cast<std::uint64_t>(row * p.groups + group)) & last);
    if constexpr (Used::Parameters::zeros_are_packed) pair.zero_point &= 15;
    return pair;
  }
  const std::int64_t number = group * p.n + row;
  if (p.kind == Parameters::Kind::ordinary) return ordinary_pair<type>(p.first + static_cast<std::uint64_t>(number));
  const int largest = (1 << p.digit_bits) - 1;
  int digit = static_cast<int>(number >> p.shift) & largest;
  if (p.flip != 0) digit = largest - digit;
  if (p.kind == Parameters::Kind::identity) return {bits_of<type>(1), bits_of<type>(8), 0};
  if (p.kind == Parameters::Kind::scale_digit) return {bits_of<type>(digit), 0, 0};
  return {bits_of<type>(1), bits_of<type>(digit), p.zero_base - digit};
}

// Evaluators: each computes sixteen elements from `first` on, a multiple of sixteen. Values past the end are
// unspecified. `Element` is the unsigned type with the width of the tensor's elements, where the formula fixes that
// width.

struct ConstantOf {
  Constant tensor;
  constexpr std::int64_t elements() const { return tensor.elements; }
  constexpr void operator()(std::int64_t, std::uint32_t (&values)[run]) const {
#pragma unroll
    for (std::uint32_t& value : values) value = tensor.value;
  }
};

struct PairsOf {
  using Element = std::uint8_t;
  CodePairs tensor;
  constexpr std::int64_t elements() const { return tensor.codes.n * (tensor.codes.k / 2); }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    const std::int64_t bytes_of_row = tensor.codes.k / 2;
    if (bytes_of_row % run != 0) return byte_by_byte(first, values);
    const std::int64_t row = quotient(first, bytes_of_row);
    const std::int64_t column = (first - row * bytes_of_row) * 2;
    for (int half = 0; half < 2; ++half) {
      const std::uint64_t codes = codes_of_run(tensor.codes, row, column + half * run);
      for (int i = 0; i < run / 2; ++i) values[half * (run / 2) + i] = pair_in(codes, 2 * i);
    }
  }

 private:
  static constexpr std::uint32_t pair_in(std::uint64_t codes, int i) {
    return static_cast<std::uint32_t>(code_of_run(codes, i) << 4 | code_of_run(codes, i + 1));
  }

  /// For a run in which a row ends.
  constexpr void byte_by_byte(std::int64_t first, std::uint32_t (&values)[run]) const {
    const std::int64_t bytes_of_row = tensor.codes.k / 2;
    for (int i = 0; i < run && first + i < elements(); ++i) {
      const std::int64_t row = quotient(first + i, bytes_of_row);
      const std::int64_t column = (first + i - row * bytes_of_row) * 2;
      const std::uint64_t codes = codes_of_run(tensor.codes, row, column / run * run);
      values[i] = pair_in(codes, static_cast<int>(column % run));
    }
  }
};

/// @return whether the rows of a block follow one another in storage and each is whole storage units and whole runs, so
/// that sixteen units are whole rows
template <class L>
constexpr bool rows_of_block_lie_in_turn() {
  if constexpr (reference::HasBlocks<L> && reference::HasRuns<L>) {
    constexpr reference::Size block = L::block;
    constexpr std::int64_t slots_of_row = block.k;
    constexpr std::int64_t units_of_row = slots_of_row / reference::slots_of_unit<typename L::Storage>;
    if (block.k % L::run_columns != 0 || run % units_of_row != 0) return false;
    for (std::int64_t n = 0; n < block.n; ++n) {
      for (std::int64_t k = 0; k < block.k; ++k) {
        if (L::slot_of({n, k}, block) / slots_of_row != n) return false;
      }
    }
    return true;
  } else {
    return false;
  }
}

template <class L>
struct UnitsOf {
  using Element = typename L::Storage;
  static constexpr int slots_of_unit = reference::slots_of_unit<Element>;
  PackedWords tensor;
  constexpr std::int64_t elements() const { return reference::units<L>({tensor.codes.n, tensor.codes.k}); }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    if (tensor.codes.kind == Codes::Kind::every_word) {
      constexpr int of_word = 8 / slots_of_unit;
      for (int i = 0; i < run; ++i) {
        values[i] = word_at(tensor.codes, (first + i) / of_word) >> ((first + i) % of_word * slots_of_unit * 4);
      }
    } else if constexpr (rows_of_block_lie_in_turn<L>()) {
      by_rows(first, values);
    } else {
      by_slots(first, values);
    }
  }

 private:
  /// The first element of the block comes from the whole layout; places within the block come from a matrix of one
  /// block.
  constexpr void by_rows(std::int64_t first, std::uint32_t (&values)[run]) const {
    constexpr reference::Size block = L::block;
    constexpr int units_of_row = static_cast<int>(block.k) / slots_of_unit;
    constexpr std::int64_t units_of_block = block.n * units_of_row;
    const Codes& codes = tensor.codes;
    const std::int64_t number = first / units_of_block;
    const std::int64_t blocks_of_row = codes.k / block.k;
    const std::int64_t row_of_blocks = quotient(number, blocks_of_row);
    const std::int64_t column = (number - row_of_blocks * blocks_of_row) * block.k;
    const int first_row = static_cast<int>(first % units_of_block) / units_of_row;
    TILEPROOF_UNROLLED
    for (std::uint32_t& value : values) value = padding;
    for_each_constant<run / units_of_row>([&]<int row_of_run>() {
      const std::int64_t row = row_of_blocks * L::block.n + first_row + row_of_run;
      if (row >= codes.n) return;
      TILEPROOF_UNROLLED
      for (int unit = 0; unit < units_of_row; ++unit) values[row_of_run * units_of_row + unit] = 0;
      for_each_constant<L::block.k / run>([&]<int run_of_row>() {
        constexpr int from = run_of_row * run;
        constexpr auto slot = static_cast<unsigned>(L::slot_of({row_of_run, from}, L::block));
        const std::uint64_t of_run = codes_of_run<L>(codes, row, column + from);
        TILEPROOF_UNROLLED
        for (int i = 0; i < run; ++i) {
          const unsigned at = slot + static_cast<unsigned>(L::slot_from_first(i));
          values[at / slots_of_unit] |= static_cast<std::uint32_t>(code_of_run(of_run, i))
                                        << (4 * (at % slots_of_unit));
        }
      });
    });
  }

  constexpr void by_slots(std::int64_t first, std::uint32_t (&values)[run]) const {
    const Codes& codes = tensor.codes;
    for (int i = 0; i < run; ++i) {
      values[i] = padding;
      if (first + i >= elements()) continue;  // the last run may be shorter
      for (int nibble = 0; nibble < slots_of_unit; ++nibble) {
        const auto element = L::element_at((first + i) * slots_of_unit + nibble, {codes.n, codes.k});
        if (!element) continue;
        const std::uint32_t code = code_at(codes, element->n, element->k);
        values[i] = (values[i] & ~(15u << (4 * nibble))) | code << (4 * nibble);
      }
    }
  }

  static constexpr std::uint32_t padding = 0x11111111u * static_cast<std::uint32_t>(L::padding_code);
};

template <class L>
struct UnpackedOf {
  using Element = std::uint32_t;
  UnpackedCodes tensor;
  constexpr std::int64_t elements() const { return tensor.codes.n * tensor.codes.k; }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    const std::int64_t row = quotient(first, tensor.codes.k);
    const std::int64_t column = first - row * tensor.codes.k;
    const std::uint64_t codes = codes_of_run<L>(tensor.codes, row, column);
#pragma unroll
    for (int i = 0; i < run; ++i) values[i] = static_cast<std::uint32_t>(code_of_run(codes, i));
  }
};

template <Type type, class Used>
struct ScalesOf {
  static constexpr int of_group = std::is_same_v<typename Used::Parameters, reference::ScalesAndZeros> ? 2 : 1;

  using Element = ElementOf<type>;
  ScaleElements tensor;
  constexpr std::int64_t elements() const { return tensor.parameters.groups * tensor.parameters.n * of_group; }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    const Parameters& p = tensor.parameters;
    for (int i = 0; i < run; ++i) {
      const std::int64_t number = (first + i) / of_group;
      const std::int64_t group = quotient(number, p.n);
      const Pair pair = pair_of_group<type, Used>(p, group, number - group * p.n);
      values[i] = i % of_group == 0 ? pair.scale : pair.zero;
    }
  }
};

/// Zero points, as the scheme's second tensor stores them.
template <Type type, class Used>
struct ZeroPointsOf {
  static constexpr bool are_packed = Used::Parameters::zeros_are_packed;

  using Element = std::make_unsigned_t<typename Used::Parameters::template ZeroElement<std::uint8_t>>;
  ZeroPointElements tensor;
  constexpr std::int64_t elements() const {
    const Parameters& p = tensor.parameters;
    if constexpr (are_packed) return Used::Parameters::tensors[1].dims({p.n, p.groups}).elements();
    return p.groups * p.n;
  }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    const Parameters& p = tensor.parameters;
    for (int i = 0; i < run; ++i) {
      if constexpr (are_packed) {
        values[i] = first + i < elements() ? unit(first + i) : 0;
      } else {
        const std::int64_t group = quotient(first + i, p.n);
        values[i] = static_cast<std::uint32_t>(point(group, first + i - group * p.n)) & 255;
      }
    }
  }

 private:
  constexpr int point(std::int64_t group, std::int64_t row) const {
    return pair_of_group<type, Used>(tensor.parameters, group, row).zero_point;
  }

  constexpr std::uint32_t unit(std::int64_t number) const {
    constexpr int slots_of_unit = reference::slots_of_unit<Element>;
    std::uint32_t zeros = 0;
    for (int nibble = 0; nibble < slots_of_unit; ++nibble) {
      const auto group = Used::Parameters::packed_zero_of(number * slots_of_unit + nibble,
                                                          {tensor.parameters.n, tensor.parameters.groups});
      if (group) zeros |= static_cast<std::uint32_t>(point(group->k, group->n)) << (4 * nibble);
    }
    return zeros;
  }
};

/// The row, first column and group of a run of sixteen columns.
struct RunOfMatrix {
  std::int64_t row, column, group;
};

template <Type type, class Used>
struct WeightsOf {
  static constexpr Type weight_type = Used::weight_type == reference::WeightType::always_fp32 ? Type::fp32 : type;
  using Element = ElementOf<weight_type>;
  Weights tensor;
  constexpr std::int64_t elements() const { return tensor.codes.n * tensor.codes.k; }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    if (tensor.order == reference::ResultOrder::k_n) return column_by_column(first, values);
    const RunOfMatrix at = run_at(first);
    weights(codes_of(at), pair_of(at), values);
  }

  /// In the order [k][n], neighbours lie in different rows and therefore in different groups.
  constexpr void column_by_column(std::int64_t first, std::uint32_t (&values)[run]) const {
    for (int i = 0; i < run && first + i < elements(); ++i) {
      const std::int64_t column = quotient(first + i, tensor.codes.n);
      const std::int64_t row = first + i - column * tensor.codes.n;
      const RunOfMatrix at = {row, column / run * run, quotient(column, tensor.parameters.group_size)};
      values[i] = weight(code_of_run(codes_of(at), static_cast<int>(column % run)), pair_of(at));
    }
  }

  constexpr RunOfMatrix run_at(std::int64_t first) const {
    const std::int64_t row = quotient(first, tensor.codes.k);
    const std::int64_t column = first - row * tensor.codes.k;
    return {row, column, quotient(column, tensor.parameters.group_size)};
  }
  constexpr std::uint64_t codes_of(const RunOfMatrix& at) const {
    return codes_of_run(tensor.codes, at.row, at.column);
  }
  constexpr Pair pair_of(const RunOfMatrix& at) const {
    return pair_of_group<type, Used>(tensor.parameters, at.group, at.row);
  }
  static constexpr std::uint32_t weight(int code, const Pair& pair) {
    const std::uint32_t zero =
        Used::Scheme::zero_kind == Zero::point ? static_cast<std::uint32_t>(pair.zero_point) : pair.zero;
    constexpr reference::FloatFormat of_weight = own_format<weight_type>, of_parameter = own_format<type>;
    return reference::weight<typename Used::Scheme>(of_weight, of_parameter, code, pair.scale, zero);
  }
  static constexpr void weights(std::uint64_t codes, const Pair& pair, std::uint32_t (&values)[run]) {
    using S = typename Used::Scheme;
    constexpr reference::FloatFormat of_weight = own_format<weight_type>, of_parameter = own_format<type>;
    reference::with_units(of_weight, of_parameter, [&]<class Units>() {
      const std::uint32_t zero = S::zero_kind == Zero::point ? static_cast<std::uint32_t>(pair.zero_point) : pair.zero;
      const auto group = S::template decoded<Units>(of_weight, of_parameter, pair.scale, zero);
#pragma unroll
      for (int i = 0; i < run; ++i) values[i] = S::weight(of_weight, code_of_run(codes, i), group);
    });
  }
};

// Turns the run-time fields of a formula into compile-time constants.

template <class Use>
auto with_type(Type type, Use use) {
  if (type == Type::bf16) return use.template operator()<Type::bf16>();
  if (type == Type::fp16) return use.template operator()<Type::fp16>();
  return use.template operator()<Type::fp32>();
}

/// Schemes without zero points have no second tensor; their stand-in is never used.
template <Type type, class Used>
using ZeroPointsIfAny =
    ZeroPointsOf<type, std::conditional_t<Used::Scheme::zero_kind == Zero::point, Used, reference::IntegerZeros>>;

template <class Use>
struct WithEvaluator {
  Use& use;
  auto operator()(const Constant& t) { return use(ConstantOf{t}); }
  auto operator()(const CodePairs& t) { return use(PairsOf{t}); }
  auto operator()(const PackedWords& t) { return of_layout<UnitsOf>(t); }
  auto operator()(const UnpackedCodes& t) { return of_layout<UnpackedOf>(t); }
  auto operator()(const ScaleElements& t) { return of_scheme<ScalesOf>(t); }
  auto operator()(const ZeroPointElements& t) { return of_scheme<ZeroPointsIfAny>(t); }
  auto operator()(const Weights& t) { return of_scheme<WeightsOf>(t); }

 private:
  template <template <class> class Of, class Tensor>
  auto of_layout(const Tensor& t) {
    return reference::with_layout(t.codes.format, [&]<class L>() { return use(Of<L>{t}); });
  }
  template <template <Type, class> class Of, class Tensor>
  auto of_scheme(const Tensor& t) {
    return with_type(t.parameters.type, [&]<Type type>() {
      return reference::with_scheme(t.parameters.scheme, [&]<class Used>() { return use(Of<type, Used>{t}); });
    });
  }
};

/// Calls `use` with the evaluator of a formula.
template <class Use>
auto with_evaluator(const GeneratedTensor& formula, Use use) {
  return std::visit(WithEvaluator<Use>{use}, static_cast<const GeneratedTensor::variant&>(formula));
}

}  // namespace tileproof::generated
