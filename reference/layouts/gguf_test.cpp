/// GGUF's formats against what the gguf package gives.
///
/// Recorded from gguf 0.19.0 (numpy): gguf.quants.dequantize of blobs that were built of codes and parameters.
#include "reference/layouts/gguf.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "reference/layouts/recorded_for_tests.h"

namespace tileproof::reference {
namespace {

constexpr RecordedWeights q4_0[] = {
    {{1, 32}, 32, 0x4bf00a21dcec4df7, 0, 0x4b3bb72fc373afab, 3, 0},
    {{2, 32}, 32, 0x9ab05bb784219e5, 0, 0x963bf5fdad98bd70, 3, 3},
    {{3, 64}, 32, 0x3953259122b42650, 0, 0x20a02f135819a961, 6, 7},
    {{5, 96}, 32, 0x6c823ef9d306b4c9, 0, 0x15aa9c8654685c0f, 11, 20},
    {{7, 256}, 32, 0x482d916c7d8f6237, 0, 0x9179513c89214136, 39, 75},
    {{33, 160}, 32, 0x6ae4d1e6a61dac19, 0, 0xe933545100a0c6d1, 112, 219},
    {{64, 64}, 32, 0x9362c169113f478d, 0, 0xeb05de6342fdffa7, 87, 169},
    {{64, 256}, 32, 0x4861b6c60050310f, 0, 0x9913676e53fc131f, 340, 682},
};
constexpr RecordedWeights q4_1[] = {
    {{1, 32}, 32, 0x82a124ce9c388a53, 0, 0x1412ecb2f7eac422, 0, 0},
    {{2, 32}, 32, 0x5f097822262ee790, 0, 0xca35b8e917e3c852, 0, 0},
    {{3, 64}, 32, 0xef2002eefa154453, 0, 0xe5b669ff5bf5d888, 0, 0},
    {{5, 96}, 32, 0xe3a07849a59eb67d, 0, 0xd2edee9ba2d22289, 0, 0},
    {{7, 256}, 32, 0xc1f604282de05a51, 0, 0xd3d18035cec304c1, 0, 0},
    {{33, 160}, 32, 0x653f3526a7bb7c3b, 0, 0x53cc88cf5e8823d0, 0, 0},
    {{64, 64}, 32, 0x65686af2796c6c5d, 0, 0xae6324e07f8672f2, 0, 0},
    {{64, 256}, 32, 0xab4211d17445566, 0, 0xa7ce6ee293f4e2dd, 0, 0},
};
constexpr RecordedWeights q4_1_wide[] = {
    {{1, 32}, 32, 0x2105ae2814115763, 0, 0x1667f5d33575a8f4, 0, 0},
    {{2, 32}, 32, 0x98c584513091615c, 0, 0x4d25d2d3d27f3b9d, 0, 0},
    {{3, 64}, 32, 0x27ba19c2b0eab8bf, 0, 0xa928fd6ee7bd2a63, 0, 0},
    {{5, 96}, 32, 0x45939b568a919239, 0, 0xe70882c7e9debfd2, 0, 0},
    {{7, 256}, 32, 0x1212b0acb7cbfee9, 0, 0xef3c8e18c353bd50, 0, 0},
    {{33, 160}, 32, 0x8f15bea63f1ed5eb, 0, 0xdcfdf98913f7ac42, 0, 0},
    {{64, 64}, 32, 0x936607529a66e265, 0, 0x666d9613e746ec92, 0, 0},
    {{64, 256}, 32, 0x7342615b81608d6e, 0, 0x69ba927d058a5dc3, 0, 0},
};
constexpr RecordedWeights mxfp4[] = {
    {{1, 32}, 32, 0xec9420334a30d817, 0, 0xebf8cb22d10101fe, 0, 5},
    {{2, 32}, 32, 0x8be0a7fc846462bb, 0, 0xadc1ae240028fe7b, 0, 10},
    {{3, 64}, 32, 0x77429a912e0638dd, 0, 0xdaa0b8e09df18ca8, 0, 25},
    {{5, 96}, 32, 0xc64c519a8195cb73, 0, 0xd8c411a081098d9a, 0, 62},
    {{7, 256}, 32, 0xaba157de711fc687, 0, 0xd9a1b072a6779e91, 0, 226},
    {{33, 160}, 32, 0x1a341a644c37b329, 0, 0x55094a33213b5e45, 0, 663},
    {{64, 64}, 32, 0xa127f15e56a1d99e, 0, 0xac7e1c2d1d30279b, 0, 512},
    {{64, 256}, 32, 0x5be3aede206a7080, 0, 0xd2848269f4f20acc, 0, 2047},
};

constexpr RecordedWeights q4_k[] = {
    {{1, 256}, 32, 0xb906a6a59e14b452, 0, 0x6fdbcf63113f3758, 0, 2},
    {{2, 256}, 32, 0x6d63ad7c6fd3da22, 0, 0x09f4b023645a7f95, 0, 2},
    {{3, 512}, 32, 0x712d767e7962b6ac, 0, 0x15bb7dfab6601eb5, 0, 2},
    {{5, 768}, 32, 0xb0781cf99bce1959, 0, 0x7acf17b0bbd01679, 0, 4},
    {{16, 256}, 32, 0x6e76eed10a297891, 0, 0x2f2fe3d3b6341532, 0, 2},
    {{17, 1024}, 32, 0xf2b80a4a40c58c84, 0, 0x19519d0c00bac633, 0, 12},
    {{64, 256}, 32, 0x686a986486d36cd9, 0, 0xa4d1c92e410670d3, 0, 17},
};
constexpr RecordedWeights q4_k_wide[] = {
    {{1, 256}, 32, 0x9d8e63c9ea12cde2, 0, 0x4475c0792cb6f7da, 0, 0},
    {{2, 256}, 32, 0x46e165999d056646, 0, 0x327db31bef41a3ad, 0, 0},
    {{3, 512}, 32, 0xba36c2a006586990, 0, 0x3a6ff52430cf146a, 0, 0},
    {{5, 768}, 32, 0x34a855a19732dbb5, 0, 0x0e57abc01cdd33b7, 0, 2},
    {{16, 256}, 32, 0xd5602cac58939a91, 0, 0x7ea60273a0d6443d, 0, 0},
    {{17, 1024}, 32, 0xb4b573f46ad17ba4, 0, 0xb7e48ae483ad1f53, 0, 10},
    {{64, 256}, 32, 0x61dbd48542036ab1, 0, 0x38d50e4c27613b29, 0, 15},
};

/// A number of any exponent, for sums that are rounded.
std::uint32_t wide_minimum(std::int64_t n, std::int64_t group) {
  const std::int64_t number = (1 + (n * 7 + group * 5) % 30) << 10 | ((n * 53 + group * 97) & 0x3ff);
  return static_cast<std::uint32_t>(((n + 2 * group) % 5 < 2 ? 0x8000 : 0) | number);
}

std::uint32_t power_of_two(std::int64_t n, std::int64_t group) {
  return static_cast<std::uint32_t>(118 + (n * 37 + group * 211) % 20);
}

std::uint32_t half_scale(std::int64_t n, std::int64_t group) { return recorded_scale(fp16, n, group); }
std::uint32_t half_minimum(std::int64_t n, std::int64_t group) { return recorded_bias(fp16, n, group); }
std::uint32_t none(std::int64_t, std::int64_t) { return 0; }

using Number = std::uint32_t (*)(std::int64_t n, std::int64_t group);

/// A matrix's codes and parameters, a block for each group.
template <class L, class Used>
std::vector<std::uint8_t> blob(Size size, Number scale, Number zero) {
  using P = typename Used::Parameters;
  std::vector<std::uint8_t> packed = packed_codes<L>(size);
  const Size groups = {size.n, size.k / 32};
  for (std::int64_t n = 0; n < groups.n; ++n) {
    for (std::int64_t group = 0; group < groups.k; ++group) {
      P::put(&packed[static_cast<std::size_t>(P::block.first_byte({n, group}, groups))], group % P::block.groups,
             {scale(n, group), zero(n, group)});
    }
  }
  return packed;
}

template <class L, class Used, class Bits>
void expect_blob(FloatFormat parameter_type, const RecordedWeights& each, Number scale, Number zero) {
  using F = FormatOf<L, OnlyOf<32>, ResultOrder::n_k, void>;
  const std::vector<std::uint8_t> packed = blob<L, Used>(each.size, scale, zero);
  EXPECT_EQ(fnv1a(packed), each.words) << each.size.n << " x " << each.size.k;
  std::vector<std::uint32_t> weights(static_cast<std::size_t>(each.size.n * each.size.k), 0xaaaaaaaa);
  constexpr const Bits* no_tensor = nullptr;
  dequantize<F, Used>(fp32, parameter_type, packed.data(), no_tensor, no_tensor, each.size, 32, weights.data());
  expect_hashes(fp32, each, weights);
}

TEST(Gguf, HasTheWeightsOfQ40) {
  for (const RecordedWeights& each : q4_0) expect_blob<Q40, Q40Blocks, std::uint16_t>(fp16, each, half_scale, none);
}

TEST(Gguf, HasTheWeightsOfQ41) {
  for (const RecordedWeights& each : q4_1) {
    expect_blob<Q41, Q41Blocks, std::uint16_t>(fp16, each, half_scale, half_minimum);
  }
  for (const RecordedWeights& each : q4_1_wide) {
    expect_blob<Q41, Q41Blocks, std::uint16_t>(fp16, each, half_scale, wide_minimum);
  }
}

/// A block's number, and a factor of the group above it.
std::uint32_t factored_scale(std::int64_t n, std::int64_t group) {
  return half_scale(n, group / 8) | static_cast<std::uint32_t>((n * 37 + group * 11 + 5) & 63) << 16;
}
std::uint32_t factor_of_minimum(std::int64_t n, std::int64_t group) {
  return static_cast<std::uint32_t>((n * 29 + group * 23 + 17) & 63) << 16;
}
std::uint32_t factored_minimum(std::int64_t n, std::int64_t group) {
  return half_minimum(n, group / 8) | factor_of_minimum(n, group);
}
std::uint32_t factored_wide_minimum(std::int64_t n, std::int64_t group) {
  return wide_minimum(n, group / 8) | factor_of_minimum(n, group);
}

TEST(Gguf, HasTheWeightsOfQ4K) {
  for (const RecordedWeights& each : q4_k) {
    expect_blob<Q4K, Q4KBlocks, std::uint16_t>(fp16, each, factored_scale, factored_minimum);
  }
  for (const RecordedWeights& each : q4_k_wide) {
    expect_blob<Q4K, Q4KBlocks, std::uint16_t>(fp16, each, factored_scale, factored_wide_minimum);
  }
}

TEST(Gguf, HasFactorsOfGroupsThatAreReadAsTheyArePut) {
  std::uint8_t block[16] = {};
  const auto bits = [](std::int64_t group) {
    const auto number = static_cast<std::uint32_t>(group);
    return GroupBits{0xac00 | (number * 11 + 5) << 16, 0xb400 | (63 - number * 7) << 16};
  };
  for (std::int64_t group = 7; group >= 0; --group) InBlocksOfEight::put(block, group, bits(group));
  for (std::int64_t group = 0; group < 8; ++group) {
    EXPECT_EQ(InBlocksOfEight::get(block, group).scale & 0x3fffff, bits(group).scale & 0x3fffff);
    EXPECT_EQ(InBlocksOfEight::get(block, group).zero, bits(group).zero);
  }
}

TEST(Gguf, HasTheWeightsOfMxfp4) {
  for (const RecordedWeights& each : mxfp4) {
    expect_blob<Mxfp4Gguf, MxBlocks, std::uint8_t>(e8m0, each, power_of_two, none);
  }
}

TEST(Gguf, HasParametersBeforeTheCodesOfABlock) {
  const std::vector<std::uint8_t> one = blob<Q41, Q41Blocks>({1, 32}, half_scale, half_minimum);
  EXPECT_EQ(one, (std::vector<std::uint8_t>{0x00, 0xac, 0x00, 0xb4, 0xe0, 0x89, 0x13, 0xbd, 0x57, 0xf1,
                                            0x9b, 0x35, 0xdf, 0x78, 0x12, 0xac, 0x46, 0xe0, 0x8a, 0x24}));
  EXPECT_EQ(format_named("q4_0")->schemes[0]->tensor_count, 0);
  EXPECT_TRUE(format_named("mxfp4-gguf")->schemes[0]->in_blocks);
}

}  // namespace
}  // namespace tileproof::reference
