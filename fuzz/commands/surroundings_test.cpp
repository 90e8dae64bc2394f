// Tests how the command reacts to its surroundings: terminals, cores, floating-point modes, arrays of jobs, a torch
// that cannot be read, arguments without a value.
#include <gtest/gtest.h>

#include <pty.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cfenv>
#include <regex>
#include <set>
#include <string>
#include <thread>

#include "fuzz/commands/running.h"
#include "fuzz/records/provenance.h"
#include "properties/judging/judge.h"
#include "properties/registry.h"
#include "properties/subjects/cores.h"
#include "properties/subjects/float_mode.h"

namespace tileproof {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// --- Terminals -----------------------------------------------------------------------------------------------------

/// Runs a shell line on a terminal of `columns` columns and returns its output.
std::string on_a_terminal(const std::string& line, int columns = 80) {
  winsize size = {};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(columns);
  int terminal = -1;
  const pid_t process = forkpty(&terminal, nullptr, nullptr, &size);
  if (process == 0) {
    unsetenv("COLUMNS");
    execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
    _exit(127);
  }
  std::string text;
  char buffer[4096];
  for (ssize_t count; (count = read(terminal, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  waitpid(process, nullptr, 0);
  close(terminal);
  return text;
}

class ATerminal : public Command {
 protected:
  /// Every command that colours its output or shows progress.
  std::vector<std::string> commands() const {
    return {
        "verify --subject mutant:two-roundings --property value/ --cases 10 " + out("verify"),
        "prove arithmetic --subject cpu --processes 1 --property arithmetic/every_bf16_weight_without " + out("prove"),
        "fuzz --subject host --property bits/ --cases 64 --seed 1" + own_memory() + out("fuzz"),
        "bench --subject host --shapes 64x128 --only unpack --repeats 2 --cases 0"};
  }
  void forget() const {
    for (const char* name : {"verify", "prove", "fuzz", "memory"}) fs::remove_all(folder_ / name);
  }
};

TEST_F(ATerminal, GetsEscapesOnlyWhereItTakesThemAndItsUserWantsThem) {
  struct Setting {
    const char* variables;
    bool has_escapes;
  };
  for (const Setting& one :
       {Setting{"env -u NO_COLOR TERM=xterm ", true}, Setting{"env NO_COLOR= TERM=xterm ", true},
        Setting{"env NO_COLOR=1 TERM=xterm ", false}, Setting{"env NO_COLOR=0 TERM=xterm ", false},
        Setting{"env -u NO_COLOR TERM=dumb ", false}, Setting{"env -u NO_COLOR -u TERM ", false}}) {
    for (const std::string& command : commands()) {
      const std::string text = on_a_terminal(one.variables + program + " " + command);
      EXPECT_EQ(text.find('\x1b') != std::string::npos, one.has_escapes) << one.variables << command << text;
    }
    forget();
  }
  for (const std::string& command : commands()) {
    EXPECT_EQ(run_line("env -u NO_COLOR TERM=xterm " + program + " " + command).text.find('\x1b'), std::string::npos);
  }
}

TEST_F(ATerminal, ShowsProgressOnOneLineHoweverNarrow) {
  const std::string escape = "\r\x1b[K";
  for (const int columns : {20, 40, 80}) {
    const std::string text = on_a_terminal("env -u NO_COLOR TERM=xterm " + program +
                                               " verify --subject reference --property value/ --cases 5 --seed 1 " +
                                               out("run" + std::to_string(columns)),
                                           columns);
    std::size_t lines = 0, at = text.find(escape + "[");
    for (; at != std::string::npos; at = text.find(escape + "[", at + 1), ++lines) {
      const std::size_t begin = at + escape.size();
      EXPECT_LT(text.find('\r', begin) - begin, static_cast<std::size_t>(columns)) << text.substr(begin, 200);
    }
    EXPECT_EQ(lines, 3u) << text;
  }
}

// --- Cores ---------------------------------------------------------------------------------------------------------

TEST_F(Command, UsesTheCoresThatItMayUse) {
  cpu_set_t may = {};
  ASSERT_EQ(sched_getaffinity(0, sizeof may, &may), 0);
  EXPECT_LE(cores(), static_cast<std::size_t>(CPU_COUNT(&may)));
  int first = 0;
  while (!CPU_ISSET(first, &may)) ++first;
  if (run_line("taskset --version").exit != 0) GTEST_SKIP() << "no taskset here";
  const std::string on_one = "taskset -c " + std::to_string(first) + " " + program + " ";
  ASSERT_EQ(run_line(on_one + "verify --subject host --property bits/ --cases 60 " + out("run")).exit, 0);
  EXPECT_EQ(summary("run")["provenance"]["cores"], 1);
  run_line(on_one + "fuzz --subject host --property bits/ --cases 640 --seed 1" + own_memory() + out("fuzz"));
  std::set<json> workers;
  std::ifstream journal(folder_ / "fuzz" / "journal.jsonl");
  for (std::string line; std::getline(journal, line);) {
    const json one = json::parse(line);
    if (one.value("title", "") == "begin") workers.insert(one["content"]["worker"]);
  }
  EXPECT_EQ(workers.size(), 1u);
  const Ran help = run_line(on_one + "verify --help");
  EXPECT_TRUE(std::regex_search(help.text, std::regex("--jobs [^\\n]*(=|\\[)1\\b"))) << help.text;
}

class AControlGroup : public Command {
 protected:
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file) << text << "\n";
  }
};

TEST_F(AControlGroup, IsWorthTheCoresOfItsQuotaAndOfThoseAboveIt) {
  EXPECT_EQ(cores_of_quota("0::/a/b\n", folder_), 0u);
  write("a/b/cpu.max", "max 100000");
  EXPECT_EQ(cores_of_quota("0::/a/b\n", folder_), 0u);
  write("a/b/cpu.max", "350000 100000");
  EXPECT_EQ(cores_of_quota("0::/a/b\n", folder_), 4u);
  write("a/cpu.max", "150000 100000");
  EXPECT_EQ(cores_of_quota("0::/a/b\n", folder_), 2u);
  EXPECT_EQ(cores_of_quota("0::/elsewhere\n", folder_), 0u);
  write("cpu.max", "50000 100000");  // the container's own quota, whatever the path says
  EXPECT_EQ(cores_of_quota("0::/elsewhere\n", folder_), 1u);
}

TEST_F(AControlGroup, OfVersionOneHasItsQuotaInTwoFiles) {
  const std::string groups = "5:cpuset:/job\n4:cpu,cpuacct:/job\n1:name=systemd:/job\n";
  write("cpu,cpuacct/job/cpu.cfs_quota_us", "-1");
  write("cpu,cpuacct/job/cpu.cfs_period_us", "100000");
  EXPECT_EQ(cores_of_quota(groups, folder_), 0u);
  write("cpu,cpuacct/job/cpu.cfs_quota_us", "250000");
  EXPECT_EQ(cores_of_quota(groups, folder_), 3u);
  EXPECT_EQ(cores_of_quota("5:cpuset:/job\n", folder_), 0u);
}

// --- Modes of floating point ---------------------------------------------------------------------------------------

/// Whether this machine has another floating-point mode, and a library that sets it can be preloaded.
bool has_another_mode() {
#if defined(__x86_64__) || defined(__aarch64__)
  return !is_sanitized;
#else
  return false;
#endif
}

TEST_F(Command, JudgesInItsOwnModeWhateverItWasBegunIn) {
  if (!has_another_mode()) GTEST_SKIP() << "no mode to set here, or the sanitizer wants to be loaded first";
  const std::string begun = "LD_PRELOAD='" TILEPROOF_ANOTHER_MODE "' " + program;
  const std::string judge =
      " verify --subject reference --subject host --property value/ --property eager/ --cases 100 ";
  const Ran ran = run_line(begun + judge + out("begun"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("results below the least normal value become 0"), std::string::npos) << ran.text;
  EXPECT_NE(summary("begun")["provenance"].value("begun_in_float_mode", "").find("become 0"), std::string::npos);
  EXPECT_EQ(summary("begun")["provenance"]["host_compiler"]["flushes_subnormals"], false);
  const Ran usual = run_line("LD_PRELOAD= " + program + judge + out("usual"));
  EXPECT_EQ(usual.text.find("mode"), std::string::npos) << usual.text;
  EXPECT_FALSE(summary("usual")["provenance"].contains("begun_in_float_mode"));
  EXPECT_EQ(summary("begun")["output_hash"], summary("usual")["output_hash"]);
  // Worker processes use the default mode too.
  const Ran campaigns =
      run_line(begun + " fuzz --subject reference --property value/ --cases 640 --seed 1" + own_memory() + out("fuzz"));
  EXPECT_EQ(campaigns.exit, 0) << campaigns.text;
}

TEST(AThread, JudgesEachCaseInTheDefaultMode) {
  const SubjectRow& row = subject_row("reference");
  const MadeSubject made = row.make();
  const Property& property = property_of("value/float_domain_rounds_once");
  const Problem problem = problem_of(
      "--property=value/float_domain_rounds_once --subject=reference --n=8 --k=64 --format=tinygemm-2 --group-size=32 "
      "--scheme=float --weight-type=fp32 --parameter-type=fp32 --profile=finite-edges --seed=0x1");
  std::thread([&] {
    std::fesetround(FE_UPWARD);  // a library may do this when it is loaded
    EXPECT_FALSE(float_mode().rounds_to_nearest);
    Coverage coverage;
    EXPECT_FALSE(InThisProcess(row.capabilities, *made.subject).run(property, problem, coverage).finding.has_value());
    EXPECT_EQ(float_mode(), FloatMode());
  }).join();
}

// --- Arrays of jobs ------------------------------------------------------------------------------------------------

TEST_F(Command, IsNoShardOfAnArrayThatDoesNotSayItsSize) {
  const auto fuzz = [&](const std::string& variables, const std::string& name) {
    return run_line(variables + " " + program + " fuzz --subject host --property bits/ --cases 640 --seed 1" +
                    own_memory() + out(name));
  };
  const std::string slurm = "SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=1 ";
  expect_refused(fuzz("JOB_COMPLETION_INDEX=2", "a"), "JOB_COMPLETIONS: given nothing");
  expect_refused(fuzz("JOB_COMPLETIONS=4", "b"), "JOB_COMPLETION_INDEX: given nothing");
  expect_refused(fuzz("JOB_COMPLETION_INDEX=0 JOB_COMPLETIONS=", "c"), "JOB_COMPLETIONS: given nothing");
  expect_refused(fuzz("JOB_COMPLETION_INDEX=4 JOB_COMPLETIONS=4", "d"), "JOB_COMPLETION_INDEX: given 4");
  expect_refused(fuzz("JOB_COMPLETION_INDEX=two JOB_COMPLETIONS=4", "e"), "JOB_COMPLETION_INDEX: given 'two'");
  expect_refused(fuzz("JOB_COMPLETION_INDEX=-1 JOB_COMPLETIONS=4", "f"), "JOB_COMPLETION_INDEX: given '-1'");
  expect_refused(fuzz("JOB_COMPLETION_INDEX=0 JOB_COMPLETIONS=0", "g"), "JOB_COMPLETION_INDEX: given 0");
  expect_refused(fuzz("SLURM_ARRAY_TASK_ID=2", "h"), "SLURM_ARRAY_TASK_COUNT: given nothing");
  expect_refused(fuzz("SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_COUNT=4", "i"), "SLURM_ARRAY_TASK_MIN: given nothing");
  expect_refused(fuzz(slurm + "SLURM_ARRAY_TASK_ID=5", "j"), "SLURM_ARRAY_TASK_ID: given 5");
  expect_refused(fuzz(slurm + "SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_MAX=9", "k"), "SLURM_ARRAY_TASK_ID: given 2");
  expect_refused(fuzz(slurm + "SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_STEP=2", "l"), "SLURM_ARRAY_TASK_ID: given 2");
  const auto shard = [&](const std::string& name) {
    const json campaign = json_in(name + "/campaign.json");
    return campaign["shard"].dump() + "/" + campaign["shards"].dump();
  };
  fuzz("JOB_COMPLETION_INDEX=2 JOB_COMPLETIONS=4", "m");
  EXPECT_EQ(shard("m"), "2/4");
  fuzz(slurm + "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_STEP=2", "n");
  EXPECT_EQ(shard("n"), "2/4");
  // A resumed campaign keeps its journal's shard, and a given --shard counts before the variables of the job.
  const Ran resumed = run_line("JOB_COMPLETION_INDEX=2 " + program + " fuzz --cases 1280" + own_memory() +
                               "--resume '" + at("m") + "'");
  EXPECT_NE(resumed.exit, 2) << resumed.text;
  EXPECT_EQ(shard("m"), "2/4");
  run_line("JOB_COMPLETION_INDEX=2 " + program +
           " fuzz --subject host --property bits/ --cases 64 --seed 1 --shard 0/1" + own_memory() + out("o"));
  EXPECT_EQ(shard("o"), "0/1");
}

// --- A torch that cannot be read -----------------------------------------------------------------------------------

TEST_F(Command, LeavesOutASubjectThatThisMachineFailsToMakeUnlessItIsAskedFor) {
  if (run("list subjects").text.find("built without torch") != std::string::npos) GTEST_SKIP() << "built without torch";
  fs::copy_file(program, folder_ / "tileproof");  // the copy has no library of the torch subjects beside it
  const std::string alone = "'" + at("tileproof") + "' ";
  const Ran all = run_line(alone + "verify --property bits/ --cases 60 --no-accuracy " + out("all"));
#if !defined(TILEPROOF_REQUIRE_GPU)
  EXPECT_EQ(all.exit, 0) << all.text;
#endif
  for (const json& judgement : summary("all")["judgements"]) {
    const std::string subject = judgement["subject"];
    if (subject == "host") {
      EXPECT_EQ(judgement["verdict"], "PASSED");
    }
    if (subject != "aten-cpu" && subject != "aten-eager") continue;
    EXPECT_EQ(judgement["verdict"], "SKIPPED");
    EXPECT_NE(judgement["reason"].get<std::string>().find("the torch subjects do not load"), std::string::npos);
  }
  const Ran listed = run_line(alone + "list subjects");
  EXPECT_EQ(listed.exit, 0) << listed.text;
  EXPECT_NE(listed.text.find("the torch subjects do not load"), std::string::npos) << listed.text;
  EXPECT_EQ(run_line(alone + "verify --subject aten-cpu --property bits/ " + out("one")).exit, 4);
}

// --- Arguments without a value -------------------------------------------------------------------------------------

TEST_F(Command, TakesNoOptionWithoutItsValue) {
  std::size_t options = 0;
  for (const std::string command :
       {"", "verify", "prove", "fuzz", "fuzz merge", "fuzz history", "replay", "bench", "report", "list", "watched"}) {
    const std::string help = run(command + " --help").text;
    std::set<std::string> names;
    const std::regex option("(?:^|[ ,])(--[a-z][a-z0-9-]+)");
    // Read the lines that begin with an option; descriptions may name options too.
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t begin = line.find_first_not_of(' ');
      if (begin == std::string::npos || line[begin] != '-' || begin > 4) continue;
      const std::string head = line.substr(0, line.find("  ", begin));
      for (std::sregex_iterator one(head.begin(), head.end(), option), end; one != end; ++one) names.insert((*one)[1]);
    }
    EXPECT_TRUE(names.contains("--help")) << help;
    for (const std::string& name : names) {
      ++options;
      expect_refused(run(command + " " + name + "= --no-such-flag"), name + ": given ''");
      expect_refused(run(command + " " + name + " ''"), name + ": given ''");
    }
  }
  EXPECT_GE(options, 52u);
  for (const char* positional : {"prove ''", "list ''", "report ''", "fuzz merge ''", "fuzz history ''"}) {
    expect_refused(run(positional), ": given ''");
  }
  EXPECT_FALSE(fs::exists("--no-such-flag"));
}

// --- Which machine -------------------------------------------------------------------------------------------------

TEST(AMachine, HasTheNameOfTheCudaDeviceThatAProgramGets) {
  const json with = machine_of({{"gpu", {{"name", "NVIDIA H200"}, {"driver", "13.0"}}}});
  EXPECT_EQ(with["gpu"], "NVIDIA H200");
  EXPECT_EQ(machine_of(nullptr)["gpu"], "");
  EXPECT_EQ(machine_of({{"gpu", {{"name", ""}, {"error", "the device is lost"}}}})["gpu"], "");
  EXPECT_EQ(with["cpu"], machine_of(nullptr)["cpu"]);
}

}  // namespace

}  // namespace tileproof
