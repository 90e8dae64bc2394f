/// Layouts of words of eight, their zero points and weights, against what their libraries give.
///
/// Recorded on a CPU with torch 2.11.0. gptq: GPTQModel 7.7.0 (TorchLinear's pack_original and dequantize_weight), and,
/// of n and k that are multiples of 32, the same bits from auto-round 0.16.1 (qlinear_torch); gptq-v1: auto-round's
/// qlinear_torch_zp, which reads a stored 15 as 16. mlx 0.32.4, its CPU backend: mx.dequantize(words, scales, biases,
/// group_size, 4). pack-quantized: compressed-tensors 0.20.1 (pack_to_int32, and dequantize of the codes less 8).
#include "reference/layouts/words_of_eight.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "reference/layouts/recorded_for_tests.h"

namespace tileproof::reference {
namespace {

constexpr RecordedWeights gptq_fp16[] = {
    {{8, 8}, 8, 0xe7e553b6d4b66ec2, 0x3635173650ab3302, 0x5e25eca58efe6bed, 3, 1},
    {{8, 16}, 8, 0x40cb14dd5749f584, 0x2ba3d58a79cf2fd5, 0xb7edfe48f093e164, 5, 7},
    {{24, 24}, 24, 0x2e8dcfc9df354e3f, 0x438dd1c32a1ef59a, 0x5f97fbb01a8c8258, 15, 25},
    {{32, 32}, 32, 0xca85aaec8ca9e312, 0xc1bfbd9e1b5ea391, 0xdc784289dfe5b40e, 22, 43},
    {{40, 48}, 16, 0xf25628d7f7a6e277, 0xd6b0ed7df0a8911d, 0x3db98dd4b3c8f609, 37, 68},
    {{32, 64}, 32, 0xbe5594fc81327dba, 0x4dd9bc3f4189f179, 0x5f50abd9f51d64bc, 42, 87},
    {{96, 96}, 32, 0x5385505a329c32bc, 0xb7b2bba22a7bec1a, 0x5fb097018e5b25cc, 194, 389},
    {{64, 64}, 32, 0xdc491a0c9e1b02b7, 0x71ba981ad4dcf, 0x774a83e4efcb27c0, 86, 172},
    {{64, 256}, 64, 0x119ae935c94e2aa5, 0x1560e386a290f14, 0xfdb12dfe1d9301db, 345, 679},
    {{136, 40}, 40, 0x6fca47590f803440, 0xfe474dc7e0a709ca, 0xf566a636047e231c, 123, 240},
};
constexpr RecordedWeights gptq_bf16[] = {
    {{8, 8}, 8, 0xe7e553b6d4b66ec2, 0x3635173650ab3302, 0xcb73f416c08039e6, 3, 1},
    {{40, 48}, 16, 0xf25628d7f7a6e277, 0xd6b0ed7df0a8911d, 0xdb23e19ed135b122, 37, 68},
    {{64, 64}, 32, 0xdc491a0c9e1b02b7, 0x71ba981ad4dcf, 0x6143de791e4249d5, 86, 172},
    {{136, 40}, 40, 0x6fca47590f803440, 0xfe474dc7e0a709ca, 0x2872abc77bb32023, 123, 240},
};
constexpr RecordedWeights gptq_v1_fp16[] = {
    {{32, 32}, 32, 0xca85aaec8ca9e312, 0xc1bfbd9e1b5ea391, 0x94a5cb33d4caa885, 25, 38},
    {{32, 64}, 32, 0xbe5594fc81327dba, 0x4dd9bc3f4189f179, 0x61352640e332c42e, 47, 83},
    {{96, 96}, 32, 0x5385505a329c32bc, 0xb7b2bba22a7bec1a, 0x774426ce51f4c755, 168, 329},
    {{64, 64}, 32, 0xdc491a0c9e1b02b7, 0x71ba981ad4dcf, 0x53c7533229c73283, 93, 169},
    {{64, 256}, 64, 0x119ae935c94e2aa5, 0x1560e386a290f14, 0x769fdd6fde9ba63b, 329, 631},
};
constexpr RecordedWeights gptq_v1_bf16[] = {
    {{32, 32}, 32, 0xca85aaec8ca9e312, 0xc1bfbd9e1b5ea391, 0x824f2aa0d411931f, 25, 38},
    {{96, 96}, 32, 0x5385505a329c32bc, 0xb7b2bba22a7bec1a, 0x8f16dbbaa06899d, 168, 329},
};
constexpr RecordedWeights mlx_fp16[] = {
    {{1, 32}, 32, 0x7fa4b605b6ac50c6, 0x8321407b4eaaad1, 0xaff377d2337a1a8f, 0, 0},
    {{3, 64}, 32, 0x9acbf13d25ca9968, 0x7557e0e695bf533e, 0xc210841c177acbfc, 0, 0},
    {{7, 160}, 32, 0x7c92721f5688a3f8, 0x148fd6f395b20b40, 0x5af2f36dcc6810f6, 0, 0},
    {{64, 64}, 32, 0x194f94eb164a29eb, 0x52dcaf2dfdb04111, 0xadbe0aad8e775b7f, 0, 2},
    {{3, 64}, 64, 0x9acbf13d25ca9968, 0xa0f2be59da81d276, 0xdb4e2f80898c37e6, 0, 0},
    {{7, 320}, 64, 0x7157c61ac561f4ff, 0x148fd6f395b20b40, 0x205bb20dbc5dc71c, 0, 0},
    {{1, 128}, 128, 0x8f94ece87de3642e, 0x8321407b4eaaad1, 0xcc2aa99821a2b6d5, 0, 0},
    {{7, 128}, 128, 0x5c3e1291a124ee96, 0xf815f818e3e14c0e, 0x4470383ec1013dff, 0, 0},
};
constexpr RecordedWeights mlx_bf16[] = {
    {{1, 32}, 32, 0x7fa4b605b6ac50c6, 0x9e60a07b65de153, 0xfc12f5173869443a, 0, 0},
    {{3, 64}, 32, 0x9acbf13d25ca9968, 0x406ceaeb5fbae8ce, 0xf9e8d3dbdd08299f, 0, 0},
    {{7, 160}, 32, 0x7c92721f5688a3f8, 0xaeb406c1a57a5f00, 0xf045a2aa1ccfd390, 0, 2},
    {{64, 64}, 32, 0x194f94eb164a29eb, 0x4cbbdd4ed950e265, 0xc7f7c4e475d24dd8, 0, 8},
    {{3, 64}, 64, 0x9acbf13d25ca9968, 0xfd055ecc5100b83c, 0x33ae68bfe01a035e, 0, 0},
    {{7, 320}, 64, 0x7157c61ac561f4ff, 0xaeb406c1a57a5f00, 0x8b1bd893a6b4cdd, 0, 4},
    {{1, 128}, 128, 0x8f94ece87de3642e, 0x9e60a07b65de153, 0x69b279a4ffa42012, 0, 0},
    {{7, 128}, 128, 0x5c3e1291a124ee96, 0xdd834cf2fe3bba48, 0xa7f0818765c8c7fe, 0, 0},
};
constexpr RecordedWeights mlx_fp32[] = {
    {{1, 32}, 32, 0x7fa4b605b6ac50c6, 0x4b72c87f9c5d0acb, 0x1412ecb2f7eac422, 0, 0},
    {{7, 160}, 32, 0x7c92721f5688a3f8, 0x1407985b78f76e8e, 0x951c891d876a4571, 0, 0},
    {{64, 64}, 32, 0x194f94eb164a29eb, 0xc76f757507618d0f, 0xad84a8017ca710b8, 0, 0},
    {{3, 64}, 64, 0x9acbf13d25ca9968, 0x3751e14d6b6b3a76, 0x354b6168e8009fc6, 0, 0},
    {{1, 128}, 128, 0x8f94ece87de3642e, 0x4b72c87f9c5d0acb, 0x48e23ba94bd541ea, 0, 0},
};
constexpr RecordedWeights symmetric_fp16[] = {
    {{1, 1}, 1, 0x4d25767f9dce13f5, 0, 0x8329007b4eb7d85, 0, 0},
    {{1, 7}, 7, 0x9028ed2f219f47d6, 0, 0x2f41bfc83cc59a56, 0, 0},
    {{3, 13}, 13, 0xdf232da30fa15062, 0, 0x6319ab29fa21103e, 1, 2},
    {{9, 20}, 20, 0x3d9f4063eee81889, 0, 0x914e6adaa20bf204, 5, 8},
    {{2, 12}, 4, 0x8c90c4ca28bb148d, 0, 0x7d7525282bc09d4a, 1, 1},
    {{5, 18}, 6, 0xb4f23be709074a93, 0, 0x5d74eb65b177a8bf, 2, 6},
    {{8, 8}, 8, 0xe7e553b6d4b66ec2, 0, 0xaff7238f7f5fe90f, 1, 3},
    {{11, 96}, 32, 0xfca45007fc48f5b1, 0, 0xa2b9c12e93382120, 23, 43},
    {{17, 130}, 130, 0x5652bb63628acd26, 0, 0xad1d61902303365e, 48, 91},
    {{64, 64}, 32, 0x194f94eb164a29eb, 0, 0x5b97b59fce9eba20, 87, 169},
    {{64, 256}, 64, 0xf828e47ebae72a71, 0, 0xa02232ab66a0564, 349, 673},
};
constexpr RecordedWeights symmetric_bf16[] = {
    {{1, 1}, 1, 0x4d25767f9dce13f5, 0, 0x8328907b4eb71a0, 0, 0},
    {{9, 20}, 20, 0x3d9f4063eee81889, 0, 0xc374a6a3fde6a090, 5, 8},
    {{5, 18}, 6, 0xb4f23be709074a93, 0, 0x9a8766d3c83cf193, 2, 6},
    {{11, 96}, 32, 0xfca45007fc48f5b1, 0, 0x67e4279c7612dca3, 23, 43},
    {{64, 64}, 32, 0x194f94eb164a29eb, 0, 0x366783ec90b3d28b, 87, 169},
};
constexpr RecordedWeights symmetric_fp32[] = {
    {{1, 1}, 1, 0x4d25767f9dce13f5, 0, 0x4d25477f9dcdc418, 0, 0},
    {{9, 20}, 20, 0x3d9f4063eee81889, 0, 0x54e0bc980d02e157, 5, 8},
    {{5, 18}, 6, 0xb4f23be709074a93, 0, 0x2876ddf40062b643, 2, 6},
    {{11, 96}, 32, 0xfca45007fc48f5b1, 0, 0x23ef6366d8c84ba7, 23, 43},
    {{64, 64}, 32, 0x194f94eb164a29eb, 0, 0xee9fccdd5eb707ac, 87, 169},
};
constexpr RecordedWeights pack_quantized_fp16[] = {
    {{1, 1}, 1, 0x4d25767f9dce13f5, 0x4d25767f9dce13f5, 0x8320807b4ea966d, 1, 0},
    {{1, 7}, 7, 0x9028ed2f219f47d6, 0x4d25767f9dce13f5, 0x5d9f4710e31223a7, 1, 0},
    {{3, 13}, 13, 0xdf232da30fa15062, 0xc78d873a9927cba0, 0x1ab4c720f8e45820, 1, 1},
    {{9, 20}, 20, 0x3d9f4063eee81889, 0xb7e3e3e0014f8419, 0xf18e72f32cf392f4, 6, 8},
    {{2, 12}, 4, 0x8c90c4ca28bb148d, 0x1b5170d7734d19cb, 0x8674ccc60eb7fa5c, 1, 1},
    {{5, 18}, 6, 0xb4f23be709074a93, 0xa7689d0d33930cff, 0x254ddf9a39122507, 4, 5},
    {{8, 8}, 8, 0xe7e553b6d4b66ec2, 0x3635173650ab3302, 0xd900f8b8b618eecd, 3, 1},
    {{11, 96}, 32, 0xfca45007fc48f5b1, 0x31453518e53efca8, 0x18df24df0d4e0079, 22, 44},
    {{17, 130}, 130, 0x5652bb63628acd26, 0xa7a53acc76d4f704, 0x174d4ed4dfaeebd7, 52, 95},
    {{64, 64}, 32, 0x194f94eb164a29eb, 0x9b80782a939a029b, 0xf4d01b470b4e6878, 86, 172},
    {{64, 256}, 64, 0xf828e47ebae72a71, 0xddb9db8349f4a5e8, 0x4a8e7772065451b7, 345, 679},
};
constexpr RecordedWeights pack_quantized_bf16[] = {
    {{1, 1}, 1, 0x4d25767f9dce13f5, 0x4d25767f9dce13f5, 0x8320807b4ea966d, 1, 0},
    {{9, 20}, 20, 0x3d9f4063eee81889, 0xb7e3e3e0014f8419, 0xda81c3df1debbb27, 6, 8},
    {{5, 18}, 6, 0xb4f23be709074a93, 0xa7689d0d33930cff, 0x4b392fa8579173c2, 4, 5},
    {{11, 96}, 32, 0xfca45007fc48f5b1, 0x31453518e53efca8, 0x4fb78f35aacf2139, 22, 44},
    {{64, 64}, 32, 0x194f94eb164a29eb, 0x9b80782a939a029b, 0xde54d6079c8f421d, 86, 172},
};
constexpr RecordedWeights pack_quantized_fp32[] = {
    {{1, 1}, 1, 0x4d25767f9dce13f5, 0x4d25767f9dce13f5, 0x4d24f67f9dcd3a75, 1, 0},
    {{9, 20}, 20, 0x3d9f4063eee81889, 0xb7e3e3e0014f8419, 0x9afa9d91de3ae32e, 6, 8},
    {{5, 18}, 6, 0xb4f23be709074a93, 0xa7689d0d33930cff, 0x8b9cc8c2dce997b4, 4, 5},
    {{11, 96}, 32, 0xfca45007fc48f5b1, 0x31453518e53efca8, 0x9a983a1e1cc41132, 22, 44},
    {{64, 64}, 32, 0x194f94eb164a29eb, 0x9b80782a939a029b, 0xa66fe3ff2b25e9cd, 86, 172},
};

using GptqFormat = FormatOf<Gptq, MultiplesOf<8>, ResultOrder::k_n, void>;
using GptqV1Format = FormatOf<GptqV1, MultiplesOf<8>, ResultOrder::k_n, void>;
using MlxFormat = FormatOf<Mlx, OnlyOf<32, 64, 128>, ResultOrder::n_k, void>;
using PackQuantizedFormat = FormatOf<PackQuantized, MultiplesOf<1>, ResultOrder::n_k, void>;

TEST(Gptq, IsAsGptqModelAndAutoRoundHaveIt) {
  for (const RecordedWeights& each : gptq_fp16) expect_recorded<GptqFormat, GptqTwoZeros>(fp16, each);
  for (const RecordedWeights& each : gptq_bf16) expect_recorded<GptqFormat, GptqTwoZeros>(bf16, each);
}

TEST(Gptq, PacksTheWordsOfGptqModel) {
  EXPECT_EQ(packed_codes<Gptq>({8, 8}), (std::vector<std::uint32_t>{0x5b17d390, 0x4a06d39f, 0x4a06c28e, 0x39f5b18e,
                                                                    0x28f5b17d, 0x28e4a06c, 0x17d3a06c, 0x17d39f5b}));
  EXPECT_EQ(recorded_zeros<GptqTwoZeros>({8, 1}), (std::vector<std::uint32_t>{0xccdeeff0}));
  EXPECT_EQ(recorded_zeros<GptqTwoZeros>({24, 1}), (std::vector<std::uint32_t>{0xccdeeff0, 0x78899abb, 0x23345566}));
}

TEST(GptqV1, IsAsAutoRoundHasIt) {
  for (const RecordedWeights& each : gptq_v1_fp16) expect_recorded<GptqV1Format, GptqOneZeros>(fp16, each);
  for (const RecordedWeights& each : gptq_v1_bf16) expect_recorded<GptqV1Format, GptqOneZeros>(bf16, each);
}

TEST(Mlx, IsAsMlxHasIt) {
  for (const RecordedWeights& each : mlx_fp16) expect_recorded<MlxFormat, BiasedRows>(fp16, each);
  for (const RecordedWeights& each : mlx_bf16) expect_recorded<MlxFormat, BiasedRows>(bf16, each);
  for (const RecordedWeights& each : mlx_fp32) expect_recorded<MlxFormat, BiasedRows>(fp32, each);
}

TEST(PackQuantized, IsAsCompressedTensorsHasIt) {
  for (const RecordedWeights& each : symmetric_fp16) expect_recorded<PackQuantizedFormat, SymmetricRows>(fp16, each);
  for (const RecordedWeights& each : symmetric_bf16) expect_recorded<PackQuantizedFormat, SymmetricRows>(bf16, each);
  for (const RecordedWeights& each : symmetric_fp32) expect_recorded<PackQuantizedFormat, SymmetricRows>(fp32, each);
  const auto expect = [](FloatFormat type, const RecordedWeights& each) {
    expect_recorded<PackQuantizedFormat, PackQuantizedRows>(type, each);
  };
  for (const RecordedWeights& each : pack_quantized_fp16) expect(fp16, each);
  for (const RecordedWeights& each : pack_quantized_bf16) expect(bf16, each);
  for (const RecordedWeights& each : pack_quantized_fp32) expect(fp32, each);
}

TEST(PackQuantized, FillsTheLastWordOfARowAndOfAColumnOfZeros) {
  EXPECT_EQ(packed_codes<PackQuantized>({3, 13}),
            (std::vector<std::uint32_t>{0x5b17d390, 0x0006c28f, 0x4a06d39f, 0x0006c28e, 0x4a06c28e, 0x0005b17d}));
  EXPECT_EQ(recorded_zeros<PackQuantizedRows>({3, 1}), (std::vector<std::uint32_t>{0x00000ff0}));
  EXPECT_EQ(recorded_zeros<PackQuantizedRows>({9, 1}), (std::vector<std::uint32_t>{0xccdeeff0, 0x0000000b}));
  EXPECT_EQ(padded<PackQuantized>({3, 13}), (Size{3, 16}));
}

TEST(PlainInt32, HasTheWordsOfMlxUnderItsOwnName) {
  EXPECT_EQ(packed_codes<PlainInt32>({5, 40}), packed_codes<Mlx>({5, 40}));
  EXPECT_EQ(PlainInt32::dims({5, 40}), Dims(5, 5));
  EXPECT_EQ(PlainInt32::dtype, std::string("int32"));
  EXPECT_EQ(Mlx::dtype, std::string("uint32"));
}

TEST(WordsOfEight, AreRowsOfFormats) {
  const Format& gptq = *format_named("gptq");
  EXPECT_EQ(gptq.schemes[0]->zero_points, (Range{0, 15}));
  EXPECT_EQ(gptq.schemes[0]->tensors[1].dims_text, std::string("[k/group_size][n/8]"));
  EXPECT_EQ(gptq.schemes[0]->tensors[1].dims({24, 5}), Dims(5, 3));
  EXPECT_EQ(format_named("gptq-v1")->schemes[0]->zero_points, (Range{1, 16}));
  EXPECT_EQ(format_named("mlx")->schemes[0]->tensors[1].role, std::string("biases"));
  const Format& pack_quantized = *format_named("pack-quantized");
  ASSERT_EQ(pack_quantized.scheme_count, 2);
  EXPECT_EQ(pack_quantized.schemes[0]->tensors[1].dims_text, std::string("[ceil(n/8)][k/group_size]"));
  EXPECT_EQ(pack_quantized.schemes[0]->tensors[1].dims({9, 5}), Dims(2, 5));
  EXPECT_EQ(pack_quantized.schemes[1]->name, std::string("symmetric"));
  EXPECT_EQ(format_named("plain-int32")->scheme_count, 2);
}

}  // namespace
}  // namespace tileproof::reference
