/// Every layout of reference/formats.h, held to what all layouts promise; and the golden places of tinygemm and plain.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reference/formats.h"

namespace tileproof::reference {
namespace {

template <class All>
struct LayoutsOf;
template <class... F>
struct LayoutsOf<List<F...>> {
  using type = testing::Types<typename F::Codes...>;
};

struct NamedByLayout {
  template <class L>
  static std::string GetName(int) {
    std::string name = L::name;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
  }
};

template <class L>
class Layouts : public testing::Test {
 public:
  /// Nothing, the smallest legal sizes, and sizes around blocks of 8, 32 and 64 rows.
  static std::vector<Size> sizes() {
    std::vector<Size> all;
    for (const std::int64_t n : {0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 21}) {
      for (const std::int64_t k : {0, 1, 2, 3, 5}) all.push_back({n * L::legal.n, k * L::legal.k});
    }
    return all;
  }
  static std::string text(Size size) { return std::to_string(size.n) + " x " + std::to_string(size.k); }
};
TYPED_TEST_SUITE(Layouts, LayoutsOf<Formats>::type, NamedByLayout);

TYPED_TEST(Layouts, HaveOneSlotForEachElementAndOneElementOrPaddingInEachSlot) {
  using L = TypeParam;
  std::int64_t elements = 0;
  for (const Size size : this->sizes()) {
    ASSERT_TRUE(is_legal<L>(size)) << this->text(size);
    EXPECT_TRUE(is_bijection<L>(size)) << this->text(size);
    EXPECT_GE(slots<L>(size), size.n * size.k);
    elements += size.n * size.k;
  }
  EXPECT_GE(elements, 72 * 11 * L::legal.n * L::legal.k);
}

TYPED_TEST(Layouts, AreLegalForTheirMultiplesAlone) {
  using L = TypeParam;
  const auto [n, k] = L::legal;
  EXPECT_TRUE(is_legal<L>({0, 0}));
  EXPECT_TRUE(is_legal<L>({3 * n, 5 * k}));
  EXPECT_FALSE(is_legal<L>({-n, k}));
  EXPECT_FALSE(is_legal<L>({n, -k}));
  for (std::int64_t off = 1; off < n; ++off) EXPECT_FALSE(is_legal<L>({n + off, k})) << off;
  for (std::int64_t off = 1; off < k; ++off) EXPECT_FALSE(is_legal<L>({n, k + off})) << off;
}

TYPED_TEST(Layouts, NameThePlaceOfEverySlot) {
  using L = TypeParam;
  constexpr int of_unit = slots_of_unit<typename L::Storage>;
  const Size size = {3 * L::legal.n, 2 * L::legal.k};
  std::set<std::vector<std::int64_t>> places;
  for (std::int64_t slot = 0; slot < slots<L>(size); ++slot) {
    const Coordinates place = L::coordinates(slot, size);
    ASSERT_GE(place.count, 2);
    const auto [unit, nibble] = std::pair(place.all[place.count - 2], place.all[place.count - 1]);
    ASSERT_EQ(unit.name, std::string(unit_name<L>()));
    ASSERT_EQ(nibble.name, std::string("nibble"));
    ASSERT_EQ(unit.value * of_unit + nibble.value, slot);
    ASSERT_LT(nibble.value, of_unit);
    std::vector<std::int64_t> numbers;
    for (const Coordinate& each : place) numbers.push_back(each.value);
    places.insert(numbers);

    const Coordinates of_batch = coordinates_in_batch<L>(slot + 2 * slots<L>(size), size);
    ASSERT_EQ(of_batch.count, place.count);
    for (int i = 0; i < place.count; ++i) {
      const std::int64_t matrices_before = i == place.count - 2 ? 2 : 0;
      ASSERT_EQ(of_batch.all[i].value, place.all[i].value + matrices_before * units<L>(size)) << place.all[i].name;
    }
  }
  EXPECT_EQ(static_cast<std::int64_t>(places.size()), slots<L>(size));
  EXPECT_GT(places.size(), 0u);
}

TYPED_TEST(Layouts, SayTheirDimensionsAsNumbersAndAsText) {
  using L = TypeParam;
  const Dims dims = L::dims({2 * L::legal.n, 3 * L::legal.k});
  const std::string text = L::dims_text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '['), dims.count) << text;
  for (const std::int64_t extent : dims) EXPECT_GT(extent, 0);
  const std::string dtype = L::dtype;
  if (sizeof(typename L::Storage) == 1) {
    EXPECT_EQ(dtype, "uint8");
  } else {
    EXPECT_TRUE(dtype == "int32" || dtype == "uint32") << dtype;
  }
}

TYPED_TEST(Layouts, HoldBeyond32BitIndices) {
  using L = TypeParam;
  const Size size = {(std::int64_t{1} << 22) * L::legal.n, (std::int64_t{1} << 14) * L::legal.k};
  for (const std::int64_t n : {std::int64_t{0}, size.n / 2 + 13, size.n - 1}) {
    for (const std::int64_t k : {std::int64_t{0}, size.k / 2 + 5, size.k - 1}) {
      const std::int64_t slot = L::slot_of({n, k}, size);
      EXPECT_LT(slot, slots<L>(size));
      EXPECT_EQ(L::element_at(slot, size), (Element{n, k}));
    }
  }
  EXPECT_GT(L::slot_of({size.n - 1, size.k - 1}, size), std::int64_t{1} << 32);
}

