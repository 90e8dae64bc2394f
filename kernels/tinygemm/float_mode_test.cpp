// The kernels on a host give the same bits in any floating-point mode of the thread that runs them, and leave it the
// mode and the exception flags that it had.
#include "kernels/float_mode.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "kernels/elements_for_tests.h"
#include "kernels/tinygemm/n_tiles.h"

namespace tileproof::kernels {
namespace {

struct Mode {
  const char* name;
  std::uint64_t bits;
};

#if defined(__x86_64__)
// MXCSR: 0x1f80 masks all exceptions and is how a process begins.
constexpr Mode all_modes[] = {{"flush to zero", 0x9f80},
                              {"denormals are zero", 0x1fc0},
                              {"both, as torch.set_flush_denormal(True)", 0x9fc0},
                              {"down", 0x3f80},
                              {"up", 0x5f80},
                              {"towards zero", 0x7f80},
                              {"every exception traps", 0x0000},
                              {"flags are raised", 0x1fbf}};
std::uint64_t mode_now() { return __builtin_ia32_stmxcsr(); }
void set_mode(std::uint64_t bits) { __builtin_ia32_ldmxcsr(static_cast<std::uint32_t>(bits)); }
#elif defined(__aarch64__)
constexpr Mode all_modes[] = {{"flush to zero", std::uint64_t{1} << 24},
                              {"up", std::uint64_t{1} << 22},
                              {"down", std::uint64_t{2} << 22},
                              {"towards zero", std::uint64_t{3} << 22}};
std::uint64_t mode_now() { return __builtin_aarch64_get_fpcr64(); }
void set_mode(std::uint64_t bits) { __builtin_aarch64_set_fpcr64(bits); }
#endif

/// The weights of a call, in this thread's mode as it is.
/// @param way  nullptr: by threads
Elements weights_of(DequantizeArguments a, const Way* way) {
  Elements weights = elements(a.n * a.k * (a.type == Type::fp32 ? 4 : 2));
  a.weights = as<void>(weights);
  if (way == nullptr) {
    dequantize(a, Range{0, threads_of(a)});
  } else {
    dequantize(a, NTiles{0, n_tiles_of(a)}, *way);
  }
  return weights;
}

/// Calls `use` with arguments of every type and domain, and every way to run them: nullptr is by threads.
template <class Use>
void for_each_call(Use use) {
  // Whole n-tiles, whose eight rows have tables filled together where all are easy, and a part of one.
  constexpr std::int64_t n = 403, k = 128, group_size = 32, inner_k_tiles = 4, parameters = n * (k / group_size);
  const std::vector<Way> ways = all_ways();
  for (const TestedFormat& format : all_formats) {
    for (const Domain domain : {Domain::floating, Domain::integer, Domain::none}) {
      const bool with_zeros = domain == Domain::floating;
      Elements packed = noise((n + 7) / 8 * 8 * k / 2, 1), zero_points = noise(parameters, 2);
      Elements scales = elements(parameters * format.bytes * (with_zeros ? 2 : 1));
      draw_parameters(format, parameters, with_zeros, 3, scales);
      const DequantizeArguments a = {as<std::uint32_t>(packed),
                                     as<void>(scales),
                                     as<std::int8_t>(zero_points),
                                     nullptr,
                                     n,
                                     k,
                                     group_size,
                                     inner_k_tiles,
                                     domain,
                                     format.type};
      use(a, nullptr);
      for (const Way& way : ways) use(a, &way);
    }
  }
}

TEST(FloatMode, OfTheCallerChangesNoBitAndIsGivenBack) {
  for_each_call([](const DequantizeArguments& a, const Way* way) {
    const Elements usual = weights_of(a, way);
    for (const Mode& mode : all_modes) {
      const std::uint64_t before = mode_now();
      set_mode(mode.bits);
      const Elements weights = weights_of(a, way);
      const std::uint64_t after = mode_now();
      set_mode(before);
      EXPECT_TRUE(weights == usual) << mode.name << ", " << (way == nullptr ? "by threads" : name_of(*way)) << ", type "
                                    << static_cast<int>(a.type) << ", domain " << static_cast<int>(a.domain);
      EXPECT_EQ(after, mode.bits) << mode.name;
    }
  });
}

TEST(FloatMode, OfAnotherThreadChangesNoBit) {
  for_each_call([](const DequantizeArguments& a, const Way* way) {
    const Elements usual = weights_of(a, way);
    Elements weights;
    std::thread([&] {
      set_mode(all_modes[0].bits);
      weights = weights_of(a, way);
    }).join();
    EXPECT_TRUE(weights == usual);
  });
}

/// The smallest inputs on which flushed subnormals have been seen: a product, and a zero.
TEST(FloatMode, KeepsSubnormalScalesAndZeros) {
  std::vector<Way> ways = all_ways();
  for (const Way& way : ways) {
    const auto weight_of = [&](Domain domain, Type type, int code, std::uint16_t scale, std::uint16_t zero) {
      constexpr std::int64_t n = 8, k = 32;
      Elements packed = elements(n * k / 2), scales = elements(4 * n);
      std::memset(packed.data(), code * 0x11, static_cast<std::size_t>(n * k / 2));
      for (int i = 0; i < 2 * n; ++i) {
        as<std::uint16_t>(scales)[i] = domain == Domain::floating && i % 2 == 1 ? zero : scale;
      }
      const std::uint64_t before = mode_now();
      set_mode(all_modes[0].bits);
      Elements weights =
          weights_of({as<std::uint32_t>(packed), as<void>(scales), nullptr, nullptr, n, k, k, 2, domain, type}, &way);
      set_mode(before);
      return as<std::uint16_t>(weights)[0];
    };
    EXPECT_EQ(weight_of(Domain::none, Type::fp16, 1, 0x01f7, 0), 0x01f7);  // 3e-5 times 1
    // 6 * 0xbd93 lies halfway from 0xbedc to 0xbedd, and a zero of -2^-133 brings it beyond.
    EXPECT_EQ(weight_of(Domain::floating, Type::bf16, 14, 0xbd93, 0x8001), 0xbedd);
  }
}

}  // namespace
}  // namespace tileproof::kernels
