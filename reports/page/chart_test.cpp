// Tests that charts show the values that they are given.
#include "reports/page/chart.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "reports/records/records_for_tests.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

Chart heat(const std::vector<std::uint64_t>& counts) {
  return {"heat", "a <title>", "a caption",
          Heatmap{{"a", "b"}, {"0", "1", "2"}, counts, "row", "column", "wrong elements"}};
}

TEST(Chart, AHeatmapDrawsACellForEveryCountAndNoneForZero) {
  EXPECT_EQ(occurrences(picture(heat({0, 0, 0, 0, 0, 0})).bytes(), "class=\"heat"), 0);
  const std::string one = picture(heat({0, 0, 0, 0, 5, 0})).bytes();
  EXPECT_EQ(occurrences(one, "class=\"heat h6\""), 1) << one;
  expect_says(one, "wrong elements: 1 to 5");
  // A count of 1 beside a million gets a shade of its own and is not left out.
  const std::string two = picture(heat({1, 0, 0, 0, 0, 1000000})).bytes();
  EXPECT_EQ(occurrences(two, "class=\"heat h1\""), 1) << two;
  EXPECT_EQ(occurrences(two, "class=\"heat h6\""), 1) << two;
}

TEST(Chart, ACellStandsInItsRowAndColumn) {
  // In SVG units, there are two rows of 141 below y = 12, and three columns of 185.3 between x = 72 and x = 628.
  const std::string text = picture(heat({0, 0, 0, 0, 5, 0})).bytes();
  expect_says(text, "M257.3 153h185.3v141h-185.3z");
}

TEST(Chart, ALineHasAGapWhereThereIsNoValue) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const Chart chart = {
      "l", "t", "c",
      Lines{{"1", "2", "3"}, {{"one", {1, none, 3}}, {"limit", {2, 2, 2}, Lines::Role::bound}}, "k", "ulp"}};
  const std::string text = picture(chart).bytes();
  EXPECT_EQ(occurrences(text, "<circle"), 2) << text;
  EXPECT_EQ(occurrences(text, "<path class=\"bound\""), 1) << text;
  EXPECT_EQ(figure(chart)["data"][0]["y"], nlohmann::json({1.0, nullptr, 3.0}));
}

TEST(Chart, ItsTitleIsText) { expect_says(picture(heat({1, 1, 1, 1, 1, 1})).bytes(), "a &lt;title&gt;"); }

TEST(Chart, NumbersAreShort) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(1234567), "1,234,567");
  EXPECT_EQ(with_commas(123456), "123,456");
  EXPECT_EQ(short_number(0.11588), "0.1159");
  EXPECT_EQ(short_number(1000), "1,000");
}

}  // namespace

}  // namespace tileproof::reports
