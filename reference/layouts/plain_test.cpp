/// mxfp4 and nvfp4 against what their libraries give.
///
/// Recorded on a CPU with torch 2.11.0 from torchao 0.18.0 (MXTensor.dequantize) and compressed-tensors 0.20.1
/// (MXFP4PackedCompressor.decompress), which give the same bits. nvfp4: torchao's NVFP4Tensor.dequantize, whose global
/// scale multiplies, and compressed-tensors' NVFP4PackedCompressor.decompress, whose global scale of shape [1] divides;
/// swizzled scales: torchao's to_blocked.
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

constexpr RecordedWeights multiplied_bf16[] = {
    {{1, 16}, 16, 0xcca9d1d6b66d97a7, 0xaf63bd4c8601b7df, 0xb6e02c3b080c7325, 7, 9},
    {{2, 16}, 16, 0x0c09045b61d351d4, 0x0832a307b4eb9dce, 0x885a1da6b52524aa, 8, 10},
    {{3, 48}, 16, 0x794c25d365464f7d, 0x6f207e5876581809, 0xa48c741faf246cea, 17, 17},
    {{5, 80}, 16, 0xe48f60a155844963, 0x1b51c5fe5f7440f5, 0x4a10d7e4144d95e4, 33, 31},
    {{7, 160}, 16, 0x7c92721f5688a3f8, 0x44e60e388165b0a2, 0x07a0951de84af972, 77, 77},
    {{33, 384}, 16, 0xcf06625a72ae5991, 0x533fdb1e6dd51563, 0xfd40b84956891a6f, 824, 831},
    {{64, 64}, 16, 0x194f94eb164a29eb, 0x71bc33be902f3dd5, 0x48728afe91398f80, 277, 277},
    {{64, 256}, 16, 0xf828e47ebae72a71, 0xe2612eeeb8d7e7e5, 0x1244ca04b9133cf5, 1082, 1091},
    {{130, 80}, 16, 0x3abcdd854a9d108e, 0xf76c87a0981629a0, 0x46e1a99c1678f2bf, 693, 692},
};
constexpr RecordedWeights multiplied_fp16[] = {
    {{1, 16}, 16, 0xcca9d1d6b66d97a7, 0xaf63bd4c8601b7df, 0xb6e02c3b080c7325, 7, 9},
    {{2, 16}, 16, 0x0c09045b61d351d4, 0x0832a307b4eb9dce, 0x0dbf4afb95f8d148, 8, 10},
    {{3, 48}, 16, 0x794c25d365464f7d, 0x6f207e5876581809, 0x1c0bbd4684079c82, 17, 17},
    {{5, 80}, 16, 0xe48f60a155844963, 0x1b51c5fe5f7440f5, 0x5fe53fee719cabae, 33, 31},
    {{7, 160}, 16, 0x7c92721f5688a3f8, 0x44e60e388165b0a2, 0xec812c6661e2618b, 77, 77},
    {{33, 384}, 16, 0xcf06625a72ae5991, 0x533fdb1e6dd51563, 0xb31fdee7af18d06a, 824, 831},
    {{64, 64}, 16, 0x194f94eb164a29eb, 0x71bc33be902f3dd5, 0xfbe2deef6b6d0d09, 277, 277},
    {{64, 256}, 16, 0xf828e47ebae72a71, 0xe2612eeeb8d7e7e5, 0x7a78ebc0f2aeb9af, 1082, 1091},
    {{130, 80}, 16, 0x3abcdd854a9d108e, 0xf76c87a0981629a0, 0x7bcba4f92f3fc055, 693, 692},
};
constexpr RecordedWeights multiplied_fp32[] = {
    {{1, 16}, 16, 0xcca9d1d6b66d97a7, 0xaf63bd4c8601b7df, 0x7b713e8a177706a5, 7, 9},
    {{2, 16}, 16, 0x0c09045b61d351d4, 0x0832a307b4eb9dce, 0x14a868cf48998efc, 8, 10},
    {{3, 48}, 16, 0x794c25d365464f7d, 0x6f207e5876581809, 0x066c30dcb53285da, 17, 17},
    {{5, 80}, 16, 0xe48f60a155844963, 0x1b51c5fe5f7440f5, 0x96808e2b40330756, 33, 31},
    {{7, 160}, 16, 0x7c92721f5688a3f8, 0x44e60e388165b0a2, 0x9afca025eb58869f, 77, 77},
    {{33, 384}, 16, 0xcf06625a72ae5991, 0x533fdb1e6dd51563, 0x31bf96db4ac09bcb, 824, 831},
    {{64, 64}, 16, 0x194f94eb164a29eb, 0x71bc33be902f3dd5, 0xddbfdf872b11e4aa, 277, 277},
    {{64, 256}, 16, 0xf828e47ebae72a71, 0xe2612eeeb8d7e7e5, 0xf34592cef11f28ea, 1082, 1091},
    {{130, 80}, 16, 0x3abcdd854a9d108e, 0xf76c87a0981629a0, 0x0d660c62414cd3e7, 693, 692},
};
constexpr RecordedWeights divided_bf16[] = {
    {{1, 16}, 16, 0xcca9d1d6b66d97a7, 0xaf63bd4c8601b7df, 0xb6e02c3b080c7325, 7, 9},
    {{2, 16}, 16, 0x0c09045b61d351d4, 0x0832a307b4eb9dce, 0xf787f46db36aad8e, 8, 10},
    {{3, 48}, 16, 0x794c25d365464f7d, 0x6f207e5876581809, 0x06160aa7acaa6ce0, 17, 17},
    {{5, 80}, 16, 0xe48f60a155844963, 0x1b51c5fe5f7440f5, 0x00220eeed552bd3d, 33, 31},
    {{7, 160}, 16, 0x7c92721f5688a3f8, 0x44e60e388165b0a2, 0x87fd843ce8c80a51, 77, 77},
    {{33, 384}, 16, 0xcf06625a72ae5991, 0x533fdb1e6dd51563, 0x81b27e89c78ac815, 824, 831},
    {{64, 64}, 16, 0x194f94eb164a29eb, 0x71bc33be902f3dd5, 0x1ff8c4879ac5adb3, 277, 277},
    {{64, 256}, 16, 0xf828e47ebae72a71, 0xe2612eeeb8d7e7e5, 0x668d7f8fbe635a14, 1082, 1091},
    {{130, 80}, 16, 0x3abcdd854a9d108e, 0xf76c87a0981629a0, 0xb8aa6f33d2fba723, 693, 692},
};
constexpr RecordedWeights divided_fp16[] = {
    {{1, 16}, 16, 0xcca9d1d6b66d97a7, 0xaf63bd4c8601b7df, 0xb6e02c3b080c7325, 7, 9},
    {{2, 16}, 16, 0x0c09045b61d351d4, 0x0832a307b4eb9dce, 0xa19619df91dc8e4d, 8, 10},
    {{3, 48}, 16, 0x794c25d365464f7d, 0x6f207e5876581809, 0xe06936fb762e3ff4, 17, 17},
    {{5, 80}, 16, 0xe48f60a155844963, 0x1b51c5fe5f7440f5, 0x2848c9051230a856, 33, 31},
    {{7, 160}, 16, 0x7c92721f5688a3f8, 0x44e60e388165b0a2, 0x5b1315714178187a, 77, 77},
    {{33, 384}, 16, 0xcf06625a72ae5991, 0x533fdb1e6dd51563, 0x4e5be7c600f0c995, 824, 831},
    {{64, 64}, 16, 0x194f94eb164a29eb, 0x71bc33be902f3dd5, 0xb54a96d2d7c87774, 277, 277},
    {{64, 256}, 16, 0xf828e47ebae72a71, 0xe2612eeeb8d7e7e5, 0xb22f775b22447e80, 1082, 1091},
    {{130, 80}, 16, 0x3abcdd854a9d108e, 0xf76c87a0981629a0, 0xf06781c7a5343505, 693, 692},
};
constexpr RecordedWeights divided_fp32[] = {
    {{1, 16}, 16, 0xcca9d1d6b66d97a7, 0xaf63bd4c8601b7df, 0x7b713e8a177706a5, 7, 9},
    {{2, 16}, 16, 0x0c09045b61d351d4, 0x0832a307b4eb9dce, 0x9a8d2d52903cbd49, 8, 10},
    {{3, 48}, 16, 0x794c25d365464f7d, 0x6f207e5876581809, 0x4f8a2307bdf81534, 17, 17},
    {{5, 80}, 16, 0xe48f60a155844963, 0x1b51c5fe5f7440f5, 0xedd49ec13faa6d1f, 33, 31},
    {{7, 160}, 16, 0x7c92721f5688a3f8, 0x44e60e388165b0a2, 0xc6a2f347990cfd64, 77, 77},
    {{33, 384}, 16, 0xcf06625a72ae5991, 0x533fdb1e6dd51563, 0x35c10e063aa43e8d, 824, 831},
    {{64, 64}, 16, 0x194f94eb164a29eb, 0x71bc33be902f3dd5, 0xfdad1909960fbbb0, 277, 277},
    {{64, 256}, 16, 0xf828e47ebae72a71, 0xe2612eeeb8d7e7e5, 0x4c7ffe789647332b, 1082, 1091},
    {{130, 80}, 16, 0x3abcdd854a9d108e, 0xf76c87a0981629a0, 0x327587811ca2c2a6, 693, 692},
};
struct RecordedScales {
  Size groups;
  std::uint64_t rows, swizzled;
};
constexpr RecordedScales recorded_scales[] = {
    {{1, 1}, 0xaf63bc4c8601b62c, 0xc01cd06959834324},   {{2, 1}, 0x082f0007b4e852fe, 0x95f34f69993d4b82},
    {{3, 3}, 0x712af2175eb592bc, 0x078676ea5ebdf554},   {{5, 5}, 0x98f02d31d8cf2ee4, 0x3ec376923a4c06dc},
    {{33, 24}, 0xc24366192dd04526, 0x215fb20eae74de36}, {{64, 4}, 0xa979afca84eba4f8, 0xe5b0b8cb8fa862a0},
    {{64, 16}, 0xd7011e1cfe7553c6, 0x913a907af69252be}, {{128, 4}, 0x94cc74e72b89e20f, 0xf71a1fcf1c2f9263},
    {{130, 5}, 0x4e39ba96a93a989f, 0x321a8d3f00a3b875}, {{257, 9}, 0xf48aa924a09a3637, 0xb95a092e3c74772d},
};

