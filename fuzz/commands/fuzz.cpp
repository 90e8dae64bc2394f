// tileproof fuzz: runs a campaign of cases without end.
#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "fuzz/campaign/campaign.h"
#include "fuzz/campaign/campaign_corpus.h"
#include "fuzz/campaign/campaign_summary.h"
#include "fuzz/campaign/canaries.h"
#include "fuzz/commands/commands.h"
#include "fuzz/commands/fuzz_subcommands.h"
#include "fuzz/commands/within.h"
#include "fuzz/process/file_lock.h"
#include "fuzz/process/interrupt.h"
#include "fuzz/process/screen.h"
#include "fuzz/records/expected_failures.h"
#include "fuzz/records/protocol.h"
#include "fuzz/records/provenance.h"
#include "fuzz/records/records.h"
#include "fuzz/records/summary.h"
#include "properties/problem/stopwatch.h"
#include "properties/registry.h"
#include "properties/subjects/cores.h"
#include "reports/reports.h"

namespace tileproof {

namespace fs = std::filesystem;
using nlohmann::json;

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Canary, mutant, found, cases, property)

namespace {

struct FuzzOptions {
  std::string subject;
  std::vector<std::string> properties;
  std::string duration;
  CampaignOptions limits = {.workers = 0};  // 0 workers: as many as usual
  std::string seed_text;
  std::string shard_text;
  std::string out;
  std::string resume;
  std::string memory;
  std::string known;
  GivenSubjectOptions given;
  std::vector<std::string> folders;  // for the subcommands
  std::string merged_out;
};

struct Shard {
  std::uint64_t number = 0;
  std::uint64_t of = 1;
};

std::uint64_t number_in(const std::string& argument, const std::string& given, const std::string& text,
                        const char* legal) {
  const bool is_number =
      !text.empty() && text.size() <= 10 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number) throw UsageError(argument, "'" + given + "'", legal);
  return std::stoull(text);
}

std::string variable_of_job(const char* name) {
  const char* value = name != nullptr ? std::getenv(name) : nullptr;
  return value != nullptr ? value : "";
}

/// The variables that a scheduler sets for an array of jobs. Kubernetes sets no count, so the job's own env must.
struct JobArray {
  const char *number, *count;  // both must be set, or neither
  const char *first, *last;    // nullptr: the array begins at 0 and ends at count - 1
  const char* step;            // nullptr or unset: 1
};
constexpr JobArray job_arrays[] = {{"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN",
                                    "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_STEP"},
                                   {"JOB_COMPLETION_INDEX", "JOB_COMPLETIONS", nullptr, nullptr, nullptr}};

/// The shard of this job in its array; nothing if no array's variables are set.
/// @throws UsageError if an array sets only some of them or has gaps: as shard 0 of 1, each of its jobs would run the
/// same cases
std::optional<Shard> shard_of_job() {
  const auto number = [](const char* name) {
    const std::string text = variable_of_job(name);
    return number_in(name, text, text, "a number, or --shard I/N in its place");
  };
  for (const JobArray& array : job_arrays) {
    const auto is_set = [](const char* name) { return !variable_of_job(name).empty(); };
    if (!is_set(array.number) && !is_set(array.count)) continue;
    for (const char* name : {array.number, array.count, array.first}) {
      if (name == nullptr || is_set(name)) continue;
      const char* other = name == array.number ? array.count : array.number;
      throw UsageError(name, std::string("nothing, beside ") + other + "=" + variable_of_job(other),
                       "set where that is, or --shard I/N in its place");
    }
    const std::uint64_t count = number(array.count), at = number(array.number);
    const std::uint64_t first = array.first != nullptr ? number(array.first) : 0;
    const std::uint64_t step = is_set(array.step) ? number(array.step) : 1;
    const bool has_last = is_set(array.last);
    const bool has_gaps = step == 0 || at < first || (at - first) % step != 0 || (at - first) / step >= count ||
                          (has_last && number(array.last) != first + (count - 1) * step);
    if (has_gaps || count > most_shards) {
      throw UsageError(array.number,
                       variable_of_job(array.number) + " with " + array.count + "=" + variable_of_job(array.count),
                       "a number below that count, of an array without gaps, or --shard I/N in its place");
    }
    return Shard{(at - first) / step, count};
  }
  return std::nullopt;
}