TYPED_TEST(Layouts, SayOfRunsWhatTheySayOfElements) {
  using L = TypeParam;
  if constexpr (HasRuns<L>) {
    for (const Size size : this->sizes()) EXPECT_TRUE(runs_are_as_specified<L>(size)) << this->text(size);
  }
}

TEST(Runs, AreSixteenColumnsOfTinygemmAndOfPlain) {
  EXPECT_EQ(TensorCoreTiled<8>::run_columns, 16);
  EXPECT_EQ(Plain::run_columns, 16);
}

TEST(Dims, MultiplyToTheirElements) {
  EXPECT_EQ(Dims(3, 4, 5).elements(), 60);
  EXPECT_EQ(Dims(3, 0, 5).elements(), 0);
  EXPECT_EQ(Dims(3, 4, 5).count, 3);
  EXPECT_FALSE(Dims(3, 4) == Dims(3, 4, 1));
}

TEST(Slot, IsWrittenWithoutTouchingItsNeighbours) {
  std::uint8_t bytes[] = {0xab, 0xcd};
  set_code_at(bytes, 1, 5);
  EXPECT_EQ(bytes[0], 0x5b);
  set_code_at(bytes, 2, 0);
  EXPECT_EQ(bytes[1], 0xc0);
  std::uint32_t words[] = {0x76543210, 0xffffffff};
  set_code_at(words, 15, 0);
  EXPECT_EQ(words[1], 0x0fffffffu);
  set_code_at(words, 7, 15);
  EXPECT_EQ(words[0], 0xf6543210u);
  EXPECT_EQ(code_at(words, 7), 15);
  EXPECT_EQ(code_at(words, 15), 0);
}

std::string text_of(const Coordinates& place) {
  std::string text;
  for (const Coordinate& each : place) {
    text += (text.empty() ? "" : ", ") + std::string(each.name) + " " + std::to_string(each.value);
  }
  return text;
}

template <class L>
std::string place_text(Element element, Size size) {
  return text_of(L::coordinates(L::slot_of(element, size), size));
}

TEST(TensorCoreTiled, NamesTilesAndLanes) {
  EXPECT_EQ(place_text<TensorCoreTiled<2>>({9, 25}, {12, 64}), "n-tile 1, k-tile 1, lane 4, word 68, nibble 7");
  EXPECT_EQ(place_text<TensorCoreTiled<2>>({9, 41}, {12, 64}), "n-tile 1, k-tile 2, lane 4, word 100, nibble 5");
  EXPECT_EQ(place_text<TensorCoreTiled<4>>({7, 63}, {8, 64}), "n-tile 0, k-tile 3, lane 31, word 63, nibble 7");
  EXPECT_EQ(place_text<TensorCoreTiled<8>>({3, 2}, {8, 128}), "n-tile 0, k-tile 0, lane 13, word 52, nibble 0");
  EXPECT_EQ(place_text<TensorCoreTiled<8>>({0, 127}, {8, 128}), "n-tile 0, k-tile 7, lane 3, word 15, nibble 7");
}

TEST(TensorCoreTiled, HasNoElementInRowsPastTheEnd) {
  using L = TensorCoreTiled<2>;
  const Size size = {12, 64};
  EXPECT_EQ(slots<L>(size), 16 * 64);
  EXPECT_EQ(L::element_at(80 * 8, size), std::nullopt);  // lane 16 of the second n-tile: row 12 of 12
  EXPECT_EQ(L::element_at(79 * 8, size), (Element{11, 6}));
  EXPECT_EQ(text_of(L::coordinates(80 * 8 + 1, size)), "n-tile 1, k-tile 0, lane 16, word 80, nibble 1");
}

TEST(TensorCoreTiled, HasTheShapeOfAtensTensor) {
  EXPECT_EQ(TensorCoreTiled<2>::dims({17, 96}), Dims(3, 3, 32, 1));
  EXPECT_EQ(TensorCoreTiled<4>::dims({16, 192}), Dims(2, 3, 32, 2));
  EXPECT_EQ(TensorCoreTiled<8>::dims({1, 128}), Dims(1, 1, 32, 4));
  EXPECT_EQ(TensorCoreTiled<8>::dims({0, 0}), Dims(0, 0, 32, 4));
  EXPECT_EQ(TensorCoreTiled<2>::name, std::string("tinygemm-2"));
  EXPECT_EQ(TensorCoreTiled<4>::name, std::string("tinygemm-4"));
  EXPECT_EQ(TensorCoreTiled<8>::name, std::string("tinygemm-8"));
  EXPECT_EQ(TensorCoreTiled<8>::dims_text, std::string("[ceil(n/8)][k/128][32][4]"));
}

TEST(Plain, HasTheEvenColumnInTheHighNibble) {
  EXPECT_EQ(place_text<Plain>({0, 0}, {2, 6}), "byte 0, nibble 1");
  EXPECT_EQ(place_text<Plain>({0, 1}, {2, 6}), "byte 0, nibble 0");
  EXPECT_EQ(place_text<Plain>({1, 4}, {2, 6}), "byte 5, nibble 1");
  EXPECT_EQ(Plain::dims({2, 6}), Dims(2, 3));
}

}  // namespace
}  // namespace tileproof::reference
