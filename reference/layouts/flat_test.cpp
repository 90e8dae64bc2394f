/// nf4 and fp4 against what bitsandbytes gives.
///
/// Recorded on a CPU from bitsandbytes 0.50.2 with torch 2.11.0: dequantize_4bit of packed bytes, by its generic
/// formulas (backends.default.ops), which it takes for odd k and blocks from 2048 on. Its code for AVX-512 gives the
/// same bits where blocks do not cross rows, or k is no multiple of 16.
#include "reference/layouts/flat.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/layouts/recorded_for_tests.h"

namespace tileproof::reference {
namespace {

constexpr RecordedWeights nf4_fp32[] = {
    {{1, 32}, 32, 0xcec4e75bd6a1db0b, 0, 0xde953e4dc7e7fbf, 2, 0},
    {{1, 64}, 64, 0xcee91dd5842a83e5, 0, 0x652df8b93796c803, 4, 0},
    {{3, 64}, 32, 0x225f47cb9dd9041a, 0, 0xc85b4f54efb6f96c, 4, 6},
    {{5, 192}, 64, 0xb03c9fbac5c07146, 0, 0xeb323948ece4e319, 18, 41},
    {{7, 128}, 128, 0x3fa06e926354717d, 0, 0xba542b8b3a3baa5c, 25, 32},
    {{33, 160}, 32, 0x1309b9cbdaa679d7, 0, 0x55f6d0bbbba1c755, 109, 221},
    {{64, 64}, 64, 0x30efb343a16db6f0, 0, 0x2d3e7774c09af9ba, 85, 168},
    {{64, 256}, 128, 0xffc8ea36245f8fa4, 0, 0x1d44d66ccecd2411, 350, 676},
    {{64, 256}, 64, 0xffc8ea36245f8fa4, 0, 0x5ec03b2288d01740, 340, 686},
    {{4, 4096}, 4096, 0x142dd9889e797df7, 0, 0x20d35a0697e86483, 513, 512},
    {{1, 1}, 64, 0xaf63ba4c8601b2c6, 0, 0x4b72497f9c5c32fe, 0, 0},
    {{1, 2}, 64, 0xaf63c44c8601c3c4, 0, 0xe63df2f0bac7e12f, 0, 0},
    {{3, 5}, 32, 0x5136f5b2cfd69b86, 0, 0x5300eedfd6b9043a, 1, 0},
    {{2, 17}, 32, 0x2a6d570863593635, 0, 0x12788d21cdd59b23, 1, 0},
    {{7, 33}, 64, 0xe90e9170715db157, 0, 0x3f1dbaa33a915923, 6, 7},
    {{1, 40}, 32, 0x1a218b64ec8d044d, 0, 0xc87840ff2f2f4aec, 2, 1},
    {{2, 16}, 32, 0x8619ab890a7ba039, 0, 0x22ae308a90cc610e, 1, 0},
    {{3, 48}, 32, 0x5d02b8c2d58a8b0d, 0, 0x90ed090e73deff8b, 4, 3},
    {{3, 48}, 64, 0x5d02b8c2d58a8b0d, 0, 0x4307636298f6c870, 3, 4},
    {{5, 80}, 64, 0xd70c8d3631aab03d, 0, 0xa41647adfb31e1f2, 9, 16},
    {{5, 40}, 32, 0x3ffb473a56acc1d0, 0, 0x1083e1ddab25fcf5, 4, 8},
    {{16, 8}, 64, 0x582c9a34b8f56903, 0, 0x40c2244bd8ad95d4, 4, 3},
    {{9, 100}, 64, 0x35db1568fb32667d, 0, 0x96b5c379dfa34056, 19, 39},
    {{33, 34}, 128, 0x44806f62d7fb5b44, 0, 0x3fcc2dd8acd053d9, 24, 45},
    {{2, 2048}, 4096, 0xef5625d77298d1dd, 0, 0xb901d59a232e92fc, 255, 0},
};
constexpr RecordedWeights nf4_fp16[] = {
    {{1, 64}, 64, 0xcee91dd5842a83e5, 0, 0xb588f43e90cb3680, 4, 0},
    {{5, 192}, 64, 0xb03c9fbac5c07146, 0, 0x45f21a3d05c136b3, 18, 41},
    {{64, 256}, 64, 0xffc8ea36245f8fa4, 0, 0x13315a7874df263, 340, 686},
    {{1, 2}, 64, 0xaf63c44c8601c3c4, 0, 0xfa0a157fffa1d594, 0, 0},
    {{7, 33}, 64, 0xe90e9170715db157, 0, 0xdbf492467e1a0237, 6, 7},
    {{2, 16}, 32, 0x8619ab890a7ba039, 0, 0x59991c9f5f5a6996, 1, 0},
    {{5, 80}, 64, 0xd70c8d3631aab03d, 0, 0xbf80069a4166d538, 9, 16},
    {{33, 34}, 128, 0x44806f62d7fb5b44, 0, 0xdef22f7255c7edcd, 24, 45},
};
constexpr RecordedWeights nf4_bf16[] = {
    {{1, 64}, 64, 0xcee91dd5842a83e5, 0, 0x1c50429e90c97e93, 4, 0},
    {{5, 192}, 64, 0xb03c9fbac5c07146, 0, 0x9f53a6011ac07208, 18, 41},
    {{64, 256}, 64, 0xffc8ea36245f8fa4, 0, 0xf5712755ea08ba04, 340, 686},
    {{1, 2}, 64, 0xaf63c44c8601c3c4, 0, 0x64d9c5aac7b6e23f, 0, 0},
    {{7, 33}, 64, 0xe90e9170715db157, 0, 0xa1c360297d1ec188, 6, 7},
    {{2, 16}, 32, 0x8619ab890a7ba039, 0, 0x73db000511f0dc2e, 1, 0},
    {{5, 80}, 64, 0xd70c8d3631aab03d, 0, 0x97898f072cc36399, 9, 16},
    {{33, 34}, 128, 0x44806f62d7fb5b44, 0, 0xa2cbe57e00e21a2b, 24, 45},
};
constexpr RecordedWeights fp4_fp32[] = {
    {{1, 32}, 32, 0xcec4e75bd6a1db0b, 0, 0xe784db331e530af9, 5, 0},
    {{1, 64}, 64, 0xcee91dd5842a83e5, 0, 0xf9ec7cfbe7b63011, 8, 0},
    {{3, 64}, 32, 0x225f47cb9dd9041a, 0, 0x3421b47006934819, 8, 17},
    {{5, 192}, 64, 0xb03c9fbac5c07146, 0, 0x394000cc23b36e72, 40, 81},
    {{7, 128}, 128, 0x3fa06e926354717d, 0, 0xf8a9fd847f66ec4a, 49, 64},
    {{33, 160}, 32, 0x1309b9cbdaa679d7, 0, 0x6ed3489590b44237, 222, 441},
    {{64, 64}, 64, 0x30efb343a16db6f0, 0, 0xd5253443a2433228, 174, 338},
    {{64, 256}, 128, 0xffc8ea36245f8fa4, 0, 0xc330631810fcf632, 688, 1359},
    {{64, 256}, 64, 0xffc8ea36245f8fa4, 0, 0x8cc891e0bd1c0262, 686, 1361},
    {{4, 4096}, 4096, 0x142dd9889e797df7, 0, 0xc1d8fe6b42b6d32c, 1025, 1025},
    {{1, 1}, 64, 0xaf63bd4c8601b7df, 0, 0x4d24f67f9dcd3a75, 1, 0},
    {{1, 2}, 64, 0xaf63c44c8601c3c4, 0, 0xd618696080adac15, 1, 0},
    {{3, 5}, 32, 0x5136f8b2cfd6a09f, 0, 0x4a2e14e1680e1829, 2, 0},
    {{2, 17}, 32, 0x2a6d570863593635, 0, 0x331d737d2671b51a, 5, 0},
    {{7, 33}, 64, 0xe90e8e70715dac3e, 0, 0x4a665eb4bae84fd4, 14, 17},
    {{1, 40}, 32, 0x1a218b64ec8d044d, 0, 0x2f356efffe8c64cb, 5, 1},
    {{2, 16}, 32, 0x8619ab890a7ba039, 0, 0x3b4238a973992f52, 5, 0},
    {{3, 48}, 32, 0x5d02b8c2d58a8b0d, 0, 0x31f3f0384557f286, 9, 12},
    {{3, 48}, 64, 0x5d02b8c2d58a8b0d, 0, 0xef2d44c7ef52ec6e, 9, 12},
    {{5, 80}, 64, 0xd70c8d3631aab03d, 0, 0x27206d8cf9531555, 19, 32},
    {{5, 40}, 32, 0x3ffb473a56acc1d0, 0, 0xe2e0f4f416df06a9, 10, 17},
    {{16, 8}, 64, 0x582c9a34b8f56903, 0, 0x414c153be9dc2a84, 9, 9},
    {{9, 100}, 64, 0x35db1568fb32667d, 0, 0xa61a4741c0d5d9f9, 41, 72},
    {{33, 34}, 128, 0x44806f62d7fb5b44, 0, 0x21c68f86fe0ec3f4, 50, 92},
    {{2, 2048}, 4096, 0xef5625d77298d1dd, 0, 0x51897c2e4ad6f505, 511, 0},
};
constexpr RecordedWeights fp4_fp16[] = {
    {{1, 64}, 64, 0xcee91dd5842a83e5, 0, 0xa503d9a42fe8701d, 8, 0},
    {{5, 192}, 64, 0xb03c9fbac5c07146, 0, 0x1a15d5146a78576f, 40, 81},
    {{64, 256}, 64, 0xffc8ea36245f8fa4, 0, 0xf3ffbb34be41aade, 686, 1361},
    {{1, 2}, 64, 0xaf63c44c8601c3c4, 0, 0xf7b3d57d2935b1df, 1, 0},
    {{7, 33}, 64, 0xe90e8e70715dac3e, 0, 0x107c9228dcab4016, 14, 17},
    {{2, 16}, 32, 0x8619ab890a7ba039, 0, 0xb672215514197eed, 5, 0},
    {{5, 80}, 64, 0xd70c8d3631aab03d, 0, 0xfdec3691b1a3e8ae, 19, 32},
    {{33, 34}, 128, 0x44806f62d7fb5b44, 0, 0x1de772ffb20974a5, 50, 92},
};
constexpr RecordedWeights fp4_bf16[] = {
    {{1, 64}, 64, 0xcee91dd5842a83e5, 0, 0xd576e3b176b6db9, 8, 0},
    {{5, 192}, 64, 0xb03c9fbac5c07146, 0, 0x1e136f5449d765e7, 40, 81},
    {{64, 256}, 64, 0xffc8ea36245f8fa4, 0, 0x3ee0b32be8886c27, 686, 1361},
    {{1, 2}, 64, 0xaf63c44c8601c3c4, 0, 0xf996457d2acf7571, 1, 0},
    {{7, 33}, 64, 0xe90e8e70715dac3e, 0, 0x277d86cf7a3028ba, 14, 17},
    {{2, 16}, 32, 0x8619ab890a7ba039, 0, 0xa746d42857b0613e, 5, 0},
    {{5, 80}, 64, 0xd70c8d3631aab03d, 0, 0x73f67509076ec182, 19, 32},
    {{33, 34}, 128, 0x44806f62d7fb5b44, 0, 0xf2a1cea898b11841, 50, 92},
};

/// The weights of a matrix.
/// @param of_every_block  its absmax; nothing: block i is scaled by recorded_scale(0, i)
template <class F, class Table, class Bits>
std::vector<Bits> weights_of(FloatFormat type, const RecordedWeights& each,
                             std::optional<std::uint32_t> of_every_block = std::nullopt) {
  const Size groups = F::groups(each.size, each.group_size);
  std::vector<std::uint32_t> absmax;
  for (std::int64_t i = 0; i < groups.k; ++i) {
    absmax.push_back(of_every_block.value_or(recorded_scale(fp32, 0, i)));
  }
  const std::vector<std::uint8_t> packed = packed_codes<typename F::Codes>(each.size);
  EXPECT_EQ(fnv1a(packed), each.words);
  std::vector<Bits> weights(static_cast<std::size_t>(each.size.n * each.size.k), static_cast<Bits>(0xaaaaaaaa));
  dequantize<F, LookedUp<Table>>(type, fp32, packed.data(), absmax.data(), absmax.data(), each.size, each.group_size,
                                 weights.data());
  return weights;
}

template <class Bits>
void expect_nf4(FloatFormat type, const RecordedWeights& each) {
  expect_hashes(type, each, weights_of<Bitsandbytes<Nf4, Nf4Table>, Nf4Table, Bits>(type, each));
}

/// The library's weights of code 8 have the other sign, for its table has +0 there.
template <class Bits>
void expect_fp4(FloatFormat type, const RecordedWeights& each) {
  std::vector<Bits> weights = weights_of<Bitsandbytes<Fp4, Fp4Table>, Fp4Table, Bits>(type, each);
  const std::vector<std::uint8_t> codes = recorded_codes(each.size);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] == 8) weights[i] ^= static_cast<Bits>(type.sign_bit());
  }
  expect_hashes(type, each, weights);
}

