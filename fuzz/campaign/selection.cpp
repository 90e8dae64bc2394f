#include "fuzz/campaign/selection.h"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "fuzz/campaign/nearest.h"
#include "fuzz/process/worker.h"
#include "fuzz/records/records.h"
#include "properties/catalogue/properties.h"
#include "properties/mutants/misbehaving.h"
#include "properties/mutants/mutants.h"
#include "properties/registry.h"
#include "properties/subjects/cpu_capability.h"
#include "properties/subjects/operator_mapping.h"
#include "properties/subjects/stated.h"
#include "properties/subjects/watched.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

struct OperatorOption {
  Operation operation;
  const char* flag;
  const char* usual_name;
};
constexpr OperatorOption operator_options[] = {
    {Operation::pack, "--pack-op", "pack"},
    {Operation::unpack, "--unpack-op", "unpack_tensor_core_tiled_layout"},
    {Operation::dequantize, "--dequantize-op", "dequantize_tensor_core_tiled_layout"}};

/// The values of `all` that are given, in the order of `all`; all of them if none is given.
/// @param text  converts a value to its name on the command line
/// @throws UsageError for a given name that no value has
template <class T, class Text>
std::vector<T> restricted(const char* flag, const std::vector<T>& all, const std::vector<std::string>& given,
                          Text text) {
  if (given.empty()) return all;
  std::vector<T> both;
  for (const T& value : all) {
    if (std::find(given.begin(), given.end(), text(value)) != given.end()) both.push_back(value);
  }
  for (const std::string& one : given) {
    const bool known = std::any_of(all.begin(), all.end(), [&](const T& value) { return text(value) == one; });
    if (!known) throw UsageError(flag, "'" + one + "'", reports::joined(all, ", ", text));
  }
  return both;
}

/// Keeps a subject's workers between properties, because starting a process for each property would take longer than
/// its cases.
class WorkerPool : public std::enable_shared_from_this<WorkerPool> {
 public:
  WorkerPool(const SubjectOrder& order, std::chrono::milliseconds deadline) : order_(order), deadline_(deadline) {}

  /// A runner whose process has made the subject anew. Destroying the runner returns the process to the pool, unless a
  /// case failed in it: such a process is not used for other properties.
  /// @throws std::runtime_error if the subject can no longer be made
  std::shared_ptr<CaseRunner> taken() {
    std::unique_ptr<Worker> worker;
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        worker = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (worker == nullptr) worker = std::make_unique<Worker>(order_, deadline_);
    const MadeElsewhere made = worker->make();
    if (!made.why_not.empty()) {
      throw std::runtime_error("the subject " + order_.subject + " cannot be made any more: " + made.why_not);
    }
    return {worker.release(), [pool = shared_from_this()](Worker* used) {
              std::unique_ptr<Worker> owned(used);
              const std::lock_guard lock(pool->mutex_);
              if (!owned->has_failed()) pool->idle_.push_back(std::move(owned));
            }};
  }

 private:
  SubjectOrder order_;
  std::chrono::milliseconds deadline_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> idle_;
};

/// Adds what only making the subject shows: its capabilities, its device and its library.
void learn(SubjectInstance& ready, const std::optional<Capabilities>& found, const std::string& device,
           const std::string& library) {
  if (found) ready.row.capabilities = *found;
  if (!device.empty()) ready.row.what += " on " + device;
  ready.facts = {library, !device.empty() ? device : ready.row.needs_gpu ? "cuda" : "cpu", cpu_capability()};
}

constexpr const char* group_of_library = "An operator library to judge";
constexpr const char* group_of_module = "A Python module to judge";
constexpr const char* group_of_kernels = "Kernels by raw pointers to judge";
constexpr const char* group_of_all = "Any of them";

constexpr GivenSubjectRow given_subjects[] = {
    {"library", "--library", "the operator library that the problem's subject is"},
    {"python", "--python", "the Python module that the problem's subject is"},
    {"kernel", "--kernel", "the kernels that the problem's subject is"}};

