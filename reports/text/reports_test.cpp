#include "reports/reports.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "reports/records/records_for_tests.h"

namespace tileproof::reports {

namespace {

json passed(const std::string& property, const std::string& subject) { return judgement(property, subject, "PASSED"); }

json failed(const std::string& property, const std::string& subject, const std::string& details = "1 is wrong") {
  json one = judgement(property, subject, "FAILED");
  one["findings"] = {finding("mismatch", details)};
  return one;
}

json skipped(const std::string& property, const std::string& subject, const std::string& reason) {
  return judgement(property, subject, "SKIPPED", reason);
}

json mistrusted(const std::string& property, const std::string& subject, const std::string& reason) {
  return judgement(property, subject, "MISTRUSTED", reason);
}

json refused(json judgement, int cases, const std::string& message) {
  judgement["refused"] = {{"cases", cases}, {"message", message}};
  return judgement;
}

json explained(json judgement, const std::string& reason, int elements) {
  judgement["explained"][reason] = elements;
  return judgement;
}

json summary_where_nothing_ran() {
  json nothing = summary_of({subject("host"), subject("cuda", "no CUDA device")}, {});
  nothing["verdict"] = "MISTRUSTED";
  nothing["reason"] = "nothing ran";
  nothing["exit_code"] = 3;
  return nothing;
}

/// A summary with every verdict, a subject that did not run, explained differences, and refused cases.
json summary_of_all_kinds() {
  return summary_of(
      {subject("reference"), subject("host"), subject("cuda", "no CUDA device"), subject("aten-cpu")},
      {passed("pack/fills_words", "reference"), refused(passed("value/rounds_once", "reference"), 7, "n: got 0"),
       known("pack/fills_words", "host", expected_failure("T-7", "reads past the end", 3)),
       failed("value/rounds_once", "host", "1 is wrong:\n  row 0: x"),
       skipped("pack/fills_words", "cuda", "no CUDA device"), skipped("value/rounds_once", "cuda", "no CUDA device"),
       explained(mistrusted("pack/fills_words", "aten-cpu", "never met: padding"), "-0 is lost", 12),
       skipped("value/rounds_once", "aten-cpu", "the subject has no dequantize")});
}

std::string text_before(const std::string& text, const std::string& mark) { return text.substr(0, text.find(mark)); }
std::string text_from(const std::string& text, const std::string& mark) {
  const std::size_t at = text.find(mark);
  return at == std::string::npos ? "" : text.substr(at);
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

std::string validate(const json& wrong) {
  return message_of([&] { static_cast<void>(terminal(wrong, 80, false)); });
}

// --- Terminal ------------------------------------------------------------------------------------------------------

TEST(Terminal, ShowsEverythingInTheOrderOfImportance) {
  EXPECT_EQ(terminal(summary_of_all_kinds(), 120, false),
            R"(property           reference         host              aten-cpu
pack/fills_words   PASSED 100 0.41s  KNOWN  100 0.41s  MISTRUSTED 100 0.41s
value/rounds_once  PASSED 100 0.41s  FAILED  17 0.02s  -

Did not run:
  cuda: no CUDA device (2 properties SKIPPED)

Skipped:
  aten-cpu: 1 property SKIPPED: the subject has no dequantize

Refused with an error:
  reference: 7 cases in 1 property, such as in value/rounds_once: n: got 0

Explained differences, which are not failures:
  aten-cpu: 12 elements: -0 is lost

Known findings, which are not failures of this run:
  host: T-7: reads past the end (since 2026-10-01, 3 cases in pack/fills_words)

FAILED value/rounds_once on host: mismatch after 17 cases, smallest case after 5 shrinks
    1 is wrong:
      row 0: x
  ./tileproof replay --property=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f

MISTRUSTED pack/fills_words on aten-cpu: never met: padding

FAILED: 2 PASSED, 1 FAILED, 1 MISTRUSTED, 1 KNOWN, 3 SKIPPED in 41.20s, hash 0x0123456789abcdef
)");
}

TEST(Terminal, IsATableAndALineWhereAllPassed) {
  EXPECT_EQ(terminal(summary_of({subject("host")}, {passed("b/second", "host"), passed("a/first", "host")}), 80, false),
            R"(property  host
b/second  PASSED 100 0.41s
a/first   PASSED 100 0.41s

PASSED: 2 PASSED in 41.20s, hash 0x0123456789abcdef
)");
}

TEST(Terminal, SaysWhyTheRunIsMistrustedWhereNothingRan) {
  EXPECT_EQ(terminal(summary_where_nothing_ran(), 80, false), R"(No subject ran.

Did not run:
  host: no property was put to it
  cuda: no CUDA device

MISTRUSTED (nothing ran): 0 PASSED in 41.20s, hash 0x0123456789abcdef
)");
}

TEST(Terminal, LeavesACellEmptyWhereAPropertyWasNotPutToASubject) {
  const json some = summary_of({subject("host"), subject("cuda")}, {passed("a", "host"), passed("b", "cuda")});
  EXPECT_EQ(text_before(terminal(some, 80, false), "\n\n"), R"(property  host              cuda
a         PASSED 100 0.41s
b                           PASSED 100 0.41s)");
}

TEST(Terminal, ListsASubjectWhosePropertiesAreAllSkippedAsNotRun) {
  const json some = summary_of({subject("host"), subject("aten-cpu")},
                               {passed("a", "host"), skipped("a", "aten-cpu", "the subject has no pack")});
  EXPECT_EQ(text_from(terminal(some, 80, false), "Did not run"), R"(Did not run:
  aten-cpu: every property is SKIPPED

Skipped:
  aten-cpu: 1 property SKIPPED: the subject has no pack

PASSED: 1 PASSED, 1 SKIPPED in 41.20s, hash 0x0123456789abcdef
)");
}

TEST(Terminal, GroupsWhatIsSkippedAndExplainedBySubjectAndReason) {
  const json some =
      summary_of({subject("host"), subject("aten")},
                 {explained(passed("a", "host"), "-0 is lost", 5), explained(passed("b", "host"), "-0 is lost", 7),
                  explained(passed("c", "host"), "rounded twice", 1), skipped("a", "aten", "no pack"),
                  skipped("b", "aten", "no pack"), skipped("c", "aten", "no unpack"),
                  explained(passed("d", "aten"), "-0 is lost", 3)});
  EXPECT_EQ(text_from(terminal(some, 80, false), "Skipped"), R"(Skipped:
  aten: 2 properties SKIPPED: no pack
  aten: 1 property SKIPPED: no unpack

Explained differences, which are not failures:
  host: 12 elements: -0 is lost
  host: 1 element: rounded twice
  aten: 3 elements: -0 is lost

PASSED: 4 PASSED, 3 SKIPPED in 41.20s, hash 0x0123456789abcdef
)");
}

/// A property's name of 30 characters and cells of 16 and 15: each layout below fits down to a width that the tests
/// name.
json summary_to_squeeze() {
  return summary_of({subject("reference"), subject("host")}, {passed("value/float_domain_rounds_once", "reference"),
                                                              failed("value/float_domain_rounds_once", "host")});
}
std::string table_at(int columns) {
  const std::string text = terminal(summary_to_squeeze(), columns, false);
  return text_before(text, "\n\nFAILED");
}

constexpr const char* cells_beside = R"(property                        reference         host
value/float_domain_rounds_once  PASSED 100 0.41s  FAILED 17 0.02s)";
constexpr const char* cells_below = R"(property  reference         host
value/float_domain_rounds_once
          PASSED 100 0.41s  FAILED 17 0.02s)";
constexpr const char* a_table_each = R"(property  reference
value/float_domain_rounds_once
          PASSED 100 0.41s

property  host
value/float_domain_rounds_once
          FAILED 17 0.02s)";

