// Nothing outside the operands is read or written, whoever throws away what he read: each operand ends where memory
// that nobody may touch begins, or begins where such memory ends. And any alignment that is legal gives the same bits.
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/elements_for_tests.h"
#include "kernels/fenced_for_tests.h"
#include "kernels/tinygemm/n_tiles.h"

namespace tileproof::kernels {
namespace {

/// By threads, and by n-tiles by each way.
std::vector<std::optional<Way>> all_runs() {
  std::vector<std::optional<Way>> runs = {std::nullopt};
  for (const Way way : all_ways()) runs.push_back(way);
  return runs;
}
std::string text_of(const std::optional<Way>& way) { return way ? name_of(*way) : "by threads"; }

void run(const PackArguments& a, const std::optional<Way>& way) {
  way ? pack(a, NTiles{0, n_tiles_of(a)}, *way) : pack(a, Range{0, threads_of(a)});
}
void run(const UnpackArguments& a, const std::optional<Way>& way) {
  way ? unpack(a, NTiles{0, n_tiles_of(a)}, *way) : unpack(a, Range{0, threads_of(a)});
}
void run(const DequantizeArguments& a, const std::optional<Way>& way) {
  way ? dequantize(a, NTiles{0, n_tiles_of(a)}, *way) : dequantize(a, Range{0, threads_of(a)});
}

struct Sizes {
  std::int64_t n, k, inner_k_tiles, experts;
};
/// Rows of strips that threads share unevenly; part of an n-tile, one row of one, and whole ones; some experts.
constexpr Sizes all_sizes[] = {{8, 32, 2, 1},  {1, 32, 2, 1},  {7, 96, 2, 1},  {9, 160, 2, 2},
                               {16, 64, 4, 1}, {5, 192, 4, 3}, {8, 128, 8, 1}, {13, 384, 8, 2}};

TEST(Fences, OfPackAreNotTouched) {
  for (const auto& [n, k, inner_k_tiles, experts] : all_sizes) {
    const std::int64_t bytes = experts * n * k / 2, packed_bytes = experts * ((n + 7) / 8 * 8) * k / 2;
    Elements codes = noise(bytes, 1), expected = elements(packed_bytes);
    run(PackArguments{as<std::uint8_t>(codes), as<std::uint32_t>(expected), n, k, inner_k_tiles, experts}, {});
    for (const Side side : both_sides) {
      for (const auto& way : all_runs()) {
        const Fenced from(codes, bytes, side), to(elements(packed_bytes), packed_bytes, side);
        run(PackArguments{from.as<std::uint8_t>(), to.as<std::uint32_t>(), n, k, inner_k_tiles, experts}, way);
        EXPECT_TRUE(to.holds(expected, packed_bytes)) << text_of(way) << ", " << n << " x " << k;
      }
    }
  }
}

TEST(Fences, OfUnpackAreNotTouchedAtAnyAlignment) {
  for (const auto& [n, k, inner_k_tiles, experts] : all_sizes) {
    const std::int64_t bytes = experts * n * k * 4, packed_bytes = experts * ((n + 7) / 8 * 8) * k / 2;
    Elements packed = noise(packed_bytes, 2), expected = elements(bytes);
    run(UnpackArguments{as<std::uint32_t>(packed), as<std::int32_t>(expected), n, k, inner_k_tiles, experts}, {});
    for (const Side side : both_sides) {
      for (const std::int64_t past : {0, 4, 8, 12}) {
        for (const auto& way : all_runs()) {
          const Fenced from(packed, packed_bytes, side, past), to(elements(bytes), bytes, side);
          run(UnpackArguments{from.as<std::uint32_t>(), to.as<std::int32_t>(), n, k, inner_k_tiles, experts}, way);
          EXPECT_TRUE(to.holds(expected, bytes)) << text_of(way) << ", " << n << " x " << k << ", " << past;
        }
      }
    }
  }
}

TEST(Fences, OfDequantizeAreNotTouchedAtAnyAlignment) {
  for (const auto& [n, k, inner_k_tiles, experts] : all_sizes) {
    constexpr std::int64_t group_size = 32;
    const std::int64_t packed_bytes = experts * ((n + 7) / 8 * 8) * k / 2, parameters = experts * (k / group_size) * n;
    Elements packed = noise(packed_bytes, 3), zero_points = noise(parameters, 4);
    for (const TestedFormat& format : all_formats) {
      for (const Domain domain : {Domain::floating, Domain::integer, Domain::none}) {
        const bool with_zeros = domain == Domain::floating;
        const std::int64_t bytes = experts * n * k * format.bytes;
        const std::int64_t scale_bytes = parameters * format.bytes * (with_zeros ? 2 : 1);
        Elements scales = elements(scale_bytes), expected = elements(bytes);
        draw_parameters(format, parameters, with_zeros, 5, scales);
        const auto call = [&](void* words, void* of_scales, void* of_zeros, void* weights, const auto& way) {
          run(DequantizeArguments{static_cast<const std::uint32_t*>(words), of_scales,
                                  static_cast<const std::int8_t*>(of_zeros), weights, n, k, group_size, inner_k_tiles,
                                  domain, format.type, experts},
              way);
        };
        call(packed.data(), scales.data(), zero_points.data(), expected.data(), std::optional<Way>());
        for (const Side side : both_sides) {
          for (const std::int64_t past : {0, 4, 8, 12}) {
            for (const auto& way : all_runs()) {
              const Fenced from(packed, packed_bytes, side, past), to(elements(bytes), bytes, side);
              // As far past alignment as its elements allow, and every distance of those that are.
              const Fenced of_scales(scales, scale_bytes, side, past * format.bytes / 4);
              const Fenced of_zeros(zero_points, parameters, side, past / 4);
              call(from.as<void>(), of_scales.as<void>(), of_zeros.as<void>(), to.as<void>(), way);
              EXPECT_TRUE(to.holds(expected, bytes)) << text_of(way) << ", " << n << " x " << k << ", " << past;
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace tileproof::kernels
