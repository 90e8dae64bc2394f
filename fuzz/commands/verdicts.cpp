// tileproof verdicts: judges every library that an adapter knows and that is installed, and writes one table.
#include <spawn.h>
#include <sys/wait.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <system_error>

#include "fuzz/campaign/nearest.h"
#include "fuzz/campaign/selection.h"
#include "fuzz/commands/commands.h"
#include "fuzz/commands/within.h"
#include "fuzz/process/interrupt.h"
#include "fuzz/records/records.h"
#include "properties/subjects/cpu_capability.h"
#include "reports/page/report.h"
#include "reports/text.h"

namespace tileproof {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct VerdictsOptions {
  std::vector<std::string> adapters;
  std::vector<std::string> interpreters;
  std::string device;
  std::string known;
  std::string out;
  std::int64_t cases = 300;
  std::string seed = "1";
};

/// A subject to judge: PyTorch's own, in an environment, or a module.
struct Adapter {
  std::string name;
  std::string file = "";  // of a module
  std::string environment = "";
  std::string why_not = "";
};

/// PyTorch's own operators; those on the CPU have a format for each capability that the CPU has.
std::vector<Adapter> built_in() {
  std::vector<Adapter> all;
  for (std::size_t i = 0; i < std::size(cpu_capability_names); ++i) {
    const std::string capability = cpu_capability_names[i];
    all.push_back({"aten-cpu", "", "ATEN_CPU_CAPABILITY=" + capability,
                   i <= cpu_capability_index() ? "" : "this CPU has no " + capability});
  }
  all.push_back({"aten-cuda"});
  return all;
}

std::vector<Adapter> every_adapter() {
  std::set<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(adapters_folder(), error)) {
    if (entry.path().extension() == ".py") files.insert(entry.path());
  }
  std::vector<Adapter> all = built_in();
  for (const fs::path& file : files) all.push_back({file.stem().string(), file.string()});
  return all;
}

/// The adapters that are named, each a name of the list or a file.
std::vector<Adapter> adapters_named(const std::vector<std::string>& names) {
  const std::vector<Adapter> all = every_adapter();
  if (names.empty()) return all;
  std::vector<Adapter> chosen;
  std::vector<std::string> legal;
  for (const Adapter& one : all) {
    if (!is_in(legal, one.name)) legal.push_back(one.name);
  }
  for (const std::string& name : names) {
    const bool is_file = name.ends_with(".py");
    if (is_file && !fs::is_regular_file(name)) {
      throw UsageError("ADAPTER", "'" + name + "' (there is no such file)", text_of_legal_module());
    }
    if (is_file) {
      chosen.push_back({fs::path(name).stem().string(), name});
    } else if (is_in(legal, name)) {
      std::ranges::copy_if(all, std::back_inserter(chosen), [&](const Adapter& one) { return one.name == name; });
    } else {
      throw unknown_name("ADAPTER", name, reports::joined(legal, ", ") + ", or a Python file", legal);
    }
  }
  return chosen;
}

/// The words of `tileproof verify` for an adapter, with an interpreter or without.
std::vector<std::string> words_of(const Adapter& adapter, const std::string& interpreter,
                                  const VerdictsOptions& options) {
  std::vector<std::string> words = {"verify"};
  const auto add = [&](const char* flag, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {flag, value});
  };
  if (adapter.file.empty()) {
    add("--subject", adapter.name);
  } else {
    add("--python", adapter.file);
    add("--python-with", interpreter);
    add("--device", options.device);
  }
  return words;
}

/// The command line as people run it, an adapter by its name: paths of this machine do not belong in a table that
/// others read.
std::vector<std::string> portable(std::vector<std::string> words) {
  for (std::string& word : words) {
    if (fs::path(word).parent_path() == adapters_folder()) word = fs::path(word).stem().string();
  }
  const auto with = std::find(words.begin(), words.end(), "--python-with");
  if (with != words.end()) words.erase(with, with + 2);
  return words;
}

/// A record, in whose reasons interpreters that were given by their paths are python3.
json portable(json record, const std::vector<std::string>& interpreters) {
  for (json& run : record["runs"]) {
    std::string why_not = run["why_not"];
    for (const std::string& path : interpreters) {
      for (std::size_t at = 0; path.find('/') != std::string::npos && (at = why_not.find(path)) != std::string::npos;) {
        why_not.replace(at, path.size(), "python3");
      }
    }
    run["why_not"] = why_not;
  }
  return record;
}

