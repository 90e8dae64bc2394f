// Tests that text in a Markup always remains text, whatever it contains.
#include "reports/page/html.h"

#include "reports/records/records_for_tests.h"

namespace tileproof::reports {

namespace {

TEST(Html, TextIsEscapedWhereverItStands) {
  EXPECT_EQ(Markup("<script>alert(1)</script>").bytes(), "&lt;script&gt;alert(1)&lt;/script&gt;");
  EXPECT_EQ(element("p", {{"title", "\" onload='x' <&"}}, "a & b").bytes(),
            "<p title=\"&quot; onload=&#39;x&#39; &lt;&amp;\">a &amp; b</p>");
}

TEST(Html, ControlCharactersAndReorderingAreVisible) {
  EXPECT_EQ(Markup("a\x1b[31m\xe2\x80\xae").bytes(), "a\\x1b[31m\\x202e");
}

TEST(Html, ElementsNest) {
  EXPECT_EQ(element("p", Markup("a") + element("b", "c")).bytes(), "<p>a<b>c</b></p>");
  EXPECT_EQ(element("br", {}, {}).bytes(), "<br/>");
}

TEST(Html, ATableHasACellForEveryColumn) {
  const std::string text = table({{"name"}, {"count", true}}, {{"<a>", "1"}}).bytes();
  expect_says(text, "<td>&lt;a&gt;</td><td class=\"number\">1</td>");
}

}  // namespace

}  // namespace tileproof::reports
