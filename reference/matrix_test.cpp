/// Pack, unpack and dequantize of whole matrices. Every expected bit pattern here was worked out by hand from DESIGN's
/// description of the layout and of IEEE 754's fields.
#include "reference/matrix.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <iterator>
#include <random>
#include <vector>

namespace tileproof::reference {
namespace {

struct Shape {
  std::int64_t n;
  std::int64_t k;
  int inner_k_tiles;
};

/// n below, at and above a tile; one supertile and several.
std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const int inner_k_tiles : {2, 4, 8}) {
    for (const std::int64_t n : {1, 7, 8, 9, 16, 21}) {
      for (const std::int64_t supertiles : {1, 2, 3})
        all.push_back({n, supertiles * 16 * inner_k_tiles, inner_k_tiles});
    }
  }
  return all;
}

std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

std::vector<std::uint8_t> drawn_pairs(const Shape& shape, std::mt19937_64& random) {
  std::vector<std::uint8_t> pairs(size(shape.n * shape.k / 2));
  for (auto& pair : pairs) pair = static_cast<std::uint8_t>(random());
  return pairs;
}

/// Packs over a poison that leaves a trace wherever a nibble is not written.
std::vector<std::uint32_t> packed_from(const std::vector<std::uint8_t>& pairs, const Shape& shape) {
  std::vector<std::uint32_t> packed(size(words_of(shape.n, shape.k)), 0xdeadbeef);
  pack(pairs.data(), shape.n, shape.k, shape.inner_k_tiles, packed.data());
  return packed;
}

std::vector<std::int32_t> unpacked_from(const std::vector<std::uint32_t>& packed, const Shape& shape) {
  std::vector<std::int32_t> codes(size(shape.n * shape.k), -1);
  unpack(packed.data(), shape.n, shape.k, shape.inner_k_tiles, codes.data());
  return codes;
}

TEST(CodeOfPairs, TakesTheEvenColumnFromTheHighNibble) {
  const std::uint8_t pairs[] = {0xa5, 0x0f, 0x12, 0xfe};  // two rows of four columns
  EXPECT_EQ(code_of_pairs(pairs, 0, 0, 4), 0xa);
  EXPECT_EQ(code_of_pairs(pairs, 0, 1, 4), 0x5);
  EXPECT_EQ(code_of_pairs(pairs, 0, 2, 4), 0x0);
  EXPECT_EQ(code_of_pairs(pairs, 0, 3, 4), 0xf);
  EXPECT_EQ(code_of_pairs(pairs, 1, 0, 4), 0x1);
  EXPECT_EQ(code_of_pairs(pairs, 1, 3, 4), 0xe);
}

TEST(CodeOfPacked, CountsNibblesFromTheLeastSignificant) {
  std::vector<std::uint32_t> packed(size(words_of(8, 32)));
  packed[5] = 0x76543210;  // lane 5: row 1, columns 2, 3, 10, 11 of both k-tiles
  EXPECT_EQ(code_of_packed(packed.data(), 1, 2, 32, 2), 0);
  EXPECT_EQ(code_of_packed(packed.data(), 1, 3, 32, 2), 4);
  EXPECT_EQ(code_of_packed(packed.data(), 1, 10, 32, 2), 1);
  EXPECT_EQ(code_of_packed(packed.data(), 1, 11, 32, 2), 5);
  EXPECT_EQ(code_of_packed(packed.data(), 1, 18, 32, 2), 2);
  EXPECT_EQ(code_of_packed(packed.data(), 1, 19, 32, 2), 6);
  EXPECT_EQ(code_of_packed(packed.data(), 1, 26, 32, 2), 3);
  EXPECT_EQ(code_of_packed(packed.data(), 1, 27, 32, 2), 7);
}

