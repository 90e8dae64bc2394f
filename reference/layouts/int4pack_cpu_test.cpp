/// The layouts and weights of aten's CPU kernels against aten itself.
///
/// Recorded under ATEN_CPU_CAPABILITY=default, avx2 and avx512 on one Xeon with AVX-512, from torch 2.11.0;
/// torch 2.15.0 gave the same bits. Bytes: torch.ops.aten._convert_weight_to_int4pack_for_cpu(codes int32 [n][k], 1).
/// Weights: torch.ops.aten._weight_int4pack_mm_for_cpu(identity, packed, group_size, scales_and_zeros), as one call, a
/// row a call and four rows a call, with the same result. aten refuses n that is no multiple of 16 and an odd k.
#include "reference/layouts/int4pack_cpu.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "reference/layouts/recorded_for_tests.h"
#include "reference/matrix.h"

namespace tileproof::reference {
namespace {

constexpr int capabilities = 3;  // default, avx2, avx512

template <CpuCapability capability, class Scheme>
struct Aten {
  using L = Int4PackCpu<capability>;
  using Used = With<Scheme, ScalesAndZeros>;
  static constexpr int index = static_cast<int>(capability);
};

/// Calls `use` with each capability's layout and formula.
template <class Use>
void for_every_capability(Use use) {
  use.template operator()<Aten<CpuCapability::standard, AffineFloatStepped>>();
  use.template operator()<Aten<CpuCapability::avx2, AffineFloatFolded>>();
  use.template operator()<Aten<CpuCapability::avx512, AffineFloat>>();
}

struct RecordedBytes {
  Size size;
  std::uint64_t hash[capabilities];
};

/// Short blocks alone, whole ones alone, and both, for blocks of 32 and of 64 rows.
constexpr RecordedBytes recorded_bytes[] = {
    {{16, 2}, {0x49ab6c823bf893ba, 0x49ab6c823bf893ba, 0x49ab6c823bf893ba}},
    {{16, 6}, {0xdf3ca0ac3a9efc7e, 0xdf3ca0ac3a9efc7e, 0xdf3ca0ac3a9efc7e}},
    {{32, 2}, {0x12775a441accfcce, 0x3acb9d34b2dcfdba, 0x12775a441accfcce}},
    {{48, 4}, {0x55fe921ea744cd5e, 0xd53562855b8832ee, 0xd8e2d6a66dc1866a}},
    {{64, 2}, {0xfa0243aaef126e2, 0x6ba3d46eef763c4a, 0x2e5fb282c4c5fdaa}},
    {{80, 6}, {0x48ad5a1ebc6bea20, 0xbb46a12acb06e634, 0x4e5c7d3ce4ab245c}},
    {{96, 4}, {0xaf3cbf8233546197, 0x40efe5e1217a64a, 0x81e6ea9c00ecb927}},
    {{112, 6}, {0xd9641003cc824580, 0x3203d8002ad13ded, 0x61e6eb3a561e723c}},
    {{128, 10}, {0xe7038f4b0a004cf4, 0x8c62ec151850f7e6, 0x5a934b4ff5f02ed0}},
    {{160, 34}, {0xac356202c84767e9, 0x11a0718d36070cf0, 0x8ced2fb5e40b1615}},
    {{240, 64}, {0xef7eb868602c8803, 0x3e43cad247e9d78c, 0x7448077743b78557}},
};

TEST(Int4PackCpu, PacksTheBytesOfAten) {
  for (const RecordedBytes& each : recorded_bytes) {
    for_every_capability([&]<class A>() {
      EXPECT_EQ(fnv1a(packed_codes<typename A::L>(each.size)), each.hash[A::index])
          << A::L::name << " " << each.size.n << " x " << each.size.k;
    });
  }
}

TEST(Int4PackCpu, PacksTheColumnsOfAtenByteForByte) {
  const std::vector<std::uint8_t> short_block = {0xf0, 0xee, 0xcd, 0xbc, 0xab, 0x99, 0x88, 0x67,
                                                 0x99, 0x88, 0x67, 0x56, 0x45, 0x33, 0x22, 0x01};
  for_every_capability([&]<class A>() { EXPECT_EQ(packed_codes<typename A::L>({16, 2}), short_block) << A::L::name; });
  const std::vector<std::uint8_t> whole_block_of_avx2 = {
      0x60, 0x5f, 0x5e, 0x4e, 0x3d, 0x3c, 0x2c, 0x2b, 0x1b, 0x0a, 0x09, 0xf9, 0xf8, 0xe8, 0xd7, 0xd6,
      0x09, 0xf9, 0xf8, 0xe8, 0xd7, 0xd6, 0xc6, 0xc5, 0xb5, 0xa4, 0xa3, 0x93, 0x92, 0x82, 0x71, 0x70};
  EXPECT_EQ(packed_codes<Int4PackCpu<CpuCapability::avx2>>({32, 2}), whole_block_of_avx2);
}

TEST(Int4PackCpu, NamesTheRowBlockOfAPlace) {
  const auto text = []<class L>(Element element, Size size) {
    std::string all;
    for (const Coordinate& each : L::coordinates(L::slot_of(element, size), size)) {
      all += std::string(each.name) + " " + std::to_string(each.value) + " ";
    }
    return all;
  };
  using Avx2 = Int4PackCpu<CpuCapability::avx2>;
  using Avx512 = Int4PackCpu<CpuCapability::avx512>;
  EXPECT_EQ(text.operator()<Avx2>({31, 3}, {80, 4}), "row block 0 byte 63 nibble 1 ");
  EXPECT_EQ(text.operator()<Avx2>({64, 0}, {80, 4}), "row block 2 byte 128 nibble 0 ");
  EXPECT_EQ(text.operator()<Avx512>({64, 0}, {80, 4}), "row block 1 byte 128 nibble 0 ");
  EXPECT_EQ(text.operator()<Avx512>({33, 0}, {80, 4}), "row block 0 byte 1 nibble 1 ");
}

struct RecordedWeights {
  FloatFormat type;  // of parameters and of the result
  Size size;
  std::int64_t group_size;
  std::uint64_t hash[capabilities];  // of the bytes of the result, [k][n]
};

constexpr RecordedWeights recorded_weights[] = {
    {bf16, {16, 32}, 32, {0x6fdad3c118ad057a, 0xd637a512f28d1f13, 0x6fdad3c118ad057a}},
    {bf16, {112, 64}, 32, {0x5f18934a371d29bb, 0xf8504fd9f6468f6f, 0x5f18934a371d29bb}},
    {bf16, {192, 128}, 64, {0xc79f7f54617edbdd, 0x656de0c5b75d4ce0, 0xc79f7f54617edbdd}},
    {fp16, {16, 32}, 32, {0x84cd6dd34919fab1, 0x84cd6dd34919fab1, 0x84cd6dd34919fab1}},
    {fp16, {112, 64}, 32, {0xcee597e11e88313a, 0xcee597e11e88313a, 0xcee597e11e88313a}},
    {fp16, {192, 128}, 64, {0x282194485c90a125, 0x282194485c90a125, 0x282194485c90a125}},
    {fp32, {16, 32}, 32, {0x8879e724f5d8899d, 0x363651091f20438b, 0x363651091f20438b}},
    {fp32, {112, 64}, 32, {0x500c46fd360db546, 0x40edc0580b5fe770, 0x40edc0580b5fe770}},
    {fp32, {192, 128}, 64, {0x88ea7b4652002209, 0xa7d76c51ee020f1a, 0xa7d76c51ee020f1a}},
};

/// A scale of 4 to 8; a zero of that down to 2^-21, in fp16 to 2^-13, where a folded zero loses bits. Either sign.
std::uint32_t recorded_parameter(FloatFormat type, std::int64_t n, std::int64_t group, bool is_zero) {
  const auto drawn = [=](std::int64_t number) {
    return static_cast<std::uint32_t>(n * 131 + group * 7 + number) * 2654435761u;
  };
  const std::uint32_t bits = drawn(is_zero ? 1001 : 1000);
  const std::uint32_t below = is_zero ? drawn(5000) % (type.exponent_bits == 5 ? 16 : 24) : 0;
  const std::uint32_t exponent = static_cast<std::uint32_t>(type.bias()) + 2 - below;
  const std::uint32_t sign = bits >> 31 != 0 ? type.sign_bit() : 0;
  return sign | exponent << type.fraction_bits | (bits & ((1u << type.fraction_bits) - 1));
}

/// The product with an identity matrix: a weight of fp32 plus zeros, which turn a -0, rounded to the type.
template <class L, class Used>
std::uint64_t hash_of_product(const RecordedWeights& given) {
  const auto [n_total, k_total] = given.size;
  const Size groups = {n_total, k_total / given.group_size};
  using F = FormatOf<L, MultiplesOf<1>, ResultOrder::n_k, void>;
  using Parameters = typename Used::Parameters;
  std::vector<std::uint32_t> parameters(static_cast<std::size_t>(Parameters::dims(groups).elements()));
  for (std::int64_t n = 0; n < groups.n; ++n) {
    for (std::int64_t group = 0; group < groups.k; ++group) {
      parameters[static_cast<std::size_t>(Parameters::scale_at({n, group}, groups))] =
          recorded_parameter(given.type, n, group, false);
      parameters[static_cast<std::size_t>(Parameters::zero_at({n, group}, groups))] =
          recorded_parameter(given.type, n, group, true);
    }
  }
  std::vector<std::uint32_t> weights(static_cast<std::size_t>(n_total * k_total));
  dequantize<F, Used>(fp32, given.type, packed_codes<L>(given.size).data(), parameters.data(), parameters.data(),
                      given.size, given.group_size, weights.data());

  std::vector<std::uint32_t> product;
  for (std::int64_t k = 0; k < k_total; ++k) {
    for (std::int64_t n = 0; n < n_total; ++n) {
      const std::uint32_t weight = weights[static_cast<std::size_t>(F::result_at({n, k}, given.size))];
      const std::uint32_t result = rounded(given.type, decode(fp32, weight));
      product.push_back(result == given.type.sign_bit() ? 0 : result);
    }
  }
  if (given.type == fp32) return fnv1a(product);
  return fnv1a(std::vector<std::uint16_t>(product.begin(), product.end()));
}

TEST(Int4PackCpu, WeighsAsAtenMultiplies) {
  for (const RecordedWeights& each : recorded_weights) {
    for_every_capability([&]<class A>() {
      EXPECT_EQ((hash_of_product<typename A::L, typename A::Used>(each)), each.hash[A::index])
          << A::L::name << " " << each.size.n << " x " << each.size.k << ", type of " << each.type.bits() << " bits, "
          << each.type.fraction_bits << " of a fraction";
    });
  }
}

TEST(Int4PackCpu, IsThreeRowsOfOneSchemeEach) {
  for_every_capability([]<class A>() {
    ASSERT_NE(format_named(A::L::name), nullptr) << A::L::name;
    const Format& format = *format_named(A::L::name);
    ASSERT_EQ(format.scheme_count, 1);
    EXPECT_EQ(format.schemes[0]->name, std::string(A::Used::Scheme::name));
    EXPECT_EQ(format.schemes[0]->tensor_count, 1);
    for (const std::int64_t legal : {32, 64, 128, 256}) EXPECT_TRUE(format.group_sizes.contains(legal)) << legal;
    for (const std::int64_t illegal : {0, 16, 96, 512}) EXPECT_FALSE(format.group_sizes.contains(illegal)) << illegal;
  });
}

}  // namespace
}  // namespace tileproof::reference