TEST(Terminal, PutsCellsBesideTheirPropertyOrBelowItOrInATableEachAsTheyFit) {
  EXPECT_EQ(table_at(65), cells_beside);
  for (const int columns : {64, 43}) EXPECT_EQ(table_at(columns), cells_below) << columns;
  for (const int columns : {42, 1, -1}) EXPECT_EQ(table_at(columns), a_table_each) << columns;
}

TEST(Terminal, LeavesOutOfASubjectsTableWhatWasNotPutToIt) {
  const json some = summary_of({subject("host"), subject("cuda")}, {passed("a", "host"), passed("b", "cuda")});
  EXPECT_EQ(text_before(terminal(some, 30, false), "\n\nPASSED:"), R"(property  host
a         PASSED 100 0.41s

property  cuda
b         PASSED 100 0.41s)");
}

/// A summary with five subjects, and with properties whose names have 75 characters.
json widest_summary() {
  std::vector<json> subjects;
  std::vector<json> judgements;
  for (const char* name : {"reference", "host", "cuda", "aten-cpu", "aten-cuda"}) {
    subjects.push_back(subject(name));
    judgements.push_back(passed("first/" + std::string(69, 'a'), name));
    judgements.push_back(mistrusted("second/" + std::string(68, 'b'), name, "never met: several groups; not square"));
    judgements.push_back(
        failed("third/" + std::string(69, 'c'), name, "words " + std::string(200, '.') + " more words"));
    judgements.push_back(known("fourth/" + std::string(68, 'd'), name, expected_failure("T-1", "odd k", 1)));
  }
  return summary_of(subjects, judgements);
}

TEST(Terminal, PutsCellsBelowThosePropertiesOnlyThatAreTooLong) {
  const char* longest = "reject/a_group_size_that_does_not_divide_the_columns_is_refused_by_its_name";
  const char* fits = "stride/a_transposed_tensor_is_as_its_contiguous_copy_at_all";
  const json some =
      summary_of({subject("library")}, {passed(longest, "library"), passed("value/rounds_once", "library"),
                                        known(fits, "library", expected_failure("T-1", "odd k", 1))});
  EXPECT_EQ(text_before(terminal(some, 80, false), "\n\nKnown"),
            R"(property                                                     library
reject/a_group_size_that_does_not_divide_the_columns_is_refused_by_its_name
                                                             PASSED 100 0.41s
value/rounds_once                                            PASSED 100 0.41s
stride/a_transposed_tensor_is_as_its_contiguous_copy_at_all  KNOWN  100 0.41s)");
}

TEST(Terminal, LosesNoVerdictAtAnyWidthAndKeepsTheTableWithinUsualOnes) {
  for (const int columns : {0, 42, 65, 80, 100, 120, 160, 200}) {
    const std::string table = text_before(terminal(widest_summary(), columns, false), "\n\nKnown");
    for (const char* verdict : {"PASSED", "MISTRUSTED", "FAILED", "KNOWN"}) {
      EXPECT_EQ(occurrences(table, verdict), 5) << verdict << " at " << columns;
    }
    EXPECT_EQ(occurrences(table, "0.41s"), 15) << columns;
    EXPECT_EQ(occurrences(table, "0.02s"), 5) << columns;
    EXPECT_TRUE(contains(table, std::string(69, 'c'))) << columns;
    if (columns < 80) continue;
    for (const std::string& line : lines_of(table)) EXPECT_LE(line.size(), static_cast<std::size_t>(columns)) << line;
  }
}

