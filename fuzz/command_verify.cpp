// tileproof verify: every claim on every subject this machine can run.
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <sstream>

#include "../properties/draw.h"
#include "../properties/faults.h"
#include "../properties/judge.h"
#include "../reports/reports.h"
#include "commands.h"
#include "nearest.h"
#include "records.h"

namespace tileproof {

namespace {

using Clock = std::chrono::steady_clock;

/// Set by the first Ctrl-C: what has been judged is reported. The second one ends the process.
volatile sig_atomic_t interrupted = 0;
void interrupt(int) { interrupted = 1; }

void report_when_interrupted() {
  struct sigaction action = {};
  action.sa_handler = interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

struct Options {
  std::vector<std::string> subjects;
  std::vector<std::string> claims;
  std::int64_t cases = 300;
  std::string duration;
  std::string seed_text = "1";
  std::uint64_t seed = 1;  // of that text
  std::string out;
};

/// "90", "90s", "5m", "4h" in seconds; 0 for "".
double seconds_of(const std::string& duration) {
  if (duration.empty()) return 0;
  const std::size_t unit_at = duration.find_first_not_of("0123456789.");
  const std::string number = duration.substr(0, unit_at);
  const std::string unit = unit_at == std::string::npos ? "s" : duration.substr(unit_at);
  const double factor = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  double value = 0;
  std::istringstream text(number);
  if (number.empty() || !(text >> value) || !text.eof() || factor == 0 || value <= 0) {
    throw Illegal("--for", "'" + duration + "'", "a time such as 90s, 5m or 4h");
  }
  return value * factor;
}

std::vector<std::string> names_of_subjects() {
  std::vector<std::string> names;
  for (const SubjectRow& row : subjects()) names.push_back(row.name);
  for (const SubjectRow& row : faulty_subjects()) names.push_back(row.name);
  return names;
}

std::vector<const SubjectRow*> chosen_subjects(const Options& options) {
  std::vector<const SubjectRow*> chosen;
  for (const std::string& name : options.subjects) {
    const std::vector<std::string> names = names_of_subjects();
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const std::string meant = nearest(name, names);
      throw Illegal("--subject", "'" + name + "'",
                    "a name of 'tileproof list subjects' or 'list faults'" +
                        (meant.empty() ? "" : "; did you mean '" + meant + "'?"));
    }
    const SubjectRow* row = &subject_row(name);
    if (std::find(chosen.begin(), chosen.end(), row) == chosen.end()) chosen.push_back(row);
  }
  if (options.subjects.empty()) {
    for (const SubjectRow& row : subjects()) chosen.push_back(&row);
  }
  return chosen;
}

/// A claim is chosen by its name or by how it begins: "value/" is every claim about values.
std::vector<const Claim*> chosen_claims(const Options& options) {
  std::vector<const Claim*> chosen;
  std::vector<std::string> names;
  for (const Claim& claim : claims()) {
    names.push_back(claim.name);
    const bool wanted = std::any_of(options.claims.begin(), options.claims.end(),
                                    [&](const std::string& given) { return claim.name.starts_with(given); });
    if (options.claims.empty() || wanted) chosen.push_back(&claim);
  }
  for (const std::string& given : options.claims) {
    const bool known =
        std::any_of(names.begin(), names.end(), [&](const std::string& name) { return name.starts_with(given); });
    if (known && !given.empty()) continue;
    const std::string meant = nearest(given, names);
    throw Illegal("--claim", "'" + given + "'",
                  "a name of 'tileproof list claims', or how names begin" +
                      (meant.empty() ? "" : "; did you mean '" + meant + "'?"));
  }
  return chosen;
}

/// What goes on, on a terminal in one line that is overwritten, elsewhere in a line for each subject.
class Progress {
 public:
  explicit Progress(std::size_t steps) : steps_(steps), terminal_(isatty(STDERR_FILENO) != 0) {}
  ~Progress() { clear(); }