void make_portable(json& summary) {
  for (json& judgement : summary["judgements"]) {
    for (const char* list : {"findings", "known"}) {
      for (json& one : judgement[list]) one["replay"] = portable(one["replay"].get<std::vector<std::string>>());
    }
  }
}

/// A subject that can be judged here, and the interpreter that can.
struct Found {
  SubjectInstance subject;
  std::string interpreter;
};

/// The first interpreter in which an adapter's imports succeed, or why there is none.
/// @throws UsageError for an adapter that is no module, or cannot be judged on the device
Found found_for(const Adapter& adapter, const VerdictsOptions& options) {
  std::vector<std::string> interpreters = options.interpreters;
  if (interpreters.empty() || adapter.file.empty()) interpreters = {""};
  Found found;
  for (const std::string& interpreter : interpreters) {
    GivenSubjectOptions given;
    if (!adapter.file.empty()) given.judge_module(adapter.file, interpreter, options.device);
    const SelectedSubject selected = given.any() ? given.subject() : selected_subjects({adapter.name}).front();
    const SubjectInstance made = made_ready(selected, given.case_deadline());
    const bool runs = made.runner != nullptr || !made.died.empty();
    if (found.subject.row.name.empty() || runs) found = {made, interpreter};
    if (runs) break;
  }
  return found;
}

/// The types of what a subject's operations give, as --weight-type takes them and as the table shows them.
struct TypeOfRun {
  std::string flag, shown;
};
std::vector<TypeOfRun> types_of(const Capabilities& takes) {
  std::vector<TypeOfRun> types;
  for (const Types& one : takes.types) {
    const std::string weight = name_of(one.weight);
    // Weights of an operator that only multiplies are never seen: its type is that of its products.
    const std::string shown = takes.has(Operation::dequantize) ? weight : name_of(one.parameter);
    const bool again = std::ranges::any_of(types, [&](const TypeOfRun& other) { return other.flag == weight; });
    if (!again) types.push_back({weight, shown});
  }
  return types;
}

