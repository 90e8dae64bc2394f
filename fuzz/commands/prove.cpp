// tileproof prove: proves properties over their whole domain.
#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "fuzz/campaign/proving.h"
#include "fuzz/campaign/proving_self.h"
#include "fuzz/campaign/shares.h"
#include "fuzz/commands/commands.h"
#include "fuzz/commands/duration.h"
#include "fuzz/commands/missing.h"
#include "fuzz/process/interrupt.h"
#include "fuzz/process/progress.h"
#include "fuzz/process/sanitizers.h"
#include "fuzz/process/screen.h"
#include "fuzz/records/provenance.h"
#include "fuzz/records/records.h"
#include "fuzz/records/summary.h"
#include "properties/catalogue/domains_measures.h"
#include "properties/catalogue/properties.h"
#include "properties/subjects/cores.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

struct ProveOptions {
  std::vector<std::string> kinds;
  std::vector<std::string> subjects;
  std::vector<std::string> properties;
  std::string budget = "30m";
  std::size_t processes = 0;
  std::string out;
  LibraryOptions library;
};

constexpr const char* unlimited = "none";

/// Kinds of proof that are about the harness, not about a property.
constexpr const char* self = "self";
constexpr const char* sanitizers = "sanitizers";

/// Kinds of proof of the properties, in the order of the properties.
std::vector<std::string> kinds_of_properties() {
  std::vector<std::string> kinds;
  for (const Property& property : properties()) {
    const bool is_new = std::find(kinds.begin(), kinds.end(), property.proof) == kinds.end();
    if (!property.proof.empty() && is_new) kinds.push_back(property.proof);
  }
  return kinds;
}

std::vector<std::string> kinds_of_proof() {
  std::vector<std::string> kinds = kinds_of_properties();
  kinds.insert(kinds.end(), {self, sanitizers});
  return kinds;
}

bool is_wanted(const ProveOptions& options, const std::string& kind) {
  const auto& wanted = options.kinds;
  return wanted.empty() ||
         std::any_of(wanted.begin(), wanted.end(), [&](const std::string& one) { return one == kind || one == "all"; });
}

