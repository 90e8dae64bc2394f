// Every way that the code for CPU tensors can run gives the bits of the kernels' threads, which the properties judge as
// subject host: whatever a processor has, and however large a result is, one of the ways would be left unjudged.
#include "kernels/tinygemm/n_tiles.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <ostream>
#include <vector>

#include "kernels/elements_for_tests.h"

namespace tileproof::kernels {

void PrintTo(const Way& way, std::ostream* to) { *to << name_of(way); }

namespace {

struct Sizes {
  std::int64_t n, k, inner_k_tiles, experts;
};
/// n below, at and above an n-tile; one supertile, and several; one expert, and two.
const Sizes all_sizes[] = {{8, 32, 2, 1},   {7, 96, 2, 1},  {9, 192, 2, 2},  {8, 64, 4, 1},
                           {17, 192, 4, 1}, {8, 128, 8, 1}, {13, 384, 8, 2}, {24, 768, 8, 1}};

TEST(Ways, OfPackAgree) {
  for (const auto& [n, k, inner_k_tiles, experts] : all_sizes) {
    Elements codes = noise(experts * n * k / 2, 1);
    const std::int64_t bytes = experts * ((n + 7) / 8 * 8) * k / 2;
    Elements by_threads = elements(bytes);
    PackArguments a{as<std::uint8_t>(codes), as<std::uint32_t>(by_threads), n, k, inner_k_tiles, experts};
    pack(a, Range{0, threads_of(a)});
    for (const Way& way : all_ways()) {
      Elements packed = elements(bytes);
      a.packed = as<std::uint32_t>(packed);
      pack(a, NTiles{0, n_tiles_of(a)}, way);
      EXPECT_TRUE(packed == by_threads) << testing::PrintToString(way) << ", " << n << " x " << k;
    }
  }
}

TEST(Ways, OfUnpackAgree) {
  for (const auto& [n, k, inner_k_tiles, experts] : all_sizes) {
    Elements packed = noise(experts * ((n + 7) / 8 * 8) * k / 2, 2);
    const std::int64_t bytes = experts * n * k * 4;
    Elements by_threads = elements(bytes);
    UnpackArguments a{as<std::uint32_t>(packed), as<std::int32_t>(by_threads), n, k, inner_k_tiles, experts};
    unpack(a, Range{0, threads_of(a)});
    for (const Way& way : all_ways()) {
      Elements codes = elements(bytes);
      a.codes = as<std::int32_t>(codes);
      unpack(a, NTiles{0, n_tiles_of(a)}, way);
      EXPECT_TRUE(codes == by_threads) << testing::PrintToString(way) << ", " << n << " x " << k;
    }
  }
}

TEST(Ways, AreChosenByTheSizeAndTheAlignmentOfTheResult) {
  // 16 MiB: 2^25 codes packed, 2^22 unpacked, 2^23 weights of 16 bits. No memory is touched.
  const auto address = [](std::uintptr_t past) { return reinterpret_cast<void*>((std::uintptr_t{1} << 40) + past); };
  const auto of_pack = [&](std::int64_t n, std::uintptr_t past) {
    return way_of(PackArguments{nullptr, static_cast<std::uint32_t*>(address(past)), n, 1 << 12, 2});
  };
  const auto of_unpack = [&](std::int64_t n, std::uintptr_t past) {
    return way_of(UnpackArguments{nullptr, static_cast<std::int32_t*>(address(past)), n, 1 << 12, 2});
  };
  const auto of_dequantize = [&](std::int64_t n, std::uintptr_t past, Type type) {
    return way_of(DequantizeArguments{nullptr, nullptr, nullptr, address(past), n, 1 << 12, 32, 2, Domain::none, type});
  };
  EXPECT_TRUE(of_pack(1 << 13, 0).is_streamed);
  EXPECT_FALSE(of_pack((1 << 13) - 8, 0).is_streamed);
  EXPECT_TRUE(of_unpack(1 << 10, 64).is_streamed);
  EXPECT_FALSE(of_unpack((1 << 10) - 1, 64).is_streamed);
  EXPECT_TRUE(of_dequantize(1 << 11, 0, Type::fp16).is_streamed);
  EXPECT_FALSE(of_dequantize((1 << 11) - 1, 0, Type::bf16).is_streamed);
  EXPECT_TRUE(of_dequantize(1 << 10, 0, Type::fp32).is_streamed);
  for (const std::uintptr_t past : {16, 32, 48}) {
    EXPECT_FALSE(of_pack(1 << 20, past).is_streamed || of_unpack(1 << 20, past).is_streamed ||
                 of_dequantize(1 << 20, past, Type::bf16).is_streamed);
  }
  const bool has_avx2 = all_ways().size() == 4;
  EXPECT_EQ(of_pack(8, 0).by_avx2, has_avx2);
  EXPECT_EQ(of_unpack(8, 0).by_avx2, has_avx2);
  EXPECT_EQ(of_dequantize(8, 0, Type::bf16).by_avx2, has_avx2);
}

/// Each way gives the bits of the kernels' threads.
/// @param a  whose weights are yet to be given room
void expect_agreement_of_ways(DequantizeArguments a) {
  const std::int64_t bytes = a.experts * a.n * a.k * (a.type == Type::fp32 ? 4 : 2);
  Elements by_threads = elements(bytes);
  a.weights = as<void>(by_threads);
  ASSERT_FALSE(validate(a).has_value()) << validate(a)->text();
  dequantize(a, Range{0, threads_of(a)});
  for (const Way& way : all_ways()) {
    Elements weights = elements(bytes);
    a.weights = as<void>(weights);
    dequantize(a, NTiles{0, n_tiles_of(a)}, way);
    EXPECT_TRUE(weights == by_threads) << testing::PrintToString(way) << ", " << a.n << " x " << a.k << ", groups of "
                                       << a.group_size << ", type " << static_cast<int>(a.type);
  }
}

TEST(Ways, OfDequantizeAgree) {
  for (const auto& [n, k, inner_k_tiles, experts] : all_sizes) {
    for (const std::int64_t group_size : {16, 32, 48, 64, 96, 128, 256}) {
      if (k % group_size != 0) continue;
      for (const TestedFormat& format : all_formats) {
        for (const Domain domain : {Domain::floating, Domain::integer, Domain::none}) {
          const bool with_zeros = domain == Domain::floating;
          const std::int64_t parameters = experts * (k / group_size) * n;
          Elements packed = noise(experts * ((n + 7) / 8 * 8) * k / 2, 3), zero_points = noise(parameters, 4);
          Elements scales = elements(parameters * format.bytes * (with_zeros ? 2 : 1));
          draw_parameters(format, parameters, with_zeros, 5, scales);
          expect_agreement_of_ways({as<std::uint32_t>(packed), as<void>(scales), as<std::int8_t>(zero_points), nullptr,
                                    n, k, group_size, inner_k_tiles, domain, format.type, experts});
        }
      }
    }
  }
}

TEST(Ways, OfDequantizeAgreeWhereEightRowsAreAlike) {
  // Eight rows of one exponent of scales and one of zeros, all of the first and each of the other that can matter: they
  // are easy together, or hard. Then the same with one row of another kind among them.
  constexpr std::int64_t k = 32;
  for (const TestedFormat& format : all_formats) {
    if (format.bytes != 2) continue;
    std::vector<std::uint16_t> pairs;
    std::uint32_t seed = 7;
    const auto add_row = [&](int of_scale, int of_zero) {
      for (const int exponent : {of_scale, of_zero}) {
        pairs.push_back(static_cast<std::uint16_t>(number(format, exponent, seed)));
      }
    };
    constexpr int most_apart = 26;
    for (int of_scale = 0; of_scale <= format.exponent_max; ++of_scale) {
      for (int apart = -most_apart; apart <= most_apart; ++apart) {
        for (int row = 0; row < 8; ++row) add_row(of_scale, of_scale + apart);
        const int other = static_cast<int>(drawn(seed) % 8);
        const std::uint32_t kind = drawn(seed) % 3;  // a zero that is no number, a scale that is large, zeros far apart
        for (int row = 0; row < 8; ++row) {
          const bool is_other = row == other;
          const int zero = kind == 0 ? format.exponent_max : kind == 2 ? of_scale - most_apart : of_scale + apart;
          add_row(is_other && kind == 1 ? format.exponent_max - 3 : of_scale, is_other ? zero : of_scale + apart);
        }
      }
    }
    const auto n = static_cast<std::int64_t>(pairs.size()) / 2;
    Elements scales = elements(n * 4);
    std::memcpy(scales.data(), pairs.data(), pairs.size() * 2);
    Elements packed = noise(n * k / 2, 8);
    expect_agreement_of_ways(
        {as<std::uint32_t>(packed), as<void>(scales), nullptr, nullptr, n, k, k, 2, Domain::floating, format.type});
  }
}

TEST(Ways, OfDequantizeAgreeForEveryScaleOfSixteenBits) {
  constexpr std::int64_t n = 1 << 16, k = 64, group_size = k, inner_k_tiles = 4;
  Elements packed = noise(n * k / 2, 6), scales = elements(n * 2);
  for (int i = 0; i < n; ++i) as<std::uint16_t>(scales)[i] = static_cast<std::uint16_t>(i);
  for (const Type type : {Type::bf16, Type::fp16}) {
    expect_agreement_of_ways({as<std::uint32_t>(packed), as<void>(scales), nullptr, nullptr, n, k, group_size,
                              inner_k_tiles, Domain::none, type});
  }
}

}  // namespace
}  // namespace tileproof::kernels
