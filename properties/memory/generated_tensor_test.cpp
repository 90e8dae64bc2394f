// Formulas equal the specification's matrices, a comparison finds every difference, and a guarded call over formulas
// reports every broken rule of memory.
#include "properties/memory/generated_tensor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <set>
#include <span>

#include "properties/memory/placement.h"
#include "properties/problem/specification.h"
#include "properties/problem/tinygemm.h"
#include "properties/subjects/call.h"
#include "properties/subjects/rows.h"
#include "reference/matrix.h"

namespace tileproof {

namespace {

using generated::Codes;
using FormulaParameters = generated::Parameters;

Memory& memory() { return lenient_host_memory(); }

/// A tensor as write_here() writes it, with a check that the bytes behind it stay unchanged.
template <class Element>
std::vector<Element> written(const GeneratedTensor& formula) {
  constexpr Element guard = 0x5c;
  const auto elements = static_cast<std::size_t>(elements_of(formula));
  std::vector<Element> tensor(elements + 16, guard);
  memory().write(formula, sizeof(Element), tensor.data());
  for (std::size_t i = elements; i < tensor.size(); ++i) EXPECT_EQ(tensor[i], guard) << "wrote behind its end";
  tensor.resize(elements);
  return tensor;
}

/// The tensor computed one element at a time, without anything kept between calls.
template <class Element>
std::vector<Element> evaluated(const GeneratedTensor& formula) {
  std::vector<Element> tensor;
  for (std::int64_t i = 0; i < elements_of(formula); ++i)
    tensor.push_back(static_cast<Element>(element_of(formula, i)));
  return tensor;
}

constexpr std::int64_t rows_of_shapes[] = {1, 3, 8, 17};
constexpr std::int64_t inner_k_tiles_of_shapes[] = {2, 4, 8};
constexpr std::int64_t group_sizes_of_shapes[] = {16, 48, 64, 160};

/// Codes of every kind in one shape.
std::vector<Codes> every_kind_of_codes(std::int64_t n, std::int64_t k, std::int64_t inner_k_tiles) {
  const auto words_of_supertiles = static_cast<std::uint32_t>(16 * inner_k_tiles);
  Codes codes = {.n = n, .k = k, .format = index_of(*tinygemm(inner_k_tiles))};
  std::vector<Codes> all = {codes};
  codes.kind = Codes::Kind::constant;
  codes.value = 11;
  all.push_back(codes);
  codes.kind = Codes::Kind::digit;
  for (const std::int32_t shift : {0, 4, 8}) {
    codes.shift = shift;
    codes.flip = shift == 4 ? 15 : 0;
    all.push_back(codes);
  }
  codes.kind = Codes::Kind::every_word;
  codes.first = 0xfffffff0;  // wraps past 2^32
  for (const std::uint32_t swizzle : {0u, 1u, words_of_supertiles - 1}) {
    codes.swizzle = swizzle;
    all.push_back(codes);
  }
  return all;
}

/// The words of Kind::every_word, by its definition.
std::vector<std::uint32_t> all_words(const Codes& c) {
  std::vector<std::uint32_t> words;
  for (std::int64_t i = 0; i < reference::words_of(c.n, c.k); ++i) {
    words.push_back(c.first + (static_cast<std::uint32_t>(i) ^ c.swizzle));
  }
  return words;
}

/// A code of any kind except `each`, whose order is free as long as every run holds all sixteen.
int stated_code(const Codes& c, std::int64_t row, std::int64_t column) {
  if (c.kind == Codes::Kind::constant) return c.value;
  if (c.kind == Codes::Kind::digit) {
    return static_cast<int>(((static_cast<std::uint64_t>(row * c.k + column) >> c.shift) % 16) ^ c.flip);
  }
  const reference::Place place =
      reference::place_of(row, column, c.k, static_cast<int>(tinygemm_number(reference::formats[c.format])));
  const std::uint32_t word = c.first + (static_cast<std::uint32_t>(place.word) ^ c.swizzle);
  return static_cast<int>(word >> (4 * place.nibble) & 15);
}

template <class Use>
void for_each_shape(Use use) {
  for (const std::int64_t inner_k_tiles : inner_k_tiles_of_shapes) {
    for (const std::int64_t n : rows_of_shapes) {
      for (const std::int64_t supertiles : {1, 3}) use(n, 16 * inner_k_tiles * supertiles, inner_k_tiles);
    }
  }
}

TEST(Formulas, OfCodesAreWhatTheirKindSays) {
  for_each_shape([](std::int64_t n, std::int64_t k, std::int64_t inner_k_tiles) {
    for (const Codes& codes : every_kind_of_codes(n, k, inner_k_tiles)) {
      const auto unpacked = written<std::int32_t>(generated::UnpackedCodes{codes});
      ASSERT_EQ(unpacked, evaluated<std::int32_t>(generated::UnpackedCodes{codes}));
      ASSERT_EQ(static_cast<std::int64_t>(unpacked.size()), n * k);
      for (std::int64_t i = 0; i < n * k; ++i) {
        if (codes.kind == Codes::Kind::each) continue;
        ASSERT_EQ(unpacked[static_cast<std::size_t>(i)], stated_code(codes, i / k, i % k)) << n << " " << k << " " << i;
      }
      for (std::size_t i = 0; codes.kind == Codes::Kind::each && i < unpacked.size(); i += 16) {
        std::set<int> seen(unpacked.begin() + static_cast<std::ptrdiff_t>(i),
                           unpacked.begin() + static_cast<std::ptrdiff_t>(i) + 16);
        ASSERT_EQ(seen.size(), 16u);
        ASSERT_TRUE(*seen.begin() == 0 && *seen.rbegin() == 15);
      }
    }
  });
}

TEST(Formulas, OfCodesArePackedAsTheSpecificationPacksThem) {
  for_each_shape([](std::int64_t n, std::int64_t k, std::int64_t inner_k_tiles) {
    const int inner = static_cast<int>(inner_k_tiles);
    for (const Codes& codes : every_kind_of_codes(n, k, inner_k_tiles)) {
      const auto pairs = written<std::uint8_t>(generated::CodePairs{codes});
      const auto unpacked = written<std::int32_t>(generated::UnpackedCodes{codes});
      for (std::int64_t i = 0; i < n * k; ++i) {
        ASSERT_EQ(reference::code_of_pairs(pairs.data(), i / k, i % k, k), unpacked[static_cast<std::size_t>(i)])
            << "kind " << static_cast<int>(codes.kind) << " n " << n << " k " << k << " inner " << inner;
      }
      const auto words = written<std::uint32_t>(generated::PackedWords{codes});
      ASSERT_EQ(words, evaluated<std::uint32_t>(generated::PackedWords{codes}));
      if (codes.kind == Codes::Kind::every_word) {
        ASSERT_EQ(words, all_words(codes));
      } else {
        std::vector<std::uint32_t> expected(static_cast<std::size_t>(reference::words_of(n, k)));
        reference::pack(pairs.data(), n, k, inner, expected.data());
        ASSERT_EQ(words, expected) << "kind " << static_cast<int>(codes.kind) << " n " << n << " k " << k;
      }
      std::vector<std::int32_t> expected(unpacked.size());
      reference::unpack(words.data(), n, k, inner, expected.data());
      ASSERT_EQ(unpacked, expected) << "kind " << static_cast<int>(codes.kind) << " n " << n << " k " << k;
    }
  });
}

const Scheme& scheme_of(const FormulaParameters& p) { return reference::schemes[p.scheme]; }

/// Parameters of every kind in one shape.
std::vector<FormulaParameters> every_kind_of_parameters(Type type, const Scheme* scheme, std::int64_t n,
                                                        std::int64_t groups, std::int64_t group_size) {
  using Kind = FormulaParameters::Kind;
  FormulaParameters p = {.type = type, .scheme = index_of(*scheme), .n = n, .groups = groups, .group_size = group_size};
  std::vector<FormulaParameters> all;
  for (const std::uint64_t first :
       {std::uint64_t{0}, generated::pairs_of(type, *scheme) - 5, std::uint64_t{0xbe5f37}}) {
    p.first = first;
    all.push_back(p);
  }
  p.kind = Kind::identity;
  all.push_back(p);
  p.kind = Kind::ordinary;
  all.push_back(p);
  for (const Kind kind : {Kind::scale_digit, Kind::zero_digit}) {
    for (const std::int32_t shift : {0, 6}) {
      for (const std::int32_t flip : {0, 1}) {
        p.kind = kind;
        p.shift = shift;
        p.flip = flip;
        all.push_back(p);
      }
    }
  }
  return all;
}

std::vector<std::uint32_t> widened_from(const GeneratedTensor& formula, Type type) {
  if (bytes_of(type) == 4) return written<std::uint32_t>(formula);
  const std::vector<std::uint16_t> narrow = written<std::uint16_t>(formula);
  return {narrow.begin(), narrow.end()};
}

template <class Use>
void for_each_parameters(Use use) {
  for (const Type type : {Type::bf16, Type::fp16, Type::fp32}) {
    for (const Scheme* scheme : {scheme::floating, scheme::integer, scheme::none}) {
      for (const std::int64_t inner_k_tiles : inner_k_tiles_of_shapes) {
        for (const std::int64_t group_size : group_sizes_of_shapes) {
          for (const std::int64_t n : rows_of_shapes) {
            const std::int64_t k = k_unit(*tinygemm(inner_k_tiles), group_size);
            use(inner_k_tiles, k, every_kind_of_parameters(type, scheme, n, k / group_size, group_size));
          }
        }
      }
    }
  }
}

/// The zero points as they are written, or as many of 0 where the scheme has none.
std::vector<std::uint8_t> bytes_of_zero_points(const FormulaParameters& p) {
  if (scheme_of(p).zero_kind == Zero::point) return written<std::uint8_t>(generated::ZeroElements{p});
  EXPECT_THROW(elements_of(generated::ZeroElements{p}), std::logic_error);
  return std::vector<std::uint8_t>(static_cast<std::size_t>(p.groups * p.n));
}

TEST(Formulas, OfParametersAreWhatTheirKindSays) {
  using Kind = FormulaParameters::Kind;
  for_each_parameters([](std::int64_t inner_k_tiles, std::int64_t, const std::vector<FormulaParameters>& kinds) {
    if (inner_k_tiles != 2) return;  // parameters do not depend on inner_k_tiles
    for (const FormulaParameters& p : kinds) {
      const bool floating = scheme_of(p).zero_kind == Zero::value;
      const auto scales = widened_from(generated::ScaleElements{p}, p.type);
      const std::vector<std::uint8_t> zero_points = bytes_of_zero_points(p);
      ASSERT_EQ(static_cast<std::int64_t>(scales.size()), p.groups * p.n * (floating ? 2 : 1));
      ASSERT_EQ(static_cast<std::int64_t>(zero_points.size()), p.groups * p.n);
      const auto whole = [&](int value) {
        return reference::rounded(float_format_of(p.type), reference::whole(value));
      };
      FormulaParameters from_zero = p;
      from_zero.first = 0;
      for (std::int64_t number = 0; number < p.groups * p.n; ++number) {
        const auto at = static_cast<std::size_t>(number);
        const std::uint32_t scale = scales[floating ? 2 * at : at];
        const std::uint32_t zero = floating ? scales[2 * at + 1] : 0;
        const int zero_point = static_cast<std::int8_t>(zero_points[at]);
        int digit = static_cast<int>(number >> p.shift) % 64;
        if (p.flip != 0) digit = 63 - digit;
        if (p.kind == Kind::identity) {
          ASSERT_EQ(scale, whole(1));
          if (floating) {
            ASSERT_EQ(zero, whole(8));
          }
          ASSERT_EQ(zero_point, 0);
        } else if (p.kind == Kind::scale_digit) {
          ASSERT_EQ(scale, whole(digit));
          ASSERT_EQ(zero, 0u);
          ASSERT_EQ(zero_point, 0);
        } else if (p.kind == Kind::zero_digit) {
          ASSERT_EQ(scale, whole(1));
          if (floating) {
            ASSERT_EQ(zero, whole(digit));
          }
          ASSERT_EQ(zero_point, scheme_of(p).zero_kind == Zero::point ? -digit : 0);
        } else if (p.kind == Kind::ordinary) {
          const auto value = [&](std::uint32_t bits) { return specified::value(float_format_of(p.type), bits); };
          ASSERT_TRUE(value(scale) >= 0x1p-8 && value(scale) < 0x1p-4) << value(scale);
          if (floating) {
            ASSERT_TRUE(std::fabs(value(zero)) >= 0x1p-6 && std::fabs(value(zero)) < 0x1p-2) << value(zero);
          }
          ASSERT_TRUE(zero_point >= 0 && zero_point < 16) << zero_point;
        } else {
          // The pairs form one sequence, row by row, independent of the matrix's shape. It starts again after its end.
          const std::int64_t of_matrix = number % p.n * p.groups + number / p.n;
          const std::uint64_t of_all =
              (p.first + static_cast<std::uint64_t>(of_matrix)) % generated::pairs_of(p.type, scheme_of(p));
          from_zero.n = std::int64_t{1} << 32;
          from_zero.groups = 1;
          const auto index = static_cast<std::int64_t>(of_all);
          ASSERT_EQ(scale, element_of(generated::ScaleElements{from_zero}, floating ? 2 * index : index));
          if (floating) {
            ASSERT_EQ(zero, element_of(generated::ScaleElements{from_zero}, 2 * index + 1));
          }
          if (scheme_of(p).zero_kind == Zero::point) {
            ASSERT_EQ(zero_points[at], element_of(generated::ZeroElements{from_zero}, index));
          }
        }
      }
    }
  });
}

TEST(Formulas, OfOrdinaryParametersAreOneSequenceOfMany) {
  FormulaParameters p = {.kind = FormulaParameters::Kind::ordinary, .n = 64, .groups = 64, .group_size = 32};
  const auto from = [&](std::uint64_t first) {
    p.first = first;
    return widened_from(generated::ScaleElements{p}, p.type);
  };
  const std::vector<std::uint32_t> pairs = from(0), later = from(5);
  EXPECT_TRUE(std::equal(pairs.begin() + 10, pairs.end(), later.begin()));
  std::set<std::uint32_t> scales, zeros;
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    scales.insert(pairs[i]);
    zeros.insert(pairs[i + 1]);
  }
  EXPECT_EQ(scales.size(), 4 * 128u);      // four binades, each with every fraction of bf16
  EXPECT_GT(zeros.size(), 8 * 128u - 60);  // both signs; among 4096 draws some are missed
}

/// Dequantizes words and parameters by reference/matrix.h.
std::vector<std::uint32_t> dequantized(const Codes& c, const FormulaParameters& p) {
  const auto words = written<std::uint32_t>(generated::PackedWords{c});
  const auto scales = widened_from(generated::ScaleElements{p}, p.type);
  const std::vector<std::uint8_t> bytes = bytes_of_zero_points(p);
  const std::vector<std::int8_t> zero_points(bytes.begin(), bytes.end());
  const reference::FloatFormat format = float_format_of(p.type);
  const int inner = static_cast<int>(tinygemm_number(reference::formats[c.format]));
  std::vector<std::uint32_t> weights(static_cast<std::size_t>(c.n * c.k));
  if (scheme_of(p).zero_kind == Zero::value) {
    reference::dequantize_float(format, words.data(), scales.data(), c.n, c.k, p.group_size, inner, weights.data());
  } else if (scheme_of(p).zero_kind == Zero::point) {
    reference::dequantize_integer(format, words.data(), scales.data(), zero_points.data(), c.n, c.k, p.group_size,
                                  inner, weights.data());
  } else {
    reference::dequantize_none(format, words.data(), scales.data(), c.n, c.k, p.group_size, inner, weights.data());
  }
  return weights;
}

TEST(Formulas, OfWeightsAreWhatTheSpecificationDequantizes) {
  std::size_t turn = 0;  // alternates the kinds of codes, so that all parameters and all kinds are used
  for_each_parameters([&](std::int64_t inner_k_tiles, std::int64_t k, const std::vector<FormulaParameters>& kinds) {
    for (const FormulaParameters& p : kinds) {
      const std::vector<Codes> codes_of_kinds = every_kind_of_codes(p.n, k, inner_k_tiles);
      const Codes& codes = codes_of_kinds[turn++ % codes_of_kinds.size()];
      ASSERT_EQ(widened_from(generated::Weights{codes, p}, p.type), dequantized(codes, p))
          << name_of(p.type) << " " << scheme_of(p).name << " parameters " << static_cast<int>(p.kind) << " codes "
          << static_cast<int>(codes.kind) << " n " << p.n << " k " << k << " inner " << inner_k_tiles << " groups of "
          << p.group_size;
    }
  });
}

TEST(Formulas, OfTheIdentityAreTheCodes) {
  for (const Scheme* scheme : {scheme::floating, scheme::integer, scheme::none}) {
    const Codes codes = {.kind = Codes::Kind::digit, .n = 3, .k = 64, .shift = 1};
    const FormulaParameters identity = {.kind = FormulaParameters::Kind::identity,
                                        .type = Type::fp32,
                                        .scheme = index_of(*scheme),
                                        .n = 3,
                                        .groups = 4,
                                        .group_size = 16};
    for (std::int64_t i = 0; i < 3 * 64; ++i) {
      const std::uint32_t code = element_of(generated::UnpackedCodes{codes}, i);
      EXPECT_EQ(element_of(generated::Weights{codes, identity}, i),
                reference::rounded(reference::fp32, reference::whole(static_cast<int>(code))));
    }
  }
}

/// The bytes of a formula's elements.
std::vector<std::uint8_t> bytes_of_formula(const GeneratedTensor& formula, std::int64_t element_bytes) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(elements_of(formula) * element_bytes));
  memory().write(formula, static_cast<std::size_t>(element_bytes), bytes.data());
  return bytes;
}

