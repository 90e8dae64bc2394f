// A run keeps its verdict, exit code and records when readers go away, signals arrive or the disk is full. The last
// tests check what records contain.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "fuzz/campaign/judging.h"
#include "fuzz/commands/running.h"
#include "fuzz/records/records.h"
#include "properties/case/cells.h"
#include "properties/registry.h"

namespace tileproof {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string mutant = "verify --subject mutant:two-roundings --property value/float --cases 60 ";
const std::string right = "verify --subject host --property bits/ --cases 60 ";

class AVerdict : public Command {
 protected:
  /// The exit code that a shell line, which may be killed with its pipe, has written to a file.
  int exit_in(const std::string& name) const { return std::stoi("0" + text_of(folder_ / name)); }

  /// Waits until a file exists or $process ends, at most half a minute.
  std::string until_it_is_there(const std::string& file) const {
    return "for i in $(seq 300); do [ -e '" + at(file) + "' ] || ! kill -0 $process && break; sleep 0.1; done; ";
  }

  /// Every record in a folder is complete, and no temporary file is left.
  void expect_whole(const std::string& name) const {
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / name)) {
      const fs::path& file = entry.path();
      const bool is_whole = file.extension() == ".json"  ? !json::parse(text_of(file), nullptr, false).is_discarded()
                            : file.extension() == ".xml" ? text_of(file).find("</testsuites>") != std::string::npos
                                                         : true;
      EXPECT_TRUE(is_whole) << file;
      EXPECT_NE(file.extension(), ".new") << file;
    }
  }
};

// --- Readers that go away ------------------------------------------------------------------------------------------

TEST_F(AVerdict, AndItsRecordsOutliveTheReaderOfItsOutput) {
  struct Case {
    std::string arguments;
    const char* name;
    const char* record;
    int exit;
  };
  const Case cases[] = {
      {mutant + out("mutant"), "mutant", "summary.json", 1},
      {right + out("right"), "right", "summary.json", 0},
      {"prove arithmetic --property arithmetic/every_bf16_weight_without --subject cpu --processes 1 " + out("prove"),
       "prove", "proofs.json", 0},
      {"fuzz --subject host --property bits/ --cases 64 --seed 1" + own_memory() + out("fuzz"), "fuzz", "campaign.json",
       0},
      {"bench --subject host --shapes 64x128 --only unpack --repeats 2 --cases 0 --json '" + at("bench.json") + "'",
       ".", "bench.json", 0},
      {"report '" + at("mutant") + "' --out '" + at("report/page.html") + "'", "report", "report.json", 1},
      {"list properties", ".", "bench.json", 0},
  };
  for (const Case& one : cases) {
    run_line("{ sleep 0.2; " + program + " " + one.arguments + "; echo $? > '" + at("code") + "'; } | true");
    EXPECT_EQ(exit_in("code"), one.exit) << one.arguments;
    EXPECT_TRUE(fs::exists(folder_ / one.name / one.record)) << one.arguments;
  }
  expect_whole(".");
  EXPECT_EQ(summary("mutant")["verdict"], "FAILED");
  for (const char* file : {"observations.jsonl", "summary.md", "junit.xml"}) {
    EXPECT_TRUE(fs::exists(folder_ / "mutant" / file)) << file;
  }
}

TEST_F(AVerdict, IsAsBeforeWhereStandardOutputIsFull) {
  EXPECT_EQ(run_line(program + " " + mutant + out("mutant") + " > /dev/full").exit, 1);
  const Ran passed = run_line(program + " " + right + out("right") + " > /dev/full");
  EXPECT_EQ(passed.exit, 4);
  EXPECT_NE(passed.text.find("cannot write to standard output"), std::string::npos) << passed.text;
  expect_whole("mutant");
  EXPECT_EQ(summary("right")["verdict"], "PASSED");
}