TEST(Pack, LaysOutOneRowAsWorkedOutByHand) {
  // Column k holds k % 16, so lane t of the row holds 2t, 2t + 1, 2t + 8, 2t + 9 of both k-tiles.
  const std::vector<std::uint8_t> pairs{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                        0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
  std::vector<std::uint32_t> expected(32, 0);  // rows 1..7 are padding
  expected[0] = 0x91918080;
  expected[1] = 0xb3b3a2a2;
  expected[2] = 0xd5d5c4c4;
  expected[3] = 0xf7f7e6e6;
  EXPECT_EQ(packed_from(pairs, {1, 32, 2}), expected);
}

TEST(Pack, LaysOutTheWordsOfALaneByKTilesAsWorkedOutByHand) {
  // Every code is the number of its k-tile: word w of each lane holds k-tiles 2w and 2w + 1, two nibbles of each in
  // each half.
  std::vector<std::uint8_t> pairs;
  for (int k_tile = 0; k_tile < 8; ++k_tile) pairs.insert(pairs.end(), 8, static_cast<std::uint8_t>(k_tile * 0x11));
  const std::vector<std::uint32_t> packed = packed_from(pairs, {1, 128, 8});
  const std::vector<std::uint32_t> words_of_a_lane{0x11001100, 0x33223322, 0x55445544, 0x77667766};
  for (std::size_t word = 0; word < packed.size(); ++word) {
    EXPECT_EQ(packed[word], word < 16 ? words_of_a_lane[word % 4] : 0) << word;
  }
}

TEST(Unpack, ReturnsEveryPackedCode) {
  std::mt19937_64 random(1);
  for (const Shape& shape : shapes()) {
    const std::vector<std::uint8_t> pairs = drawn_pairs(shape, random);
    const std::vector<std::int32_t> codes = unpacked_from(packed_from(pairs, shape), shape);
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      ASSERT_EQ(codes[2 * pair], pairs[pair] / 16) << shape.n << " x " << shape.k;
      ASSERT_EQ(codes[2 * pair + 1], pairs[pair] % 16) << shape.n << " x " << shape.k;
    }
  }
}

TEST(Pack, ReturnsEveryUnpackedWord) {
  std::mt19937_64 random(2);
  for (Shape shape : shapes()) {
    shape.n = (shape.n + 7) / 8 * 8;
    std::vector<std::uint32_t> packed(size(words_of(shape.n, shape.k)));
    for (auto& word : packed) word = static_cast<std::uint32_t>(random());
    const std::vector<std::int32_t> codes = unpacked_from(packed, shape);
    std::vector<std::uint8_t> pairs(codes.size() / 2);
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      pairs[pair] = static_cast<std::uint8_t>(codes[2 * pair] * 16 + codes[2 * pair + 1]);
    }
    ASSERT_EQ(packed_from(pairs, shape), packed) << shape.n << " x " << shape.k;
  }
}

TEST(Pack, WritesCodeZeroIntoPaddingRows) {
  for (const Shape& shape : shapes()) {
    const std::vector<std::uint32_t> packed =
        packed_from(std::vector<std::uint8_t>(size(shape.n * shape.k / 2), 0xff), shape);
    std::int64_t padding = 0;
    for (std::int64_t n = 0; n < (shape.n + 7) / 8 * 8; ++n) {
      for (std::int64_t k = 0; k < shape.k; ++k) {
        ASSERT_EQ(code_of_packed(packed.data(), n, k, shape.k, shape.inner_k_tiles), n < shape.n ? 15 : 0);
        if (n >= shape.n) ++padding;
      }
    }
    EXPECT_EQ(padding, (8 - shape.n % 8) % 8 * shape.k);
  }
}

TEST(Unpack, DoesNotReadPaddingRows) {
  std::mt19937_64 random(3);
  const Shape shape{11, 64, 4};
  std::vector<std::uint32_t> packed = packed_from(drawn_pairs(shape, random), shape);
  const std::vector<std::int32_t> codes = unpacked_from(packed, shape);
  for (std::int64_t n = shape.n; n < 16; ++n) {
    for (std::int64_t k = 0; k < shape.k; ++k) {
      const Place place = place_of(n, k, shape.k, shape.inner_k_tiles);
      packed[size(place.word)] |= std::uint32_t{15} << (4 * place.nibble);
    }
  }
  EXPECT_EQ(unpacked_from(packed, shape), codes);
}

