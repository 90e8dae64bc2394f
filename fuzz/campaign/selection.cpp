#include "fuzz/campaign/selection.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "fuzz/campaign/nearest.h"
#include "fuzz/process/worker_pool.h"
#include "properties/catalogue/properties.h"
#include "properties/mutants/misbehaving.h"
#include "properties/mutants/mutants.h"
#include "properties/registry.h"
#include "properties/subjects/watched.h"

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
  std::string legal;
  for (const T& value : all) legal += (legal.empty() ? "" : ", ") + text(value);
  std::vector<T> both;
  for (const T& value : all) {
    if (std::find(given.begin(), given.end(), text(value)) != given.end()) both.push_back(value);
  }
  for (const std::string& one : given) {
    const bool known = std::any_of(all.begin(), all.end(), [&](const T& value) { return text(value) == one; });
    if (!known) throw UsageError(flag, "'" + one + "'", legal);
  }
  return both;
}

std::string listed(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ",") + value;
  return text;
}

/// Runs cases in this process, on a subject that it keeps.
class Here : public CaseRunner {
 public:
  Here(const Capabilities& capabilities, std::unique_ptr<Subject> subject)
      : capabilities_(capabilities), subject_(std::move(subject)) {}
  CaseOutcome run(const Property& property, const Problem& problem, Coverage& coverage) override {
    return InThisProcess(capabilities_, *subject_).run(property, problem, coverage);
  }

 private:
  Capabilities capabilities_;
  std::unique_ptr<Subject> subject_;
};

/// Adds to the row what only making the subject shows: its capabilities and its device.
void learn(SubjectRow& row, const std::optional<Capabilities>& found, const std::string& device) {
  if (found) row.capabilities = *found;
  if (!device.empty()) row.what += " on " + device;
}

}  // namespace

void LibraryOptions::add_to(CLI::App& app, double deadline_seconds) {
  usual_deadline_seconds_ = case_deadline_seconds_ = deadline_seconds;
  const char* group = "An operator library to judge";
  app.add_option("--library", file_, "a shared library that registers PyTorch operators")->group(group);
  app.add_option("--namespace", name_space_, "of its operators")->capture_default_str()->group(group);
  for (const OperatorOption& option : operator_options) {
    app.add_option(option.flag, operators_[option.operation],
                   std::string("(default: ") + option.usual_name + ", where there is one)")
        ->group(group);
  }
  app.add_option("--device", device_, "cpu or cuda (default: cuda where there is one and the operators run on it)")
      ->group(group);
  app.add_option("--formats-of-library", formats_, "those it takes (default: tinygemm-2, tinygemm-4 and tinygemm-8)")
      ->delimiter(',')
      ->group(group);
  app.add_option("--group-sizes-of-library", group_sizes_, "those it takes (default: 32, 64, 128 and 256)")
      ->delimiter(',')
      ->group(group);
  app.add_option("--n-multiple-of-library", n_multiple_, "what the rows that it takes are a multiple of")
      ->capture_default_str()
      ->group(group);
  app.add_option("--max-n-of-library", most_n_, "the most rows that it takes (default: no limit)")->group(group);
  app.add_option("--max-k-of-library", most_k_, "the most columns that it takes (default: no limit)")->group(group);
  app.add_option("--case-deadline", case_deadline_seconds_,
                 "seconds after which a case in a process of its own counts as a hang")
      ->capture_default_str()
      ->group(group);
}

