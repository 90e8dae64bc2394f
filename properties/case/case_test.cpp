// Case: what a failure says, that nothing different compares equal, that data come from the seed alone, and that a
// subject receives what the case drew. The places in the expected texts were worked out by hand from the tile map's
// definition.
#include "properties/case/case.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>
#include <set>
#include <sstream>

#include "properties/problem/draw.h"
#include "properties/problem/rapidcheck_quietly.h"
#include "properties/problem/specification.h"
#include "properties/problem/values.h"
#include "properties/registry.h"
#include "reference/matrix.h"

namespace tileproof {

namespace {

/// Checks a property with a fixed seed, so that a failure repeats.
template <class Property>
testing::AssertionResult holds(const Property& property) {
  const rc::detail::TestResult result = checked_quietly(property, 20260112, 500);
  if (result.is<rc::detail::SuccessResult>()) return testing::AssertionSuccess();
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  return testing::AssertionFailure() << text.str();
}

/// The specification, unless a test gives an operation something else to do.
class Scripted : public Subject {
 public:
  Memory& memory() override { return *own_memory; }
  void run(const Call& call) override {
    const auto script = on.find(call.operation);
    script == on.end() ? right_->run(call) : script->second(call);
  }

  Memory* own_memory = &host_memory();
  std::map<Operation, std::function<void(const Call&)>> on;

 private:
  std::unique_ptr<Subject> right_ = subject_row("reference").make().subject;
};

/// A case with everything that it needs.
struct Bench {
  explicit Bench(const std::string& flags) : problem(problem_of("--property=c --subject=s " + flags)) {}