bool is_program(const std::filesystem::path& file) {
  return std::filesystem::is_regular_file(file) && access(file.c_str(), X_OK) == 0;
}

/// The full path of a program, as a shell finds it; "" if there is none.
std::string path_of_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return is_program(name) ? std::filesystem::absolute(name).string() : "";
  }
  const char* folders = std::getenv("PATH");
  std::istringstream path(folders != nullptr ? folders : "/usr/local/bin:/usr/bin:/bin");
  for (std::string folder; std::getline(path, folder, ':');) {
    const std::filesystem::path file = std::filesystem::path(folder.empty() ? "." : folder) / name;
    if (is_program(file)) return std::filesystem::absolute(file).string();
  }
  return "";
}

}  // namespace

const GivenSubjectRow* given_subject_row(const std::string& subject) {
  for (const GivenSubjectRow& row : given_subjects) {
    if (row.subject == subject) return &row;
  }
  return nullptr;
}

std::filesystem::path adapters_folder() {
  return std::filesystem::absolute(installed_or_source("adapters", TILEPROOF_ADAPTERS));
}

void GivenSubjectOptions::add_with_format_to(CLI::App& app, double deadline_seconds) {
  add_to(app, deadline_seconds);
  app.add_option("--format", format_,
                 "of a file's functions (default: its FORMAT), or of the operators of --map: one of 'list formats'")
      ->group(group_of_all);
}

void GivenSubjectOptions::add_to(CLI::App& app, double deadline_seconds) {
  usual_deadline_seconds_ = case_deadline_seconds_ = deadline_seconds;
  const std::string group_before = app.option_defaults()->get_group();
  app.option_defaults()->group(group_of_module);
  app.add_option("--python", python_file_,
                 "a Python file with functions pack, unpack, dequantize or convert of arrays, or an adapter of "
                 "'tileproof verdicts' by its name")
      ->transform([](const std::string& given) {
        const std::filesystem::path adapter = adapters_folder() / (given + ".py");
        const bool is_name = given.find('/') == std::string::npos && !std::filesystem::exists(given);
        return is_name && std::filesystem::exists(adapter) ? adapter.string() : given;
      });
  app.add_option("--python-with", python_with_, "the interpreter that runs it (default: python3)");
  app.option_defaults()->group(group_of_kernels);
  app.add_option("--kernel", kernel_file_,
                 "a shared library with the functions of properties/subjects/tileproof_kernel.h");
  app.option_defaults()->group(group_of_library);
  app.add_option("--library", library_file_, "a shared library that registers PyTorch operators");
  app.add_option("--namespace", name_space_, "of its operators")->capture_default_str();
  for (const OperatorOption& option : operator_options) {
    app.add_option(option.flag, operators_[option.operation],
                   std::string("(default: ") + option.usual_name + ", where there is one)");
  }
  app.add_option(
         "--map", map_,
         "an operation as an operator of its own schema, in the format that --format says: a line such as "
         "'dequantize = awq_dequantize(packed, scales, zeros, 0, 0, 0)', again for each operation, or a file of "
         "such lines. Arguments are tensors of the format, n, k, group_size, dtype, or literals; NAME=VALUE by "
         "keyword. Behind it '-> weights[n][k]' where that is not the format's order")
      ->allow_extra_args(false);
  app.add_option("--types-of-library", types_, "of weights, those that the operators of --map give (default: fp16)")
      ->delimiter(',');
  app.add_option("--formats-of-library", formats_, "those it takes (default: tinygemm-2, tinygemm-4 and tinygemm-8)")
      ->delimiter(',');
  app.add_option("--group-sizes-of-library", group_sizes_, "those it takes (default: 32, 64, 128 and 256)")
      ->delimiter(',');
  app.add_option("--n-multiple-of-library", n_multiple_, "what the rows that it takes are a multiple of")
      ->capture_default_str();
  app.add_option("--k-multiple-of-library", k_multiple_, "what the columns that it takes are a multiple of")
      ->capture_default_str();
  app.add_option("--max-n-of-library", most_n_, "the most rows that it takes (default: no limit)");
  app.add_option("--max-k-of-library", most_k_, "the most columns that it takes (default: no limit)");
  app.option_defaults()->group(group_of_all);
  app.add_option(
      "--device", device_,
      "cpu or cuda (default: of a library, cuda where there is one and the operators run on it; of a module and "
      "of kernels, their DEVICE, or cpu)");
  app.add_option("--case-deadline", case_deadline_seconds_,
                 "seconds after which a case in a process of its own counts as a hang")
      ->capture_default_str();
  app.option_defaults()->group(group_before);
}

