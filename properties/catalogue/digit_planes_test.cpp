// Digit planes tell apart elements that moved, elements with a wrong value, and elements that were never written.
#include "properties/catalogue/digit_planes.h"

#include <gtest/gtest.h>

#include <functional>

namespace tileproof {

namespace {

constexpr Planes planes = {4, 800};  // three digits

/// @param arrives  maps the digit sent at an element to the digit that arrives there
ElementInPlanes element(std::int64_t number,
                        const std::function<std::int64_t(std::int64_t sent, int digit, bool complemented)>& arrives) {
  ElementInPlanes one = {number, {}, {}};
  for (int digit = 0; digit < planes.digits(); ++digit) {
    for (const bool complemented : {false, true}) {
      const std::int64_t sent = planes.digit_of(number, digit, complemented);
      const std::int64_t got = arrives(sent, digit, complemented);
      (complemented ? one.complements : one.plain).push_back({sent, got, static_cast<std::uint32_t>(got)});
    }
  }
  return one;
}

ElementInPlanes moved(std::int64_t number, std::int64_t from) {
  return element(
      number, [=](std::int64_t, int digit, bool complemented) { return planes.digit_of(from, digit, complemented); });
}

ElementInPlanes fifteen_as_seven(std::int64_t number) {
  return element(number, [](std::int64_t sent, int, bool) { return sent == 15 ? 7 : sent; });
}

TEST(DigitPlanes, SpellTheirNumberInSoManyDigits) {
  EXPECT_EQ((Planes{4, 16}.digits()), 1);
  EXPECT_EQ((Planes{4, 17}.digits()), 2);
  EXPECT_EQ((Planes{6, 64}.digits()), 1);
  EXPECT_EQ((Planes{6, 65}.digits()), 2);
  EXPECT_EQ((Planes{4, 1}.digits()), 1);
  EXPECT_EQ(planes.digit_of(0x2f3, 1, false), 15);
  EXPECT_EQ(planes.digit_of(0x2f3, 1, true), 0);
}

TEST(DigitPlanes, ShowWhereAnElementCameFrom) {
  EXPECT_EQ(source_of(planes, moved(755, 627)), 627);
  EXPECT_EQ(arrival_of(planes, {moved(755, 627), moved(3, 4)}), Arrival::moved);
  EXPECT_STREQ(cause_of(Arrival::moved), "");
}

// 755 is 0x2f3. Without the complements, its planes spell 0x273, which is another element's number.
TEST(DigitPlanes, TellAWrongCodeFromAWrongIndex) {
  const ElementInPlanes one = fifteen_as_seven(755);
  EXPECT_EQ(source_of(planes, one), std::nullopt);
  EXPECT_EQ(arrival_of(planes, {one}), Arrival::by_value);
  EXPECT_EQ(arrival_of(planes, {one, fifteen_as_seven(15)}), Arrival::by_value);
  EXPECT_NE(arrival_text(Arrival::by_value, {one}, "").find("It arrives, 15 as 7:"), std::string::npos);
  EXPECT_STREQ(cause_of(Arrival::by_value), "value");
}

TEST(DigitPlanes, TellAnElementOutsideTheMatrixFromOneInIt) {
  // Every digit arrives eight more, modulo 16. Both kinds of planes then spell the same number, but it is not below
  // `count`.
  const auto flipped = [](std::int64_t sent, int, bool) { return sent ^ 8; };
  EXPECT_EQ(source_of(planes, element(0x123, flipped)), std::nullopt);
  EXPECT_EQ(arrival_of(planes, {element(0x123, flipped), element(0x124, flipped)}), Arrival::by_value);
}

TEST(DigitPlanes, TellStaleDataFromAnIndex) {
  const auto nine = [](std::int64_t, int, bool) { return std::int64_t{9}; };
  const auto four = [](std::int64_t, int, bool) { return std::int64_t{4}; };
  EXPECT_EQ(arrival_of(planes, {element(755, nine), element(3, four)}), Arrival::stale);
  EXPECT_EQ(arrival_of(planes, {element(755, nine)}), Arrival::stale);
  EXPECT_STREQ(cause_of(Arrival::stale), "state");
  // An element that is right on the second run shows nothing.
  const ElementInPlanes right = moved(3, 3);
  EXPECT_EQ(arrival_of(planes, {element(755, nine), right}), Arrival::mixed);
}

TEST(DigitPlanes, TakeZerosForTheRowsPastTheEnd) {
  const auto zero = [](std::int64_t, int, bool) { return std::int64_t{0}; };
  EXPECT_EQ(arrival_of(planes, {element(755, zero)}), Arrival::nothing);
  EXPECT_EQ(arrival_of(planes, {element(755, zero), moved(3, 4)}), Arrival::moved);
  EXPECT_STREQ(cause_of(Arrival::nothing), "");
}

// A parameter that swamps the input gives one digit everywhere; stale data would differ from element to element.
TEST(DigitPlanes, TakeWhatIsTheSameEverywhereForAValue) {
  const auto none = [](std::int64_t, int, bool) { return std::int64_t{-1}; };
  EXPECT_EQ(arrival_of(planes, {element(755, none), element(3, none)}), Arrival::by_value);
  const auto eight = [](std::int64_t, int, bool) { return std::int64_t{8}; };
  EXPECT_EQ(arrival_of(planes, {element(755, eight), element(3, eight)}), Arrival::by_value);
}

TEST(DigitPlanes, CallMixedWhatNothingDecides) {
  const auto by_plane = [](std::int64_t, int digit, bool complemented) {
    return std::int64_t{complemented ? digit : digit + 9};
  };
  EXPECT_EQ(arrival_of(planes, {element(0x111, by_plane)}), Arrival::mixed);
  EXPECT_STREQ(cause_of(Arrival::mixed), "state");
}

}  // namespace

}  // namespace tileproof