/// Reads "2/4", the third of four shards; without text, the shard of the job array.
Shard shard_of(const std::string& text) {
  constexpr const char* legal = "I/N with 0 <= I < N, and N at most 2^32";
  if (text.empty()) return shard_of_job().value_or(Shard());
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) throw UsageError("--shard", "'" + text + "'", legal);
  const Shard shard = {number_in("--shard", text, text.substr(0, slash), legal),
                       number_in("--shard", text, text.substr(slash + 1), legal)};
  if (shard.number >= shard.of || shard.of > most_shards) throw UsageError("--shard", "'" + text + "'", legal);
  return shard;
}

/// The default subject: cuda if this machine can make it, else host.
std::string usual_subject() {
  for (const char* name : {"cuda", "host"}) {
    const SubjectRow& row = subject_row(name);
    if (!row.needs_gpu) return name;
    const SelectedSubject selected = {row, {name, std::nullopt}, {}};
    Worker worker(selected.order, std::chrono::seconds(10));
    if (worker.make().why_not.empty()) return name;
  }
  return "host";
}

SelectedSubject subject_of(const FuzzOptions& options) {
  if (options.given.any()) return options.given.subject();
  return selected_subjects({options.subject.empty() ? usual_subject() : options.subject}).front();
}

/// Refuses a folder that cannot be this campaign's, before anything is made.
void require_folder(const FuzzOptions& options) {
  if (!options.out.empty()) require_no_run_in(options.out);
  if (options.resume.empty() || fs::exists(fs::path(options.resume) / "journal.jsonl")) return;
  throw UsageError("--resume", "'" + options.resume + "' (it holds no journal.jsonl)", "the folder of a campaign");
}

fs::path memory_of(const FuzzOptions& options) {
  return options.memory.empty() ? folder_of_runs() : fs::path(options.memory);
}

/// A resumed campaign keeps its identity: options given beside --resume must agree with the journal.
void require_same(const CampaignIdentity& now, const CampaignIdentity& before) {
  const auto require = [](bool same, const std::string& what) {
    if (!same) throw UsageError(what, "another than the journal's", "what the campaign was begun with");
  };
  const bool same_subject = now.subject == before.subject && now.replay_flags == before.replay_flags;
  require(same_subject && now.capabilities == before.capabilities, "--subject");
  require(now.properties == before.properties, "--property");
  require(now.seed == before.seed, "--seed");
  require(now.shard == before.shard && now.shards == before.shards, "--shard");
}

