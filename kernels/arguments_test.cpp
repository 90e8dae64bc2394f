/// Every rule of `validate`, at its edge and just beyond it.
#include "kernels/arguments.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace tileproof::kernels {
namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();

/// An address that is never read: validate looks at numbers alone.
template <class T>
T* at(std::uintptr_t address) {
  return reinterpret_cast<T*>(address);
}

constexpr std::uintptr_t aligned = 0x10000;

PackArguments legal_pack() {
  return {
      .codes = at<std::uint8_t>(aligned), .packed = at<std::uint32_t>(aligned), .n = 24, .k = 96, .inner_k_tiles = 2};
}

UnpackArguments legal_unpack() {
  return {
      .packed = at<std::uint32_t>(aligned), .codes = at<std::int32_t>(aligned), .n = 24, .k = 96, .inner_k_tiles = 2};
}

DequantizeArguments legal_dequantize(Domain domain = Domain::floating, Type type = Type::bf16) {
  return {.packed = at<std::uint32_t>(aligned),
          .scales = at<void>(aligned),
          .zero_points = domain == Domain::integer ? at<std::int8_t>(aligned) : nullptr,
          .weights = at<void>(aligned),
          .n = 24,
          .k = 96,
          .group_size = 32,
          .inner_k_tiles = 2,
          .domain = domain,
          .type = type};
}

void expect_accepted(const std::optional<InvalidArgument>& refusal) {
  EXPECT_FALSE(refusal.has_value()) << (refusal ? refusal->text() : "");
}

/// Refused because of this argument, with what was given in the one line that a user reads.
void expect_refused(const std::optional<InvalidArgument>& refusal, const std::string& argument,
                    const std::string& given) {
  ASSERT_TRUE(refusal.has_value()) << "accepted, with " << argument << " " << given;
  EXPECT_EQ(refusal->argument, argument);
  EXPECT_NE(refusal->given.find(given), std::string::npos) << refusal->given << ", not " << given;
  EXPECT_FALSE(refusal->legal.empty());
  EXPECT_EQ(refusal->text(), refusal->argument + ": given " + refusal->given + ", legal is " + refusal->legal);
}

TEST(InvalidArgument, NamesTheArgumentWhatWasGivenAndWhatIsLegal) {
  const auto refusal = validate_shape(8, 100, 2);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->text(), "k: given 100, legal is 0 or more, and a multiple of 16 * inner_k_tiles = 32");
  const auto group = validate_group_size(96, 64);
  ASSERT_TRUE(group.has_value());
  EXPECT_EQ(group->text(), "group_size: given 64, legal is a positive multiple of 16 that divides k = 96");
}

TEST(Shape, AcceptsTwoFourAndEightInnerKTilesAlone) {
  for (const std::int64_t inner_k_tiles : {2, 4, 8}) expect_accepted(validate_shape(8, 1024, inner_k_tiles));
  for (const std::int64_t inner_k_tiles :
       {std::int64_t{-2}, std::int64_t{0}, std::int64_t{1}, std::int64_t{3}, std::int64_t{5}, std::int64_t{6},
        std::int64_t{7}, std::int64_t{9}, std::int64_t{16}, (std::int64_t{1} << 32) + 2, smallest, largest}) {
    expect_refused(validate_shape(8, 1024, inner_k_tiles), "inner_k_tiles", std::to_string(inner_k_tiles));
  }
}

TEST(Shape, AcceptsWholeSupertilesOfColumnsAlone) {
  for (const std::int64_t inner_k_tiles : {2, 4, 8}) {
    const std::int64_t supertile = 16 * inner_k_tiles;
    for (const std::int64_t k : {std::int64_t{0}, supertile, 2 * supertile, 3 * supertile, 1000 * supertile}) {
      expect_accepted(validate_shape(8, k, inner_k_tiles));
    }
    for (const std::int64_t k :
         {std::int64_t{-1}, -supertile, smallest, std::int64_t{1}, std::int64_t{16}, supertile / 2, supertile - 1,
          supertile + 1, supertile + 16, supertile + supertile / 2}) {
      expect_refused(validate_shape(8, k, inner_k_tiles), "k", std::to_string(k));
    }
  }
}

