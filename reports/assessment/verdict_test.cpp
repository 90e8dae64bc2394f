// Tests when each word is given and when it is not.
#include "reports/assessment/verdict.h"

#include <gtest/gtest.h>

#include "reports/records/records_for_tests.h"

namespace tileproof::reports {

namespace {

Records properties(const std::vector<json>& judgements) {
  Records all;
  all.verified.push_back({"summary.json", "", {}, read(summary(judgements))});
  return all;
}
Records rows(const std::vector<json>& which) {
  Records all;
  all.measured.push_back({"accuracy.json", "", {}, read_accuracy(accuracy(which))});
  return all;
}
Records proved(const json& one) {
  Records all;
  all.proved.push_back({"proofs.json", "", {}, read_proofs(proofs({one}))});
  return all;
}
Records with_findings(const std::vector<json>& findings) {
  Records all;
  all.campaigns.push_back({"campaign.json", "", {}, read_campaign(campaign(findings))});
  return all;
}
Records timed(double seconds, int repeats = 10) {
  Records all;
  all.timed.push_back({"bench.json", "", {}, read_bench(bench(seconds, repeats))});
  return all;
}

struct Judged {
  std::string word;
  int exit;
  bool operator==(const Judged&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Judged& judged) {
  return out << judged.word << ", exit " << judged.exit;
}

/// The word and exit code of an assessment with exactly one item.
Judged word(const Records& now, const Records* before = nullptr, const Budgets& budgets = {}) {
  const Assessment judged = assess(now, before, budgets);
  if (judged.items.size() != 1) return {std::to_string(judged.items.size()) + " items", -1};
  EXPECT_EQ(judged.count(judged.items[0].word), 1u);
  return {name_of(judged.items[0].word), judged.exit_code()};
}

Records property(const std::string& verdict) { return properties({judgement("a/b", "host", verdict)}); }

TEST(VerdictOfAProperty, WithoutABaseline) {
  EXPECT_EQ(word(property("PASSED")), (Judged{"EXACT", 0}));
  EXPECT_EQ(word(property("FAILED")), (Judged{"FAILED", 1}));
  json explained = judgement("a/b", "host", "PASSED");
  explained["explained"] = {{"two roundings", 5}};
  EXPECT_EQ(word(properties({explained})), (Judged{"PASSED", 0}));
}

const json passes = judgement("c/d", "host", "PASSED");
json known_judgement(const std::string& id = "T-7") {
  return known("a/b", "host", expected_failure(id, "reads past the end", 3));
}
Records known_property(const std::string& id = "T-7") { return properties({known_judgement(id), passes}); }

TEST(VerdictOfAProperty, ThatFailsAsKnownIsNeverGreen) {
  const Assessment judged = assess(known_property(), nullptr, {});
  EXPECT_EQ(judged.count(Status::known), 1u);
  EXPECT_EQ(judged.count(Status::exact), 1u);
  EXPECT_EQ(judged.count(Status::passed), 0u);
  EXPECT_STREQ(name_of(headline_of(judged)), "KNOWN");
  EXPECT_EQ(judged.exit_code(), 0);
  EXPECT_EQ(judged.sentence,
            "Nothing new fails of 2 things looked at, 1 KNOWN among them; there is no baseline to compare with.");
  const ToRead first = to_read(judged, 5);
  ASSERT_EQ(first.items.size(), 1u);
  EXPECT_EQ(first.items[0].why, "known: T-7: reads past the end");
  // Nothing passed, so the exit code is 3, as it is for verify.
  EXPECT_EQ(assess(properties({known_judgement()}), nullptr, {}).exit_code(), 3);
}

std::string word_of_known(const Records& now, const Records& before) {
  const Assessment judged = assess(now, &before, {});
  for (const Item& item : judged.items) {
    if (item.name == "a/b on host") return name_of(item.word);
  }
  return "none";
}

TEST(VerdictOfAProperty, ThatIsKnownAgainstABaseline) {
  const Records passed = properties({judgement("a/b", "host", "PASSED"), passes}),
                failed = properties({judgement("a/b", "host", "FAILED"), passes}),
                skipped = properties({judgement("a/b", "host", "SKIPPED"), passes}), gone = properties({passes});
  const Records known = known_property();
  EXPECT_EQ(word_of_known(known, failed), "KNOWN") << "a line in the ledger mends nothing";
  EXPECT_EQ(word_of_known(known, passed), "REGRESSED") << "nor does it excuse what became worse";
  EXPECT_EQ(word_of_known(known, known_property()), "KNOWN");
  EXPECT_EQ(word_of_known(known, skipped), "KNOWN");
  EXPECT_EQ(word_of_known(passed, known), "IMPROVED");
  EXPECT_EQ(word_of_known(failed, known), "REGRESSED");
  EXPECT_EQ(word_of_known(failed, failed), "FAILED");
  EXPECT_EQ(word_of_known(gone, known), "NOT RUN");
  EXPECT_EQ(assess(gone, &known, {}).exit_code(), 3);
  EXPECT_EQ(assess(known, &passed, {}).exit_code(), 1);
  EXPECT_EQ(assess(known, &failed, {}).exit_code(), 0);
}

TEST(VerdictOfAProperty, AgainstABaseline) {
  const Records passed = property("PASSED"), failed = property("FAILED"),
                other = properties({judgement("c/d", "host", "PASSED")});
  EXPECT_EQ(word(failed, &passed), (Judged{"REGRESSED", 1}));
  EXPECT_EQ(word(failed, &failed), (Judged{"FAILED", 1}));
  EXPECT_EQ(word(passed, &failed), (Judged{"IMPROVED", 0}));
  EXPECT_EQ(word(passed, &passed), (Judged{"EXACT", 0}));
  const Assessment lost = assess(other, &passed, {});
  EXPECT_EQ(lost.count(Status::not_run), 1u);
  EXPECT_EQ(lost.exit_code(), 3);
}

TEST(VerdictOfAProperty, MistrustedAndSkipped) {
  EXPECT_EQ(assess(property("MISTRUSTED"), nullptr, {}).exit_code(), 3);
  EXPECT_EQ(assess(property("MISTRUSTED"), nullptr, {}).count(Status::mistrusted), 1u);
  const Records part = properties({judgement("a/b", "host", "PASSED"), judgement("c/d", "host", "SKIPPED")});
  const Records all = properties({judgement("a/b", "host", "PASSED"), judgement("c/d", "host", "PASSED")});
  EXPECT_EQ(assess(part, nullptr, {}).exit_code(), 0);
  EXPECT_EQ(assess(part, &part, {}).exit_code(), 0);
  EXPECT_EQ(assess(part, &all, {}).exit_code(), 3);
}

TEST(VerdictOfAProperty, ThatPassesHereAndFailsThereIsFlaky) {
  Records twice = property("PASSED");
  twice.verified.push_back(property("FAILED").verified.front());
  EXPECT_EQ(word(twice), (Judged{"FLAKY", 1}));
}

TEST(VerdictOfAccuracy, WithoutABaseline) {
  EXPECT_EQ(word(rows({accuracy_row(0, 0, 0)})), (Judged{"EXACT", 0}));
  EXPECT_EQ(word(rows({accuracy_row(4, 3, 4)})), (Judged{"NEW", 0}));
  EXPECT_EQ(word(rows({accuracy_row(4, 3, 3)})), (Judged{"FAILED", 1}));
  json none = accuracy_row(0, 0, 0);
  none["not_run"].push_back({{"problem", 1}, {"kind", "crash"}, {"details", "died"}});
  EXPECT_EQ(word(rows({none})), (Judged{"MISTRUSTED", 3}));
}

TEST(VerdictOfAccuracy, AgainstABaseline) {
  const Records three = rows({accuracy_row(4, 3, 4)}), exact = rows({accuracy_row(0, 0, 0)});
  EXPECT_EQ(word(three, &three), (Judged{"PASSED", 0}));
  EXPECT_EQ(word(three, &exact), (Judged{"REGRESSED", 1}));
  EXPECT_EQ(word(exact, &three), (Judged{"IMPROVED", 0}));
  // Figures are compared exactly: one more wrong element is worse, although the largest error is the same.
  EXPECT_EQ(word(rows({accuracy_row(5, 3, 5)}), &three), (Judged{"REGRESSED", 1}));
  EXPECT_EQ(word(rows({accuracy_row(3, 3, 3)}), &three), (Judged{"IMPROVED", 0}));
  // A baseline with other inputs can be compared by its worst case only, and that is said.
  const auto of_other_inputs = [](json row) {
    row["inputs"] = "0x0000000000000008";
    return rows({row});
  };
  const Records others = of_other_inputs(accuracy_row(5, 3, 5)), worse = of_other_inputs(accuracy_row(5, 4, 5));
  EXPECT_EQ(word(others, &three), (Judged{"PASSED", 0}));
  EXPECT_EQ(word(worse, &three), (Judged{"REGRESSED", 1}));
  for (const Records* one : {&others, &worse}) {
    EXPECT_TRUE(assess(*one, &three, {}).items.at(0).why.ends_with("; the baseline measured other inputs"));
  }
  EXPECT_EQ(word(rows({accuracy_row(4, 3, 2)}), &three), (Judged{"REGRESSED", 1}));
}

TEST(VerdictOfAccuracy, OverBudget) {
  const auto budget = [](double most) {
    return Budgets({{{{"operation", "dequantize"}}, most, 0, {{"run_start", "x"}}}});
  };
  const Records three = rows({accuracy_row(4, 3, 4)});
  EXPECT_EQ(word(three, nullptr, budget(3)), (Judged{"PASSED", 0}));
  EXPECT_EQ(word(three, nullptr, budget(2)), (Judged{"OVER BUDGET", 1}));
  EXPECT_EQ(word(three, &three, budget(2)), (Judged{"OVER BUDGET", 1}));
  // A budget that was measured on other inputs says so, because both figures depend on what was drawn.
  const auto why = [&](const char* inputs) {
    Budget two = {{{"operation", "dequantize"}}, 2, 0, {{"run_start", "x"}, {"inputs", inputs}}};
    return assess(three, nullptr, Budgets({two})).items.at(0).why;
  };
  EXPECT_EQ(why("0x0000000000000007"), "3 ulp and 0 non-finite disagreements; the budget is 2 and 0");
  EXPECT_TRUE(why("0x0000000000000008").ends_with("the budget is 2 and 0, measured on other inputs"));
}

TEST(VerdictOfAProof, Words) {
  const Records whole = proved(proof("PROVED", 100)), part = proved(proof("SAMPLED", 50)),
                failed = proved(proof("FAILED", 5));
  EXPECT_EQ(word(whole), (Judged{"EXACT", 0}));
  EXPECT_EQ(word(part), (Judged{"SAMPLED", 0}));
  EXPECT_EQ(word(part, &part), (Judged{"SAMPLED", 0}));
  EXPECT_EQ(word(part, &failed), (Judged{"SAMPLED", 0})) << "it need not have met what failed";
  EXPECT_EQ(word(whole, &failed), (Judged{"IMPROVED", 0}));
  EXPECT_EQ(word(failed), (Judged{"FAILED", 1}));
  EXPECT_EQ(word(failed, &failed), (Judged{"FAILED", 1}));
  EXPECT_EQ(word(failed, &whole), (Judged{"REGRESSED", 1}));
  EXPECT_EQ(word(part, &whole), (Judged{"MISTRUSTED", 3}));
  EXPECT_EQ(word(whole, &part), (Judged{"IMPROVED", 0}));
  EXPECT_THROW(proved(proof("PROVED", 99)), std::runtime_error);
}

TEST(VerdictOfAProof, ThatIsASampleSaysOfHowMuch) {
  Records both = proved(proof("SAMPLED", 320, 2362667520));
  json whole = proof("PROVED", 100);
  whole["property"] = "words/all";
  both.proved.push_back(proved(whole).proved.front());
  const Assessment judged = assess(both, nullptr, {});
  EXPECT_STREQ(name_of(headline_of(judged)), "SAMPLED");
  EXPECT_EQ(to_read(judged, 5).items.at(0).why, "sampled 320 of 2,362,667,520 (0.000014 %)");
  EXPECT_EQ(judged.samples, std::vector<std::string>{
                                "host: 1 of 2 proofs whole, 1 SAMPLED; the smallest sample is 320 of 2,362,667,520 "
                                "(0.000014 %) of arithmetic/rounds_once"});
  EXPECT_TRUE(assess(proved(whole), nullptr, {}).samples.empty());
}

TEST(VerdictOfAProof, WithExplainedPointsIsNotExact) {
  json one = proof("PROVED", 100);
  one["explained"] = {{"a NaN with other bits", 5}};
  EXPECT_EQ(word(proved(one)), (Judged{"PASSED", 0}));
}

TEST(VerdictOfACampaign, Words) {
  const Records clean = with_findings({}),
                found = with_findings({campaign_finding("a/b on host: x", "reproducible: fails alone, 3 times of 3")});
  EXPECT_EQ(word(clean), (Judged{"EXACT", 0}));
  EXPECT_EQ(word(found), (Judged{"FAILED", 1}));
  EXPECT_EQ(word(found, &clean), (Judged{"REGRESSED", 1}));
  EXPECT_EQ(word(found, &found), (Judged{"FAILED", 1}));
  EXPECT_EQ(word(with_findings({campaign_finding("a/b on host: x", "flaky: fails alone, 1 time of 3")})),
            (Judged{"FLAKY", 1}));
  json known = campaign({});
  known["verdict"] = "KNOWN";
  known["known"] = {{"T-7", 3}};
  Records met;
  met.campaigns.push_back({"campaign.json", "", {}, read_campaign(known)});
  EXPECT_EQ(word(met), (Judged{"KNOWN", 0}));
  known["verdict"] = "PASSED";  // as older campaigns say
  met.campaigns[0].record = read_campaign(known);
  EXPECT_EQ(word(met), (Judged{"KNOWN", 0}));
}

TEST(VerdictOfSpeed, Words) {
  const Records before = timed(1e-3);
  EXPECT_EQ(word(timed(1e-3)), (Judged{"NEW", 0}));
  EXPECT_EQ(word(timed(1e-3), &before), (Judged{"PASSED", 0}));
  EXPECT_EQ(word(timed(1.2e-3), &before), (Judged{"REGRESSED", 1}));
  EXPECT_EQ(word(timed(0.8e-3), &before), (Judged{"IMPROVED", 0}));
  EXPECT_EQ(word(timed(1.01e-3), &before), (Judged{"PASSED", 0}));
  EXPECT_EQ(word(timed(1.2e-3, 2), &before), (Judged{"MISTRUSTED", 3}));
  Records wrong = timed(1e-3);
  wrong.timed[0].record.rows[0].wrong = "1 element is wrong";
  EXPECT_EQ(word(wrong, &before), (Judged{"REGRESSED", 1}));
}

TEST(Verdict, OfNothingIsMistrusted) { EXPECT_EQ(assess({}, nullptr, {}).exit_code(), 3); }

TEST(Verdict, TheWorstComesFirstAndNoKindHidesAnother) {
  std::vector<json> many;
  for (int i = 0; i < 30; ++i) many.push_back(judgement("a/" + std::to_string(i), "host", "FAILED"));
  Records all = properties(many);
  all.campaigns = with_findings({campaign_finding("x", "flaky: 1 of 3")}).campaigns;
  const Assessment judged = assess(all, nullptr, {});
  EXPECT_STREQ(name_of(headline_of(judged)), "FAILED");
  const ToRead first = to_read(judged, 5);
  EXPECT_EQ(first.items.size(), 6u);
  EXPECT_EQ(first.left_out, std::vector<std::string>{"25 more of property"});
}

TEST(Verdict, CallsNothingLookedAtThatWasNotRun) {
  const Records part = properties({judgement("a/b", "host", "PASSED"), judgement("c/d", "host", "SKIPPED")});
  EXPECT_EQ(assess(part, nullptr, {}).sentence,
            "Nothing fails of 1 thing looked at (1 not run); there is no baseline to compare with.");
  const Records all = properties({judgement("a/b", "host", "PASSED"), judgement("c/d", "host", "PASSED")});
  EXPECT_EQ(assess(all, &all, {}).sentence,
            "Nothing is worse and nothing fails of 2 things looked at against the baseline.");
  EXPECT_EQ(assess(part, &all, {}).sentence,
            "Nothing fails, but this does not show that all holds: 1 NOT RUN of 2 things against the baseline.");
}

TEST(Verdict, SaysWhatIsNotLikeForLike) {
  const Provenance before = {{"gpu.name", "H100"}, {"commit", "a"}, {"torch", "2.11"}};
  const std::vector<Difference> all = differences({{"gpu.name", "H200"}, {"commit", "b"}, {"torch", "2.11"}}, before);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "commit");
  EXPECT_FALSE(all[0].is_unlike);
  EXPECT_EQ(all[1].name, "gpu.name");
  EXPECT_TRUE(all[1].is_unlike);
}

}  // namespace

}  // namespace tileproof::reports