/// Codes, parameters and weights of a problem, once by formulas and once as the specification has them.
void expect_formulas_as_specified(const Problem& p, FormulaParameters::Kind kind) {
  FormulaParameters parameters = generated::parameters_of(p, kind);
  parameters.first = 0x3f80'1234;
  const Codes codes = generated::codes_of(p, Codes::Kind::each);
  Parameters own = zero_parameters(p);
  for (std::int64_t group = 0; group < p.groups().k; ++group) {
    for (std::int64_t row = 0; row < p.groups().n; ++row) {
      const generated::Pair pair = generated::pair_of(parameters, {row, group});
      own.scales(group, row) = pair.scale;
      own.zeros(group, row) = pair.zero;
      own.zero_points(group, row) = static_cast<std::int8_t>(pair.zero_point);
      if (p.scheme->zero_kind == Zero::point) {
        EXPECT_TRUE(p.scheme->zero_points.contains(pair.zero_point)) << pair.zero_point;
      }
    }
  }
  const std::vector<ParameterBytes> tensors = tensors_of(p, own);
  if (!tensors.empty()) {
    EXPECT_EQ(bytes_of_formula(generated::ScaleElements{parameters}, tensors[0].element_bytes), tensors[0].bytes);
  }
  if (tensors.size() > 1) {
    EXPECT_EQ(bytes_of_formula(generated::ZeroElements{parameters}, tensors[1].element_bytes), tensors[1].bytes);
  }
  Matrix<std::uint8_t> of_matrix(p.n, p.k);
  for (std::int64_t i = 0; i < p.n * p.k; ++i) {
    of_matrix.elements[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(element_of(generated::UnpackedCodes{codes}, i));
  }
  std::vector<std::uint32_t> packed = specified::packed(*p.format, of_matrix);
  put_parameters(p, own, packed);
  EXPECT_EQ(bytes_of_formula(generated::PackedWords{codes, parameters}, p.layout().bytes_of_unit),
            narrowed(packed, p.layout().bytes_of_unit));
  const Matrix<std::uint32_t> weights = specified::weights(p, specified::as_int32(of_matrix), own);
  const GeneratedTensor formula = generated::Weights{codes, parameters, p.format->result, p.types.weight};
  for (std::int64_t row = 0; row < p.n; ++row) {
    for (std::int64_t column = 0; column < p.k; ++column) {
      ASSERT_EQ(element_of(formula, p.format->result_at({row, column}, p.size())), weights(row, column))
          << row << " " << column;
    }
  }
}

TEST(Formulas, OfEveryFormatAreAsTheSpecificationHasThem) {
  for (const Format* format : every_format_there_is()) {
    for (const Scheme* scheme : schemes_of(*format)) {
      for (const Types types : types_of(*scheme, every_types())) {
        Problem p;
        p.format = format;
        p.scheme = scheme;
        p.types = types;
        p.group_size = format->group_sizes.contains(16) ? 16 : 32;
        p.n = n_unit(*format, 8);
        p.k = 3 * k_unit(*format, p.group_size);
        if (!format->groups_divide_rows) {
          p.k = 48;
          p.group_size = 64;  // crosses rows
        }
        ASSERT_NO_THROW(require_possible(p)) << format->name;
        SCOPED_TRACE(std::string(format->name) + " " + scheme->name + " " + name_of(types));
        for (const auto kind : {FormulaParameters::Kind::every, FormulaParameters::Kind::ordinary,
                                FormulaParameters::Kind::identity, FormulaParameters::Kind::scale_digit}) {
          expect_formulas_as_specified(p, kind);
        }
      }
    }
  }
}

/// Small problems of a format whose rows, groups or packed matrix are no whole runs of sixteen columns or words of 32
/// bits.
std::vector<Problem> uneven_problems(const Format& format) {
  std::vector<Problem> problems;
  Problem p;
  p.format = &format;
  const auto add = [&](std::int64_t n, std::int64_t k, std::int64_t group_size) {
    p.n = n;
    p.k = k;
    p.group_size = group_size;
    if (k % k_unit(format, group_size) == 0) problems.push_back(p);
  };
  const std::int64_t group_size = format.group_sizes.contains(32) ? 32 : 16;
  const std::int64_t rows = n_unit(format, 1), block = k_unit(format, group_size);
  for (const std::int64_t n : {rows, 2 * rows, 3 * rows}) {
    for (const std::int64_t k : {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 18, 24, 31, 33, 40}) {
      if (!format.groups_divide_rows) add(n, k, 32);
      if (!takes_uneven_rows(format)) continue;
      add(n, k, k);
      if (k % 2 == 0) add(n, k, k / 2);
      if (k % 3 == 0) add(n, k, 3);
      if (k % 8 == 0) add(n, k, 8);
    }
    if (!takes_uneven_rows(format) && format.groups_divide_rows && block < 512) add(n, block, group_size);
  }
  return problems;
}

std::vector<Codes> every_kind_of_codes(const Problem& p) {
  std::vector<Codes> all = {generated::codes_of(p, Codes::Kind::each), generated::codes_of(p, Codes::Kind::drawn)};
  all.back().first = 77;
  for (const std::int32_t shift : {0, 4}) {
    all.push_back(generated::codes_of(p, Codes::Kind::digit));
    all.back().shift = shift;
    all.back().flip = shift == 0 ? 15 : 0;
  }
  if (packs_codes_alone(*p.format)) {
    all.push_back(generated::codes_of(p, Codes::Kind::every_word));
    all.back().first = 0xfedcba98;
    all.back().swizzle = 1;
  }
  return all;
}

/// Runs the specification over what formulas give, and expects what they say of the result.
void expect_formulas_of_any_size_as_specified(const Problem& p, const Codes& codes, Subject& specification) {
  FormulaParameters parameters = generated::parameters_of(p, FormulaParameters::Kind::ordinary);
  parameters.first = 0x1234;
  for (const Operation operation : kernel_operations) {
    const bool packs = operation == Operation::pack;
    if (packs && (!packs_codes_alone(*p.format) || codes.kind == Codes::Kind::every_word)) continue;  // and its padding
    Call call = call_of(operation, p);
    std::vector<std::vector<std::uint8_t>> tensors;
    std::vector<GeneratedTensor> formulas;
    const std::span<const RoleRow> roles = roles_of(operation);
    tensors.reserve(roles.size());
    std::int64_t element_bytes = 0;
    for (const RoleRow& row : roles) {
      const auto form = form_of(call, row);
      if (!form) continue;
      element_bytes = form->element_bytes;
      formulas.push_back(row.role == Role::pairs    ? GeneratedTensor(generated::CodePairs{codes})
                         : row.role == Role::packed ? GeneratedTensor(generated::PackedWords{codes, parameters})
                         : row.role == Role::codes  ? GeneratedTensor(generated::UnpackedCodes{codes})
                         : row.role == Role::scales ? GeneratedTensor(generated::ScaleElements{parameters})
                         : row.role == Role::zeros  ? GeneratedTensor(generated::ZeroElements{parameters})
                                                    : GeneratedTensor(generated::Weights{
                                                         codes, parameters, p.format->result, p.types.weight}));
      tensors.push_back(bytes_of_formula(formulas.back(), element_bytes));
      ASSERT_EQ(static_cast<std::int64_t>(tensors.back().size()), form->bytes()) << form->name;
      call.at(row.role) = tensors.back().data();
    }
    const std::vector<std::uint8_t> stated = tensors.back();
    std::fill(tensors.back().begin(), tensors.back().end(), std::uint8_t{0x5c});
    specification.run(call);
    ASSERT_EQ(tensors.back(), stated) << name_of(operation);
    EXPECT_EQ(memory().compare(formulas.back(), static_cast<std::size_t>(element_bytes), stated.data()).wrong, 0);
    for (std::int64_t i = 0; i < elements_of(formulas.back()); ++i) {
      std::uint32_t element = 0;
      std::memcpy(&element, &stated[static_cast<std::size_t>(i * element_bytes)],
                  static_cast<std::size_t>(element_bytes));
      const std::uint32_t mask = 0xffffffff >> (32 - 8 * element_bytes);
      ASSERT_EQ(element_of(formulas.back(), i) & mask, element) << name_of(operation) << " " << i;
    }
    tensors.back().back() ^= 1;
    EXPECT_EQ(memory().compare(formulas.back(), static_cast<std::size_t>(element_bytes), tensors.back().data()).wrong,
              1);
  }
}

TEST(Formulas, OfUnevenSizesAreWhatTheSpecificationGives) {
  const std::unique_ptr<Subject> specification = make_reference_subject().subject;
  std::map<std::string, int> problems_of;
  for (const Format* format : every_format_there_is()) {
    for (Problem p : uneven_problems(*format)) {
      ++problems_of[format->name];
      for (const Scheme* scheme : schemes_of(*format)) {
        p.scheme = scheme;
        for (const Types types : types_of(*scheme, every_types())) {
          p.types = types;
          p.property = "c";
          p.subject = "s";
          ASSERT_NO_THROW(require_possible(p)) << line_of(p);
          SCOPED_TRACE(line_of(p));
          for (const Codes& codes : every_kind_of_codes(p)) {
            expect_formulas_of_any_size_as_specified(p, codes, *specification);
          }
        }
      }
    }
  }
  for (const char* name : {"plain", "plain-int32", "awq", "gptq", "gptq-v1", "pack-quantized", "nf4", "fp4"}) {
    EXPECT_GE(problems_of[name], 6) << name;
  }
  for (const char* name : {"q4_0", "q4_1", "q4_k", "mxfp4-gguf", "mxfp4", "nvfp4"})
    EXPECT_GE(problems_of[name], 3) << name;
}

TEST(Formulas, SayWhetherTheyAreInRuns) {
  const auto in_runs = [](std::int64_t k, std::int64_t group_size) {
    const Codes codes = {.n = 3, .k = k};
    const FormulaParameters parameters = {.n = 3, .groups = 1, .group_size = group_size};
    return std::array{is_in_runs(generated::CodePairs{codes}), is_in_runs(generated::UnpackedCodes{codes}),
                      is_in_runs(generated::Weights{codes, parameters}),
                      is_in_runs(generated::ScaleElements{parameters}),
                      is_in_runs(generated::PackedWords{codes, parameters})};
  };
  EXPECT_EQ(in_runs(48, 16), (std::array{true, true, true, true, true}));
  EXPECT_EQ(in_runs(48, 24), (std::array{true, true, false, true, true}));
  EXPECT_EQ(in_runs(40, 40), (std::array{false, false, false, true, true}));
}

/// A formula whose neighbouring elements differ, and the width of its elements.
struct Comparable {
  const char* name;
  std::size_t element_bytes;
  GeneratedTensor formula;
};

std::vector<Comparable> comparables() {
  const Codes codes = {.kind = Codes::Kind::digit, .n = 3, .k = 32};
  const FormulaParameters parameters = {.n = 13, .groups = 1};  // 13 and 26 elements: not whole runs
  FormulaParameters integer = parameters;
  integer.scheme = index_of(*scheme::integer);
  return {{"pairs", 1, generated::CodePairs{codes}},           {"zero points", 1, generated::ZeroElements{integer}},
          {"scales", 2, generated::ScaleElements{parameters}}, {"unpacked", 4, generated::UnpackedCodes{codes}},
          {"words", 4, generated::PackedWords{codes}},         {"a constant", 2, generated::Constant{0x1234, 37}},
          {"one element", 4, generated::Constant{7, 1}}};
}

/// A formula's bytes, in a vector of exactly that size.
std::vector<std::uint8_t> bytes_of_generated(const Comparable& c) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(elements_of(c.formula)) * c.element_bytes);
  memory().write(c.formula, c.element_bytes, bytes.data());
  return bytes;
}

