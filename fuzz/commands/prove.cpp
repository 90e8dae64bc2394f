// tileproof prove: proves properties over their whole domain.
#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <limits>
#include <map>

#include "fuzz/campaign/proving.h"
#include "fuzz/campaign/proving_self.h"
#include "fuzz/campaign/shares.h"
#include "fuzz/commands/commands.h"
#include "fuzz/commands/missing.h"
#include "fuzz/commands/within.h"
#include "fuzz/process/interrupt.h"
#include "fuzz/process/progress.h"
#include "fuzz/process/sanitizers.h"
#include "fuzz/process/screen.h"
#include "fuzz/records/provenance.h"
#include "fuzz/records/records.h"
#include "fuzz/records/summary.h"
#include "properties/catalogue/domains_measures.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/stopwatch.h"
#include "properties/subjects/cores.h"
#include "reports/reports.h"

namespace tileproof {

using nlohmann::json;

// json_of() adds the other fields.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ProofResult, kind, property, subject, reason, point, order, points, points_done,
                                   steps, steps_done, seconds)

namespace {

struct ProveOptions {
  std::vector<std::string> kinds;
  std::vector<std::string> subjects;
  std::vector<std::string> properties;
  std::string budget = "30m";
  std::size_t processes = 0;
  std::string out;
  GivenSubjectOptions given;
};

constexpr const char* unlimited = "none";
constexpr const char* not_begun = "not begun: the budget (--budget) ended before";

/// Kinds of proof that are about the harness, not about a property.
constexpr const char* self = "self";
constexpr const char* sanitizers = "sanitizers";

/// Kinds of proof of the properties, in the order of the properties.
std::vector<std::string> kinds_of_properties() {
  std::vector<std::string> kinds;
  for (const Property& property : properties()) {
    if (!property.proof.empty() && !is_in(kinds, property.proof)) kinds.push_back(property.proof);
  }
  return kinds;
}

std::vector<std::string> kinds_of_proof() {
  std::vector<std::string> kinds = kinds_of_properties();
  kinds.insert(kinds.end(), {self, sanitizers});
  return kinds;
}

bool is_wanted(const ProveOptions& options, const std::string& kind) {
  return options.kinds.empty() || is_in(options.kinds, kind) || is_in(options.kinds, "all");
}

std::string listed(const std::vector<std::string>& names) { return reports::joined(names, ", "); }

/// The properties to prove, in the order of kinds.
std::vector<const Property*> properties_to_prove(const ProveOptions& options) {
  std::vector<std::string> legal = kinds_of_proof();
  legal.push_back("all");
  for (const std::string& kind : options.kinds) {
    if (!is_in(legal, kind)) throw unknown_name("prove", kind, listed(legal), legal);
  }
  if (options.kinds.size() > 1 && is_in(options.kinds, "all")) {
    throw UsageError("prove", "all beside other kinds", "all alone, or the kinds");
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

/// Leaves out proofs of the specification against itself, unless it is named.
bool is_asked(const Property& property, const SubjectRow& row, bool by_name) {
  return property.of_specification ? row.capabilities.is_specification : by_name || !row.capabilities.is_specification;
}

double domain_size(const ProofTask& task) { return static_cast<double>(task.result().points); }

/// Seconds to allow for a task: its estimate and a margin, because estimates err. One without an estimate comes after
/// all others, and after those with smaller domains.
double needed(const ProofTask& task) {
  constexpr double after_all = 1e12;
  const std::optional<double>& estimated = task.result().estimated_seconds;
  return estimated ? *estimated * 1.2 + 1 : after_all + domain_size(task);
}

json json_of(const ProofResult& r) {
  json finding = nullptr;
  if (r.finding) {
    finding = {{"kind", r.finding->kind},
               {"details", r.finding->details},
               {"shrunk", r.shrunk},
               {"problem", line_of(r.finding->problem)},
               {"replay", replay_words(r.replay_flags, r.finding->problem)}};
  }
  json measures = json::array();
  for (const auto& [name, one] : r.coverage.largest)
    measures.push_back({{"name", name}, {"value", one.value}, {"where", one.where}});
  json all = r;
  all.update({{"verdict", name_of(r.verdict)},
              {"estimated_seconds", r.estimated_seconds ? json(*r.estimated_seconds) : json(nullptr)},
              {"compared", r.coverage.compared},
              {"explained", r.coverage.explained},
              {"measures", measures},
              {"finding", finding}});
  return all;
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

/// @param reason  is set if the exit code is mistrusted
int exit_of(const std::vector<ProofTask>& tasks, std::string& reason) {
  const auto mistrusted = [&](const std::string& why) {
    reason = why;
    return exit_code::mistrusted;
  };
  const auto any = [&](Proof verdict) {
    return std::any_of(tasks.begin(), tasks.end(), [&](const ProofTask& t) { return t.result().verdict == verdict; });
  };
  if (any(Proof::failed)) return exit_code::failed;
  if (any(Proof::mistrusted)) return mistrusted("some proofs looked at too little");
  if (!tasks.empty() && !any(Proof::proved) && !any(Proof::sampled)) return mistrusted("nothing was run");
  const auto late =
      std::count_if(tasks.begin(), tasks.end(), [](const ProofTask& t) { return t.result().reason == not_begun; });
  if (late != 0) return mistrusted(std::to_string(late) + " not begun: a larger --budget");
  // Every subject must have run something. Subjects that were not named have only tasks that can run.
  for (const ProofTask& task : tasks) {
    const std::string& subject = task.result().subject;
    const bool has_run = std::any_of(tasks.begin(), tasks.end(), [&](const ProofTask& t) {
      return t.result().subject == subject && t.result().verdict != Proof::skipped;
    });
    if (!has_run) return mistrusted(subject + " had nothing to run");
  }
  return exit_code::passed;
}

int prove(const ProveOptions& options, const std::string& command) {
  const Clock::time_point begin = Clock::now();
  const double budget = options.budget == unlimited ? 0 : seconds_of("--budget", options.budget);
  const bool names_something = !options.properties.empty() || !options.subjects.empty() || options.given.any();
  for (const char* kind : {self, sanitizers}) {
    if (!is_in(options.kinds, kind) || !names_something) continue;
    throw UsageError("prove", std::string(kind) + " beside a subject or a property", "it alone");
  }
  const std::vector<const Property*> to_prove = properties_to_prove(options);
  const std::vector<SelectedSubject> subjects = options.given.subjects(options.subjects);
  const std::size_t count = options.processes != 0 ? options.processes : cores();

  std::vector<ProofTask> tasks;
  std::map<std::string, std::string> not_here;
  for (const SelectedSubject& selected : subjects) {
    const bool by_name = selected.asked_for;
    std::shared_ptr<const Processes> processes;
    for (const Property* property : to_prove) {
      if (!is_asked(*property, selected.row, by_name)) continue;
      if (processes == nullptr) processes = started(selected, count, options.given.case_deadline());
      const bool can_run = processes->front().runner != nullptr;
      std::vector<ProofTask> own = proof_tasks(*property, selected, processes);
      if (!can_run) not_here[selected.row.name] = own.front().result().reason;
      const bool any_open = can_run && std::ranges::any_of(own, [](const ProofTask& task) {
                              return task.result().verdict != Proof::skipped;
                            });
      if (any_open || by_name) std::ranges::move(own, std::back_inserter(tasks));
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
  // The small domains are estimated first. Within a budget, an eighth of what is left may go into estimates.
  const Clock::time_point planning = Clock::now();
  const double most = budget == 0 ? std::numeric_limits<double>::infinity() : (budget - seconds_since(begin)) / 8;
  std::vector<double> sizes(tasks.size());
  std::transform(tasks.begin(), tasks.end(), sizes.begin(), domain_size);
  for (const std::size_t i : least_first(sizes)) {
    if (is_interrupted() || seconds_since(planning) > most) break;
    try {
      tasks[i].estimate();
    } catch (const std::runtime_error&) {  // the machine's fault: the run meets it again, and the proof says so
    }
  }
  json run = {{"schema", 1},
              {"command", command},
              {"run_start", records.run_start()},
              {"budget_seconds", budget},
              {"machine", machine()},
              {"provenance", provenance(std::nullopt, options.given.file())}};
  const auto as_json = [&] {
    json results = json::array();
    for (const ProofTask& task : tasks) results.push_back(json_of(task.result()));
    run["proofs"] = results;
    run["seconds"] = seconds_since(begin);
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
      const double left = budget - seconds_since(begin);
      const bool is_open = task.result().verdict == Proof::sampled && !task.result().finding;
      const bool is_too_late = is_open && budget != 0 && left <= 0 && i != order.front();
      if (is_too_late) task.leave_out(not_begun);
      const double seconds = budget == 0 ? 0 : std::max(0.001, share_of_first(needs_of_rest, left));
      needs_of_rest.erase(needs_of_rest.begin());
      progress.step(task.result().subject, task.result().property);
      const Clock::time_point start = Clock::now();
      const auto show = [&](std::uint64_t done) {
        const double share = static_cast<double>(done) / static_cast<double>(task.result().points);
        progress.part(share, seconds_since(start));
      };
      constexpr double least_shrink_seconds = 5;
      const double shrink_seconds = budget == 0
                                        ? ProofTask::most_shrink_seconds
                                        : std::clamp(left, least_shrink_seconds, ProofTask::most_shrink_seconds);
      if (!is_too_late) task.run(seconds, is_interrupted, show, shrink_seconds);
      progress.clear();
      std::cout << reports::proof_line(json_of(task.result()), takes_escapes(STDOUT_FILENO)) << std::flush;
    }
  }
  Sanitized sanitized;
  if (of_sanitizers && !is_interrupted()) sanitized = sanitize(!options.kinds.empty() && !is_in(options.kinds, "all"));
  std::string reason;
  int exit = exit_of(tasks, reason);
  if (exit != exit_code::failed && (harness.broken || sanitized.failed)) {
    exit = exit_code::failed;
    reason = harness.broken ? "the harness does not hold" : "compute-sanitizer found something";
  } else if (exit == exit_code::passed && (harness.not_shown || sanitized.mistrusted)) {
    exit = exit_code::mistrusted;
    reason =
        harness.not_shown ? "not all of the harness was shown: a larger --budget" : "a sanitizer has shown nothing";
  }
  const std::string lacks =
      missing(tileproof::subjects(), not_here, !options.subjects.empty() || options.given.any(), "did not run");
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
      ->check(within(std::size_t{1}, std::size_t{1024}));
  app.add_option("--out", options->out, std::string("folder for the records ") + usual_run_folder);
  options->given.add_with_format_to(app, 600);
  return [&app, options] { return prove(*options, as_given(app)); };
}

}  // namespace tileproof
