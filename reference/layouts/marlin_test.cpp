/// Marlin's words, scales and zero points against what vLLM's repacking gives.
///
/// Recorded on a CPU from vLLM 0.33.0's marlin_weights, marlin_permute_scales and marlin_zero_points, with
/// torch 2.11.0. No operator gives Marlin's weights: they are computed inside a matmul. They are expected to be those
/// of gptq's format, which GPTQModel gave.
#include "reference/layouts/marlin.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "reference/layouts/recorded_for_tests.h"

namespace tileproof::reference {
namespace {

struct RecordedMarlin {
  Size size;
  std::int64_t group_size;
  std::uint64_t words, scales_of_fp16, scales_of_bf16, zeros;
};
constexpr RecordedMarlin recorded[] = {
    {{64, 16}, 16, 0x89627c8a27af1d79, 0x06efa4d70f82c372, 0x387a91aeea2ff1e5, 0x927322a72e94cf38},
    {{64, 32}, 32, 0x539b8b87a5fff168, 0x06efa4d70f82c372, 0x387a91aeea2ff1e5, 0x927322a72e94cf38},
    {{64, 64}, 32, 0xb42df012c9885114, 0x5f69ea251d7af834, 0xf1539468db1970a5, 0xb181e38aa228ebb4},
    {{128, 64}, 64, 0x9b67977c87da9083, 0x31b547be29eb4dac, 0xe1cbb05bfb8d9525, 0x39c16c5c37e8eb1c},
    {{192, 128}, 32, 0x4bf928ee87330a47, 0xf362a91733fcc162, 0xf4a353c0ac46b065, 0x2278aa8ae687b80c},
    {{64, 256}, 128, 0xdd77be861b4d4633, 0x5f69ea251d7af834, 0xf1539468db1970a5, 0xb181e38aa228ebb4},
    {{320, 48}, 16, 0x829d608603d2db84, 0x2120de2240e1ddb1, 0x8910e6c3f74f5f45, 0x66936fac355f0a9f},
    {{256, 256}, 256, 0x5fca0b37f15eeef6, 0xaf879a975a49f7fd, 0x6c687a1bb0b59925, 0x016b616b9745d163},
};

template <class Used>
std::vector<std::uint16_t> scales_of(FloatFormat type, Size groups) {
  std::vector<std::uint16_t> scales(static_cast<std::size_t>(groups.n * groups.k));
  for (std::int64_t n = 0; n < groups.n; ++n) {
    for (std::int64_t group = 0; group < groups.k; ++group) {
      const auto at = static_cast<std::size_t>(Used::Parameters::scale_at({n, group}, groups));
      scales[at] = static_cast<std::uint16_t>(recorded_scale(type, n, group));
    }
  }
  return scales;
}

TEST(Marlin, HasTheWordsScalesAndZerosOfVllm) {
  for (const RecordedMarlin& each : recorded) {
    SCOPED_TRACE(std::to_string(each.size.n) + " x " + std::to_string(each.size.k));
    const Size groups = {each.size.n, each.size.k / each.group_size};
    EXPECT_EQ(fnv1a(packed_codes<Marlin>(each.size)), each.words);
    EXPECT_EQ(fnv1a(scales_of<MarlinSymmetric>(fp16, groups)), each.scales_of_fp16);
    EXPECT_EQ(fnv1a(scales_of<MarlinTwoZeros>(bf16, groups)), each.scales_of_bf16);
    EXPECT_EQ(fnv1a(recorded_zeros<MarlinTwoZeros>(groups)), each.zeros);
  }
}

TEST(Marlin, PacksTheWordsOfVllm) {
  std::vector<std::uint32_t> words = packed_codes<Marlin>({64, 16});
  words.resize(8);
  EXPECT_EQ(words, (std::vector<std::uint32_t>{0x4589abf0, 0xabf00156, 0x015677bc, 0x78cdde23, 0x78cdee23, 0xef34459a,
                                               0x459aabf0, 0xbcf01266}));
  EXPECT_EQ(recorded_zeros<MarlinTwoZeros>({64, 1}),
            (std::vector<std::uint32_t>{0xe82b3d60, 0xe71b3c6f, 0xd70a2c5f, 0xd6091b5e, 0xc6f91a4e, 0xb5f80a3d,
                                        0xb4e8093c, 0xa4d7f92c}));
}

// The hash of the weights that GPTQModel gave for this matrix: see words_of_eight_test.cpp.
TEST(Marlin, HasTheWeightsOfGptq) {
  using F = FormatOf<Marlin, MultiplesOf<16>, ResultOrder::k_n, void>;
  const Size size = {64, 64}, groups = {64, 2};
  const RecordedWeights each = {size, 32, 0xb42df012c9885114, 0xb181e38aa228ebb4, 0x774a83e4efcb27c0, 86, 172};
  expect_recorded<F, MarlinTwoZeros>(fp16, each);
  EXPECT_EQ(ByGroupForMarlin::index_of({1, 0}, groups), 8);
  EXPECT_EQ(ByGroupForMarlin::index_of({1, 1}, groups), 72);
  EXPECT_EQ(ByGroupForMarlin::index_of({2, 0}, {64, 1}), 8);
}

}  // namespace
}  // namespace tileproof::reference
