/// The headers promise that the compiler can evaluate them: everything below is shown by static_assert, with them all
/// in one translation unit. What it shows of values is little; the other tests show those.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "reference/arithmetic.h"
#include "reference/dequantize.h"
#include "reference/domains.h"
#include "reference/float_bits.h"
#include "reference/format.h"
#include "reference/formats.h"
#include "reference/layouts/awq.h"
#include "reference/layouts/flat.h"
#include "reference/layouts/gguf.h"
#include "reference/layouts/int4pack_cpu.h"
#include "reference/layouts/layout.h"
#include "reference/layouts/marlin.h"
#include "reference/layouts/plain.h"
#include "reference/layouts/tensor_core_tiled.h"
#include "reference/layouts/words_of_eight.h"
#include "reference/matrix.h"
#include "reference/quantize.h"
#include "reference/schemes/affine_float.h"
#include "reference/schemes/affine_float_in_steps.h"
#include "reference/schemes/affine_integer.h"
#include "reference/schemes/codebook.h"
#include "reference/schemes/parameters.h"
#include "reference/schemes/scale_and_bias.h"
#include "reference/schemes/scale_only.h"
#include "reference/schemes/scaled_e2m1.h"
#include "reference/schemes/scheme.h"

namespace tileproof::reference {
namespace {

// Values, that a device kernel takes as parameters by copying their bytes.
static_assert(std::is_trivially_copyable_v<FloatFormat> && std::is_trivially_copyable_v<Exact>);
static_assert(std::is_trivially_copyable_v<Place> && std::is_trivially_copyable_v<Element>);
static_assert(std::is_trivially_copyable_v<Size> && std::is_trivially_copyable_v<Coordinates>);
static_assert(std::is_trivially_copyable_v<Dims> && std::is_trivially_copyable_v<std::optional<Element>>);
static_assert(std::is_trivially_copyable_v<FloatParameters> && std::is_trivially_copyable_v<IntegerParameters>);

static_assert(bf16 != fp16 && bf16 != fp32 && fp16 != fp32);

constexpr std::int64_t n = 3;  // less than a tile
constexpr std::int64_t k = 64;
constexpr std::int64_t group_size = 32;
constexpr int inner_k_tiles = 4;

constexpr std::array<std::uint8_t, n* k / 2> pairs = [] {
  std::array<std::uint8_t, n * k / 2> made{};
  for (std::size_t pair = 0; pair < made.size(); ++pair) made[pair] = static_cast<std::uint8_t>(pair * 0x1b + 7);
  return made;
}();

constexpr std::array<std::uint32_t, words_of(n, k)> packed = [] {
  std::array<std::uint32_t, words_of(n, k)> made{};
  pack(pairs.data(), n, k, inner_k_tiles, made.data());
  return made;
}();

constexpr std::array<std::int32_t, n* k> codes = [] {
  std::array<std::int32_t, n * k> made{};
  unpack(packed.data(), n, k, inner_k_tiles, made.data());
  return made;
}();

constexpr bool codes_are_those_of_pairs() {
  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    if (codes[2 * pair] * 16 + codes[2 * pair + 1] != pairs[pair]) return false;
  }
  return true;
}
static_assert(codes_are_those_of_pairs());

// bf16 weights in the three domains that meet: code - 3 as code * 1, less 3; as (code - 8) * 1 + 5; as (code - 3) * 1.
constexpr std::size_t groups = k / group_size * n;
using Weights = std::array<std::uint16_t, n * k>;

constexpr std::array<std::uint16_t, groups> ones = [] {
  std::array<std::uint16_t, groups> made{};
  made.fill(0x3f80);
  return made;
}();

constexpr Weights by_float = [] {
  std::array<std::uint16_t, 2 * groups> scales_and_zeros{};
  for (std::size_t group = 0; group < groups; ++group) {
    scales_and_zeros[2 * group] = 0x3f80;
    scales_and_zeros[2 * group + 1] = 0x40a0;
  }
  Weights made{};
  dequantize_float(bf16, packed.data(), scales_and_zeros.data(), n, k, group_size, inner_k_tiles, made.data());
  return made;
}();

constexpr Weights by_integer = [] {
  std::array<std::int8_t, groups> zero_points{};
  zero_points.fill(3);
  Weights made{};
  dequantize_integer(bf16, packed.data(), ones.data(), zero_points.data(), n, k, group_size, inner_k_tiles,
                     made.data());
  return made;
}();

constexpr Weights by_none = [] {
  Weights made{};
  dequantize_none(bf16, packed.data(), ones.data(), n, k, group_size, inner_k_tiles, made.data());
  return made;
}();

constexpr bool weights_are_those_of_codes() {
  for (std::size_t element = 0; element < codes.size(); ++element) {
    if (by_none[element] != rounded(bf16, whole(codes[element]))) return false;
    if (by_float[element] != rounded(bf16, whole(codes[element] - 3))) return false;
  }
  return by_float == by_integer;
}
static_assert(weights_are_those_of_codes());

// By the layout, and to another one and back.
constexpr bool another_layout_holds_the_codes() {
  using From = TensorCoreTiled<inner_k_tiles>;
  std::array<std::uint32_t, units<TensorCoreTiled<2>>({n, k})> other{};
  convert<From, TensorCoreTiled<2>>(packed.data(), {n, k}, other.data());
  std::array<std::uint32_t, packed.size()> back{};
  convert<TensorCoreTiled<2>, From>(other.data(), {n, k}, back.data());
  return back == packed && other != packed;
}
static_assert(another_layout_holds_the_codes());

// A format by its name.
constexpr const Format& plain = *format_named("plain");
static_assert(plain.layout.dims({n, k}) == Dims(n, k / 2) && plain.scheme_named("none") == plain.schemes[2]);
static_assert(with_layout(index_of(plain), []<class L>() { return L::slot_of({0, 0}, {n, k}); }) == 1);

// -2..5.5 in fp16: scale 1/2, and zeros that describe the same constant, of which 0.0 is code 4.
constexpr FloatParameters chosen_by_float = chosen_float(fp16, {0xc000, 0x4580});
static_assert(chosen_by_float.scale == 0x3800 && chosen_by_float.zero == 0x4000);
static_assert(quantized_float(fp16, 0x0000, chosen_by_float) == 4);
constexpr IntegerParameters chosen_by_integer = chosen_integer(fp16, {0xc000, 0x4580}, 0x1400);
static_assert(chosen_by_integer.scale == 0x3800 && chosen_by_integer.zero_point == 4);
static_assert(quantized_integer(fp16, 0x0000, chosen_by_integer) == 4);
static_assert(float_zero_of(fp16, 0x3800, 4) == 0x4000 && zero_point_of(fp16, 0x3800, 0x4000) == 4);

static_assert(rounded(fp32, quotient(whole(1), negated(whole(3)))) == 0xbeaaaaab);
static_assert(rounded(fp32, sum(whole(-7), whole(7))) == 0);  // x - x is +0
static_assert(shifted_right_to_nearest_even(std::uint64_t{5}, 1) == 2 && bit_width(std::uint64_t{5}) == 3);

TEST(Headers, AreEvaluatedByTheCompiler) {
  // The static_asserts above are the test; here the machine finds the words that the compiler found.
  std::array<std::uint32_t, packed.size()> at_run_time{};
  pack(pairs.data(), n, k, inner_k_tiles, at_run_time.data());
  EXPECT_EQ(at_run_time, packed);
}

}  // namespace
}  // namespace tileproof::reference
