/// How the elements of a formula are computed, sixteen at a time: for the host's loop and the device's threads.
/// Included by those two and by nobody else.
#pragma once

#include <cstdint>
#include <type_traits>

#include "properties/memory/generated_tensor.h"
#include "properties/problem/draw.h"
#include "properties/problem/k_tile.h"
#include "reference/dequantize.h"
#include "reference/tile_map.h"

namespace tileproof::generated {

inline constexpr int run = 16;  // elements that are computed together; every row of codes and every group is whole runs

/// a / b for a >= 0, b > 0: a GPU divides 32 bits far sooner than 64.
constexpr std::int64_t quotient(std::int64_t a, std::int64_t b) {
  if (((a | b) >> 32) == 0) return static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b);
  return a / b;
}

constexpr std::uint32_t word_at(const Codes& c, std::int64_t word) {
  return c.first + (static_cast<std::uint32_t>(word) ^ c.swizzle);
}

/// Sixteen drawn codes, of the sixteen columns that hold `column`: k is a multiple of sixteen.
constexpr std::uint64_t drawn_codes(const Codes& c, std::int64_t row, std::int64_t column) {
  return drawn(c.first, stream::codes, static_cast<std::uint64_t>(row * c.k + column) / run);
}

constexpr std::uint32_t code_at(const Codes& c, std::int64_t row, std::int64_t column) {
  if (c.kind == Codes::Kind::drawn) {
    return static_cast<std::uint32_t>(drawn_codes(c, row, column) >> (4 * (column % run))) & 15;
  }
  if (c.kind == Codes::Kind::constant) return static_cast<std::uint32_t>(c.value);
  if (c.kind == Codes::Kind::digit) {
    return (static_cast<std::uint32_t>((row * c.k + column) >> c.shift) ^ c.flip) & 15;
  }
  if (c.kind == Codes::Kind::each) return static_cast<std::uint32_t>(column + (row >> 2)) & 15;
  const reference::Place place = reference::place_of(row, column, c.k, static_cast<int>(c.inner_k_tiles));
  return word_at(c, place.word) >> (4 * place.nibble) & 15;
}

/// The codes of the sixteen columns from a k-tile's first on: code i at bits 4i. The kind is asked for once, and not
/// for each of them, so that the loop can be unrolled and a GPU's registers hold what comes of it.
constexpr std::uint64_t codes_of_run(const Codes& codes, std::int64_t row, std::int64_t column, int inner_k_tiles) {
  const auto all = [](auto code_of_column) {
    std::uint64_t of_run = 0;
#pragma unroll
    for (int i = 0; i < run; ++i) of_run |= static_cast<std::uint64_t>(code_of_column(i)) << (4 * i);
    return of_run;
  };
  const auto of_kind = [&]<Codes::Kind kind>() {
    Codes known = codes;
    known.kind = kind;
    return all([&](int i) { return code_at(known, row, column + i); });
  };
  if (codes.kind == Codes::Kind::drawn) return drawn_codes(codes, row, column);
  if (codes.kind == Codes::Kind::constant) return of_kind.template operator()<Codes::Kind::constant>();
  if (codes.kind == Codes::Kind::digit &&
      codes.shift >= 4) {  // the indices of a run differ in their lowest digit alone
    return code_at(codes, row, column) * std::uint64_t{0x1111111111111111};
  }
  if (codes.kind == Codes::Kind::digit) return of_kind.template operator()<Codes::Kind::digit>();
  if (codes.kind == Codes::Kind::each) return of_kind.template operator()<Codes::Kind::each>();
  const reference::Place place = reference::place_of(row, column, codes.k, inner_k_tiles);
  return all([&](int i) {
    const FromFirst from = from_first_of_k_tile(i);
    return word_at(codes, place.word + from.lane * (inner_k_tiles / 2)) >> (4 * (place.nibble + from.nibble)) & 15;
  });
}

/// Code i at place i.
inline constexpr std::uint64_t every_code_once = 0xfedcba9876543210;

constexpr int code_of_run(std::uint64_t codes, int i) { return static_cast<int>(codes >> (4 * i) & 15); }

struct Pair {
  std::uint32_t scale;
  std::uint32_t zero;
  int zero_point;
  constexpr bool operator==(const Pair&) const = default;
};