void GivenSubjectOptions::require_meant(const CLI::App& app) const {
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0) continue;
    const std::string name = option->get_name(), group = option->get_group();
    const auto require = [&](const char* of, bool is_there, const char* flag) {
      if (group == of && !is_there) {
        throw UsageError(name, std::string("without ") + flag, std::string(flag) + " FILE beside it");
      }
    };
    require(group_of_library, !library_file_.empty(), "--library");
    require(group_of_module, !python_file_.empty(), "--python");
    if (name == "--device") require(group_of_all, any(), "--library");
    if (name == "--format" && map_.empty() && python_file_.empty() && kernel_file_.empty()) {
      throw UsageError(name, "without --python, --kernel or --map",
                       "--python FILE, --kernel FILE, or --library FILE and --map, beside it");
    }
    if (name == "--types-of-library" && map_.empty()) {
      throw UsageError(name, "without --map", "--map beside it: other operators give bf16");
    }
  }
}

SelectedSubject GivenSubjectOptions::subject() const {
  const auto files = given_files();
  const GivenSubjectRow* given = nullptr;
  for (std::size_t i = 0; i < std::size(files); ++i) {
    if (files[i]->empty()) continue;
    if (given != nullptr) {
      throw UsageError(given_subjects[i].flag, std::string("beside ") + given->flag, "one of the two");
    }
    given = &given_subjects[i];
  }
  if (!device_.empty() && device_ != "cpu" && device_ != "cuda") {
    throw UsageError("--device", "'" + device_ + "'", "cpu or cuda");
  }
  return !kernel_file_.empty() ? kernels() : !python_file_.empty() ? module() : library();
}

SelectedSubject GivenSubjectOptions::kernels() const {
  if (!std::filesystem::is_regular_file(kernel_file_)) {
    throw UsageError("--kernel", "'" + kernel_file_ + "' (there is no such file)", text_of_legal_kernels());
  }
  if (!format_.empty()) static_cast<void>(format_of("--format", format_));
  SelectedSubject selected;
  selected.replay_flags = {"--kernel", file()};
  replay_as_run(selected);
  selected.row.name = "kernel";
  selected.row.what = "the kernels of " + file();
  selected.order = {selected.row.name, std::nullopt, std::nullopt, KernelLibrary{file(), format_, device_}};
  selected.asked_for = true;
  return selected;
}

std::array<const std::string*, 3> GivenSubjectOptions::given_files() const {
  return {&library_file_, &python_file_, &kernel_file_};
}

const std::string& GivenSubjectOptions::given_file() const {
  const auto files = given_files();
  const auto given = std::ranges::find_if(files, [](const std::string* file) { return !file->empty(); });
  return given == files.end() ? *files.front() : **given;
}

/// Adds the flags that all kinds have to those of a replay.
void GivenSubjectOptions::replay_as_run(SelectedSubject& selected) const {
  std::vector<std::string>& flags = selected.replay_flags;
  if (case_deadline_seconds_ != usual_deadline_seconds_) {
    std::ostringstream seconds;
    seconds << case_deadline_seconds_;
    flags.insert(flags.end(), {"--case-deadline", seconds.str()});
  }
  if (!device_.empty()) flags.insert(flags.end(), {"--device", device_});
}

