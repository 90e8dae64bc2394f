// Tests the table of verdicts on libraries: what an operation's properties amount to, and in which words it differs.
#include "reports/assessment/library_verdicts.h"

#include <gtest/gtest.h>

#include "reports/assessment/differences.h"
#include "reports/page/report.h"
#include "reports/records/records_for_tests.h"
#include "reports/reports.h"

namespace tileproof::reports {

namespace {

/// A judgement of a property that needs operations.
json judged(const std::vector<std::string>& needs, const std::string& verdict,
            const std::string& property = "value/rounds_once") {
  json one = judgement(property, "python", verdict, verdict == "MISTRUSTED" ? "never met: padding" : "");
  one["needs"] = needs;
  one["asked"] = {{"formats", {"awq"}}, {"group_sizes", {32}}};
  return one;
}

json judged_known(const std::vector<std::string>& needs, const std::string& property = "value/rounds_once") {
  json known = expected_failure("mine-flushes", "flushes what is small", 3);
  known["problem"] = problem;
  known["kind"] = "mismatch";
  known["pattern"] = "a subnormal that became zero";
  return with_known(judged(needs, "KNOWN", property), known);
}

json run_of(const std::vector<json>& judgements, const std::string& type = "fp16",
            const std::string& environment = "") {
  json one = subject("python");
  one["library"] = "mine 1.2";
  one["device"] = "cpu";
  one["capability"] = "avx2";
  return {{"name", "mine_awq"},
          {"type", type},
          {"environment", environment},
          {"command", {"verify", "--python", "my adapter.py"}},
          {"why_not", ""},
          {"summary", summary_of({one}, judgements)}};
}

json verdicts_of(const std::vector<json>& runs) {
  return {
      {"schema", 1}, {"tool", "tileproof 1"}, {"run_start", "2026-11-30T00:00:00Z"}, {"cases", 300}, {"runs", runs}};
}

/// The table of one run.
LibraryVerdicts table_of_run(const std::vector<json>& judgements) {
  return library_verdicts(verdicts_of({run_of(judgements)}));
}

// --- Verdicts

TEST(AVerdictOnALibrary, IsExactIfEveryPropertyThatNeedsTheOperationPassed) {
  const LibraryVerdicts all = table_of_run({judged({"dequantize"}, "PASSED", "a/a"), judged({"pack"}, "SKIPPED", "b/b"),
                                            judged({"dequantize"}, "PASSED", "c/c")});
  ASSERT_EQ(all.rows.size(), 1u);
  const LibraryVerdict& row = all.rows[0];
  EXPECT_EQ(std::string(name_in_table(row)), "EXACT");
  EXPECT_EQ(row.library + "; " + row.format + "; " + row.operation + "; " + row.type + "; " + row.machine,
            "mine 1.2; awq; dequantize; fp16; CPU avx2");
  EXPECT_TRUE(row.how.empty());
  EXPECT_EQ(row.replay, "./tileproof verify --python 'my adapter.py'");
  EXPECT_EQ(all.exit_code, 0);
}

TEST(AVerdictOnALibrary, IsPassedWhereSomethingIsExplainedOrHeldToABound) {
  json nan = judged({"dequantize"}, "PASSED"), zero = nan;
  nan["explained"] = {{"a NaN with other bits: the subject does not promise the hardware's", 3}};
  zero["explained"] = {{"-0 is lost: -0 + 0 is +0", 3}};
  const auto name = [](const json& one) { return std::string(name_in_table(table_of_run({one}).rows.at(0))); };
  EXPECT_EQ(name(nan), "EXACT");
  EXPECT_EQ(name(zero), "PASSED");
  EXPECT_EQ(name(judged({"matmul"}, "PASSED")), "PASSED");
}

TEST(AVerdictOnALibrary, SaysWhatWasNotAsked) {
  json passed = judged({"dequantize"}, "PASSED", "a/a"), skipped = judged({"dequantize"}, "SKIPPED", "b/b");
  passed["out_of_reach"] = {"padding", "weights fp32", "several groups", "group of more than 256", "square as awq"};
  skipped["out_of_reach"] = {"more than 65,535 rows as awq"};
  EXPECT_EQ(joined(table_of_run({passed, skipped}).rows.at(0).how, "; "),
            "not asked: more than 65,535 rows as awq, padding, several groups, and 1 more");
}

TEST(AVerdictOnALibrary, OfAPropertyThatIsMistrustedOrSkippedIsNotExact) {
  const LibraryVerdicts mistrusted =
      table_of_run({judged({"dequantize"}, "PASSED", "a/a"), judged({"dequantize"}, "MISTRUSTED", "b/b")});
  EXPECT_EQ(std::string(name_in_table(mistrusted.rows.at(0))), "MISTRUSTED");
  EXPECT_EQ(joined(mistrusted.rows[0].how, "; "), "b/b: never met: padding");
  EXPECT_EQ(mistrusted.exit_code, 3);

  json nothing = run_of({judged({"dequantize"}, "SKIPPED", "a/a")});
  nothing["summary"]["verdict"] = "MISTRUSTED";
  const LibraryVerdicts skipped = library_verdicts(verdicts_of({nothing}));
  EXPECT_EQ(std::string(name_in_table(skipped.rows.at(0))), "SKIPPED");
  EXPECT_EQ(skipped.exit_code, 3);
}

TEST(AVerdictOnALibrary, OfAKnownFindingSaysSinceWhen) {
  const LibraryVerdicts all = table_of_run({judged({"dequantize"}, "PASSED", "a/a"), judged_known({"dequantize"})});
  EXPECT_EQ(std::string(name_in_table(all.rows.at(0))), "KNOWN");
  EXPECT_EQ(joined(all.rows[0].how, "; "), "flushes what is small") << "in the ledger's own words";
  EXPECT_EQ(all.rows[0].since, "2026-10-01");
  EXPECT_NE(all.rows[0].replay.find("./tileproof replay --property=value/rounds_once"), std::string::npos);
  EXPECT_EQ(all.exit_code, 0);
}

TEST(AVerdictOnALibrary, OfANewFindingIsFailedWhateverElseIsKnown) {
  const LibraryVerdicts all =
      table_of_run({judged_known({"dequantize"}, "a/a"), judged({"dequantize"}, "FAILED", "group/of_its_own")});
  EXPECT_EQ(std::string(name_in_table(all.rows.at(0))), "FAILED");
  EXPECT_EQ(joined(all.rows[0].how, "; "), "uses another group's parameters; flushes what is small");
  EXPECT_EQ(all.rows[0].since, "new, 2026-10-01");
  EXPECT_EQ(all.exit_code, 1);
}

TEST(AVerdictOnALibrary, IsOfTheOperationThatFailsByItself) {
  const auto verdict_on = [](const LibraryVerdicts& all, const std::string& operation) {
    for (const LibraryVerdict& row : all.rows) {
      if (row.operation == operation) return std::string(name_in_table(row));
    }
    return std::string("no row");
  };
  const LibraryVerdicts one =
      table_of_run({judged({"unpack"}, "PASSED", "a/a"), judged({"dequantize"}, "FAILED", "b/b"),
                    judged({"unpack", "dequantize"}, "FAILED", "c/c")});
  EXPECT_EQ(verdict_on(one, "unpack"), "EXACT");
  EXPECT_EQ(verdict_on(one, "dequantize"), "FAILED");
  // A known difference of one does not explain what is new.
  const LibraryVerdicts beside = table_of_run({judged({"unpack"}, "PASSED", "a/a"), judged_known({"dequantize"}, "b/b"),
                                               judged({"unpack", "dequantize"}, "FAILED", "c/c")});
  EXPECT_EQ(verdict_on(beside, "unpack"), "FAILED");
  // Where neither fails by itself, it may be either.
  const LibraryVerdicts both =
      table_of_run({judged({"unpack"}, "PASSED", "a/a"), judged({"dequantize"}, "PASSED", "b/b"),
                    judged({"unpack", "dequantize"}, "FAILED", "c/c")});
  EXPECT_EQ(verdict_on(both, "unpack"), "FAILED");
  EXPECT_EQ(verdict_on(both, "dequantize"), "FAILED");
}

TEST(AVerdictOnALibrary, OfCodesAloneIsTheWorseOfItsRunsAndOfWeightsIsOneForEachType) {
  const json good = run_of({judged({"unpack"}, "PASSED", "a/a"), judged({"dequantize"}, "PASSED", "b/b")}, "fp16");
  const json bad = run_of({judged({"unpack"}, "FAILED", "a/a"), judged({"dequantize"}, "PASSED", "b/b")}, "bf16");
  for (const auto& runs : {std::vector<json>{good, bad}, std::vector<json>{bad, good}}) {
    const LibraryVerdicts all = library_verdicts(verdicts_of(runs));
    ASSERT_EQ(all.rows.size(), 3u);
    for (const LibraryVerdict& row : all.rows) {
      EXPECT_EQ(std::string(name_in_table(row)), row.operation == "unpack" ? "FAILED" : "EXACT");
      EXPECT_EQ(row.type.empty(), row.operation == "unpack");
    }
  }
}

TEST(AVerdictOnALibrary, ThatIsNotHereIsSkippedAndOneThatCannotBeImportedIsMistrusted) {
  json absent = run_of({});
  absent["summary"] = nullptr;
  absent["why_not"] = "python3 -m pip install mine";
  absent["is_broken"] = false;
  json broken = absent;
  broken["is_broken"] = true;
  broken["name"] = "broken";
  const LibraryVerdicts all = library_verdicts(verdicts_of({absent, broken, run_of({judged({"pack"}, "PASSED")})}));
  EXPECT_EQ(std::string(name_in_table(all.rows.at(0))), "SKIPPED");
  EXPECT_EQ(joined(all.rows[0].how, "; "), "python3 -m pip install mine");
  EXPECT_EQ(std::string(name_in_table(all.rows.at(1))), "MISTRUSTED");
  EXPECT_EQ(all.exit_code, 3);
}

TEST(AVerdictOnALibrary, SaysItsEnvironmentInItsMachineAndItsCommand) {
  const json run = run_of({judged({"pack"}, "FAILED")}, "fp16", "ATEN_CPU_CAPABILITY=avx2");
  const LibraryVerdict row = library_verdicts(verdicts_of({run})).rows.at(0);
  EXPECT_EQ(row.machine, "CPU avx2, ATEN_CPU_CAPABILITY=avx2");
  EXPECT_TRUE(row.replay.starts_with("ATEN_CPU_CAPABILITY=avx2 ./tileproof replay ")) << row.replay;
}

TEST(AVerdictOnALibrary, SaysWhatIsExplainedAndWhatIsRefusedBesideExact) {
  json one = judged({"dequantize"}, "PASSED");
  one["explained"]["a NaN with other bits: the subject does not promise the hardware's"] = 12;
  one["refused"] = {{"cases", 2}, {"message", "n: got 3\nmore"}};
  EXPECT_EQ(joined(table_of_run({one}).rows.at(0).how, "; "), "refuses: n: got 3; explained: a NaN with other bits");
  EXPECT_EQ(table_of_run({one}).rows.at(0).format, "awq");
}

TEST(AVerdictOnALibrary, NamesTheSchemesOfAFormatThatHasSeveralWhereTheyMatter) {
  json weights = judged({"dequantize"}, "PASSED"), codes = judged({"unpack"}, "PASSED", "bits/a");
  for (json* one : {&weights, &codes}) {
    (*one)["asked"]["formats"] = {"nvfp4"};
    (*one)["asked"]["schemes"] = {"swizzled"};
  }
  const LibraryVerdicts all = table_of_run({weights, codes});
  EXPECT_EQ(all.rows.at(0).format, "nvfp4 (swizzled)");
  EXPECT_EQ(all.rows.at(1).format, "nvfp4");
}

// --- Words

Finding finding_with(const std::string& kind, const std::string& details, const std::string& pattern = "",
                     const std::set<std::string>& classes = {}) {
  return {problem, kind, details, "", 0, replay_words, pattern, classes};
}

TEST(ADifference, IsSaidInTheWordsOfTheTableOrInTheFindingsOwn) {
  const auto words = [](const std::string& property, const Finding& finding) { return difference(property, finding); };
  const std::set<std::string> crossing = {"a group crosses rows"};
  EXPECT_EQ(words("read/a", finding_with("guard", "read past the end of scales")), "reads outside its inputs");
  EXPECT_EQ(words("write/a", finding_with("guard", "wrote outside codes")), "writes outside its memory");
  EXPECT_EQ(words("value/a", finding_with("error", "ValueError: no\nmore")), "raises: ValueError: no");
  EXPECT_EQ(words("stride/a", finding_with("mismatch", "x")), "wrong on strides");
  EXPECT_EQ(words("value/a", finding_with("mismatch", "x", "the sign of a zero")), "loses the sign of a zero");
  EXPECT_EQ(words("value/a", finding_with("mismatch", "x", "a weight of two roundings")), "rounds twice");
  EXPECT_EQ(words("group/a", finding_with("mismatch", "x", "", crossing)), "wrong where a group crosses rows");
  EXPECT_EQ(words("group/a", finding_with("crash", "x", "", crossing)), "crashes");
  EXPECT_EQ(words("index/a", finding_with("mismatch", "x")), "wrong codes or places");
  EXPECT_EQ(words("sense/a", finding_with("mismatch", "2 are wrong:\n row 0")), "mismatch: 2 are wrong:");
}

// --- Texts

TEST(TheTableOfVerdicts, IsOneTableOfMarkdownThatNoTextCanBreak) {
  json run = run_of({judged({"dequantize"}, "PASSED")});
  run["summary"]["subjects"][0]["library"] = "a|b `c` <script>";
  run["command"] = {"verify", "a\n| b"};
  const std::string text = verdicts_markdown(verdicts_of({run}));
  EXPECT_NE(text.find("| 1. <code>a&#124;b &#96;c&#96; &#60;script&#62;</code> | <code>awq</code> | "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\n    ./tileproof verify 'a | b'  # 1\n"), std::string::npos) << text;
}

TEST(TheTableOfVerdicts, HidesNothingBehindALongPart) {
  json one = judged({"dequantize"}, "PASSED");
  one["explained"] = {{std::string(500, 'x'), 1}};
  one["out_of_reach"] = {"padding"};
  const std::string text = verdicts_markdown(verdicts_of({run_of({one})}));
  EXPECT_NE(text.find("...</code>; <code>not asked: padding</code> | "), std::string::npos) << text;
}

TEST(TheTableOfVerdicts, IsAPageWithoutAScript) {
  json run = run_of({judged({"dequantize"}, "FAILED")});
  run["summary"]["subjects"][0]["library"] = "<script>1</script>";
  const LibraryReport made = library_report(verdicts_of({run}));
  EXPECT_EQ(made.html.find("<script"), std::string::npos);
  EXPECT_NE(made.html.find("&lt;script&gt;"), std::string::npos);
  EXPECT_EQ(made.exit_code, 1);
  EXPECT_EQ(made.said, verdicts_text(verdicts_of({run})));
}

}  // namespace

}  // namespace tileproof::reports