TEST(Shape, AcceptsAnyNumberOfRowsFromNone) {
  for (const std::int64_t n : {0, 1, 7, 8, 9, 4096, 524'288, 2'147'483'647}) expect_accepted(validate_shape(n, 64, 4));
  for (const std::int64_t n : {std::int64_t{-1}, std::int64_t{-8}, smallest}) {
    expect_refused(validate_shape(n, 64, 4), "n", std::to_string(n));
  }
}

TEST(Shape, IsRefusedWhereItsBytesWouldOverflow64Bits) {
  // (n + 8) * k is at most 2^57 - 1 elements, a 64th of what 63 bits count.
  constexpr std::int64_t most_elements = largest / 64;
  expect_accepted(validate_shape(most_elements, 0, 2));
  expect_refused(validate_shape(most_elements + 1, 0, 2), "n", std::to_string(most_elements + 1));
  expect_refused(validate_shape(largest, 0, 2), "n", std::to_string(largest));
  expect_refused(validate_shape(largest, 32, 2), "n", std::to_string(largest));

  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{1}, std::int64_t{8}, std::int64_t{1} << 31}) {
    const std::int64_t most = most_elements / (n + 8) / 32 * 32;
    expect_accepted(validate_shape(n, most, 2));
    expect_refused(validate_shape(n, most + 32, 2), "k", std::to_string(most + 32));
  }
  expect_refused(validate_shape(8, largest / 128 * 128, 8), "k", std::to_string(largest / 128 * 128));

  const std::int64_t n = most_elements / 32 - 8;  // one supertile of columns and no more
  expect_accepted(validate_shape(n, 32, 2));
  expect_refused(validate_shape(n, 64, 2), "k", "64");
  expect_refused(validate_shape(n + 1, 32, 2), "k", "32");
}

TEST(Shape, AcceptsAnyNumberOfExpertsWhoseElementsFit64Bits) {
  for (const std::int64_t experts : {0, 1, 2, 65'536, 2'147'483'647})
    expect_accepted(validate_shape(9, 64, 4, experts));
  for (const std::int64_t experts : {std::int64_t{-1}, smallest}) {
    expect_refused(validate_shape(8, 64, 4, experts), "experts", std::to_string(experts));
  }
  for (const auto& [n, k] : {std::pair<std::int64_t, std::int64_t>{8, 64}, {1, 32}, {0, 64}, {8, 0}, {0, 0}}) {
    const std::int64_t most = largest / 64 / ((n + 8) * (k > 0 ? k : 1));
    expect_accepted(validate_shape(n, k, 2, most));
    expect_refused(validate_shape(n, k, 2, most + 1), "experts", std::to_string(most + 1));
    expect_refused(validate_shape(n, k, 2, largest), "experts", std::to_string(largest));
  }
}

TEST(GroupSize, IsAMultipleOfSixteenThatDividesK) {
  struct Row {
    std::int64_t k, group_size;
    bool legal;
  };
  for (const Row& row : {Row{96, 16, true},     Row{96, 32, true},       Row{96, 48, true},        Row{96, 96, true},
                         Row{96, 64, false},    Row{96, 17, false},      Row{96, 8, false},        Row{96, 24, false},
                         Row{96, 1, false},     Row{96, 0, false},       Row{96, -16, false},      Row{96, -32, false},
                         Row{96, 192, false},   Row{96, largest, false}, Row{96, smallest, false}, Row{4096, 256, true},
                         Row{4096, 4096, true}, Row{4096, 4112, false},  Row{0, 16, true},         Row{0, 256, true},
                         Row{0, 17, false},     Row{0, 0, false}}) {
    const auto refusal = validate_group_size(row.k, row.group_size);
    if (row.legal) {
      expect_accepted(refusal);
    } else {
      expect_refused(refusal, "group_size", std::to_string(row.group_size));
    }
  }
}

