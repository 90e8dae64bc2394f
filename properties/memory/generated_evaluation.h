/// Computes the elements of a formula, sixteen at a time, in the host's loop and in the device's threads. Where sixteen
/// neighbours do not share a row and a group, the host computes elements one by one. The device does so for weights in
/// the order [k][n] and for groups that cross rows. Only generated_tensor.cpp and cuda.cu include it.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
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

// elements that are computed together; is_in_runs() says whether every row of codes and every group is whole runs
inline constexpr int run = 16;

/// Calls `use` with every number below `count` as a constant, so that the compiler computes what depends on it.
template <int count, class Use>
constexpr void for_each_constant(Use use) {
  [&]<int... i>(std::integer_sequence<int, i...>) { (use.template operator()<i>(), ...); }
  (std::make_integer_sequence<int, count>());
}

using reference::divided;

constexpr std::uint32_t word_at(const Codes& c, std::int64_t word) {
  return c.first + (static_cast<std::uint32_t>(word) ^ c.swizzle);
}

/// The sixteen drawn codes of the run of all elements that contains one.
constexpr std::uint64_t drawn_codes(const Codes& c, std::int64_t row, std::int64_t column) {
  return sixteen_codes(c.first, static_cast<std::uint64_t>(row * c.k + column) / run);
}

constexpr std::uint32_t code_at(const Codes& c, std::int64_t row, std::int64_t column) {
  if (c.kind == Codes::Kind::drawn) {
    return static_cast<std::uint32_t>(drawn_codes(c, row, column) >> (4 * ((row * c.k + column) % run))) & 15;
  }
  if (c.kind == Codes::Kind::constant) return static_cast<std::uint32_t>(c.value);
  if (c.kind == Codes::Kind::digit) {
    return (static_cast<std::uint32_t>((row * c.k + column) >> c.shift) ^ c.flip) & 15;
  }
  return static_cast<std::uint32_t>(column + (row >> 2)) & 15;
}

