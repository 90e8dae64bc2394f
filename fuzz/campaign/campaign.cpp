#include "fuzz/campaign/campaign.h"

#include <algorithm>
#include <thread>

#include "fuzz/campaign/fingerprint.h"
#include "fuzz/process/batch.h"
#include "fuzz/process/stopwatch.h"
#include "fuzz/records/expected_failures.h"

namespace tileproof {

namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

/// A worker process is replaced after this many cases, because the cases before a failing one may have to run again. On
/// a GPU they take six seconds; a process takes a fifth of a second to start.
constexpr std::size_t most_history = 256 * cases_of_batch;

CampaignFinding as_found(const FailedCase& failed) {
  CampaignFinding finding;
  finding.cases = {failed.index};
  finding.smallest = failed.finding;
  finding.how = "as found";
  finding.shrunk = "not looked into";
  return finding;
}

}  // namespace

bool Signed::add(std::uint64_t index) {
  const auto at = std::upper_bound(examples.begin(), examples.end(), index);
  if (examples.size() == most_examples && at == examples.end()) return false;
  examples.insert(at, index);
  if (examples.size() > most_examples) examples.pop_back();
  return true;
}

Campaign::Campaign(const SelectedSubject& selected, const Capabilities& capabilities, const CaseList& list,
                   const CampaignIdentity& identity, const CampaignOptions& options,
                   const std::filesystem::path& folder, Journal& journal, const JournalContents& so_far,
                   const std::vector<ExpectedFailure>& expected_failures)
    : selected_(selected),
      capabilities_(capabilities),
      list_(list),
      identity_(identity),
      options_(options),
      in_flight_file_(folder / "in-flight"),
      in_flight_(in_flight_file_, 2 * options.workers),
      journal_(journal),
      expected_failures_(expected_failures),
      again_(unfinished_batches(so_far)),
      next_batch_(identity.shard),
      done_(so_far.done) {
  for (const auto& [batch, counts] : done_) {
    next_batch_ = std::max(next_batch_, batch + identity_.shards);
    for (const std::uint64_t index : cases_of(batch)) cells_.insert(cell_at(index));
  }
  for (const std::uint64_t batch : again_) next_batch_ = std::max(next_batch_, batch + identity_.shards);
  for (const FailedCase& failed : so_far.failed) {
    seen_.insert({failed.index, failed.finding.kind});
    Signed& one = findings_[fingerprint_of(failed.finding)];
    if (one.examples.empty()) one.finding = as_found(failed);
    if (one.examples.empty()) one.found_first = failed.index;
    one.add(failed.index);
  }
  for (const CampaignFinding& found : so_far.findings) {
    findings_[found.fingerprint].finding = found;
    const bool was_looked_into = found.was_looked_into && begins_look({found.fingerprint, {0, found.smallest}, {}});
    if (was_looked_into) ends_look(found.smallest, found.is_reproducible);
  }
}

Cell Campaign::cell_at(std::uint64_t index) const {
  const ListedCase listed = list_.at(index);
  return cell_of(*listed.property, listed.problem);
}

std::string Campaign::run(const std::function<bool()>& stop, const std::function<void(const std::string&)>& say) {
  stop_ = stop;
  say_ = say;
  std::vector<std::thread> threads;
  for (std::size_t worker = 1; worker < options_.workers; ++worker) {
    threads.emplace_back([this, worker] { work(worker); });
  }
  work(0);
  for (std::thread& thread : threads) thread.join();
  // Look into findings of an earlier run that was killed before it looked into them, if they did not fail again now.
  try {
    for (const auto& [fingerprint, one] : std::map(findings_)) {
      const bool is_open = one.finding.fingerprint.empty() && broken_.empty();
      if (is_open) look_into({fingerprint, {one.found_first, one.finding.smallest}, {}}, 0);
    }
  } catch (const std::exception& error) {
    broken_ = error.what();
  }
  if (!broken_.empty()) return broken_;
  return why_over();
}

double Campaign::seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