TEST(Nf4, IsAsBitsandbytesHasIt) {
  for (const RecordedWeights& each : nf4_fp32) expect_nf4<std::uint32_t>(fp32, each);
  for (const RecordedWeights& each : nf4_fp16) expect_nf4<std::uint16_t>(fp16, each);
  for (const RecordedWeights& each : nf4_bf16) expect_nf4<std::uint16_t>(bf16, each);
}

TEST(Fp4, IsAsBitsandbytesHasIt) {
  for (const RecordedWeights& each : fp4_fp32) expect_fp4<std::uint32_t>(fp32, each);
  for (const RecordedWeights& each : fp4_fp16) expect_fp4<std::uint16_t>(fp16, each);
  for (const RecordedWeights& each : fp4_bf16) expect_fp4<std::uint16_t>(bf16, each);
}

// One rounding would give four to seven other weights, in fp16 and in bf16.
TEST(Nf4, IsRoundedToFp32First) {
  using F = Bitsandbytes<Nf4, Nf4Table>;
  const RecordedWeights one = {{1, 64}, 64, 0xcee91dd5842a83e5, 0, 0, 0, 0};
  EXPECT_EQ(fnv1a(weights_of<F, Nf4Table, std::uint16_t>(fp16, one, 0x3df40f73)), 0x7a90db4fcf1c169au);
  EXPECT_EQ(fnv1a(weights_of<F, Nf4Table, std::uint16_t>(bf16, one, 0x3df4e747)), 0x39f56879f30aa0ebu);
}