/// The code of one element for Kind::every_word.
template <class L>
constexpr std::uint32_t code_of_words(const Codes& codes, std::int64_t row, std::int64_t column) {
  constexpr int codes_of_word = 8;  // 32-bit words, whatever the storage unit is
  const std::int64_t slot = L::slot_of({row, column}, {codes.n, codes.k});
  return word_at(codes, slot / codes_of_word) >> (4 * (slot % codes_of_word)) & 15;
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
    for (int i = 0; i < run; ++i) {
      of_run |= static_cast<std::uint64_t>(code_of_words<L>(codes, row, column + i)) << (4 * i);
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

/// codes_of_run() for one of several formats, 0 for any other.
template <class FormatsHere>
constexpr std::uint64_t codes_of_run_in(const Codes& codes, std::int64_t row, std::int64_t column) {
  return codes_of_run(codes, row, column, [&] {
    std::uint64_t of_run = 0;
    reference::with_one_of(FormatsHere(), reference::Formats(), codes.format,
                           [&]<class F>() { of_run = codes_of_words<typename F::Codes>(codes, row, column); });
    return of_run;
  });
}

/// The code of one element, of a matrix of any size.
template <class FormatsHere>
constexpr std::uint32_t code_of_element_in(const Codes& codes, std::int64_t row, std::int64_t column) {
  if (codes.kind != Codes::Kind::every_word) return code_at(codes, row, column);
  std::uint32_t code = 0;
  reference::with_one_of(FormatsHere(), reference::Formats(), codes.format,
                         [&]<class F>() { code = code_of_words<typename F::Codes>(codes, row, column); });
  return code;
}

/// Code i in bits 4i..4i+3.
inline constexpr std::uint64_t every_code_once = 0xfedcba9876543210;

constexpr int code_of_run(std::uint64_t codes, int i) { return static_cast<int>(codes >> (4 * i) & 15); }

/// The format whose patterns scales and zeros take in Kind::every.
template <Type type>
inline constexpr reference::FloatFormat enumerated_format = type == Type::fp16   ? reference::fp16
                                                            : type == Type::e8m0 ? reference::e8m0
                                                            : type == Type::e4m3 ? reference::e4m3
                                                                                 : reference::bf16;
template <Type type>
inline constexpr reference::FloatFormat own_format = type == Type::bf16   ? reference::bf16
                                                     : type == Type::fp16 ? reference::fp16
                                                     : type == Type::e8m0 ? reference::e8m0
                                                     : type == Type::e4m3 ? reference::e4m3
                                                                          : reference::fp32;

/// The bits that count the zero points of a scheme: 8 or 4.
template <class S>
inline constexpr int bits_of_point = std::bit_width(static_cast<unsigned>(S::zero_points.count() - 1));

template <Type type>
using ElementOf = std::conditional_t<type == Type::fp32, std::uint32_t,
                                     std::conditional_t<own_format<type>.bits() == 8, std::uint8_t, std::uint16_t>>;

/// A matrix's factor is enumerated by its upper half, a bf16 number.
template <class S>
inline constexpr int bits_of_factor = reference::has_factor<S> ? 16 : 0;

/// The bits of a pair's number: those of a pattern for scale and zero each, or those that count the zero points. fp32
/// takes only the scales and zeros that bf16 holds, with two exceptions: with zero points, products of such scales
/// never need rounding, so each scale comes once more with a full fraction; without a zero point, every fp32 scale is
/// taken. A matrix's factor is counted above its scales: those that bf16 holds, every second with more fraction.
template <Type type, class S>
inline constexpr int bits_of_number = S::zero_kind == Zero::value   ? 32
                                      : S::zero_kind == Zero::point ? (type == Type::fp32 ? 17 : 16) + bits_of_point<S>
                                                                    : own_format<type>.bits() + bits_of_factor<S>;

/// The pair with this number. Fractions run fastest, so that neighbours in a row, which a GPU computes together, take
/// the same path; signs and exponents are spread evenly over the domain from the start.
template <Type type, class S>
constexpr Pair pair_at(std::uint64_t number) {
  constexpr int fraction = enumerated_format<type>.fraction_bits;
  constexpr int rest = enumerated_format<type>.bits() - fraction;
  constexpr std::uint32_t fraction_mask = (1u << fraction) - 1;
  const auto pattern = [](std::uint64_t high, std::uint64_t low) {
    const auto bits = static_cast<std::uint32_t>(high << fraction | low);
    return type == Type::fp32 ? bits << 16 : bits;  // the bf16 value as fp32
  };
  if constexpr (S::zero_kind == Zero::value) {
    const std::uint64_t high = spread(number >> (2 * fraction), 2 * rest);
    return {pattern(high >> rest, number >> fraction & fraction_mask),
            pattern(high & ((1u << rest) - 1), number & fraction_mask), 0};
  } else if constexpr (S::zero_kind == Zero::point) {
    constexpr int of_point = bits_of_point<S>;
    constexpr int lowest = S::zero_points.lowest;
    const std::uint64_t of_scale = number >> of_point & 0xffff;
    const std::uint64_t high = spread(of_scale >> fraction, rest);
    const std::uint32_t scale = pattern(high, of_scale & fraction_mask);
    const std::uint32_t lower = type == Type::fp32 && number >> (of_point + 16) != 0 ? mixed(scale) & 0xffff : 0;
    return {scale | lower, 0, static_cast<int>(number & ((1u << of_point) - 1)) + lowest};
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

/// The scale that stands for a digit: that number, or of powers of two 2^(digit + lowest_power_of_digit).
template <Type type>
constexpr std::uint32_t scale_of_digit(int digit) {
  constexpr reference::FloatFormat format = own_format<type>;
  if constexpr (format.is_exponent()) return static_cast<std::uint32_t>(format.bias() + lowest_power_of_digit + digit);
  return bits_of<type>(digit);
}

/// A scale in 2^-8..2^-4 (e4m3: 2^-4..1) and a zero of either sign in 2^-6..2^-2, with full fractions; a zero point
/// among sixteen.
template <Type type, class S>
constexpr Pair ordinary_pair(std::uint64_t number) {
  constexpr int lowest = S::zero_points.lowest > 0 ? S::zero_points.lowest : 0;
  constexpr reference::FloatFormat format = own_format<type>;
  constexpr std::uint64_t fraction_mask = (std::uint64_t{1} << format.fraction_bits) - 1;
  const std::uint64_t bits = drawn(0, stream::scales, number);
  const auto binade = [=](int exponent, std::uint64_t of_four, std::uint64_t fraction) {
    const auto biased = static_cast<std::uint64_t>(format.bias() + exponent) + of_four % 4;
    return static_cast<std::uint32_t>(biased << format.fraction_bits | (fraction & fraction_mask));
  };
  const std::uint32_t sign = (bits >> 54 & 1) != 0 ? format.sign_bit() : 0;
  constexpr int lowest_exponent = format.bias() > 8 ? -8 : -4;
  return {binade(lowest_exponent, bits >> 50, bits), sign | binade(-6, bits >> 52, bits >> 25),
          static_cast<int>(bits >> 60) + lowest};
}

/// The digit of a group's number in Kind::scale_digit and Kind::zero_digit.
constexpr int digit_of_group(const Parameters& p, reference::Element of) {
  const int largest = (1 << p.digit_bits) - 1;
  const int digit = static_cast<int>((of.k * p.n + of.n) >> p.shift) & largest;
  return p.flip != 0 ? largest - digit : digit;
}

/// The bits of a matrix's factor, fp32.
template <Type type>
constexpr std::uint32_t factor_of(const Parameters& p) {
  constexpr std::uint32_t one = 0x3f800000;
  if (p.kind == Parameters::Kind::every) {
    const std::uint32_t half = static_cast<std::uint32_t>(p.first >> own_format<type>.bits()) & 0xffff;
    const std::uint32_t lower = half % 2 != 0 ? static_cast<std::uint32_t>(mixed(half)) & 0xffff : 0;
    return half << 16 | lower;
  }
  if (p.kind != Parameters::Kind::ordinary) return one;
  const std::uint64_t bits = drawn(0, stream::zeros, p.first);
  return (one - (static_cast<std::uint32_t>(bits >> 32) % 8 << 23)) | (static_cast<std::uint32_t>(bits) & 0x7fffff);
}

template <Type type, class S>
constexpr Pair scale_and_zero_of_group(const Parameters& p, reference::Element of) {
  const std::int64_t group = of.k, row = of.n;
  if (p.kind == Parameters::Kind::every) {
    constexpr std::uint64_t last = (std::uint64_t{1} << bits_of_number<type, S>)-1;
    return pair_at<type, S>((p.first + static_cast<std::uint64_t>(row * p.groups + group)) & last);
  }
  const std::int64_t number = group * p.n + row;
  if (p.kind == Parameters::Kind::ordinary) return ordinary_pair<type, S>(p.first + static_cast<std::uint64_t>(number));
  const int digit = digit_of_group(p, of);
  constexpr int no_point = S::zero_points.nearest_to_zero();
  if (p.kind == Parameters::Kind::identity) return {bits_of<type>(1), bits_of<type>(S::midpoint), no_point};
  if (p.kind == Parameters::Kind::scale_digit) return {scale_of_digit<type>(digit), 0, no_point};
  return {bits_of<type>(1), bits_of<type>(digit), p.zero_base - digit};
}

/// The parameters of a group that has factors of its own, and its numbers from the first group of its block.
template <Type type, class S>
constexpr Pair pair_with_factors(const Parameters& p, reference::Element of) {
  using reference::with_factor;
  if (p.kind == Parameters::Kind::every || p.kind == Parameters::Kind::ordinary) {
    const std::int64_t first = of.k - of.k % reference::groups_of_number<S>();
    const Pair numbers = scale_and_zero_of_group<type, S>(p, {of.n, first});
    const std::uint64_t bits = mixed(p.first + static_cast<std::uint64_t>(of.n * p.groups + of.k));
    return {with_factor(numbers.scale, 1 + static_cast<std::uint32_t>(bits % 63)),
            with_factor(numbers.zero, static_cast<std::uint32_t>(bits >> 8) & 63), 0};
  }
  // A digit is the factor of 1, or of the subtracted -1.
  const auto digit = static_cast<std::uint32_t>(digit_of_group(p, of));
  return {with_factor(bits_of<type>(1), p.kind == Parameters::Kind::scale_digit ? digit : 1),
          with_factor(bits_of<type>(-1), p.kind == Parameters::Kind::zero_digit ? digit : 0), 0};
}

template <Type type, class S>
constexpr Pair pair_of_group(const Parameters& p, reference::Element of) {
  if constexpr (reference::groups_of_number<S>() > 1) return pair_with_factors<type, S>(p, of);
  Pair pair = scale_and_zero_of_group<type, S>(p, of);
  if constexpr (reference::has_factor<S>) pair.zero = factor_of<type>(p);
  return pair;
}

// Evaluators: each computes sixteen elements from `first` on, a multiple of sixteen. Values past the end are
// unspecified. Those of codes do so where is_in_runs(), those of weights there and where is_one_by_one(), and both
// compute one `element` anywhere. `Element` is the unsigned type with the width of the tensor's elements, where the
// formula fixes that width.

struct ConstantOf {
  Constant tensor;
  constexpr std::int64_t elements() const { return tensor.elements; }
  constexpr void operator()(std::int64_t, std::uint32_t (&values)[run]) const {
#pragma unroll
    for (std::uint32_t& value : values) value = tensor.value;
  }
};

template <class FormatsHere>
struct PairsOf {
  using Element = std::uint8_t;
  CodePairs tensor;
  constexpr std::int64_t elements() const { return tensor.codes.n * bytes_of_row(); }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    if (tensor.codes.k % (2 * run) != 0) return byte_by_byte(first, values);
    const std::int64_t row = divided(first, bytes_of_row());
    const std::int64_t column = (first - row * bytes_of_row()) * 2;
    for (int half = 0; half < 2; ++half) {
      const std::uint64_t codes = codes_of_run_in<FormatsHere>(tensor.codes, row, column + half * run);
      for (int i = 0; i < run / 2; ++i) values[half * (run / 2) + i] = pair_in(codes, 2 * i);
    }
  }

 private:
  static constexpr std::uint32_t pair_in(std::uint64_t codes, int i) {
    return static_cast<std::uint32_t>(code_of_run(codes, i) << 4 | code_of_run(codes, i + 1));
  }

  constexpr std::int64_t bytes_of_row() const { return (tensor.codes.k + 1) / 2; }

  /// For a run in which a row ends.
  constexpr void byte_by_byte(std::int64_t first, std::uint32_t (&values)[run]) const {
    for (int i = 0; i < run && first + i < elements(); ++i) {
      const std::int64_t row = divided(first + i, bytes_of_row());
      const std::int64_t column = (first + i - row * bytes_of_row()) * 2;
      values[i] = code_of_element_in<FormatsHere>(tensor.codes, row, column) << 4;
      if (column + 1 < tensor.codes.k) values[i] |= code_of_element_in<FormatsHere>(tensor.codes, row, column + 1);
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

template <class F>
struct UnitsOf {
  using L = typename F::Codes;
  using Element = typename L::Storage;
  using Used = reference::FirstOf<typename F::Schemes>;  // of several schemes, none keeps its parameters here
  static constexpr bool with_parameters = Used::Parameters::in_blocks;
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
    const std::int64_t row_of_blocks = divided(number, blocks_of_row);
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
      if constexpr (with_parameters) {
        if (const auto byte = byte_of_parameter(first + i)) {
          values[i] = *byte;
          continue;
        }
      }
      for (int nibble = 0; nibble < slots_of_unit; ++nibble) {
        const auto element = L::element_at((first + i) * slots_of_unit + nibble, {codes.n, codes.k});
        if (!element) continue;
        const std::uint32_t code = code_at(codes, element->n, element->k);
        values[i] = (values[i] & ~(15u << (4 * nibble))) | code << (4 * nibble);
      }
    }
  }

  /// The byte of a parameter that lies among the codes.
  constexpr std::optional<std::uint32_t> byte_of_parameter(std::int64_t at) const {
    constexpr reference::BlockForm form = Used::Parameters::block;
    const std::int64_t block = divided(at, form.bytes), byte = at - block * form.bytes;
    if (byte >= form.before_codes) return std::nullopt;
    const Parameters& p = tensor.parameters;
    const std::int64_t blocks_of_row = p.groups / form.groups;
    constexpr Type type = Used::weight_type == reference::WeightType::fp32_of_e8m0 ? Type::e8m0 : Type::fp16;
    std::uint8_t bytes[form.before_codes] = {};
    for (std::int64_t group = 0; group < form.groups; ++group) {
      const Pair pair = pair_of_group<type, typename Used::Scheme>(
          p, {block / blocks_of_row, block % blocks_of_row * form.groups + group});
      Used::Parameters::put(bytes, group, {pair.scale, pair.zero});
    }
    return bytes[byte];
  }

  static constexpr std::uint32_t padding = 0x11111111u * static_cast<std::uint32_t>(L::padding_code);
};

template <class L>
struct UnpackedOf {
  using Element = std::uint32_t;
  UnpackedCodes tensor;
  constexpr std::int64_t elements() const { return tensor.codes.n * tensor.codes.k; }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    const std::int64_t row = divided(first, tensor.codes.k);
    const std::int64_t column = first - row * tensor.codes.k;
    const std::uint64_t codes = codes_of_run<L>(tensor.codes, row, column);
#pragma unroll
    for (int i = 0; i < run; ++i) values[i] = static_cast<std::uint32_t>(code_of_run(codes, i));
  }
  constexpr std::uint32_t element(std::int64_t index) const {
    if (tensor.codes.kind != Codes::Kind::every_word) {
      return code_at(tensor.codes, index / tensor.codes.k, index % tensor.codes.k);
    }
    return code_of_words<L>(tensor.codes, index / tensor.codes.k, index % tensor.codes.k);
  }
};

/// A tensor of parameters: scales alone or with zeros, or zeros, as the scheme's tensors lie.
template <Type type, class Used, int number>
struct ParametersOf {
  using Places = typename Used::Parameters;
  static constexpr bool are_packed = number > 0 && Places::zeros_are_packed;
  using Element = std::conditional_t<
      number == 0, ElementOf<type>,
      std::make_unsigned_t<typename Places::template ZeroElement<std::make_signed_t<ElementOf<type>>>>>;

  Parameters parameters;
  constexpr std::int64_t elements() const { return Places::tensors[number].dims(groups()).elements(); }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    for (int i = 0; i < run; ++i) {
      if constexpr (are_packed) {
        values[i] = first + i < elements() ? unit(first + i) : 0;
      } else {
        values[i] = parameter_at(first + i);
      }
    }
  }

 private:
  constexpr reference::Size groups() const { return {parameters.n, parameters.groups}; }

  /// @return 0 for padding
  constexpr std::uint32_t parameter_at(std::int64_t place) const {
    const auto parameter = Places::parameter_at(number, place, groups());
    if (!parameter) return 0;
    const Pair pair = pair_of_group<type, typename Used::Scheme>(parameters, parameter->group);
    if (!parameter->is_zero) return pair.scale;
    if constexpr (Used::Scheme::zero_kind != Zero::point) return pair.zero;
    if constexpr (are_packed) {
      return static_cast<std::uint32_t>(reference::packed_zero(pair.zero_point, Places::stored_less));
    }
    return static_cast<std::uint32_t>(pair.zero_point) & 255;
  }

  constexpr std::uint32_t unit(std::int64_t at) const {
    constexpr int slots_of_unit = reference::slots_of_unit<Element>;
    std::uint32_t zeros = 0;
    for (int nibble = 0; nibble < slots_of_unit; ++nibble) {
      zeros |= parameter_at(at * slots_of_unit + nibble) << (4 * nibble);
    }
    return zeros;
  }
};

/// The row, column and group of an element, or of the first of sixteen columns.
struct RunOfMatrix {
  std::int64_t row, column;
  reference::Element group;
};

/// Whether a format of the list has this scheme and gives its weights in this order.
template <class FormatsHere, class Used>
constexpr bool has_order(reference::ResultOrder order) {
  return []<class... F>(reference::List<F...>, reference::ResultOrder wanted) {
    return ((F::result == wanted && reference::has_type<Used>(typename F::Schemes())) || ...);
  }(FormatsHere(), order);
}

/// Whether a format of the list has this scheme and groups that cross rows.
template <class FormatsHere, class Used>
constexpr bool some_cross_rows() {
  return []<class... F>(reference::List<F...>) {
    return ((!F::divide_rows && reference::has_type<Used>(typename F::Schemes())) || ...);
  }(FormatsHere());
}

/// Whether neighbours may lie in different rows and groups, and weights are computed one by one.
constexpr bool is_one_by_one(const Weights& tensor) {
  return tensor.order == reference::ResultOrder::k_n ||
         (tensor.parameters.cross_rows && (tensor.codes.k % run != 0 || tensor.parameters.group_size % run != 0));
}

/// @tparam FormatsWhoseWordsMayDefineCodes  those that may define the codes by packed words
template <Type weight_type, Type type, class Used, class FormatsHere, class FormatsWhoseWordsMayDefineCodes>
struct WeightsOf {
  using Element = ElementOf<weight_type>;
  static constexpr bool some_one_by_one =
      has_order<FormatsHere, Used>(reference::ResultOrder::k_n) || some_cross_rows<FormatsHere, Used>();
  Weights tensor;
  constexpr std::int64_t elements() const { return tensor.codes.n * tensor.codes.k; }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    if constexpr (some_one_by_one) {
      if (is_one_by_one(tensor)) {
        for (int i = 0; i < run && first + i < elements(); ++i) values[i] = element(first + i);
        return;
      }
    }
    const RunOfMatrix at = run_at(first);
    weights(codes_of(at), pair_of(at), values);
  }

  constexpr std::uint32_t element(std::int64_t index) const {
    if (tensor.order == reference::ResultOrder::n_k) return weight_at(run_at(index));
    const std::int64_t column = divided(index, tensor.codes.n), row = index - column * tensor.codes.n;
    return weight_at({row, column, group_of(row, column)});
  }

  constexpr std::uint32_t weight_at(const RunOfMatrix& at) const { return weight(code_of(at), pair_of(at)); }

  constexpr int code_of(const RunOfMatrix& at) const {
    return static_cast<int>(code_of_element_in<FormatsWhoseWordsMayDefineCodes>(tensor.codes, at.row, at.column));
  }
  constexpr RunOfMatrix run_at(std::int64_t first) const {
    const std::int64_t row = divided(first, tensor.codes.k);
    const std::int64_t column = first - row * tensor.codes.k;
    return {row, column, group_of(row, column)};
  }
  constexpr reference::Element group_of(std::int64_t row, std::int64_t column) const {
    if constexpr (some_cross_rows<FormatsHere, Used>()) {
      if (tensor.parameters.cross_rows)
        return {0, divided(row * tensor.codes.k + column, tensor.parameters.group_size)};
    }
    return {row, divided(column, tensor.parameters.group_size)};
  }
  constexpr std::uint64_t codes_of(const RunOfMatrix& at) const {
    return codes_of_run_in<FormatsWhoseWordsMayDefineCodes>(tensor.codes, at.row, at.column);
  }
  constexpr Pair pair_of(const RunOfMatrix& at) const {
    return pair_of_group<type, typename Used::Scheme>(tensor.parameters, at.group);
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
      for (int i = 0; i < run; ++i) values[i] = reference::weight_in<S>(of_weight, code_of_run(codes, i), group);
    });
  }
};