TEST_F(AVerdict, LeavesItsChildrenTheUsualSignals) {
  fs::create_directories(folder_ / "bin");
  const fs::path tool = folder_ / "bin" / "compute-sanitizer";
  std::ofstream(tool) << "#!/bin/sh\ngrep SigIgn /proc/$$/status > '" << at("ignored") << "'\n";
  fs::permissions(tool, fs::perms::owner_all);
  run_line("PATH='" + at("bin") + "':$PATH " + program + " prove sanitizers " + out("run"));
  const std::string line = text_of(folder_ / "ignored");
  ASSERT_NE(line.find("SigIgn:"), std::string::npos);
  const std::uint64_t ignored = std::stoull(line.substr(line.find(':') + 1), nullptr, 16);
  for (const int signal : {SIGPIPE, SIGXFSZ}) EXPECT_EQ(ignored >> (signal - 1) & 1, 0) << signal;
}

// --- Signals -------------------------------------------------------------------------------------------------------

TEST_F(AVerdict, IsGivenByEveryCommandThatASignalEnds) {
  // Each command, with a file that exists once the command can be interrupted.
  const std::map<std::string, std::string> runs = {
      {"verify --subject host --property bits/ --for 60s " + out("verify"), "verify/observations.jsonl.new"},
      {"fuzz --subject host --property bits/ --for 60s --seed 1" + own_memory() + out("fuzz"), "fuzz/journal.jsonl"},
      {"prove arithmetic --property arithmetic/every_bf16_weight_of_the_float --subject host --budget 60s " +
           out("prove"),
       "prove/observations.jsonl.new"}};
  for (const auto& [arguments, begun] : runs) {
    for (const char* signal : {"HUP", "TERM", "INT"}) {
      const Ran ran = run_line(program + " " + arguments + " & process=$!; " + until_it_is_there(begun) +
                               "sleep 1; kill -" + signal + " $process; wait $process; code=$?; echo code $code");
      const std::string folder = begun.substr(0, begun.find('/'));
      EXPECT_NE(ran.text.find("interrupted: "), std::string::npos) << signal << ran.text;
      EXPECT_TRUE(ran.text.find("code 0") != std::string::npos || ran.text.find("code 3") != std::string::npos)
          << signal << ran.text;
      const bool has_record = fs::exists(folder_ / folder / "summary.json") ||
                              fs::exists(folder_ / folder / "campaign.json") ||
                              fs::exists(folder_ / folder / "proofs.json");
      EXPECT_TRUE(has_record) << arguments << signal;
      expect_whole(folder);
      fs::remove_all(folder_ / folder);
    }
  }
}

TEST_F(AVerdict, IsGivenWhereTimeoutSignalsTwice) {
  for (int i = 0; i < 4; ++i) {
    const Ran ran = run_line("timeout --preserve-status 1.5 " + program +
                             " verify --subject host --property bits/ --for 60s " + out("run"));
    EXPECT_TRUE(ran.exit == 0 || ran.exit == 3) << ran.exit << ran.text;
    expect_whole("run");
    fs::remove_all(folder_ / "run");
  }
}

TEST_F(AVerdict, IsNotWaitedForAfterASecondSignal) {
  const Ran ran = run_line(program + " verify --subject misbehaving:hangs --property bits/unpack " + out("run") +
                           " & process=$!; " + until_it_is_there("run/observations.jsonl.new") +
                           "sleep 1; kill -TERM $process; sleep 1.5; kill -TERM $process; wait $process; echo code $?");
  EXPECT_NE(ran.text.find("code 143"), std::string::npos) << ran.text;
}

TEST_F(AVerdict, UnderNohupIsNotEndedByAHangup) {
  const Ran ran = run_line("trap '' HUP; " + program + " verify --subject host --property bits/ --cases 3000 " +
                           out("run") + " & process=$!; " + until_it_is_there("run/observations.jsonl.new") +
                           "kill -HUP $process; wait $process");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(ran.text.find("interrupted"), std::string::npos) << ran.text;
}

// --- A full disk ---------------------------------------------------------------------------------------------------

/// Limits the length of files to `kib` KiB.
std::string limited(int kib, const std::string& line) { return "ulimit -f " + std::to_string(2 * kib) + "; " + line; }