std::string Campaign::why_over() {
  if (stop_()) return "interrupted";
  if (options_.seconds > 0 && seconds() >= options_.seconds) return "its time was used up";
  if (options_.until_finding && !findings_.empty()) return "something was found";
  if (options_.cases != 0 && next_batch_ * cases_of_batch >= options_.cases && again_.empty())
    return "all its cases were run";
  return "";
}

bool Campaign::next(std::uint64_t& batch) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!broken_.empty() || !why_over().empty()) return false;
  if (!again_.empty()) {
    batch = again_.back();
    again_.pop_back();
    return true;
  }
  batch = next_batch_;
  next_batch_ += identity_.shards;
  return true;
}

void Campaign::work(std::size_t worker) {
  try {
    std::unique_ptr<Worker> process;
    std::vector<std::uint64_t> history;
    for (std::uint64_t batch; next(batch);) {
      journal_.begin(batch, worker);
      run_batch(worker, process, history, batch);
    }
  } catch (const std::exception& error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (broken_.empty()) broken_ = error.what();
  }
}

std::unique_ptr<Worker> Campaign::started(std::size_t slot) {
  const Stopwatch starting(starting_seconds_);
  for (int kills = 0;;) {
    auto process = std::make_unique<Worker>(selected_.order, options_.case_deadline);
    if (const MadeElsewhere made = process->make(); !made.why_not.empty()) {
      throw std::runtime_error("the subject " + selected_.row.name + " cannot be run any more: " + made.why_not);
    }
    in_flight_.end(slot);
    const json order = order_for_batches(identity_.properties, identity_.seed, capabilities_, in_flight_file_,
                                         2 * options_.workers, slot);
    const Clock::time_point begin = Clock::now();
    const auto is_overdue = [begin] { return Clock::now() - begin > std::chrono::minutes(1); };
    const auto nobody = [](const json&) {};
    if (process->asked(order, nobody, is_overdue)) return process;
    const std::string death = process->death();
    if (!was_killed(death) || process->timed_out() || ++kills == most_kills)
      throw std::runtime_error("a worker " + death);
  }
}

std::optional<json> Campaign::asked(Worker& process, std::size_t slot, const json& question,
                                    const std::function<void(const json&)>& note) {
  const auto is_overdue = [&] {
    const std::optional<InFlight::Now> now = in_flight_.now(slot);
    return now && now->since > options_.case_deadline;
  };
  return process.asked(question, note, is_overdue);
}