// Turns the run-time fields of a formula into compile-time constants.

template <class Use>
auto with_type(Type type, Use use) {
  if (type == Type::bf16) return use.template operator()<Type::bf16>();
  if (type == Type::fp16) return use.template operator()<Type::fp16>();
  if (type == Type::e8m0) return use.template operator()<Type::e8m0>();
  if (type == Type::e4m3) return use.template operator()<Type::e4m3>();
  return use.template operator()<Type::fp32>();
}

constexpr bool is_fp32_of(reference::WeightType type) {
  using reference::WeightType;
  return type == WeightType::always_fp32 || type == WeightType::fp32_of_fp16 || type == WeightType::fp32_of_e8m0;
}

/// Whether a scheme has parameters of a type.
template <class Used, Type type>
constexpr bool has_parameters_of() {
  using reference::WeightType;
  if (Used::weight_type == WeightType::any_of_fp32) return type == Type::fp32;
  if (Used::weight_type == WeightType::fp32_of_fp16) return type == Type::fp16;
  if (Used::weight_type == WeightType::any_of_e4m3) return type == Type::e4m3;
  if (Used::weight_type == WeightType::any_of_e8m0) return type == Type::e8m0;
  if (Used::weight_type == WeightType::fp32_of_e8m0) return type == Type::e8m0;
  return own_format<type>.bits() > 8;
}

