#include "fuzz/campaign/judging.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "fuzz/process/in_threads.h"

namespace tileproof {

std::vector<std::size_t> dear_first(const std::vector<const Property*>& properties) {
  std::vector<std::size_t> order(properties.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_partition(order.begin(), order.end(), [&](std::size_t i) { return properties[i]->sampling.is_fixed(); });
  return order;
}

void InOrder::add(std::size_t writer, const std::string& text) {
  std::unique_lock lock(mutex_);
  if (waiting_[writer].size() > much) turn_.wait(lock, [&] { return first_ == writer; });
  if (first_ == writer) return write_(text);
  waiting_[writer] += text;
}

void InOrder::end(std::size_t writer) {
  const std::lock_guard lock(mutex_);
  ended_[writer] = true;
  while (first_ < ended_.size() && ended_[first_]) {
    if (++first_ == ended_.size()) break;
    write_(waiting_[first_]);
    waiting_[first_] = {};
  }
  turn_.notify_all();
}

std::vector<Judged> judged(const Round& round) {
  const std::vector<std::size_t> order = dear_first(round.properties);
  InOrder records(order.size(), round.records);
  std::vector<Judged> all(order.size());
  std::mutex mutex;
  std::string why_no_more;
  in_threads(round.jobs, order.size(), [&](std::size_t, std::size_t place) {
    const Property& property = *round.properties[order[place]];
    Judged& one = all[order[place]];
    // End the writer on every path: the writers behind it wait for it.
    const std::shared_ptr<void> ends(nullptr, [&](void*) { records.end(place); });
    {
      const std::lock_guard lock(mutex);
      round.begins(property);
      const bool is_interrupted = round.effort.stop && round.effort.stop();
      if (is_interrupted && why_no_more.empty()) why_no_more = "not run: interrupted";
      if (!why_no_more.empty()) return;
    }
    Patience own = {.crashes = 30};
    Effort effort = round.effort;
    if (effort.patience == nullptr) effort.patience = &own;
    const Observer observer = [&](const Observation& seen) { records.add(place, round.line(seen)); };
    try {
      one.judgement = judge(property, round.row, *round.runner(), effort, observer);
    } catch (const std::runtime_error& error) {  // the machine gives no more processes
      const std::lock_guard lock(mutex);
      if (why_no_more.empty()) why_no_more = std::string("not run: ") + error.what();
      return;
    }
    const std::lock_guard lock(mutex);
    round.ends(*one.judgement);
  });
  for (Judged& one : all) {
    if (!one.judgement) one.not_run = why_no_more;
  }
  return all;
}

}  // namespace tileproof