SelectedSubject LibraryOptions::subject() const {
  if (!device_.empty() && device_ != "cpu" && device_ != "cuda") {
    throw UsageError("--device", "'" + device_ + "'", "cpu or cuda");
  }
  if (n_multiple_ < 1) throw UsageError("--n-multiple-of-library", std::to_string(n_multiple_), "1 or more");
  if (most_n_ < n_multiple_) {
    throw UsageError("--max-n-of-library", std::to_string(most_n_), "at least one n: " + std::to_string(n_multiple_));
  }
  if (most_k_ < 1) throw UsageError("--max-k-of-library", std::to_string(most_k_), "1 or more");
  Library library;
  library.file = std::filesystem::absolute(file_).string();
  library.name_space = name_space_;
  library.device = device_;
  SelectedSubject selected;
  selected.replay_flags = {"--library", library.file, "--namespace", name_space_};
  for (const OperatorOption& option : operator_options) {
    const auto given = operators_.find(option.operation);
    const bool named = given != operators_.end() && !given->second.empty();
    library.operators[option.operation] = named ? given->second : option.usual_name;
    if (!named) continue;
    library.required.push_back(option.operation);
    selected.replay_flags.insert(selected.replay_flags.end(), {option.flag, given->second});
  }
  if (case_deadline_seconds_ != usual_deadline_seconds_) {
    std::ostringstream seconds;
    seconds << case_deadline_seconds_;
    selected.replay_flags.insert(selected.replay_flags.end(), {"--case-deadline", seconds.str()});
  }
  if (!device_.empty()) selected.replay_flags.insert(selected.replay_flags.end(), {"--device", device_});
  // A replay needs the same declarations, because the subject's capabilities determine what a case calls.
  const auto declare = [&](const char* flag, auto& all, const auto& given, const std::string& text) {
    if (all == given) return;
    all = given;
    selected.replay_flags.insert(selected.replay_flags.end(), {flag, text});
  };
  Capabilities& takes = library.takes;
  const char* formats = "--formats-of-library";
  const char* sizes = "--group-sizes-of-library";
  const auto name = [](const Format* format) { return std::string(format->name); };
  const auto number = [](std::int64_t size) { return std::to_string(size); };
  declare(formats, takes.formats, restricted(formats, takes.formats, formats_, name), listed(formats_));
  declare(sizes, takes.group_sizes, restricted(sizes, takes.group_sizes, group_sizes_, number), listed(group_sizes_));
  declare("--n-multiple-of-library", takes.n_multiple, n_multiple_, std::to_string(n_multiple_));
  declare("--max-n-of-library", takes.most_n, most_n_, std::to_string(most_n_));
  declare("--max-k-of-library", takes.most_k, most_k_, std::to_string(most_k_));
  selected.row.name = "library";
  selected.row.what = "the operators " + name_space_ + " of " + library.file;
  selected.row.one_at_a_time = true;
  selected.order = {selected.row.name, library};
  selected.asked_for = true;
  return selected;
}

std::chrono::milliseconds LibraryOptions::case_deadline() const {
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
      throw unknown_name("--subject", name, "a name of 'tileproof list subjects' or 'list mutants'", names);
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
  const std::optional<Library>& library = selected.order.library;
  MadeSubject made = library ? make_library_subject(*library) : selected.row.make();
  if (made.subject == nullptr) ready.why_not = made.why_not;
  if (made.subject == nullptr) return;
  learn(ready.row, made.capabilities, made.device);
  const SubjectRow& row = ready.row;
  ready.runner = std::make_unique<Here>(row.capabilities, std::move(made.subject));
  if (row.one_at_a_time) return;
  ready.another = [row]() -> std::unique_ptr<CaseRunner> {
    MadeSubject one = row.make();
    if (one.subject == nullptr) throw std::runtime_error(row.name + " cannot be made any more: " + one.why_not);
    return std::make_unique<Here>(row.capabilities, std::move(one.subject));
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
    if (!selected.order.library && selected.asked_for) throw;
    // A library that a process dies of loading is judged by that. If only all subjects were asked for, this one is left
    // out and the others are judged.
    (selected.order.library ? ready.died : ready.why_not) = died.what();
    return ready;
  }
  ready.why_not = made.why_not;
  if (!made.why_not.empty()) return ready;
  learn(ready.row, made.capabilities, made.device);
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
    if (selected.asked_for) throw;
    return {selected.row, nullptr, error.what(), "", nullptr};
  }
}

}  // namespace tileproof