TEST(Calls, AreAcceptedWhenLegal) {
  expect_accepted(validate(legal_pack()));
  expect_accepted(validate(legal_unpack()));
  for (const Domain domain : {Domain::floating, Domain::integer, Domain::none}) {
    for (const Type type : {Type::bf16, Type::fp16, Type::fp32})
      expect_accepted(validate(legal_dequantize(domain, type)));
  }
}

/// The same wrong shape in each of the three calls.
template <class Change>
void expect_refused_in_every_call(Change change, const std::string& argument, const std::string& given) {
  auto pack = legal_pack();
  auto unpack = legal_unpack();
  auto dequantize = legal_dequantize();
  change(pack);
  change(unpack);
  change(dequantize);
  expect_refused(validate(pack), argument, given);
  expect_refused(validate(unpack), argument, given);
  expect_refused(validate(dequantize), argument, given);
}

TEST(Calls, AskAboutTheShape) {
  expect_refused_in_every_call([](auto& a) { a.n = -1; }, "n", "-1");
  expect_refused_in_every_call([](auto& a) { a.k = 80; }, "k", "80");
  expect_refused_in_every_call([](auto& a) { a.k = -32; }, "k", "-32");
  expect_refused_in_every_call([](auto& a) { a.inner_k_tiles = 3; }, "inner_k_tiles", "3");
  expect_refused_in_every_call([](auto& a) { a.inner_k_tiles = 4; }, "k", "96");
  expect_refused_in_every_call([](auto& a) { a.n = largest / 64; }, "k", "96");
  expect_refused_in_every_call([](auto& a) { a.experts = -1; }, "experts", "-1");
}

TEST(Calls, AskAboutTheGroupSizeWhereThereIsOne) {
  for (const std::int64_t group_size : {16, 32, 48, 96}) {
    auto a = legal_dequantize();
    a.group_size = group_size;
    expect_accepted(validate(a));
  }
  for (const std::int64_t group_size : {17, 0, -32, 64, 128, 192}) {
    auto a = legal_dequantize();
    a.group_size = group_size;
    expect_refused(validate(a), "group_size", std::to_string(group_size));
  }
}

TEST(Calls, NameTheShapeBeforeThePointers) {
  PackArguments a{};  // inner_k_tiles is 0 and both pointers are null
  a.n = 8;
  a.k = 32;
  expect_refused(validate(a), "inner_k_tiles", "0");
}

/// Gives one pointer of a call: null, and every address up to 16 bytes past an alignment of 16. Legal are multiples of
/// `bytes`.
template <class Arguments, class Set>
void expect_pointer_rule(const Arguments& legal, Set set, const std::string& argument, std::uintptr_t bytes) {
  Arguments a = legal;
  set(a, std::uintptr_t{0});
  expect_refused(validate(a), argument, "a null pointer");
  for (std::uintptr_t past = 0; past <= 16; ++past) {
    set(a, aligned + past);
    if (past % bytes == 0) {
      expect_accepted(validate(a));
    } else {
      expect_refused(validate(a), argument, std::to_string(past % bytes) + " bytes past alignment");
    }
  }
}

TEST(Pointers, OfPackAreAlignedForSixteenByteAccess) {
  const auto codes = [](PackArguments& a, std::uintptr_t address) { a.codes = at<std::uint8_t>(address); };
  const auto packed = [](PackArguments& a, std::uintptr_t address) { a.packed = at<std::uint32_t>(address); };
  expect_pointer_rule(legal_pack(), codes, "codes", 16);
  expect_pointer_rule(legal_pack(), packed, "packed", 16);
}

TEST(Pointers, OfUnpackAreAlignedForWordsInAndSixteenBytesOut) {
  const auto packed = [](UnpackArguments& a, std::uintptr_t address) { a.packed = at<std::uint32_t>(address); };
  const auto codes = [](UnpackArguments& a, std::uintptr_t address) { a.codes = at<std::int32_t>(address); };
  expect_pointer_rule(legal_unpack(), packed, "packed", 4);
  expect_pointer_rule(legal_unpack(), codes, "codes", 16);
}