using Mx = FormatOf<Mxfp4, OnlyOf<32>, ResultOrder::n_k, void>;
using Nv = FormatOf<Nvfp4, OnlyOf<16>, ResultOrder::n_k, void>;

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

/// The scales of a matrix where they lie; what no group has is 0.
template <class Used>
std::vector<std::uint8_t> nvfp4_scales(Size groups, int (*scale)(std::int64_t n, std::int64_t g)) {
  using P = typename Used::Parameters;
  std::vector<std::uint8_t> scales(static_cast<std::size_t>(P::tensors[0].dims(groups).elements()));
  for (std::int64_t n = 0; n < groups.n; ++n) {
    for (std::int64_t g = 0; g < groups.k; ++g) {
      scales[static_cast<std::size_t>(P::scale_at({n, g}, groups))] = static_cast<std::uint8_t>(scale(n, g));
    }
  }
  return scales;
}

int finite_scale(std::int64_t n, std::int64_t g) { return static_cast<int>((n * 37 + g * 211) % 126); }
int scale_of_row(std::int64_t n, std::int64_t) { return static_cast<int>(n < 127 ? n : n + 1); }  // not 127, NaN
int scale_without_0(std::int64_t n, std::int64_t g) { return static_cast<int>(1 + (n * 37 + g * 211) % 251); }

