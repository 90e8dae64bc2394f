// tileproof verify: judges every property on every subject that this machine can run.
#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "fuzz/campaign/accuracy_run.h"
#include "fuzz/campaign/judging.h"
#include "fuzz/campaign/selection.h"
#include "fuzz/commands/commands.h"
#include "fuzz/commands/within.h"
#include "fuzz/process/in_threads.h"
#include "fuzz/process/interrupt.h"
#include "fuzz/process/progress.h"
#include "fuzz/process/screen.h"
#include "fuzz/records/accuracy_json.h"
#include "fuzz/records/expected_failures.h"
#include "fuzz/records/provenance.h"
#include "fuzz/records/records.h"
#include "fuzz/records/summary.h"
#include "properties/problem/stopwatch.h"
#include "properties/subjects/cores.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

using nlohmann::json;

struct VerifyOptions {
  std::vector<std::string> subjects;
  std::vector<std::string> properties;
  std::int64_t cases = 300;
  std::string duration;
  std::string seed_text = "1";
  std::uint64_t seed = 1;  // the value of seed_text
  std::string out;
  std::string known;
  bool accuracy = true;
  bool verbose = false;
  std::string weight_type;
  std::size_t jobs = cores();
  GivenSubjectOptions given;
};

/// Judges all properties on one subject, round after round with fresh seeds until the time is used up; one round if
/// `seconds` is 0.
void judge_subject(const SubjectInstance& subject, const std::vector<const Property*>& properties,
                   const VerifyOptions& options, const std::vector<ExpectedFailure>& ledger, double seconds,
                   Records& records, Progress& progress, std::vector<Judgement>& judgements) {
  const Clock::time_point begin = Clock::now();
  const std::size_t first = judgements.size();
  const SubjectRow& row = subject.row;
  const std::vector<ExpectedFailure> expected_failures = expected_of(ledger, subject.facts, row.capabilities);
  Patience patience;
  std::set<std::string> failed;
  for (std::uint64_t seed = options.seed;; ++seed) {
    const bool is_first = seed == options.seed;
    // A subject in a single process has one crash budget for all properties.
    Patience* of_all = subject.another ? nullptr : &patience;
    Round round = {
        row, properties, {options.cases, seed, &expected_failures, of_all, is_interrupted}, subject.jobs(options.jobs)};
    round.runner = [&] { return subject.runner_of_job(); };
    round.begins = [&](const Property& property) {
      if (is_first) progress.step(row.name, property.name);
    };
    round.ends = [&](const Judgement& judgement) {
      const bool is_new = !judgement.findings.empty() && failed.insert(judgement.property).second;
      if (is_new) progress.say("FAILED " + judgement.property + " on " + row.name);
    };
    round.records = [&](const std::string& lines) { records.add(lines); };
    round.line = [&](const Observation& observation) { return records.line(observation); };
    const std::vector<Judged> result = judged(round);
    bool all_ran = true;
    for (std::size_t i = 0; i < properties.size(); ++i) {
      const Judged& one = result[i];
      all_ran &= one.judgement.has_value();
      if (!is_first) {
        Judgement& all_rounds = judgements[first + i];
        if (one.judgement) all_rounds.add(*one.judgement, *properties[i], row.capabilities);
        // An interrupted run reports the rounds that it finished.
        const bool is_lost = !one.judgement && !is_interrupted() && all_rounds.verdict != Verdict::failed;
        if (is_lost) all_rounds.verdict = Verdict::mistrusted;
        if (is_lost) all_rounds.reason = "in a later round: " + one.not_run;
        continue;
      }
      judgements.push_back(one.judgement.value_or(skipped(*properties[i], row.name, one.not_run)));
      if (!one.judgement) judgements.back().verdict = Verdict::mistrusted;
    }
    if (seconds_since(begin) >= seconds || !all_ran) return;
  }
}

/// Leaves a subject one type of weights, or says that it does not take it.
/// @param type  "" for all that it takes
void restrict_weights(SubjectInstance& subject, const std::string& type) {
  if (type.empty()) return;
  std::vector<Types>& types = subject.row.capabilities.types;
  std::erase_if(types, [&](const Types& one) { return name_of(one.weight) != type; });
  if (!types.empty()) return;
  subject.runner = nullptr;
  subject.why_not = "it takes no weights of " + type;
}

/// The only verdict on a library or a module that every process dies of loading.
Judgement died_of_loading(const SubjectInstance& subject, const SubjectOrder& order) {
  Judgement judgement;
  judgement.property = order.python ? "load/the_module_can_be_imported" : "load/the_library_can_be_loaded";
  judgement.subject = subject.row.name;
  judgement.verdict = Verdict::failed;
  judgement.findings.push_back({.problem = {}, .kind = "crash", .details = subject.died});
  return judgement;
}