/// Two rows of 64 columns, whose groups are 32 columns: row 0 holds k % 16, row 1 holds 15 - k % 16.
class TwoRowsOfTwoGroups : public testing::Test {
 protected:
  TwoRowsOfTwoGroups() {
    std::vector<std::uint8_t> pairs;
    for (const bool ascending : {true, false}) {
      for (int k = 0; k < 64; k += 2) {
        const int even = ascending ? k % 16 : 15 - k % 16;
        pairs.push_back(static_cast<std::uint8_t>(even * 16 + even + (ascending ? 1 : -1)));
      }
    }
    packed = packed_from(pairs, {2, 64, 2});
  }

  template <class Bits>
  struct Weight {
    int row, column;
    Bits bits;
  };

  template <class Bits>
  static void expect(const std::vector<Bits>& weights, const std::vector<Weight<Bits>>& by_hand) {
    for (const auto& weight : by_hand) {
      EXPECT_EQ(weights[size(weight.row * 64 + weight.column)], weight.bits) << weight.row << ", " << weight.column;
    }
  }

  std::vector<std::uint32_t> packed;
};

TEST_F(TwoRowsOfTwoGroups, DequantizeInTheFloatDomainAsWorkedOutByHand) {
  // [group][row][scale, zero]: 1, 0; 1/2, 4; then 2, -1; -1, 8. So w = code - 8; code / 2; 2 * code - 17; 16 - code.
  const std::vector<std::uint16_t> scales_and_zeros{0x3f80, 0x0000, 0x3f00, 0x4080, 0x4000, 0xbf80, 0xbf80, 0x4100};
  std::vector<std::uint16_t> weights(128, 0xaaaa);
  dequantize_float(bf16, packed.data(), scales_and_zeros.data(), 2, 64, 32, 2, weights.data());
  expect<std::uint16_t>(weights, {{0, 0, 0xc100},     // code 0: -8
                                  {0, 8, 0x0000},     // code 8: 0
                                  {0, 31, 0x40e0},    // code 15: 7, the last of its group
                                  {0, 32, 0xc188},    // code 0: -17, the first of the next
                                  {0, 41, 0x3f80},    // code 9: 1
                                  {0, 63, 0x4150},    // code 15: 13
                                  {1, 0, 0x40f0},     // code 15: 7.5
                                  {1, 14, 0x3f00},    // code 1: 0.5
                                  {1, 15, 0x0000},    // code 0: -4 + 4 is +0
                                  {1, 32, 0x3f80},    // code 15: 1
                                  {1, 40, 0x4110},    // code 7: 9
                                  {1, 47, 0x4180}});  // code 0: 16
}

TEST_F(TwoRowsOfTwoGroups, DequantizeInTheIntegerDomainAsWorkedOutByHand) {
  // [group][row]: scales 1, 1/2; 2, -1 and zero points 8, 0; -128, 15.
  const std::vector<std::uint16_t> scales{0x3c00, 0x3800, 0x4000, 0xbc00};
  const std::vector<std::int8_t> zero_points{8, 0, -128, 15};
  std::vector<std::uint16_t> weights(128, 0xaaaa);
  dequantize_integer(fp16, packed.data(), scales.data(), zero_points.data(), 2, 64, 32, 2, weights.data());
  expect<std::uint16_t>(weights, {{0, 0, 0xc800},     // (0 - 8) * 1 = -8
                                  {0, 8, 0x0000},     // (8 - 8) * 1
                                  {1, 0, 0x4780},     // (15 - 0) / 2 = 7.5
                                  {0, 32, 0x5c00},    // (0 + 128) * 2 = 256
                                  {0, 63, 0x5c78},    // (15 + 128) * 2 = 286
                                  {1, 32, 0x8000},    // (15 - 15) * -1 = -0
                                  {1, 47, 0x4b80}});  // (0 - 15) * -1 = 15
}

