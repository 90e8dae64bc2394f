/// Minimal records as `tileproof` writes them, for tests that change one thing in them.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace tileproof::reports {

using nlohmann::json;

inline json judgement(const std::string& property, const std::string& subject, const std::string& verdict) {
  json one = {{"property", property},
              {"subject", subject},
              {"verdict", verdict},
              {"reason", verdict == "PASSED" || verdict == "FAILED" ? "" : "because"},
              {"cases", 10},
              {"elements", 100},
              {"seconds", 0.1},
              {"output_hash", "0x1"},
              {"classes", json::object()},
              {"explained", json::object()},
              {"findings", json::array()},
              {"known", json::array()},
              {"refused", {{"cases", 0}, {"message", ""}}}};
  if (verdict == "FAILED") {
    one["findings"].push_back({{"problem", "--property=" + property},
                               {"kind", "mismatch"},
                               {"details", "2 elements are wrong"},
                               {"shrinks", 1},
                               {"replay", {"--property=" + property, "--subject=" + subject}}});
  }
  return one;
}

/// A judgement that is KNOWN: the ledger lists the failing cases.
inline json known_judgement(const std::string& property, const std::string& subject, const std::string& id = "T-7") {
  json one = judgement(property, subject, "KNOWN");
  one["reason"] = "";
  one["known"].push_back({{"id", id},
                          {"what", "reads past the end"},
                          {"since", "2026"},
                          {"expires", ""},
                          {"cases", 288},
                          {"problem", ""},
                          {"details", "12 are wrong"},
                          {"replay", json::array()}});
  return one;
}

inline json summary(const std::vector<json>& judgements, const std::string& subject = "host") {
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
          {"command", "verify"},
          {"run_start", "2026-11-23T06:00:00Z"},
          {"seconds", 1.0},
          {"seed", "0x0000000000000001"},
          {"cases_per_property", 10},
          {"machine", {{"compiler", "GNU 12"}, {"cpu", "a cpu"}, {"gpu", ""}}},
          {"verdict", verdict},
          {"reason", ""},
          {"exit_code", 0},
          {"output_hash", "0x2"},
          {"counts", counts},
          {"subjects", json::array({{{"name", subject}, {"what", "a subject"}, {"why_not", ""}}})},
          {"judgements", judgements}};
}

inline json proof(const std::string& verdict, std::uint64_t done, std::uint64_t points = 100) {
  return {{"kind", "arithmetic"},
          {"property", "arithmetic/rounds_once"},
          {"subject", "host"},
          {"verdict", verdict},
          {"reason", ""},
          {"point", "triples"},
          {"order", "all over"},
          {"points", points},
          {"points_done", done},
          {"compared", done},
          {"explained", json::object()},
          {"measures", json::array()},
          {"seconds", 1.0},
          {"finding", nullptr}};
}

inline json proofs(const std::vector<json>& all) {
  return {{"schema", 1},
          {"command", "prove"},
          {"run_start", "2026-11-23T06:00:00Z"},
          {"reason", ""},
          {"exit_code", 0},
          {"machine", {{"cpu", "a cpu"}}},
          {"proofs", all},
          {"domains", json::array()},
          {"self", json::array()},
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
          {"command", "fuzz"},
          {"subject", "host"},
          {"seed", "0x1"},
          {"verdict", findings.empty() ? "PASSED" : "FAILED"},
          {"reason", ""},
          {"why_it_ended", "all its cases were run"},
          {"cases", 64},
          {"counts", {{"elements", 1000}, {"failed", findings.size()}}},
          {"cells", {{"hit", 50}, {"reachable", 100}}},
          {"chance_that_the_next_is_new", 0.5},
          {"seconds", 1.0},
          {"discovery", json::array({{{"cases", 1}, {"cells", 1}}, {{"cases", 64}, {"cells", 50}}})},
          {"findings", findings},
          {"known", json::object()},
          {"never_asked", json::array()},
          {"planted", json::array({{{"mutant", "two-roundings"}, {"found", true}}})}};
}

inline json bench(double seconds_of_operation, int repeats = 10) {
  json operation = json::array(), copy = json::array();
  for (int i = 0; i < repeats; ++i) {
    operation.push_back(seconds_of_operation * (1 + 0.0001 * i));
    copy.push_back(1e-3);
  }
  return {{"schema", 2},
          {"command", "bench"},
          {"run_start", "2026-11-23T06:00:00Z"},
          {"machine", {{"commit", "abc"}, {"cpu", "a cpu"}, {"gpu", ""}, {"device", json::object()}}},
          {"repeats", repeats},
          {"rows", json::array({{{"name", "host pack"},
                                 {"unit", "bytes"},
                                 {"amount", 1000000},
                                 {"seconds", {{"operation", operation}, {"copy", copy}}},
                                 {"wrong", ""},
                                 {"note", ""}}})},
          {"skipped", json::array()},
          {"not_measured", json::object()}};
}

/// A row of 1000 elements.
/// @param off        elements whose error is `ulp`
/// @param explained  how many of those are explained
inline json accuracy_row(std::uint64_t off, double ulp, std::uint64_t explained, const std::string& subject = "host") {
  constexpr std::uint64_t elements = 1000;
  json histogram = json::array({{{"from", 0}, {"to", 0}, {"count", elements - off}}});
  if (off != 0) histogram.push_back({{"from", ulp}, {"to", ulp}, {"count", off}});
  const json none = {{"value", 0}, {"exact", true}};
  const json figures = {{"elements", elements},  {"max", off == 0 ? 0.0 : ulp},
                        {"p99_9", none},         {"p99", none},
                        {"median", none},        {"bias", 0.0},
                        {"above", off},          {"below", 0},
                        {"histogram", histogram}};
  json reasons = json::object();
  if (explained != 0) reasons["two roundings, as predicted"] = explained;
  return {{"subject", subject},
          {"operation", "dequantize"},
          {"scheme", "float"},
          {"type", "bf16"},
          {"format", "tinygemm-2"},
          {"group", 32},
          {"problems", 7},
          {"not_run", json::array()},
          {"sampled", true},
          {"elements", elements},
          {"bit_equal", elements - off},
          {"differing", {{"explained", reasons}, {"unexplained", off - explained}}},
          {"non_finite", {{"expected", 5}, {"disagreements", 0}, {"by_kind", json::object()}}},
          {"zeros", {{"expected_plus", 1}, {"expected_minus", 1}, {"sign_lost", 0}}},
          {"subnormals", {{"expected", 1}, {"differing", 0}, {"flushed", 0}}},
          {"ulp", figures},
          {"of_largest_term", {{"max", off == 0 ? 0.0 : 0.5}}},
          {"ordinary",
           {{"elements", elements},
            {"bit_equal", elements - off},
            {"ulp", figures},
            {"sqnr", {{"signal", 1.0}, {"noise", 0.0}, {"db", nullptr}}}}},
          {"output_hash", "0x1"}};
}

inline json accuracy(const std::vector<json>& rows) {
  const json point = {{"elements", 1000}, {"differing", 0}, {"unexplained", 0}, {"max", 3}, {"mean", 0.0}};
  const auto at = [&](const json& place) {
    json one = point;
    one["at"] = place;
    return one;
  };
  return {{"schema", 3},
          {"tool", "tileproof 0.1.0"},
          {"run_start", "2026-11-23T06:00:00Z"},
          {"provenance", {{"commit", "abc"}, {"dirty", false}, {"host_compiler", {{"flags", "-O2"}}}}},
          {"problems", json::array({{{"id", 0}, {"seed", "0x0000000000000001"}}})},
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
