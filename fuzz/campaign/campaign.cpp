#include "fuzz/campaign/campaign.h"

#include <algorithm>

#include "fuzz/campaign/fingerprint.h"
#include "fuzz/process/in_threads.h"
#include "fuzz/records/expected_failures.h"

namespace tileproof {

namespace {

/// A worker process is replaced after this many cases, because the cases before a failing one may have to run again. On
/// a GPU they take six seconds; a process takes a fifth of a second to start.
constexpr std::size_t most_history = 256 * cases_of_batch;

}  // namespace

CampaignFinding as_found(const std::string& fingerprint, const FailedCase& failed, const std::string& shrunk) {
  return {.fingerprint = fingerprint,
          .cases = {failed.index},
          .smallest = failed.finding,
          .how = "as found",
          .shrunk = shrunk};
}

void BatchTally::add(std::uint64_t index, const Property& property, const CaseOutcome& outcome, std::int64_t compared) {
  counts_.elements += compared;
  compared_[property.name] |= compared != 0;
  const bool refused = outcome.refused && property.on_refusal != OnRefusal::allowed;
  asked_[property.name] |= outcome.has_passed() || refused;
  if (outcome.has_passed()) passed_.insert(index);
  ++(outcome.finding       ? counts_.failed
     : outcome.refused     ? counts_.refused
     : outcome.unavailable ? counts_.unavailable
     : outcome.discarded   ? counts_.discarded
                           : counts_.passed);
  if (!outcome.finding) return;
  const ExpectedFailure* known = known_as(expected_failures_, *outcome.finding);
  ++(known != nullptr ? counts_.known[known->id] : counts_.fingerprints[fingerprint_of(*outcome.finding)]);
}

BatchCounts BatchTally::counts() const {
  BatchCounts counts = counts_;
  counts.seconds = seconds_since(begin_);
  for (const auto& [property, has_compared] : compared_) {
    if (!has_compared) (asked_.at(property) ? counts.idle : counts.absent).push_back(property);
  }
  return counts;
}

bool Signed::add(std::uint64_t index) {
  const auto at = std::upper_bound(examples.begin(), examples.end(), index);
  if (examples.size() == most_examples && at == examples.end()) return false;
  examples.insert(at, index);
  if (examples.size() > most_examples) examples.pop_back();
  return true;
}

Campaign::Campaign(const SelectedSubject& selected, const CaseList& list, const CampaignIdentity& identity,
                   const CampaignOptions& options, Journal& journal, const JournalContents& so_far,
                   const std::vector<ExpectedFailure>& expected_failures)
    : selected_(selected),
      list_(list),
      options_(options),
      journal_(journal),
      expected_failures_(expected_failures),
      again_(unfinished_batches(so_far)),
      next_batch_(identity.shard) {
  facts_.identity = identity;
  facts_.done = so_far.done;
  for (const auto& [batch, counts] : facts_.done) {
    next_batch_ = std::max(next_batch_, batch + facts_.identity.shards);
    for (const std::uint64_t index : cases_of(batch)) cells_.insert(list_.cell_at(index));
  }
  for (const std::uint64_t batch : again_) next_batch_ = std::max(next_batch_, batch + facts_.identity.shards);
  for (const FailedCase& failed : so_far.failed) {
    seen_.insert({failed.index, failed.finding.kind});
    Signed& one = facts_.findings[fingerprint_of(failed.finding)];
    if (one.examples.empty()) one.finding = as_found("", failed);
    if (one.examples.empty()) one.found_first = failed.index;
    one.add(failed.index);
  }
  for (const CampaignFinding& found : so_far.findings) {
    facts_.findings[found.fingerprint].finding = found;
    const bool was_looked_into = found.was_looked_into && begins_look({found.fingerprint, {0, found.smallest}, {}});
    if (was_looked_into) ends_look(found.smallest, found.is_reproducible);
  }
}

CampaignFacts Campaign::run(const std::function<bool()>& stop, const std::function<void(const std::string&)>& say) {
  stop_ = stop;
  say_ = say;
  in_threads(options_.workers, options_.workers, [this](std::size_t, std::size_t worker) { work(worker); });
  // Look into findings of an earlier run that was killed before it looked into them, if they did not fail again now.
  try {
    for (const auto& [fingerprint, one] : std::map(facts_.findings)) {
      const bool is_open = one.finding.fingerprint.empty() && broken_.empty();
      if (is_open) look_into({fingerprint, {one.found_first, one.finding.smallest}, {}});
    }
  } catch (const std::exception& error) {
    is_broken_by(error);
  }
  facts_.why = broken_.empty() ? why_over() : broken_;
  facts_.unfinished = again_.size();
  facts_.machine_is_at_fault = !broken_.empty() && (memory_is_broken_ || facts_.findings.empty());
  facts_.starting_seconds = starting_seconds_;
  facts_.findings_seconds = findings_seconds_;
  facts_.seconds = seconds_since(begin_);
  return facts_;
}

std::string Campaign::why_over() {
  if (stop_()) return "interrupted";
  if (options_.seconds > 0 && seconds_since(begin_) >= options_.seconds) return "its time was used up";
  if (options_.until_finding && !facts_.findings.empty()) return "something was found";
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
  next_batch_ += facts_.identity.shards;
  return true;
}

void Campaign::work(std::size_t worker) {
  try {
    Process process;
    for (std::uint64_t batch; next(batch);) {
      journal_.begin(batch, worker);
      run_batch(process, batch);
    }
    end(process);
  } catch (const std::exception& error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_broken_by(error);
  }
}

/// The first error that ends the campaign is its verdict.
void Campaign::is_broken_by(const std::exception& error) {
  if (!broken_.empty()) return;
  memory_is_broken_ = dynamic_cast<const BrokenMemory*>(&error) != nullptr;
  broken_ = error.what();
}

void Campaign::end(Process& process) {
  if (process.worker != nullptr) starting_seconds_ += process.worker->starting_seconds();
  process = {};
}

void Campaign::run_batch(Process& process, std::uint64_t batch) {
  const std::vector<std::uint64_t> indices = cases_of(batch);
  const std::vector<ListedCase> cases = list_.at(indices);
  for (int times = 1;; ++times) {
    if (process.history.size() > most_history) end(process);
    if (process.worker == nullptr) process.worker = std::make_unique<Worker>(selected_.order, options_.case_deadline);
    BatchTally tally(expected_failures_);
    try {
      process.worker->run_all(cases, [&](std::size_t i, const CaseOutcome& given, std::int64_t compared) {
        CaseOutcome outcome = given;
        const bool may_be_killed_from_outside = given.process_lost && !given.was_hang && given.finding;
        if (may_be_killed_from_outside && was_killed(given.finding->details)) {
          outcome = outcome_alone(*given.finding, compared);
        }
        tally.add(indices[i], *cases[i].property, outcome, compared);
        if (outcome.finding) take({indices[i], *outcome.finding}, process.history);
        process.history.push_back(indices[i]);
        if (given.process_lost) process.history.clear();
        if (!given.process_lost) return;
        const std::lock_guard<std::mutex> lock(mutex_);
        ++facts_.lost_workers;
      });
      return end(batch, cases, tally);
    } catch (const BrokenMemory&) {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++facts_.lost_workers;
      if (times == most_canaries) throw;
    }
    say_("memory did not hold what was written to it, in batch " + std::to_string(batch));
    end(process);
  }
}

void Campaign::end(std::uint64_t batch, const std::vector<ListedCase>& cases, const BatchTally& tally) {
  const std::uint64_t first = batch * cases_of_batch;
  std::vector<std::pair<std::size_t, Cell>> cells;  // by the places of the cases
  for (std::size_t i = 0; i < cases.size(); ++i) cells.emplace_back(i, list_.cell_at(first + i));
  const BatchCounts counts = tally.counts();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(cells, [&](const auto& one) {
      return !cells_.insert(one.second).second || !tally.has_passed(first + one.first);
    });
    facts_.done[batch] = counts;
  }
  for (const auto& [i, cell] : cells) journal_.first_of_cell(first + i, cases[i].problem, text_of(cell));
  journal_.end(batch, counts);
}

void Campaign::take(const FailedCase& failed, const std::vector<std::uint64_t>& history) {
  const bool is_known = known_as(expected_failures_, failed.finding) != nullptr;
  const std::string fingerprint = fingerprint_of(failed.finding);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    // A case may have been seen in an earlier run of the same batch.
    if (!is_known && seen_.insert({failed.index, failed.finding.kind}).second) {
      Signed& one = facts_.findings[fingerprint];
      if (one.examples.empty()) one.found_first = failed.index;
      if (one.examples.empty() && one.finding.fingerprint.empty()) one.finding = as_found("", failed);
      if (one.add(failed.index)) journal_.failed(failed);
    }
    const auto one = facts_.findings.find(fingerprint);
    if (one == facts_.findings.end() || one->second.found_first != failed.index) return;  // expected, or found before
    if (!one->second.finding.fingerprint.empty()) return;
  }
  look_into({fingerprint, failed, history});
}

}  // namespace tileproof