TEST_F(TwoRowsOfTwoGroups, DequantizeWithoutZeroPointAsWorkedOutByHand) {
  const std::vector<std::uint32_t> scales{0x3f800000, 0x3f000000, 0x40000000, 0xbf800000};  // 1, 1/2; 2, -1
  std::vector<std::uint32_t> weights(128, 0xaaaaaaaa);
  dequantize_none(fp32, packed.data(), scales.data(), 2, 64, 32, 2, weights.data());
  expect<std::uint32_t>(weights, {{0, 0, 0x00000000},     // 0 * 1
                                  {0, 15, 0x41700000},    // 15
                                  {1, 0, 0x40f00000},     // 15 / 2
                                  {0, 63, 0x41f00000},    // 15 * 2 = 30
                                  {1, 32, 0xc1700000},    // 15 * -1
                                  {1, 47, 0x80000000}});  // 0 * -1 = -0
}

/// Groups below, at and above a supertile (32, 64 and 128 columns), larger than every supertile, one group, and more
/// groups than columns in a group.
struct Grouping {
  std::int64_t k;
  std::int64_t group_size;
};
constexpr Grouping groupings[] = {{128, 16}, {128, 32},  {128, 64},  {128, 128}, {384, 48},
                                  {256, 16}, {1024, 16}, {512, 256}, {768, 384}};

TEST(Dequantize, TakesTheParametersOfItsGroupAndRow) {
  // One at a time, codes and parameters are such that the weight is the parameter itself, and all parameters differ.
  constexpr std::int64_t n = 11;
  std::int64_t compared = 0;
  for (const int inner_k_tiles : {2, 4, 8}) {
    for (const auto [k, group_size] : groupings) {
      const std::size_t groups = size(k / group_size * n);
      std::vector<std::uint32_t> numbers(groups), ones_and_numbers(2 * groups), numbers_and_zeros(2 * groups);
      std::vector<std::uint32_t> ones(groups, 0x3f800000);
      std::vector<std::int8_t> zero_points(groups);
      for (std::size_t group = 0; group < groups; ++group) {
        numbers[group] = std::bit_cast<std::uint32_t>(static_cast<float>(group + 1));
        numbers_and_zeros[2 * group] = ones_and_numbers[2 * group + 1] = numbers[group];
        ones_and_numbers[2 * group] = 0x3f800000;
        zero_points[group] = static_cast<std::int8_t>(group);
      }
      const std::vector<std::uint32_t> ones_packed(size(words_of(n, k)), 0x11111111);
      const std::vector<std::uint32_t> eights_packed(size(words_of(n, k)), 0x88888888);
      const std::vector<std::uint32_t> nines_packed(size(words_of(n, k)), 0x99999999);
      std::vector<std::uint32_t> none(size(n * k)), zero(size(n * k)), scale(size(n * k)), integer_scale(size(n * k)),
          zero_point(size(n * k));
      dequantize_none(fp32, ones_packed.data(), numbers.data(), n, k, group_size, inner_k_tiles, none.data());
      dequantize_float(fp32, eights_packed.data(), ones_and_numbers.data(), n, k, group_size, inner_k_tiles,
                       zero.data());
      dequantize_float(fp32, nines_packed.data(), numbers_and_zeros.data(), n, k, group_size, inner_k_tiles,
                       scale.data());
      dequantize_integer(fp32, nines_packed.data(), numbers.data(), std::vector<std::int8_t>(groups, 8).data(), n, k,
                         group_size, inner_k_tiles, integer_scale.data());
      dequantize_integer(fp32, ones_packed.data(), ones.data(), zero_points.data(), n, k, group_size, inner_k_tiles,
                         zero_point.data());
      for (std::int64_t row = 0; row < n; ++row) {
        for (std::int64_t column = 0; column < k; ++column, ++compared) {
          const std::size_t group = size(column / group_size * n + row);
          const std::size_t element = size(row * k + column);
          ASSERT_EQ(none[element], numbers[group])
              << row << ", " << column << " of " << k << " in groups of " << group_size;
          ASSERT_EQ(zero[element], numbers[group]);
          ASSERT_EQ(scale[element], numbers[group]);
          ASSERT_EQ(integer_scale[element], numbers[group]);
          ASSERT_EQ(zero_point[element], std::bit_cast<std::uint32_t>(static_cast<float>(1 - zero_points[group])));
        }
      }
    }
  }
  EXPECT_EQ(compared, 3 * n * (4 * 128 + 384 + 256 + 1024 + 512 + 768));
}