std::uint32_t element_at(const std::vector<std::uint8_t>& bytes, std::size_t element_bytes, std::int64_t index) {
  std::uint32_t element = 0;
  std::memcpy(&element, bytes.data() + static_cast<std::size_t>(index) * element_bytes, element_bytes);
  return element;
}

TEST(Comparison, FindsADifferenceInEveryBitOfEveryElement) {
  for (const Comparable& c : comparables()) {
    std::vector<std::uint8_t> bytes = bytes_of_generated(c);
    EXPECT_EQ(memory().compare(c.formula, c.element_bytes, bytes.data()).wrong, 0) << c.name;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        bytes[at] ^= static_cast<std::uint8_t>(1 << bit);
        const Differences differences = memory().compare(c.formula, c.element_bytes, bytes.data());
        const auto index = static_cast<std::int64_t>(at / c.element_bytes);
        ASSERT_EQ(differences.wrong, 1) << c.name << " byte " << at;
        ASSERT_EQ(differences.listed.size(), 1u);
        EXPECT_EQ(differences.listed[0].index, index) << c.name;
        EXPECT_EQ(differences.listed[0].got, element_at(bytes, c.element_bytes, index)) << c.name;
        EXPECT_EQ(differences.other_nans, 0);
        bytes[at] ^= static_cast<std::uint8_t>(1 << bit);
      }
    }
  }
}

