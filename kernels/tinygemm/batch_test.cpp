// A batch of experts equals its slices, on the host: every operation over all experts at once, by threads or by
// n-tiles, in pieces that straddle them, against one run an expert.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/elements_for_tests.h"
#include "kernels/kernels.h"
#include "kernels/tinygemm/n_tiles.h"

namespace tileproof::kernels {
namespace {

/// Bytes without a pattern that a wrong expert could share.
struct Noise {
  std::uint32_t state;

  template <class T>
  std::vector<T> elements(std::int64_t count) {
    std::vector<T> drawn(static_cast<std::size_t>(count));
    for (T& element : drawn) {
      state = state * 1664525u + 1013904223u;
      element = static_cast<T>(state >> 11);
    }
    return drawn;
  }
};

// One name for the three operations.
void run_range(const PackArguments& a, Range range) { pack(a, range); }
void run_range(const UnpackArguments& a, Range range) { unpack(a, range); }
void run_range(const DequantizeArguments& a, Range range) { dequantize(a, range); }

void run_n_tiles(const PackArguments& a, NTiles n_tiles) { pack(a, n_tiles); }
void run_n_tiles(const UnpackArguments& a, NTiles n_tiles) { unpack(a, n_tiles); }
void run_n_tiles(const DequantizeArguments& a, NTiles n_tiles) { dequantize(a, n_tiles); }

/// Threads in pieces that straddle experts, or n-tiles in such pieces.
template <class Arguments>
void run_in_pieces(const Arguments& a, bool by_n_tiles) {
  ASSERT_FALSE(validate(a).has_value()) << validate(a)->text();
  const std::int64_t piece = by_n_tiles ? 2 : 37;
  for (std::int64_t end = by_n_tiles ? n_tiles_of(a) : threads_of(a); end > 0; end -= piece) {
    const std::int64_t begin = end > piece ? end - piece : 0;
    if (by_n_tiles) {
      run_n_tiles(a, {begin, end});
    } else {
      run_range(a, {begin, end});
    }
  }
}

template <class Arguments>
void run_whole(const Arguments& a) {
  run_range(a, {0, threads_of(a)});
}

struct Sizes {
  std::int64_t n, k, inner_k_tiles, experts;
};

/// n below, at and above an n-tile; a strip left alone at the end of a row; no expert, one, some.
const Sizes all_sizes[] = {{1, 32, 2, 3},   {7, 96, 2, 5},   {8, 64, 4, 3}, {9, 192, 4, 2},
                           {24, 128, 8, 4}, {17, 256, 8, 1}, {8, 64, 2, 0}};

struct Run {
  std::int64_t n, k, inner_k_tiles, experts;
  bool by_n_tiles;
};
std::vector<Run> all_runs() {
  std::vector<Run> runs;
  for (const Sizes& of : all_sizes) {
    for (const bool by_n_tiles : {false, true}) runs.push_back({of.n, of.k, of.inner_k_tiles, of.experts, by_n_tiles});
  }
  return runs;
}

TEST(Batch, OfPackEqualsItsSlices) {
  for (const auto& [n, k, inner_k_tiles, experts, by_n_tiles] : all_runs()) {
    const std::int64_t bytes = n * k / 2, words = (n + 7) / 8 * k;
    Elements codes = elements(experts * bytes), packed = elements(experts * words * 4), of_slices = packed;
    const auto drawn = Noise{1}.elements<std::uint8_t>(experts * bytes);
    std::copy(drawn.begin(), drawn.end(), as<std::uint8_t>(codes));
    run_in_pieces(PackArguments{as<std::uint8_t>(codes), as<std::uint32_t>(packed), n, k, inner_k_tiles, experts},
                  by_n_tiles);
    for (std::int64_t expert = 0; expert < experts; ++expert) {
      run_whole(PackArguments{as<std::uint8_t>(codes) + expert * bytes, as<std::uint32_t>(of_slices) + expert * words,
                              n, k, inner_k_tiles});
    }
    EXPECT_TRUE(packed == of_slices) << experts << " experts of " << n << " x " << k;
  }
}

TEST(Batch, OfUnpackEqualsItsSlices) {
  for (const auto& [n, k, inner_k_tiles, experts, by_n_tiles] : all_runs()) {
    const std::int64_t words = (n + 7) / 8 * k;
    const auto packed = Noise{2}.elements<std::uint32_t>(experts * words);
    Elements codes = elements(experts * n * k * 4), of_slices = codes;
    run_in_pieces(UnpackArguments{packed.data(), as<std::int32_t>(codes), n, k, inner_k_tiles, experts}, by_n_tiles);
    for (std::int64_t expert = 0; expert < experts; ++expert) {
      run_whole(UnpackArguments{packed.data() + expert * words, as<std::int32_t>(of_slices) + expert * n * k, n, k,
                                inner_k_tiles});
    }
    EXPECT_TRUE(codes == of_slices) << experts << " experts of " << n << " x " << k;
  }
}

TEST(Batch, OfDequantizeEqualsItsSlices) {
  for (const auto& [n, k, inner_k_tiles, experts, by_n_tiles] : all_runs()) {
    for (const Domain domain : {Domain::floating, Domain::integer, Domain::none}) {
      for (const Type type : {Type::bf16, Type::fp16, Type::fp32}) {
        constexpr std::int64_t group_size = 32;
        const std::int64_t words = (n + 7) / 8 * k, parameters = k / group_size * n;
        const std::int64_t element_bytes = type == Type::fp32 ? 4 : 2;
        const std::int64_t scale_bytes = parameters * (domain == Domain::floating ? 2 : 1) * element_bytes;
        const auto packed = Noise{3}.elements<std::uint32_t>(experts * words);
        const auto zero_points = Noise{4}.elements<std::int8_t>(experts * parameters);
        Elements scales = elements(experts * scale_bytes), weights = elements(experts * n * k * element_bytes);
        Elements of_slices = weights;
        const auto drawn = Noise{5}.elements<std::uint8_t>(experts * scale_bytes);
        std::copy(drawn.begin(), drawn.end(), as<std::uint8_t>(scales));
        run_in_pieces(DequantizeArguments{packed.data(), as<void>(scales), zero_points.data(), as<void>(weights), n, k,
                                          group_size, inner_k_tiles, domain, type, experts},
                      by_n_tiles);
        for (std::int64_t expert = 0; expert < experts; ++expert) {
          run_whole(DequantizeArguments{packed.data() + expert * words, as<std::uint8_t>(scales) + expert * scale_bytes,
                                        zero_points.data() + expert * parameters,
                                        as<std::uint8_t>(of_slices) + expert * n * k * element_bytes, n, k, group_size,
                                        inner_k_tiles, domain, type});
        }
        EXPECT_TRUE(weights == of_slices) << experts << " experts of " << n << " x " << k;
      }
    }
  }
}

}  // namespace
}  // namespace tileproof::kernels