  void step(const std::string& subject, const std::string& claim) {
    ++step_;
    if (terminal_) {
      std::cerr << "\r\033[K[" << step_ << "/" << steps_ << "] " << subject << ": " << claim << std::flush;
    } else if (subject != subject_) {
      std::cerr << "judging " << subject << "\n";
    }
    subject_ = subject;
  }
  /// A line that stays.
  void say(const std::string& line) {
    clear();
    std::cerr << line << "\n";
  }
  void clear() {
    if (terminal_) std::cerr << "\r\033[K" << std::flush;
  }

 private:
  std::size_t steps_;
  std::size_t step_ = 0;
  bool terminal_;
  std::string subject_;
};

struct Outcome {
  std::vector<Judgement> judgements;
  std::vector<std::pair<const SubjectRow*, std::string>> subjects;  // and why a subject did not run
};

/// One subject, all claims, round after round of fresh seeds until the time is used up; one round where there is none.
void judge_subject(const SubjectRow& row, Subject& subject, const std::vector<const Claim*>& claims,
                   const Options& options, double seconds, Records& records, Progress& progress, Outcome& outcome) {
  const Clock::time_point begin = Clock::now();
  const Observer observer = [&records](const Observation& observation) { records.add(observation); };
  const std::size_t first = outcome.judgements.size();
  std::string not_run;
  for (std::uint64_t round = 0;; ++round) {
    for (std::size_t i = 0; i < claims.size(); ++i) {
      const Claim& claim = *claims[i];
      if (round == 0) progress.step(row.name, claim.name);
      if (not_run.empty() && interrupted != 0) not_run = "not run: interrupted";
      if (!not_run.empty() && round > 0) break;
      Judgement judgement;
      if (not_run.empty()) {
        judgement = judge(claim, row, subject, {options.cases, options.seed + round}, observer);
      } else {
        judgement = skipped(claim, row.name, not_run);
        judgement.verdict = Verdict::mistrusted;
      }
      if (judgement.device_lost) not_run = "not run: the device was lost in " + claim.name;
      if (round == 0) outcome.judgements.push_back(judgement);
      Judgement& sum = outcome.judgements[first + i];
      const bool new_finding = judgement.finding && (round == 0 || !sum.finding);
      if (round > 0) sum.add(judgement, claim, row.envelope);
      if (new_finding) progress.say("FAILED " + claim.name + " on " + row.name);
    }
    const bool out_of_time = std::chrono::duration<double>(Clock::now() - begin).count() >= seconds;
    if (out_of_time || !not_run.empty()) return;
  }
}

/// The verdict of the whole run, and why it is not PASSED.
struct Overall {
  Verdict verdict;
  std::string reason;
  int exit;
};

Overall overall(const Outcome& outcome, const Options& options) {
  const auto count = [&](Verdict verdict) {
    return std::count_if(outcome.judgements.begin(), outcome.judgements.end(),
                         [&](const Judgement& j) { return j.verdict == verdict; });
  };
  if (count(Verdict::failed) != 0) return {Verdict::failed, "", exit_code::failed};
  for (const auto& [row, why_not] : outcome.subjects) {
    if (why_not.empty()) continue;
    bool required = std::find(options.subjects.begin(), options.subjects.end(), row->name) != options.subjects.end();
#if defined(TILEPROOF_REQUIRE_GPU)
    required |= row->needs_gpu && options.subjects.empty();
#endif
    if (required)
      return {Verdict::mistrusted, row->name + " was asked for and did not run: " + why_not, exit_code::mistrusted};
  }
  for (const std::string& name : options.subjects) {
    const bool judged = std::any_of(outcome.judgements.begin(), outcome.judgements.end(), [&](const Judgement& j) {
      return j.subject == name && j.verdict != Verdict::skipped;
    });
    if (!judged) return {Verdict::mistrusted, name + " was asked for and has nothing to run", exit_code::mistrusted};
  }
  if (count(Verdict::mistrusted) != 0)
    return {Verdict::mistrusted, "some claims prove too little", exit_code::mistrusted};
  if (count(Verdict::passed) == 0) return {Verdict::mistrusted, "nothing ran", exit_code::mistrusted};
  return {Verdict::passed, "", exit_code::passed};
}

nlohmann::json summary_of(const Outcome& outcome, const Overall& verdict, const Options& options,
                          const Records& records, const std::string& command, double seconds) {
  nlohmann::json counts = {{"PASSED", 0}, {"FAILED", 0}, {"SKIPPED", 0}, {"MISTRUSTED", 0}};
  nlohmann::json judgements = nlohmann::json::array();
  std::uint64_t hash = 0;
  for (const Judgement& judgement : outcome.judgements) {
    counts[name_of(judgement.verdict)] = counts[name_of(judgement.verdict)].get<int>() + 1;
    judgements.push_back(json_of(judgement));
    hash = mixed(hash ^ judgement.output_hash);
  }
  nlohmann::json named = nlohmann::json::array();
  for (const auto& [row, why_not] : outcome.subjects) {
    named.push_back({{"name", row->name}, {"what", row->what}, {"why_not", why_not}});
  }
  return {{"schema", 1},
          {"tool", "tileproof " TILEPROOF_VERSION},
          {"command", command},
          {"run_start", records.run_start()},
          {"seconds", seconds},
          {"seed", options.seed},
          {"cases_per_claim", options.cases},
          {"machine", machine()},
          {"verdict", name_of(verdict.verdict)},
          {"reason", verdict.reason},
          {"exit_code", verdict.exit},
          {"output_hash", in_hex(hash)},
          {"counts", counts},
          {"subjects", named},
          {"judgements", judgements}};
}

int terminal_columns() {
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 160;
}

int verify(const Options& options, const std::string& command) {
  const Clock::time_point begin = Clock::now();
  const std::vector<const SubjectRow*> rows = chosen_subjects(options);
  const std::vector<const Claim*> claims = chosen_claims(options);
  const double seconds = seconds_of(options.duration);
  Records records(options.out);
  std::cerr << "records: " << records.folder().string() << "\n";
  report_when_interrupted();

  Outcome outcome;
  std::vector<MadeSubject> made;
  std::size_t runnable = 0;
  for (const SubjectRow* row : rows) {
    made.push_back(row->make());
    outcome.subjects.emplace_back(row, made.back().why_not);
    runnable += made.back().subject != nullptr ? 1 : 0;
  }
  {
    Progress progress(runnable * claims.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (made[i].subject != nullptr) {
        judge_subject(*rows[i], *made[i].subject, claims, options, seconds / static_cast<double>(runnable), records,
                      progress, outcome);
        continue;
      }
      for (const Claim* claim : claims) outcome.judgements.push_back(skipped(*claim, rows[i]->name, made[i].why_not));
    }
  }

  const Overall verdict = overall(outcome, options);
  const nlohmann::json summary = summary_of(outcome, verdict, options, records, command,
                                            std::chrono::duration<double>(Clock::now() - begin).count());
  std::cout << reports::terminal(summary, terminal_columns(), isatty(STDOUT_FILENO) != 0) << std::flush;
  records.write("summary.json", summary.dump(2) + "\n");
  records.write("summary.md", reports::markdown(summary));
  records.write("junit.xml", reports::junit(summary));
  records.finish();
  return verdict.exit;
}

}  // namespace

std::function<int()> set_up_verify(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option(
      "--subject", options->subjects,
      "a subject to judge, or a fault of 'list faults'; may be given again (default: all subjects that run here)");
  app.add_option("--claim", options->claims,
                 "a claim, or how the names of claims begin; may be given again (default: all)");
  app.add_option("--cases", options->cases, "problems drawn for each claim and subject")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1000000000}))
      ->capture_default_str();
  app.add_option("--for", options->duration,
                 "goes on with fresh seeds until so much time is used: 90s (or 90), 5m, 4h");
  app.add_option("--seed", options->seed_text, "of all problems; the same seed gives the same problems")
      ->capture_default_str();
  app.add_option("--out", options->out, "folder for the records (default: a dated one under the build folder)");
  return [&app, options] {
    options->seed = seed_of("--seed", options->seed_text);
    if (app.count("--for") != 0 && options->duration.empty())
      throw Illegal("--for", "''", "a time such as 90s, 5m or 4h");
    if (app.count("--out") != 0 && options->out.empty()) throw Illegal("--out", "''", "a folder");
    std::string command = "verify";
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& value : option->results()) command += " " + option->get_name() + " " + value;
    }
    return verify(*options, command);
  };
}

}  // namespace tileproof
