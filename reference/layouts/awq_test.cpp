/// AWQ's layout and weights against what its libraries give.
///
/// Recorded on a CPU with torch 2.11.0 from GPTQModel 7.7.0: pack_awq(codes [k][n], zeros [k / group_size][n], 4) for
/// the words, and dequantize_gemm(qweight, qzeros, scales, 4, group_size) for the weights, fp16 [k][n]. AutoAWQ 0.2.9
/// (WQLinear_GEMM.from_linear of weights code - zero at scale 1, and its dequantize_gemm) gave the same bits of the
/// three matrices that it takes: n % 32 = 0.
#include "reference/layouts/awq.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "reference/layouts/recorded_for_tests.h"
#include "reference/matrix.h"

namespace tileproof::reference {
namespace {

constexpr RecordedWeights recorded[] = {
    {{8, 1}, 1, 0xad9b3ab404905065, 0x54335d36f2b2d91b, 0xc30fd8d1f0426896, 3, 1},
    {{8, 3}, 3, 0xe54ba59b58661bad, 0x54335d36f2b2d91b, 0xd99a709db325cd13, 3, 1},
    {{16, 4}, 2, 0x773f04abd795dc32, 0x41060e9919675b7d, 0x2d4e358996ac80ce, 3, 4},
    {{32, 4}, 2, 0x811f18907aa0350a, 0x12679bf42c3a2859, 0xd4678b01914886a, 5, 9},
    {{40, 6}, 3, 0x3cdf0cf2926b9e52, 0x85f1657b377baf3d, 0x1d95f8233d072a7b, 7, 10},
    {{64, 64}, 32, 0x2712e0b191be16e5, 0x978c5777ecc7edb1, 0x774a83e4efcb27c0, 86, 172},
    {{136, 20}, 10, 0x5efe58f932d2e7ad, 0x5e8d879b22f53801, 0x2b4238895101516c, 68, 137},
    {{160, 20}, 10, 0x3915ee9e3cf29482, 0x13467a0dbaf95c4d, 0x6b677eb2564c6c8c, 82, 162},
};

TEST(Awq, PacksTheWordsOfGptqModel) {
  EXPECT_EQ(packed_codes<Awq>({8, 3}), (std::vector<std::uint32_t>{0xbcefcde0, 0x56896789, 0xf0130123}));
  EXPECT_EQ(packed_codes<Awq>({16, 4}), (std::vector<std::uint32_t>{0xbcefcde0, 0x689a789b, 0x56896789, 0x02341235,
                                                                    0xf0130123, 0xabdebcde, 0x9abdabcd, 0x45785678}));
}

TEST(Awq, IsAsAutoAwqAndGptqModelHaveIt) {
  using F = FormatOf<Awq, MultiplesOf<1>, ResultOrder::k_n, void>;
  for (const RecordedWeights& each : recorded) expect_recorded<F, AwqZeros>(fp16, each);
}

TEST(Awq, IsARowWithPackedZeros) {
  const Format& format = *format_named("awq");
  EXPECT_EQ(format.result, ResultOrder::k_n);
  ASSERT_EQ(format.scheme_count, 1);
  const Scheme& scheme = *format.schemes[0];
  EXPECT_EQ(scheme.name, std::string("integer"));
  EXPECT_EQ(scheme.zero_points, (Range{0, 15}));
  EXPECT_TRUE(scheme.zeros_are_packed);
  ASSERT_EQ(scheme.tensor_count, 2);
  EXPECT_EQ(scheme.tensors[0].dims({16, 3}), Dims(3, 16));
  EXPECT_EQ(scheme.tensors[1].dims({16, 3}), Dims(3, 2));
  EXPECT_EQ(scheme.tensors[1].dtype, std::string("int32"));
}

}  // namespace
}  // namespace tileproof::reference