TEST(Pointers, OfDequantizeAreAlignedForTheirElementsInAndSixteenBytesOut) {
  const auto packed = [](DequantizeArguments& a, std::uintptr_t address) { a.packed = at<std::uint32_t>(address); };
  const auto scales = [](DequantizeArguments& a, std::uintptr_t address) { a.scales = at<void>(address); };
  const auto weights = [](DequantizeArguments& a, std::uintptr_t address) { a.weights = at<void>(address); };
  const auto zero_points = [](DequantizeArguments& a, std::uintptr_t address) {
    a.zero_points = at<std::int8_t>(address);
  };
  for (const Domain domain : {Domain::floating, Domain::integer, Domain::none}) {
    for (const Type type : {Type::bf16, Type::fp16, Type::fp32}) {
      const DequantizeArguments legal = legal_dequantize(domain, type);
      expect_pointer_rule(legal, packed, "packed", 4);
      expect_pointer_rule(legal, scales, "scales", type == Type::fp32 ? 4 : 2);
      expect_pointer_rule(legal, weights, "weights", 16);
      if (domain == Domain::integer) expect_pointer_rule(legal, zero_points, "zero_points", 1);
    }
  }
}

TEST(Pointers, MayBeNullWhereTheyPointToNoElements) {
  for (const auto& [n, k] : {std::pair<std::int64_t, std::int64_t>{0, 96}, {24, 0}, {0, 0}}) {
    expect_accepted(validate(PackArguments{nullptr, nullptr, n, k, 2}));
    expect_accepted(validate(UnpackArguments{nullptr, nullptr, n, k, 2}));
    expect_accepted(validate(UnpackArguments{nullptr, nullptr, n, k, 2, 7}));
    for (const Domain domain : {Domain::floating, Domain::integer, Domain::none}) {
      expect_accepted(
          validate(DequantizeArguments{nullptr, nullptr, nullptr, nullptr, n, k, 32, 2, domain, Type::bf16}));
    }
  }
}

TEST(Pointers, OfZeroPointsMatterInTheIntegerDomainAlone) {
  for (const Domain domain : {Domain::floating, Domain::none}) {
    DequantizeArguments a = legal_dequantize(domain);
    a.zero_points = nullptr;
    expect_accepted(validate(a));
  }
  DequantizeArguments a = legal_dequantize(Domain::integer);
  a.zero_points = nullptr;
  expect_refused(validate(a), "zero_points", "a null pointer");
}

TEST(Pointers, AreRefusedWithHowManyElementsTheyShouldHold) {
  const auto legal_of = [](const auto& arguments) { return validate(arguments).value_or(InvalidArgument{}).legal; };
  PackArguments pack = legal_pack();
  pack.n = 9;  // two n-tiles
  pack.packed = nullptr;
  EXPECT_EQ(legal_of(pack), "memory of 192 elements");  // 2 * 96 / 32 * 32
  pack = legal_pack();
  pack.codes = nullptr;
  EXPECT_EQ(legal_of(pack), "memory of 1152 elements");  // 24 * 96 / 2
  UnpackArguments unpack = legal_unpack();
  unpack.codes = nullptr;
  EXPECT_EQ(legal_of(unpack), "memory of 2304 elements");  // 24 * 96
  DequantizeArguments dequantize = legal_dequantize(Domain::none);
  dequantize.scales = nullptr;
  EXPECT_EQ(legal_of(dequantize), "memory of 72 elements");  // 96 / 32 * 24
  dequantize = legal_dequantize(Domain::floating);
  dequantize.scales = nullptr;
  EXPECT_EQ(legal_of(dequantize), "memory of 144 elements");  // a scale and a zero each
  dequantize.experts = 5;
  EXPECT_EQ(legal_of(dequantize), "memory of 720 elements");
  pack.experts = unpack.experts = 5;
  EXPECT_EQ(legal_of(pack), "memory of 5760 elements");
  EXPECT_EQ(legal_of(unpack), "memory of 11520 elements");
}

}  // namespace
}  // namespace tileproof::kernels