/// Runs a line in a shell, and gives the status that waitpid() gives. std::system() would ignore Ctrl-C meanwhile.
int wait_status_of(const std::string& line) {
  std::string shell = "sh", command = "-c", given = line;
  char* const arguments[] = {shell.data(), command.data(), given.data(), nullptr};
  pid_t process = 0;
  if (const int error = posix_spawnp(&process, "sh", nullptr, nullptr, arguments, environ); error != 0) {
    throw std::system_error(error, std::generic_category(), "starting a shell");
  }
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

class Table {
 public:
  Table(const VerdictsOptions& options, const fs::path& folder) : options_(options), folder_(folder) {}

  void add(const Adapter& adapter) {
    if (is_interrupted()) return skip(adapter, "not run: interrupted", /*is_broken=*/true);
    if (!adapter.why_not.empty()) return skip(adapter, adapter.why_not);
    std::cerr << "judging " << adapter.name << (adapter.environment.empty() ? "" : " with " + adapter.environment)
              << "\n";
    try {
      Found found = found_for(adapter, options_);
      const bool dies = !found.subject.died.empty();
      if (found.subject.runner == nullptr && !dies) return skip(adapter, found.subject.why_not);
      const std::vector<TypeOfRun> types =
          dies ? std::vector<TypeOfRun>{{"", ""}} : types_of(found.subject.row.capabilities);
      found.subject = {};  // ends its process
      for (const TypeOfRun& type : types) {
        if (is_interrupted()) return skip(adapter, "not run in all types: interrupted", /*is_broken=*/true);
        judge(adapter, found.interpreter, type);
      }
    } catch (const UsageError& illegal) {
      // A module that cannot be imported, or is of numpy's arrays and asked for cuda: the others are judged all the
      // same.
      skip(adapter, illegal.what(), /*is_broken=*/options_.device.empty());
    }
  }

  json record(const std::string& run_start) const {
    return {{"schema", 1},
            {"tool", "tileproof " TILEPROOF_VERSION},
            {"run_start", run_start},
            {"cases", options_.cases},
            {"runs", runs_}};
  }

 private:
  void skip(const Adapter& adapter, const std::string& why, bool is_broken = false) {
    runs_.push_back({{"name", adapter.name},
                     {"type", ""},
                     {"environment", adapter.environment},
                     {"command", portable(words_of(adapter, "", options_))},
                     {"why_not", why},
                     {"is_broken", is_broken},
                     {"summary", nullptr}});
  }

  /// Runs `tileproof verify` in a process of its own, for the environment, into a folder of its own.
  void judge(const Adapter& adapter, const std::string& interpreter, const TypeOfRun& type) {
    std::vector<std::string> words = words_of(adapter, interpreter, options_);
    if (!type.flag.empty()) words.insert(words.end(), {"--weight-type", type.flag});
    if (!options_.known.empty()) words.insert(words.end(), {"--known", options_.known});
    words.insert(words.end(), {"--cases", std::to_string(options_.cases), "--seed", options_.seed});
    json run = {{"name", adapter.name},       {"type", type.shown}, {"environment", adapter.environment},
                {"command", portable(words)}, {"why_not", ""},      {"summary", nullptr}};
    std::string name = adapter.name + (type.flag.empty() ? "" : "-" + type.flag);
    if (!adapter.environment.empty()) name += "-" + adapter.environment.substr(adapter.environment.find('=') + 1);
    fs::path folder = folder_ / name;
    for (int again = 2; fs::exists(folder); ++again) folder = (folder_ / name).string() + "-" + std::to_string(again);
    words.insert(words.end(), {"--no-accuracy", "--out", folder.string()});
    std::string line = adapter.environment.empty() ? "" : adapter.environment + " ";
    words.insert(words.begin(), fs::read_symlink("/proc/self/exe").string());
    line += reports::command_line(words);
    const int status = wait_status_of(line + " > /dev/null");
    std::ifstream stream(folder / "summary.json");
    json summary = json::parse(stream, nullptr, false);
    if (summary.is_discarded()) {
      throw std::runtime_error("tileproof verify of " + adapter.name + " left no summary.json in " + folder.string() +
                               " (status " + std::to_string(status) + ")");
    }
    make_portable(summary);
    run["summary"] = std::move(summary);
    runs_.push_back(std::move(run));
  }

  const VerdictsOptions& options_;
  fs::path folder_;
  json runs_ = json::array();
};

int verdicts(const VerdictsOptions& options) {
  if (!options.device.empty() && options.device != "cpu" && options.device != "cuda") {
    throw UsageError("--device", "'" + options.device + "'", "cpu or cuda");
  }
  const std::vector<Adapter> adapters = adapters_named(options.adapters);
  static_cast<void>(seed_of("--seed", options.seed));
  static_cast<void>(expected_failures_of(options.known));
  for (const Adapter& module : every_adapter()) {
    for (const std::string& interpreter : options.interpreters) {
      GivenSubjectOptions given;
      if (!module.file.empty()) given.judge_module(module.file, interpreter, "");
      if (given.any()) static_cast<void>(given.subject());  // throws for an interpreter that is none
    }
  }
  const fs::path folder = new_run_folder(options.out);
  std::cerr << "records: " << folder.string() << "\n";
  report_when_interrupted();
  const std::string run_start = utc_now();
  Table table(options, folder);
  for (const Adapter& adapter : adapters) table.add(adapter);
  const json record = table.record(run_start);
  const reports::LibraryReport made = reports::library_report(record);
  const reports::LibraryReport to_share = reports::library_report(portable(record, options.interpreters));
  Written written;
  written.write(folder / "verdicts.html", to_share.html);
  written.write(folder / "verdicts.md", to_share.markdown);
  std::cout << made.said << std::flush;
  return written.exit_code(made.exit_code);
}

}  // namespace

std::function<int()> set_up_verdicts(CLI::App& app) {
  auto options = std::make_shared<VerdictsOptions>();
  app.add_option(
      "ADAPTER", options->adapters,
      "a file of properties/subjects/adapters/ by its name, aten-cpu, aten-cuda, or a Python file (default: all)");
  app.add_option("--python-with", options->interpreters,
                 "an interpreter that runs adapters; may be given again: the first that has what an adapter imports "
                 "(default: python3)")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--device", options->device, "cpu or cuda, for adapters (default: their DEVICE, or cpu)");
  app.add_option("--cases", options->cases, "problems drawn for each property")
      ->check(within(std::int64_t{1}, std::int64_t{1000000000}))
      ->capture_default_str();
  app.add_option("--seed", options->seed, "of all problems")->capture_default_str();
  app.add_option("--known", options->known, "a ledger of known findings, as JSON (default: the one of 'list known')");
  app.add_option("--out", options->out,
                 "folder for verdicts.html, verdicts.md and the runs' own folders (default: a dated one)");
  return [options] { return verdicts(*options); };
}

}  // namespace tileproof
