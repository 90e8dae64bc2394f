/// mxfp4 against what its libraries give.
///
/// Recorded on a CPU with torch 2.11.0 from torchao 0.18.0 (MXTensor.dequantize) and compressed-tensors 0.20.1
/// (MXFP4PackedCompressor.decompress), which give the same bits.
#include "reference/layouts/plain.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "reference/layouts/recorded_for_tests.h"

namespace tileproof::reference {
namespace {

constexpr RecordedWeights mxfp4_bf16[] = {
    {{1, 32}, 32, 0x7fa4b605b6ac50c6, 0, 0x331f160bf37624c6, 3, 2},
    {{2, 32}, 32, 0xa7fbdafd915fc23a, 0, 0x3c3461e8bc261b2b, 6, 4},
    {{3, 64}, 32, 0x9acbf13d25ca9968, 0, 0x77b76cf59c2d73a8, 13, 12},
    {{5, 96}, 32, 0x2de72b5f4596f77, 0, 0x7f6451a9e21d09a, 31, 31},
    {{7, 160}, 32, 0x7c92721f5688a3f8, 0, 0xbed48d78de218a01, 71, 70},
    {{33, 384}, 32, 0xcf06625a72ae5991, 0, 0xcd1f4578bf586a7f, 792, 794},
    {{64, 64}, 32, 0x194f94eb164a29eb, 0, 0xf04ef644de97a59b, 256, 256},
    {{64, 256}, 32, 0xf828e47ebae72a71, 0, 0x76a284126b3185cc, 1022, 1025},
};
constexpr RecordedWeights mxfp4_fp16[] = {
    {{1, 32}, 32, 0x7fa4b605b6ac50c6, 0, 0xe12cc5b34dc7630d, 3, 2},
    {{2, 32}, 32, 0xa7fbdafd915fc23a, 0, 0x4e2c632fc1c5b55, 6, 4},
    {{3, 64}, 32, 0x9acbf13d25ca9968, 0, 0xb1dfb1abefe4984b, 13, 12},
    {{5, 96}, 32, 0x2de72b5f4596f77, 0, 0xd2c7bcc1558fc667, 31, 31},
    {{7, 160}, 32, 0x7c92721f5688a3f8, 0, 0xa870e860fed02cc3, 71, 70},
    {{33, 384}, 32, 0xcf06625a72ae5991, 0, 0xcb0bcd175a4f6595, 792, 794},
    {{64, 64}, 32, 0x194f94eb164a29eb, 0, 0xd11ba26ad73efbd3, 256, 256},
    {{64, 256}, 32, 0xf828e47ebae72a71, 0, 0x66797adf4f1036d, 1022, 1025},
};
constexpr RecordedWeights mxfp4_fp32[] = {
    {{1, 32}, 32, 0x7fa4b605b6ac50c6, 0, 0xdd7a516dc078107e, 3, 2},
    {{2, 32}, 32, 0xa7fbdafd915fc23a, 0, 0x31c0cd5bf0716d7b, 6, 4},
    {{3, 64}, 32, 0x9acbf13d25ca9968, 0, 0x57dba81ef4467b28, 13, 12},
    {{5, 96}, 32, 0x2de72b5f4596f77, 0, 0xd2048cb446973f1a, 31, 31},
    {{7, 160}, 32, 0x7c92721f5688a3f8, 0, 0x2e2f0dd3de6a8041, 71, 70},
    {{33, 384}, 32, 0xcf06625a72ae5991, 0, 0xfaac2926e775e43f, 792, 794},
    {{64, 64}, 32, 0x194f94eb164a29eb, 0, 0x5b3d7bad5dbbf19b, 256, 256},
    {{64, 256}, 32, 0xf828e47ebae72a71, 0, 0xde19fb7e121bedcc, 1022, 1025},
};

using Mx = FormatOf<Mxfp4, OnlyOf<32>, ResultOrder::n_k, void>;

template <class Bits>
std::vector<Bits> weights_of(FloatFormat type, Size size, const std::vector<std::uint8_t>& scales) {
  std::vector<Bits> weights(static_cast<std::size_t>(size.n * size.k), static_cast<Bits>(0xaaaaaaaa));
  dequantize<Mx, MxRows>(type, e8m0, packed_codes<Mxfp4>(size).data(), scales.data(), scales.data(), size, 32,
                         weights.data());
  return weights;
}

template <class Bits>
void expect_mxfp4(FloatFormat type, const RecordedWeights& each) {
  std::vector<std::uint8_t> scales;
  for (std::int64_t n = 0; n < each.size.n; ++n) {
    for (std::int64_t g = 0; g < each.size.k / 32; ++g) {
      scales.push_back(static_cast<std::uint8_t>(118 + (n * 37 + g * 211) % 20));
    }
  }
  EXPECT_EQ(fnv1a(packed_codes<Mxfp4>(each.size)), each.words);
  expect_hashes(type, each, weights_of<Bits>(type, each.size, scales));
}

TEST(Mxfp4, IsAsTorchaoAndCompressedTensorsHaveIt) {
  for (const RecordedWeights& each : mxfp4_bf16) expect_mxfp4<std::uint16_t>(bf16, each);
  for (const RecordedWeights& each : mxfp4_fp16) expect_mxfp4<std::uint16_t>(fp16, each);
  for (const RecordedWeights& each : mxfp4_fp32) expect_mxfp4<std::uint32_t>(fp32, each);
}

/// Row n has the scale byte n. From 143 on, fp16's scale is infinite, and 255 is NaN, of which libraries give other
/// bits.
TEST(Mxfp4, TakesEveryScaleByteAsItsLibrariesDo) {
  const auto rows = [](int count) {
    std::vector<std::uint8_t> scales;
    for (int n = 0; n < count; ++n) scales.push_back(static_cast<std::uint8_t>(n));
    return scales;
  };
  EXPECT_EQ(fnv1a(weights_of<std::uint16_t>(bf16, {255, 32}, rows(255))), 0x8509391cd31a5ac2u);
  EXPECT_EQ(fnv1a(weights_of<std::uint32_t>(fp32, {255, 32}, rows(255))), 0xdcc64d4a27573652u);
  EXPECT_EQ(fnv1a(weights_of<std::uint16_t>(fp16, {143, 32}, rows(143))), 0xde5e9ce0ca0a1a6eu);
}

TEST(Mxfp4, HasTheEvenColumnInTheLowNibble) {
  EXPECT_EQ(packed_codes<Mxfp4>({1, 32}), (std::vector<std::uint8_t>{0x90, 0xd3, 0x17, 0x5b, 0x8f, 0xc2, 0x06, 0x4a,
                                                                     0x8e, 0xb1, 0xf5, 0x39, 0x7d, 0xa1, 0xe4, 0x28}));
}

}  // namespace
}  // namespace tileproof::reference
