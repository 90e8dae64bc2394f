// tileproof bench: times the kernels and the harness, beside what the machine can do, and compares with a baseline.
#include <CLI/CLI.hpp>

#include <unistd.h>

#include <fstream>
#include <iostream>
#include <set>

#include "fuzz/campaign/case_rates.h"
#include "fuzz/commands/commands.h"
#include "fuzz/commands/missing.h"
#include "fuzz/commands/within.h"
#include "fuzz/process/interrupt.h"
#include "fuzz/process/progress.h"
#include "fuzz/process/screen.h"
#include "fuzz/records/provenance.h"
#include "fuzz/records/records.h"
#include "properties/mutants/mutants.h"
#include "properties/problem/stopwatch.h"
#include "properties/registry.h"
#include "properties/subjects/cores.h"
#include "properties/timing/timing.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

using nlohmann::json;

struct BenchOptions {
  std::string json_file;
  std::string against;
  std::string shapes;
  std::vector<std::string> only;
  std::vector<std::string> subjects;
  int repeats = 20;
  std::int64_t cases = 20;
};

/// The limit of passes for random cases, because a pass over all properties takes long. Five against five passes are
/// the least that can show a change.
constexpr int most_passes = 5;

/// Whether a row's name contains one of the patterns of --only.
bool is_wanted(const BenchOptions& options, const std::string& name) {
  return options.only.empty() || std::any_of(options.only.begin(), options.only.end(), [&](const std::string& pattern) {
           return name.find(pattern) != std::string::npos;
         });
}

json json_of(const Timed& timed, const Timing& timing) {
  const bool has_type = timed.operation == Operation::dequantize;
  return {{"name", name_of(timed)},
          {"unit", "bytes"},
          {"amount", bytes_of(timed)},
          {"where", timed.where},
          {"operation", name_of(timed.operation)},
          {"type", has_type ? name_of(timed.type) : "int32"},
          {"scheme", has_type ? json(timed.scheme->name) : json()},
          {"n", timed.shape.n},
          {"k", timed.shape.k},
          {"experts", timed.shape.experts},
          {"format", timed.format->name},
          {"format_to", timed.format_to != nullptr ? json(timed.format_to->name) : json()},
          {"group_size", has_type ? json(timed.group_size) : json()},
          {"cache", timed.cold ? "cold" : "warm"},
          {"calls", timing.calls},
          {"seconds", timing.seconds},
          {"wrong", timing.wrong},
          {"note", ""}};
}

std::string name_of_cases(const TimerRow& row) { return row.name + " random cases"; }

json json_of(const TimerRow& row, const CaseRate& rate) {
  const auto whole = [](double value) { return std::to_string(static_cast<std::int64_t>(value)); };
  std::string note = "by " + std::to_string(rate.threads) + (rate.threads == 1 ? " thread" : " threads");
  if (!rate.slowest_property.empty()) {
    note += "; the slowest is " + rate.slowest_property + ", " + whole(rate.slowest_cases_a_second) +
            " cases a second of a thread";
  }
  return {{"name", name_of_cases(row)},
          {"unit", "cases"},
          {"amount", rate.cases},
          {"where", row.name},
          {"calls", 1},
          {"threads", rate.threads},
          {"seconds", {{timed_as::operation, rate.seconds_of_pass}}},
          {"wrong", rate.failed},
          {"slowest", {{"property", rate.slowest_property}, {"cases_a_second", rate.slowest_cases_a_second}}},
          {"note", note}};
}

/// Reads the baseline.
/// @throws UsageError if it cannot be read or is no record of bench
json read_baseline(const std::string& file) {
  const auto unusable = [&](const std::string& why) {
    return UsageError("--against", "'" + file + "' (" + why + ")", "a file that 'tileproof bench --json' wrote");
  };
  std::ifstream stream(file);
  if (!stream) throw unusable("it cannot be read");
  if (std::filesystem::is_directory(file)) throw unusable("it is a folder");
  const json baseline = json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (baseline.is_discarded()) throw unusable("it is no JSON, or not all of it");
  try {
    reports::require_bench(baseline);
  } catch (const std::runtime_error& error) {
    throw unusable(error.what());
  }
  return baseline;
}