int fuzz(FuzzOptions options, const std::string& command) {
  CampaignOptions& limits = options.limits;
  limits.seconds = seconds_of("--for", options.duration);
  const bool has_limit = limits.seconds > 0 || limits.cases != 0 || limits.until_finding;
  if (!has_limit) limits.seconds = 600;
  require_folder(options);
  fs::path folder = options.resume;
  std::optional<FileLock> lock;
  const auto take = [&] {
    lock.emplace(folder / "lock", FileLock::Where::gives_up);
    if (lock->is_held()) return;
    throw UsageError(options.resume.empty() ? "--out" : "--resume",
                     "'" + folder.string() + "' (another campaign is writing there)",
                     "a folder of its own, or to wait");
  };

  JournalContents so_far;
  if (!options.resume.empty()) {
    take();
    so_far = journal_of(folder / "journal.jsonl");
    if (options.memory.empty() && fs::is_directory(so_far.memory)) {
      options.memory = so_far.memory;
    } else if (options.memory.empty() && !so_far.memory.empty()) {
      std::cerr << "the campaign was begun with --memory '" << reports::visible(so_far.memory)
                << "', which is not here; it goes on with " << memory_of(options).string() << "\n";
    }
    if (options.subject.empty() && !options.given.any() && given_subject_row(so_far.identity.subject) == nullptr) {
      options.subject = so_far.identity.subject;
    }
  }
  SelectedSubject selected = subject_of(options);
  const bool is_resumed = so_far.lines != 0;
  const Shard shard = is_resumed && options.shard_text.empty() ? Shard{so_far.identity.shard, so_far.identity.shards}
                                                               : shard_of(options.shard_text);
  std::uint64_t seed = is_resumed ? so_far.identity.seed : 0;
  if (!options.seed_text.empty()) seed = seed_of("--seed", options.seed_text);
  if (options.seed_text.empty() && !is_resumed) {
    if (shard.of > 1) throw UsageError("--seed", "none", "one beside --shard: every shard's must be the same");
    seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  }
  limits.case_deadline = options.given.case_deadline();
  const SubjectInstance ready = made_ready(selected, limits.case_deadline);
  if (ready.runner == nullptr) {
    std::cerr << "tileproof: " << selected.row.name << ": " << (ready.died.empty() ? ready.why_not : ready.died)
              << "\n";
    return ready.died.empty() ? exit_code::mistrusted : exit_code::failed;
  }
  selected.row = ready.row;
  const std::vector<const Property*> properties = is_resumed && options.properties.empty()
                                                      ? properties_named(so_far.identity.properties)
                                                      : selected_properties(options.properties);
  const CaseList list(properties, selected.row, seed);
  if (list.is_empty()) {
    std::cerr << "tileproof: --property: none of those given takes drawn cases that " << selected.row.name
              << " has the operations for; 'list properties' names them\n";
    return exit_code::mistrusted;
  }
  const CampaignIdentity identity = {.subject = selected.row.name,
                                     .properties = list.properties(),
                                     .seed = seed,
                                     .shard = shard.number,
                                     .shards = shard.of,
                                     .replay_flags = selected.replay_flags,
                                     .capabilities = dumped(json_of(selected.row.capabilities))};
  if (is_resumed) require_same(identity, so_far.identity);
  const std::vector<ExpectedFailure> expected_failures =
      expected_of(expected_failures_of(options.known), ready.facts, ready.row.capabilities);

  if (limits.workers == 0) limits.workers = selected.row.needs_gpu ? 1 : cores();
  auto start = Clock::now();
  const auto is_over = [&limits, &start] {
    return is_interrupted() || (limits.seconds > 0 && seconds_since(start) >= limits.seconds);
  };
  CampaignCorpus corpus(memory_of(options) / "corpus", selected, expected_failures, limits, is_over);

  // A call that is refused has made no folder, because every refusal stands above. Only a folder that another run has
  // taken meanwhile is refused below.
  if (!lock) {
    folder = new_run_folder(options.out);
    take();
    require_no_run_in(folder);
  }
  const fs::path journal_file = folder / "journal.jsonl";
  std::cerr << "journal: " << journal_file.string() << "\ncampaigning through cases of " << selected.row.name
            << ", seed " << in_hex(seed) << "\n";
  if (so_far.was_cut) std::cerr << "the journal's last line had been cut; it is left out\n";
  report_when_interrupted();
  json times;
  const auto begin = Clock::now();
  const std::vector<Canary> planted = canaries_found(properties, seed);
  for (const Canary& one : planted) {
    std::cerr << "planted " << one.mutant << ": "
              << (one.found ? "found in case " + std::to_string(one.cases - 1) + " by " + one.property
                            : "not found in " + std::to_string(one.cases) + " cases")
              << "\n";
  }

  fs::remove(folder / "campaign.json");  // the result of an earlier run is out of date
  Journal journal(journal_file);
  journal.run(identity, command, machine(), fs::absolute(memory_of(options)).string());
  journal.planted(planted);
  times["planted"] = seconds_since(begin);
  start = Clock::now();
  if (identity.shard == 0) {  // only one shard runs the corpus
    for (CampaignFinding& found : corpus.run_again(properties)) {
      std::cerr << "FOUND " << reports::visible(found.fingerprint) << "\n";
      journal.finding(found);
      so_far.findings.push_back(std::move(found));
    }
    journal.corpus(corpus.counts());
  }
  times["corpus"] = seconds_since(start);
  Campaign campaign(selected, list, identity, limits, journal, so_far, expected_failures);
  CampaignFacts facts = campaign.run(is_interrupted, [](const std::string& line) { std::cerr << line << "\n"; });
  // From here on a full disk loses nothing: the journal has it all.
  Written written;
  written.attempt([&] { journal.stop(facts.why); });

  facts.command = command;
  facts.planted = planted;
  facts.corpus = corpus.counts();
  facts.before = times;
  facts.seconds += so_far.seconds();
  facts.provenance = provenance_of(identity);
  json summary = campaign_summary(facts, list);
  keep_in_history(memory_of(options), folder, utc_of(is_resumed ? so_far.since : journal.run_start()), summary);
  written.write(folder / "campaign.json", dumped(summary, 2) + "\n");
  std::cout << reports::campaign_page(summary, takes_escapes(STDOUT_FILENO)) << std::flush;
  corpus.keep(facts.findings);
  return written.exit_code(summary["exit_code"]);
}

}  // namespace