TEST(Comparison, CountsAllDifferencesAndListsTheFirstTen) {
  for (const Comparable& c : comparables()) {
    std::vector<std::uint8_t> bytes = bytes_of_generated(c);
    const std::int64_t elements = elements_of(c.formula);
    for (std::int64_t i = 0; i < elements; ++i) bytes[static_cast<std::size_t>(i) * c.element_bytes] ^= 0x80;
    const Differences differences = memory().compare(c.formula, c.element_bytes, bytes.data());
    EXPECT_EQ(differences.wrong, elements) << c.name;
    ASSERT_EQ(static_cast<std::int64_t>(differences.listed.size()), std::min<std::int64_t>(10, elements)) << c.name;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(10, elements); ++i) {
      EXPECT_EQ(differences.listed[static_cast<std::size_t>(i)].index, i) << c.name;
    }
  }
}

TEST(Comparison, GoesOnOverBlocksAndTails) {
  // More than one block of 4096 elements, and a tail that is not a whole run. The second n makes groups end anywhere.
  const FormulaParameters parameters = {.type = Type::fp32, .n = 1031, .groups = 17};
  const Codes codes = {.kind = Codes::Kind::digit, .n = 17, .k = 1024 + 32, .shift = 4};
  const std::vector<Comparable> large = {{"scales", 4, generated::ScaleElements{parameters}},
                                         {"a constant", 1, generated::Constant{0x5a, 2 * 16384 + 5}},
                                         {"one block", 2, generated::Constant{0x5a5a, 16384}},
                                         {"unpacked", 4, generated::UnpackedCodes{codes}}};
  for (const Comparable& c : large) {
    std::vector<std::uint8_t> bytes = bytes_of_generated(c);
    const std::int64_t elements = elements_of(c.formula);
    for (std::int64_t i = 0; i < elements; i += 7) {
      const std::uint32_t mask = c.element_bytes == 4 ? 0xffffffffu : (1u << (8 * c.element_bytes)) - 1;
      ASSERT_EQ(element_at(bytes, c.element_bytes, i), element_of(c.formula, i) & mask) << c.name << " " << i;
    }
    std::vector<std::int64_t> wrong = {0, 4095, 4096, 16383, 16384, 32767, 32768, elements - 17, elements - 1};
    wrong.erase(std::remove_if(wrong.begin(), wrong.end(), [&](std::int64_t i) { return i >= elements; }), wrong.end());
    std::sort(wrong.begin(), wrong.end());
    wrong.erase(std::unique(wrong.begin(), wrong.end()), wrong.end());
    for (const std::int64_t i : wrong) bytes[static_cast<std::size_t>(i) * c.element_bytes] ^= 1;
    const Differences differences = memory().compare(c.formula, c.element_bytes, bytes.data());
    EXPECT_EQ(differences.wrong, static_cast<std::int64_t>(wrong.size())) << c.name;
    std::vector<std::int64_t> listed;
    for (const Differences::One& one : differences.listed) listed.push_back(one.index);
    EXPECT_EQ(listed, wrong) << c.name;
  }
}