bool is_all(const ProveOptions& options) {
  return std::find(options.kinds.begin(), options.kinds.end(), "all") != options.kinds.end();
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// The properties to prove, in the order of kinds.
std::vector<const Property*> properties_to_prove(const ProveOptions& options) {
  const std::vector<std::string> kinds = kinds_of_proof();
  for (const std::string& kind : options.kinds) {
    if (kind == "all" || std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) continue;
    std::vector<std::string> legal = kinds;
    legal.push_back("all");
    throw unknown_name("prove", kind, listed(legal), legal);
  }
  std::vector<const Property*> selected;
  const std::vector<const Property*> among = selected_properties(options.properties);
  for (const std::string& kind : kinds_of_properties()) {
    for (const Property* property : among) {
      if (property->proof == kind && is_wanted(options, kind)) selected.push_back(property);
    }
  }
  if (selected.empty() && !options.properties.empty()) {
    throw UsageError("--property", listed(options.properties),
                     "a property of the kind that can be proved: see 'list properties'");
  }
  return selected;
}

/// The subjects to ask. is_asked() leaves out proofs of the specification against itself, unless it is named.
std::vector<SelectedSubject> subjects_to_ask(const ProveOptions& options) {
  if (options.library.given() && options.subjects.empty()) return {options.library.subject()};
  std::vector<SelectedSubject> selected = selected_subjects(options.subjects);
  if (options.library.given()) selected.push_back(options.library.subject());
  return selected;
}

bool is_asked(const Property& property, const SubjectRow& row, bool by_name) {
  return property.of_specification ? row.capabilities.is_specification : by_name || !row.capabilities.is_specification;
}

/// Seconds to allow for a task: its estimate and a margin, because estimates err.
double needed(const ProofTask& task) { return task.result().estimated_seconds * 1.2 + 1; }

json json_of(const ProofResult& r) {
  json finding = nullptr;
  if (r.finding) {
    finding = {{"kind", r.finding->kind},
               {"details", r.finding->details},
               {"problem", line_of(r.finding->problem)},
               {"replay", replay_words(r.replay_flags, r.finding->problem)}};
  }
  json measures = json::array();
  for (const auto& [name, one] : r.coverage.largest)
    measures.push_back({{"name", name}, {"value", one.value}, {"where", one.where}});
  return {{"kind", r.kind},
          {"property", r.property},
          {"subject", r.subject},
          {"verdict", name_of(r.verdict)},
          {"reason", r.reason},
          {"point", r.point},
          {"order", r.order},
          {"points", r.points},
          {"points_done", r.points_done},
          {"steps", r.steps},
          {"steps_done", r.steps_done},
          {"compared", r.coverage.compared},
          {"explained", r.coverage.explained},
          {"measures", measures},
          {"seconds", r.seconds},
          {"estimated_seconds", r.estimated_seconds},
          {"finding", finding}};
}

/// The measures of the two domains, float and integer, as rows of a table.
json figures_of_domains(const std::vector<ProofTask>& tasks) {
  json figures = json::array();
  for (const ProofTask& task : tasks) {
    const ProofResult& r = task.result();
    for (const auto& [name, one] : r.coverage.largest) {
      const domains::Measure* measure = domains::measure_of(name);
      if (measure == nullptr) continue;
      figures.push_back({{"format", r.type},
                         {"direction", measure->direction},
                         {"quantity", measure->quantity},
                         {"unit", measure->unit},
                         {"zero_points", measure->zero_points},
                         {"name", name},
                         {"value", one.value},
                         {"where", one.where},
                         {"proved", r.verdict == Proof::proved},
                         {"points", r.points},
                         {"points_done", r.points_done}});
    }
  }
  return figures;
}

/// Results of compute-sanitizer's tools.
struct Sanitized {
  json records = json::array();
  bool failed = false;
  bool mistrusted = false;
};

Sanitized sanitize(bool by_name) {
  Sanitized all;
  for (const SanitizerResult& result : run_all_sanitizers()) {
    std::cout << name_of(result.verdict) << " " << sanitizers << "/" << result.tool << ": "
              << reports::visible(result.reason) << "\n"
              << std::flush;
    all.failed |= result.verdict == Verdict::failed;
    bool red = result.verdict == Verdict::mistrusted || (result.verdict == Verdict::skipped && by_name);
#if defined(TILEPROOF_REQUIRE_GPU)
    red |= result.verdict == Verdict::skipped;
#endif
    all.mistrusted |= red;
    all.records.push_back({{"tool", result.tool},
                           {"verdict", name_of(result.verdict)},
                           {"reason", result.reason},
                           {"seconds", result.seconds}});
  }
  return all;
}

int exit_of(const std::vector<ProofTask>& tasks, std::string* reason) {
  const auto any = [&](Proof verdict) {
    return std::any_of(tasks.begin(), tasks.end(), [&](const ProofTask& t) { return t.result().verdict == verdict; });
  };
  if (any(Proof::failed)) return exit_code::failed;
  if (any(Proof::mistrusted)) {
    *reason = "some proofs looked at too little";
    return exit_code::mistrusted;
  }
  if (!tasks.empty() && !any(Proof::proved) && !any(Proof::sampled)) {
    *reason = "nothing was run";
    return exit_code::mistrusted;
  }
  // Every subject must have run something. Subjects that were not named have only tasks that can run.
  for (const ProofTask& task : tasks) {
    const std::string& subject = task.result().subject;
    const bool has_run = std::any_of(tasks.begin(), tasks.end(), [&](const ProofTask& t) {
      return t.result().subject == subject && t.result().verdict != Proof::skipped;
    });
    if (has_run) continue;
    *reason = subject + " had nothing to run";
    return exit_code::mistrusted;
  }
  return exit_code::passed;
}

int prove(const ProveOptions& options, const std::string& command) {
  const Clock::time_point begin = Clock::now();
  const double budget = options.budget == unlimited ? 0 : seconds_of("--budget", options.budget);
  const bool names_something = !options.properties.empty() || !options.subjects.empty() || options.library.given();
  for (const char* kind : {self, sanitizers}) {
    const bool by_name = std::find(options.kinds.begin(), options.kinds.end(), kind) != options.kinds.end();
    if (by_name && names_something)
      throw UsageError("prove", std::string(kind) + " beside a subject or a property", "it alone");
  }
  const std::vector<const Property*> to_prove = properties_to_prove(options);
  const std::vector<SelectedSubject> subjects = subjects_to_ask(options);
  const std::size_t count = options.processes != 0 ? options.processes : cores();

  std::vector<ProofTask> tasks;
  std::map<std::string, std::string> not_here;
  for (const SelectedSubject& selected : subjects) {
    const bool by_name = selected.asked_for;
    std::shared_ptr<Processes> processes;
    for (const Property* property : to_prove) {
      if (!is_asked(*property, selected.row, by_name)) continue;
      if (processes == nullptr) {
        processes = std::make_shared<Processes>(selected, count, options.library.case_deadline());
      }
      for (ProofTask& task : proof_tasks(*property, selected, processes)) {
        const bool lacks = processes->can_run() && task.result().verdict == Proof::skipped;
        if (!processes->can_run()) not_here[selected.row.name] = task.result().reason;
        if ((lacks || !processes->can_run()) && !by_name) continue;
        tasks.push_back(std::move(task));
      }
    }
  }
  for (const auto& [name, why] : not_here) std::cerr << "not asked: " << name << ": " << why << "\n";
  const bool of_harness = is_wanted(options, self) && !names_something;
  const bool of_sanitizers = is_wanted(options, sanitizers) && !names_something;
  if (tasks.empty() && !of_harness && !of_sanitizers) {
    throw UsageError(
        "prove", listed(options.kinds) + (options.subjects.empty() ? "" : " of " + listed(options.subjects)),
        "a kind that --subject can be asked: what is about the specification, of reference; the rest, of others");
  }

  Records records(options.out);
  std::cerr << "records: " << records.folder().string() << "\n";
  report_when_interrupted();
  SelfRun harness;
  if (of_harness) {
    // At most half of the budget if there are other proofs; time that the harness leaves goes to them. Other proofs are
    // worth little if the harness is not shown.
    const double share = tasks.empty() ? 1 : 0.5;
    harness = prove_self(budget * share, count, is_interrupted, std::cout);
  }
  for (ProofTask& task : tasks) {
    if (!is_interrupted()) task.estimate();
  }
  json run = {{"schema", 1},
              {"command", command},
              {"run_start", records.run_start()},
              {"budget_seconds", budget},
              {"machine", machine()},
              {"provenance",
               provenance(std::nullopt, options.library.given() ? options.library.subject().order.library->file : "")}};
  const auto as_json = [&] {
    json results = json::array();
    for (const ProofTask& task : tasks) results.push_back(json_of(task.result()));
    run["proofs"] = results;
    run["seconds"] = std::chrono::duration<double>(Clock::now() - begin).count();
    return run;
  };
  if (!tasks.empty()) std::cout << reports::proofs_plan(as_json()) << std::flush;

  {
    Progress progress(tasks.size());
    // Without a limit, tasks run in the order of the plan. With one, short tasks come first, because a long step or a
    // wrong estimate could use up the time of the others.
    std::vector<double> needs(tasks.size());
    if (budget != 0) std::transform(tasks.begin(), tasks.end(), needs.begin(), needed);
    const std::vector<std::size_t> order = least_first(needs);
    std::vector<double> needs_of_rest;
    for (const std::size_t i : order) needs_of_rest.push_back(needs[i]);
    for (const std::size_t i : order) {
      ProofTask& task = tasks[i];
      const double left = budget - std::chrono::duration<double>(Clock::now() - begin).count();
      const double seconds = budget == 0 ? 0 : std::max(0.001, share_of_first(needs_of_rest, left));
      needs_of_rest.erase(needs_of_rest.begin());
      progress.step(task.result().subject, task.result().property);
      const Clock::time_point start = Clock::now();
      task.run(seconds, is_interrupted, [&](std::uint64_t done) {
        const double share = static_cast<double>(done) / static_cast<double>(task.result().points);
        progress.part(share, std::chrono::duration<double>(Clock::now() - start).count());
      });
      progress.clear();
      std::cout << reports::proof_line(json_of(task.result()), takes_escapes(STDOUT_FILENO)) << std::flush;
    }
  }
  Sanitized sanitized;
  if (of_sanitizers && !is_interrupted()) sanitized = sanitize(!options.kinds.empty() && !is_all(options));
  std::string reason;
  int exit = exit_of(tasks, &reason);
  if (exit != exit_code::failed && (harness.broken || sanitized.failed)) {
    exit = exit_code::failed;
    reason = harness.broken ? "the harness does not hold" : "compute-sanitizer found something";
  } else if (exit == exit_code::passed && (harness.not_shown || sanitized.mistrusted)) {
    exit = exit_code::mistrusted;
    reason =
        harness.not_shown ? "not all of the harness was shown: a larger --budget" : "a sanitizer has shown nothing";
  }
  const std::string lacks =
      missing(tileproof::subjects(), not_here, !options.subjects.empty() || options.library.given(), "did not run");
  if (exit == exit_code::passed && (is_interrupted() || !lacks.empty())) {
    exit = exit_code::mistrusted;
    reason = is_interrupted() ? "interrupted" : lacks;
  }
  json result = as_json();
  result["not_here"] = not_here;
  result["domains"] = figures_of_domains(tasks);
  result["self"] = harness.records;
  result["sanitizers"] = sanitized.records;
  result["exit_code"] = exit;
  result["reason"] = reason;
  records.end_observations();
  records.write("proofs.json", dumped(result, 2) + "\n");
  records.attempt([&] { records.write("proofs.md", reports::proofs_markdown(result)); });
  std::cout << reports::proofs_end(result, takes_escapes(STDOUT_FILENO)) << std::flush;
  return records.exit_code(exit);
}

}  // namespace

std::function<int()> set_up_prove(CLI::App& app) {
  auto options = std::make_shared<ProveOptions>();
  app.add_option("kind", options->kinds, "what to prove: " + listed(kinds_of_proof()) + ", or all (default)");
  app.add_option("--subject", options->subjects,
                 "a subject to ask; may be given again (default: all that run here; of the specification, what is "
                 "about itself)");
  app.add_option("--property", options->properties,
                 "a property, or how the names of properties begin; may be given again");
  app.add_option(
         "--budget", options->budget,
         "the time for all of it: 90s (or 90), 30m, 4h, or none for no limit. What it does not reach is a sample")
      ->capture_default_str();
  app.add_option("--processes", options->processes,
                 "that work on a subject at once (default: as many as there are cores)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1024}));
  app.add_option("--out", options->out, "folder for the records (default: a dated one under the build folder)");
  options->library.add_to(app, 600);
  return [&app, options] { return prove(*options, as_given(app)); };
}

}  // namespace tileproof
