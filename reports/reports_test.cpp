#include "reports.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace tileproof::reports {

namespace {

using nlohmann::json;

constexpr const char* problem = "--claim=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f";

json passed(const std::string& claim, const std::string& subject) {
  return {{"claim", claim},
          {"subject", subject},
          {"verdict", "PASSED"},
          {"reason", ""},
          {"cases", 100},
          {"elements", 812345},
          {"seconds", 0.41},
          {"output_hash", "0x00000000000000aa"},
          {"classes", {{"partial tile", 60}}},
          {"explained", json::object()},
          {"finding", nullptr}};
}

json failed(const std::string& claim, const std::string& subject, const std::string& details = "1 is wrong") {
  json judgement = passed(claim, subject);
  judgement["verdict"] = "FAILED";
  judgement["cases"] = 17;
  judgement["seconds"] = 0.02;
  judgement["finding"] = {{"problem", problem}, {"kind", "mismatch"}, {"details", details}, {"shrinks", 5}};
  return judgement;
}

json skipped(const std::string& claim, const std::string& subject, const std::string& reason) {
  json judgement = passed(claim, subject);
  judgement["verdict"] = "SKIPPED";
  judgement["reason"] = reason;
  judgement["cases"] = 0;
  judgement["seconds"] = 0;
  return judgement;
}

json mistrusted(const std::string& claim, const std::string& subject, const std::string& reason) {
  json judgement = passed(claim, subject);
  judgement["verdict"] = "MISTRUSTED";
  judgement["reason"] = reason;
  return judgement;
}

json explained(json judgement, const std::string& reason, int elements) {
  judgement["explained"][reason] = elements;
  return judgement;
}

json subject(const std::string& name, const std::string& why_not = "") {
  return {{"name", name}, {"what", "about " + name}, {"why_not", why_not}};
}

json summary(const std::vector<json>& subjects, const std::vector<json>& judgements) {
  json counts = {{"PASSED", 0}, {"FAILED", 0}, {"SKIPPED", 0}, {"MISTRUSTED", 0}};
  for (const json& judgement : judgements) {
    json& count = counts[judgement["verdict"].get<std::string>()];
    count = count.get<int>() + 1;
  }
  const std::string verdict = counts["FAILED"] != 0 ? "FAILED" : counts["MISTRUSTED"] != 0 ? "MISTRUSTED" : "PASSED";
  return {{"schema", 1},
          {"tool", "tileproof 0.1.0"},
          {"command", "verify --seed 1"},
          {"run_start", "2026-11-22T15:50:00Z"},
          {"seconds", 41.2},
          {"seed", 1},
          {"cases_per_claim", 100},
          {"machine", {{"compiler", "GNU 12.2.0"}, {"cpu", "EPYC"}, {"gpu", ""}}},
          {"verdict", verdict},
          {"reason", ""},
          {"exit_code", 0},
          {"output_hash", "0x0123456789abcdef"},
          {"counts", counts},
          {"subjects", subjects},
          {"judgements", judgements}};
}

json summary_where_nothing_ran() {
  json nothing = summary({subject("host"), subject("cuda", "no CUDA device")}, {});
  nothing["verdict"] = "MISTRUSTED";
  nothing["reason"] = "nothing ran";
  nothing["exit_code"] = 3;
  return nothing;
}

/// Every verdict, a subject that did not run, differences explained.
json summary_of_all_kinds() {
  return summary(
      {subject("reference"), subject("host"), subject("cuda", "no CUDA device"), subject("aten-cpu")},
      {passed("pack/fills_words", "reference"), passed("value/rounds_once", "reference"),
       passed("pack/fills_words", "host"), failed("value/rounds_once", "host", "1 is wrong:\n  row 0: x"),
       skipped("pack/fills_words", "cuda", "no CUDA device"), skipped("value/rounds_once", "cuda", "no CUDA device"),
       explained(mistrusted("pack/fills_words", "aten-cpu", "never met: partial tile"), "-0 is lost", 12),
       skipped("value/rounds_once", "aten-cpu", "the subject has no dequantize")});
}

std::string text_before(const std::string& text, const std::string& mark) { return text.substr(0, text.find(mark)); }
std::string text_from(const std::string& text, const std::string& mark) {
  const std::size_t at = text.find(mark);
  return at == std::string::npos ? "" : text.substr(at);
}
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

int occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string line_with(const std::string& text, const std::string& part) {
  for (const std::string& line : lines_of(text)) {
    if (contains(line, part)) return line;
  }
  return "";
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

std::string refusal_of(const json& wrong) {
  return message_of([&] { static_cast<void>(terminal(wrong, 80, false)); });
}

// --- Terminal ------------------------------------------------------------------------------------------------------

TEST(Terminal, ShowsEverythingInTheOrderOfImportance) {
  EXPECT_EQ(terminal(summary_of_all_kinds(), 120, false),
            R"(claim              reference         host              aten-cpu
pack/fills_words   PASSED 100 0.41s  PASSED 100 0.41s  MISTRUSTED 100 0.41s
value/rounds_once  PASSED 100 0.41s  FAILED  17 0.02s  -

Did not run:
  cuda: no CUDA device (2 claims SKIPPED)

Skipped:
  aten-cpu: 1 claim SKIPPED: the subject has no dequantize

Explained differences, which are not failures:
  aten-cpu: 12 elements: -0 is lost

FAILED value/rounds_once on host: mismatch after 17 cases, smallest case after 5 shrinks
    1 is wrong:
      row 0: x
  ./tileproof replay --claim=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f

MISTRUSTED pack/fills_words on aten-cpu: never met: partial tile

FAILED: 3 PASSED, 1 FAILED, 1 MISTRUSTED, 3 SKIPPED in 41.20s, hash 0x0123456789abcdef
)");
}

TEST(Terminal, IsATableAndALineWhereAllPassed) {
  EXPECT_EQ(terminal(summary({subject("host")}, {passed("b/second", "host"), passed("a/first", "host")}), 80, false),
            R"(claim     host
b/second  PASSED 100 0.41s
a/first   PASSED 100 0.41s

PASSED: 2 PASSED in 41.20s, hash 0x0123456789abcdef
)");
}

TEST(Terminal, SaysWhyTheRunIsMistrustedWhereNothingRan) {
  EXPECT_EQ(terminal(summary_where_nothing_ran(), 80, false), R"(No subject ran.

Did not run:
  host: no claim was put to it
  cuda: no CUDA device

MISTRUSTED (nothing ran): 0 PASSED in 41.20s, hash 0x0123456789abcdef
)");
}

TEST(Terminal, LeavesACellEmptyWhereAClaimWasNotPutToASubject) {
  const json some = summary({subject("host"), subject("cuda")}, {passed("a", "host"), passed("b", "cuda")});
  EXPECT_EQ(text_before(terminal(some, 80, false), "\n\n"), R"(claim  host              cuda
a      PASSED 100 0.41s
b                        PASSED 100 0.41s)");
}

TEST(Terminal, ListsASubjectWhoseClaimsAreAllSkippedAsNotRun) {
  const json some = summary({subject("host"), subject("aten-cpu")},
                            {passed("a", "host"), skipped("a", "aten-cpu", "the subject has no pack")});
  EXPECT_EQ(text_from(terminal(some, 80, false), "Did not run"), R"(Did not run:
  aten-cpu: every claim is SKIPPED

Skipped:
  aten-cpu: 1 claim SKIPPED: the subject has no pack

PASSED: 1 PASSED, 1 SKIPPED in 41.20s, hash 0x0123456789abcdef
)");
}

TEST(Terminal, GroupsWhatIsSkippedAndExplainedBySubjectAndReason) {
  const json some =
      summary({subject("host"), subject("aten")},
              {explained(passed("a", "host"), "-0 is lost", 5), explained(passed("b", "host"), "-0 is lost", 7),
               explained(passed("c", "host"), "rounded twice", 1), skipped("a", "aten", "no pack"),
               skipped("b", "aten", "no pack"), skipped("c", "aten", "no unpack"),
               explained(passed("d", "aten"), "-0 is lost", 3)});
  EXPECT_EQ(text_from(terminal(some, 80, false), "Skipped"), R"(Skipped:
  aten: 2 claims SKIPPED: no pack
  aten: 1 claim SKIPPED: no unpack

Explained differences, which are not failures:
  host: 12 elements: -0 is lost
  host: 1 element: rounded twice
  aten: 3 elements: -0 is lost

PASSED: 4 PASSED, 3 SKIPPED in 41.20s, hash 0x0123456789abcdef
)");
}

/// Cells of 16 and 16 characters, a claim of 30: each layout fits down to the width that stands beside it.
json summary_to_squeeze() {
  return summary({subject("reference"), subject("host")}, {passed("value/float_domain_rounds_once", "reference"),
                                                           failed("value/float_domain_rounds_once", "host")});
}
std::string table_at(int columns) {
  const std::string text = terminal(summary_to_squeeze(), columns, false);
  return text_before(text, "\n\nFAILED");
}

constexpr const char* full_cells = R"(claim                           reference         host
value/float_domain_rounds_once  PASSED 100 0.41s  FAILED 17 0.02s)";
constexpr const char* cells_without_cases = R"(claim                           reference     host
value/float_domain_rounds_once  PASSED 0.41s  FAILED 0.02s)";
constexpr const char* marked_cells = R"(+ PASSED  X FAILED  ? MISTRUSTED  - SKIPPED

