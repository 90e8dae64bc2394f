/// Minimal records as `tileproof` writes them, for tests that change one thing in them.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <source_location>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace tileproof::reports {

using nlohmann::json;

constexpr const char* problem = "--property=value/rounds_once --subject=host --n=1 --k=32 --seed=0x2f";
inline const std::vector<std::string> replay_words = {"--property=value/rounds_once", "--subject=host", "--n=1",
                                                      "--k=32", "--seed=0x2f"};

inline json finding(const std::string& kind, const std::string& details) {
  return {{"problem", problem}, {"kind", kind}, {"details", details}, {"shrinks", 5}, {"replay", replay_words}};
}

/// A FAILED judgement has one finding.
inline json judgement(const std::string& property, const std::string& subject, const std::string& verdict,
                      const std::string& reason = "") {
  const bool fails = verdict == "FAILED", is_skipped = verdict == "SKIPPED";
  return {{"property", property},
          {"subject", subject},
          {"verdict", verdict},
          {"reason", reason},
          {"cases", is_skipped ? 0
                    : fails    ? 17
                               : 100},
          {"seconds", is_skipped ? 0
                      : fails    ? 0.02
                                 : 0.41},
          {"output_hash", "0x00000000000000aa"},
          {"explained", json::object()},
          {"findings", fails ? json::array({finding("mismatch", "2 elements are wrong")}) : json::array()},
          {"known", json::array()},
          {"refused", {{"cases", 0}, {"message", ""}}}};
}

inline json expected_failure(const std::string& id, const std::string& what, int cases) {
  return {{"id", id},
          {"what", what},
          {"since", "2026-10-01"},
          {"expires", "2027-04-01"},
          {"cases", cases},
          {"details", "12 are wrong"},
          {"replay", replay_words}};
}

inline json with_known(json judgement, const json& finding) {
  judgement["known"].push_back(finding);
  return judgement;
}

/// A judgement that is KNOWN: the ledger lists the failing cases.
inline json known(const std::string& property, const std::string& subject, const json& finding) {
  return with_known(judgement(property, subject, "KNOWN"), finding);
}

inline json subject(const std::string& name, const std::string& why_not = "") {
  return {{"name", name}, {"what", "about " + name}, {"why_not", why_not}};
}

inline json summary_of(const std::vector<json>& subjects, const std::vector<json>& judgements) {
  json counts = {{"PASSED", 0}, {"FAILED", 0}, {"SKIPPED", 0}, {"MISTRUSTED", 0}, {"KNOWN", 0}};
  for (const json& one : judgements) {
    json& count = counts[one["verdict"].get<std::string>()];
    count = count.get<int>() + 1;
  }
  const std::string verdict = counts["FAILED"] != 0                                ? "FAILED"
                              : counts["MISTRUSTED"] != 0 || counts["PASSED"] == 0 ? "MISTRUSTED"
                              : counts["KNOWN"] != 0                               ? "KNOWN"
                                                                                   : "PASSED";
  return {{"schema", 3},
          {"tool", "tileproof 0.1.0"},
          {"command", "verify --seed 1"},
          {"run_start", "2026-11-22T15:50:00Z"},
          {"seconds", 41.2},
          {"seed", "0x0000000000000001"},
          {"cases_per_property", 100},
          {"machine", {{"compiler", "GNU 12.2.0"}, {"cpu", "EPYC"}, {"gpu", ""}}},
          {"verdict", verdict},
          {"reason", ""},
          {"exit_code", 0},
          {"output_hash", "0x0123456789abcdef"},
          {"counts", counts},
          {"subjects", subjects},
          {"judgements", judgements}};
}

inline json summary(const std::vector<json>& judgements, const std::string& name = "host") {
  return summary_of({subject(name)}, judgements);
}