SelectedSubject GivenSubjectOptions::module() const {
  if (!std::filesystem::is_regular_file(python_file_)) {
    throw UsageError("--python", "'" + python_file_ + "' (there is no such file)", text_of_legal_module());
  }
  PythonModule module = {.file = file(), .interpreter = "", .format = format_, .device = device_};
  module.interpreter = path_of_program(python_with_.empty() ? "python3" : python_with_);
  if (module.interpreter.empty() && !python_with_.empty()) {
    throw UsageError("--python-with", "'" + python_with_ + "'", "a program that runs Python files");
  }
  if (!format_.empty()) static_cast<void>(format_of("--format", format_));
  SelectedSubject selected;
  selected.replay_flags = {"--python", module.file};
  if (!python_with_.empty()) selected.replay_flags.insert(selected.replay_flags.end(), {"--python-with", python_with_});
  replay_as_run(selected);
  selected.row.name = "python";
  selected.row.what = "the functions of " + module.file;
  selected.row.one_at_a_time = true;
  selected.order = {selected.row.name, std::nullopt, module};
  selected.asked_for = true;
  return selected;
}

void GivenSubjectOptions::map(Library& library, std::vector<std::string>& replay_flags) const {
  if (format_.empty()) throw UsageError("--format", "none", "one of 'tileproof list formats' beside --map");
  for (const OperatorOption& option : operator_options) {
    const auto given = operators_.find(option.operation);
    if (given != operators_.end() && !given->second.empty()) {
      throw UsageError(option.flag, "'" + given->second + "' beside --map", "one of the two");
    }
  }
  if (!formats_.empty()) throw UsageError("--formats-of-library", "beside --map", "--format alone");
  const Format& format = *format_of("--format", format_);
  for (const std::string& given : map_) {
    for (const std::string& line : lines_of_map(given)) library.map.push_back(line);
  }
  const std::vector<MappedOperation> mapping = mapping_of(library.map, format);
  library.operators.clear();
  library.required.clear();
  Capabilities& takes = library.takes;
  takes.formats = {&format};
  takes.schemes = {scheme_of(mapping, format)};
  takes.types = stated_types("--types-of-library", takes.schemes, types_);
  state_group_sizes(takes, "--group-sizes-of-library", {});
  for (const MappedOperation& one : mapping) takes.mapped_arguments[one.operation] = one.names();
  for (const std::string& line : library.map) replay_flags.insert(replay_flags.end(), {"--map", line});
  if (!types_.empty()) {
    replay_flags.insert(replay_flags.end(), {"--types-of-library", reports::joined(types_, ",")});
  }
}