template <class Bits, class Used>
std::vector<Bits> nvfp4_weights(FloatFormat type, Size size, int (*scale)(std::int64_t, std::int64_t),
                                std::uint32_t global_scale) {
  const std::vector<std::uint8_t> scales = nvfp4_scales<Used>({size.n, size.k / 16}, scale);
  std::vector<Bits> weights(static_cast<std::size_t>(size.n * size.k), static_cast<Bits>(0xaaaaaaaa));
  dequantize<Nv, Used>(type, e4m3, packed_codes<Nvfp4>(size).data(), scales.data(), &global_scale, size, 16,
                       weights.data());
  return weights;
}

template <class Bits, class Used, std::size_t count>
void expect_nvfp4(FloatFormat type, const RecordedWeights (&recorded)[count], std::uint32_t global_scale) {
  for (const RecordedWeights& each : recorded) {
    EXPECT_EQ(fnv1a(packed_codes<Nvfp4>(each.size)), each.words);
    EXPECT_EQ(fnv1a(nvfp4_scales<Nvfp4Rows>({each.size.n, each.size.k / 16}, finite_scale)), each.zeros);
    expect_hashes(type, each, nvfp4_weights<Bits, Used>(type, each.size, finite_scale, global_scale));
  }
}

TEST(Nvfp4, IsAsTorchaoHasItWithScalesInEitherOrder) {
  constexpr std::uint32_t global_scale = 0x3c4a3f1b;
  expect_nvfp4<std::uint16_t, Nvfp4Rows>(bf16, multiplied_bf16, global_scale);
  expect_nvfp4<std::uint16_t, Nvfp4Rows>(fp16, multiplied_fp16, global_scale);
  expect_nvfp4<std::uint32_t, Nvfp4Rows>(fp32, multiplied_fp32, global_scale);
  expect_nvfp4<std::uint16_t, Nvfp4Swizzled>(bf16, multiplied_bf16, global_scale);
  expect_nvfp4<std::uint32_t, Nvfp4Swizzled>(fp32, multiplied_fp32, global_scale);
}