TEST(Comparison, CountsANaNForANaNApartWhereAnyWillDo) {
  struct Row {
    Type type;
    std::uint32_t nan, other_nan, infinity, one;
  };
  for (const Row& row :
       {Row{Type::bf16, 0x7fff, 0xffa5, 0xff80, 0x3f80}, Row{Type::fp16, 0x7fff, 0xfc01, 0x7c00, 0x3c00},
        Row{Type::fp32, 0x7fffffff, 0xff800001, 0x7f800000, 0x3f800000}}) {
    const auto element_bytes = static_cast<std::size_t>(bytes_of(row.type));
    const reference::FloatFormat format = float_format_of(row.type);
    const auto differences = [&](std::uint32_t expected, std::uint32_t got, const reference::FloatFormat* any_nan) {
      std::vector<std::uint8_t> bytes(3 * element_bytes);
      memory().write(generated::Constant{expected, 3}, element_bytes, bytes.data());
      std::memcpy(bytes.data() + element_bytes, &got, element_bytes);
      return memory().compare(generated::Constant{expected, 3}, element_bytes, bytes.data(), any_nan);
    };
    EXPECT_EQ(differences(row.nan, row.other_nan, &format).wrong, 0);
    EXPECT_EQ(differences(row.nan, row.other_nan, &format).other_nans, 1);
    EXPECT_TRUE(differences(row.nan, row.other_nan, &format).listed.empty());
    EXPECT_EQ(differences(row.nan, row.other_nan, nullptr).wrong, 1);
    EXPECT_EQ(differences(row.nan, row.other_nan, nullptr).other_nans, 0);
    EXPECT_EQ(differences(row.nan, row.nan, &format).other_nans, 0);
    for (const std::uint32_t other : {row.infinity, row.one}) {
      EXPECT_EQ(differences(row.nan, other, &format).wrong, 1);
      EXPECT_EQ(differences(other, row.nan, &format).wrong, 1);
    }
  }
}