/// Calls a use with a formula's evaluator, where the formula is of one of some layouts and schemes.
/// @tparam FormatsHere, SchemesHere  lists of rows of reference/formats.h
/// @tparam FormatsWhoseWordsMayDefineCodes            those of FormatsHere whose packed words may define codes, pairs
/// of codes and weights
template <class FormatsHere, class SchemesHere, class FormatsWhoseWordsMayDefineCodes, class Use>
struct WithEvaluator {
  Use& use;
  // Each returns whether the formula's layout or scheme is here.
  bool operator()(const Constant& t) { return used(ConstantOf{t}); }
  bool operator()(const CodePairs& t) {
    return has_codes(t.codes) && used(PairsOf<FormatsWhoseWordsMayDefineCodes>{t});
  }
  bool operator()(const PackedWords& t) {
    return of_format(FormatsHere(), t.codes, [&]<class F>() { use(UnitsOf<F>{t}); });
  }
  bool operator()(const UnpackedCodes& t) {
    return of_format(FormatsWhoseWordsMayDefineCodes(), t.codes,
                     [&]<class F>() { use(UnpackedOf<typename F::Codes>{t}); });
  }
  bool operator()(const ScaleElements& t) { return of_tensor<0>(t.parameters); }
  bool operator()(const ZeroElements& t) { return of_tensor<1>(t.parameters); }
  bool operator()(const Weights& t) {
    if (!has_codes(t.codes)) return false;
    bool is_here = false;
    of_scheme(t.parameters, [&]<Type type, class Used>() {
      // In the order [n][k] any weights are asked for, to say what was expected of an element.
      const bool is_in_order = t.order == reference::ResultOrder::n_k || has_order<FormatsHere, Used>(t.order);
      is_here = is_in_order && (!t.parameters.cross_rows || some_cross_rows<FormatsHere, Used>());
      if (is_here) of_weights<type, Used>(t);
    });
    return is_here;
  }