// Every format, by what its types say.

template <class Use>
void for_every_format(Use use) {
  for (int i = 0; i < Formats::count; ++i) with_format(i, use);
}

/// Codes that tell elements apart: rows and columns of one code differ in their neighbours.
std::uint8_t code_of(std::int64_t n, std::int64_t k) {
  return static_cast<std::uint8_t>((static_cast<std::uint64_t>(n * 131 + k) * 2654435761u >> 28) & 15);
}

std::vector<std::uint8_t> codes_of(Size matrix) {
  std::vector<std::uint8_t> codes;
  for (std::int64_t n = 0; n < matrix.n; ++n) {
    for (std::int64_t k = 0; k < matrix.k; ++k) codes.push_back(code_of(n, k));
  }
  return codes;
}

template <class L>
std::vector<typename L::Storage> packed_by(Size matrix) {
  std::vector<typename L::Storage> packed(size(units<L>(matrix)), static_cast<typename L::Storage>(0xdeadbeef));
  pack<L>(codes_of(matrix).data(), matrix, packed.data());
  return packed;
}

TEST(EveryFormat, PacksCodesIntoTheirSlotsAndFillsThePadding) {
  std::int64_t compared = 0;
  for_every_format([&]<class F>() {
    using L = typename F::Codes;
    const Size matrix = {5 * L::legal.n, 3 * L::legal.k};
    const auto packed = packed_by<L>(matrix);
    for (std::int64_t slot = 0; slot < slots<L>(matrix); ++slot, ++compared) {
      const auto element = L::element_at(slot, matrix);
      ASSERT_EQ(code_at(packed.data(), slot), element ? code_of(element->n, element->k) : L::padding_code) << L::name;
    }
  });
  EXPECT_GT(compared, 8 * 3 * (32 + 64 + 128));
}

TEST(EveryFormat, UnpacksAndConvertsToPlainWhatWasPacked) {
  for_every_format([&]<class F>() {
    using L = typename F::Codes;
    const Size matrix = {5 * L::legal.n, 6 * L::legal.k};  // an even k, as Plain wants
    const auto packed = packed_by<L>(matrix);
    std::vector<std::int32_t> codes(size(matrix.n * matrix.k), -1);
    unpack<L>(packed.data(), matrix, codes.data());
    for (std::int64_t n = 0; n < matrix.n; ++n) {
      for (std::int64_t k = 0; k < matrix.k; ++k) {
        ASSERT_EQ(codes[size(n * matrix.k + k)], code_of(n, k)) << L::name << " " << n << ", " << k;
      }
    }
    std::vector<std::uint8_t> plain(size(units<Plain>(matrix)), 0xaa);
    convert<L, Plain>(packed.data(), matrix, plain.data());
    EXPECT_EQ(plain, packed_by<Plain>(matrix)) << L::name;
    std::vector<typename L::Storage> back(packed.size(), static_cast<typename L::Storage>(0xdeadbeef));
    convert<Plain, L>(plain.data(), matrix, back.data());
    EXPECT_EQ(back, packed) << L::name;
  });
}