TEST(KeptWords, AreNeverThoseOfOtherCodes) {
  const Codes base = {.kind = Codes::Kind::digit, .n = 9, .k = 256};
  std::vector<Codes> others(8, base);
  others[0].shift = 4;
  others[1].flip = 15;
  others[2].format = index_of(*tinygemm(8));
  others[3].n = 16;
  others[4].k = 512;
  others[5].kind = Codes::Kind::each;
  others[6].kind = Codes::Kind::constant;
  others[7].kind = Codes::Kind::every_word;
  Codes another_constant = others[6];
  another_constant.value = 4;
  others.push_back(another_constant);
  others.push_back(others[6]);
  const GeneratedTensor first = generated::PackedWords{base};
  const std::vector<std::uint32_t> expected = evaluated<std::uint32_t>(first);
  for (const Codes& codes : others) {
    const GeneratedTensor second = generated::PackedWords{codes};
    ASSERT_EQ(written<std::uint32_t>(first), expected);
    const std::vector<std::uint32_t> of_second = written<std::uint32_t>(second);
    ASSERT_EQ(of_second, evaluated<std::uint32_t>(second));
    ASSERT_NE(of_second, expected);
    EXPECT_EQ(memory().compare(second, 4, of_second.data()).wrong, 0);
    if (of_second.size() == expected.size()) {
      EXPECT_NE(memory().compare(first, 4, of_second.data()).wrong, 0);
      EXPECT_NE(memory().compare(second, 4, expected.data()).wrong, 0);
    }
    ASSERT_EQ(written<std::uint32_t>(first), expected);
    EXPECT_EQ(memory().compare(first, 4, expected.data()).wrong, 0);
  }
}

// Guarded calls over formulas.

/// Two inputs, and an output whose every third element is NaN on request.
struct GuardedCall {
  static constexpr std::int64_t elements = 64;

  GeneratedTensor codes = generated::CodePairs{{.kind = Codes::Kind::digit, .n = 1, .k = 64}};
  GeneratedTensor scales = generated::ScaleElements{{.scheme = index_of(*scheme::none), .n = 5, .groups = 1}};
  GeneratedTensor expected;
  std::size_t element_bytes;

  GuardedCall(GeneratedTensor expected_, std::size_t element_bytes_)
      : expected(std::move(expected_)), element_bytes(element_bytes_) {}

  std::vector<Tensor> tensors() const {
    return {{.name = "codes", .bytes = 32, .element_bytes = 1, .alignment = 16, .formula = &codes},
            {.name = "scales", .bytes = 10, .element_bytes = 2, .alignment = 2, .formula = &scales},
            {.name = "weights",
             .bytes = static_cast<std::size_t>(elements) * element_bytes,
             .element_bytes = element_bytes,
             .formula = &expected,
             .is_output = true}};
  }

  using Also = std::function<void(const std::vector<void*>&)>;
  /// @param also  a further action of a subject that has written everything right
  GeneratedResult run(const Also& also, const reference::FloatFormat* any_nan = nullptr,
                      const std::vector<std::int64_t>& wanted = {}) const {
    return guarded_generated(memory(), tensors(), {}, any_nan, wanted, [&](const std::vector<void*>& at) {
      memory().write(expected, element_bytes, at[2]);
      also(at);
    });
  }
  /// The guard's message; empty if it reports nothing.
  std::string violation(const Also& also, const reference::FloatFormat* any_nan = nullptr) const {
    try {
      run(also, any_nan);
    } catch (const GuardViolation& violation) {
      return violation.what();
    }
    return "";
  }
};

std::uint8_t* byte_of(void* address, std::ptrdiff_t offset) { return static_cast<std::uint8_t*>(address) + offset; }
void nothing_more(const std::vector<void*>&) {}

std::vector<GuardedCall> calls_of_every_width() {
  const Codes codes = {.kind = Codes::Kind::digit, .n = 1, .k = 64};
  return {{generated::Constant{0x17, 64}, 1},
          {generated::Weights{codes, {.kind = FormulaParameters::Kind::identity, .n = 1, .groups = 2}}, 2},
          {generated::UnpackedCodes{codes}, 4}};
}