 private:
  template <Type type, class Used>
  void of_weights(const Weights& t) {
    using reference::WeightType;
    const auto use_of = [&]<Type weight_type>() {
      use(WeightsOf<weight_type, type, Used, FormatsHere, FormatsWhoseWordsMayDefineCodes>{t});
    };
    if constexpr (Used::weight_type == WeightType::of_parameters) {
      use_of.template operator()<type>();
    } else if constexpr (is_fp32_of(Used::weight_type)) {
      use_of.template operator()<Type::fp32>();
    } else {
      with_type(t.type, [&]<Type weight_type>() {
        if constexpr (own_format<weight_type>.bits() > 8) {
          use_of.template operator()<weight_type>();
        } else {
          throw std::logic_error(std::string("no weights have the type ") + name_of(weight_type));
        }
      });
    }
  }
  template <class Evaluator>
  bool used(const Evaluator& evaluator) {
    use(evaluator);
    return true;
  }
  /// Only codes that words define depend on the layout.
  static bool has_codes(const Codes& codes) {
    return codes.kind != Codes::Kind::every_word ||
           reference::is_one_of(FormatsWhoseWordsMayDefineCodes(), reference::Formats(), codes.format);
  }
  template <class Some, class Body>
  static bool of_format(Some some, const Codes& codes, Body body) {
    return reference::with_one_of(some, reference::Formats(), codes.format, body);
  }
  template <int number>
  bool of_tensor(const Parameters& parameters) {
    bool has_it = false;
    of_scheme(parameters, [&]<Type type, class Used>() {
      constexpr int count = reference::tensor_count<typename Used::Parameters>;
      if constexpr (number < count) {
        has_it = true;
        use(ParametersOf<type, Used, number>{parameters});
      }
    });
    return has_it;
  }
  template <class Body>
  static bool of_scheme(const Parameters& parameters, Body body) {
    return reference::with_one_of(SchemesHere(), reference::Schemes(), parameters.scheme, [&]<class Used>() {
      with_type(parameters.type, [&]<Type type>() {
        if constexpr (has_parameters_of<Used, type>()) {
          body.template operator()<type, Used>();
        } else {
          throw std::logic_error(std::string(Used::Scheme::name) + " has no such parameters");
        }
      });
    });
  }
};

/// Calls `use` with the evaluator of a formula.
/// @return whether it did: whether the formula's layout and scheme are among those given, and the scheme has the tensor
template <class FormatsHere = reference::Formats, class SchemesHere = reference::Schemes,
          class FormatsWhoseWordsMayDefineCodes = FormatsHere, class Use>
bool with_evaluator(const GeneratedTensor& formula, Use use) {
  return std::visit(WithEvaluator<FormatsHere, SchemesHere, FormatsWhoseWordsMayDefineCodes, Use>{use},
                    static_cast<const GeneratedTensor::variant&>(formula));
}

}  // namespace tileproof::generated
