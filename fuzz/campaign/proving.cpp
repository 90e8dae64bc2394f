#include "fuzz/campaign/proving.h"

#include <iostream>

#include <algorithm>
#include <mutex>

#include "fuzz/process/in_threads.h"
#include "properties/judging/shrinking.h"
#include "properties/problem/stopwatch.h"

namespace tileproof {

const char* name_of(Proof proof) {
  constexpr const char* names[] = {"PROVED", "SAMPLED", "FAILED", "MISTRUSTED", "SKIPPED"};
  return names[static_cast<int>(proof)];
}

std::shared_ptr<const Processes> started(const SelectedSubject& selected, std::size_t count,
                                         std::chrono::milliseconds step_deadline) {
  Processes ready;
  for (std::size_t i = 0; i < count; ++i) {
    ready.push_back(made_ready(selected, step_deadline));
    const bool on_a_gpu = ready.back().row.capabilities.step_elements > Capabilities().step_elements;
    const bool is_ready = ready.back().runner != nullptr;
    if (!is_ready && i > 0) {  // continue with fewer processes
      std::cerr << "tileproof: " << i << " of " << count << " processes of " << ready.back().row.name
                << " could be started\n";
      ready.pop_back();
    }
    if (!is_ready || on_a_gpu) break;
  }
  return std::make_shared<const Processes>(std::move(ready));
}

namespace {

bool is_within_reach(const Enumeration& enumeration, const Capabilities& capabilities) {
  return enumeration.steps == 0 || capabilities.takes(enumeration.problem(0));
}

}  // namespace

ProofTask::ProofTask(const Property& property, const SelectedSubject& selected,
                     std::shared_ptr<const Processes> processes, std::vector<Enumeration> enumerations)
    : property_(property), processes_(std::move(processes)), enumerations_(std::move(enumerations)) {
  result_.kind = property.proof;
  result_.property = property.name;
  result_.subject = selected.row.name;
  result_.replay_flags = selected.replay_flags;
  const SubjectInstance& subject = processes_->front();
  if (subject.runner == nullptr) {
    result_.reason = subject.died.empty() ? subject.why_not : subject.died;
    if (!subject.died.empty()) result_.verdict = Proof::failed;
    return;
  }
  sample_space_of(property, subject.row.capabilities, &result_.reason);
  if (!result_.reason.empty()) return;
  if (!enumerations_.empty() && !is_within_reach(enumerations_.front(), subject.row.capabilities)) {
    const Problem step = enumerations_.front().problem(0);
    settle(Proof::skipped, "out of reach of what the subject takes: steps of " + std::to_string(step.n) + " x " +
                               std::to_string(step.k) + " as " + step.format->name + " with groups of " +
                               std::to_string(step.group_size));
    return;
  }
  for (const Enumeration& enumeration : enumerations_) {
    first_steps_.push_back(result_.steps);
    result_.steps += enumeration.steps;
    result_.points += static_cast<std::uint64_t>(enumeration.steps) * enumeration.points_of_step;
    result_.point = enumeration.point;
    result_.order = enumeration.order;
    const std::string type = enumeration.steps == 0 ? "" : name_of(enumeration.problem(0).types);
    result_.type = first_steps_.size() == 1 || result_.type == type ? type : "";
  }
  settle(Proof::sampled);
  if (result_.steps == 0) settle(Proof::skipped, "the subject takes no problem of the domain");
}

void ProofTask::settle(Proof verdict, const std::string& reason) {
  result_.verdict = verdict;
  result_.reason = reason;
}

std::vector<ProofTask> proof_tasks(const Property& property, const SelectedSubject& selected,
                                   const std::shared_ptr<const Processes>& processes) {
  std::vector<std::vector<Enumeration>> by_point;
  std::string why_not;
  const Capabilities capabilities = processes->front().row.capabilities.of(property.needs);
  sample_space_of(property, capabilities, &why_not);
  if (processes->front().runner != nullptr && why_not.empty()) {
    for (Enumeration& enumeration : property.enumerations(capabilities)) {
      // Enumerations out of reach become a task of their own, which says so: the others do not cover the whole domain.
      const bool is_taken = is_within_reach(enumeration, capabilities);
      const auto same = std::find_if(by_point.begin(), by_point.end(), [&](const std::vector<Enumeration>& one) {
        return one.front().point == enumeration.point && is_within_reach(one.front(), capabilities) == is_taken;
      });
      std::vector<Enumeration>& group = same != by_point.end() ? *same : by_point.emplace_back();
      group.push_back(std::move(enumeration));
    }
  }
  if (by_point.empty()) by_point.emplace_back();
  std::vector<ProofTask> tasks;
  for (std::vector<Enumeration>& one : by_point) tasks.emplace_back(property, selected, processes, std::move(one));
  return tasks;
}

std::pair<const Enumeration&, std::int64_t> ProofTask::place_of(std::int64_t step) const {
  const auto after = std::upper_bound(first_steps_.begin(), first_steps_.end(), step);
  const auto i = static_cast<std::size_t>(after - first_steps_.begin() - 1);
  return {enumerations_.at(i), step - first_steps_[i]};
}

CaseOutcome ProofTask::run_step(std::size_t process, std::int64_t step, Coverage& coverage) {
  const auto& [enumeration, index] = place_of(step);
  Problem problem = enumeration.problem(index);
  problem.property = property_.name;
  problem.subject = result_.subject;
  return processes_->at(process).runner->run(property_, problem, coverage);
}

void ProofTask::estimate() {
  if (result_.steps == 0) return;
  // The first enumeration tells what a step costs whatever it holds. Enumerations of growing steps tell what a point
  // costs, until a step takes `long_seconds`.
  double of_step = 0, of_point = 0;
  std::uint64_t tried = 0;
  constexpr std::uint64_t typical_points = 1 << 24;
  constexpr double long_seconds = 0.05;
  for (std::size_t i = 0; i < enumerations_.size() && tried < typical_points; ++i) {
    const std::uint64_t points = enumerations_[i].points_of_step;
    if (points < 8 * tried) continue;
    tried = points;
    double seconds = 0;
    for (int again = 0; again < 2 && seconds < long_seconds; ++again) {  // the first run also allocates memory
      const Clock::time_point begin = Clock::now();
      Coverage coverage;
      const CaseOutcome outcome = run_step(0, first_steps_[i], coverage);
      if (outcome.finding) {  // it needs no second run
        result_.finding = outcome.finding;
        result_.estimated_seconds = 0;
        return;
      }
      seconds = seconds_since(begin);
    }
    of_point = seconds / static_cast<double>(points);
    if (i == 0 && enumerations_.size() > 1) of_step = seconds;
    if (seconds >= long_seconds) break;
  }
  result_.estimated_seconds =
      (of_step * static_cast<double>(result_.steps) + of_point * static_cast<double>(result_.points)) /
      static_cast<double>(processes_->size());
}

void ProofTask::run(double seconds, const std::function<bool()>& stop,
                    const std::function<void(std::uint64_t)>& progress, double shrink_seconds) {
  if (result_.steps == 0) return;
  const Clock::time_point begin = Clock::now();
  std::mutex mutex;
  std::string refusal, broken;
  std::int64_t refused = 0;
  std::int64_t unavailable = 0;
  std::int64_t short_steps = 0;
  const auto work = [&](std::size_t process, std::size_t i) {
    const auto step = static_cast<std::int64_t>(i);
    Coverage coverage;
    const CaseOutcome outcome = run_step(process, step, coverage);
    const std::lock_guard<std::mutex> lock(mutex);
    if (outcome.finding) {
      if (!result_.finding) result_.finding = outcome.finding;
      return;
    }
    if (outcome.refused || outcome.unavailable || outcome.discarded) {
      ++(outcome.unavailable ? unavailable : refused);
      if (refused + unavailable == 1) {
        refusal = outcome.refused ? *outcome.refused : outcome.unavailable ? *outcome.unavailable : "discarded";
      }
      return;
    }
    const Enumeration& enumeration = place_of(step).first;
    const std::uint64_t wanted = enumeration.points_of_step;
    const auto compared = static_cast<std::uint64_t>(coverage.compared);
    const bool is_other = enumeration.compared_of_step != 0 && compared != enumeration.compared_of_step;
    if (compared < wanted || is_other) ++short_steps;
    ++result_.steps_done;
    result_.points_done += wanted;
    result_.coverage.add(coverage);
    if (process == 0) progress(result_.points_done);
  };
  const auto is_over = [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    return result_.finding || stop() || (seconds > 0 && seconds_since(begin) >= seconds);
  };
  try {
    in_threads(processes_->size(), static_cast<std::size_t>(result_.steps), work, is_over);
  } catch (const std::exception& error) {  // the machine gives no more processes
    broken = error.what();
  }
  if (result_.finding) {
    try {
      make_smaller(*result_.finding, stop, shrink_seconds);
    } catch (const std::runtime_error& error) {  // the machine gives no more processes
      result_.finding->details += "\n  (it could not be made smaller: " + std::string(error.what()) + ")";
    }
  }
  result_.seconds = seconds_since(begin);

  const std::int64_t not_run = refused + unavailable;
  if (result_.finding) return settle(Proof::failed);
  if (!broken.empty()) return settle(Proof::mistrusted, broken);
  if (short_steps != 0) {
    return settle(Proof::mistrusted, std::to_string(short_steps) + " steps did not compare what they hold");
  }
  if (refused != 0 && property_.on_refusal != OnRefusal::allowed) {
    return settle(Proof::mistrusted,
                  std::to_string(refused) + " steps that the subject should take were refused: " + refusal);
  }
  if (result_.steps_done == 0 && unavailable != 0) return settle(Proof::skipped, refusal);
  if (result_.steps_done == 0) return settle(Proof::mistrusted, "nothing was compared: no step was done");
  if (result_.steps_done < result_.steps) {
    return settle(Proof::sampled, not_run != 0 ? std::to_string(not_run) + " steps could not be run: " + refusal
                                  : stop()     ? "interrupted"
                                               : "its share of the time (--budget) was used up");
  }
  if (!result_.coverage.several_values) return settle(Proof::mistrusted, "one value was expected everywhere");
  settle(Proof::proved);
}

void ProofTask::make_smaller(Finding& finding, const std::function<bool()>& stop, double seconds) {
  const SubjectInstance& subject = processes_->front();
  std::string why_not;
  const SampleSpace space = sample_space_of(property_, subject.row.capabilities, &why_not);
  const Shrunk smallest =
      shrunk(property_, space, finding, *subject.runner, are_of_one_kind, {.seconds = seconds, .stop = stop});
  finding = smallest.finding;
  result_.shrunk = smallest.how_far;
}

}  // namespace tileproof