TEST_F(AVerdict, IsToldBeforeWhatAFullDiskDidNotTake) {
  const std::string disk = "cannot write ";
  const Ran failed = run_line(limited(1, program + " " + mutant + out("failed")));
  EXPECT_EQ(failed.exit, 1) << failed.text;
  const std::size_t verdict = failed.text.find("FAILED value/float_domain_rounds_once on mutant:two-roundings: ");
  ASSERT_NE(verdict, std::string::npos) << failed.text;
  EXPECT_LT(verdict, failed.text.find(disk)) << failed.text;
  EXPECT_NE(failed.text.find(disk), std::string::npos) << failed.text;
  expect_whole("failed");

  const Ran passed = run_line(limited(1, program + " " + right + out("passed")));
  EXPECT_EQ(passed.exit, 4) << passed.text;
  EXPECT_LT(passed.text.find("PASSED: 4 PASSED"), passed.text.find(disk)) << passed.text;
  expect_whole("passed");

  const Ran proved = run_line(limited(
      1, program + " prove arithmetic --property arithmetic/every_bf16_weight_without --subject cpu --processes 1 " +
             out("prove")));
  EXPECT_EQ(proved.exit, 4) << proved.text;
  EXPECT_LT(proved.text.find("PROVED: 1 PROVED"), proved.text.find(disk)) << proved.text;
  expect_whole("prove");

  const Ran timed = run_line(limited(
      1, program + " bench --subject host --shapes 64x128 --repeats 2 --cases 0 --json '" + at("now.json") + "'"));
  EXPECT_EQ(timed.exit, 4) << timed.text;
  EXPECT_LT(timed.text.find("host unpack 64x128"), timed.text.find(disk)) << timed.text;
  EXPECT_FALSE(fs::exists(folder_ / "now.json"));

  ASSERT_EQ(run(mutant + out("run")).exit, 1);
  const Ran reported =
      run_line(limited(8, program + " report '" + at("run") + "' --out '" + at("report/page.html") + "'"));
  EXPECT_EQ(reported.exit, 1) << reported.text;
  EXPECT_NE(reported.text.find(disk), std::string::npos) << reported.text;
  expect_whole("report");
}

TEST_F(AVerdict, OfACampaignIsWhatItFoundBeforeTheDiskWasFull) {
  const Ran ran = run_line(
      limited(40, program + " fuzz --subject mutant:nibbles-in-order --property value/float --cases 640000 --seed 1 " +
                      "--shrink-seconds 1" + own_memory() + out("run")));
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_NE(ran.text.find("FAILED"), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("cannot write the journal"), std::string::npos) << ran.text;
}

