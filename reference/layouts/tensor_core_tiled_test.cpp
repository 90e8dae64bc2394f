/// The tile map against a second derivation of it, at sizes that static_assert cannot afford.
#include "reference/layouts/tensor_core_tiled.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace tileproof::reference {
namespace {

struct Shape {
  std::int64_t n_tiles;
  std::int64_t supertiles_of_row;
  int inner_k_tiles;

  std::int64_t n() const { return n_tiles * 8; }
  std::int64_t k() const { return supertiles_of_row * 16 * inner_k_tiles; }
};

/// One, few and many of both, even and odd, square and not, for every inner_k_tiles.
std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const int inner_k_tiles : {2, 4, 8}) {
    for (const std::int64_t n_tiles : {1, 2, 3, 7, 32}) {
      for (const std::int64_t supertiles : {1, 2, 3, 5, 16}) all.push_back({n_tiles, supertiles, inner_k_tiles});
    }
  }
  return all;
}

/// Which element the k-th four-bit value of a matrix is, found by walking the storage in its order and reading the PTX
/// ISA's table of operand B of m16n8k16: groupID = lane >> 2, threadID_in_group = lane % 4, and for the register value
/// b_i row (our k) = threadID_in_group * 2 + (i & 1), + 8 where i >= 2; column (our n) = groupID. The interleave
/// follows from its purpose: shift by 4 * j, mask with 0x000f000f, and the low half holds the even column of pair j,
/// the high half the odd one.
template <class Visit>
void visit_storage_by_the_ptx_table(const Shape& shape, Visit visit) {
  std::int64_t word = 0;
  for (std::int64_t n_tile = 0; n_tile < shape.n_tiles; ++n_tile) {
    for (std::int64_t supertile = 0; supertile < shape.supertiles_of_row; ++supertile) {
      for (int lane = 0; lane < 32; ++lane) {
        const int group_id = lane >> 2;
        const int thread_id_in_group = lane % 4;
        for (int first_k_tile = 0; first_k_tile < shape.inner_k_tiles; first_k_tile += 2, ++word) {
          for (int fragment = 0; fragment < 2; ++fragment) {
            for (int i = 0; i < 4; ++i) {
              const int row_of_b = thread_id_in_group * 2 + (i & 1) + (i < 2 ? 0 : 8);
              const int pair = fragment * 2 + (i < 2 ? 0 : 1);
              const int bit = 4 * pair + ((i & 1) != 0 ? 16 : 0);
              const std::int64_t k_tile = supertile * shape.inner_k_tiles + first_k_tile + fragment;
              visit(Place{word, bit / 4}, Element{n_tile * 8 + group_id, k_tile * 16 + row_of_b});
            }
          }
        }
      }
    }
  }
}

TEST(TileMap, AgreesWithTheFragmentsOfThePtxIsa) {
  std::int64_t compared = 0;
  std::int64_t different = 0;
  for (const Shape& shape : shapes()) {
    visit_storage_by_the_ptx_table(shape, [&](Place place, Element element) {
      ++compared;
      if (place_of(element.n, element.k, shape.k(), shape.inner_k_tiles) != place) ++different;
      if (element_at(place, shape.k(), shape.inner_k_tiles) != element) ++different;
    });
  }
  EXPECT_EQ(different, 0);
  EXPECT_GT(compared, 2'000'000);
}

TEST(TileMap, TakesEveryPlaceOnce) {
  std::int64_t compared = 0;
  for (const Shape& shape : shapes()) {
    const std::int64_t places = words_of(shape.n(), shape.k()) * 8;
    ASSERT_EQ(places, shape.n() * shape.k());
    std::vector<bool> taken(static_cast<std::size_t>(places));
    std::int64_t wrong = 0;
    for (std::int64_t n = 0; n < shape.n(); ++n) {
      for (std::int64_t k = 0; k < shape.k(); ++k, ++compared) {
        const Place place = place_of(n, k, shape.k(), shape.inner_k_tiles);
        const std::int64_t slot = place.word * 8 + place.nibble;
        const bool is_inside = place.nibble >= 0 && place.nibble < 8 && slot >= 0 && slot < places;
        if (!is_inside || taken[static_cast<std::size_t>(slot)]) {
          ++wrong;
        } else {
          taken[static_cast<std::size_t>(slot)] = true;
        }
      }
    }
    EXPECT_EQ(wrong, 0) << shape.n() << " x " << shape.k() << ", inner_k_tiles " << shape.inner_k_tiles;
  }
  EXPECT_GT(compared, 2'000'000);
}