inline json proof(const std::string& verdict, std::uint64_t done, std::uint64_t points = 100) {
  return {{"property", "arithmetic/rounds_once"},
          {"subject", "host"},
          {"verdict", verdict},
          {"reason", ""},
          {"point", "triples"},
          {"order", "lying all over the domain"},
          {"points", points},
          {"points_done", done},
          {"steps", 1024},
          {"explained", json::object()},
          {"measures", json::array()},
          {"seconds", 2.5},
          {"estimated_seconds", 4000},
          {"finding", nullptr}};
}

inline json proofs(const std::vector<json>& all) {
  return {{"schema", 1},
          {"command", "prove arithmetic"},
          {"run_start", "2026-11-23T06:00:00Z"},
          {"budget_seconds", 1800},
          {"seconds", 12.345},
          {"reason", ""},
          {"exit_code", 0},
          {"machine", {{"cpu", "a cpu"}}},
          {"proofs", all},
          {"sanitizers", json::array()},
          {"not_here", json::object()}};
}

inline json campaign_finding(const std::string& fingerprint, const std::string& how) {
  return {{"fingerprint", fingerprint},  {"how", how}, {"shrunk", "to the smallest"}, {"kind", "mismatch"},
          {"details", "1 is wrong"},     {"cases", 3}, {"examples", {17, 30, 31}},    {"looked_into", true},
          {"replay", {"--property=a/b"}}};
}

inline json campaign(const std::vector<json>& findings) {
  return {{"schema", 1},
          {"subject", "host"},
          {"seed", "0x1"},
          {"verdict", findings.empty() ? "PASSED" : "FAILED"},
          {"reason", ""},
          {"cases", 64},
          {"counts", {{"elements", 1000}}},
          {"cells", {{"hit", 50}, {"reachable", 100}}},
          {"chance_that_the_next_is_new", 0.5},
          {"discovery", json::array()},
          {"findings", findings},
          {"known", json::object()},
          {"never_asked", json::array()},
          {"planted", json::array({{{"mutant", "two-roundings"}, {"found", true}}})}};
}

inline json timed_row(const std::string& name, const std::vector<double>& operation, const std::vector<double>& copy) {
  return {{"name", name},         {"unit", "bytes"},
          {"amount", 1000000000}, {"seconds", {{"operation", operation}, {"copy", copy}}},
          {"wrong", ""},          {"note", ""}};
}

inline json bench_of(const std::vector<json>& rows) {
  return {{"schema", 2},
          {"run_start", "2026-11-22T15:50:00Z"},
          {"machine",
           {{"cpu", "a CPU"},
            {"gpu", "a GPU"},
            {"commit", "0123abcd"},
            {"device", {{"name", "a GPU"}, {"sms", "132"}, {"l2_bytes", "50"}}}}},
          {"repeats", 10},
          {"rows", rows},
          {"skipped", json::array()},
          {"not_measured", json::object()}};
}

inline json bench(double seconds_of_operation, int repeats = 10) {
  std::vector<double> operation;
  for (int i = 0; i < repeats; ++i) operation.push_back(seconds_of_operation * (1 + 0.0001 * i));
  return bench_of({timed_row("host pack", operation, std::vector<double>(operation.size(), 1e-3))});
}

/// A row of 1000 elements.
/// @param off        elements whose error is `ulp`
/// @param explained  how many of those are explained
inline json accuracy_row(std::uint64_t off, double ulp, std::uint64_t explained, const std::string& subject = "host") {
  constexpr std::uint64_t elements = 1000;
  const json none = {{"value", 0}, {"exact", true}};
  json reasons = json::object();
  if (explained != 0) reasons["two roundings, as predicted"] = explained;
  return {{"subject", subject},
          {"operation", "dequantize"},
          {"scheme", "float"},
          {"type", "bf16"},
          {"format", "tinygemm-2"},
          {"group", 32},
          {"problems", 7},
          {"inputs", "0x0000000000000007"},
          {"not_run", json::array()},
          {"sampled", true},
          {"elements", elements},
          {"bit_equal", elements - off},
          {"differing", {{"explained", reasons}, {"unexplained", off - explained}}},
          {"non_finite", {{"expected", 5}, {"disagreements", 0}}},
          {"zeros", {{"sign_lost", 0}}},
          {"subnormals", {{"expected", 1}, {"differing", 0}, {"flushed", 0}}},
          {"ulp", {{"max", off == 0 ? 0.0 : ulp}, {"p99_9", none}, {"p99", none}, {"median", none}, {"bias", 0.0}}},
          {"of_largest_term", {{"max", off == 0 ? 0.0 : 0.5}}},
          {"ordinary", {{"sqnr", {{"noise", 0.0}, {"db", nullptr}}}}}};
}