int verify(const VerifyOptions& options, const std::string& command) {
  const Clock::time_point begin = Clock::now();
  const std::vector<SelectedSubject> selected = options.given.subjects(options.subjects);
  const std::vector<const Property*> properties = selected_properties(options.properties);
  const std::vector<ExpectedFailure> expected_failures = expected_failures_of(options.known);
  const double seconds = seconds_of("--for", options.duration);
  std::vector<SubjectInstance> ready(selected.size());
  in_threads(options.jobs, selected.size(), [&](std::size_t, std::size_t i) {  // in parallel: torch is slow to load
    ready[i] = made_ready(selected[i], options.given.case_deadline());
  });
  for (SubjectInstance& one : ready) {
    if (one.runner != nullptr) restrict_weights(one, options.weight_type);
  }
  const auto runnable = static_cast<std::size_t>(
      std::count_if(ready.begin(), ready.end(), [](const SubjectInstance& one) { return one.runner != nullptr; }));
  Records records(options.out);
  std::cerr << "records: " << records.folder().string() << "\n";
  report_when_interrupted();

  RunFacts run = {.command = command,
                  .run_start = records.run_start(),
                  .seed = options.seed,
                  .cases_per_property = options.cases,
                  .provenance = provenance(options.seed, options.given.file()),
                  .subjects = {},
                  .judgements = {}};
  AccuracyRun accuracy_run(options.jobs);
  {
    Progress progress(runnable * properties.size() + (options.accuracy ? runnable : 0));
    for (std::size_t i = 0; i < ready.size(); ++i) {
      run.subjects.push_back({ready[i].row.name, ready[i].row.what, ready[i].why_not, selected[i].asked_for,
                              ready[i].row.needs_gpu, selected[i].replay_flags, ready[i].facts});
      if (ready[i].runner != nullptr) {
        judge_subject(ready[i], properties, options, expected_failures, seconds / static_cast<double>(runnable),
                      records, progress, run.judgements);
        if (options.accuracy && !is_interrupted()) {
          progress.step(ready[i].row.name, "accuracy");
          accuracy_run.add({.row = ready[i].row,
                            .replay_flags = selected[i].replay_flags,
                            .jobs = ready[i].jobs(options.jobs),
                            .runner = [&] { return ready[i].runner_of_job(); },
                            .stop = is_interrupted});
        }
        ready[i] = {};  // ends its processes
        continue;
      }
      if (!ready[i].died.empty()) run.judgements.push_back(died_of_loading(ready[i], selected[i].order));
      const std::string why = ready[i].died.empty() ? ready[i].why_not : "it cannot be loaded";
      accuracy_run.leave_out(ready[i].row.name, why);
      for (const Property* property : properties) run.judgements.push_back(skipped(*property, ready[i].row.name, why));
    }
  }
  run.seconds = seconds_since(begin);

  records.end_observations();
  run.observations = records.observed().json();
  const json summary = summary_of(run);
  records.write("summary.json", dumped(summary, 2) + "\n");
  records.attempt([&] { records.write("summary.md", reports::markdown(summary)); });
  records.attempt([&] { records.write("junit.xml", reports::junit(summary)); });
  const int columns = columns_of(STDOUT_FILENO, 160);
  std::cout << reports::terminal(summary, columns, takes_escapes(STDOUT_FILENO), options.verbose) << std::flush;
  if (options.accuracy) {
    records.attempt([&] {
      json accuracy = accuracy_run.record();
      for (const char* field : {"tool", "run_start", "provenance"}) accuracy[field] = summary[field];
      records.write("accuracy.json", by_lines(accuracy));
    });
  }
  return records.exit_code(summary["exit_code"]);
}

}  // namespace

std::function<int()> set_up_verify(CLI::App& app) {
  auto options = std::make_shared<VerifyOptions>();
  app.add_option(
      "--subject", options->subjects,
      "a subject to judge, or a mutant of 'list mutants'; may be given again (default: all subjects that run here)");
  app.add_option("--property", options->properties,
                 "a property, or how the names of properties begin; may be given again (default: all)");
  app.add_option("--weight-type", options->weight_type, "of the subjects' weights: bf16, fp16 or fp32 (default: all)");
  app.add_option("--cases", options->cases, "problems drawn for each property and subject")
      ->check(within(std::int64_t{1}, std::int64_t{1000000000}))
      ->capture_default_str();
  app.add_option("--for", options->duration,
                 "goes on with fresh seeds until so much time is used: 90s (or 90), 5m, 4h");
  app.add_option("--seed", options->seed_text, "of all problems; the same seed gives the same problems")
      ->capture_default_str();
  app.add_option(
         "--jobs", options->jobs,
         "processes that judge a subject at once, but for one made of PyTorch's operators; no result depends on it")
      ->check(within(std::size_t{1}, std::size_t{1024}))
      ->capture_default_str();
  app.add_flag("--accuracy,!--no-accuracy", options->accuracy,
               "measure how accurate the subjects are, into accuracy.json (default: where no --property is given)");
  app.add_flag("-v,--verbose", options->verbose,
               "every variant of every property, and of each property what the subject does not take");
  app.add_option("--out", options->out, std::string("folder for the records ") + usual_run_folder);
  app.add_option("--known", options->known,
                 "a ledger of known findings, as JSON (default: the one of 'list known', of PyTorch's own operators)");
  options->given.add_with_format_to(app);
  return [&app, options] {
    options->seed = seed_of("--seed", options->seed_text);
    const std::vector<std::string> weight_types = {"bf16", "fp16", "fp32"};
    if (!options->weight_type.empty() && !is_in(weight_types, options->weight_type)) {
      throw unknown_name("--weight-type", options->weight_type, joined(weight_types), weight_types);
    }
    if (app.count("--accuracy") == 0) options->accuracy = options->properties.empty();
    options->given.require_meant(app);
    return verify(*options, as_given(app));
  };
}

}  // namespace tileproof
