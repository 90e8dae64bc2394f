// Tests the measurement of accuracy: who runs it, what the record says, and that neither threads nor processes change
// it.
#include "fuzz/campaign/accuracy_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "fuzz/campaign/selection.h"
#include "fuzz/commands/running.h"
#include "fuzz/records/accuracy_json.h"
#include "fuzz/records/protocol.h"
#include "properties/registry.h"

namespace tileproof {

namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds deadline(10000);

/// Runs cases in this process, and converts outcomes to JSON and back as a worker process does.
class Telling : public CaseRunner {
 public:
  explicit Telling(const std::string& subject)
      : ready_(made_ready(selected_subjects({subject}).front(), deadline, RunsIn::this_process)) {}
  CaseOutcome run(const Property& property, const Problem& problem, Coverage& coverage) override {
    const CaseOutcome outcome = ready_.runner->run(property, problem, coverage);
    coverage = met_of(json::parse(dumped(json_of(coverage))));
    return outcome_of(json::parse(dumped(json_of(outcome))));
  }

 private:
  SubjectInstance ready_;
};

/// Measures a subject in this process, with `jobs` threads.
void measure_here(AccuracyRun& accuracy_run, const std::string& name, std::size_t jobs) {
  const SelectedSubject selected = selected_subjects({name}).front();
  const SubjectInstance ready = made_ready(selected, deadline, RunsIn::this_process);
  accuracy_run.add({.row = selected.row, .replay_flags = {}, .jobs = jobs, .runner = ready.another});
}

/// Selects a small part of the measurement: all schemes and types, but two formats with one group size each.
bool is_of_part(const Problem& p) {
  return (p.group_size == 32 && p.format == tinygemm(2)) || (p.group_size == 96 && p.format == tinygemm(8));
}

json record_of(const std::vector<std::string>& subjects, std::size_t jobs = 2) {
  AccuracyRun accuracy_run(jobs, is_of_part);
  for (const std::string& name : subjects) measure_here(accuracy_run, name, jobs);
  return accuracy_run.record();
}

std::vector<json> those_of(const json& all, const std::string& subject, const std::string& operation) {
  std::vector<json> found;
  for (const json& one : all) {
    if (one.at("subject") == subject && one.at("operation") == operation) found.push_back(one);
  }
  return found;
}

std::vector<json> of_tinygemm(std::vector<json> rows) {
  std::erase_if(rows, [](const json& row) { return !row.at("format").get<std::string>().starts_with("tinygemm"); });
  return rows;
}

TEST(AccuracyRun, GivesTheSameForAnyNumberOfThreads) {
  // One mutant is seldom wrong; the other's calls depend on earlier ones.
  const std::vector<std::string> subjects = {"mutant:minus-zero-lost", "mutant:wrong-after-the-first-call"};
  const json one = record_of(subjects, 1);
  EXPECT_EQ(record_of(subjects, 3), one);
}

TEST(AccuracyRun, GivesTheSameOfAProcessThatTells) {
  const SelectedSubject selected = selected_subjects({"mutant:minus-zero-lost"}).front();
  AccuracyRun told(2, is_of_part);
  told.add({.row = selected.row, .replay_flags = {}, .runner = [&] {
              return std::make_unique<Telling>(selected.row.name);
            }});
  EXPECT_EQ(told.record(), record_of({selected.row.name}));
}

TEST(AccuracyRun, OfARightSubjectFindsEverythingEqual) {
  AccuracyRun accuracy_run(2);
  for (const char* name : {"host", "reference"}) measure_here(accuracy_run, name, 2);
  const json record = accuracy_run.record();
  std::int64_t elements = 0;
  for (const json& row : record.at("rows")) {
    elements += row.at("elements").get<std::int64_t>();
    EXPECT_EQ(row.at("differing").at("unexplained"), 0);
    EXPECT_EQ(row.at("not_run"), json::array());
    EXPECT_EQ(row.at("sampled"), true);
    if (row.at("operation") == "dequantize_eagerly") continue;
    EXPECT_EQ(row.at("bit_equal"), row.at("elements"));
    EXPECT_EQ(row.at("differing").at("explained"), json::object());
    EXPECT_EQ(row.at("ulp").at("max"), 0);
    EXPECT_EQ(row.at("non_finite").at("disagreements"), 0);
    EXPECT_EQ(row.at("ordinary").at("bit_equal"), row.at("ordinary").at("elements"));
  }
  EXPECT_GT(elements, 10000000);
  // Weights have a row for each of 3 schemes, 3 types, 3 formats of tinygemm and 6 group sizes; codes for each format.
  EXPECT_EQ(of_tinygemm(those_of(record.at("rows"), "host", "dequantize")).size(), 3u * 3 * 3 * 6);
  EXPECT_EQ(those_of(record.at("rows"), "host", "pack").size(), 3u);
  EXPECT_EQ(those_of(record.at("rows"), "reference", "dequantize_eagerly").size(), 2u * 3 * 6);
  for (const json& row : those_of(record.at("rows"), "host", "pack")) {
    EXPECT_EQ(row.at("type"), "codes");
    EXPECT_TRUE(row.at("scheme").is_null() && row.at("group").is_null());
  }
}

TEST(AccuracyRun, ShowsTheWorstWithWhatEverybodyGaveAndALineToReplay) {
  const json record = record_of({"mutant:two-roundings", "reference"});
  std::int64_t of_bf16 = 0, not_finite = 0;
  for (const json& one : those_of(record.at("worst"), "mutant:two-roundings", "dequantize")) {
    EXPECT_EQ(one.at("why"), "");
    of_bf16 += one.at("type") == "bf16" ? 1 : 0;
    not_finite += one.at("type") == "bf16" && one.at("ulp").is_null() ? 1 : 0;
    const json& subjects = one.at("subjects");
    EXPECT_EQ(subjects.at("mutant:two-roundings dequantize"), one.at("got"));
    EXPECT_EQ(subjects.at("reference dequantize"), one.at("expected"));
    // The eager operation rounds twice too.
    if (subjects.contains("reference dequantize_eagerly")) {
      EXPECT_EQ(subjects.at("reference dequantize_eagerly"), one.at("got"));
    }
    // The replayed case is wrong at that place, with those bits.
    std::string line;
    for (const std::string word : one.at("replay")) line += word + " ";
    const Problem problem = problem_of(line);
    const SubjectRow& row = subject_row(problem.subject);
    const MadeSubject made = row.make();
    const Judgement judgement = judge_one(problem, row, *made.subject);
    ASSERT_EQ(judgement.verdict, Verdict::failed) << line;
    const auto& wrong = judgement.findings.front().wrong;
    const bool is_among = std::any_of(wrong.begin(), wrong.end(), [&](const WrongElement& element) {
      return element.row == one.at("row") && element.column == one.at("column") &&
             weight_text(problem, element.got).starts_with(one.at("got").get<std::string>());
    });
    EXPECT_TRUE(is_among || wrong.size() >= 10) << line;
  }
  EXPECT_EQ(of_bf16, 5);
  EXPECT_EQ(not_finite, 3);  // they alternate with finite values that are far off
  // Unexplained differences come before explained ones. The largest distance is shown even if other values are not
  // finite.
  double furthest = 0, last = -1;
  for (const json& row : those_of(record.at("rows"), "reference", "dequantize_eagerly")) {
    if (row.at("type") == "bf16") furthest = std::max(furthest, row.at("ulp").at("max").get<double>());
  }
  for (const json& one : those_of(record.at("worst"), "reference", "dequantize_eagerly")) {
    if (one.at("type") != "bf16" || one.at("ulp").is_null()) continue;
    const double magnitude = std::fabs(one.at("ulp").get<double>());
    if (last < 0) {
      EXPECT_EQ(magnitude, furthest);
    } else {
      EXPECT_LE(magnitude, last);
    }
    last = magnitude;
  }
  EXPECT_GT(last, 0);
  // Each of the two roundings errs by half an ulp of its result, which may lie a binade above both terms.
  for (const json& row : those_of(record.at("rows"), "reference", "dequantize_eagerly")) {
    EXPECT_GT(row.at("of_largest_term").at("max").get<double>(), row.at("scheme") == "float" ? 0 : -1);
    EXPECT_LE(row.at("of_largest_term").at("max").get<double>(), 2.5);
  }
  for (const json& one : those_of(record.at("worst"), "reference", "dequantize_eagerly")) {
    EXPECT_EQ(one.at("ulp").is_null(), one.at("of_largest_term").is_null());
  }
}

TEST(AccuracyRun, ShowsAMutantOfTheLayoutInItsColumns) {
  const json record = record_of({"mutant:unpack-sign-extends-the-top-nibble"});
  for (const json& curve : those_of(record.at("curves"), "mutant:unpack-sign-extends-the-top-nibble", "unpack")) {
    std::set<int> columns;
    for (const json& cell : curve.at("wrong").at("row_by_column")) columns.insert(cell.at(1).get<int>());
    EXPECT_EQ(columns, (std::set<int>{25, 27, 29, 31, 57, 59, 61, 63}));
  }
  for (const json& one : those_of(record.at("worst"), "mutant:unpack-sign-extends-the-top-nibble", "unpack")) {
    EXPECT_TRUE(one.at("place").get<std::string>().ends_with("nibble 7")) << one.at("place");
  }
  for (const json& curve : those_of(record.at("curves"), "mutant:unpack-sign-extends-the-top-nibble", "dequantize")) {
    EXPECT_TRUE(curve.at("wrong").at("row_by_column").empty());
  }
}

TEST(ByLines, IsTheSameJsonWithAnElementALine) {
  const json object = {{"a", {1, {{"b", 2}}}}, {"c", json::array()}, {"d", {{"e", nullptr}}}, {"f", "x\ny"}};
  EXPECT_EQ(json::parse(by_lines(object)), object);
  EXPECT_EQ(by_lines(object),
            "{\n\"a\": [\n  1,\n  {\"b\":2}],\n\"c\": [],\n\"d\": {\"e\":null},\n\"f\": \"x\\ny\"\n}\n");
}

TEST_F(Command, VerifySurveysAccuracyUnlessPropertiesAreNamed) {
  const auto record = [&](const std::string& name) {
    std::ifstream file(folder_ / name / "accuracy.json");
    return file ? json::parse(file) : json();
  };
  const std::string some = "verify --subject host --property bits/ --cases 3 ";
  ASSERT_EQ(run(some + out("without")).exit, 0);
  EXPECT_TRUE(record("without").is_null());
  ASSERT_EQ(run(some + "--accuracy " + out("with")).exit, 0);
  const json with = record("with");
  EXPECT_EQ(with.at("schema"), 4);
  EXPECT_EQ(with.at("run_start"), summary("with").at("run_start"));
  EXPECT_FALSE(with.at("rows").empty());
  const int exit =
      run("verify --subject cuda --subject host --property bits/ --cases 3 --accuracy --seed 99 " + out("other")).exit;
  ASSERT_TRUE(exit == 0 || exit == 3) << exit;  // 3 without a GPU: cuda was asked for
  // The measurement's problems are fixed: no seed changes them.
  const json other = record("other");
  EXPECT_EQ(those_of(other.at("rows"), "host", "dequantize"), those_of(with.at("rows"), "host", "dequantize"));
}

TEST_F(Command, ASurveySaysOfACrashThatItWasOne) {
  const std::string judge = "verify --property index/pack --cases 3 --accuracy ";
  run(judge + "--subject misbehaving:crashes --subject host " + out("crash"));
  std::ifstream file(folder_ / "crash" / "accuracy.json");
  const json record = json::parse(file);
  std::int64_t crashes = 0;
  for (const json& row : those_of(record.at("rows"), "misbehaving:crashes", "unpack")) {
    EXPECT_GT(row.at("elements"), 0);
    for (const json& lost : row.at("not_run")) {
      EXPECT_EQ(lost.at("kind"), "crash");
      const char* signal = is_sanitized ? "SEGV" : "SIGSEGV";  // ASan's word, or the system's
      EXPECT_NE(lost.at("details").get<std::string>().find(signal), std::string::npos);
      EXPECT_EQ(record.at("problems").at(lost.at("problem").get<std::size_t>()).at("n").get<int>() % 8, 3);
      ++crashes;
    }
  }
  EXPECT_EQ(crashes, 3 * 2);  // two profiles of seven have a tail
  // Where the subject does not crash, it gives what host gives in the program's own process.
  const std::vector<json> here = of_tinygemm(those_of(record.at("rows"), "host", "dequantize"));
  const std::vector<json> apart = those_of(record.at("rows"), "misbehaving:crashes", "dequantize");
  ASSERT_EQ(here.size(), apart.size());
  for (std::size_t i = 0; i < here.size(); ++i) {
    EXPECT_EQ(apart[i].at("not_run"), json::array());
    EXPECT_EQ(apart[i].at("output_hash"), here[i].at("output_hash"));
  }
}

}  // namespace

}  // namespace tileproof