TEST(TileMap, LeavesTwoNeighbouringColumnsAfterShiftAndMask) {
  for (const int inner_k_tiles : {2, 4, 8}) {
    const std::int64_t k_total = 3 * 16 * inner_k_tiles;
    for (std::int64_t word = 0; word < words_of(8, k_total); ++word) {
      for (int shift = 0; shift < 4; ++shift) {
        const Element low = element_at({word, shift}, k_total, inner_k_tiles);
        const Element high = element_at({word, shift + 4}, k_total, inner_k_tiles);
        ASSERT_EQ(low.k % 2, 0);
        ASSERT_EQ(high.k, low.k + 1);
        ASSERT_EQ(high.n, low.n);
      }
    }
  }
}

TEST(TileMap, StoresASupertileContiguously) {
  for (const Shape& shape : shapes()) {
    const std::int64_t words_of_supertile = 16 * shape.inner_k_tiles;
    for (std::int64_t n = 0; n < shape.n(); n += 3) {
      for (std::int64_t k = 0; k < shape.k(); k += 5) {
        const std::int64_t supertile = n / 8 * shape.supertiles_of_row + k / (16 * shape.inner_k_tiles);
        ASSERT_EQ(place_of(n, k, shape.k(), shape.inner_k_tiles).word / words_of_supertile, supertile);
      }
    }
  }
}

TEST(TileMap, HoldsBeyond32BitIndices) {
  const std::int64_t k_total = std::int64_t{1} << 20;
  for (const int inner_k_tiles : {2, 4, 8}) {
    for (const std::int64_t n : {(std::int64_t{1} << 31) - 1, std::int64_t{1} << 31, (std::int64_t{1} << 38) + 5}) {
      for (const std::int64_t k : {std::int64_t{0}, k_total / 2 + 13, k_total - 1}) {
        const Place place = place_of(n, k, k_total, inner_k_tiles);
        EXPECT_EQ(element_at(place, k_total, inner_k_tiles), (Element{n, k}));
        // An n-tile takes k_total words, whatever its supertiles are.
        EXPECT_EQ(place.word / k_total, n / 8);
      }
    }
  }
  EXPECT_EQ(words_of((std::int64_t{1} << 38) + 5, k_total), ((std::int64_t{1} << 35) + 1) << 20);
}

TEST(TileMap, IsLegalForWholeSupertilesAlone) {
  struct Row {
    std::int64_t n, k;
    int inner_k_tiles;
    bool legal;
  };
  for (const Row& row : std::vector<Row>{
           {8, 32, 2, true},   {8, 64, 4, true},   {8, 128, 8, true},   {0, 0, 2, true},   {0, 64, 2, true},
           {5, 0, 8, true},    {1, 96, 2, true},   {7, 192, 4, true},   {9, 384, 8, true}, {8, 16, 2, false},
           {8, 48, 2, false},  {8, 32, 4, false},  {8, 96, 4, false},   {8, 64, 8, false}, {8, 192, 8, false},
           {8, 33, 2, false},  {8, 31, 2, false},  {8, 64, 1, false},   {8, 96, 3, false}, {8, 160, 5, false},
           {8, 96, 6, false},  {8, 112, 7, false}, {8, 256, 16, false}, {8, 64, 0, false}, {8, 64, -2, false},
           {-1, 64, 2, false}, {8, -64, 2, false}, {-8, -64, 4, false}}) {
    EXPECT_EQ(is_legal(row.n, row.k, row.inner_k_tiles), row.legal)
        << "n " << row.n << ", k " << row.k << ", inner_k_tiles " << row.inner_k_tiles;
  }
}

TEST(TileMap, CountsTheWordsOfAPartialTileAsOfAWholeOne) {
  EXPECT_EQ(words_of(0, 64), 0);
  EXPECT_EQ(words_of(8, 0), 0);
  for (std::int64_t n = 1; n <= 8; ++n) EXPECT_EQ(words_of(n, 32), 32);
  for (std::int64_t n = 9; n <= 16; ++n) EXPECT_EQ(words_of(n, 32), 64);
  EXPECT_EQ(words_of(17, 32), 96);
  EXPECT_EQ(words_of(11, 256), 512);
}

}  // namespace
}  // namespace tileproof::reference