TEST_F(AVerdict, TakesThePlaceOfAnOlderRecordAtOnceOrNotAtAll) {
  const fs::path file = folder_ / "record.json", link = folder_ / "link.json";
  write_file(file, "\"old\"");
  fs::create_symlink(file, link);
  write_file(link, "\"new\"");
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(text_of(file), "\"new\"");
  const Ran ran = run_line(limited(
      1, program + " bench --subject host --shapes 64x128 --repeats 2 --cases 0 --json '" + file.string() + "'"));
  EXPECT_EQ(ran.exit, 4) << ran.text;
  EXPECT_EQ(text_of(file), "\"new\"");
  EXPECT_NO_THROW(write_file("/dev/null", "nothing"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_ANY_THROW(write_file("/dev/full", "something"));
  EXPECT_ANY_THROW(write_file(folder_ / "nowhere" / "record.json", "new"));
  expect_whole(".");
}

// --- Long runs -----------------------------------------------------------------------------------------------------

TEST(Observations, AreKeptWholeWhereTheyFailAndSampledByCellWhereTheyDoNot) {
  Problem problem = problem_of(
      "--property=bits/unpack_returns_every_packed_code --subject=host --n=8 --k=64 --format=tinygemm-2 "
      "--group-size=32 "
      "--scheme=float --weight-type=bf16 --parameter-type=bf16 --profile=ordinary --seed=0x1");
  Kept kept;
  std::int64_t passes = 0, failures = 0;
  std::set<Cell> cells;
  constexpr std::int64_t many = 20000;
  for (std::int64_t i = 0; i < many; ++i) {
    problem.n = 8 + i % 8;
    problem.seed = static_cast<std::uint64_t>(i);
    if (i >= Kept::whole) cells.insert(cell_of(property_of(problem.property), problem));
    passes += kept.keeps({problem, "passed", "", 0}) ? 1 : 0;
    if (i % 10 == 0) failures += kept.keeps({problem, "failed", "mismatch", 0}) ? 1 : 0;
  }
  EXPECT_EQ(passes, Kept::whole + static_cast<std::int64_t>(cells.size()));
  EXPECT_GT(cells.size(), 4u);
  EXPECT_EQ(failures, many / 10);
  EXPECT_EQ(kept.kept(), passes + failures);
  EXPECT_EQ(kept.cases(), many + many / 10);
  // Known failures are limited too, because they can be endless.
  Kept of_known;
  for (std::int64_t i = 0; i < many; ++i) of_known.keeps({problem, "gave_up", "known", 0});
  EXPECT_EQ(of_known.kept(), Kept::whole + 1);
}

TEST_F(AVerdict, OfALongRunSaysWhichOfItsObservationsItKept) {
  const Ran ran = run("verify --subject host --property bits/ --cases 4000 " + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  const json said = summary("run")["observations"];
  const std::string lines = text_of(folder_ / "run" / "observations.jsonl");
  EXPECT_EQ(said["cases"], 16000);
  EXPECT_EQ(said["kept"], std::count(lines.begin(), lines.end(), '\n'));
  EXPECT_LT(said["kept"], 4 * (Kept::whole + static_cast<std::int64_t>(Kept::most_cells)) + 1);
  EXPECT_NE(ran.text.find("Observations are kept of " + said["kept"].dump() + " of 16000 cases"), std::string::npos)
      << ran.text;
}

// --- Numbers of 64 bits --------------------------------------------------------------------------------------------

/// Most readers parse JSON numbers as doubles, so no integer may be beyond 2^53.
void expect_doubles(const json& value, const std::string& where) {
  constexpr std::uint64_t most = std::uint64_t{1} << 53;
  if (value.is_structured()) {
    for (const auto& [key, one] : value.items()) expect_doubles(one, where + "/" + key);
  } else if (value.is_number_unsigned()) {
    EXPECT_LE(value.get<std::uint64_t>(), most) << where;
  } else if (value.is_number_integer()) {
    EXPECT_LE(std::abs(value.get<std::int64_t>()), static_cast<std::int64_t>(most)) << where;
  }
}

TEST_F(AVerdict, HasNoNumberInItsRecordsThatADoubleDoesNotHold) {
  const std::string seed = "0xfedcba9876543210";
  run("verify --subject host --subject reference --property bits/ --property value/float --property determinism/ "
      "--accuracy "
      "--cases 10 --seed " +
      seed + " " + out("verify"));
  run("prove arithmetic words --subject host --budget 2 --processes 1 " + out("prove"));
  run("prove self --budget 1 --processes 1 " + out("self"));
  run("fuzz --subject mutant:two-roundings --property value/ --cases 128 --shrink-seconds 1 --seed " + seed +
      own_memory() + out("fuzz"));
  run("bench --subject host --shapes 64x128 --repeats 2 --cases 1 --json '" + at("bench.json") + "'");
  run("report '" + at("verify") + "' '" + at("fuzz") + "' --out '" + at("report/page.html") + "'");
  std::size_t records = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    const std::string extension = entry.path().extension();
    if (extension != ".json" && extension != ".jsonl") continue;
    ++records;
    std::ifstream file(entry.path());
    if (extension == ".json") expect_doubles(json::parse(file), entry.path());
    for (std::string line; extension == ".jsonl" && std::getline(file, line);) {
      expect_doubles(json::parse(line), entry.path());
    }
  }
  EXPECT_GE(records, 10u);
  EXPECT_EQ(summary("verify")["seed"], seed);
  std::ifstream lines(folder_ / "verify" / "observations.jsonl");
  for (std::string line; std::getline(lines, line);) {
    const json one = json::parse(line);
    const std::string seed_of_case = one["arguments"]["seed"];
    EXPECT_EQ(std::stoull(seed_of_case, nullptr, 16), problem_of(one["representation"].get<std::string>()).seed)
        << line;
  }
}

}  // namespace

}  // namespace tileproof
