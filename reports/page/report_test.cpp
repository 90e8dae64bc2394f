// Tests of the whole report: its contents, that it claims nothing without a record, and its messages for bad input.
#include "reports/page/report.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "reports/page/section.h"
#include "reports/records/records_for_tests.h"

namespace tileproof::reports {

namespace {

class AReport : public WithFolder {
 protected:
  Report made(const std::vector<std::string>& runs, const std::vector<std::string>& against = {}) const {
    ReportRequest request;
    for (const std::string& one : runs) request.runs.push_back(folder_ / one);
    for (const std::string& one : against) request.against.push_back(folder_ / one);
    request.budgets = folder_ / "budgets.json";
    return report(request);
  }
  static void expect_trouble(const Report& report, const std::string& named) {
    EXPECT_EQ(report.exit_code, 2);
    ASSERT_FALSE(report.troubles.empty());
    expect_says(report.troubles.front(), named);
  }
};

const json passing_run = summary({judgement("a/b", "host", "PASSED")});
const json failing_run = summary({judgement("a/b", "host", "FAILED")});

TEST_F(AReport, HasEverySectionInItsOrder) {
  write("now/summary.json", passing_run);
  const std::string html = made({"now"}).html;
  std::size_t at = 0;
  for (const Section& section : sections()) {
    const std::size_t found = html.find("<section id=\"" + std::string(section.id.text()) + "\"");
    EXPECT_NE(found, std::string::npos) << section.title;
    EXPECT_GT(found, at) << section.title;
    at = found;
  }
}

TEST_F(AReport, SaysWhichCommandMakesWhatIsNotThere) {
  write("now/summary.json", passing_run);
  const Report report = made({"now"});
  EXPECT_EQ(report.exit_code, 0);
  for (const char* command : {"./tileproof prove", "./tileproof prove self", "./tileproof prove domains",
                              "./tileproof fuzz", "./tileproof bench --json FILE"}) {
    EXPECT_TRUE(contains(report.html, std::string("<code>") + command + "</code>")) << command;
  }
  EXPECT_TRUE(contains(report.html, "no baseline was given"));
}

TEST_F(AReport, OfAllRecordsTogetherLacksNothingButABaseline) {
  write("now/verify/summary.json", passing_run);
  write("now/verify/accuracy.json", accuracy({accuracy_row(4, 3, 4)}));
  write("now/prove/proofs.json", proofs({proof("PROVED", 100)}));
  write("now/fuzz/campaign.json", campaign({}));
  write("now/fuzz/journal.jsonl",
        std::string(R"({"type":"test_case","metadata":{"cell":"pack tinygemm-2 k=2^9 profile=edges"}})") + "\n" +
            R"({"type":"info","title":"stop","content":{}})" + "\n");
  write("now/bench.json", bench(1e-3));
  const Report report = made({"now"});
  EXPECT_EQ(report.exit_code, 0) << report.said;
  for (const char* id : {"error-k", "error-group", "error-binade", "place-0", "coverage"}) {
    EXPECT_TRUE(contains(report.html, std::string("<figure id=\"") + id + "\"")) << id;
    EXPECT_TRUE(json::parse(report.json)["charts"].contains(id)) << id;
  }
  EXPECT_TRUE(contains(report.html, "0x3edb")) << "a worst case";
  EXPECT_TRUE(contains(report.html, "&gt;= 3")) << "a maximum of a sample";
  EXPECT_TRUE(contains(report.html, "bound: one rounding"));
  EXPECT_TRUE(contains(report.html, "two roundings, as predicted")) << "an explained difference";
}

TEST_F(AReport, AgainstABaselineIsRegressedOrNot) {
  write("now/summary.json", failing_run);
  write("before/summary.json", passing_run);
  const Report worse = made({"now"}, {"before"});
  EXPECT_EQ(worse.exit_code, 1);
  EXPECT_TRUE(worse.said.starts_with("REGRESSED")) << worse.said;
  EXPECT_TRUE(worse.markdown.starts_with("## REGRESSED")) << worse.markdown;
  EXPECT_TRUE(contains(worse.junit, "<failure type=\"REGRESSED\"")) << worse.junit;
  EXPECT_EQ(json::parse(worse.json)["counts"]["REGRESSED"], 1);
  EXPECT_EQ(made({"before"}, {"now"}).exit_code, 0);
  EXPECT_EQ(made({"before"}, {"before"}).exit_code, 0);
}

TEST_F(AReport, ShowsWhatIsKnownAndWhatIsSampledInAmberEverywhere) {
  write("now/summary.json", summary({known("a/b", "host", expected_failure("T-7", "reads past the end", 3)),
                                     judgement("c/d", "host", "PASSED")}));
  write("now/proofs.json", proofs({proof("SAMPLED", 320, 2362667520), [] {
                                     json whole = proof("PROVED", 100);
                                     whole["property"] = "words/all";
                                     return whole;
                                   }()}));
  const Report amber = made({"now"});
  EXPECT_EQ(amber.exit_code, 0);
  const std::string part = "sampled 320 of 2,362,667,520 (0.000014 %)";
  const std::string of_subject = "host: 1 of 2 proofs whole, 1 SAMPLED; the smallest sample is 320 of 2,362,667,520";
  EXPECT_TRUE(amber.said.starts_with("KNOWN: Nothing new fails")) << amber.said;
  EXPECT_TRUE(amber.markdown.starts_with("## KNOWN")) << amber.markdown;
  for (const std::string& text : {amber.said, amber.markdown, amber.html}) {
    EXPECT_TRUE(contains(text, part)) << text.substr(0, 2000);
    EXPECT_TRUE(contains(text, of_subject)) << text.substr(0, 2000);
    EXPECT_TRUE(contains(text, "known: T-7")) << text.substr(0, 2000);
  }
  EXPECT_TRUE(contains(amber.html, "<div class=\"verdict doubtful\"")) << "the banner is amber";
  EXPECT_TRUE(contains(amber.junit, "<skipped message=\"" + part + "\"/>")) << amber.junit;
  EXPECT_TRUE(contains(amber.junit, "<skipped message=\"known: T-7: reads past the end\"/>")) << amber.junit;
  const json counts = json::parse(amber.json)["counts"];
  EXPECT_EQ(counts["KNOWN"], 1);
  EXPECT_EQ(counts["SAMPLED"], 1);
  EXPECT_EQ(counts["PASSED"], 0);
  EXPECT_EQ(counts["EXACT"], 2);
}

TEST_F(AReport, OfACrashIsFailed) {
  json died = judgement("a/b", "host", "FAILED");
  died["findings"][0]["kind"] = "crash";
  died["findings"][0]["details"] = "the process died of SIGSEGV";
  write("now/summary.json", summary({died}));
  const Report report = made({"now"});
  EXPECT_TRUE(report.said.starts_with("FAILED: Something fails: 1 FAILED")) << report.said;
  EXPECT_TRUE(contains(report.junit, "<failure type=\"FAILED\" message=\"FAILED: crash: the process died of SIGSEGV\""))
      << report.junit;
  for (const std::string& text : {report.said, report.markdown, report.junit})
    EXPECT_FALSE(contains(text, "OVER BUDGET"));
}

TEST_F(AReport, ListsFindingsTheMostDiagnosticFirst) {
  write("now/summary.json", summary({judgement("sense/a", "host", "FAILED"), judgement("value/a", "host", "FAILED"),
                                     judgement("index/a", "host", "FAILED"), judgement("write/a", "host", "FAILED")}));
  const Report report = made({"now"});
  const std::string findings = report.html.substr(report.html.find("<section id=\"findings\""));
  for (const std::string& text : {report.said, report.markdown, findings}) {
    std::size_t at = 0;
    for (const char* property : {"write/a", "index/a", "value/a", "sense/a"}) {
      const std::size_t found = text.find(property);
      EXPECT_NE(found, std::string::npos) << property;
      EXPECT_GT(found, at) << property;
      at = found;
    }
  }
}

TEST_F(AReport, OfASurveyOfTheFirstSchemaSaysWhy) {
  json old = accuracy({accuracy_row(4, 3, 4)});
  old["schema"] = 1;
  write("now/accuracy.json", old);
  expect_trouble(made({"now"}), "schema: expected 4, the only one that this version reads, got 1");
}

TEST_F(AReport, OfOneSubjectAgainstAnotherHoldsOneToTheOther) {
  write("now/summary.json", summary({judgement("a/b", "mine", "FAILED")}, "mine"));
  write("before/summary.json", passing_run);
  const Report worse = made({"now"}, {"before"});
  EXPECT_TRUE(worse.said.starts_with("REGRESSED")) << worse.said;
  EXPECT_TRUE(contains(worse.html, "the baseline is of host, this run of mine"));
}

TEST_F(AReport, SaysWhatDiffersFromTheBaselineAndWarns) {
  json other = passing_run;
  other["machine"]["compiler"] = "GNU 13";
  write("now/summary.json", other);
  write("before/summary.json", passing_run);
  const std::string html = made({"now"}, {"before"}).html;
  EXPECT_TRUE(contains(html, "This is not like for like. The two runs differ in compiler"));
  EXPECT_FALSE(contains(made({"before"}, {"before"}).html, "not like for like."));
}

TEST_F(AReport, OfRecordsOfSeveralBuildsWarns) {
  json one = passing_run, other = proofs({});
  one["provenance"] = {{"commit", "a"}, {"seed", "1"}, {"nvcc", {{"flags", {{"kernels/n_tiles.cu", "-O2"}}}}}};
  other["provenance"] = {{"commit", "a"}, {"seed", "2"}, {"nvcc", {{"flags", {{"kernels/n_tiles.cu", "-O2"}}}}}};
  write("run/summary.json", one);
  write("run/proofs.json", other);
  EXPECT_FALSE(contains(made({"run"}).html, "same machine"));
  other["provenance"]["commit"] = "b";
  other["provenance"]["nvcc"]["flags"]["kernels/n_tiles.cu"] = "-O3";
  write("run/proofs.json", other);
  EXPECT_TRUE(contains(made({"run"}).html, "they differ in commit, nvcc: flags: kernels/n_tiles.cu."));
}

TEST_F(AReport, ShowsWhateverComesFromOutsideAsText) {
  const std::string hostile = "<script>alert(1)</script>{{footer}}\"'&";
  json run = summary({judgement("a/" + hostile, hostile, "FAILED"), judgement("b", hostile, "SKIPPED")}, hostile);
  run["machine"]["cpu"] = hostile;
  run["judgements"][0]["findings"][0]["details"] = hostile;
  write("now/summary.json", run);
  json measurement = accuracy({accuracy_row(4, 3, 0, hostile)});
  measurement["curves"][0]["subject"] = hostile;
  measurement["worst"][0]["why"] = hostile;
  write("now/accuracy.json", measurement);
  write("now/campaign.json", campaign({campaign_finding(hostile, hostile)}));
  const Report report = made({"now"});
  EXPECT_FALSE(contains(report.html, "<script"));
  EXPECT_FALSE(contains(report.markdown, "<script>alert"));
  EXPECT_FALSE(contains(report.junit, "<script>alert"));
  EXPECT_TRUE(contains(report.html, "&lt;script&gt;alert(1)&lt;/script&gt;{{footer}}"));
}

TEST_F(AReport, FitsAComment) {
  std::vector<json> many;
  const std::string hostile(3000, '|');
  for (int i = 0; i < 2000; ++i) many.push_back(judgement(hostile + std::to_string(i), "host", "FAILED"));
  write("now/summary.json", summary(many));
  std::vector<json> findings;
  for (int i = 0; i < 20; ++i) findings.push_back(campaign_finding(hostile + std::to_string(i), hostile));
  write("now/campaign.json", campaign(findings));
  EXPECT_LE(made({"now"}).markdown.size(), 65'536u);
}

// --- Bad input ------------------------------------------------------------------------------------------------------

TEST_F(AReport, OfAFolderThatIsNoRunSaysSo) {
  write("now/notes.txt", std::string("hello"));
  const Report report = made({"now"});
  expect_trouble(report, "(no record is in it), legal is a folder that verify, prove or fuzz wrote");
  EXPECT_TRUE(report.is_empty);
  expect_trouble(made({"nowhere"}), "nowhere");
}

TEST_F(AReport, OfARecordOfAnotherVersionNamesBothVersions) {
  json newer = passing_run;
  newer["schema"] = 4;
  write("now/summary.json", newer);
  write("now/campaign.json", campaign({}));
  const Report report = made({"now"});
  expect_trouble(report, "schema: expected 3, the only one that this version reads, got 4");
  EXPECT_FALSE(report.is_empty);
  EXPECT_TRUE(contains(report.html, "feature cells that it can reach")) << "what can be read is shown";
  EXPECT_FALSE(report.said.starts_with("EXACT")) << report.said;
}

TEST_F(AReport, OfATruncatedRecordSaysSo) {
  const std::string whole = passing_run.dump();
  write("now/summary.json", whole.substr(0, whole.size() / 2));
  expect_trouble(made({"now"}), "it is no JSON, or not all of it");
}

TEST_F(AReport, OfARunThatIsBeingWrittenSaysSo) {
  write("verify/observations.jsonl", std::string("{}\n"));
  expect_trouble(made({"verify"}), "still being written");
  write(
      "fuzz/journal.jsonl",
      std::string(R"({"type":"info","title":"run","content":{"subject":"host","seed":"0x1"}})") + "\n" +
          R"({"type":"info","title":"end","time":1795416822.9,"content":{"number":0,"passed":64,"failed":0,"refused":0,"unavailable":0,"discarded":0,"elements":10,"fingerprints":{}}})" +
          "\n");
  const Report begun = made({"fuzz"});
  expect_trouble(begun, "it has a journal and no campaign.json");
  EXPECT_TRUE(contains(begun.html, "it has not ended: what its journal says so far"));
}

TEST_F(AReport, OfACampaignThatGoesOnSaysSo) {
  write("fuzz/campaign.json", campaign({}));
  write("fuzz/lock", std::string());
  EXPECT_EQ(made({"fuzz"}).exit_code, 0);
  const int lock = open((folder_ / "fuzz/lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(flock(lock, LOCK_EX), 0);
  expect_trouble(made({"fuzz"}), "still being written: a process holds its lock");
  close(lock);
}

TEST_F(AReport, OfATruncatedLineSaysWhichFile) {
  write("verify/summary.json", passing_run);
  write("verify/observations.jsonl", std::string("{}\n{\"a\": 1"));
  const Report report = made({"verify"});
  expect_trouble(report, "observations.jsonl' (its last line is cut)");
  EXPECT_TRUE(contains(report.html, "a/b") || contains(report.json, "a/b")) << "what can be read is shown";
  write("fuzz/campaign.json", campaign({}));
  write("fuzz/journal.jsonl", std::string(R"({"type":"info","title":"stop","content":{}})") + "\n{\"type\":");
  expect_trouble(made({"fuzz"}), "line 2 is cut");
}

TEST_F(AReport, OfACampaignThatWasKilledAndResumedIsWhole) {
  const std::string run = R"({"type":"info","title":"run","content":{"subject":"host","seed":"0x1"}})";
  write("fuzz/campaign.json", campaign({}));
  write("fuzz/journal.jsonl",
        run + "\n{\"type\":\n" + run + "\n" + R"({"type":"info","title":"stop","content":{}})" + "\n");
  EXPECT_EQ(made({"fuzz"}).exit_code, 0);
  write("fuzz/journal.jsonl", run + "\n{\"type\":\n" + R"({"type":"info","title":"stop","content":{}})" + "\n");
  expect_trouble(made({"fuzz"}), "line 2 is cut");
}

TEST_F(AReport, AgainstABaselineOfAnotherShapeSaysSo) {
  write("now/summary.json", failing_run);
  write("bench.json", bench(1e-3));
  const Report report = made({"now"}, {"bench.json"});
  expect_trouble(report, "given records of bench, legal is a baseline of the same shape, with records of verify");
  EXPECT_TRUE(contains(report.html, "2 elements are wrong")) << "the run itself is shown";
}

TEST_F(AReport, OfBudgetsThatCannotBeReadSaysSo) {
  write("now/summary.json", passing_run);
  write("budgets.json", std::string("{"));
  expect_trouble(made({"now"}), "legal is what 'report --update-budgets' writes");
}

TEST_F(AReport, BudgetsAreWrittenFromASurvey) {
  write("now/accuracy.json", accuracy({accuracy_row(4, 3, 4)}));
  EXPECT_TRUE(made({"now"}).said.starts_with("NEW"));
  const BudgetsUpdate update = updated_budgets({{folder_ / "now"}, {}, folder_ / "budgets.json"});
  write("budgets.json", update.json);
  EXPECT_TRUE(made({"now"}).said.starts_with("PASSED"));
  write("worse/accuracy.json", accuracy({accuracy_row(4, 4, 4)}));
  EXPECT_EQ(made({"worse"}).exit_code, 1);
  EXPECT_TRUE(made({"worse"}).said.starts_with("OVER BUDGET"));
  write("no/summary.json", passing_run);
  EXPECT_FALSE(updated_budgets({{folder_ / "no"}, {}, folder_ / "budgets.json"}).troubles.empty());
}

}  // namespace

}  // namespace tileproof::reports
