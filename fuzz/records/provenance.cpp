#include "fuzz/records/provenance.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "fuzz/records/compile_facts.h"
#include "fuzz/records/records.h"
#include "properties/subjects/cores.h"
#include "properties/subjects/float_mode.h"

namespace tileproof {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(HostFacts, fast_math, contract)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(NvccFacts, fast_math, ftz, fmad, prec_div, prec_sqrt)

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct FlagsOfSource {
  const char* source;
  const char* flags;
};
#include "flags_used.h"

/// The first line that a command prints; "" if it fails.
std::string line_of_command(const std::string& command) {
  std::FILE* pipe = popen(("{ " + command + "; } 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return "";
  std::array<char, 256> buffer = {};
  std::string line;
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) line += buffer.data();
  if (pclose(pipe) != 0) return "";
  return line.substr(0, line.find('\n'));
}

std::string quoted(const std::string& text) {
  std::string all = "'";
  for (const char letter : text) all += letter == '\'' ? "'\\''" : std::string(1, letter);
  return all + "'";
}

/// The path of the running program. It is valid for child processes too, and after the program's file was rebuilt.
fs::path this_program() { return "/proc/" + std::to_string(getpid()) + "/exe"; }

/// Hashes with b2sum of coreutils, which is five times as fast as their sha256sum; "" if it is missing.
json binary_of(const fs::path& file, const std::string& name) {
  const std::string line = line_of_command("b2sum -l 256 < " + quoted(file.string()));
  return {{"name", name}, {"blake2b_256", line.substr(0, line.find(' '))}};
}

json binaries_of(const std::string& given) {
  json all = json::array({binary_of(this_program(), "tileproof")});
#if defined(TILEPROOF_TORCH_SUBJECTS)
  all.push_back(binary_of(folder_of_program() / TILEPROOF_TORCH_SUBJECTS, TILEPROOF_TORCH_SUBJECTS));
#endif
  if (!given.empty()) all.push_back(binary_of(given, fs::path(given).filename().string()));
  return all;
}

/// The flags of the sources whose names have a certain ending, and all of them together.
struct Flags {
  json by_source = json::object();
  std::string together;
};
Flags flags_of(const std::string& ending) {
  Flags flags;
  for (const FlagsOfSource& one : flags_used) {
    if (one.source == nullptr || !std::string(one.source).ends_with(ending)) continue;
    flags.by_source[one.source] = one.flags;
    flags.together += std::string(one.flags) + " ";
  }
  return flags;
}

std::string compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#else
  return "GNU " __VERSION__;
#endif
}

json host_compiler() {
  const Flags flags = flags_of(".cpp");
  json facts = host_facts_of(flags.together);
  facts["name"] = compiler();
  facts["flags"] = flags.by_source;
  facts["flushes_subnormals"] = float_mode().flushes_results;
  return facts;
}

json nvcc() {
#if defined(TILEPROOF_NVCC_VERSION)
  const Flags flags = flags_of(".cu");
  json facts = nvcc_facts_of(flags.together);
  facts["version"] = TILEPROOF_NVCC_VERSION;
  facts["architectures"] = TILEPROOF_CUDA_ARCHITECTURES;
  facts["flags"] = flags.by_source;
  return facts;
#else
  return nullptr;
#endif
}

/// Asks another process, once, because a lost GPU may end the process that asks.
const json& gpu_of_machine() {
  static const json gpu = [] {
    json said = json::parse(line_of_command(quoted(this_program().string()) + " device"), nullptr, false);
    return said.is_discarded() ? json{{"name", ""}, {"error", "the process that asked for it has died"}} : said;
  }();
  return gpu;
}

std::string value_in(const char* file, const std::string& key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) continue;
    std::string value = line.substr(key.size());
    value.erase(0, value.find_first_not_of(" \t:=\""));
    return value.substr(0, value.find('"'));
  }
  return "";
}

}  // namespace

Commit commit() {
  std::string described;
  std::getline(std::ifstream(folder_of_program() / "commit.txt"), described);
  if (described.empty()) return {"", std::nullopt};
  constexpr const char* dirty = "-dirty";
  return {described.substr(0, described.find(dirty)), described.ends_with(dirty)};
}

json machine_of(const json& provenance) {
  const json gpu = provenance.is_object() ? provenance.value("gpu", json()) : json();
  return {{"compiler", compiler()},
          {"cpu", value_in("/proc/cpuinfo", "model name")},
          {"gpu", gpu.is_object() ? gpu.value("name", "") : ""}};
}

json machine() { return machine_of({{"gpu", gpu_of_machine()}}); }

json provenance(const std::optional<std::uint64_t>& seed, const std::string& given) {
  const Commit of = commit();
  const json& gpu = gpu_of_machine();
  json cuda = nullptr;
  if (gpu.is_object() && gpu.contains("driver")) {
    cuda = {{"driver", gpu.at("driver")},
            {"runtime", gpu.at("runtime")},
            {"kernel_driver", value_in("/proc/driver/nvidia/version", "NVRM version")}};
  }
  json all = {{"schema", 1},
              {"tool", "tileproof " TILEPROOF_VERSION},
              {"commit", of.hash},
              {"dirty", of.dirty ? json(*of.dirty) : json(nullptr)},
              {"binaries", binaries_of(given)},
              {"host_compiler", host_compiler()},
              {"nvcc", nvcc()},
              {"torch", TILEPROOF_TORCH_VERSION},
              {"cuda", cuda},
              {"gpu", gpu},
              {"cpu", value_in("/proc/cpuinfo", "model name")},
              {"cores", cores()},
              {"system", value_in("/etc/os-release", "PRETTY_NAME")},
              {"seed", seed ? json(in_hex(*seed)) : json(nullptr)}};
  // Records the mode that the parent process had set; cases are judged in IEEE 754's default mode all the same.
  if (inherited_mode() != FloatMode()) all["begun_in_float_mode"] = what_is_unusual(inherited_mode());
  return all;
}

}  // namespace tileproof