std::function<int()> set_up_fuzz(CLI::App& app) {
  auto options = std::make_shared<FuzzOptions>();
  app.add_option("--subject", options->subject,
                 "a subject, or a mutant of 'list mutants' (default: cuda where it runs, else host)");
  app.add_option(
      "--property", options->properties,
      "a property, or how the names of properties begin; may be given again (default: all that take drawn cases)");
  app.add_option(
      "--for", options->duration,
      "ends after so much time, and what it takes to look into findings: 90s (or 90), 5m, 4h (default: 10m)");
  app.add_option(
         "--cases", options->limits.cases,
         "ends after so many cases of the list, all shards together, by batches of " + std::to_string(cases_of_batch))
      ->check(within(std::uint64_t{1}, std::uint64_t{1000000000000}));
  app.add_flag("--until-finding", options->limits.until_finding, "ends when something was found");
  app.add_option("--workers", options->limits.workers, "processes at once (default: one a core; one on a GPU)")
      ->check(within(std::size_t{1}, std::size_t{1024}));
  app.add_option("--seed", options->seed_text, "of the list of cases (default: another each time, which is said)");
  app.add_option(
      "--shard", options->shard_text,
      "I/N: runs only that part of the list (default: that of a Slurm array or an indexed Kubernetes job, whose "
      "env must say JOB_COMPLETIONS)");
  app.add_option("--out", options->out, std::string("folder for the journal ") + usual_run_folder);
  app.add_option("--resume", options->resume, "goes on with the campaign of that folder");
  app.add_option("--memory", options->memory,
                 "folder of what campaigns remember of each other (default: runs under the build folder, or "
                 "tileproof-runs once installed; with --resume, "
                 "that of the campaign)");
  app.add_option("--known", options->known,
                 "a ledger of known findings, as JSON (default: the one of 'list known', of PyTorch's own operators)");
  app.add_option("--shrink-seconds", options->limits.shrink_seconds, "at most, for each finding")
      ->check(within(0.0, 86400.0))
      ->capture_default_str();
  options->given.add_with_format_to(app);
  CLI::App* merged = app.add_subcommand("merge", "what shards have come to together");
  merged->add_option("folders", options->folders, "of the shards")->required();
  merged->add_option("--out", options->merged_out, "folder for campaign.json (default: as of fuzz --out)");
  CLI::App* remembered = app.add_subcommand("history", "makes the history again of runs' folders, and shows it");
  remembered->add_option("folders", options->folders,
                         "of runs: their rows alone are made again (default: all beside the history)");
  remembered->add_option("--memory", options->memory, "folder of the history (default: as of fuzz --memory)");
  return [&app, options, merged, remembered] {
    if (remembered->parsed()) return make_history(options->folders, memory_of(*options));
    if (merged->parsed()) return merge_campaigns(options->folders, options->merged_out, "fuzz " + as_given(*merged));
    if (!options->out.empty() && !options->resume.empty()) {
      throw UsageError("--out", "beside --resume", "one of the two: a campaign goes on in its own folder");
    }
    return fuzz(*options, as_given(app));
  };
}

}  // namespace tileproof