claim                           reference  host
value/float_domain_rounds_once  + 0.41s    X 0.02s)";
constexpr const char* full_cells_below = R"(claim
    reference         host
value/float_domain_rounds_once
    PASSED 100 0.41s  FAILED 17 0.02s)";
constexpr const char* cells_without_cases_below = R"(claim
    reference     host
value/float_domain_rounds_once
    PASSED 0.41s  FAILED 0.02s)";
constexpr const char* marked_cells_below = R"(+ PASSED  X FAILED  ? MISTRUSTED  - SKIPPED

claim
    reference  host
value/float_domain_rounds_once
    + 0.41s    X 0.02s)";
constexpr const char* blocks = R"(+ PASSED  X FAILED  ? MISTRUSTED  - SKIPPED

reference
  + 0.41s    value/float_domain_rounds_once

host
  X 0.02s  value/float_domain_rounds_once)";

TEST(Terminal, ShowsVerdictCasesAndTimeWhereTheyFit) {
  EXPECT_EQ(table_at(200), full_cells);
  EXPECT_EQ(table_at(65), full_cells);
}

TEST(Terminal, LeavesOutTheCasesFirst) {
  EXPECT_EQ(table_at(64), cells_without_cases);
  EXPECT_EQ(table_at(58), cells_without_cases);
}