void Campaign::run_batch(std::size_t worker, std::unique_ptr<Worker>& process, std::vector<std::uint64_t>& history,
                         std::uint64_t batch) {
  std::vector<std::uint64_t> skipped;
  std::vector<FailedCase> ended_a_process;
  int deaths_between_cases = 0, canaries_failed = 0, kills = 0;
  for (;;) {
    if (process == nullptr || history.size() > most_history) {
      process = started(worker);
      history.clear();
    }
    std::vector<FailedCase> failed;
    const auto note = [&](const json& told) {
      const std::uint64_t index = told.at("case");
      const CaseOutcome outcome = outcome_of(told.at("outcome"), problem_of(told.at("problem")));
      if (outcome.finding) failed.push_back({index, *outcome.finding});
      if (outcome.finding) remember(failed.back());
    };
    const std::vector<std::uint64_t> cases = cases_of(batch, skipped);
    const std::optional<json> answer = asked(*process, worker, question_for_cases(cases), note);
    const std::string ended_by = answer ? answer->value("ended_by", "") : "death";
    const auto with_history = [&](std::uint64_t index) {
      std::vector<std::uint64_t> all = history;
      all.insert(all.end(), cases.begin(), std::find(cases.begin(), cases.end(), index));
      return all;
    };
    const std::optional<InFlight::Now> in_case = in_flight_.now(worker);
    std::string death = answer ? "" : process->death();
    const std::string touch = answer ? "" : process->touch();
    const bool was_hang = process->timed_out();
    if (!ended_by.empty()) process.reset();
    for (const FailedCase& one : failed) take(one, with_history(one.index), worker);
    if (ended_by.empty()) {
      BatchCounts counts = batch_counts_of(answer->at("counts"));
      counts.failed += static_cast<std::int64_t>(skipped.size());
      count(failed, counts);
      count(ended_a_process, counts);
      history.insert(history.end(), cases.begin(), cases.end());
      end(batch, counts, answer->at("not_passed"));
      return;
    }
    if (ended_by == "canary") {
      say_("memory did not hold what was written to it, in batch " + std::to_string(batch));
      const std::lock_guard<std::mutex> lock(mutex_);
      ++lost_workers_;
      if (++canaries_failed < most_canaries) continue;
      memory_is_broken_ = true;
      broken_ = "the machine is at fault: memory does not hold what is written to it, in " +
                std::to_string(most_canaries) + " processes one after another";
      return;
    }
    if (ended_by == "device") {
      if (failed.empty()) throw std::runtime_error("a device was lost, and no case of it");
      skipped.push_back(failed.back().index);
      ended_a_process.push_back(failed.back());
      continue;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++lost_workers_;
    }
    if (!in_case) {
      if (++deaths_between_cases < most_canaries) continue;
      throw std::runtime_error("a worker " + death + ", between cases, again and again");
    }
    FailedCase lost = {in_case->index, finding_of_death(list_.at(in_case->index).problem, touch, death)};
    if (was_hang) {
      lost.finding.kind = kind_of_hang;
      lost.finding.details =
          "no answer within " + std::to_string(options_.case_deadline.count()) + " ms: the process was killed" + death;
    }
    if (was_killed(death) && !was_hang && ++kills < most_kills && !fails_alone(lost)) {
      say_("a worker was killed from outside in case " + std::to_string(lost.index) + ", which passes alone");
      continue;
    }
    remember(lost);
    take(lost, with_history(lost.index), worker);
    skipped.push_back(lost.index);
    ended_a_process.push_back(lost);
  }
}

void Campaign::end(std::uint64_t batch, const BatchCounts& counts, const std::vector<std::uint64_t>& not_passed) {
  std::vector<std::pair<std::uint64_t, Cell>> cells;
  for (const std::uint64_t index : cases_of(batch)) cells.emplace_back(index, cell_at(index));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(cells, [&](const auto& one) {
      const bool has_passed = std::find(not_passed.begin(), not_passed.end(), one.first) == not_passed.end();
      return !cells_.insert(one.second).second || !has_passed;
    });
    done_[batch] = counts;
  }
  for (const auto& [index, cell] : cells) journal_.first_of_cell(index, list_.at(index).problem, text_of(cell));
  journal_.end(batch, counts);
}

/// Adds the failed cases of a batch to its counts, by ledger entry or by fingerprint.
void Campaign::count(const std::vector<FailedCase>& failed, BatchCounts& counts) const {
  for (const FailedCase& one : failed) {
    const ExpectedFailure* known = known_as(expected_failures_, one.finding);
    ++(known != nullptr ? counts.known[known->id] : counts.fingerprints[fingerprint_of(one.finding)]);
  }
}

void Campaign::remember(const FailedCase& failed) {
  if (known_as(expected_failures_, failed.finding) != nullptr) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!seen_.insert({failed.index, failed.finding.kind}).second) return;  // seen in an earlier run of the same batch
  Signed& one = findings_[fingerprint_of(failed.finding)];
  if (one.examples.empty()) one.found_first = failed.index;
  if (one.examples.empty() && one.finding.fingerprint.empty()) one.finding = as_found(failed);
  if (one.add(failed.index)) journal_.failed(failed);
}

void Campaign::take(const FailedCase& failed, const std::vector<std::uint64_t>& history, std::size_t slot) {
  const std::string fingerprint = fingerprint_of(failed.finding);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto one = findings_.find(fingerprint);
    if (one == findings_.end() || one->second.found_first != failed.index) return;  // expected, or found before
    if (!one->second.finding.fingerprint.empty()) return;
  }
  look_into({fingerprint, failed, history}, slot);
}

}  // namespace tileproof