TEST(Nvfp4, IsAsCompressedTensorsHasIt) {
  constexpr std::uint32_t global_scale = 0x44c93a57;
  expect_nvfp4<std::uint16_t, Nvfp4Divided>(bf16, divided_bf16, global_scale);
  expect_nvfp4<std::uint16_t, Nvfp4Divided>(fp16, divided_fp16, global_scale);
  expect_nvfp4<std::uint32_t, Nvfp4Divided>(fp32, divided_fp32, global_scale);
}

/// Every byte of a scale but the two NaNs, with global scales at which both roundings show in each type.
TEST(Nvfp4, RoundsTwiceForEveryScaleAsItsLibrariesDo) {
  constexpr Size all = {254, 16};
  const auto hash = [&]<class Used>(Used, FloatFormat type, std::uint32_t global_scale) {
    if (type == fp32) return fnv1a(nvfp4_weights<std::uint32_t, Used>(type, all, scale_of_row, global_scale));
    return fnv1a(nvfp4_weights<std::uint16_t, Used>(type, all, scale_of_row, global_scale));
  };
  EXPECT_EQ(hash(Nvfp4Rows(), bf16, 0x3c4a3f1b), 0xd328d6fd74ae3724u);
  EXPECT_EQ(hash(Nvfp4Rows(), bf16, 0x3c093333), 0x24891937b1f21244u);
  EXPECT_EQ(hash(Nvfp4Rows(), fp16, 0x3c093333), 0xc32963125462132au);
  EXPECT_EQ(hash(Nvfp4Rows(), fp32, 0x3c093333), 0x2da149699036f41eu);
  EXPECT_EQ(hash(Nvfp4Divided(), bf16, 0x44cfd4b3), 0xfd385615db52adb0u);
  EXPECT_EQ(hash(Nvfp4Divided(), fp16, 0x44cfd4b3), 0x25b47999ad4dcb79u);
  EXPECT_EQ(hash(Nvfp4Divided(), fp32, 0x44cfd4b3), 0x3c3504d1e561078cu);
}

TEST(Nvfp4, HasSwizzledScalesAsToBlockedGivesThem) {
  for (const RecordedScales& each : recorded_scales) {
    EXPECT_EQ(fnv1a(nvfp4_scales<Nvfp4Rows>(each.groups, scale_without_0)), each.rows);
    EXPECT_EQ(fnv1a(nvfp4_scales<Nvfp4Swizzled>(each.groups, scale_without_0)), each.swizzled);
  }
  std::int64_t padding = 0;
  for (std::int64_t at = 0; at < Swizzled::dims({130, 5}).elements(); ++at) {
    const auto group = Swizzled::group_at(at, {130, 5});
    padding += group ? 0 : 1;
    if (group) {
      ASSERT_EQ(Swizzled::index_of(*group, {130, 5}), at);
    }
  }
  EXPECT_EQ(padding, 256 * 8 - 130 * 5);
}

}  // namespace
}  // namespace tileproof::reference