/// The formats whose patterns a type's scales and zeros take in `Kind::every`.
template <Type type>
inline constexpr reference::FloatFormat enumerated_format = type == Type::fp16 ? reference::fp16 : reference::bf16;
template <Type type>
inline constexpr reference::FloatFormat own_format = type == Type::bf16   ? reference::bf16
                                                     : type == Type::fp16 ? reference::fp16
                                                                          : reference::fp32;

template <Type type>
using ElementOf = std::conditional_t<type == Type::fp32, std::uint32_t, std::uint16_t>;

/// How many bits number the pairs: those of a pattern for each scale and zero, eight of a zero point. Of fp32, scale
/// and zero are what bf16 holds; but in the integer domain, where those never need rounding, each scale comes once more
/// with a full fraction, and without a zero point scales are all there are.
template <Type type, Domain domain>
inline constexpr int bits_of_number = domain == Domain::floating  ? 32
                                      : domain == Domain::integer ? (type == Type::fp32 ? 25 : 24)
                                                                  : (type == Type::fp32 ? 32 : 16);

/// The number-th pair of all. Fractions run fastest, so that neighbours in a row are computed alike, by a GPU at once;
/// signs and exponents lie evenly over the domain from the start.
template <Type type, Domain domain>
constexpr Pair pair_at(std::uint64_t number) {
  constexpr int fraction = enumerated_format<type>.fraction_bits;
  constexpr int rest = 16 - fraction;
  constexpr std::uint32_t fraction_mask = (1u << fraction) - 1;
  const auto pattern = [](std::uint64_t high, std::uint64_t low) {
    const auto bits = static_cast<std::uint32_t>(high << fraction | low);
    return type == Type::fp32 ? bits << 16 : bits;  // a bf16 value as fp32
  };
  if constexpr (domain == Domain::floating) {
    const std::uint64_t high = spread(number >> (2 * fraction), 2 * rest);
    return {pattern(high >> rest, number >> fraction & fraction_mask),
            pattern(high & ((1u << rest) - 1), number & fraction_mask), 0};
  } else if constexpr (domain == Domain::integer) {
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

/// A small whole number, which every type holds.
template <Type type>
constexpr std::uint32_t bits_of(int value) {
  constexpr reference::FloatFormat format = own_format<type>;  // a copy: a device has no objects of namespaces
  return reference::rounded(format, reference::whole(value));
}

/// A scale between 2^-8 and 2^-4, a zero of either sign between 2^-6 and 2^-2, their fractions full; a zero point that
/// is a code.
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

template <Type type, Domain domain>
constexpr Pair pair_of_group(const Parameters& p, std::int64_t group, std::int64_t row) {
  if (p.kind == Parameters::Kind::every) {
    constexpr std::uint64_t last = (std::uint64_t{1} << bits_of_number<type, domain>)-1;
    return pair_at<type, domain>((p.first + static_cast<std::uint64_t>(row * p.groups + group)) & last);
  }
  const std::int64_t number = group * p.n + row;
  if (p.kind == Parameters::Kind::ordinary) return ordinary_pair<type>(p.first + static_cast<std::uint64_t>(number));
  int digit = static_cast<int>(number >> p.shift & 63);
  if (p.flip != 0) digit = 63 - digit;
  if (p.kind == Parameters::Kind::identity) return {bits_of<type>(1), bits_of<type>(8), 0};
  if (p.kind == Parameters::Kind::scale_digit) return {bits_of<type>(digit), 0, 0};
  return {bits_of<type>(1), bits_of<type>(digit), -digit};
}

// Evaluators: sixteen elements from element `first` on, a multiple of sixteen. What lies past the end is anything.
// `Element` is the unsigned type of as many bits as the tensor's elements have, where the formula decides that.

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
    const std::int64_t row = quotient(first, tensor.codes.k / 2);
    const std::int64_t column = (first - row * (tensor.codes.k / 2)) * 2;
    const auto inner_k_tiles = static_cast<int>(tensor.codes.inner_k_tiles);
    for (int half = 0; half < 2; ++half) {
      const std::uint64_t codes = codes_of_run(tensor.codes, row, column + half * run, inner_k_tiles);
      for (int i = 0; i < run / 2; ++i) {
        values[half * (run / 2) + i] =
            static_cast<std::uint32_t>(code_of_run(codes, 2 * i) << 4 | code_of_run(codes, 2 * i + 1));
      }
    }
  }
};