  Problem problem;
  Capabilities capabilities = kernel_capabilities();
  Scripted subject;
  Coverage coverage;
  Case one{problem, capabilities, subject, coverage};
};

constexpr const char* twelve_by_64 = "--n=12 --k=64 --seed=0x5";

/// The Failure that `call` throws, if any.
template <class Use>
std::optional<Failure> failure_of(const Use& call) {
  try {
    call();
    return std::nullopt;
  } catch (const Failure& failure) {
    return failure;
  }
}

void expect_says(const std::optional<Failure>& failure, const char* kind, const std::vector<std::string>& parts) {
  ASSERT_TRUE(failure) << "nothing failed";
  EXPECT_EQ(failure->kind, kind);
  const std::string text = failure->what();
  for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << part << " is not in: " << text;
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

std::string hex(std::uint32_t bits, int digits) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%0*x", digits, bits);
  return text;
}

/// Arbitrary elements.
template <class T>
Matrix<T> noise(std::int64_t rows, std::int64_t columns) {
  Matrix<T> matrix(rows, columns);
  for (std::size_t i = 0; i < matrix.elements.size(); ++i) matrix.elements[i] = static_cast<T>(mixed(i + 99));
  return matrix;
}

// --- Texts of mismatches

TEST(Mismatch, NamesThePlaceAndTheParametersOfAWrongWeight) {
  Bench b(twelve_by_64);
  const Matrix<std::uint8_t> codes = b.one.codes();
  const Parameters parameters = b.one.parameters();
  Matrix<std::uint32_t> expected(12, 64), got(12, 64);
  expected(9, 25) = 0x4000;
  got(9, 25) = 0x4040;
  expected(9, 41) = 0xffc0;
  expect_says(failure_of([&] { b.one.expect_equal(got, expected); }), "mismatch",
              {"2 of 768 elements are wrong:",
               "row 9, column 25 (n-tile 1, k-tile 1, lane 4, word 68, nibble 7): code " +
                   std::to_string(codes(9, 25)) + ", group 0, scale " + hex(parameters.scales(0, 9), 4) + ", zero " +
                   hex(parameters.zeros(0, 9), 4) + ": expected 0x4000 (2), got 0x4040 (3)",
               "row 9, column 41 (n-tile 1, k-tile 2, lane 4, word 100, nibble 5): code " +
                   std::to_string(codes(9, 41)) + ", group 1, scale " + hex(parameters.scales(1, 9), 4) + ", zero " +
                   hex(parameters.zeros(1, 9), 4) + ": expected 0xffc0 (",
               "got 0x0000 (0)"});
}

TEST(Mismatch, NamesLanesAndWordsOfEveryInnerKTiles) {
  struct Row {
    const char* flags;
    std::int64_t row, column;
    const char* place;
  };
  for (const Row& row :
       {Row{"--n=8 --k=64 --format=tinygemm-4", 0, 32, "(n-tile 0, k-tile 2, lane 0, word 1, nibble 0)"},
        {"--n=8 --k=64 --format=tinygemm-4", 7, 63, "(n-tile 0, k-tile 3, lane 31, word 63, nibble 7)"},
        {"--n=8 --k=128 --format=tinygemm-8", 3, 2, "(n-tile 0, k-tile 0, lane 13, word 52, nibble 0)"},
        {"--n=8 --k=128 --format=tinygemm-8", 0, 127, "(n-tile 0, k-tile 7, lane 3, word 15, nibble 7)"}}) {
    Bench b(row.flags);
    b.one.codes();
    Matrix<std::int32_t> expected(b.problem.n, b.problem.k), got(expected);
    got(row.row, row.column) = 3;
    expect_says(failure_of([&] { b.one.expect_equal(got, expected); }), "mismatch", {row.place, ": expected 0, got 3"});
  }
}

TEST(Mismatch, NamesThePlaceWhereNoCodesWereDrawnToo) {
  Bench b(twelve_by_64);
  Matrix<std::int32_t> expected(12, 64), got(expected);
  got(9, 25) = 3;
  expect_says(failure_of([&] { b.one.expect_equal(got, expected); }), "mismatch",
              {"row 9, column 25", "n-tile 1", "lane 4", "word 68", "nibble 7"});
}

TEST(Mismatch, NamesTheZeroPointInTheIntegerDomainAndNoneInNone) {
  Bench integer(std::string(twelve_by_64) + " --scheme=integer --weight-type=fp32 --parameter-type=fp32");
  const Parameters parameters = integer.one.parameters();
  Matrix<std::uint32_t> expected(12, 64), got(expected);
  got(3, 60) = 0xc0400000;
  expect_says(failure_of([&] { integer.one.expect_equal(got, expected); }), "mismatch",
              {"scale " + hex(parameters.scales(1, 3), 8), "zero point " + std::to_string(parameters.zero_points(1, 3)),
               "expected 0x00000000 (0), got 0xc0400000 (-3)"});

  Bench none(std::string(twelve_by_64) + " --scheme=none --weight-type=fp16 --parameter-type=fp16");
  none.one.parameters();
  const auto failure = failure_of([&] { none.one.expect_equal(got, expected); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(std::string(failure.value().what()).find("zero"), std::string::npos) << failure.value().what();
}

TEST(Mismatch, ListsAtMostTenAndCountsAll) {
  for (const std::size_t wrong : {1u, 9u, 10u, 11u, 37u, 768u}) {
    Bench b(twelve_by_64);
    Matrix<std::int32_t> expected(12, 64), got(expected);
    for (std::size_t i = 0; i < wrong; ++i) got.elements[i * 767 / std::max<std::size_t>(1, wrong - 1)] = 1;
    const auto failure = failure_of([&] { b.one.expect_equal(got, expected); });
    expect_says(failure, "mismatch", {std::to_string(wrong) + " of 768 elements "});
    const std::string text = failure.value().what();
    EXPECT_EQ(occurrences(text, ": expected "), std::min<std::size_t>(wrong, 10));
    EXPECT_EQ(occurrences(text, "; the first ten:"), wrong > 10 ? 1u : 0u);
    EXPECT_NE(text.find("row 0, column 0"), std::string::npos) << "the first comes first: " << text;
  }
}

TEST(Mismatch, DrawsTheFirstWrongRow) {
  Bench b("--n=12 --k=32");
  Matrix<std::int32_t> expected(12, 32), got(expected);
  got(2, 3) = got(2, 5) = got(2, 31) = got(7, 0) = 1;
  expect_says(failure_of([&] { b.one.expect_equal(got, expected); }), "mismatch",
              {"\n  row 2: ...x.x.........................x"});
}

TEST(Mismatch, DrawsNoMoreOfARowThanATerminalShows) {
  Bench b("--n=1 --k=256");
  Matrix<std::int32_t> expected(1, 256), got(expected);
  got(0, 1) = 1;
  const std::string text = failure_of([&] { b.one.expect_equal(got, expected); }).value().what();
  EXPECT_NE(text.find("\n  row 0: .x...."), std::string::npos) << text;
  EXPECT_LT(text.size() - text.rfind('\n'), 130u) << text;
}

TEST(Mismatch, DrawsTheFirstWrongColumnHoweverFarItIs) {
  Bench b("--n=1 --k=256");
  Matrix<std::int32_t> expected(1, 256), got(expected);
  got(0, 200) = 1;
  const std::string text = failure_of([&] { b.one.expect_equal(got, expected); }).value().what();
  EXPECT_NE(text.substr(text.rfind('\n')).find('x'), std::string::npos) << text;
}

TEST(Mismatch, OfWordsNamesLaneNibblesAndPadding) {
  Bench b(twelve_by_64);
  std::vector<std::uint32_t> expected(128), got(128);
  expected[68] = 0xdeadbeef;
  got[68] = 0xeeadbee1;  // nibbles 7 and 0
  got[80] = 0x00000010;  // lane 16 of the second n-tile: row 12 of 12
  expect_says(failure_of([&] { b.one.expect_equal(got, expected); }), "mismatch",
              {"2 of 128 words are wrong", "word 68 (n-tile 1, lane 4): expected 0xdeadbeef, got 0xeeadbee1",
               "7 (row 9 column 25)", "0 (row 9 column 0)",
               "word 80 (n-tile 1, lane 16): expected 0x00000000, got 0x00000010", "1 (row 12 column 8, padding)"});
  Bench wide("--n=8 --k=64 --format=tinygemm-4");
  std::vector<std::uint32_t> other(64), wrong(64);
  wrong[63] = 0xf0000000;
  expect_says(failure_of([&] { wide.one.expect_equal(wrong, other); }), "mismatch",
              {"1 of 64 words is wrong", "word 63 (n-tile 0, lane 31)", "7 (row 7 column 63)"});
}

TEST(Mismatch, OfWordsListsAtMostTenAndCountsAll) {
  Bench b(twelve_by_64);
  const std::vector<std::uint32_t> expected(128), got(128, 1);
  const auto failure = failure_of([&] { b.one.expect_equal(got, expected); });
  expect_says(failure, "mismatch", {"128 of 128 words are wrong; the first ten:"});
  EXPECT_EQ(occurrences(failure.value().what(), ": expected "), 10u);
}

// --- Nothing different compares equal

/// Whether a comparison finds no difference.
template <class Compared>
bool equal(Bench& b, const Compared& got, const Compared& expected) {
  return !failure_of([&] { b.one.expect_equal(got, expected); });
}

template <class T>
class Comparison : public testing::Test {};
using ComparedTypes = testing::Types<std::uint8_t, std::int32_t, std::uint32_t>;
TYPED_TEST_SUITE(Comparison, ComparedTypes);

TYPED_TEST(Comparison, SeesAnyOneElementThatDiffersInAnyOneBit) {
  Bench b("--n=9 --k=32");
  Matrix<TypeParam> expected = noise<TypeParam>(9, 32);
  expected(0, 0) = 0;
  expected(8, 31) = static_cast<TypeParam>(~TypeParam{0});
  ASSERT_TRUE(equal(b, expected, expected));
  for (std::size_t i = 0; i < expected.elements.size(); ++i) {
    for (std::size_t bit = 0; bit < 8 * sizeof(TypeParam); ++bit) {
      Matrix<TypeParam> got = expected;
      got.elements[i] = static_cast<TypeParam>(got.elements[i] ^ static_cast<TypeParam>(TypeParam{1} << bit));
      ASSERT_FALSE(equal(b, got, expected)) << i << ", bit " << bit;
      ASSERT_FALSE(equal(b, expected, got)) << i << ", bit " << bit;
    }
  }
}

TYPED_TEST(Comparison, NeverFindsTwoDifferentMatricesEqual) {
  EXPECT_TRUE(holds([] {
    Bench b("--n=64 --k=64");
    const auto rows = *rc::gen::inRange<std::int64_t>(1, 40);
    const auto columns = *rc::gen::inRange<std::int64_t>(1, 70);
    const Matrix<TypeParam> expected = noise<TypeParam>(rows, columns);
    Matrix<TypeParam> got = expected;
    const auto row = *rc::gen::inRange<std::int64_t>(0, rows);
    const auto column = *rc::gen::inRange<std::int64_t>(0, columns);
    got(row, column) = static_cast<TypeParam>(*rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint32_t>()));
    const bool same = got(row, column) == expected(row, column);
    RC_ASSERT(equal(b, got, expected) == same);
  }));
}

TYPED_TEST(Comparison, SeesAShapeThatDiffers) {
  Bench b("--n=64 --k=64");
  const auto zeros = [](std::int64_t rows, std::int64_t columns) { return Matrix<TypeParam>(rows, columns); };
  EXPECT_TRUE(equal(b, zeros(6, 32), zeros(6, 32)));
  for (const auto& got :
       {zeros(5, 32), zeros(7, 32), zeros(6, 31), zeros(6, 33), zeros(32, 6), zeros(12, 16), zeros(0, 0)}) {
    expect_says(failure_of([&] { b.one.expect_equal(got, zeros(6, 32)); }), "mismatch",
                {std::to_string(got.rows) + " x " + std::to_string(got.columns), "expected 6 x 32"});
    EXPECT_FALSE(equal(b, zeros(6, 32), got));
  }
}

TEST(ComparisonOfWords, SeesAnyOneWordThatDiffersInAnyOneBit) {
  Bench b(twelve_by_64);
  const std::vector<std::uint32_t> expected = b.one.words();
  ASSERT_TRUE(equal(b, expected, expected));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    for (int bit = 0; bit < 32; ++bit) {
      std::vector<std::uint32_t> got = expected;
      got[i] ^= 1u << bit;
      ASSERT_FALSE(equal(b, got, expected)) << i << ", bit " << bit;
    }
  }
}

TEST(ComparisonOfWords, SeesOneWordTooFewOrTooMany) {
  Bench b(twelve_by_64);
  const std::vector<std::uint32_t> expected(128);
  expect_says(failure_of([&] { b.one.expect_equal(std::vector<std::uint32_t>(127), expected); }), "mismatch",
              {"the result has 127 words, expected 128"});  // not that a word expected to be 0 is missing
  EXPECT_FALSE(equal(b, std::vector<std::uint32_t>(129), expected));
  EXPECT_FALSE(equal(b, std::vector<std::uint32_t>(), expected));
  EXPECT_FALSE(equal(b, expected, std::vector<std::uint32_t>()));
}

TEST(ComparisonOfWeights, SeesAnyOneBitOfEveryTypeWhetherOrNotSomeAreExplained) {
  const Explanation nothing = [](std::int64_t, std::int64_t, std::uint32_t) -> const char* { return nullptr; };
  for (const Type type : {Type::bf16, Type::fp16, Type::fp32}) {
    Bench b(std::string("--n=3 --k=32 --weight-type=") + name_of(type) + " --parameter-type=" + name_of(type));
    const auto expect_told_apart = [&](const Matrix<std::uint32_t>& got, const Matrix<std::uint32_t>& expected) {
      EXPECT_FALSE(equal(b, got, expected)) << name_of(type);
      EXPECT_TRUE(failure_of([&] { b.one.expect_equal_or_explained(got, expected, nothing); })) << name_of(type);
    };
    const int bits = float_format_of(type).bits();
    Matrix<std::uint32_t> expected = noise<std::uint32_t>(3, 5);
    for (std::uint32_t& element : expected.elements) element >>= 32 - bits;
    expected(0, 0) = 0;
    expected(2, 4) = ~std::uint32_t{0} >> (32 - bits);
    EXPECT_FALSE(failure_of([&] { b.one.expect_equal_or_explained(expected, expected, nothing); }));
    for (std::size_t i = 0; i < expected.elements.size(); ++i) {
      for (int bit = 0; bit < bits; ++bit) {
        Matrix<std::uint32_t> got = expected;
        got.elements[i] ^= std::uint32_t{1} << bit;
        expect_told_apart(got, expected);
        expect_told_apart(expected, got);
      }
    }
    expect_told_apart(Matrix<std::uint32_t>(3, 6), expected);
    expect_told_apart(Matrix<std::uint32_t>(5, 3), Matrix<std::uint32_t>(3, 5));
  }
}

TEST(ComparisonOfWeights, TellsNaNPayloadsAndSignsOfZeroApart) {
  for (const char* type : {"bf16", "fp16", "fp32"}) {
    Bench b(std::string("--n=1 --k=32 --weight-type=") + type + " --parameter-type=" + type);
    const reference::FloatFormat format = float_format_of(b.problem.types.weight);
    const auto single = [](std::uint32_t bits) {
      Matrix<std::uint32_t> matrix(1, 1);
      matrix(0, 0) = bits;
      return matrix;
    };
    const std::uint32_t nan = format.canonical_nan();
    for (const std::uint32_t other : {nan - 1, nan | format.sign_bit(), format.infinity() + 1}) {
      EXPECT_FALSE(equal(b, single(other), single(nan))) << type << " " << hex(other, 8);
      EXPECT_TRUE(equal(b, single(other), single(other)));
    }
    EXPECT_FALSE(equal(b, single(format.sign_bit()), single(0))) << type;
    EXPECT_FALSE(equal(b, single(0), single(format.sign_bit()))) << type;
  }
}

TEST(ComparisonOfWeights, CountsNaNsOfOtherBitsWhereTheSubjectDoesNotPromiseTheHardwares) {
  const char* reason = "a NaN with other bits: the subject does not promise the hardware's";
  for (const char* type : {"bf16", "fp16", "fp32"}) {
    Bench b(std::string("--n=1 --k=32 --weight-type=") + type + " --parameter-type=" + type);
    const reference::FloatFormat format = float_format_of(b.problem.types.weight);
    const std::uint32_t nan = format.canonical_nan();
    Matrix<std::uint32_t> got(1, 2), expected(1, 2);
    expected.elements = {nan, 5};
    got.elements = {nan | format.sign_bit(), 5};
    EXPECT_FALSE(equal(b, got, expected)) << type;
    b.capabilities.one_nan = false;
    EXPECT_TRUE(equal(b, got, expected)) << type;
    EXPECT_EQ(b.coverage.explained, (std::map<std::string, std::int64_t>{{reason, 1}}));
    got.elements[0] = format.infinity() + 1;  // a signalling NaN
    EXPECT_TRUE(equal(b, got, expected)) << type;
    EXPECT_EQ(b.coverage.explained[reason], 2);
    EXPECT_TRUE(equal(b, expected, expected)) << type;
    EXPECT_EQ(b.coverage.explained[reason], 2) << "the same bits need no explanation";
    // A NaN in place of a number is wrong, and so is a number in place of a NaN.
    got.elements = {format.infinity(), 5};
    EXPECT_FALSE(equal(b, got, expected)) << type;
    got.elements = {nan, nan};
    EXPECT_FALSE(equal(b, got, expected)) << type;
    // A zero with the wrong sign is wrong too.
    expected.elements = {0, 5};
    got.elements = {format.sign_bit(), 5};
    EXPECT_FALSE(equal(b, got, expected)) << type;
  }
}

TEST(NaNsOfASubject, MayEqualEveryPoison) {
  Bench b(twelve_by_64);
  b.capabilities.one_nan = false;
  std::int64_t first = 0;  // element that the subject writes
  b.subject.on[Operation::dequantize] = [&](const Call& c) {
    for (std::int64_t i = first; i < c.n * c.k; ++i) stored(c.weights(), Type::bf16, i, i % 2 == 0 ? 0xffa5 : 0xffda);
  };
  const Parameters parameters = b.one.parameters();
  const std::vector<std::uint32_t> packed = b.one.words();
  const Matrix<std::uint32_t> weights = b.one.dequantize(packed, parameters);
  EXPECT_EQ(weights(0, 0), 0xffa5u);
  EXPECT_EQ(weights(0, 1), 0xffdau);
  first = 1;
  expect_says(failure_of([&] { b.one.dequantize(packed, parameters); }), "guard", {"the first is element 0 of 768"});
}

TEST(ComparisonOfCodes, TakesNothingForANaN) {
  Bench b(twelve_by_64);
  b.capabilities.one_nan = false;
  Matrix<std::int32_t> got(1, 1), expected(1, 1);
  got(0, 0) = 0x7fc1;
  expected(0, 0) = 0x7fc0;
  EXPECT_FALSE(equal(b, got, expected));
}

// --- Bounds and explanations

Matrix<double> numbers(const std::vector<double>& elements) {
  Matrix<double> matrix(1, static_cast<std::int64_t>(elements.size()));
  matrix.elements = elements;
  return matrix;
}

bool within(const std::vector<double>& got, const std::vector<double>& exact, const std::vector<double>& bound) {
  Bench b(twelve_by_64);
  return !failure_of([&] { b.one.expect_within(numbers(got), numbers(exact), numbers(bound), "triangle bound"); });
}

TEST(Bound, IsKeptOnItAndBrokenAboveIt) {
  EXPECT_TRUE(within({1.5, -1.5, 3}, {1, -1, 3}, {0.5, 0.5, 0}));
  EXPECT_FALSE(within({std::nextafter(1.5, 2)}, {1}, {0.5}));
  EXPECT_FALSE(within({std::nextafter(-1.5, -2)}, {-1}, {0.5}));
  EXPECT_FALSE(within({3, 3, std::nextafter(3.0, 4)}, {3, 3, 3}, {0, 0, 0}));
}

TEST(Bound, IsBrokenByWhateverIsNoNumber) {
  EXPECT_FALSE(within({NAN}, {1}, {1e300}));
  EXPECT_FALSE(within({1}, {NAN}, {1e300}));
  EXPECT_FALSE(within({1}, {1}, {NAN}));
  EXPECT_FALSE(within({INFINITY}, {1}, {1e300}));
  EXPECT_FALSE(within({-INFINITY}, {INFINITY}, {1e300}));
}

TEST(Bound, ThatIsInfiniteBoundsNothingAndIsNotKept) {
  EXPECT_FALSE(within({17}, {INFINITY}, {INFINITY}));
  EXPECT_FALSE(within({17}, {1}, {INFINITY}));
}

TEST(Bound, IsBrokenByAShapeThatDiffers) {
  EXPECT_FALSE(within({}, {1, 2}, {9, 9}));
  EXPECT_FALSE(within({1}, {1, 2}, {9, 9}));
}

TEST(Bound, IsNamedWithTheElementsOutsideIt) {
  Bench b(twelve_by_64);
  const auto failure = failure_of([&] {
    b.one.expect_within(numbers(std::vector<double>(12, 3)), numbers(std::vector<double>(12, 1)),
                        numbers(std::vector<double>(12, 0.25)), "triangle bound");
  });
  expect_says(failure, "mismatch",
              {"12 of 12 elements are outside the triangle bound; the first ten:", "row 0, column 0",
               "exact 1, got 3, off by 2, the bound is 0.25"});
  EXPECT_EQ(occurrences(failure.value().what(), ": exact "), 10u);
}

TEST(Explanation, CountsWhatItExplainsAndFailsTheRest) {
  Bench b(twelve_by_64);
  Matrix<std::uint32_t> expected(12, 64), got(expected);
  got(1, 1) = got(2, 2) = got(3, 3) = 7;
  got(11, 63) = 8;
  int asked = 0;
  const Explanation sevens = [&](std::int64_t row, std::int64_t column, std::uint32_t bits) -> const char* {
    ++asked;
    EXPECT_EQ(bits, got(row, column));
    return bits == 7 ? "a seven" : nullptr;
  };
  expect_says(failure_of([&] { b.one.expect_equal_or_explained(got, expected, sevens); }), "mismatch",
              {"1 of 768 elements is wrong", "row 11, column 63"});
  EXPECT_EQ(asked, 4) << "only what differs needs an explanation";
  EXPECT_EQ(b.coverage.explained, (std::map<std::string, std::int64_t>{{"a seven", 3}}));

  got(11, 63) = 0;
  EXPECT_FALSE(failure_of([&] { b.one.expect_equal_or_explained(got, expected, sevens); }));
  EXPECT_EQ(b.coverage.explained["a seven"], 6);
}

// --- Coverage

TEST(MetByACase, AreTheElementsItComparedAndTheirValues) {
  Bench b(twelve_by_64);
  EXPECT_EQ(b.coverage.compared, 0);
  b.one.expect_equal(Matrix<std::int32_t>(12, 64), Matrix<std::int32_t>(12, 64));
  EXPECT_EQ(b.coverage.compared, 768);
  EXPECT_FALSE(b.coverage.several_values);
  b.one.expect_equal(std::vector<std::uint32_t>{0, 1}, std::vector<std::uint32_t>{0, 1});
  EXPECT_EQ(b.coverage.compared, 770);
  EXPECT_TRUE(b.coverage.several_values);
}

/// The classes that a problem is counted in once something was compared.
std::set<std::string> classes_met_by(const std::string& flags) {
  Bench b(flags);
  b.one.expect_equal(std::vector<std::uint32_t>{0, 1}, std::vector<std::uint32_t>{0, 1});
  std::set<std::string> names;
  for (const auto& [name, count] : b.coverage.classes) names.insert(name);
  return names;
}

TEST(MetByACase, AreTheClassesOfItsProblem) {
  EXPECT_EQ(classes_met_by("--n=12 --k=64 --weight-type=fp16 --parameter-type=fp16"),
            (std::set<std::string>{"format tinygemm-2", "weights fp16", "padding", "several groups", "not square",
                                   "group equal to a block"}));
  EXPECT_EQ(
      classes_met_by("--n=64 --k=64 --format=tinygemm-4 --group-size=64"),
      (std::set<std::string>{"format tinygemm-4", "weights bf16", "group equal to a block", "square as tinygemm-4"}));
  EXPECT_EQ(classes_met_by("--n=32 --k=32 --group-size=16 --weight-type=fp32 --parameter-type=fp32"),
            (std::set<std::string>{"format tinygemm-2", "weights fp32", "several groups", "group smaller than a block",
                                   "square as tinygemm-2"}));
  EXPECT_EQ(classes_met_by("--n=128 --k=128 --format=tinygemm-2 --group-size=128"),
            (std::set<std::string>{"format tinygemm-2", "weights bf16", "group larger than a block",
                                   "square as tinygemm-2"}));
}

TEST(MetByACase, AreTheClassesOfUnusualGroups) {
  EXPECT_EQ(classes_met_by("--n=8 --k=768 --group-size=384"),
            (std::set<std::string>{"format tinygemm-2", "weights bf16", "several groups", "not square",
                                   "group larger than a block", "group of more than 256", "group of no power of two"}));
  EXPECT_TRUE(classes_met_by("--n=8 --k=288 --group-size=16").contains("more groups than group_size"));
  EXPECT_FALSE(classes_met_by("--n=8 --k=256 --group-size=16").contains("more groups than group_size"));
}

TEST(MetByACase, AreTheClassesOfItsScales) {
  Bench b("--n=8 --k=32 --profile=ordinary");
  b.one.parameters();
  EXPECT_EQ(b.coverage.classes.count("scale normal"), 1u);
  EXPECT_EQ(b.coverage.classes.count("scale infinity"), 0u);
  Bench special("--n=256 --k=64 --profile=edges");
  special.one.parameters();
  for (const ValueClass& row : value_classes())
    EXPECT_EQ(special.coverage.classes.count(std::string("scale ") + row.name), 1u) << row.name;
}

TEST(MetByACase, AreTheCodesItDrewAtTheirNibbles) {
  Bench b("--n=3 --k=32 --seed=0x5");
  const Matrix<std::uint8_t> codes = b.one.codes();
  decltype(Coverage::code_at_nibble) expected = {};
  for (std::int64_t column = 0; column < 32; ++column) {
    // Index of the code in its lane: the k-tile, then the column's index among 2 * (lane % 4) + {0, 1, 8, 9}.
    const std::int64_t value = column / 16 * 4 + column % 16 / 8 * 2 + column % 2;
    constexpr std::size_t nibble_of_value[] = {0, 4, 1, 5, 2, 6, 3, 7};
    for (std::int64_t row = 0; row < 3; ++row) expected[codes(row, column)][nibble_of_value[value]] = true;
  }
  EXPECT_EQ(b.coverage.code_at_nibble, expected);
}

TEST(MetByACase, AreItsCodesAtTheirNibblesHoweverFewOrMany) {
  for (const char* inner_k_tiles : {"2", "4", "8"}) {
    for (const char* n : {"1", "2", "13"}) {
      Bench bench(std::string("--k=128 --seed=0x7 --format=tinygemm-") + inner_k_tiles + " --n=" + n);
      const Matrix<std::uint8_t> codes = bench.one.codes();
      std::array<std::array<bool, 8>, 16> expected = {};
      const auto inner = static_cast<int>(tinygemm_number(*bench.problem.format));
      for (std::int64_t row = 0; row < codes.rows; ++row) {
        for (std::int64_t column = 0; column < codes.columns; ++column) {
          const int nibble = reference::place_of(row, column, codes.columns, inner).nibble;
          expected[codes(row, column)][static_cast<std::size_t>(nibble)] = true;
        }
      }
      EXPECT_EQ(bench.coverage.code_at_nibble, expected) << "n " << n << ", inner_k_tiles " << inner_k_tiles;
    }
  }
}

TEST(Specified, IsWhatTheSpecificationSaysOfEveryShape) {
  for (const int inner_k_tiles : {2, 4, 8}) {
    for (const std::int64_t n : {1, 7, 8, 9, 17}) {
      for (std::int64_t k = 16 * inner_k_tiles; k <= 3 * 16 * inner_k_tiles; k += 16 * inner_k_tiles) {
        Matrix<std::uint8_t> codes = noise<std::uint8_t>(n, k);
        for (std::uint8_t& code : codes.elements) code &= 15;
        std::vector<std::uint32_t> packed(static_cast<std::size_t>(reference::words_of(n, k)));
        reference::pack(specified::pairs(codes).data(), n, k, inner_k_tiles, packed.data());
        EXPECT_EQ(specified::packed(*tinygemm(inner_k_tiles), codes), packed);
        Matrix<std::int32_t> unpacked(n, k);
        reference::unpack(packed.data(), n, k, inner_k_tiles, unpacked.elements.data());
        EXPECT_EQ(specified::unpacked(*tinygemm(inner_k_tiles), packed, {n, k}).elements, unpacked.elements);
      }
    }
  }
}

TEST(Specified, ConvertsAsTheSpecificationOfTwoLayoutsDoes) {
  constexpr Size size = {13, 64};
  std::vector<std::uint32_t> from(static_cast<std::size_t>(tinygemm(2)->layout.units(size)));
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::uint32_t>(mixed(i));  // of the padding too
  std::vector<std::uint32_t> to(static_cast<std::size_t>(tinygemm(4)->layout.units(size)));
  reference::convert<reference::TensorCoreTiled<2>, reference::TensorCoreTiled<4>>(from.data(), size, to.data());
  EXPECT_EQ(specified::converted(*tinygemm(2), *tinygemm(4), from, size), to);
}

TEST(Specified, HasAWeightForWhatIsNoCodeToo) {
  for (const char* flags : {"--scheme=float --weight-type=bf16 --parameter-type=bf16",
                            "--scheme=integer --weight-type=fp16 --parameter-type=fp16",
                            "--scheme=none --weight-type=fp32 --parameter-type=fp32"}) {
    Bench bench(std::string("--n=3 --k=96 --group-size=48 --profile=mixed --seed=0x9 ") + flags);
    const Parameters parameters = bench.one.parameters();
    Matrix<std::int32_t> codes(3, 96);
    for (std::size_t i = 0; i < codes.elements.size(); ++i) codes.elements[i] = static_cast<std::int32_t>(i % 23) - 4;
    const Matrix<std::uint32_t> weights = specified::weights(bench.problem, codes, parameters);
    for (std::int64_t row = 0; row < codes.rows; ++row) {
      for (std::int64_t column = 0; column < codes.columns; ++column) {
        ASSERT_EQ(weights(row, column), specified::weight(bench.problem, codes(row, column), parameters, row, column));
      }
    }
  }
}

/// Requires a weight that a formula with a rounding more gives to be told as that, and its mirror image beyond the
/// specified one not to be.
template <class WithARoundingMore>
void expect_two_roundings(const std::string& flags, WithARoundingMore of) {
  using namespace reference;
  Bench bench("--n=64 --k=512 --group-size=32 --profile=ordinary --seed=0x9 " + flags);
  const Problem& p = bench.problem;
  const Matrix<std::uint8_t> codes = bench.one.codes();
  const Parameters parameters = bench.one.parameters();
  const FloatFormat type = float_format_of(p.types.weight);
  int differ = 0;
  for (std::int64_t i = 0; i < p.n * p.k; ++i) {
    const std::int64_t row = i / p.k, column = i % p.k;
    const reference::Element group = p.group_of(row, column);
    const std::uint32_t scale = parameters.scales(group.k, group.n);
    const std::uint32_t zero = specified::zero_of(p, parameters, group);
    const std::uint32_t right = specified::weight(p, codes(row, column), parameters, row, column);
    const std::uint32_t got = rounded(type, of(codes(row, column), decode<std::uint64_t>(type, scale), zero));
    if (got == right) continue;
    ++differ;
    const auto told = [&](std::uint32_t weight) {
      return specified::is_of_two_roundings(p, codes(row, column), scale, zero, weight);
    };
    EXPECT_TRUE(told(got)) << place_text(p, row, column);
    EXPECT_FALSE(told(2 * right - got)) << place_text(p, row, column);
  }
  EXPECT_GT(differ, 50) << flags;
}

TEST(TwoRoundings, AreToldFromOtherMistakesInALastPlace) {
  using namespace reference;
  const auto step = [](FloatFormat type, const Exact& value) {
    return decode<std::uint64_t>(type, rounded(type, value));
  };
  expect_two_roundings("--scheme=float --weight-type=bf16 --parameter-type=bf16",
                       [&](int code, const Exact& scale, std::uint32_t zero) {
                         return sum(step(bf16, product(whole(code - 8), scale)), decode<std::uint64_t>(bf16, zero));
                       });
  expect_two_roundings("--scheme=float --weight-type=fp32 --parameter-type=fp32",
                       [&](int code, const Exact& scale, std::uint32_t zero) {
                         return sum(step(fp32, product(whole(code - 8), scale)), decode<std::uint64_t>(fp32, zero));
                       });
  expect_two_roundings("--scheme=integer --weight-type=fp16 --parameter-type=fp16",
                       [&](int code, const Exact& scale, std::uint32_t zero) {
                         const int point = static_cast<std::int32_t>(zero);
                         return sum(step(fp16, product(whole(code), scale)), step(fp16, product(whole(-point), scale)));
                       });
}

TEST(MetByACase, AreTheNibblesOfItsWords) {
  Bench b("--n=1 --k=32 --seed=0x5");
  decltype(Coverage::code_at_nibble) expected = {};
  for (const std::uint32_t word : b.one.words()) {
    for (std::size_t nibble = 0; nibble < 8; ++nibble) expected[word >> (4 * nibble) & 15][nibble] = true;
  }
  EXPECT_EQ(b.coverage.code_at_nibble, expected);
}

TEST(MetByACase, AreTheSameValuesTogetherAsOneByOne) {
  for (const std::vector<std::uint16_t>& values :
       {std::vector<std::uint16_t>{}, {7}, {7, 7, 7}, {7, 7, 8}, {8, 7, 7}, {1, 2, 3, 4}}) {
    for (const std::vector<std::uint16_t>& before : {std::vector<std::uint16_t>{}, {7}, {9}, {1, 2}}) {
      Coverage together, apart;
      for (Coverage* coverage : {&together, &apart}) {
        for (const std::uint16_t value : before) coverage->expected_value(value);
      }
      together.expected_all(values);
      for (const std::uint16_t value : values) apart.expected_value(value);
      EXPECT_EQ(together.compared, apart.compared);
      EXPECT_EQ(together.several_values, apart.several_values);
      EXPECT_EQ(together.first_value, apart.first_value);
    }
  }
}

TEST(HashOfOutputs, IsAnotherForEachChangeOfOneValueOrOfTheirOrder) {
  const auto hash_of = [](const std::vector<std::uint32_t>& values, const std::vector<std::uint32_t>& before = {}) {
    Coverage coverage;
    coverage.output_all(before);
    coverage.output_all(values);
    return coverage.output_hash;
  };
  for (std::uint32_t count = 1; count <= 13; ++count) {
    std::vector<std::uint32_t> values(count);
    std::iota(values.begin(), values.end(), 0);
    const std::uint64_t hash = hash_of(values);
    EXPECT_EQ(hash, hash_of(values));
    std::set<std::uint64_t> others = {hash_of(values, {7})};
    std::size_t tried = 1;
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::vector<std::uint32_t> other = values;
      other[i] ^= 1u << 31;
      others.insert(hash_of(other));
      other.erase(other.begin() + static_cast<std::ptrdiff_t>(i));
      others.insert(hash_of(other));
      tried += 2;
      for (std::size_t j = 0; j < i; ++j, ++tried) {
        other = values;
        std::swap(other[i], other[j]);
        others.insert(hash_of(other));
      }
    }
    EXPECT_EQ(others.size(), tried) << count;
    EXPECT_FALSE(others.contains(hash)) << count;
  }
}

TEST(MetByACase, IsWhatEveryOperationGave) {
  std::set<std::uint64_t> hashes;
  const auto hash_after = [&](const std::function<void(Case&)>& body) {
    Bench b(twelve_by_64);
    body(b.one);
    hashes.insert(b.coverage.output_hash);
  };
  const std::vector<std::uint32_t> packed = Bench(twelve_by_64).one.words();
  hash_after([](Case&) {});
  hash_after([](Case& c) { c.pack(c.codes()); });
  hash_after([&](Case& c) { c.unpack(packed); });
  hash_after([&](Case& c) { c.dequantize(packed, c.parameters()); });
  EXPECT_EQ(hashes.size(), 4u);
  hash_after([&](Case& c) { c.unpack(packed); });
  EXPECT_EQ(hashes.size(), 4u) << "the same again";
  std::vector<std::uint32_t> changed = packed;
  changed[70] ^= 1u << 13;
  hash_after([&](Case& c) { c.unpack(changed); });
  EXPECT_EQ(hashes.size(), 5u);
}

// --- Data

/// All that a case draws, as numbers.
std::vector<std::uint64_t> data_of(const std::string& flags) {
  Bench b(flags);
  std::vector<std::uint64_t> all;
  for (const std::uint8_t code : b.one.codes().elements) all.push_back(code);
  for (const std::uint32_t word : b.one.words()) all.push_back(word);
  const Parameters parameters = b.one.parameters();
  for (const std::uint32_t scale : parameters.scales.elements) all.push_back(scale);
  for (const std::uint32_t zero : parameters.zeros.elements) all.push_back(zero);
  for (const std::int8_t point : parameters.zero_points.elements) all.push_back(static_cast<std::uint8_t>(point));
  for (std::uint64_t i = 0; i < 8; ++i) all.push_back(b.one.choice(i));
  return all;
}

TEST(Data, AreTheSameForTheSameSeedInWhateverOrderTheyAreDrawn) {
  EXPECT_EQ(data_of(twelve_by_64), data_of(twelve_by_64));
  Bench b(twelve_by_64);
  const Parameters first = b.one.parameters();
  const Matrix<std::uint8_t> codes = b.one.codes();
  b.one.words();
  EXPECT_EQ(b.one.codes().elements, codes.elements);
  EXPECT_EQ(b.one.parameters().scales.elements, first.scales.elements);
}

TEST(Data, DifferBetweenSeeds) {
  for (const char* other : {"--seed=0x4", "--seed=0x6", "--seed=0x8000000000000005"}) {
    const std::vector<std::uint64_t> five = data_of("--n=12 --k=64 --seed=0x5");
    const std::vector<std::uint64_t> others = data_of(std::string("--n=12 --k=64 ") + other);
    ASSERT_EQ(five.size(), others.size());
    std::size_t same = 0;
    for (std::size_t i = 0; i < five.size(); ++i) same += five[i] == others[i] ? 1 : 0;
    EXPECT_LT(same, five.size() / 8) << other;  // two codes agree by chance in one case of sixteen
  }
}

TEST(Data, HaveTheShapesOfTheirProblem) {
  Bench b("--n=12 --k=192 --format=tinygemm-4 --group-size=48");
  EXPECT_EQ(b.one.codes().rows, 12);
  EXPECT_EQ(b.one.codes().columns, 192);
  EXPECT_EQ(b.one.words().size(), 16u * 192 / 8);
  const Parameters parameters = b.one.parameters();
  for (const auto* matrix : {&parameters.scales, &parameters.zeros}) {
    EXPECT_EQ(matrix->rows, 4);
    EXPECT_EQ(matrix->columns, 12);
  }
  EXPECT_EQ(parameters.zero_points.rows, 4);
  EXPECT_EQ(parameters.zero_points.columns, 12);
}

TEST(Data, CoverTheirWholeWidth) {
  Bench b("--n=64 --k=256 --seed=0x7");
  std::vector<int> counts(16);
  for (const std::uint8_t code : b.one.codes().elements) {
    ASSERT_LT(code, 16);
    ++counts[code];
  }
  for (const int count : counts) EXPECT_NEAR(count, 1024, 160);
  std::uint32_t ones = 0, zeros = 0;
  for (const std::uint32_t word : b.one.words()) {
    ones |= word;
    zeros |= ~word;
  }
  EXPECT_EQ(ones & zeros, 0xffffffff);
  Bench many("--n=256 --k=256 --group-size=16");
  const Parameters parameters = many.one.parameters();
  const std::set<std::int8_t> points(parameters.zero_points.elements.begin(), parameters.zero_points.elements.end());
  EXPECT_EQ(points.size(), 256u);
}

TEST(Data, ReachEveryCodeAtEveryNibble) {
  const CoverageGoal& goal = every_code_at_every_nibble.goals.front();
  for (const Format* format : tinygemm_formats()) {
    const std::string flags = std::string("--n=96 --k=128 --seed=0x1 --format=") + format->name;
    Bench codes(flags), words(flags);
    codes.one.codes();
    words.one.words();
    EXPECT_TRUE(goal.is_met(codes.coverage, goal.name)) << format->name;
    EXPECT_TRUE(goal.is_met(words.coverage, goal.name)) << format->name;
  }
}

TEST(Data, OfGroupsComeFromTheProblemsProfileAndType) {
  for (const Profile& profile : profiles()) {
    Bench b(std::string(twelve_by_64) + " --weight-type=fp16 --parameter-type=fp16 --profile=" + profile.name);
    const Parameters parameters = b.one.parameters();
    for (std::size_t i = 0; i < parameters.scales.elements.size(); ++i) {
      const ScaleAndZero both = profile.drawn(reference::fp16, 5, i);
      EXPECT_EQ(parameters.scales.elements[i], both.scale);
      EXPECT_EQ(parameters.zeros.elements[i], both.zero);
    }
  }
}

// --- Operations

TEST(Operations, HandTheSubjectWhatTheCaseDrew) {
  Bench b("--n=12 --k=192 --format=tinygemm-4 --group-size=48 --seed=0x9");
  const Matrix<std::uint8_t> codes = b.one.codes();
  const Parameters parameters = b.one.parameters();
  int calls = 0;
  b.subject.on[Operation::pack] = [&](const Call& call) {
    ++calls;
    EXPECT_EQ(call.n, 12);
    EXPECT_EQ(call.k, 192);
    EXPECT_EQ(call.format, tinygemm(4));
    for (int i = 0; i < 12 * 96; ++i) {
      const std::size_t even = static_cast<std::size_t>(i) * 2;
      EXPECT_EQ(call.pairs()[i], codes.elements[even] * 16 + codes.elements[even + 1]);
    }
    for (std::uint32_t i = 0; i < 16 * 192 / 8; ++i) call.packed()[i] = i;
  };
  const std::vector<std::uint32_t> packed = b.one.pack(codes);
  EXPECT_EQ(packed.size(), 384u);
  EXPECT_EQ(packed[383], 383u);
  b.subject.on[Operation::unpack] = [&](const Call& call) {
    ++calls;
    EXPECT_EQ(call.n, 12);
    EXPECT_EQ(call.k, 192);
    EXPECT_EQ(call.format, tinygemm(4));
    EXPECT_EQ(std::vector<std::uint32_t>(call.packed(), call.packed() + 384), packed);
    for (std::int32_t i = 0; i < 12 * 192; ++i) call.codes()[i] = i;
  };
  const Matrix<std::int32_t> unpacked = b.one.unpack(packed);
  EXPECT_EQ(unpacked(1, 0), 192);
  EXPECT_EQ(unpacked(11, 191), 12 * 192 - 1);
  b.subject.on[Operation::matmul] = [&](const Call& call) {
    ++calls;
    EXPECT_EQ(call.m, 2);
    EXPECT_EQ(call.n, 12);
    EXPECT_EQ(call.k, 192);
    EXPECT_EQ(call.group_size, 48);
    EXPECT_EQ(call.format, tinygemm(4));
    EXPECT_EQ(call.activations()[191], 191);
    EXPECT_EQ(call.pairs()[95], codes(0, 190) * 16 + codes(0, 191));
    EXPECT_EQ(call.at<std::uint16_t>(Role::scales)[2 * 13], parameters.scales(1, 1));
    EXPECT_EQ(call.at<std::uint16_t>(Role::scales)[2 * 13 + 1], parameters.zeros(1, 1));
    for (std::uint16_t i = 0; i < 24; ++i) call.products()[i] = i;
  };
  Matrix<std::uint16_t> activations(2, 192);
  for (std::size_t i = 0; i < 384; ++i) activations.elements[i] = static_cast<std::uint16_t>(i);
  const Matrix<std::uint32_t> out = b.one.matmul(activations, codes, parameters);
  EXPECT_EQ(out(1, 11), 23u);
  EXPECT_EQ(calls, 3);
}

TEST(Operations, GiveAProductInTheTypeOfTheWeights) {
  Bench b(
      "--n=16 --k=64 --format=int4pack-cpu-avx512 --scheme=float --group-size=32 --weight-type=fp32 "
      "--parameter-type=bf16");
  b.subject.on[Operation::matmul] = [](const Call& call) {
    for (std::int64_t i = 0; i < call.m * call.n; ++i) call.products()[i] = 0x7fc1;  // a NaN keeps its bits
  };
  const Matrix<std::uint32_t> out = b.one.matmul(Matrix<std::uint16_t>(1, 64), b.one.codes(), b.one.parameters());
  EXPECT_EQ(out.elements, std::vector<std::uint32_t>(16, 0x7fc10000));
}

/// Reads an element of 2 or 4 bytes.
std::uint32_t element(const void* from, std::int64_t width, std::int64_t index) {
  return width == 2 ? static_cast<const std::uint16_t*>(from)[index] : static_cast<const std::uint32_t*>(from)[index];
}

TEST(Operations, HandDequantizeTheParametersOfItsDomainAndType) {
  for (const Type type : {Type::bf16, Type::fp16, Type::fp32}) {
    for (const Scheme* scheme : {scheme::floating, scheme::integer, scheme::none}) {
      Bench b(std::string("--n=3 --k=96 --seed=0x9 --profile=any --weight-type=") + name_of(type) +
              " --parameter-type=" + name_of(type) + " --scheme=" + scheme->name);
      const Parameters parameters = b.one.parameters();
      const std::vector<std::uint32_t> packed = b.one.words();
      const std::int64_t width = bytes_of(type);
      int calls = 0;
      b.subject.on[Operation::dequantize] = [&](const Call& call) {
        ++calls;
        EXPECT_EQ(call.scheme, scheme);
        EXPECT_EQ(call.types, type);
        EXPECT_EQ(call.format, tinygemm(2));
        EXPECT_EQ(std::vector<std::int64_t>({call.n, call.k, call.group_size}), std::vector<std::int64_t>({3, 96, 32}));
        EXPECT_EQ(std::vector<std::uint32_t>(call.packed(), call.packed() + packed.size()), packed);
        for (std::int64_t i = 0; i < 9; ++i) {
          const auto at = static_cast<std::size_t>(i);
          const bool floating = scheme->zero_kind == Zero::value;
          EXPECT_EQ(element(call.scales(), width, floating ? 2 * i : i), parameters.scales.elements[at]);
          if (floating) {
            EXPECT_EQ(element(call.scales(), width, 2 * i + 1), parameters.zeros.elements[at]);
          }
          if (scheme->zero_kind == Zero::point) {
            EXPECT_EQ(static_cast<const std::int8_t*>(call.zeros())[i], parameters.zero_points.elements[at]);
          }
        }
        for (std::uint32_t i = 0; i < 3 * 96; ++i) {
          if (width == 2) static_cast<std::uint16_t*>(call.weights())[i] = static_cast<std::uint16_t>(i);
          if (width == 4) static_cast<std::uint32_t*>(call.weights())[i] = i;
        }
      };
      const Matrix<std::uint32_t> weights = b.one.dequantize(packed, parameters);
      EXPECT_EQ(calls, 1);
      EXPECT_EQ(weights.rows, 3);
      EXPECT_EQ(weights.columns, 96);
      EXPECT_EQ(weights(2, 95), 287u);
    }
  }
}

TEST(Operations, OfASubjectThatWritesNothingAreGuardFailures) {
  Bench b(twelve_by_64);
  const Matrix<std::uint8_t> codes = b.one.codes();
  const Parameters parameters = b.one.parameters();
  const std::vector<std::uint32_t> packed = b.one.words();
  b.subject.on[Operation::pack] = [](const Call&) {};
  b.subject.on[Operation::unpack] = [](const Call&) {};
  b.subject.on[Operation::dequantize] = [](const Call&) {};
  b.subject.on[Operation::matmul] = [](const Call&) {};
  expect_says(failure_of([&] { b.one.unpack(packed); }), "guard", {"never wrote 768 elements of codes"});
  expect_says(failure_of([&] { b.one.dequantize(packed, parameters); }), "guard",
              {"never wrote 768 elements of weights"});
  expect_says(failure_of([&] { b.one.matmul(Matrix<std::uint16_t>(2, 64), codes, parameters); }), "guard",
              {"never wrote 24 elements of out"});
  // Any word is a legal packed word, so the guard cannot report the poison; a comparison finds it.
  EXPECT_EQ(b.one.pack(codes), std::vector<std::uint32_t>(128, 0xa5a5a5a5));
}

TEST(Operations, WhoseNansAreTheSubjectsOwnMayGiveThePoison) {
  Bench b(twelve_by_64);
  const Parameters parameters = b.one.parameters();
  const std::vector<std::uint32_t> packed = b.one.words();
  const auto is_refused = [&] { return failure_of([&] { b.one.dequantize(packed, parameters); }); };
  b.subject.on[Operation::dequantize] = [](const Call& call) {
    for (int i = 0; i < 12 * 64; ++i) stored(call.weights(), Type::bf16, i, 0xffa5);
  };
  expect_says(is_refused(), "guard", {"never wrote 768 elements of weights"});
  b.capabilities.one_nan = false;
  EXPECT_FALSE(is_refused());
  b.subject.on[Operation::dequantize] = [](const Call&) {};
  expect_says(is_refused(), "guard", {"never wrote 768 elements of weights"});
}

/// Formulas of a matrix all of whose weights are NaNs: its scales are.
generated::Parameters parameters_of_nans(const Problem& problem) {
  generated::Parameters parameters = generated::parameters_of(problem, generated::Parameters::Kind::every);
  parameters.groups = 1;
  constexpr std::uint64_t next_exponents = std::uint64_t{1} << (2 * reference::bf16.fraction_bits);
  for (;; parameters.first += next_exponents) {
    // Fraction 1 of a scale, and a zero that is no NaN.
    const generated::Pair pair = generated::pair_of(parameters, {0, 0});
    if (reference::bf16.is_nan(pair.scale | 1) && !reference::bf16.is_nan(pair.zero | 1)) break;
  }
  parameters.first += std::uint64_t{1} << reference::bf16.fraction_bits;
  return parameters;
}

TEST(Operations, OverFormulasWhoseNansAreTheSubjectsOwnMayGiveThePoison) {
  // The weights of the larger matrix are compared where they lie.
  for (const char* flags : {"--n=12 --k=64 --group-size=64", "--n=10000 --k=64 --group-size=64"}) {
    Bench b(flags);
    const generated::Codes codes = generated::codes_of(b.problem, generated::Codes::Kind::each);
    const generated::Parameters parameters = parameters_of_nans(b.problem);
    const std::int64_t all = b.problem.n * b.problem.k;
    GeneratedResult result;
    const auto failure = [&] {
      return failure_of([&] { result = b.one.run(Operation::dequantize, codes, parameters); });
    };
    std::vector<std::int64_t> left_out;
    b.subject.on[Operation::dequantize] = [&](const Call& call) {
      for (std::int64_t i = 0; i < all; ++i) {
        if (std::ranges::find(left_out, i) == left_out.end()) stored(call.weights(), Type::bf16, i, 0xffa5);
      }
    };
    expect_says(failure(), "guard", {"never wrote " + std::to_string(all) + " elements of weights"});
    b.capabilities.one_nan = false;
    EXPECT_FALSE(failure());
    EXPECT_EQ(result.differences.wrong, 0);
    EXPECT_EQ(result.differences.other_nans, all);
    left_out = {all - 30, all - 1};
    expect_says(failure(), "guard",
                {"never wrote 2 elements of weights, the first is element " + std::to_string(all - 30) + " of " +
                 std::to_string(all)});
    // Each poison is a legal value somewhere; one element holds both.
    b.subject.on[Operation::dequantize] = [&](const Call& call) {
      for (std::int64_t i = 0; i < all - 1; ++i) stored(call.weights(), Type::bf16, i, i % 2 == 0 ? 0xffda : 0xffa5);
    };
    expect_says(failure(), "guard",
                {"never wrote 1 elements of weights, the first is element " + std::to_string(all - 1) + " of " +
                 std::to_string(all)});
  }
}

TEST(Operations, OverFormulasMayPackThePoison) {
  // In bytes of two codes every byte is legal, and the poison's among them: it is no sign of a byte that was not
  // written.
  Bench b("--n=16 --k=32 --format=plain");
  const generated::Codes codes = generated::codes_of(b.problem, generated::Codes::Kind::drawn);
  GeneratedResult result;
  const auto failure_with = [&](int left_out) {
    b.subject.on[Operation::pack] = [=](const Call& call) {
      std::uint8_t* const bytes = reinterpret_cast<std::uint8_t*>(call.packed());
      for (int i = 0; i < 256; ++i) {
        if (i != left_out) bytes[i] = i % 2 == 0 ? 0xa5 : 0xda;
      }
    };
    return failure_of([&] { result = b.one.run(Operation::pack, codes, {}); });
  };
  EXPECT_FALSE(failure_with(-1));
  EXPECT_GT(result.differences.wrong, 0);
  expect_says(failure_with(7), "guard", {"never wrote 1 elements of packed, the first is element 7 of 256"});
}

TEST(Operations, RunUnderTheFillThatIsAskedFor) {
  Bench b(twelve_by_64);
  b.subject.on[Operation::pack] = [](const Call&) {};
  const Matrix<std::uint8_t> codes = b.one.codes();
  b.one.fill({.poison = 0x1234});
  EXPECT_EQ(b.one.pack(codes)[127], 0x34343434u);
  b.one.fill({});
  EXPECT_EQ(b.one.pack(codes)[127], 0xa5a5a5a5u);
}

TEST(Operations, OverOneBlockHaveItsEighteenBytesAndAFenceRightBehindThem) {
  Bench b("--n=1 --k=32 --format=q4_0 --scheme=symmetric --weight-type=fp32 --parameter-type=fp16 --seed=0x5");
  b.subject.own_memory = &lenient_host_memory();
  const std::vector<std::uint32_t> packed = b.one.words();
  EXPECT_EQ(packed.size(), 18u);
  const auto unpack_with = [&](const std::function<void(std::uint8_t*)>& use) {
    b.subject.on[Operation::unpack] = [use](const Call& call) {
      std::fill(call.codes(), call.codes() + 32, 0);
      use(call.packed_bytes());
    };
    return failure_of([&] { b.one.unpack(packed); });
  };
  std::vector<std::uint8_t> bytes;
  EXPECT_FALSE(unpack_with([&](const std::uint8_t* at) { bytes.assign(at - 1, at + 19); }));
  EXPECT_EQ(bytes.front(), 0xff);
  EXPECT_EQ(bytes.back(), 0xff);
  EXPECT_EQ(std::vector<std::uint32_t>(bytes.begin() + 1, bytes.end() - 1), packed);
  EXPECT_FALSE(unpack_with([](std::uint8_t* at) { at[18] = 0xff; }));
  expect_says(unpack_with([](std::uint8_t* at) { at[18] = 0; }), "guard",
              {"wrote outside packed: the byte 1 past its end"});
  expect_says(unpack_with([](std::uint8_t* at) { at[17] ^= 1; }), "guard",
              {"changed its input packed: element 17 of 18"});
}

TEST(Operations, OverARowOfAnOddNumberOfColumnsTakeAByteMoreAndGiveWholeWords) {
  Bench b("--n=2 --k=9 --group-size=9 --format=pack-quantized --scheme=symmetric --seed=0x5");
  Matrix<std::uint8_t> codes(2, 9);
  for (std::size_t i = 0; i < codes.elements.size(); ++i) codes.elements[i] = static_cast<std::uint8_t>(i % 15 + 1);
  std::vector<std::uint8_t> pairs;
  const auto right = std::shared_ptr<Subject>(subject_row("reference").make().subject);
  b.subject.on[Operation::pack] = [&](const Call& call) {
    pairs.assign(call.pairs(), call.pairs() + 10);
    right->run(call);
  };
  EXPECT_EQ(b.one.pack(codes), (std::vector<std::uint32_t>{0x87654321, 0x9, 0x21fedcba, 0x3}));
  EXPECT_EQ(pairs, (std::vector<std::uint8_t>{0x12, 0x34, 0x56, 0x78, 0x90, 0xab, 0xcd, 0xef, 0x12, 0x30}));
}

TEST(Operations, ThatTouchAnInputOrAFenceAreGuardFailures) {
  Bench b(twelve_by_64);
  const std::vector<std::uint32_t> packed = b.one.words();
  b.subject.on[Operation::unpack] = [](const Call& call) {
    std::fill(call.codes(), call.codes() + 768, 0);
    call.packed()[3] ^= 1;
  };
  expect_says(failure_of([&] { b.one.unpack(packed); }), "guard", {"changed its input packed: element 3 of 128"});
}

TEST(Operations, ThatReportAnErrorFailWithItAndSayWhetherTheDeviceIsLost) {
  Bench b(twelve_by_64);
  const std::vector<std::uint32_t> packed = b.one.words();
  for (const bool lost : {false, true}) {
    b.subject.on[Operation::unpack] = [&](const Call&) { throw SubjectError("an illegal memory access", lost); };
    const auto failure = failure_of([&] { b.one.unpack(packed); });
    expect_says(failure, "error", {"an illegal memory access"});
    EXPECT_EQ(failure->device_lost, lost);
  }
}

TEST(Operations, ThatASubjectLacksAreAnErrorOfTheProperty) {
  struct Nothing : Subject {
    Memory& memory() override { return host_memory(); }
  } nothing;
  Bench b(twelve_by_64);
  Case one(b.problem, b.capabilities, nothing, b.coverage);
  EXPECT_THROW(one.pack(one.codes()), std::logic_error);
}

TEST(Operations, AlignTheirTensorsAsAllocatorsDoOrOfSubjectsThatTakeItNoBetterThanPromisedOrToAPage) {
  const auto right = std::shared_ptr<Subject>(subject_row("reference").make().subject);
  struct Where {
    std::size_t least_alignment;
    int no_better = 0, before_a_page = 0, behind_a_page = 0;
  };
  for (const bool has_pages : {false, true}) {
    if (has_pages && host_memory().pages({1}).empty()) continue;  // no pages there: it forbids bytes
    std::array<Where, 3> tensors = {Where{4}, Where{2}, Where{16}};
    int least = 0;
    for (int seed = 0; seed < 64; ++seed) {
      Bench b("--n=12 --k=64 --seed=" + std::to_string(seed));
      b.subject.own_memory = has_pages ? &host_memory() : &lenient_host_memory();
      const std::vector<std::uint32_t> packed = b.one.words();
      std::array<std::uintptr_t, 3> begins = {};
      b.subject.on[Operation::dequantize] = [&](const Call& call) {
        begins = {reinterpret_cast<std::uintptr_t>(call.packed()), reinterpret_cast<std::uintptr_t>(call.scales()),
                  reinterpret_cast<std::uintptr_t>(call.weights())};
        right->run(call);
      };
      b.one.dequantize(packed, b.one.parameters());
      const bool is_least = draws_least_alignment(static_cast<std::uint64_t>(seed));
      EXPECT_EQ(b.coverage.classes["aligned to what must be taken"], is_least ? 1 : 0);
      EXPECT_EQ(b.coverage.classes["aligned as allocators align"], is_least ? 0 : 1);
      least += is_least ? 1 : 0;
      const std::array<std::size_t, 3> bytes = {packed.size() * 4, 2 * 12 * 2 * 2, 12 * 64 * 2};
      for (std::size_t i = 0; i < tensors.size() && is_least; ++i) {
        constexpr std::uintptr_t page = 4096;
        const bool no_better = begins[i] % 256 == tensors[i].least_alignment;
        const bool at_a_page = begins[i] % page == 0 || (begins[i] + bytes[i]) % page == 0;
        EXPECT_TRUE(no_better || (has_pages && at_a_page)) << i;
        ++(no_better               ? tensors[i].no_better
           : begins[i] % page == 0 ? tensors[i].behind_a_page
                                   : tensors[i].before_a_page);
      }
      b.capabilities.any_alignment = false;
      b.one.dequantize(packed, b.one.parameters());
      for (const std::uintptr_t begin : begins) EXPECT_EQ(begin % 64, 0u);
    }
    EXPECT_GT(least, 16);
    EXPECT_LT(least, 48);
    for (const Where& where : tensors) {
      EXPECT_GT(where.no_better, 5);
      EXPECT_EQ(where.before_a_page > 2, has_pages);
      EXPECT_EQ(where.behind_a_page > 2, has_pages);
    }
  }
}

// --- Operators

/// Records calls, and returns what a test says.
struct AskedSubject : Subject, Operators {
  Memory& memory() override { return lenient_host_memory(); }
  Operators* operators() override { return this; }
  void fill_own_memory(const Fill& fill) override { fills.push_back(fill); }
  OperatorResult call(const OperatorCall& call, const std::vector<void*>& at, CallMode mode,
                      const OperatorCall* alternate) override {
    return on_call(call, at, mode, alternate);
  }
  OperatorResult call_on_meta(const OperatorCall&) override { return {Element::fp32, {7}, {1}, {}}; }
  std::vector<std::string> argument_names(Operation operation) override { return {name_of(operation)}; }