SelectedSubject GivenSubjectOptions::library() const {
  if (n_multiple_ < 1) throw UsageError("--n-multiple-of-library", std::to_string(n_multiple_), "1 or more");
  if (most_n_ < n_multiple_) {
    throw UsageError("--max-n-of-library", std::to_string(most_n_), "at least one n: " + std::to_string(n_multiple_));
  }
  if (k_multiple_ < 1) throw UsageError("--k-multiple-of-library", std::to_string(k_multiple_), "1 or more");
  if (most_k_ < k_multiple_) {
    throw UsageError("--max-k-of-library", std::to_string(most_k_), "at least one k: " + std::to_string(k_multiple_));
  }
  Library library;
  library.file = file();
  library.name_space = name_space_;
  library.device = device_;
  SelectedSubject selected;
  const auto replay_with = [&](const char* flag, const std::string& text) {
    selected.replay_flags.insert(selected.replay_flags.end(), {flag, text});
  };
  replay_with("--library", library.file);
  replay_with("--namespace", name_space_);
  for (const OperatorOption& option : operator_options) {
    const auto given = operators_.find(option.operation);
    const bool named = given != operators_.end() && !given->second.empty();
    library.operators[option.operation] = named ? given->second : option.usual_name;
    if (!named) continue;
    library.required.push_back(option.operation);
    replay_with(option.flag, given->second);
  }
  if (!map_.empty()) map(library, selected.replay_flags);
  replay_as_run(selected);
  // A replay needs the same declarations, because the subject's capabilities determine what a case calls.
  const auto declare = [&](const char* flag, auto& all, const auto& given, const std::string& text) {
    if (all != given) replay_with(flag, text);
    all = given;
  };
  Capabilities& takes = library.takes;
  const char* formats = "--formats-of-library";
  const char* sizes = "--group-sizes-of-library";
  const auto name = [](const Format* format) { return std::string(format->name); };
  const auto number = [](std::int64_t size) { return std::to_string(size); };
  declare(formats, takes.formats, restricted(formats, takes.formats, formats_, name), reports::joined(formats_, ","));
  Capabilities stated = takes;
  if (map_.empty()) {
    stated.group_sizes = restricted(sizes, takes.group_sizes, group_sizes_, number);
  } else {
    state_group_sizes(stated, sizes, group_sizes_);
  }
  const auto group_sizes_of = [](const Capabilities& of) { return std::pair(of.group_sizes, of.uneven_rows); };
  if (group_sizes_of(stated) != group_sizes_of(takes)) replay_with(sizes, reports::joined(group_sizes_, ","));
  takes = stated;
  declare("--n-multiple-of-library", takes.n_multiple, n_multiple_, std::to_string(n_multiple_));
  declare("--k-multiple-of-library", takes.k_multiple, k_multiple_, std::to_string(k_multiple_));
  declare("--max-n-of-library", takes.most_n, most_n_, std::to_string(most_n_));
  declare("--max-k-of-library", takes.most_k, most_k_, std::to_string(most_k_));
  selected.row.name = "library";
  selected.row.what = "the operators " + name_space_ + " of " + library.file;
  selected.row.one_at_a_time = true;
  selected.order = {selected.row.name, library};
  selected.asked_for = true;
  return selected;
}

std::string GivenSubjectOptions::file() const { return any() ? std::filesystem::absolute(given_file()).string() : ""; }

std::vector<SelectedSubject> GivenSubjectOptions::subjects(std::vector<std::string> names) const {
  if (!any()) return selected_subjects(names);
  const SelectedSubject own = subject();
  std::erase(names, own.row.name);
  std::vector<SelectedSubject> selected;
  if (!names.empty()) selected = selected_subjects(names);
  selected.push_back(own);
  return selected;
}

std::chrono::milliseconds GivenSubjectOptions::case_deadline() const {
  if (!(case_deadline_seconds_ > 0) || case_deadline_seconds_ > 1e6) {
    throw UsageError("--case-deadline", std::to_string(case_deadline_seconds_), "a number of seconds above 0");
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(case_deadline_seconds_ * 1000));
}

UsageError unknown_name(const std::string& argument, const std::string& given, const std::string& legal,
                        const std::vector<std::string>& names) {
  const std::string meant = nearest(given, names);
  return UsageError(argument, "'" + given + "'", legal + (meant.empty() ? "" : "; did you mean '" + meant + "'?"));
}

std::vector<SelectedSubject> selected_subjects(const std::vector<std::string>& wanted) {
  std::vector<std::string> names;
  for (const SubjectRow& row : subjects()) names.push_back(row.name);
  std::vector<std::string> selected_names = wanted.empty() ? names : wanted;
  for (const SubjectRow& row : mutant_subjects()) names.push_back(row.name);
  for (const SubjectRow& row : watched_subjects()) names.push_back(row.name);
  for (const SubjectRow& row : misbehaving_subjects()) names.push_back(row.name);
  std::vector<SelectedSubject> selected;
  for (const std::string& name : selected_names) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const GivenSubjectRow* row = given_subject_row(name);
      const std::string or_given = row != nullptr ? std::string(", or ") + row->flag + " FILE in its place" : "";
      throw unknown_name("--subject", name, "a name of 'tileproof list subjects' or 'list mutants'" + or_given, names);
    }
    const bool again =
        std::any_of(selected.begin(), selected.end(), [&](const SelectedSubject& one) { return one.row.name == name; });
    const SubjectRow& row = subject_row(name);
    if (!again) selected.push_back({row, {name, std::nullopt}, {}, !wanted.empty()});
  }
  return selected;
}