template <int inner_k_tiles>
struct WordsOf {
  static constexpr std::int64_t words_of_supertile = reference::lanes_of_tile * inner_k_tiles / 2;
  static constexpr std::int64_t columns_of_supertile = reference::columns_of_tile * inner_k_tiles;
  static constexpr int words_of_row = static_cast<int>(words_of_supertile) / reference::rows_of_tile;  // of a supertile

  using Element = std::uint32_t;
  PackedWords tensor;
  constexpr std::int64_t elements() const { return reference::words_of(tensor.codes.n, tensor.codes.k); }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    const Codes& codes = tensor.codes;
    if (codes.kind == Codes::Kind::every_word) {
      for (int i = 0; i < run; ++i) values[i] = word_at(codes, first + i);
      return;
    }
    // The element at the beginning of the supertile; within it, a matrix of one supertile says where.
    const std::int64_t supertile = first / words_of_supertile;
    const std::int64_t supertiles_of_row = codes.k / columns_of_supertile;
    const std::int64_t n_tile = quotient(supertile, supertiles_of_row);
    const std::int64_t column = (supertile - n_tile * supertiles_of_row) * columns_of_supertile;
    const int first_row = static_cast<int>(first % words_of_supertile) / words_of_row;
#pragma unroll
    for (std::uint32_t& value : values) value = 0;
#pragma unroll
    for (int row_of_run = 0; row_of_run < run / words_of_row; ++row_of_run) {
      const std::int64_t row = n_tile * reference::rows_of_tile + first_row + row_of_run;
      if (row >= codes.n) continue;  // code 0, as rows past the end are packed
#pragma unroll
      for (int k_tile = 0; k_tile < inner_k_tiles; ++k_tile) {
        const int of_supertile = k_tile * reference::columns_of_tile;
        const std::uint64_t of_k_tile = codes_of_run(codes, row, column + of_supertile, inner_k_tiles);
        const reference::Place place =
            reference::place_of(row_of_run, of_supertile, columns_of_supertile, inner_k_tiles);
#pragma unroll
        for (int i = 0; i < reference::columns_of_tile; ++i) {
          const FromFirst from = from_first_of_k_tile(i);
          values[place.word + from.lane * (inner_k_tiles / 2)] |= static_cast<std::uint32_t>(code_of_run(of_k_tile, i))
                                                                  << (4 * (place.nibble + from.nibble));
        }
      }
    }
  }
};

template <int inner_k_tiles>
struct UnpackedOf {
  using Element = std::uint32_t;
  UnpackedCodes tensor;
  constexpr std::int64_t elements() const { return tensor.codes.n * tensor.codes.k; }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    const std::int64_t row = quotient(first, tensor.codes.k);
    const std::int64_t column = first - row * tensor.codes.k;
    const std::uint64_t codes = codes_of_run(tensor.codes, row, column, inner_k_tiles);
#pragma unroll
    for (int i = 0; i < run; ++i) values[i] = static_cast<std::uint32_t>(code_of_run(codes, i));
  }
};

template <Type type, Domain domain>
struct ScalesOf {
  static constexpr int of_group = domain == Domain::floating ? 2 : 1;

  using Element = ElementOf<type>;
  ScaleElements tensor;
  constexpr std::int64_t elements() const { return tensor.parameters.groups * tensor.parameters.n * of_group; }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    const Parameters& p = tensor.parameters;
    for (int i = 0; i < run; ++i) {
      const std::int64_t number = (first + i) / of_group;
      const std::int64_t group = quotient(number, p.n);
      const Pair pair = pair_of_group<type, domain>(p, group, number - group * p.n);
      values[i] = i % of_group == 0 ? pair.scale : pair.zero;
    }
  }
};

template <Type type>
struct ZeroPointsOf {
  using Element = std::uint8_t;
  ZeroPointElements tensor;
  constexpr std::int64_t elements() const { return tensor.parameters.groups * tensor.parameters.n; }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    const Parameters& p = tensor.parameters;
    for (int i = 0; i < run; ++i) {
      const std::int64_t group = quotient(first + i, p.n);
      const Pair pair = pair_of_group<type, Domain::integer>(p, group, first + i - group * p.n);
      values[i] = static_cast<std::uint32_t>(pair.zero_point) & 255;
    }
  }
};

/// The sixteen columns of a run of a matrix, and their group.
struct RunOfMatrix {
  std::int64_t row, column, group;
};