/// A timer, and the rows to time with it.
struct Chosen {
  TimerRow row;
  std::vector<Timed> rows = {};
  std::vector<std::string> skipped = {};  // shapes left out, and why
  bool cases = false;
};

TimerRow timer_of(const std::string& name) {
  std::vector<std::string> names;
  for (const TimerRow& row : timers()) names.push_back(row.name);
  const std::string legal = reports::joined(names, ", ") + ", or one of 'tileproof list mutants'";
  for (const SubjectRow& row : mutant_subjects()) names.push_back(row.name);
  if (std::find(names.begin(), names.end(), name) != names.end()) return timer_row(name);
  throw unknown_name("--subject", name, legal, names);
}

class Run {
 public:
  explicit Run(const BenchOptions& options) : options_(options), by_name_(!options.subjects.empty()) {
    const std::vector<Shape> shapes =
        options.shapes.empty() ? std::vector<Shape>{} : shapes_of("--shapes", options.shapes);
    std::vector<std::string> names = options.subjects;
    if (!by_name_) {
      for (const TimerRow& row : timers()) names.push_back(row.name);
    }
    std::set<std::string> known;
    for (const std::string& name : names) {
      if (!known.insert(name).second) continue;
      Chosen selected = {.row = timer_of(name)};
      const TimerRow& row = selected.row;
      selected.rows = timed_rows(row, shapes, selected.skipped);
      std::erase_if(selected.rows, [&](const Timed& timed) { return !is_wanted(options, name_of(timed)); });
      std::erase_if(selected.skipped,
                    [&](const std::string& line) { return !is_wanted(options, line.substr(0, line.find(": "))); });
      selected.cases = options.cases > 0 && !row.subject.empty() && is_wanted(options, name_of_cases(row));
      steps_ += selected.rows.size() + (selected.cases ? 1 : 0);
      if (selected.rows.empty() && selected.skipped.empty() && !selected.cases) continue;
      selected_.push_back(std::move(selected));
    }
    if (selected_.empty()) {
      const auto quoted = [](const std::string& name) { return "'" + name + "'"; };
      throw UsageError("--only", reports::joined(options.only, ", ", quoted),
                       "a part of a row's name, such as 'dequantize bf16' or 'cold'");
    }
  }

  void time_all() {
    Progress progress(steps_, "timing");
    for (Chosen& selected : selected_) {
      if (is_interrupted()) return;
      MadeTimer made = made_timer(selected.row);
      if (made.timer == nullptr) {
        not_measured_[selected.row.name] = made.why_not;
        continue;
      }
      skipped_.insert(skipped_.end(), selected.skipped.begin(), selected.skipped.end());
      for (const Timed& timed : selected.rows) {
        if (is_interrupted()) return;
        progress.step(selected.row.name, name_of(timed));
        try {
          add(json_of(timed, made.timer->time(timed, options_.repeats)));
        } catch (const SubjectError& error) {  // for example a device without enough memory
          not_measured_[name_of(timed)] = error.what();
          broken_ = name_of(timed) + ": " + error.what();
          if (error.device_lost) return;
        }
      }
      if (const auto device = made.timer->device(); !device.empty()) devices_ = device;
      made.timer.reset();  // frees its memory and its threads
      if (!selected.cases || is_interrupted()) continue;
      progress.step(selected.row.name, "cases");
      SubjectInstance ready =
          made_ready(selected_subjects({selected.row.subject}).front(), std::chrono::seconds(60), RunsIn::this_process);
      if (ready.runner == nullptr) {
        not_measured_[name_of_cases(selected.row)] = ready.why_not;
        continue;
      }
      add(json_of(selected.row, case_rate(ready, options_.cases, std::min(options_.repeats, most_passes), cores())));
    }
  }

  json records() const {
    json of_machine = machine();
    of_machine["cores"] = cores();
    const Commit of = commit();
    of_machine["commit"] = of.hash + (of.dirty.value_or(false) ? "-dirty" : "");
    of_machine["device"] = devices_;
    return {{"machine", of_machine},       {"provenance", provenance(std::nullopt)},
            {"repeats", options_.repeats}, {"rows", rows_},
            {"skipped", skipped_},         {"not_measured", not_measured_}};
  }