TEST(Terminal, BreaksProseAtSpacesAndIndentsWhatFollows) {
  const json some =
      summary_of({subject("host")}, {mistrusted("a", "host", "never met: several groups; partial tile and more")});
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

json not_run(const std::string& property, const std::string& subject, const std::string& reason) {
  json judgement = mistrusted(property, subject, reason);
  judgement["cases"] = 0;
  return judgement;
}

TEST(Terminal, ShowsPropertiesThatWereNotRunForOneReasonOnOneLine) {
  const std::string interrupted = "not run: interrupted", lost = "not run: the device was lost in a";
  json some =
      summary_of({subject("host"), subject("cuda"), subject("aten-cpu")},
                 {mistrusted("a", "host", "never met: b"), not_run("c", "host", "the generator gave up: no"),
                  not_run("d", "host", interrupted), not_run("e", "host", interrupted), not_run("c", "cuda", lost),
                  not_run("d", "cuda", lost), not_run("e", "aten-cpu", interrupted)});
  EXPECT_EQ(text_before(text_from(terminal(some, 120, false), "\n\nMISTRUSTED"), "\n\nMISTRUSTED:"),
            "\n\nMISTRUSTED a on host: never met: b\n"
            "MISTRUSTED c on host: the generator gave up: no\n"
            "MISTRUSTED 3 properties on host, aten-cpu: not run: interrupted\n"
            "MISTRUSTED 2 properties on cuda: not run: the device was lost in a");
  // No verdict is lost: the table and the counts include each one.
  EXPECT_EQ(occurrences(text_before(terminal(some, 120, false), "\n\nMISTRUSTED"), "MISTRUSTED"), 7);
  EXPECT_TRUE(contains(terminal(some, 120, false), " 7 MISTRUSTED in "));
  // A property that ran is listed by itself, even if it has the same reason.
  some = summary_of({subject("host")}, {mistrusted("a", "host", interrupted), not_run("b", "host", interrupted)});
  EXPECT_TRUE(contains(terminal(some, 120, false),
                       "MISTRUSTED a on host: not run: interrupted\nMISTRUSTED b on host: not run: interrupted\n"));
}

TEST(Terminal, KeepsTheIndentOfDetailsThatItBreaks) {
  const json some =
      summary_of({subject("host")}, {failed("a", "host", "wrong:\n  row 0, column 1: expected 0x40e0, got 0x4170")});
  EXPECT_EQ(text_before(text_from(terminal(some, 40, false), "    wrong"), "  ./tileproof"),
            "    wrong:\n"
            "      row 0, column 1: expected 0x40e0,\n"
            "          got 0x4170\n");
}

TEST(Terminal, BreaksNoWordHoweverLong) {
  const std::string picture(150, '.');
  const json some = summary_of({subject("host")}, {failed("a", "host", "row 0: " + picture + "\n" + picture)});
  EXPECT_TRUE(contains(terminal(some, 80, false), "    row 0:\n        " + picture + "\n    " + picture + "\n"));
}

TEST(Terminal, NeverBreaksTheReplayLineNorTheLastOne) {
  const std::string text = terminal(summary_to_squeeze(), 10, false);
  EXPECT_TRUE(contains(text, "\n  ./tileproof replay " + std::string(problem) + "\n"));
  EXPECT_TRUE(text.ends_with("\nFAILED: 1 PASSED, 1 FAILED in 41.20s, hash 0x0123456789abcdef\n"));
}

TEST(Terminal, QuotesWordsOfTheReplayLineThatAShellWouldTakeApart) {
  json some = summary_of({subject("host")}, {failed("a", "host")});
  some["judgements"][0]["findings"][0]["replay"] = {
      "--library", "/tmp/my ops.so", "--property=$(reboot);x", "it's \"so\"", "", "b\nf", "\x1b[2J", "\xe2\x80\xae"};
  EXPECT_TRUE(contains(terminal(some, 80, false),
                       "  ./tileproof replay --library '/tmp/my ops.so' '--property=$(reboot);x' 'it'\\''s \"so\"' '' "
                       "'b f' '\\x1b[2J' '\\x202e'\n"));
}

TEST(Terminal, ReplaysTheWordsOfTheFindingAndNotItsProblem) {
  json some = summary_of({subject("host")}, {failed("a", "host")});
  some["judgements"][0]["findings"][0]["problem"] = "--n=2";
  EXPECT_TRUE(contains(terminal(some, 80, false), "  ./tileproof replay " + std::string(problem) + "\n"));
}

TEST(Terminal, HasNoReplayLineWhereAFindingCannotBeReplayed) {
  json some = summary_of({subject("host")}, {failed("a", "host")});
  some["judgements"][0]["findings"][0]["replay"] = json::array();
  EXPECT_TRUE(contains(terminal(some, 80, false), "\n    1 is wrong\n\nFAILED: "));
}

TEST(Terminal, CountsNoShrinksWhereNoCaseShowsTheFinding) {
  json some = summary_of({subject("host")}, {failed("a", "host", "T-7 occurs no longer")});
  some["judgements"][0]["findings"][0]["problem"] = "";
  some["judgements"][0]["findings"][0]["kind"] = "stale ledger";
  EXPECT_TRUE(contains(terminal(some, 80, false),
                       "\nFAILED a on host: stale ledger after 17 cases\n    T-7 occurs no longer\n"));
}

/// A property that fails in two ways, one of which cannot be replayed, and is known to fail in a third.
json summary_of_several_findings() {
  json several = with_known(failed("a", "host", "negative k is taken"), expected_failure("T-7", "odd k is taken", 2));
  several["findings"].push_back(finding("crash", "signal 11:\n  at row 0"));
  several["findings"][1]["shrinks"] = 1;
  several["findings"][1]["replay"] = json::array();
  return summary_of({subject("host")}, {several, failed("b", "host")});
}

TEST(Terminal, ShowsEachFindingOfAProperty) {
  EXPECT_EQ(text_from(terminal(summary_of_several_findings(), 100, false), "Known"),
            R"(Known findings, which are not failures of this run:
  host: T-7: odd k is taken (since 2026-10-01, 2 cases in a)

FAILED a on host: mismatch after 17 cases, smallest case after 5 shrinks
    negative k is taken
  ./tileproof replay --property=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f

FAILED b on host: mismatch after 17 cases, smallest case after 5 shrinks
    1 is wrong
  ./tileproof replay --property=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f

FAILED a on host: crash after 17 cases, smallest case after 1 shrink
    signal 11:
      at row 0

FAILED: 0 PASSED, 2 FAILED in 41.20s, hash 0x0123456789abcdef
)");
}

TEST(Terminal, SaysSoWhereAFailureHasNoFinding) {
  json some = summary_of({subject("host")}, {failed("a", "host")});
  some["judgements"][0]["findings"] = json::array();
  EXPECT_TRUE(contains(terminal(some, 80, false), "FAILED a on host: after 17 cases\n    no finding is recorded\n\n"));
  some["judgements"][0]["reason"] = "the device was lost";
  EXPECT_TRUE(contains(terminal(some, 80, false), "FAILED a on host: after 17 cases\n    the device was lost\n\n"));
}

json summary_with_failures(int count) {
  std::vector<json> judgements;
  for (int i = 1; i <= count; ++i) judgements.push_back(failed("property/" + std::to_string(i), "host"));
  return summary_of({subject("host")}, judgements);
}

TEST(Terminal, ShowsTenFailuresInFullAndCountsTheRest) {
  EXPECT_FALSE(contains(terminal(summary_with_failures(10), 80, false), "more"));
  const std::string text = terminal(summary_with_failures(13), 80, false);
  EXPECT_EQ(occurrences(text, "./tileproof replay"), 10);
  EXPECT_TRUE(contains(text, "\nFAILED property/10 on host"));
  EXPECT_FALSE(contains(text, "\nFAILED property/11 on host"));
  EXPECT_TRUE(contains(text, "\n\nand 3 more failures: see summary.json\n\nFAILED: 0 PASSED, 13 FAILED in"));
}

TEST(Terminal, CountsFindingsOverAllProperties) {
  json some = summary_with_failures(3);
  for (int i = 2; i <= 6; ++i) some["judgements"][0]["findings"].push_back(finding("crash", "variant"));
  for (int i = 2; i <= 4; ++i) some["judgements"][1]["findings"].push_back(finding("crash", "variant"));
  const std::string text = terminal(some, 80, false);
  EXPECT_EQ(occurrences(text, "\nFAILED property/1 on host"), 6);
  EXPECT_EQ(occurrences(text, "\nFAILED property/2 on host"), 3);
  EXPECT_EQ(occurrences(text, "\nFAILED property/3 on host"), 1);  // comes before the second failure of any property
  EXPECT_TRUE(contains(text, "\n\nand 1 more failure: see summary.json\n\nFAILED: 0 PASSED, 3 FAILED in"));
}

TEST(Terminal, ListsWhatIsKnownALineEach) {
  const json both =
      with_known(known("a", "host", expected_failure("T-1", "odd k", 1)), expected_failure("T-2", "n = 0", 4));
  const json some =
      summary_of({subject("host"), subject("aten")}, {both, passed("b", "host"), known("a", "aten", both["known"][0])});
  EXPECT_EQ(terminal(some, 80, false), R"(property  host              aten
a         KNOWN  100 0.41s  KNOWN 100 0.41s
b         PASSED 100 0.41s

Known findings, which are not failures of this run:
  host: T-1: odd k (since 2026-10-01, 1 case in a)
  host: T-2: n = 0 (since 2026-10-01, 4 cases in a)
  aten: T-1: odd k (since 2026-10-01, 1 case in a)

KNOWN: 1 PASSED, 2 KNOWN in 41.20s, hash 0x0123456789abcdef
)");
}

TEST(Terminal, GroupsWhatIsRefusedBySubject) {
  const json some = summary_of(
      {subject("host"), subject("aten")},
      {refused(passed("a", "host"), 3, ""), refused(passed("b", "host"), 4, "n: got\n0"), passed("c", "host"),
       refused(failed("d", "host"), 5, "k: got 0"), refused(passed("a", "aten"), 1, "no \x1b[2J GPU")});
  EXPECT_EQ(text_before(text_from(terminal(some, 80, false), "Refused"), "\n\nFAILED"), R"(Refused with an error:
  host: 12 cases in 3 properties, such as in b: n: got 0
  aten: 1 case in 1 property, such as in a: no \x1b[2J GPU)");
}

TEST(Terminal, PaintsVerdictsOnlyWhenAsked) {
  const std::string painted = terminal(summary_of_all_kinds(), 120, true);
  EXPECT_TRUE(contains(painted, "  \x1b[33mKNOWN\x1b[0m  100 0.41s  "));
  EXPECT_TRUE(contains(painted, "  \x1b[32mPASSED\x1b[0m 100 0.41s  "));
  EXPECT_TRUE(contains(painted, "  \x1b[31mFAILED\x1b[0m  17 0.02s  \x1b[2m-\x1b[0m\n"));
  EXPECT_TRUE(contains(painted, "  \x1b[31mMISTRUSTED\x1b[0m 100 0.41s\n"));
  EXPECT_TRUE(contains(painted, "\n\x1b[31mFAILED\x1b[0m value/rounds_once on host: "));
  EXPECT_TRUE(contains(painted, "\n\x1b[31mMISTRUSTED\x1b[0m pack/fills_words on aten-cpu: "));
  EXPECT_TRUE(contains(painted, "\n\x1b[31mFAILED\x1b[0m: 2 PASSED, "));
  EXPECT_FALSE(contains(terminal(summary_of_all_kinds(), 120, false), "\x1b"));
}

TEST(Terminal, SaysTheSameWithAndWithoutColours) {
  for (const int columns : {1, 30, 60, 80, 120}) {
    std::string text = terminal(summary_of_all_kinds(), columns, true);
    for (const std::string code : {"\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[2m", "\x1b[0m"}) {
      for (std::size_t at = text.find(code); at != std::string::npos; at = text.find(code)) text.erase(at, code.size());
    }
    EXPECT_EQ(text, terminal(summary_of_all_kinds(), columns, false));
  }
}

TEST(Terminal, ShowsControlCharactersInsteadOfObeyingThem) {
  json some =
      summary_of({subject("ho\nst")}, {failed("a\x1b[2J", "ho\nst", "clear\x1b[2J\a, \xc2\x9b, \xe2\x80\xae\nnext")});
  some["judgements"][0]["findings"][0]["kind"] = "cr\x1b[2J\nash";
  const std::string text = terminal(some, 120, false);
  EXPECT_TRUE(text.starts_with("property  ho st\na\\x1b[2J  FAILED 17 0.02s\n")) << text;
  EXPECT_TRUE(contains(text, "FAILED a\\x1b[2J on ho st: cr\\x1b[2J ash after 17 cases, "));
  EXPECT_TRUE(contains(text, "    clear\\x1b[2J\\x07, \\x9b, \\x202e\n    next\n"));
  EXPECT_FALSE(contains(text, "\x1b"));
}

TEST(Terminal, ShowsControlCharactersOfWhatIsKnown) {
  json finding = expected_failure("T\x1b[2J", "w\nx\x1b]0;", 2);
  finding["since"] = "\xe2\x80\xae";
  const std::string text =
      terminal(summary_of({subject("host")}, {known("a", "host", finding), passed("b", "host")}), 80, false);
  EXPECT_TRUE(contains(text, "\n  host: T\\x1b[2J: w x\\x1b]0; (since \\x202e, 2 cases in a)\n")) << text;
  EXPECT_FALSE(contains(text, "\x1b"));
}

TEST(Terminal, AlignsNamesThatAreNotAscii) {
  const json some = summary_of({subject("hôte"), subject("b")}, {passed("é", "hôte"), passed("é", "b")});
  EXPECT_EQ(text_before(terminal(some, 80, false), "\n\n"),
            "property  hôte              b\n"
            "é         PASSED 100 0.41s  PASSED 100 0.41s");
}

// --- Markdown ------------------------------------------------------------------------------------------------------

TEST(Markdown, ShowsVerdictTableFailuresReasonsAndProvenance) {
  EXPECT_EQ(markdown(summary_of_all_kinds()),
            R"(## FAILED: 2 PASSED, 1 FAILED, 1 MISTRUSTED, 1 KNOWN, 3 SKIPPED in 41.20s

| property | <code>reference</code> | <code>host</code> | <code>aten-cpu</code> |
|---|---|---|---|
| <code>pack/fills_words</code> | PASSED 100 0.41s | **KNOWN** 100 0.41s | **MISTRUSTED** 100 0.41s |
| <code>value/rounds_once</code> | PASSED 100 0.41s | **FAILED** 17 0.02s | - |

### FAILED

**FAILED** <code>value/rounds_once</code> on <code>host</code>: <code>mismatch</code> after 17 cases, smallest case after 5 shrinks

```text
1 is wrong:
  row 0: x
```

```sh
./tileproof replay --property=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f
```

### MISTRUSTED
- <code>pack/fills_words</code> on <code>aten-cpu</code>: <code>never met: padding</code>

### Known findings, which are not failures of this run
- <code>host</code>: <code>T-7</code>: <code>reads past the end</code> (since <code>2026-10-01</code>, expires <code>2027-04-01</code>, 3 cases in <code>pack/fills_words</code>)

### Did not run
- <code>cuda</code>: <code>no CUDA device</code> (2 properties SKIPPED)

### Skipped
- <code>aten-cpu</code>: 1 property SKIPPED: <code>the subject has no dequantize</code>

### Refused with an error
- <code>reference</code>: 7 cases in 1 property, such as in <code>value/rounds_once</code>: <code>n: got 0</code>

### Explained differences, which are not failures
- <code>aten-cpu</code>: 12 elements: <code>-0 is lost</code>

### Provenance
- output hash: <code>0x0123456789abcdef</code>
- seed <code>0x0000000000000001</code>, 100 cases a property
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
- <code>host</code>: <code>no property was put to it</code>
- <code>cuda</code>: <code>no CUDA device</code>
)");
}

TEST(Markdown, LeavesACellEmptyWhereAPropertyWasNotPutToASubject) {
  const json some = summary_of({subject("host"), subject("cuda")}, {passed("a", "host"), passed("b", "cuda")});
  EXPECT_EQ(line_with(markdown(some), "<code>a</code>"), "| <code>a</code> | PASSED 100 0.41s | |");
  EXPECT_EQ(line_with(markdown(some), "<code>b</code>"), "| <code>b</code> | | PASSED 100 0.41s |");
}

TEST(Markdown, NamesTheGpu) {
  json some = summary_of({subject("host")}, {passed("a", "host")});
  some["machine"]["gpu"] = "H200 | x";
  EXPECT_TRUE(markdown(some).ends_with("\n- GPU: <code>H200 &#124; x</code>\n"));
}

TEST(Markdown, EscapesWhatWouldLeaveItsTableCell) {
  const json some = summary_of({subject("a|b\\|")}, {passed("x|y\n| z |\r\n<script>`", "a|b\\|")});
  EXPECT_EQ(line_with(markdown(some), "| property |"), "| property | <code>a&#124;b&#92;&#124;</code> |");
  EXPECT_EQ(line_with(markdown(some), "PASSED 100"),
            "| <code>x&#124;y &#124; z &#124;&#92;x0d &#60;script&#62;&#96;</code> | PASSED 100 0.41s |");
}

TEST(Markdown, EscapesMarkupInReasonsAndNames) {
  const std::string hostile = "<script>alert(1)</script> **b** _i_ a_b ~~s~~ [l](u) $m$ & `c` \x1b";
  const std::string harmless =
      "<code>&#60;script&#62;alert(1)&#60;/script&#62; &#42;&#42;b&#42;&#42; &#95;i&#95; a_b &#126;&#126;s&#126;&#126; "
      "&#91;l&#93;(u) &#36;m&#36; &#38; &#96;c&#96; &#92;x1b</code>";
  json finding = expected_failure(hostile, hostile, 3);
  finding["since"] = hostile;
  finding["expires"] = hostile;
  json some = summary_of({subject("host"), subject("cuda", hostile)},
                         {mistrusted("a", "host", hostile), explained(skipped("b", "host", hostile), hostile, 2),
                          refused(known(hostile, "host", finding), 4, hostile)});
  some["reason"] = hostile;
  some["command"] = hostile;
  const std::string text = markdown(some);
  EXPECT_TRUE(text.starts_with("## MISTRUSTED (" + harmless + "): ")) << text;
  EXPECT_TRUE(contains(text, "- <code>a</code> on <code>host</code>: " + harmless + "\n"));
  EXPECT_TRUE(contains(text, "- <code>cuda</code>: " + harmless + "\n"));
  EXPECT_TRUE(contains(text, "- <code>host</code>: 1 property SKIPPED: " + harmless + "\n"));
  EXPECT_TRUE(contains(text, "- <code>host</code>: 2 elements: " + harmless + "\n"));
  EXPECT_TRUE(contains(text, "- <code>host</code>: " + harmless + ": " + harmless + " (since " + harmless +
                                 ", expires " + harmless + ", 3 cases in " + harmless + ")\n"));
  EXPECT_TRUE(
      contains(text, "- <code>host</code>: 4 cases in 1 property, such as in " + harmless + ": " + harmless + "\n"));
  EXPECT_TRUE(contains(text, "- command: " + harmless + " of "));
  EXPECT_FALSE(contains(text, "<script>"));
}

TEST(Markdown, FencesDetailsSoThatTheyCannotEndTheFence) {
  const json some = summary_of({subject("host")}, {failed("a", "host", "wrong\n```\n<script>\n`````\nend")});
  EXPECT_TRUE(contains(markdown(some), "\n``````text\nwrong\n```\n<script>\n`````\nend\n``````\n"));
}

TEST(Markdown, FencesTheReplayLineSoThatItCannotEndTheFence) {
  json some = summary_of({subject("host")}, {failed("a", "host")});
  some["judgements"][0]["findings"][0]["replay"] = {"--n=1", "\n```\n", "my \x1b[2J ops"};
  EXPECT_TRUE(contains(markdown(some), "\n````sh\n./tileproof replay --n=1 ' ``` ' 'my \\x1b[2J ops'\n````\n"));
}

TEST(Markdown, ShowsEachFindingOfAProperty) {
  EXPECT_EQ(text_before(text_from(markdown(summary_of_several_findings()), "### FAILED"), "### Provenance"),
            R"(### FAILED

**FAILED** <code>a</code> on <code>host</code>: <code>mismatch</code> after 17 cases, smallest case after 5 shrinks

```text
negative k is taken
```

```sh
./tileproof replay --property=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f
```

**FAILED** <code>b</code> on <code>host</code>: <code>mismatch</code> after 17 cases, smallest case after 5 shrinks

```text
1 is wrong
```

```sh
./tileproof replay --property=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f
```

**FAILED** <code>a</code> on <code>host</code>: <code>crash</code> after 17 cases, smallest case after 1 shrink

```text
signal 11:
  at row 0
```

### Known findings, which are not failures of this run
- <code>host</code>: <code>T-7</code>: <code>odd k is taken</code> (since <code>2026-10-01</code>, expires <code>2027-04-01</code>, 2 cases in <code>a</code>)

)");
}

TEST(Markdown, CutsFailuresThatDoNotFitAndCountsThem) {
  std::vector<json> judgements;
  for (int i = 0; i < 40; ++i) judgements.push_back(failed("c" + std::to_string(i), "host", std::string(2'000, 'x')));
  const std::string text = markdown(summary_of({subject("host")}, judgements));
  const int shown = occurrences(text, "./tileproof replay");
  EXPECT_GE(shown, 10);
  EXPECT_TRUE(contains(text, "```\n\nand " + std::to_string(40 - shown) + " more: see summary.json\n\n### Provenance"));
}

TEST(Markdown, CutsLongDetailsAndNames) {
  const json some = summary_of({subject("host")}, {failed(std::string(500, 'n'), "host", std::string(5'000, 'd'))});
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
    json finding = expected_failure(huge, huge, 3);
    finding["since"] = huge;
    finding["expires"] = huge;
    judgements.push_back(refused(known("d" + name, name, finding), 3, huge));
    subjects.push_back(subject("not" + name, huge));
  }
  json some = summary_of(subjects, judgements);
  for (const char* field : {"reason", "command", "tool", "run_start", "output_hash"}) some[field] = huge;
  some["machine"] = {{"compiler", huge}, {"cpu", huge}, {"gpu", huge}};
  const std::string text = markdown(some);
  EXPECT_LE(text.size(), 65'536u);
  EXPECT_TRUE(contains(text, "The table is too wide to stand here: see summary.json\n"));
  EXPECT_EQ(occurrences(text, " more: see summary.json\n"), 8);  // failures and seven lists
}

TEST(Markdown, StaysWithinACommentOfGitHubWithManyShortEntries) {
  std::vector<json> judgements;
  for (int i = 0; i < 3'000; ++i) {
    const std::string property = "property/number_" + std::to_string(i);
    judgements.push_back(i % 3 == 0   ? failed(property, "host")
                         : i % 3 == 1 ? explained(mistrusted(property, "host", "never met"), property, 1)
                                      : skipped(property, "host", "no " + property));
  }
  const std::string text = markdown(summary_of({subject("host")}, judgements));
  EXPECT_LE(text.size(), 65'536u);
  EXPECT_GE(text.size(), 40'000u);
  EXPECT_TRUE(text.starts_with("## FAILED: 0 PASSED, 1000 FAILED, 1000 MISTRUSTED, 1000 SKIPPED in 41.20s\n"));
  EXPECT_TRUE(text.ends_with("- GPU: none\n"));
}

// --- JUnit ---------------------------------------------------------------------------------------------------------

constexpr const char* provenance = R"(      <property name="tool" value="tileproof 0.1.0"/>
      <property name="command" value="verify --seed 1"/>
      <property name="seed" value="0x0000000000000001"/>
      <property name="compiler" value="GNU 12.2.0"/>
      <property name="cpu" value="EPYC"/>
      <property name="gpu" value=""/>
      <property name="output_hash" value="0x0123456789abcdef"/>
    </properties>
)";

TEST(JUnit, HasATestsuiteASubjectAndATestcaseAProperty) {
  const json some = summary_of({subject("host"), subject("cuda", "no CUDA device")},
                               {passed("a", "host"), failed("b", "host", "1 is wrong:\n  row 0: x"),
                                explained(mistrusted("c", "host", "never met: padding"), "-0 is lost", 12),
                                skipped("a", "cuda", "no CUDA device")});
  EXPECT_EQ(junit(some), std::string(R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="tileproof" tests="4" failures="2" errors="0" skipped="1" time="41.200">
  <testsuite name="host" tests="3" failures="2" errors="0" skipped="0" time="0.840" timestamp="2026-11-22T15:50:00Z">
    <properties>
      <property name="what" value="about host"/>
      <property name="why_not" value=""/>
)") + provenance + R"(    <testcase classname="host" name="a" time="0.410"/>
    <testcase classname="host" name="b" time="0.020">
      <failure type="mismatch" message="1 is wrong:">mismatch after 17 cases, smallest case after 5 shrinks
1 is wrong:
  row 0: x
./tileproof replay --property=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f</failure>
    </testcase>
    <testcase classname="host" name="c" time="0.410">
      <failure type="MISTRUSTED" message="never met: padding">never met: padding</failure>
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

/// KNOWN is skipped, so that no server's gate turns red, and none counts it as passed.
TEST(JUnit, SkipsWhatIsKnownAndSaysSo) {
  json finding = expected_failure("T-2", "n = 0", 1);
  finding["replay"] = json::array();
  const json some =
      summary_of({subject("host")},
                 {with_known(known("a", "host", expected_failure("T-1", "odd k", 3)), finding), passed("b", "host")});
  const std::string text = junit(some);
  EXPECT_TRUE(
      contains(text, R"(<testsuites name="tileproof" tests="2" failures="0" errors="0" skipped="1" time="41.200">)"));
  EXPECT_TRUE(contains(text, R"(    <testcase classname="host" name="a" time="0.410">
      <skipped message="known: T-1: odd k; T-2: n = 0"/>
      <system-out>known: T-1: odd k (since 2026-10-01, expires 2027-04-01, 3 cases)
12 are wrong
./tileproof replay --property=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f
known: T-2: n = 0 (since 2026-10-01, expires 2027-04-01, 1 case)
12 are wrong
</system-out>
    </testcase>
    <testcase classname="host" name="b" time="0.410"/>
)"));
}

TEST(JUnit, ShowsEachFindingOfAPropertyInOneFailure) {
  const std::string first = text_from(junit(summary_of_several_findings()), "    <testcase");
  EXPECT_EQ(text_before(first, "    <testcase classname=\"host\" name=\"b\""),
            R"xml(    <testcase classname="host" name="a" time="0.020">
      <failure type="mismatch" message="negative k is taken (and 1 more)">mismatch after 17 cases, smallest case after 5 shrinks
negative k is taken
./tileproof replay --property=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f

crash after 17 cases, smallest case after 1 shrink
signal 11:
  at row 0</failure>
      <system-out>known: T-7: odd k is taken (since 2026-10-01, expires 2027-04-01, 2 cases)
12 are wrong
./tileproof replay --property=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f
</system-out>
    </testcase>
)xml");
}

TEST(JUnit, SaysWhatWasRefused) {
  EXPECT_TRUE(contains(junit(summary_of({subject("host")}, {refused(passed("a", "host"), 2, "n: got 0")})),
                       R"(    <testcase classname="host" name="a" time="0.410">
      <system-out>refused: 2 cases: n: got 0
</system-out>
    </testcase>
)"));
}

TEST(JUnit, EscapesWhatIsKnownRefusedAndReplayed) {
  const std::string hostile = "\"]]></skipped>\x1b&\n";
  json finding = expected_failure(hostile, hostile, 1);
  finding["replay"] = {hostile};
  const std::string text =
      junit(summary_of({subject("host")}, {refused(known("a", "host", finding), 2, hostile), passed("b", "host")}));
  const std::string in_attribute = "&#34;]]&#62;&#60;/skipped&#62;&#38;&#10;";
  const std::string in_content = "\"]]&#62;&#60;/skipped&#62;&#38;\n";
  EXPECT_TRUE(contains(text, "<skipped message=\"known: " + in_attribute + ": " + in_attribute + "\"/>"));
  EXPECT_TRUE(contains(text, "refused: 2 cases: " + in_content));
  EXPECT_TRUE(contains(text, "known: " + in_content + ": " + in_content + " (since "));
  EXPECT_TRUE(contains(text, "./tileproof replay '\"]]&#62;&#60;/skipped&#62;\\x1b&#38; '\n"));
  EXPECT_FALSE(contains(text, "\x1b"));
}

TEST(JUnit, EscapesWhatWouldEndAnAttributeOrAnElement) {
  json some = summary_of({subject("a\"b")}, {failed("<script>|```&'", "a\"b", "x\n]]></failure> & \"y\"\r\n\tz")});
  some["command"] = "one\n\ttwo";
  const std::string text = junit(some);
  EXPECT_TRUE(contains(text, R"(<testcase classname="a&#34;b" name="&#60;script&#62;|```&#38;'" time="0.020">)"));
  EXPECT_TRUE(contains(text, R"(<property name="command" value="one&#10;&#9;two"/>)"));
  EXPECT_TRUE(contains(text, "\nx\n]]&#62;&#60;/failure&#62; &#38; \"y\"&#13;\n\tz\n"));
  EXPECT_FALSE(contains(text, "<script>"));
}

TEST(JUnit, DropsCharactersThatXmlForbids) {
  const std::string bad = std::string("a\0b", 3) + "\x01\x1b[0m\x0c \xef\xbf\xbe\xef\xbf\xbf!";
  const std::string text = junit(summary_of({subject("host")}, {skipped("a", "host", bad), failed("b", "host", bad)}));
  EXPECT_TRUE(contains(text, "<skipped message=\"ab[0m !\"/>"));
  EXPECT_TRUE(contains(text, "message=\"ab[0m !\">"));
  EXPECT_TRUE(contains(text, "\nab[0m !\n./tileproof"));
}

TEST(JUnit, ReplacesBytesThatAreNotUtf8) {
  // A stray byte, a cut sequence, an overlong one, a surrogate, a value above U+10FFFF; then two valid characters.
  const std::string bad = "\xff|\xe2\x82|\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\xc3\xa9|\xf0\x9f\x98\x80";
  const std::string text = junit(summary_of({subject("host")}, {mistrusted("a", "host", bad)}));
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
  json some = summary_of({subject("host")}, {passed("a", "host")});
  some["verdict"] = "FAILED";
  some["reason"] = "no GPU";
  const std::string text = junit(some);
  EXPECT_TRUE(contains(text, R"(<testsuites name="tileproof" tests="2" failures="1" )"));
  EXPECT_TRUE(contains(text, R"(      <failure type="FAILED" message="no GPU">no GPU</failure>)"));
}

TEST(JUnit, AddsNoTestcaseWhereAPropertyIsRedOrAllPassed) {
  EXPECT_FALSE(contains(junit(summary_of_all_kinds()), "the run as a whole"));
  EXPECT_FALSE(contains(junit(summary_of({subject("host")}, {passed("a", "host")})), "the run as a whole"));
}

// --- Reading the summary -------------------------------------------------------------------------------------------

const char* expected_instead_of(const json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  if (value.is_string()) return "a string";
  return value.is_number_float() ? "a number of seconds" : "a whole number, not negative";
}

/// Removes and replaces each field below a place in turn; `path` is that place as messages name it.
void expect_each_field_is_named(const json& whole, const json::json_pointer& place, const std::string& path) {
  const bool has_fields = whole[place].is_object(), are_optional = path.ends_with(".explained");
  for (const auto& [key, value] : whole[place].items()) {
    const json::json_pointer field = has_fields ? place / key : place / std::stoul(key);
    const std::string name = !has_fields ? path + "[" + key + "]" : path.empty() ? key : path + "." + key;
    const std::string message = "summary.json: " + name + ": expected " + expected_instead_of(value) + ", got ";
    json some = whole;
    some[field] = true;
    EXPECT_EQ(validate(some), message + "true");
    if (has_fields && !are_optional) {
      some[place].erase(key);
      EXPECT_EQ(validate(some), message + "nothing");
    }
    if (value.is_structured()) expect_each_field_is_named(whole, field, name);
  }
}

TEST(Summary, NamesTheFieldThatIsMissingOrMistyped) {
  expect_each_field_is_named(summary_of_all_kinds(), json::json_pointer(), "");
}

struct WrongField {
  const char* pointer;
  json value;
  const char* message;
};

json with(const WrongField& wrong) {
  json some = summary_of_all_kinds();
  some[json::json_pointer(wrong.pointer)] = wrong.value;
  return some;
}

TEST(Summary, NamesTheFieldAndItsIllegalValue) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const WrongField fields[] = {
      {"/seconds", -1, "seconds: expected a number of seconds, got -1"},
      {"/seconds", nan, "seconds: expected a number of seconds, got null"},
      {"/verdict", "SKIPPED", "verdict: expected PASSED, FAILED, MISTRUSTED or KNOWN, got \"SKIPPED\""},
      {"/judgements/3/verdict", "passed",
       "judgements[3].verdict: expected PASSED, FAILED, SKIPPED, MISTRUSTED or KNOWN, got \"passed\""},
      {"/judgements/3/explained/a\x1b", nullptr,
       "judgements[3].explained.a\\x1b: expected a whole number, not negative, got null"},
      {"/machine", std::string(80, 'm'),
       "machine: expected an object, got \"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm..."},
  };
  for (const WrongField& field : fields) {
    EXPECT_EQ(validate(with(field)), std::string("summary.json: ") + field.message);
  }
}

TEST(Summary, OfAnotherSchemaIsRefusedByEveryWriter) {
  const json other = with({"/schema", 1, ""});
  const std::string message = "summary.json: schema: expected 3, the only one that this version reads, got 1";
  EXPECT_EQ(message_of([&] { static_cast<void>(terminal(other, 80, false)); }), message);
  EXPECT_EQ(message_of([&] { static_cast<void>(markdown(other)); }), message);
  EXPECT_EQ(message_of([&] { static_cast<void>(junit(other)); }), message);
}

TEST(Summary, ThatIsNoObjectIsRefused) {
  EXPECT_EQ(validate(json::array()), "summary.json: expected an object, got []");
  EXPECT_EQ(validate(nullptr), "summary.json: expected an object, got null");
}

TEST(Summary, ThatContradictsItselfIsRefused) {
  const WrongField fields[] = {
      {"/counts/FAILED", 0, "counts.FAILED: expected 1, as many as judgements holds, got 0"},
      {"/verdict", "PASSED",
       "verdict: expected no PASSED over judgements that are FAILED or MISTRUSTED, got \"PASSED\""},
      {"/verdict", "KNOWN", "verdict: expected no KNOWN over judgements that are FAILED or MISTRUSTED, got \"KNOWN\""},
      {"/subjects/1/name", "reference", "subjects[1].name: expected each name once, got \"reference\""},
      {"/judgements/3/subject", "nobody", "judgements[3].subject: expected a name of subjects, got \"nobody\""},
      {"/judgements/3/property", "pack/fills_words",
       "judgements[3].property: expected one judgement of a property on a subject, got \"pack/fills_words\""},
  };
  for (const WrongField& field : fields) {
    EXPECT_EQ(validate(with(field)), std::string("summary.json: ") + field.message);
  }
  json nothing = summary_where_nothing_ran();
  nothing["verdict"] = "PASSED";
  EXPECT_EQ(validate(nothing), "summary.json: verdict: expected no PASSED where nothing passed, got \"PASSED\"");
}

TEST(Summary, WhoseVerdictIsNotThatOfItsFindingsIsRefused) {
  const json one = expected_failure("T-1", "odd k", 1);
  const auto validate_one = [](const json& judgement) { return validate(summary_of({subject("host")}, {judgement})); };
  const auto with_verdict = [](json judgement, const char* verdict) {
    judgement["verdict"] = verdict;
    return judgement;
  };
  const std::string start = "summary.json: judgements[0].verdict: expected ";
  for (const char* verdict : {"PASSED", "SKIPPED", "MISTRUSTED", "KNOWN"}) {
    EXPECT_EQ(validate_one(with_verdict(with_known(failed("a", "host"), one), verdict)),
              start + "FAILED over findings, got \"" + verdict + "\"");
  }
  for (const char* verdict : {"PASSED", "SKIPPED"}) {
    EXPECT_EQ(validate_one(with_verdict(known("a", "host", one), verdict)),
              start + "KNOWN, FAILED or MISTRUSTED over known findings, got \"" + verdict + "\"");
  }
  EXPECT_EQ(validate_one(with_verdict(passed("a", "host"), "KNOWN")),
            start + "no KNOWN where no finding is known, got \"KNOWN\"");
  EXPECT_EQ(validate_one(refused(passed("a", "host"), 0, "n: got 0")),
            "summary.json: judgements[0].refused.message: expected \"\" where no case was refused, got \"n: got 0\"");
  EXPECT_EQ(validate_one(with_known(failed("a", "host"), one)), "nothing was thrown");
  EXPECT_EQ(validate_one(with_known(mistrusted("a", "host", "never met: b"), one)), "nothing was thrown");
}

TEST(Summary, IsNotPassedWhereAllThatRanIsKnown) {
  json some = summary_of({subject("host")}, {known("a", "host", expected_failure("T-1", "odd k", 1))});
  some["verdict"] = "PASSED";
  EXPECT_EQ(validate(some), "summary.json: verdict: expected no PASSED where nothing passed, got \"PASSED\"");
  for (const char* verdict : {"MISTRUSTED", "KNOWN"}) {
    some["verdict"] = verdict;
    EXPECT_EQ(validate(some), "nothing was thrown");
  }
}

TEST(Summary, IsKnownWhereSomethingIsAndTheRestPassed) {
  json some =
      summary_of({subject("host")}, {known("a", "host", expected_failure("T-1", "odd k", 1)), passed("b", "host")});
  EXPECT_EQ(some["verdict"], "KNOWN");
  EXPECT_TRUE(contains(terminal(some, 80, true), "\n\x1b[33mKNOWN\x1b[0m: 1 PASSED, 1 KNOWN"));
  EXPECT_TRUE(markdown(some).starts_with("## KNOWN: 1 PASSED, 1 KNOWN"));
  EXPECT_FALSE(contains(junit(some), "the run as a whole"));
  some["verdict"] = "PASSED";  // as older runs say
  EXPECT_EQ(validate(some), "nothing was thrown");
  json none = summary_of({subject("host")}, {passed("b", "host")});
  none["verdict"] = "KNOWN";
  EXPECT_EQ(validate(none), "summary.json: verdict: expected no KNOWN where nothing is known, got \"KNOWN\"");
}

TEST(Terminal, SaysWhereObservationsWereLeftOut) {
  json some = summary_of({subject("host")}, {passed("a", "host")});
  EXPECT_FALSE(contains(terminal(some, 80, false), "Observations"));  // older summaries do not record it
  some["observations"] = {{"cases", 300}, {"kept", 300}, {"rule", "all"}};
  EXPECT_FALSE(contains(terminal(some, 80, false), "Observations"));
  some["observations"] = {{"cases", 9000}, {"kept", 300}, {"rule", "the first of each cell"}};
  EXPECT_TRUE(
      contains(terminal(some, 80, false), "Observations are kept of 300 of 9000 cases: the first of each cell\n"));
}

}  // namespace

}  // namespace tileproof::reports