std::vector<const Property*> selected_properties(const std::vector<std::string>& wanted) {
  std::vector<const Property*> selected;
  std::vector<std::string> names;
  for (const Property& property : properties()) {
    names.push_back(property.name.substr(0, property.name.find('/') + 1));  // "value/", the nearest to "valeu/"
    names.push_back(property.name);
    const bool is_wanted = std::any_of(wanted.begin(), wanted.end(),
                                       [&](const std::string& given) { return property.name.starts_with(given); });
    if (wanted.empty() || is_wanted) selected.push_back(&property);
  }
  for (const std::string& given : wanted) {
    const bool known =
        std::any_of(names.begin(), names.end(), [&](const std::string& name) { return name.starts_with(given); });
    if (known && !given.empty()) continue;
    throw unknown_name("--property", given, "a name of 'tileproof list properties', or how names begin", names);
  }
  return selected;
}

namespace {

void make_here(const SelectedSubject& selected, SubjectInstance& ready) {
  const auto here = std::make_shared<SubjectHere>(selected.order);
  ready.why_not = here->made.subject == nullptr ? here->made.why_not : "";
  if (here->made.subject == nullptr) return;
  learn(ready, here->made.capabilities, here->made.device, here->made.library);
  ready.runner = here;
  if (ready.row.one_at_a_time) return;
  ready.another = [order = selected.order] {
    const auto one = std::make_shared<SubjectHere>(order);
    const MadeSubject& made = one->made;
    if (made.subject == nullptr) throw std::runtime_error(order.subject + " cannot be made any more: " + made.why_not);
    return one;
  };
}

SubjectInstance made(const SelectedSubject& selected, std::chrono::milliseconds case_deadline, RunsIn where,
                     bool shows_output) {
  SubjectInstance ready = {selected.row, nullptr, "", "", nullptr};
  if (where == RunsIn::this_process) {
    make_here(selected, ready);
    return ready;
  }
  auto worker = std::make_unique<Worker>(selected.order, case_deadline);
  if (shows_output) worker->show_output();
  MadeElsewhere made;
  try {
    made = worker->make();
  } catch (const UsageError&) {
    throw;
  } catch (const std::runtime_error& died) {
    if (!selected.order.is_given()) throw;
    ready.died = died.what();  // what a process dies of loading is judged by that
    return ready;
  }
  ready.why_not = made.why_not;
  if (!made.why_not.empty()) return ready;
  learn(ready, made.capabilities, made.device, made.library);
  if (!made.float_mode.empty()) {
    ready.row.what +=
        " (loading it sets a mode in which " + made.float_mode + "; it is judged in IEEE 754's default mode)";
  }
  ready.runner = std::move(worker);
  if (selected.row.one_at_a_time) return ready;
  ready.another = [pool = std::make_shared<WorkerPool>(selected.order, case_deadline)] { return pool->taken(); };
  return ready;
}

}  // namespace

SubjectInstance made_ready(const SelectedSubject& selected, std::chrono::milliseconds case_deadline, RunsIn where,
                           bool shows_output) {
  try {
    return made(selected, case_deadline, where, shows_output);
  } catch (const UsageError&) {
    throw;
  } catch (const std::runtime_error& error) {
    // If only all subjects were asked for, this one is left out and the others are judged.
    if (selected.asked_for) throw;
    return {selected.row, nullptr, error.what(), "", nullptr};
  }
}

}  // namespace tileproof