/// Groups of 2 k-steps, each with parameters of its own, of a type that the weights do not have. Those among the codes
/// are in layouts/gguf_test.cpp.
template <class F, class Used>
void expect_weights_of_own_groups() {
  using L = typename F::Codes;
  using S = typename Used::Scheme;
  using Parameters = typename Used::Parameters;
  using ZeroElement = typename Parameters::template ZeroElement<std::uint16_t>;
  const Size matrix = {3 * L::legal.n, 6 * L::legal.k};
  const std::int64_t group_size = 2 * L::legal.k;
  const Size groups = F::groups(matrix, group_size);
  const auto scale_of = [](std::int64_t group, std::int64_t n) {
    return static_cast<std::uint16_t>(0x3f80 + group * 37 + n);  // bf16, 1 and above
  };
  const auto zero_for = [](std::int64_t group, std::int64_t n) -> std::uint32_t {
    if (S::zero_kind == Zero::none) return 0;
    if (S::zero_kind == Zero::value) return static_cast<std::uint16_t>(0xbf80 + group * 41 + n);
    const int count = S::zero_points.highest - S::zero_points.lowest + 1;
    return static_cast<std::uint32_t>(S::zero_points.lowest + static_cast<int>(group * 5 + n) % count);
  };

  const auto& tensors = Parameters::tensors;
  std::vector<std::uint16_t> scales(size(tensors[0].dims(groups).elements()));
  constexpr int count = tensor_count<Parameters>;
  std::vector<ZeroElement> own_zeros(size(tensors[count - 1].dims(groups).elements()));
  ZeroElement* zeros = own_zeros.data();
  if constexpr (count == 1) zeros = scales.data();
  for (std::int64_t n = 0; n < groups.n; ++n) {
    for (std::int64_t group = 0; group < groups.k; ++group) {
      scales[size(Parameters::scale_at({n, group}, groups))] = scale_of(group, n);
      if constexpr (S::zero_kind != Zero::none) {
        const std::int64_t at = Parameters::zero_at({n, group}, groups);
        if constexpr (Parameters::zeros_are_packed) {
          set_code_at(zeros, at, packed_zero(static_cast<int>(zero_for(group, n)), Parameters::stored_less));
        } else {
          zeros[at] = static_cast<ZeroElement>(zero_for(group, n));
        }
      }
    }
  }

  std::vector<std::uint32_t> weights(size(matrix.n * matrix.k), 0xaaaaaaaa);
  dequantize<F, Used>(fp32, bf16, packed_by<L>(matrix).data(), scales.data(), zeros, matrix, group_size,
                      weights.data());
  for (std::int64_t n = 0; n < matrix.n; ++n) {
    for (std::int64_t k = 0; k < matrix.k; ++k) {
      const Element group = F::group_of({n, k}, matrix, group_size);
      const std::uint32_t expected =
          weight<S>(fp32, bf16, code_of(n, k), scale_of(group.k, group.n), zero_for(group.k, group.n));
      const bool is_n_k = F::result == ResultOrder::n_k;
      ASSERT_EQ(weights[size(is_n_k ? n * matrix.k + k : k * matrix.n + n)], expected)
          << L::name << " " << S::name << " " << n << ", " << k;
    }
  }
}

TEST(EveryFormat, DequantizesWithTheParametersOfTheGroup) {
  int schemes = 0;
  for (int i = 0; i < Formats::count; ++i) {
    for (int scheme = 0; scheme < formats[i].scheme_count; ++scheme, ++schemes) {
      with_format(i, [&]<class F>() {
        with_type_at(typename F::Schemes(), scheme, []<class Used>() {
          if constexpr (!Used::Parameters::in_blocks) expect_weights_of_own_groups<F, Used>();
        });
      });
    }
  }
  EXPECT_GE(schemes, 12);
}

TEST(Plain, IsPackedAsWorkedOutByHand) {
  const std::uint8_t codes[] = {1, 2, 3, 4, 5, 6, 7, 8};  // two rows of four columns
  std::vector<std::uint8_t> packed(4, 0xaa);
  pack<Plain>(codes, {2, 4}, packed.data());
  EXPECT_EQ(packed, (std::vector<std::uint8_t>{0x12, 0x34, 0x56, 0x78}));
}

}  // namespace
}  // namespace tileproof::reference
