// Tests what `cmake --install` gives: a program that needs nothing of the tree that it was built in, and a CMake
// package whose tests show in another project's ctest what verify says.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <regex>

#include "fuzz/commands/running.h"

namespace tileproof {

namespace {

namespace fs = std::filesystem;

const std::string cmake = "'" TILEPROOF_CMAKE "' ";

std::string quoted(const std::string& path) { return "'" + path + "'"; }

class AnInstalledProgram : public Command {
 protected:
  void SetUp() override {
    Command::SetUp();
    const Ran installed = run_line(cmake + "--install '" TILEPROOF_BUILD_FOLDER "' --prefix " + quoted(at("prefix")));
    ASSERT_EQ(installed.exit, 0) << installed.text;
  }

  std::string installed() const { return quoted(at("prefix/bin/tileproof")) + " "; }
  std::string configure(const std::string& project) const {
    return cmake + "-S " + quoted(at(project)) + " -B " + quoted(at(project + "/build")) +
           " " TILEPROOF_CONFIGURED_WITH " -DCMAKE_PREFIX_PATH=" + quoted(at("prefix"));
  }
  std::string build(const std::string& project) const { return cmake + "--build " + quoted(at(project + "/build")); }
  std::string test(const std::string& project) const {
    return "'" TILEPROOF_CTEST "' --output-on-failure -j 8 --test-dir " + quoted(at(project + "/build"));
  }
  std::string all_of(const std::string& project) const {
    return configure(project) + " && " + build(project) + " && " + test(project);
  }
};

/// Maps the name of each test to what ctest says of it, such as "Passed".
std::map<std::string, std::string> outcomes(const std::string& text) {
  static const std::regex line("Test +#[0-9]+: ([^ ]+) [.]*[ *]*([A-Z][a-z]+)");
  std::map<std::string, std::string> all;
  for (std::sregex_iterator one(text.begin(), text.end(), line), end; one != end; ++one) all[(*one)[1]] = (*one)[2];
  return all;
}

void replace_in(const fs::path& file, const std::string& before, const std::string& after) {
  std::string text = text_of(file);
  const std::size_t place = text.find(before);
  ASSERT_NE(place, std::string::npos) << before;
  std::ofstream(file) << text.replace(place, before.size(), after);
}

const std::string index_of_pack = "kernel.index/pack_puts_every_code_where_the_specification_says";
const std::string index_of_unpack = "kernel.index/unpack_takes_every_code_from_where_the_specification_says";
const std::string index_of_dequantize = "kernel.index/dequantize_takes_every_code_from_where_the_specification_says";
const std::string index_of_convert = "kernel.index/convert_puts_every_code_where_the_specification_says";
const std::string bits_of_unpack = "kernel.bits/unpack_reads_the_specified_nibbles_of_any_word";
using Outcomes = std::map<std::string, std::string>;

TEST_F(AnInstalledProgram, ShowsInCTestWhatItSaysOfAKernel) {
  fs::copy(TILEPROOF_EXAMPLE_PROJECT, folder_ / "example");
  const Ran right = run_line(all_of("example"));
  EXPECT_EQ(right.exit, 0) << right.text;
  EXPECT_EQ(outcomes(right.text), (Outcomes{{index_of_pack, "Skipped"},
                                            {index_of_unpack, "Passed"},
                                            {index_of_dequantize, "Skipped"},
                                            {index_of_convert, "Skipped"},
                                            {bits_of_unpack, "Passed"},
                                            {"kernel.something_ran", "Passed"}}))
      << right.text;

  replace_in(folder_ / "example/kernel.cpp", "== 0", "!= 0");
  const Ran faulty = run_line(build("example") + " && " + test("example"));
  EXPECT_EQ(faulty.exit, 8) << "as ctest ends where a test failed: " << faulty.text;
  EXPECT_EQ(outcomes(faulty.text), (Outcomes{{index_of_pack, "Skipped"},
                                             {index_of_unpack, "Failed"},
                                             {index_of_dequantize, "Skipped"},
                                             {index_of_convert, "Skipped"},
                                             {bits_of_unpack, "Failed"},
                                             {"kernel.something_ran", "Passed"}}))
      << faulty.text;
  EXPECT_NE(faulty.text.find("Each holds the code of another element"), std::string::npos) << faulty.text;
  const std::size_t line = faulty.text.find("./tileproof replay --kernel ");
  ASSERT_NE(line, std::string::npos) << faulty.text;
  const std::size_t arguments = faulty.text.find("replay", line);
  const Ran again = run_line(installed() + faulty.text.substr(arguments, faulty.text.find('\n', line) - arguments));
  EXPECT_EQ(again.exit, 1) << again.text;
}

TEST_F(AnInstalledProgram, IsRedInCTestWhereNothingRan) {
  const auto expect_red = [&](const std::string& project, const std::string& asked, const Outcomes& expected) {
    fs::copy(TILEPROOF_EXAMPLE_PROJECT, folder_ / project);
    replace_in(folder_ / project / "CMakeLists.txt", "PROPERTIES index/ bits/unpack_reads ARGUMENTS --cases 60", asked);
    const Ran ran = run_line(all_of(project));
    EXPECT_EQ(ran.exit, 8) << ran.text;
    EXPECT_EQ(outcomes(ran.text), expected) << ran.text;
  };
  expect_red("skipped", "PROPERTIES index/pack", {{index_of_pack, "Skipped"}, {"kernel.something_ran", "Failed"}});
  expect_red("refused", "PROPERTIES index/unpack ARGUMENTS --case 1",
             {{index_of_unpack, "Failed"}, {"kernel.something_ran", "Failed"}});
}

TEST_F(AnInstalledProgram, RefusesWhatATestCannotBeMadeOf) {
  fs::create_directories(folder_ / "project");
  std::ofstream(folder_ / "project/a.so") << "a file";
  const auto configured_with = [&](const std::string& arguments) {
    std::ofstream(folder_ / "project/CMakeLists.txt") << "cmake_minimum_required(VERSION 3.25)\n"
                                                         "project(example LANGUAGES NONE)\n"
                                                         "enable_testing()\n"
                                                         "find_package(tileproof 0.1 REQUIRED)\n"
                                                         "add_library(headers INTERFACE)\n"
                                                         "tileproof_add_tests(" +
                                                             arguments + ")\n";
    Ran ran = run_line(configure("project"));
    ran.text = std::regex_replace(ran.text, std::regex("\\s+"), " ");  // CMake breaks lines
    return ran;
  };
  const auto refused = [&](const std::string& arguments, const std::string& said) {
    const Ran ran = configured_with(arguments);
    EXPECT_NE(ran.exit, 0) << arguments << ": " << ran.text;
    EXPECT_NE(ran.text.find("tileproof_add_tests: " + said), std::string::npos) << arguments << ": " << ran.text;
  };
  EXPECT_EQ(configured_with("NAME a KERNEL a.so FORMAT plain PROPERTIES value/ ARGUMENTS --seed 7").exit, 0);
  const std::string one_of_them = ", legal is one of them";
  refused("NAME a", "KERNEL, LIBRARY or PYTHON: given none" + one_of_them);
  refused("NAME a KERNEL a.so PYTHON a.so", "KERNEL, LIBRARY or PYTHON: given KERNEL and PYTHON" + one_of_them);
  refused("NAME a KERNEL a.so KERNEL a.so", "KERNEL: given 2 times, legal is once");
  refused("NAME a KERNEL a.so PROPERTY value/", "arguments: given 'PROPERTY', legal is NAME, KERNEL, LIBRARY, ");
  refused("NAME a KERNEL", "KERNEL: given no value, legal is a value behind it");
  refused("NAME a KERNEL a.so PROPERTIES", "PROPERTIES: given no value, legal is a value behind it");
  refused("KERNEL a.so", "NAME: given '', legal is letters");
  refused("NAME a/b KERNEL a.so", "NAME: given 'a/b', legal is letters");
  refused("NAME a KERNEL b.so", "KERNEL: given 'b.so' (there is no such target yet, and no file ");
  refused("NAME a KERNEL .", "KERNEL: given '.' (there is no such target yet, and no file ");
  refused("NAME a LIBRARY headers",
          "LIBRARY: given the target 'headers', of type INTERFACE_LIBRARY, legal is a SHARED ");
  refused("NAME a PYTHON headers", "PYTHON: given 'headers' (there is no file ");
  refused("NAME a PYTHON a.so PYTHON_WITH no/python3", "PYTHON_WITH: given 'no/python3' (there is no file ");
  refused("NAME a KERNEL a.so PYTHON_WITH python3", "PYTHON_WITH: given beside KERNEL, legal is PYTHON beside it");
  refused("NAME a KERNEL a.so NAMESPACE b", "NAMESPACE: given beside KERNEL, legal is LIBRARY beside it");
  refused("NAME a KERNEL a.so FORMAT int3", "FORMAT: given 'int3', legal is a name of 'tileproof list formats'");
  refused("NAME a KERNEL a.so PROPERTIES value/ valeu", "PROPERTIES: given 'valeu', legal is names of ");
}

TEST_F(AnInstalledProgram, IsOfTheVersionThatItSays) {
  fs::create_directories(folder_ / "project");
  const auto found = [&](const std::string& version) {
    std::ofstream(folder_ / "project/CMakeLists.txt") << "cmake_minimum_required(VERSION 3.25)\n"
                                                         "project(example LANGUAGES NONE)\n"
                                                         "find_package(tileproof " +
                                                             version + " REQUIRED)\n";
    return run_line(configure("project")).exit == 0;
  };
  EXPECT_EQ(run_line(installed() + "--version").text, "tileproof " TILEPROOF_VERSION "\n");
  EXPECT_TRUE(found(TILEPROOF_VERSION " EXACT"));
  EXPECT_FALSE(found("99.0"));
}

#if defined(TILEPROOF_EXAMPLES)
constexpr const char* unpack_in_python =
    "import torch\n"
    "FORMAT = 'plain'\n"
    "def unpack(packed, n, k):\n"
    "    return torch.stack([packed >> 4, packed & 15], dim=-1).reshape(n, k)\n";
#endif

// --- Without the tree that it was built in
// ---------------------------------------------------------------------------------

/// Runs a shell line, which must not contain a ", where the build folder and those of the sources are empty; nothing if
/// this machine cannot mount.
std::optional<Ran> run_without_the_tree(const std::string& line) {
  const std::string apart = "unshare --map-root-user --mount ";
  if (run_line(apart + "true").exit != 0) return std::nullopt;
  const std::string sources = TILEPROOF_SOURCE_FOLDER "/";
  std::string hidden;
  for (const std::string& folder : {sources + "fuzz", sources + "kernels", sources + "properties",
                                    sources + "reference", sources + "reports", std::string(TILEPROOF_BUILD_FOLDER)}) {
    hidden += "mount -t tmpfs none '" + folder + "' && ! test -e '" + folder + "/CMakeLists.txt' && ";
  }
  return run_line(apart + "sh -c \"cd / && " + hidden + "! test -e '" + program + "' && " + line + "\"");
}

TEST_F(AnInstalledProgram, NeedsNothingOfTheTreeThatItWasBuiltIn) {
  const std::optional<Ran> listed = run_without_the_tree(installed() + "list subjects");
  if (!listed) GTEST_SKIP() << "this machine cannot mount";
  EXPECT_EQ(listed->exit, 0) << listed->text;
  EXPECT_EQ(listed->text, run("list subjects").text);

  const auto passes = [&](const std::string& name, const std::string& subject) {
    const Ran ran = *run_without_the_tree(installed() + "verify --cases 60 " + subject + " " + out(name));
    EXPECT_EQ(ran.exit, 0) << ran.text;
  };
  fs::copy(TILEPROOF_EXAMPLE_PROJECT, folder_ / "example");
  const Ran example = *run_without_the_tree(all_of("example"));
  EXPECT_EQ(example.exit, 0) << example.text;

  passes("host", "--subject host --property index/pack --accuracy");
  const Ran budgets = *run_without_the_tree(installed() + "report " + quoted(at("host")) + " --update-budgets");
  EXPECT_TRUE(budgets.text.starts_with("nothing to change in " + at("prefix/"))) << budgets.text;
  const Ran verdicts = *run_without_the_tree(installed() + "verdicts vllm_awq --cases 1 " + out("verdicts"));
  EXPECT_NE(verdicts.exit, 2) << "it knows its adapters: " << verdicts.text;
  EXPECT_NE(text_of(folder_ / "verdicts" / "verdicts.md").find("vllm"), std::string::npos) << verdicts.text;
#if defined(TILEPROOF_EXAMPLES)
  passes("aten", "--subject aten-cpu --property index/pack");
  std::ofstream(folder_ / "mine.py") << unpack_in_python;
  passes("module",
         "--python " + quoted(at("mine.py")) + " --python-with '" TILEPROOF_PYTHON "' --property bits/unpack_reads");
#endif
}

TEST_F(AnInstalledProgram, LeavesItsRecordsWhereItIsRun) {
  const Ran ran = run_line("cd " + quoted(folder_.string()) + " && " + installed() +
                           "verify --subject host --property bits/unpack_returns --cases 60");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  ASSERT_TRUE(fs::exists(folder_ / "tileproof-runs")) << ran.text;
  EXPECT_TRUE(fs::exists(fs::directory_iterator(folder_ / "tileproof-runs")->path() / "summary.json")) << ran.text;
}

#if defined(TILEPROOF_EXAMPLES)
TEST_F(AnInstalledProgram, ShowsInCTestWhatItSaysOfAModuleAndOfALibrary) {
  fs::create_directories(folder_ / "project");
  std::ofstream(folder_ / "project/mine.py") << unpack_in_python;
  std::ofstream(folder_ / "project/absent.py") << "import there_is_no_such_package\n";
  std::ofstream(folder_ / "project/CMakeLists.txt")
      << "cmake_minimum_required(VERSION 3.25)\n"
         "project(example LANGUAGES NONE)\n"
         "enable_testing()\n"
         "find_package(tileproof REQUIRED)\n"
         "set(bits PROPERTIES bits/unpack_reads ARGUMENTS --cases 60 --device cpu)\n"
         "set(library LIBRARY " TILEPROOF_EXAMPLES
         "nothing.so NAMESPACE example)\n"
         "set(faulty LIBRARY " TILEPROOF_EXAMPLES
         "two-roundings.so NAMESPACE example)\n"
         "tileproof_add_tests(NAME module PYTHON mine.py PYTHON_WITH " TILEPROOF_PYTHON
         " FORMAT plain ${bits})\n"
         "tileproof_add_tests(NAME absent PYTHON absent.py FORMAT plain ${bits})\n"
         "tileproof_add_tests(NAME library ${library} ${bits})\n"
         "tileproof_add_tests(NAME once ${library} PROPERTIES value/float ARGUMENTS --cases 1 --device cpu)\n"
         "tileproof_add_tests(NAME faulty ${faulty} PROPERTIES value/float ARGUMENTS --device cpu)\n";
  const Ran ran = run_line(configure("project") + " && " + test("project"));
  EXPECT_EQ(ran.exit, 8) << ran.text;
  const std::string bits = "bits/unpack_reads_the_specified_nibbles_of_any_word",
                    value = "value/float_domain_rounds_once";
  EXPECT_EQ(outcomes(ran.text), (Outcomes{{"module." + bits, "Passed"},
                                          {"module.something_ran", "Passed"},
                                          {"absent." + bits, "Failed"},
                                          {"absent.something_ran", "Failed"},
                                          {"library." + bits, "Passed"},
                                          {"library.something_ran", "Passed"},
                                          {"once." + value, "Failed"},
                                          {"once.something_ran", "Passed"},
                                          {"faulty." + value, "Failed"},
                                          {"faulty.something_ran", "Passed"}}))
      << ran.text;
  EXPECT_NE(ran.text.find("python was asked for and did not run"), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("MISTRUSTED (some properties prove too little)"), std::string::npos) << ran.text;
}
#endif

}  // namespace

}  // namespace tileproof
