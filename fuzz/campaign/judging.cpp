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

namespace {

class Judging {
 public:
  explicit Judging(const Round& round)
      : round_(round), order_(dear_first(round.properties)), records_(order_.size(), round.records) {
    all_.resize(round.properties.size());
  }

  std::vector<Judged> result() {
    in_threads(round_.jobs, order_.size(), [this](std::size_t, std::size_t place) { take(place); });
    for (Judged& one : all_) {
      if (!one.judgement) one.not_run = why_no_more_;
    }
    return std::move(all_);
  }

 private:
  bool is_interrupted() const { return round_.effort.stop && round_.effort.stop(); }

  bool ends_here() {
    const std::lock_guard lock(mutex_);
    if (why_no_more_.empty() && is_interrupted()) why_no_more_ = "not run: interrupted";
    return !why_no_more_.empty();
  }

  /// Called by several threads, once for each place.
  void take(std::size_t place) {
    const std::size_t i = order_[place];
    const Property& property = *round_.properties[i];
    // End the writer on every path: the writers behind it wait for it.
    const std::shared_ptr<void> ends(nullptr, [this, place](void*) { records_.end(place); });
    {
      const std::lock_guard lock(mutex_);
      round_.begins(property);
    }
    if (ends_here()) return;
    Patience own = {.crashes = 30};
    Effort effort = round_.effort;
    if (effort.patience == nullptr) effort.patience = &own;
    const Observer observer = [&](const Observation& one) { records_.add(place, round_.line(one)); };
    try {
      all_[i].judgement = judge(property, round_.row, *round_.runner(), effort, observer);
    } catch (const std::runtime_error& error) {  // the machine gives no more processes
      const std::lock_guard lock(mutex_);
      if (why_no_more_.empty()) why_no_more_ = std::string("not run: ") + error.what();
      return;
    }
    const std::lock_guard lock(mutex_);
    round_.ends(*all_[i].judgement);
  }

  const Round& round_;
  std::vector<std::size_t> order_;
  InOrder records_;
  std::vector<Judged> all_;
  std::mutex mutex_;
  std::string why_no_more_;
};

}  // namespace

std::vector<Judged> judged(const Round& round) { return Judging(round).result(); }

}  // namespace tileproof
