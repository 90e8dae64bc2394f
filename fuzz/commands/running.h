/// Runs the command as a user does, for tests: a process, its exit code, its output, its files.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>

namespace tileproof {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif

struct Ran {
  int exit;
  std::string text;  // stdout and stderr
};

inline const std::string program = TILEPROOF_COMMAND;

/// Runs a shell line, without input.
inline Ran run_line(const std::string& line) {
  std::FILE* pipe = popen(("{ " + line + "\n} 2>&1 < /dev/null").c_str(), "r");
  std::string text;
  std::array<char, 4096> buffer;
  for (std::size_t read; (read = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) text.append(buffer.data(), read);
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

/// Runs a shell line, which must not contain a ", while a folder is a read-only mount; nothing if this machine cannot
/// mount.
inline std::optional<Ran> run_beside_read_only(const std::filesystem::path& folder, const std::string& line) {
  const std::string apart = "unshare --map-root-user --mount ", at = "'" + folder.string() + "'";
  if (run_line(apart + "true").exit != 0) return std::nullopt;
  return run_line(apart + "sh -c \"mount --bind " + at + " " + at + " && mount -o remount,bind,ro " + at + " && " +
                  line + "\"");
}

inline Ran run(const std::string& arguments) { return run_line(program + " " + arguments); }

inline bool has_gpu() {
  static const bool has = run("list subjects").text.find("the production kernels on a GPU\n") != std::string::npos;
  return has;
}

#if defined(TILEPROOF_REQUIRE_GPU)
#define NEEDS_GPU() ASSERT_TRUE(has_gpu()) << "no GPU here"
#else
#define NEEDS_GPU() \
  if (!has_gpu()) GTEST_SKIP() << "no GPU here"
#endif

inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// A test with its own folder for the records of runs.
class Command : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    for (char& letter : name) letter = letter == '/' ? '-' : letter;
    folder_ = std::filesystem::temp_directory_path() / ("tileproof-" + std::to_string(getpid()) + "-" + name);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  std::string out(const std::string& name) const { return "--out '" + at(name) + "'"; }
  /// Keeps what campaigns remember of each other in the test's folder.
  std::string own_memory() const { return " --memory '" + at("memory") + "' "; }
  nlohmann::json json_in(const std::string& name) const { return nlohmann::json::parse(text_of(folder_ / name)); }
  nlohmann::json summary(const std::string& name) const { return json_in(name + "/summary.json"); }

  std::filesystem::path folder_;
};

inline void expect_refused(const Ran& ran, const std::string& named) {
  EXPECT_EQ(ran.exit, 2) << ran.text;
  EXPECT_NE(ran.text.find(named), std::string::npos) << ran.text;
  // Allow the extra line that the command prints if it begins in another floating-point mode, as in one of our tests.
  const bool says_mode = ran.text.starts_with("tileproof: this process was begun in a mode");
  EXPECT_EQ(std::count(ran.text.begin(), ran.text.end(), '\n'), says_mode ? 2 : 1) << ran.text;
}

}  // namespace tileproof