TEST(Terminal, ShortensVerdictsToMarksNextAndExplainsThem) {
  EXPECT_EQ(table_at(57), marked_cells);
  EXPECT_EQ(table_at(50), marked_cells);
}

TEST(Terminal, PutsCellsBelowTheirClaimWhereNoLineHoldsBoth) {
  EXPECT_EQ(table_at(49), full_cells_below);
  EXPECT_EQ(table_at(37), full_cells_below);
  EXPECT_EQ(table_at(36), cells_without_cases_below);
  EXPECT_EQ(table_at(30), cells_without_cases_below);
  EXPECT_EQ(table_at(29), marked_cells_below);
  EXPECT_EQ(table_at(22), marked_cells_below);
}

TEST(Terminal, GivesEachSubjectABlockWhereNoTableFits) {
  EXPECT_EQ(table_at(21), blocks);
  EXPECT_EQ(table_at(1), blocks);
  EXPECT_EQ(table_at(0), blocks);
  EXPECT_EQ(table_at(-1), blocks);
}

/// Five subjects and claims with names of 75 characters.
json widest_summary() {
  std::vector<json> subjects;
  std::vector<json> judgements;
  for (const char* name : {"reference", "host", "cuda", "aten-cpu", "aten-cuda"}) {
    subjects.push_back(subject(name));
    judgements.push_back(passed("first/" + std::string(69, 'a'), name));
    judgements.push_back(mistrusted("second/" + std::string(68, 'b'), name, "never met: several groups; not square"));
    judgements.push_back(
        failed("third/" + std::string(69, 'c'), name, "words " + std::string(200, '.') + " more words"));
  }
  return summary(subjects, judgements);
}

TEST(Terminal, KeepsTheTableWithinTheWidthOfUsualTerminals) {
  for (const int columns : {80, 100, 120, 160, 200}) {
    const std::string table = text_before(terminal(widest_summary(), columns, false), "\n\nFAILED");
    for (const std::string& line : lines_of(table)) EXPECT_LE(line.size(), static_cast<std::size_t>(columns)) << line;
  }
}

TEST(Terminal, LosesNoVerdictAtAnyWidth) {
  for (int columns = 0; columns <= 220; ++columns) {
    std::string table = text_before(terminal(widest_summary(), columns, false), "\n\nFAILED");
    const bool marked = table.starts_with("+ PASSED");
    if (marked) table = text_from(table, "\n\n");
    EXPECT_EQ(occurrences(table, marked ? "+ 0.41s" : "PASSED"), 5) << columns;
    EXPECT_EQ(occurrences(table, marked ? "? 0.41s" : "MISTRUSTED"), 5) << columns;
    EXPECT_EQ(occurrences(table, marked ? "X 0.02s" : "FAILED"), 5) << columns;
    EXPECT_TRUE(contains(table, std::string(69, 'c'))) << columns;
  }
}

TEST(Terminal, BreaksProseAtSpacesAndIndentsWhatFollows) {
  const json some =
      summary({subject("host")}, {mistrusted("a", "host", "never met: several groups; partial tile and more")});
  const auto prose_at = [&](int columns) {
    return text_before(text_from(terminal(some, columns, false), "\n\nMISTRUSTED"), "\n\nMISTRUSTED:");
  };
  EXPECT_EQ(prose_at(40),
            "\n\nMISTRUSTED a on host: never met: several\n"
            "        groups; partial tile and more");
  EXPECT_EQ(prose_at(39),
            "\n\nMISTRUSTED a on host: never met:\n"
            "        several groups; partial tile\n"
            "        and more");
}

TEST(Terminal, KeepsTheIndentOfDetailsThatItBreaks) {
  const json some =
      summary({subject("host")}, {failed("a", "host", "wrong:\n  row 0, column 1: expected 0x40e0, got 0x4170")});
  EXPECT_EQ(text_before(text_from(terminal(some, 40, false), "    wrong"), "  ./tileproof"),
            "    wrong:\n"
            "      row 0, column 1: expected 0x40e0,\n"
            "          got 0x4170\n");
}

TEST(Terminal, BreaksNoWordHoweverLong) {
  const std::string picture(150, '.');
  const json some = summary({subject("host")}, {failed("a", "host", "row 0: " + picture + "\n" + picture)});
  EXPECT_TRUE(contains(terminal(some, 80, false), "    row 0:\n        " + picture + "\n    " + picture + "\n"));
}

TEST(Terminal, NeverBreaksTheReplayLineNorTheLastOne) {
  const std::string text = terminal(summary_to_squeeze(), 10, false);
  EXPECT_TRUE(contains(text, "\n  ./tileproof replay " + std::string(problem) + "\n"));
  EXPECT_TRUE(text.ends_with("\nFAILED: 1 PASSED, 1 FAILED in 41.20s, hash 0x0123456789abcdef\n"));
}

TEST(Terminal, QuotesWordsOfTheReplayLineThatAShellWouldTakeApart) {
  json some = summary({subject("host")}, {failed("a", "host")});
  some["judgements"][0]["finding"]["problem"] = "--n=1 --claim=$(reboot);x --subject=it's --out=b\nf";
  EXPECT_TRUE(contains(terminal(some, 80, false),
                       "  ./tileproof replay --n=1 '--claim=$(reboot);x' '--subject=it'\\''s' --out=b f\n"));
}