TEST(Flat, EndsAnOddCountWithTheCodeOfZero) {
  EXPECT_EQ(packed_codes<Nf4>({1, 1}), std::vector<std::uint8_t>{0x07});
  EXPECT_EQ(packed_codes<Fp4>({1, 1}), std::vector<std::uint8_t>{0x00});
}

TEST(Flat, HasBlocksThatCrossRowsAndEndShort) {
  using F = Bitsandbytes<Nf4, Nf4Table>;
  const Size size = {3, 48};
  EXPECT_EQ(F::groups(size, 64), (Size{1, 3}));
  EXPECT_EQ(F::group_of({1, 15}, size, 64), (Element{0, 0}));
  EXPECT_EQ(F::group_of({1, 16}, size, 64), (Element{0, 1}));
  EXPECT_EQ(F::group_end({0, 5}, size, 64), 48);
  EXPECT_EQ(F::group_end({1, 5}, size, 64), 16);
  EXPECT_EQ(F::group_end({2, 47}, size, 64), 48);
  EXPECT_EQ(F::groups({5, 80}, 64), (Size{1, 7}));
  EXPECT_FALSE(format_named("nf4")->groups_divide_rows);
  EXPECT_TRUE(format_named("gptq")->groups_divide_rows);
}

}  // namespace
}  // namespace tileproof::reference