inline json accuracy(const std::vector<json>& rows) {
  const auto at = [](const json& place) { return json{{"at", place}, {"max", 3}}; };
  return {{"schema", 4},
          {"tool", "tileproof 0.1.0"},
          {"run_start", "2026-11-23T06:00:00Z"},
          {"provenance", {{"commit", "abc"}, {"dirty", false}, {"host_compiler", {{"flags", "-O2"}}}}},
          {"rows", rows},
          {"curves", json::array({{{"subject", "host"},
                                   {"operation", "dequantize"},
                                   {"scheme", "float"},
                                   {"type", "bf16"},
                                   {"wrong", {{"row_by_column", json::array({{5, 17, 3, 3}, {6, 17, 4, 4}})}}},
                                   {"bound", {{"ulp", 0}, {"name", "one rounding"}}},
                                   {"by_k", json::array({at(8), at(9)})},
                                   {"by_group", json::array({at(32)})},
                                   {"by_binade", json::array({at(-4), at("NaN")})}}})},
          {"worst", json::array({{{"subject", "host"},
                                  {"operation", "dequantize"},
                                  {"scheme", "float"},
                                  {"type", "bf16"},
                                  {"problem", 0},
                                  {"row", 3},
                                  {"column", 40},
                                  {"place", "n-tile 0, k-tile 2, lane 12, word 140, nibble 2"},
                                  {"group", 1},
                                  {"code", 11},
                                  {"scale", "0x3e17"},
                                  {"zero", "0xbc74"},
                                  {"zero_point", nullptr},
                                  {"expected", "0x3edb"},
                                  {"got", "0x3eda"},
                                  {"ulp", -1.0},
                                  {"of_largest_term", 0.25},
                                  {"why", ""},
                                  {"subjects", {{"host dequantize", "0x3eda"}}},
                                  {"replay", {"--property=a/b"}}}})},
          {"skipped", json::array({{{"subject", "cuda"}, {"why", "no CUDA device"}}})}};
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

inline int occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

inline void expect_says(const std::string& text, const std::string& part,
                        std::source_location at = std::source_location::current()) {
  if (contains(text, part)) return;
  ADD_FAILURE_AT(at.file_name(), static_cast<int>(at.line())) << "'" << part << "' is not in:\n" << text;
}
inline void expect_says_not(const std::string& text, const std::string& part,
                            std::source_location at = std::source_location::current()) {
  if (!contains(text, part)) return;
  ADD_FAILURE_AT(at.file_name(), static_cast<int>(at.line())) << "'" << part << "' is in:\n" << text;
}

/// The message of the std::runtime_error that an action throws.
template <class Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

inline std::string text_in(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// A test with its own temporary folder.
class WithFolder : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("tileproof-report-" + std::to_string(getpid()) + "-" +
                                                        testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// @param file  path below the test's folder: "now/summary.json"
  std::filesystem::path write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file, std::ios::binary) << text;
    return folder_ / file;
  }
  std::filesystem::path write(const std::string& file, const json& record) const {
    return write(file, record.dump(1) + "\n");
  }

  std::filesystem::path folder_;
};

}  // namespace tileproof::reports