  bool is_wrong() const { return is_wrong_; }
  /// Why less was measured than was asked for; "" if nothing is missing.
  std::string lacks() const {
    if (is_interrupted()) return "interrupted";
    if (!broken_.empty()) return broken_;
    if (rows_.empty()) return "nothing was measured";
    const auto any = [&](auto of) {
      return std::any_of(selected_.begin(), selected_.end(), [&](const Chosen& one) { return !(one.*of).empty(); });
    };
    if (any(&Chosen::skipped) && !any(&Chosen::rows)) return "no operation was timed: every shape was left out";
    return missing(timers(), not_measured_, by_name_, "was not measured");
  }

 private:
  /// Makes a timer. One that cannot be made and was not named is not measured, as in made_ready().
  MadeTimer made_timer(const TimerRow& row) const {
    try {
      return row.make();
    } catch (const std::runtime_error& error) {
      if (by_name_) throw;
      return {nullptr, error.what()};
    }
  }

  /// Adds a row. A case rate that failed at once has no repeats, so it is listed as not measured.
  void add(json row) {
    is_wrong_ |= !row["wrong"].get<std::string>().empty();
    if (row["seconds"][timed_as::operation].empty()) {
      not_measured_[row["name"]] = row["wrong"].get<std::string>();
      return;
    }
    rows_.push_back(std::move(row));
  }

  BenchOptions options_;
  bool by_name_;
  std::vector<Chosen> selected_;
  std::size_t steps_ = 0;
  std::vector<std::string> skipped_;
  std::map<std::string, std::string> not_measured_;
  std::map<std::string, std::string> devices_;
  std::string broken_;  // the last row that could not be measured, and why
  json rows_ = json::array();
  bool is_wrong_ = false;
};

int bench(const BenchOptions& options, const std::string& command) {
  const Clock::time_point begin = Clock::now();
  const json baseline = options.against.empty() ? json() : read_baseline(options.against);
  Run run(options);
  // Check now whether the file can be written, before minutes of timing. Its contents stay until the record is ready.
  if (!options.json_file.empty() && !can_be_written(options.json_file)) {
    throw UsageError("--json", "'" + options.json_file + "' (it cannot be written)", "a file");
  }
  report_when_interrupted();
  const std::string run_start = utc_now();
  run.time_all();

  json record = run.records();
  record["schema"] = 2;
  record["tool"] = "tileproof " TILEPROOF_VERSION;
  record["command"] = command;
  record["run_start"] = run_start;
  record["seconds"] = seconds_since(begin);
  const bool colours = takes_escapes(STDOUT_FILENO);
  Written written;
  if (!options.json_file.empty()) written.write(options.json_file, dumped(record, 1) + "\n");
  std::cout << reports::bench_table(record, colours);
  reports::BenchComparison comparison;
  if (!options.against.empty()) {
    comparison = reports::bench_comparison(record, baseline, colours);
    std::cout << comparison.text;
  }
  if (run.is_wrong() || comparison.slower != 0) return written.exit_code(exit_code::failed);
  std::string reason = run.lacks();
  if (reason.empty() && !options.against.empty() && comparison.compared == 0) reason = "no row could be compared";
  if (!reason.empty()) std::cout << "MISTRUSTED: " << reports::visible(reason) << "\n";
  std::cout << std::flush;
  return written.exit_code(reason.empty() ? exit_code::passed : exit_code::mistrusted);
}

}  // namespace

std::function<int()> set_up_bench(CLI::App& app) {
  auto options = std::make_shared<BenchOptions>();
  app.add_option("--json", options->json_file, "a file for every repeat's seconds, and the machine: a baseline");
  app.add_option("--against", options->against, "a baseline: marks what has become slower");
  app.add_option("--shapes", options->shapes,
                 "NxK,... instead of the usual ones; what a format or a group does not take is left out");
  app.add_option("--only", options->only, "rows with this in their name; may be given again");
  app.add_option("--subject", options->subjects,
                 "host, cuda or torch, or a mutant of 'list mutants'; may be given again (default: all that run here)");
  app.add_option("--repeats", options->repeats, "of each row")->check(within(2, 10000))->capture_default_str();
  app.add_option("--cases", options->cases, "random cases of each property in a pass; 0: none")
      ->check(within(std::int64_t{0}, std::int64_t{1000000}))
      ->capture_default_str();
  return [&app, options] { return bench(*options, as_given(app)); };
}

}  // namespace tileproof