TEST(Terminal, SaysSoWhereAFailureHasNoFinding) {
  json some = summary({subject("host")}, {failed("a", "host")});
  some["judgements"][0]["finding"] = nullptr;
  EXPECT_TRUE(contains(terminal(some, 80, false), "FAILED a on host: after 17 cases\n    no finding is recorded\n\n"));
  some["judgements"][0]["reason"] = "the device was lost";
  EXPECT_TRUE(contains(terminal(some, 80, false), "FAILED a on host: after 17 cases\n    the device was lost\n\n"));
}

json summary_with_failures(int count) {
  std::vector<json> judgements;
  for (int i = 1; i <= count; ++i) judgements.push_back(failed("claim/" + std::to_string(i), "host"));
  return summary({subject("host")}, judgements);
}

TEST(Terminal, ShowsTenFailuresInFull) {
  const std::string text = terminal(summary_with_failures(10), 80, false);
  EXPECT_EQ(occurrences(text, "./tileproof replay"), 10);
  EXPECT_FALSE(contains(text, "more"));
}

TEST(Terminal, CountsTheFailuresPastTheTenth) {
  const std::string text = terminal(summary_with_failures(13), 80, false);
  EXPECT_EQ(occurrences(text, "./tileproof replay"), 10);
  EXPECT_TRUE(contains(text, "\nFAILED claim/10 on host"));
  EXPECT_FALSE(contains(text, "\nFAILED claim/11 on host"));
  EXPECT_TRUE(contains(text, "\n\nand 3 more FAILED: see summary.json\n\nFAILED: 0 PASSED, 13 FAILED in"));
}

TEST(Terminal, PaintsVerdictsOnlyWhenAsked) {
  const std::string painted = terminal(summary_of_all_kinds(), 120, true);
  EXPECT_TRUE(contains(painted, "  \x1b[32mPASSED\x1b[0m 100 0.41s  "));
  EXPECT_TRUE(contains(painted, "  \x1b[31mFAILED\x1b[0m  17 0.02s  \x1b[2m-\x1b[0m\n"));
  EXPECT_TRUE(contains(painted, "  \x1b[31mMISTRUSTED\x1b[0m 100 0.41s\n"));
  EXPECT_TRUE(contains(painted, "\n\x1b[31mFAILED\x1b[0m value/rounds_once on host: "));
  EXPECT_TRUE(contains(painted, "\n\x1b[31mMISTRUSTED\x1b[0m pack/fills_words on aten-cpu: "));
  EXPECT_TRUE(contains(painted, "\n\x1b[31mFAILED\x1b[0m: 3 PASSED, "));
  EXPECT_FALSE(contains(terminal(summary_of_all_kinds(), 120, false), "\x1b"));
}

TEST(Terminal, SaysTheSameWithAndWithoutColours) {
  for (const int columns : {1, 30, 60, 80, 120}) {
    std::string text = terminal(summary_of_all_kinds(), columns, true);
    for (const std::string code : {"\x1b[32m", "\x1b[31m", "\x1b[2m", "\x1b[0m"}) {
      for (std::size_t at = text.find(code); at != std::string::npos; at = text.find(code)) text.erase(at, code.size());
    }
    EXPECT_EQ(text, terminal(summary_of_all_kinds(), columns, false));
  }
}

TEST(Terminal, ShowsControlCharactersInsteadOfObeyingThem) {
  const json some =
      summary({subject("ho\nst")}, {failed("a\x1b[2J", "ho\nst", "clear\x1b[2J\a, \xc2\x9b, \xe2\x80\xae\nnext")});
  const std::string text = terminal(some, 120, false);
  EXPECT_TRUE(text.starts_with("claim     ho st\na\\x1b[2J  FAILED 17 0.02s\n")) << text;
  EXPECT_TRUE(contains(text, "FAILED a\\x1b[2J on ho st: "));
  EXPECT_TRUE(contains(text, "    clear\\x1b[2J\\x07, \\x9b, \\x202e\n    next\n"));
  EXPECT_FALSE(contains(text, "\x1b"));
}

TEST(Terminal, AlignsNamesThatAreNotAscii) {
  const json some = summary({subject("hôte"), subject("b")}, {passed("é", "hôte"), passed("é", "b")});
  EXPECT_EQ(text_before(terminal(some, 80, false), "\n\n"),
            "claim  hôte              b\n"
            "é      PASSED 100 0.41s  PASSED 100 0.41s");
}

// --- Markdown ------------------------------------------------------------------------------------------------------

TEST(Markdown, ShowsVerdictTableFailuresReasonsAndProvenance) {
  EXPECT_EQ(markdown(summary_of_all_kinds()),
            R"(## FAILED: 3 PASSED, 1 FAILED, 1 MISTRUSTED, 3 SKIPPED in 41.20s

| claim | <code>reference</code> | <code>host</code> | <code>aten-cpu</code> |
|---|---|---|---|
| <code>pack/fills_words</code> | PASSED 100 0.41s | PASSED 100 0.41s | **MISTRUSTED** 100 0.41s |
| <code>value/rounds_once</code> | PASSED 100 0.41s | **FAILED** 17 0.02s | - |

### FAILED

**FAILED** <code>value/rounds_once</code> on <code>host</code>: <code>mismatch</code> after 17 cases, smallest case after 5 shrinks

```text
1 is wrong:
  row 0: x
```

```sh
./tileproof replay --claim=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f
```

### MISTRUSTED
- <code>pack/fills_words</code> on <code>aten-cpu</code>: <code>never met: partial tile</code>

### Did not run
- <code>cuda</code>: <code>no CUDA device</code> (2 claims SKIPPED)

### Skipped
- <code>aten-cpu</code>: 1 claim SKIPPED: <code>the subject has no dequantize</code>

### Explained differences, which are not failures
- <code>aten-cpu</code>: 12 elements: <code>-0 is lost</code>

### Provenance
- output hash: <code>0x0123456789abcdef</code>
- seed 1, 100 cases a claim
- command: <code>verify --seed 1</code> of <code>tileproof 0.1.0</code>, exit code 0
- start: <code>2026-11-22T15:50:00Z</code>
- compiler: <code>GNU 12.2.0</code>
- CPU: <code>EPYC</code>
- GPU: none
)");
}