  std::function<OperatorResult(const OperatorCall&, const std::vector<void*>&, CallMode, const OperatorCall*)> on_call;
  std::vector<Fill> fills;
};

struct OperatorBench : Bench {
  OperatorBench() : Bench(twelve_by_64) {}
  AskedSubject asked;
  Case of_tensors{problem, capabilities, asked, coverage};
  OperatorCall call = {
      Operation::unpack,
      {tensor_argument("packed_w", Element::int32, {2}, {1, 2, 3, 4, 5, 6, 7, 8}), number_argument("inner_k_tiles", 4),
       tensor_argument("other", Element::uint8, {3}, {9, 10, 11})}};
};

TEST(CallsOfOperators, FindTheStoragesOfTheirTensorsInTheSubjectsMemory) {
  OperatorBench b;
  const OperatorCall alternate = b.call;
  int calls = 0;
  b.asked.on_call = [&](const OperatorCall& call, const std::vector<void*>& at, CallMode mode,
                        const OperatorCall* given) -> OperatorResult {
    ++calls;
    EXPECT_EQ(&call, &b.call);
    EXPECT_EQ(mode, CallMode::graph);
    EXPECT_EQ(given, &alternate);
    EXPECT_EQ(at.size(), 2u) << "a number has no storage";
    EXPECT_EQ(std::memcmp(at.at(0), b.call.arguments[0].storage.data(), 8), 0);
    EXPECT_EQ(std::memcmp(at.at(1), b.call.arguments[2].storage.data(), 3), 0);
    return {Element::int32, {1}, {1}, {1, 0, 0, 0}};
  };
  const std::uint64_t hash = b.coverage.output_hash;
  EXPECT_EQ(b.of_tensors.call(b.call, CallMode::graph, &alternate).bytes, (std::vector<std::uint8_t>{1, 0, 0, 0}));
  EXPECT_EQ(calls, 1);
  EXPECT_NE(b.coverage.output_hash, hash);
  EXPECT_EQ(b.of_tensors.call_on_meta(b.call).sizes, Sizes{7});
  EXPECT_EQ(b.of_tensors.argument_names(Operation::matmul), std::vector<std::string>{"matmul"});
}

TEST(CallsOfOperators, CountTheStoragesOfTensorsOnTheHostToo) {
  OperatorBench b;
  b.call.arguments[0].where = Where::host;
  b.asked.on_call = [&](const OperatorCall&, const std::vector<void*>& at, CallMode,
                        const OperatorCall*) -> OperatorResult {
    EXPECT_EQ(at.size(), 2u);
    EXPECT_EQ(std::memcmp(at.at(1), b.call.arguments[2].storage.data(), 3), 0);
    return {Element::int32, {0}, {1}, {}};
  };
  b.of_tensors.call(b.call);
}

TEST(CallsOfOperators, ThatTouchAnInputOrAFenceAreGuardFailures) {
  OperatorBench b;
  for (const int place : {0, 7, 8, -1}) {
    b.asked.on_call = [=](const OperatorCall&, const std::vector<void*>& at, CallMode,
                          const OperatorCall*) -> OperatorResult {
      static_cast<std::uint8_t*>(at.at(0))[place] ^= 1;
      return {Element::int32, {0}, {1}, {}};
    };
    expect_says(failure_of([&] { b.of_tensors.call(b.call); }), "guard", {"packed_w"});
  }
}

TEST(CallsOfOperators, LetRefusalsAndWhatIsUnavailablePass) {
  OperatorBench b;
  b.asked.on_call = [](const OperatorCall&, const std::vector<void*>&, CallMode,
                       const OperatorCall*) -> OperatorResult { throw Refused("no"); };
  EXPECT_THROW(b.of_tensors.call(b.call), Refused);
  b.asked.on_call = [](const OperatorCall&, const std::vector<void*>&, CallMode,
                       const OperatorCall*) -> OperatorResult { throw Unavailable("nowhere"); };
  EXPECT_THROW(b.of_tensors.call(b.call), Unavailable);
}

TEST(CallsOfOperators, OfASubjectHearWhatItsOwnMemoryIsToHold) {
  OperatorBench b;
  ASSERT_EQ(b.asked.fills.size(), 1u) << "of a new case";
  EXPECT_EQ(b.asked.fills[0].poison, Fill().poison);
  b.of_tensors.fill({.poison = 0x1234, .fence = 0x3c});
  ASSERT_EQ(b.asked.fills.size(), 2u);
  EXPECT_EQ(b.asked.fills[1].poison, 0x1234);
  EXPECT_EQ(b.asked.fills[1].fence, 0x3c);
}

}  // namespace

}  // namespace tileproof