/// A call whose output is all NaN, where any NaN is accepted.
GuardedCall call_of_nans() { return {generated::Constant{0x7fff, 64}, 2}; }

/// Leaves the poison in an element, as if the call had not written it.
void leave(const GuardedCall& call, const std::vector<void*>& at, std::int64_t index) {
  const std::uint8_t poison[] = {0xa5, 0xff, 0xa5, 0xff};
  std::memcpy(byte_of(at[2], index * static_cast<std::ptrdiff_t>(call.element_bytes)), poison, call.element_bytes);
}

TEST(GuardedByFormula, LetsPassWhatIsRightAndReadsWhatIsWanted) {
  for (const GuardedCall& call : calls_of_every_width()) {
    const GeneratedResult judged = call.run(nothing_more, nullptr, {63, 0, 17});
    EXPECT_EQ(judged.differences.wrong, 0);
    const std::uint32_t mask = call.element_bytes == 4 ? 0xffffffffu : (1u << (8 * call.element_bytes)) - 1;
    const std::vector<std::uint32_t> expected = {element_of(call.expected, 63) & mask,
                                                 element_of(call.expected, 0) & mask,
                                                 element_of(call.expected, 17) & mask};
    EXPECT_EQ(judged.read, expected);
  }
}

TEST(GuardedByFormula, ReadsWhatIsThereAndNotWhatIsExpected) {
  const GuardedCall call = calls_of_every_width()[1];
  const GeneratedResult judged =
      call.run([](const auto& at) { static_cast<std::uint16_t*>(at[2])[17] = 0x1234; }, nullptr, {17});
  EXPECT_EQ(judged.read, std::vector<std::uint32_t>{0x1234});
  ASSERT_EQ(judged.differences.wrong, 1);
  EXPECT_EQ(judged.differences.listed[0].index, 17);
  EXPECT_EQ(judged.differences.listed[0].got, 0x1234u);
}

TEST(GuardedByFormula, GivesTheInputsAsTheirFormulasSayAndAlignsThemAsTheyPromise) {
  const GuardedCall call = calls_of_every_width()[1];
  const auto codes = written<std::uint8_t>(call.codes);
  const auto scales = written<std::uint16_t>(call.scales);
  call.run([&](const auto& at) {
    EXPECT_EQ(std::memcmp(at[0], codes.data(), codes.size()), 0);
    EXPECT_EQ(std::memcmp(at[1], scales.data(), 2 * scales.size()), 0);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at[0]) % 256, 16u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at[1]) % 256, 2u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at[2]) % 256, 0u);
  });
}

TEST(GuardedByFormula, SeesAnElementThatWasNeverWritten) {
  for (const GuardedCall& call : calls_of_every_width()) {
    for (const std::int64_t index : {0, 31, 63}) {
      const std::string said = call.violation([&](const auto& at) { leave(call, at, index); });
      EXPECT_EQ(said, "never wrote 1 elements of weights, the first is element " + std::to_string(index) + " of 64")
          << call.element_bytes << " bytes";
    }
  }
}

TEST(GuardedByFormula, SeesWhatWasNeverWrittenWhereAnyNaNWillDo) {
  const GuardedCall call = call_of_nans();
  for (const std::int64_t index : {0, 31, 63}) {
    EXPECT_EQ(call.violation([&](const auto& at) { leave(call, at, index); }, &reference::bf16),
              "never wrote 1 elements of weights, the first is element " + std::to_string(index) + " of 64");
  }
  const GeneratedResult judged =
      call.run([](const auto& at) { static_cast<std::uint16_t*>(at[2])[5] = 0x7fc0; }, &reference::bf16);
  EXPECT_EQ(judged.differences.wrong, 0);
  EXPECT_EQ(judged.differences.other_nans, 1);
}

TEST(GuardedByFormula, IsRedWhereWhatWasNeverWrittenStandsBehindTenWrongElements) {
  const GuardedCall call = calls_of_every_width()[1];
  const GeneratedResult judged = call.run([&](const auto& at) {
    for (int i = 0; i < 20; ++i) static_cast<std::uint16_t*>(at[2])[i] ^= 0x4000;
    leave(call, at, 40);
  });
  EXPECT_EQ(judged.differences.wrong, 21);
}

TEST(GuardedByFormula, SeesAWriteOnEitherSideOfEveryTensor) {
  const GuardedCall call = calls_of_every_width()[1];
  constexpr std::ptrdiff_t bytes[] = {32, 10, 128};
  const char* const names[] = {"codes", "scales", "weights"};
  for (std::size_t tensor = 0; tensor < 3; ++tensor) {
    for (const std::ptrdiff_t distance : {1, 2, 100}) {
      const std::string of = std::string(" ") + names[tensor] + ": the byte " + std::to_string(distance);
      EXPECT_EQ(call.violation([&](const auto& at) { *byte_of(at[tensor], bytes[tensor] + distance - 1) ^= 1; }),
                "wrote outside" + of + " past its end was changed");
      EXPECT_EQ(call.violation([&](const auto& at) { *byte_of(at[tensor], -distance) ^= 1; }),
                "wrote outside" + of + " before its beginning was changed");
    }
  }
}

TEST(GuardedByFormula, SeesAChangeOfEveryInput) {
  const GuardedCall call = calls_of_every_width()[2];
  EXPECT_EQ(call.violation([](const auto& at) { *byte_of(at[0], 31) ^= 0x10; }),
            "changed its input codes: element 31 of 32");
  EXPECT_EQ(call.violation([](const auto& at) { *byte_of(at[1], 9) ^= 0x80; }),
            "changed its input scales: element 4 of 5");
}

TEST(GuardedByFormula, LooksAtMemoryAlsoWhereTheSubjectRefuses) {
  const GuardedCall call = calls_of_every_width()[1];
  const auto refuses = [](const auto&) { throw Refused("not today"); };
  EXPECT_THROW(call.run(refuses), Refused);
  EXPECT_EQ(call.violation([](const auto& at) {
    *byte_of(at[0], 0) ^= 1;
    throw Refused("not today");
  }),
            "changed its input codes: element 0 of 32");
  EXPECT_EQ(call.violation([](const auto& at) {
    *byte_of(at[2], 128) ^= 1;
    throw Refused("not today");
  }),
            "wrote outside weights: the byte 1 past its end was changed");
  EXPECT_THROW(call.run([](const auto&) { throw SubjectError("broken"); }), SubjectError);
}

/// Memory that is not host-accessible; counts how often bytes are copied in and out.
class FarMemory : public Memory {
 public:
  void* arena(std::size_t bytes) override { return host_.arena(bytes); }
  void copy_in(void* to, const void* from, std::size_t bytes) override {
    ++copies_in;
    host_.copy_in(to, from, bytes);
  }
  void copy_out(void* to, const void* from, std::size_t bytes) override {
    ++copies_out;
    host_.copy_out(to, from, bytes);
  }
  int copies_in = 0;
  int copies_out = 0;

