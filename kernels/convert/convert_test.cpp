// Convert on a host: every pair of layouts, between fences, beside a plain statement of what it does. That the layouts
// are those that they are called is shown elsewhere, by the properties of the subject host.
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/convert/any_thread.h"
#include "kernels/fenced_for_tests.h"
#include "kernels/kernels.h"

namespace tileproof::kernels {
namespace {

struct Sizes {
  std::int64_t n, k, experts;
};
// Tiles whole and in parts; rows that fill no n-tile, and no block of int4pack's; one word of a row.
constexpr Sizes all_sizes[] = {{64, 128, 1},  {128, 384, 2}, {192, 256, 1}, {320, 640, 1}, {5, 128, 3},
                               {13, 384, 1},  {16, 32, 1},   {72, 192, 2},  {48, 96, 1},   {8, 40, 1},
                               {24, 1152, 1}, {80, 6, 1},    {7, 2, 1},     {3, 8, 2},     {1, 1024, 1}};

std::string text_of(const ConvertArguments& a) {
  return std::string(a.source->name) + " to " + a.target->name + ", " + std::to_string(a.experts) + " of " +
         std::to_string(a.n) + " x " + std::to_string(a.k);
}

std::int64_t bytes_of(const Layout& layout, const ConvertArguments& a) {
  return a.experts * layout.padded_n(a.n) * a.k / 2;
}

std::uint8_t nibble(const std::uint8_t* bytes, std::int64_t slot) {
  return static_cast<std::uint8_t>(bytes[slot / 2] >> (slot % 2 * 4) & 15);
}

/// Every code where its slot says, and 0 wherever there is none.
Elements expected(const ConvertArguments& a, Elements& packed) {
  Elements all(elements(bytes_of(*a.target, a)).size());
  const Slots source(*a.source, a.n, a.k), target(*a.target, a.n, a.k);
  for (std::int64_t expert = 0; expert < a.experts; ++expert) {
    const std::uint8_t* const from = as<std::uint8_t>(packed) + expert * source.count() / 2;
    std::uint8_t* const to = as<std::uint8_t>(all) + expert * target.count() / 2;
    for (std::int64_t row = 0; row < a.n; ++row) {
      for (std::int64_t column = 0; column < a.k; ++column) {
        const std::int64_t slot = target.slot_of(row, column);
        to[slot / 2] =
            static_cast<std::uint8_t>(to[slot / 2] | nibble(from, source.slot_of(row, column)) << (slot % 2 * 4));
      }
    }
  }
  return all;
}

/// Calls `use` for every pair of layouts and all sizes that both take.
template <class Use>
void for_all(Use use) {
  for (const Layout* source : layouts) {
    for (const Layout* target : layouts) {
      for (const auto& [n, k, experts] : all_sizes) {
        ConvertArguments a = {nullptr, nullptr, source, target, n, k, experts};
        Elements packed = noise(bytes_of(*source, a), 1);
        Elements converted = elements(bytes_of(*target, a));
        a.packed = packed.data();
        a.converted = converted.data();
        if (!validate(a)) use(a, packed);
      }
    }
  }
}

TEST(Convert, OfEveryPairOfLayoutsMovesEveryCodeAndTouchesNothingElse) {
  int calls = 0;
  for_all([&](ConvertArguments a, Elements& packed) {
    const Elements wanted = expected(a, packed);
    for (const Side side : both_sides) {
      const Fenced from(packed, bytes_of(*a.source, a), side),
          to(elements(bytes_of(*a.target, a)), bytes_of(*a.target, a), side);
      a.packed = from.as<void>();
      a.converted = to.as<void>();
      if (validate(a)) continue;  // at the end of a page and not aligned
      convert(a, Range{0, threads_of(a)});
      EXPECT_TRUE(to.holds(wanted, bytes_of(*a.target, a))) << text_of(a);
      EXPECT_TRUE(from.holds(packed, bytes_of(*a.source, a))) << text_of(a);
      ++calls;
    }
  });
  EXPECT_GT(calls, 900);
}

TEST(Convert, GivesTheSameBitsHoweverItIsSplit) {
  for_all([](ConvertArguments a, Elements& packed) {
    Elements whole = elements(bytes_of(*a.target, a)), parts = elements(bytes_of(*a.target, a));
    a.packed = packed.data();
    a.converted = whole.data();
    convert(a, Range{0, threads_of(a)});
    a.converted = parts.data();
    for (std::int64_t end = threads_of(a); end > 0; end -= 7) convert(a, Range{end > 7 ? end - 7 : 0, end});
    EXPECT_EQ(whole, parts) << text_of(a);
  });
}

TEST(Convert, FromAndToTinygemmsLayoutsIsByWarpsWhereWordsAreWhole) {
  const auto of_tinygemm = [](const Layout* one) { return std::string(one->name).starts_with("tinygemm"); };
  Elements memory = elements(1 << 16);
  int by_warps = 0;
  for (const Layout* source : layouts) {
    for (const Layout* target : layouts) {
      const bool is_fast = source != target && (of_tinygemm(source) || of_tinygemm(target));
      ConvertArguments a = {memory.data(), memory.data(), source, target, 64, 128};
      EXPECT_EQ(is_by_warps(a), is_fast) << text_of(a);
      by_warps += is_fast;
      a.packed = as<std::uint8_t>(memory) + 4;
      EXPECT_FALSE(is_by_warps(a)) << text_of(a);
    }
  }
  EXPECT_EQ(by_warps, 2 * 3 * 9 + 3 * 2);
  const auto is_by_warps_of = [&](const char* source, const char* target, std::int64_t n) {
    return is_by_warps({memory.data(), memory.data(), layout_named(source), layout_named(target), n, 128});
  };
  EXPECT_TRUE(is_by_warps_of("tinygemm-8", "plain", 37));
  EXPECT_TRUE(is_by_warps_of("tinygemm-8", "awq", 32));
  EXPECT_FALSE(is_by_warps_of("tinygemm-8", "awq", 24));
  EXPECT_FALSE(is_by_warps_of("tinygemm-2", "int4pack-cpu-avx512", 48));
  EXPECT_FALSE(is_by_warps_of("int4pack-cpu-avx2", "tinygemm-4", 48));
}

TEST(Convert, RefusesWhatEitherLayoutDoesNotHold) {
  const auto refusal = [](const char* source, const char* target, std::int64_t n, std::int64_t k,
                          std::int64_t experts = 1, int past = 0) {
    Elements memory = elements(1 << 16);
    const ConvertArguments a = {
        memory.data(), as<std::uint8_t>(memory) + past, layout_named(source), layout_named(target), n, k, experts};
    const auto found = validate(a);
    return found ? found->text() : "";
  };
  EXPECT_EQ(refusal("tinygemm-4", "awq", 12, 64),
            "n: given 12, legal is 0 or more, a multiple of 8 for tinygemm-4 and awq");
  EXPECT_EQ(refusal("marlin", "tinygemm-8", 64, 64),
            "k: given 64, legal is 0 or more, a multiple of 128 for marlin and tinygemm-8");
  EXPECT_EQ(refusal("plain", "tinygemm-2", -1, 64), "n: given -1, legal is 0 or more");
  EXPECT_EQ(refusal("plain", "awq", 8, std::int64_t{1} << 60),
            "k: given 1152921504606846976, legal is 0 or more, a multiple of 2 for plain and awq, and experts * n * k "
            "within 64 bits");
  EXPECT_EQ(refusal("plain", "awq", 8, 64, -1), "experts: given -1, legal is 0 or more");
  EXPECT_EQ(refusal("plain", "awq", 8, 64, 1, 8),
            "converted: given an address 8 bytes past alignment, legal is aligned to 16 bytes");
  EXPECT_EQ(refusal("plain", "awq", 8, 64), "");
  EXPECT_EQ(refusal("tinygemm-2", "plain", 3, 32), "");
  EXPECT_EQ(layout_named("mlx"), nullptr);
}

TEST(Convert, OfNothingHasNoThreads) {
  for (const Sizes& sizes : {Sizes{0, 128, 1}, Sizes{64, 0, 1}, Sizes{64, 128, 0}}) {
    const ConvertArguments a = {nullptr, nullptr, layout_named("awq"), layout_named("tinygemm-8"),
                                sizes.n, sizes.k, sizes.experts};
    EXPECT_FALSE(validate(a));
    EXPECT_EQ(threads_of(a), 0);
    convert(a, Range{0, 1});
  }
}

}  // namespace
}  // namespace tileproof::kernels