TEST(Markdown, SaysWhyTheRunIsMistrustedWhereNothingRan) {
  EXPECT_EQ(text_before(markdown(summary_where_nothing_ran()), "\n### Provenance"),
            R"(## MISTRUSTED (<code>nothing ran</code>): 0 PASSED in 41.20s

No subject ran.

### Did not run
- <code>host</code>: <code>no claim was put to it</code>
- <code>cuda</code>: <code>no CUDA device</code>
)");
}

TEST(Markdown, LeavesACellEmptyWhereAClaimWasNotPutToASubject) {
  const json some = summary({subject("host"), subject("cuda")}, {passed("a", "host"), passed("b", "cuda")});
  EXPECT_EQ(line_with(markdown(some), "<code>a</code>"), "| <code>a</code> | PASSED 100 0.41s | |");
  EXPECT_EQ(line_with(markdown(some), "<code>b</code>"), "| <code>b</code> | | PASSED 100 0.41s |");
}

TEST(Markdown, NamesTheGpu) {
  json some = summary({subject("host")}, {passed("a", "host")});
  some["machine"]["gpu"] = "H200 | x";
  EXPECT_TRUE(markdown(some).ends_with("\n- GPU: <code>H200 &#124; x</code>\n"));
}

TEST(Markdown, EscapesWhatWouldLeaveItsTableCell) {
  const json some = summary({subject("a|b\\|")}, {passed("x|y\n| z |\r\n<script>`", "a|b\\|")});
  EXPECT_EQ(line_with(markdown(some), "| claim |"), "| claim | <code>a&#124;b&#92;&#124;</code> |");
  EXPECT_EQ(line_with(markdown(some), "PASSED 100"),
            "| <code>x&#124;y &#124; z &#124;&#92;x0d &#60;script&#62;&#96;</code> | PASSED 100 0.41s |");
}

TEST(Markdown, EscapesMarkupInReasonsAndNames) {
  const std::string hostile = "<script>alert(1)</script> **b** _i_ a_b ~~s~~ [l](u) $m$ & `c` \x1b";
  const std::string harmless =
      "<code>&#60;script&#62;alert(1)&#60;/script&#62; &#42;&#42;b&#42;&#42; &#95;i&#95; a_b &#126;&#126;s&#126;&#126; "
      "&#91;l&#93;(u) &#36;m&#36; &#38; &#96;c&#96; &#92;x1b</code>";
  json some = summary({subject("host"), subject("cuda", hostile)},
                      {mistrusted("a", "host", hostile), explained(skipped("b", "host", hostile), hostile, 2)});
  some["reason"] = hostile;
  some["command"] = hostile;
  const std::string text = markdown(some);
  EXPECT_TRUE(text.starts_with("## MISTRUSTED (" + harmless + "): ")) << text;
  EXPECT_TRUE(contains(text, "- <code>a</code> on <code>host</code>: " + harmless + "\n"));
  EXPECT_TRUE(contains(text, "- <code>cuda</code>: " + harmless + "\n"));
  EXPECT_TRUE(contains(text, "- <code>host</code>: 1 claim SKIPPED: " + harmless + "\n"));
  EXPECT_TRUE(contains(text, "- <code>host</code>: 2 elements: " + harmless + "\n"));
  EXPECT_TRUE(contains(text, "- command: " + harmless + " of "));
  EXPECT_FALSE(contains(text, "<script>"));
}

TEST(Markdown, FencesDetailsSoThatTheyCannotEndTheFence) {
  const json some = summary({subject("host")}, {failed("a", "host", "wrong\n```\n<script>\n`````\nend")});
  EXPECT_TRUE(contains(markdown(some), "\n``````text\nwrong\n```\n<script>\n`````\nend\n``````\n"));
}

TEST(Markdown, FencesTheReplayLineSoThatItCannotEndTheFence) {
  json some = summary({subject("host")}, {failed("a", "host")});
  some["judgements"][0]["finding"]["problem"] = "--n=1\n```\n--k=2";
  EXPECT_TRUE(contains(markdown(some), "\n````sh\n./tileproof replay --n=1 '```' --k=2\n````\n"));
}