template <Type type, Domain domain>
struct WeightsOf {
  using Element = ElementOf<type>;
  Weights tensor;
  constexpr std::int64_t elements() const { return tensor.codes.n * tensor.codes.k; }
  constexpr void operator()(std::int64_t first, std::uint32_t (&values)[run]) const {
    const RunOfMatrix at = run_at(first);
    weights(codes_of(at), pair_of(at), values);
  }

  constexpr RunOfMatrix run_at(std::int64_t first) const {
    const std::int64_t row = quotient(first, tensor.codes.k);
    const std::int64_t column = first - row * tensor.codes.k;
    return {row, column, quotient(column, tensor.parameters.group_size)};
  }
  constexpr std::uint64_t codes_of(const RunOfMatrix& at) const {
    return codes_of_run(tensor.codes, at.row, at.column, static_cast<int>(tensor.codes.inner_k_tiles));
  }
  constexpr Pair pair_of(const RunOfMatrix& at) const {
    return pair_of_group<type, domain>(tensor.parameters, at.group, at.row);
  }
  static constexpr void weights(std::uint64_t codes, const Pair& pair, std::uint32_t (&values)[run]) {
    constexpr reference::FloatFormat format = own_format<type>;
    reference::with_units(format, [&]<class Units>() {
      const auto scale = reference::decode<Units>(format, pair.scale);
      const auto zero = reference::decode<Units>(format, pair.zero);
#pragma unroll
      for (int i = 0; i < run; ++i) {
        const int code = code_of_run(codes, i);
        if constexpr (domain == Domain::floating) {
          values[i] = reference::dequantized_float(format, code, scale, zero);
        } else if constexpr (domain == Domain::integer) {
          values[i] = reference::dequantized_integer(format, code, scale, pair.zero_point);
        } else {
          values[i] = reference::dequantized_none(format, code, scale);
        }
      }
    });
  }
};

// What is known of a formula, made known at compile time.

template <class Use>
auto with_inner_k_tiles(std::int64_t inner_k_tiles, Use use) {
  if (inner_k_tiles == 2) return use.template operator()<2>();
  if (inner_k_tiles == 4) return use.template operator()<4>();
  return use.template operator()<8>();
}

template <class Use>
auto with_type(Type type, Use use) {
  if (type == Type::bf16) return use.template operator()<Type::bf16>();
  if (type == Type::fp16) return use.template operator()<Type::fp16>();
  return use.template operator()<Type::fp32>();
}

template <class Use>
auto with_type_and_domain(Type of_type, Domain domain, Use use) {
  return with_type(of_type, [&]<Type type>() {
    if (domain == Domain::floating) return use.template operator()<type, Domain::floating>();
    if (domain == Domain::integer) return use.template operator()<type, Domain::integer>();
    return use.template operator()<type, Domain::none>();
  });
}

/// Calls `use` with the evaluator of a formula.
template <class Use>
auto with_evaluator(const GeneratedTensor& formula, Use use) {
  struct Cases {
    Use& use;
    auto operator()(const Constant& t) { return use(ConstantOf{t}); }
    auto operator()(const CodePairs& t) { return use(PairsOf{t}); }
    auto operator()(const PackedWords& t) {
      return with_inner_k_tiles(t.codes.inner_k_tiles, [&]<int inner>() { return use(WordsOf<inner>{t}); });
    }
    auto operator()(const UnpackedCodes& t) {
      return with_inner_k_tiles(t.codes.inner_k_tiles, [&]<int inner>() { return use(UnpackedOf<inner>{t}); });
    }
    auto operator()(const ScaleElements& t) {
      return with_type_and_domain(t.parameters.type, t.parameters.domain,
                                  [&]<Type y, Domain d>() { return use(ScalesOf<y, d>{t}); });
    }
    auto operator()(const ZeroPointElements& t) {
      return with_type(t.parameters.type, [&]<Type y>() { return use(ZeroPointsOf<y>{t}); });
    }
    auto operator()(const Weights& t) {
      return with_type_and_domain(t.parameters.type, t.parameters.domain,
                                  [&]<Type y, Domain d>() { return use(WeightsOf<y, d>{t}); });
    }
  };
  using Variant =
      std::variant<Constant, CodePairs, PackedWords, UnpackedCodes, ScaleElements, ZeroPointElements, Weights>;
  return std::visit(Cases{use}, static_cast<const Variant&>(formula));
}

}  // namespace tileproof::generated
