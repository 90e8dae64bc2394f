#include "records.h"

#include "wire.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <iomanip>
#include <sstream>

namespace tileproof {

namespace {

namespace fs = std::filesystem;

std::time_t now() { return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()); }

std::string utc(const char* format, std::time_t time = now()) {
  std::tm parts = {};
  gmtime_r(&time, &parts);
  std::ostringstream text;
  text << std::put_time(&parts, format);
  return text.str();
}

}  // namespace

fs::path new_run_folder() {
  const fs::path base = folder_of_program() / "runs" / utc("%Y-%m-%dT%H-%M-%SZ");
  fs::path folder = base;
  for (int again = 2; fs::exists(folder); ++again) folder = base.string() + "-" + std::to_string(again);
  return folder;
}

namespace {

std::string first_line_with(const char* file, const std::string& key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t colon = line.find(": ");
    return colon == std::string::npos ? line : line.substr(colon + 2);
  }
  return "";
}

std::string compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#else
  return "GNU " __VERSION__;
#endif
}

}  // namespace

fs::path folder_of_program() { return fs::read_symlink("/proc/self/exe").parent_path(); }

std::string in_hex(std::uint64_t value) {
  std::ostringstream text;
  text << "0x" << std::hex << std::setfill('0') << std::setw(16) << value;
  return text.str();
}

constexpr const char* form_of_times = "%Y-%m-%dT%H:%M:%SZ";
std::string utc_now() { return utc(form_of_times); }
std::string utc_of(double seconds) { return utc(form_of_times, static_cast<std::time_t>(seconds)); }

Records::Records(fs::path folder)
    : folder_(folder.empty() ? new_run_folder() : std::move(folder)),
      run_start_(utc_now()),
      run_start_seconds_(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count()) {
  const auto unusable = [this](const std::string& why) {
    return Illegal("--out", "'" + folder_.string() + "' (" + why + ")",
                   "a folder that can be made and written, without another run in it");
  };
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw unusable(error.message());
  if (fs::exists(folder_ / "observations.jsonl", error)) throw unusable("it holds another run");
  observations_.open(folder_ / "observations.jsonl");
  if (!observations_) throw unusable("it cannot be written");
}

std::string Records::line(const Observation& observation) const {
  return dumped(observation_line(observation.problem, observation.status, observation.kind, observation.seconds,
                                 "RapidCheck", run_start_seconds_)) +
         "\n";
}

nlohmann::json observation_line(const Problem& p, const std::string& status, const std::string& reason, double seconds,
                                const std::string& how_generated, double run_start) {
  return {{"type", "test_case"},
          {"status", status},
          {"status_reason", reason},
          {"representation", line_of(p)},
          {"arguments",
           {{"n", p.n},
            {"k", p.k},
            {"inner_k_tiles", p.inner_k_tiles},
            {"group_size", p.group_size},
            {"domain", name_of(p.domain)},
            {"out", name_of(p.out)},
            {"scales", p.scales},
            {"seed", p.seed}}},
          {"how_generated", how_generated},
          {"features", {{"subject", p.subject}}},
          {"coverage", nullptr},
          {"timing", {{"execute", seconds}}},
          {"metadata", nlohmann::json::object()},
          {"property", p.claim},
          {"run_start", run_start}};
}

void Records::write(const std::string& name, const std::string& text) const { write_file(folder_ / name, text); }

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string() + ": " + std::strerror(errno));
}

void Records::finish() {
  observations_.close();
  if (!observations_) throw std::runtime_error("cannot write " + (folder_ / "observations.jsonl").string());
}

nlohmann::json machine() {
  return {{"compiler", compiler()},
          {"cpu", first_line_with("/proc/cpuinfo", "model name")},
          {"gpu", first_line_with("/proc/driver/nvidia/gpus/0/information", "Model")}};
}

}  // namespace tileproof