TEST(Markdown, CutsFailuresThatDoNotFitAndCountsThem) {
  std::vector<json> judgements;
  for (int i = 0; i < 40; ++i) judgements.push_back(failed("c" + std::to_string(i), "host", std::string(2'000, 'x')));
  const std::string text = markdown(summary({subject("host")}, judgements));
  const int shown = occurrences(text, "./tileproof replay");
  EXPECT_GE(shown, 10);
  EXPECT_TRUE(contains(text, "```\n\nand " + std::to_string(40 - shown) + " more: see summary.json\n\n### Provenance"));
}

TEST(Markdown, CutsLongDetailsAndNames) {
  const json some = summary({subject("host")}, {failed(std::string(500, 'n'), "host", std::string(5'000, 'd'))});
  const std::string text = markdown(some);
  EXPECT_TRUE(contains(text, "```text\n" + std::string(3'000, 'd') + "...\n```"));
  EXPECT_TRUE(contains(text, "| <code>" + std::string(400, 'n') + "...</code> |"));
}

TEST(Markdown, StaysWithinACommentOfGitHubWhateverTheSummaryHolds) {
  const std::string huge(5'000, '\x01');
  std::vector<json> subjects;
  std::vector<json> judgements;
  for (int i = 0; i < 40; ++i) {
    const std::string name = std::to_string(i) + huge;
    subjects.push_back(subject(name, huge));
    judgements.push_back(failed("a" + name, name, huge));
    judgements.push_back(explained(mistrusted("b" + name, name, huge), name, 3));
    judgements.push_back(skipped("c" + name, name, huge));
    subjects.push_back(subject("not" + name, huge));
  }
  json some = summary(subjects, judgements);
  for (const char* field : {"reason", "command", "tool", "run_start", "output_hash"}) some[field] = huge;
  some["machine"] = {{"compiler", huge}, {"cpu", huge}, {"gpu", huge}};
  const std::string text = markdown(some);
  EXPECT_LE(text.size(), 65'536u);
  EXPECT_TRUE(contains(text, "The table is too wide to stand here: see summary.json\n"));
  EXPECT_EQ(occurrences(text, " more: see summary.json\n"), 6);  // failures and five lists
}

TEST(Markdown, StaysWithinACommentOfGitHubWithManyShortEntries) {
  std::vector<json> judgements;
  for (int i = 0; i < 3'000; ++i) {
    const std::string claim = "claim/number_" + std::to_string(i);
    judgements.push_back(i % 3 == 0   ? failed(claim, "host")
                         : i % 3 == 1 ? explained(mistrusted(claim, "host", "never met"), claim, 1)
                                      : skipped(claim, "host", "no " + claim));
  }
  const std::string text = markdown(summary({subject("host")}, judgements));
  EXPECT_LE(text.size(), 65'536u);
  EXPECT_GE(text.size(), 40'000u);
  EXPECT_TRUE(text.starts_with("## FAILED: 0 PASSED, 1000 FAILED, 1000 MISTRUSTED, 1000 SKIPPED in 41.20s\n"));
  EXPECT_TRUE(text.ends_with("- GPU: none\n"));
}

// --- JUnit ---------------------------------------------------------------------------------------------------------

constexpr const char* provenance = R"(      <property name="tool" value="tileproof 0.1.0"/>
      <property name="command" value="verify --seed 1"/>
      <property name="seed" value="1"/>
      <property name="compiler" value="GNU 12.2.0"/>
      <property name="cpu" value="EPYC"/>
      <property name="gpu" value=""/>
      <property name="output_hash" value="0x0123456789abcdef"/>
    </properties>
)";

TEST(JUnit, HasATestsuiteASubjectAndATestcaseAClaim) {
  const json some = summary({subject("host"), subject("cuda", "no CUDA device")},
                            {passed("a", "host"), failed("b", "host", "1 is wrong:\n  row 0: x"),
                             explained(mistrusted("c", "host", "never met: partial tile"), "-0 is lost", 12),
                             skipped("a", "cuda", "no CUDA device")});
  EXPECT_EQ(junit(some), std::string(R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="tileproof" tests="4" failures="2" errors="0" skipped="1" time="41.200">
  <testsuite name="host" tests="3" failures="2" errors="0" skipped="0" time="0.840" timestamp="2026-11-22T15:50:00Z">
    <properties>
      <property name="what" value="about host"/>
      <property name="why_not" value=""/>
)") + provenance + R"(    <testcase classname="host" name="a" time="0.410"/>
    <testcase classname="host" name="b" time="0.020">
      <failure type="mismatch" message="1 is wrong:">after 17 cases, smallest case after 5 shrinks
1 is wrong:
  row 0: x
./tileproof replay --claim=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f</failure>
    </testcase>
    <testcase classname="host" name="c" time="0.410">
      <failure type="MISTRUSTED" message="never met: partial tile">never met: partial tile</failure>
      <system-out>explained: 12 elements: -0 is lost
</system-out>
    </testcase>
  </testsuite>
  <testsuite name="cuda" tests="1" failures="0" errors="0" skipped="1" time="0.000" timestamp="2026-11-22T15:50:00Z">
    <properties>
      <property name="what" value="about cuda"/>
      <property name="why_not" value="no CUDA device"/>
)" + provenance + R"(    <testcase classname="cuda" name="a" time="0.000">
      <skipped message="no CUDA device"/>
    </testcase>
  </testsuite>
</testsuites>
)");
}

TEST(JUnit, EscapesWhatWouldEndAnAttributeOrAnElement) {
  json some = summary({subject("a\"b")}, {failed("<script>|```&'", "a\"b", "x\n]]></failure> & \"y\"\r\n\tz")});
  some["command"] = "one\n\ttwo";
  const std::string text = junit(some);
  EXPECT_TRUE(contains(text, R"(<testcase classname="a&#34;b" name="&#60;script&#62;|```&#38;'" time="0.020">)"));
  EXPECT_TRUE(contains(text, R"(<property name="command" value="one&#10;&#9;two"/>)"));
  EXPECT_TRUE(contains(text, "\nx\n]]&#62;&#60;/failure&#62; &#38; \"y\"&#13;\n\tz\n"));
  EXPECT_FALSE(contains(text, "<script>"));
}

TEST(JUnit, DropsCharactersThatXmlForbids) {
  const std::string bad = std::string("a\0b", 3) + "\x01\x1b[0m\x0c \xef\xbf\xbe\xef\xbf\xbf!";
  const std::string text = junit(summary({subject("host")}, {skipped("a", "host", bad), failed("b", "host", bad)}));
  EXPECT_TRUE(contains(text, "<skipped message=\"ab[0m !\"/>"));
  EXPECT_TRUE(contains(text, "message=\"ab[0m !\">"));
  EXPECT_TRUE(contains(text, "\nab[0m !\n./tileproof"));
}

TEST(JUnit, ReplacesBytesThatAreNotUtf8) {
  // alone, cut off, too long, a surrogate, past the last character; then two that are right
  const std::string bad = "\xff|\xe2\x82|\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\xc3\xa9|\xf0\x9f\x98\x80";
  const std::string text = junit(summary({subject("host")}, {mistrusted("a", "host", bad)}));
  EXPECT_TRUE(contains(text,
                       "message=\"\uFFFD|\uFFFD\uFFFD|\uFFFD\uFFFD|\uFFFD\uFFFD\uFFFD|\uFFFD\uFFFD\uFFFD\uFFFD|"
                       "\u00e9|\U0001F600\">"));
}

TEST(JUnit, FailsARunThatIsMistrustedAsAWhole) {
  const std::string text = junit(summary_where_nothing_ran());
  EXPECT_TRUE(
      contains(text, R"(<testsuites name="tileproof" tests="1" failures="1" errors="0" skipped="0" time="41.200">)"));
  EXPECT_TRUE(contains(text, R"(    <testcase classname="tileproof" name="the run as a whole" time="0.000">
      <failure type="MISTRUSTED" message="nothing ran">nothing ran</failure>
    </testcase>
  </testsuite>
</testsuites>
)"));
}

TEST(JUnit, FailsARunThatIsFailedAsAWhole) {
  json some = summary({subject("host")}, {passed("a", "host")});
  some["verdict"] = "FAILED";
  some["reason"] = "no GPU";
  const std::string text = junit(some);
  EXPECT_TRUE(contains(text, R"(<testsuites name="tileproof" tests="2" failures="1" )"));
  EXPECT_TRUE(contains(text, R"(      <failure type="FAILED" message="no GPU">no GPU</failure>)"));
}

TEST(JUnit, AddsNoTestcaseWhereAClaimIsRedOrAllPassed) {
  EXPECT_FALSE(contains(junit(summary_of_all_kinds()), "the run as a whole"));
  EXPECT_FALSE(contains(junit(summary({subject("host")}, {passed("a", "host")})), "the run as a whole"));
}

// --- Reading the summary -------------------------------------------------------------------------------------------

struct WrongField {
  const char* pointer;
  json value;  // or discarded, to take the field away
  const char* message;
};

const json missing = json(json::value_t::discarded);

json with(const WrongField& wrong) {
  json some = summary_of_all_kinds();
  const json::json_pointer pointer(wrong.pointer);
  if (!wrong.value.is_discarded()) {
    some[pointer] = wrong.value;
  } else {
    some[pointer.parent_pointer()].erase(pointer.back());
  }
  return some;
}

TEST(Summary, NamesTheFieldThatIsMissing) {
  const WrongField fields[] = {
      {"/schema", missing, "schema: expected a whole number, not negative, got nothing"},
      {"/tool", missing, "tool: expected a string, got nothing"},
      {"/command", missing, "command: expected a string, got nothing"},
      {"/run_start", missing, "run_start: expected a string, got nothing"},
      {"/seconds", missing, "seconds: expected a number of seconds, got nothing"},
      {"/seed", missing, "seed: expected a whole number, not negative, got nothing"},
      {"/cases_per_claim", missing, "cases_per_claim: expected a whole number, not negative, got nothing"},
      {"/machine", missing, "machine: expected an object, got nothing"},
      {"/machine/compiler", missing, "machine.compiler: expected a string, got nothing"},
      {"/machine/cpu", missing, "machine.cpu: expected a string, got nothing"},
      {"/machine/gpu", missing, "machine.gpu: expected a string, got nothing"},
      {"/verdict", missing, "verdict: expected a string, got nothing"},
      {"/reason", missing, "reason: expected a string, got nothing"},
      {"/exit_code", missing, "exit_code: expected a whole number, not negative, got nothing"},
      {"/output_hash", missing, "output_hash: expected a string, got nothing"},
      {"/counts", missing, "counts: expected an object, got nothing"},
      {"/counts/SKIPPED", missing, "counts.SKIPPED: expected a whole number, not negative, got nothing"},
      {"/subjects", missing, "subjects: expected an array, got nothing"},
      {"/subjects/1/name", missing, "subjects[1].name: expected a string, got nothing"},
      {"/subjects/1/what", missing, "subjects[1].what: expected a string, got nothing"},
      {"/subjects/1/why_not", missing, "subjects[1].why_not: expected a string, got nothing"},
      {"/judgements", missing, "judgements: expected an array, got nothing"},
      {"/judgements/3/claim", missing, "judgements[3].claim: expected a string, got nothing"},
      {"/judgements/3/subject", missing, "judgements[3].subject: expected a string, got nothing"},
      {"/judgements/3/verdict", missing, "judgements[3].verdict: expected a string, got nothing"},
      {"/judgements/3/reason", missing, "judgements[3].reason: expected a string, got nothing"},
      {"/judgements/3/cases", missing, "judgements[3].cases: expected a whole number, not negative, got nothing"},
      {"/judgements/3/elements", missing, "judgements[3].elements: expected a whole number, not negative, got nothing"},
      {"/judgements/3/seconds", missing, "judgements[3].seconds: expected a number of seconds, got nothing"},
      {"/judgements/3/output_hash", missing, "judgements[3].output_hash: expected a string, got nothing"},
      {"/judgements/3/classes", missing, "judgements[3].classes: expected an object, got nothing"},
      {"/judgements/3/explained", missing, "judgements[3].explained: expected an object, got nothing"},
      {"/judgements/3/finding", missing, "judgements[3].finding: expected an object, got nothing"},
      {"/judgements/3/finding/problem", missing, "judgements[3].finding.problem: expected a string, got nothing"},
      {"/judgements/3/finding/kind", missing, "judgements[3].finding.kind: expected a string, got nothing"},
      {"/judgements/3/finding/details", missing, "judgements[3].finding.details: expected a string, got nothing"},
      {"/judgements/3/finding/shrinks", missing,
       "judgements[3].finding.shrinks: expected a whole number, not negative, got nothing"},
  };
  for (const WrongField& field : fields) {
    EXPECT_EQ(refusal_of(with(field)), std::string("summary.json: ") + field.message);
  }
}

TEST(Summary, NamesTheFieldThatIsMistyped) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const WrongField fields[] = {
      {"/tool", 7, "tool: expected a string, got 7"},
      {"/seed", -1, "seed: expected a whole number, not negative, got -1"},
      {"/seed", 1.5, "seed: expected a whole number, not negative, got 1.5"},
      {"/seconds", "41", "seconds: expected a number of seconds, got \"41\""},
      {"/seconds", -1, "seconds: expected a number of seconds, got -1"},
      {"/seconds", nan, "seconds: expected a number of seconds, got null"},
      {"/machine", {1, 2}, "machine: expected an object, got [1,2]"},
      {"/verdict", "SKIPPED", "verdict: expected PASSED, FAILED or MISTRUSTED, got \"SKIPPED\""},
      {"/subjects", json::object(), "subjects: expected an array, got {}"},
      {"/subjects/0", "host", "subjects[0]: expected an object, got \"host\""},
      {"/judgements/3/verdict", 7, "judgements[3].verdict: expected a string, got 7"},
      {"/judgements/3/verdict", "passed",
       "judgements[3].verdict: expected PASSED, FAILED, SKIPPED or MISTRUSTED, got \"passed\""},
      {"/judgements/3/classes/partial tile", "x",
       "judgements[3].classes.partial tile: expected a whole number, not negative, got \"x\""},
      {"/judgements/3/explained/a\x1b", nullptr,
       "judgements[3].explained.a\\x1b: expected a whole number, not negative, got null"},
      {"/judgements/3/finding", "x", "judgements[3].finding: expected an object, got \"x\""},
      {"/machine", std::string(80, 'm'),
       "machine: expected an object, got \"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm..."},
  };
  for (const WrongField& field : fields) {
    EXPECT_EQ(refusal_of(with(field)), std::string("summary.json: ") + field.message);
  }
}

TEST(Summary, OfAnotherSchemaIsRefusedByEveryWriter) {
  const json other = with({"/schema", 2, ""});
  const std::string message = "summary.json: schema: expected 1, got 2";
  EXPECT_EQ(message_of([&] { static_cast<void>(terminal(other, 80, false)); }), message);
  EXPECT_EQ(message_of([&] { static_cast<void>(markdown(other)); }), message);
  EXPECT_EQ(message_of([&] { static_cast<void>(junit(other)); }), message);
}

TEST(Summary, ThatIsNoObjectIsRefused) {
  EXPECT_EQ(refusal_of(json::array()), "summary.json: expected an object, got []");
  EXPECT_EQ(refusal_of(nullptr), "summary.json: expected an object, got null");
}

TEST(Summary, ThatContradictsItselfIsRefused) {
  const WrongField fields[] = {
      {"/counts/FAILED", 0, "counts.FAILED: expected 1, as many as judgements holds, got 0"},
      {"/verdict", "PASSED",
       "verdict: expected no PASSED over judgements that are FAILED or MISTRUSTED, got \"PASSED\""},
      {"/subjects/1/name", "reference", "subjects[1].name: expected each name once, got \"reference\""},
      {"/judgements/3/subject", "nobody", "judgements[3].subject: expected a name of subjects, got \"nobody\""},
      {"/judgements/3/claim", "pack/fills_words",
       "judgements[3].claim: expected one judgement of a claim on a subject, got \"pack/fills_words\""},
  };
  for (const WrongField& field : fields) {
    EXPECT_EQ(refusal_of(with(field)), std::string("summary.json: ") + field.message);
  }
  json nothing = summary_where_nothing_ran();
  nothing["verdict"] = "PASSED";
  EXPECT_EQ(refusal_of(nothing), "summary.json: verdict: expected no PASSED where nothing passed, got \"PASSED\"");
}

TEST(Summary, MayHoldTheLargestSeed) {
  const json some = with({"/seed", std::numeric_limits<std::uint64_t>::max(), ""});
  EXPECT_TRUE(contains(markdown(some), "- seed 18446744073709551615, "));
}

}  // namespace

}  // namespace tileproof::reports