 private:
  Memory& host_ = lenient_host_memory();
};

/// The outcome of a call: the guard's message, or all its results.
std::string outcome_of(Memory& of, const GuardedCall& call, const GuardedCall::Also& subject,
                       const reference::FloatFormat* any_nan, std::size_t most_carried) {
  const auto use = [&](const std::vector<void*>& at) { subject(at); };
  try {
    const GeneratedResult judged = guarded_generated(of, call.tensors(), {}, any_nan, {0, 7, GuardedCall::elements - 1},
                                                     use, nullptr, most_carried);
    std::string text = std::to_string(judged.differences.wrong) + " wrong, " +
                       std::to_string(judged.differences.other_nans) + " other NaNs";
    for (const Differences::One& one : judged.differences.listed) {
      text += ", " + std::to_string(one.index) + ": " + std::to_string(one.got);
    }
    for (const std::uint32_t element : judged.read) text += ", read " + std::to_string(element);
    return text;
  } catch (const GuardViolation& violation) {
    return violation.what();
  } catch (const Refused& refused) {
    return std::string("refused: ") + refused.what();
  }
}

/// Every mistake that a subject can make, alone and after writing everything right.
std::vector<GuardedCall::Also> mutants_of(const GuardedCall& call) {
  const auto right = [call](const std::vector<void*>& at) { write_here(call.expected, call.element_bytes, at[2]); };
  std::vector<GuardedCall::Also> all = {right, nothing_more};
  const auto also = [&](const GuardedCall::Also& more) {
    all.push_back([right, more](const std::vector<void*>& at) {
      right(at);
      more(at);
    });
  };
  const std::vector<Tensor> tensors = call.tensors();
  for (std::size_t tensor = 0; tensor < tensors.size(); ++tensor) {
    const auto bytes = static_cast<std::ptrdiff_t>(tensors[tensor].bytes);
    for (const std::ptrdiff_t offset :
         {std::ptrdiff_t{-512}, std::ptrdiff_t{-1}, std::ptrdiff_t{0}, bytes / 2, bytes - 1, bytes, bytes + 511}) {
      also([=](const auto& at) { *byte_of(at[tensor], offset) ^= 0x40; });
    }
  }
  for (std::int64_t index = 0; index < GuardedCall::elements; ++index) {
    also([=](const auto& at) { leave(call, at, index); });
  }
  also([=](const auto& at) {  // more differences than are listed
    for (int i = 3; i < 40; ++i) *byte_of(at[2], i * static_cast<std::ptrdiff_t>(call.element_bytes)) ^= 1;
  });
  also([](const auto&) { throw Refused("not today"); });
  also([](const auto& at) {
    *byte_of(at[1], 0) ^= 1;
    throw Refused("not today");
  });
  return all;
}

TEST(GuardedByFormula, SaysTheSameWhetherItIsJudgedHereOrByItsMemory) {
  std::vector<GuardedCall> calls = calls_of_every_width();
  calls.push_back(call_of_nans());
  std::set<std::string> said;
  for (const GuardedCall& call : calls) {
    for (const reference::FloatFormat* any_nan :
         {static_cast<const reference::FloatFormat*>(nullptr), &reference::bf16}) {
      if (any_nan != nullptr && call.element_bytes != 2) continue;
      for (const GuardedCall::Also& mutant : mutants_of(call)) {
        FarMemory far;
        const std::string by_its_memory = outcome_of(far, call, mutant, any_nan, 0);
        EXPECT_EQ(outcome_of(far, call, mutant, any_nan, most_bytes_carried), by_its_memory);
        EXPECT_EQ(outcome_of(memory(), call, mutant, any_nan, 0), by_its_memory);
        EXPECT_EQ(outcome_of(memory(), call, mutant, any_nan, most_bytes_carried), by_its_memory);
        said.insert(by_its_memory);
      }
    }
  }
  for (const char* one :
       {"wrote outside codes: the byte 512 before its beginning was changed",
        "wrote outside weights: the byte 512 past its end was changed", "changed its input codes: element 0 of 32",
        "changed its input scales: element 4 of 5", "never wrote 1 elements of weights, the first is element 31 of 64",
        "never wrote 64 elements of weights, the first is element 0 of 64", "refused: not today"}) {
    EXPECT_TRUE(said.contains(one)) << one;
  }
}

TEST(GuardedByFormula, CarriesASmallArenaOnceEachWayAndALargeOneNever) {
  const GuardedCall call = calls_of_every_width()[1];
  const auto right = [&](const std::vector<void*>& at) { write_here(call.expected, call.element_bytes, at[2]); };
  FarMemory far;
  outcome_of(far, call, right, nullptr, most_bytes_carried);
  EXPECT_EQ(far.copies_in, 1);
  EXPECT_EQ(far.copies_out, 1);
  const std::size_t bytes = placed(call.tensors()).bytes;
  FarMemory at_the_limit;
  outcome_of(at_the_limit, call, right, nullptr, bytes);
  EXPECT_EQ(at_the_limit.copies_in, 1);
  FarMemory beyond_it;
  outcome_of(beyond_it, call, right, nullptr, bytes - 1);
  EXPECT_GT(beyond_it.copies_in, 1);
}

TEST(Placements, LeaveAFenceBeforeBetweenAndBehindTensors) {
  const std::vector<Tensor> tensors = calls_of_every_width()[2].tensors();
  const Placement placement = placed(tensors);
  std::size_t last_end = 0;
  for (const Placed& p : placement.tensors) {
    EXPECT_GE(p.begin, last_end + 512) << p.tensor->name;
    EXPECT_EQ(p.begin % 256, misalignment(*p.tensor)) << p.tensor->name;
    EXPECT_EQ(p.end() - p.begin, p.tensor->bytes);
    last_end = p.end();
  }
  EXPECT_GE(placement.bytes, last_end + 8 * tensors.back().bytes) << "eight rows of an n-tile that has one";
}

TEST(Fences, AreNotWholeWhereOneByteDiffers) {
  std::vector<std::uint8_t> fence(100, 0xff);
  EXPECT_TRUE(all_are(0xff, fence));
  EXPECT_FALSE(all_are(0xfe, fence));
  EXPECT_TRUE(all_are(0xff, {}));
  for (std::size_t i = 0; i < fence.size(); ++i) {
    fence[i] = 0x7f;
    EXPECT_FALSE(all_are(0xff, fence)) << i;
    fence[i] = 0xff;
  }
}

}  // namespace

}  // namespace tileproof
