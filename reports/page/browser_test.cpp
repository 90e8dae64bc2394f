// Opens the report in headless Chromium, if there is one. Chromium has no network, and every message on its console
// counts as an error of the page.
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <regex>

#include "reports/page/report.h"
#include "reports/page/section.h"
#include "reports/records/records_for_tests.h"

namespace tileproof::reports {

namespace {

namespace fs = std::filesystem;

struct Printed {
  int exit = -1;
  std::string text;
};

Printed printed(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  Printed result;
  std::array<char, 4096> buffer;
  for (std::size_t read; (read = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    result.text.append(buffer.data(), read);
  const int status = pclose(pipe);
  result.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

/// The command that starts Chromium; "" if none is installed.
std::string chromium() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
    if (printed("command -v " + std::string(name)).exit == 0) return name;
  }
  return "";
}

struct Seen {
  std::string page;     // the page's HTML after the probe has run
  std::string console;  // the lines that the page wrote on the console
};

class Browser : public WithFolder {
 protected:
  void SetUp() override {
    if (chromium().empty()) GTEST_SKIP() << "no chromium here: apt-get install chromium";
    WithFolder::SetUp();
  }

  /// @param probe  a script that looks at the page; the page's policy is changed to let this script run, and no other
  Seen seen(std::string html, int width, const std::string& probe) const {
    html.insert(html.find("style-src"), "script-src 'nonce-probe'; ");
    const fs::path file = write("page.html", html + "<script nonce=\"probe\">" + probe + "</script>");
    const std::string said = (folder_ / "said").string();
    const Printed ran =
        printed("timeout 60 " + chromium() + " --headless --disable-gpu --disable-background-networking" +
                " --disable-component-update --no-first-run" + (geteuid() == 0 ? " --no-sandbox" : "") +
                " --host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir='" + (folder_ / "profile").string() +
                "' --window-size=" + std::to_string(width) +
                ",900 --virtual-time-budget=4000 --enable-logging=stderr --dump-dom 'file://" + file.string() +
                "' 2>'" + said + "'");
    EXPECT_EQ(ran.exit, 0) << text_in(said);
    EXPECT_NE(ran.text.find("</html>"), std::string::npos) << text_in(said);
    Seen result = {ran.text, ""};
    std::ifstream lines(said);
    for (std::string line; std::getline(lines, line);) {
      if (line.find("CONSOLE") != std::string::npos) result.console += line + "\n";
    }
    return result;
  }

  std::string full_report(const std::string& subject) const {
    json run = summary({judgement("a/b", subject, "FAILED"), judgement("determinism/c", subject, "PASSED")}, subject);
    write("now/summary.json", run);
    write("now/accuracy.json", accuracy({accuracy_row(4, 3, 2, subject)}));
    write("now/proofs.json", proofs({proof("PROVED", 100)}));
    write("now/campaign.json", campaign({campaign_finding("a/b on " + subject, "reproducible")}));
    write("now/bench.json", bench(1e-3));
    return report({{folder_ / "now"}, {}, folder_ / "none"}).html;
  }
};

/// The value of an attribute data-NAME that a probe set on the page; "none" if there is none.
std::string attribute_in(const Seen& seen, const std::string& name) {
  std::smatch match;
  std::regex_search(seen.page, match, std::regex(" data-" + name + "=\"([^\"]*)\""));
  return match.empty() ? "none" : match[1].str();
}

constexpr const char* look = R"(
  const leave = (name, value) => document.body.setAttribute("data-" + name, value);
  leave("sections", [...document.querySelectorAll("section")].map((one) => one.id).join(" "));
  leave("charts", [...document.querySelectorAll("figure")].filter((one) => one.querySelector("svg")).map((one) => one.id).join(" "));
  leave("overflow", document.documentElement.scrollWidth - document.documentElement.clientWidth);
  leave("injected", document.querySelectorAll("script:not([nonce]), img").length);
)";

TEST_F(Browser, OpensTheReportWithoutAnErrorAndShowsEverySectionAndChart) {
  const std::string hostile = "<script>alert(1)</script><img src=http://127.0.0.1/x>";
  const Seen wide = seen(full_report(hostile), 1400, look);
  EXPECT_EQ(wide.console, "");
  std::string expected;
  for (const Section& section : sections()) expected += (expected.empty() ? "" : " ") + std::string(section.id.text());
  EXPECT_EQ(attribute_in(wide, "sections"), expected);
  EXPECT_EQ(attribute_in(wide, "charts"), "error-k error-group error-binade place-0");
  EXPECT_EQ(attribute_in(wide, "overflow"), "0");
  EXPECT_EQ(attribute_in(wide, "injected"), "0");
  expect_says(wide.page, "&lt;script&gt;alert(1)&lt;/script&gt;");
}

TEST_F(Browser, FitsANarrowWindow) {
  const Seen narrow = seen(full_report("host"), 500, R"(
    document.body.setAttribute("data-overflow", document.documentElement.scrollWidth - document.documentElement.clientWidth);
    document.body.setAttribute("data-narrow", window.innerWidth <= 640);)");
  EXPECT_EQ(attribute_in(narrow, "overflow"), "0");
  EXPECT_EQ(attribute_in(narrow, "narrow"), "true");
}

TEST_F(Browser, NoticesAnErrorAndARequest) {
  const Seen noticed =
      seen(full_report("host"), 1400, "new Image().src = 'http://127.0.0.1:9/x.png'; throw new Error('planted')");
  expect_says(noticed.console, "planted");
  expect_says(noticed.console, "Content Security Policy");
}

}  // namespace

}  // namespace tileproof::reports
