// Addresses in matrices that no memory holds. What a call adds to them is left to index_beyond_32_bits_test.cpp, which
// runs the last n-tiles; these are all columns of all rows.
#include "kernels/tinygemm/n_tile_addresses.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace tileproof::kernels {
namespace {

constexpr std::int64_t two_to(int power) { return std::int64_t{1} << power; }

TEST(NTileAddresses, OfAWideMatrix) {
  // Three experts of 13 rows, 2^40 columns each: six n-tiles.
  const DequantizeArguments a = {.packed = nullptr,
                                 .scales = nullptr,
                                 .zero_points = nullptr,
                                 .weights = nullptr,
                                 .n = 13,
                                 .k = two_to(40),
                                 .group_size = 16,
                                 .inner_k_tiles = 2,
                                 .domain = Domain::floating,
                                 .type = Type::bf16,
                                 .experts = 3};
  const NTile last = n_tile_of(a, 5), before = n_tile_of(a, 4);
  EXPECT_EQ(last.expert, 2);
  EXPECT_EQ(last.first_row, 8);
  EXPECT_EQ(last.rows, 5);
  EXPECT_EQ(before.expert, 2);
  EXPECT_EQ(before.first_row, 0);
  EXPECT_EQ(before.rows, 8);

  EXPECT_EQ(element_of(a, last, 4, two_to(40) - 1), 39 * two_to(40) - 1);  // the last of all
  EXPECT_EQ(element_of(a, last, 0, 3), 34 * two_to(40) + 3);
  EXPECT_EQ(element_of(a, before, 7, two_to(31)), 33 * two_to(40) + two_to(31));
  EXPECT_EQ(word_of(a, last, two_to(40) - 32), 6 * two_to(40) - 32);
  EXPECT_EQ(word_of(a, before, two_to(32)), 4 * two_to(40) + two_to(32));
  EXPECT_EQ(parameters_of(a, last, two_to(36) - 1), 3 * two_to(36) * 13 - 5);  // the last five of all
  EXPECT_EQ(parameters_of(a, before, two_to(32)), (2 * two_to(36) + two_to(32)) * 13);
}

TEST(NTileAddresses, OfATallMatrixAndOfManyExperts) {
  const std::int64_t n = two_to(40) + 1, n_tiles = two_to(37) + 1;
  const PackArguments tall = {.codes = nullptr, .packed = nullptr, .n = n, .k = 32, .inner_k_tiles = 2};
  const NTile last = n_tile_of(tall, n_tiles - 1);
  EXPECT_EQ(last.expert, 0);
  EXPECT_EQ(last.first_row, two_to(40));
  EXPECT_EQ(last.rows, 1);
  EXPECT_EQ(element_of(tall, last, 0, 31), n * 32 - 1);
  EXPECT_EQ(word_of(tall, last, 0), (n_tiles - 1) * 32);

  const std::int64_t experts = two_to(40) + 3;
  const PackArguments many = {
      .codes = nullptr, .packed = nullptr, .n = 9, .k = 64, .inner_k_tiles = 4, .experts = experts};
  const NTile of_last = n_tile_of(many, 2 * experts - 1);
  EXPECT_EQ(of_last.expert, experts - 1);
  EXPECT_EQ(of_last.first_row, 8);
  EXPECT_EQ(of_last.rows, 1);
  EXPECT_EQ(element_of(many, of_last, 0, 63), experts * 9 * 64 - 1);
}

}  // namespace
}  // namespace tileproof::kernels
