#include "fuzz/process/worker_pool.h"

#include <stdexcept>

namespace tileproof {

class WorkerPool::Lent : public CaseRunner {
 public:
  Lent(std::shared_ptr<WorkerPool> pool, std::unique_ptr<Worker> worker)
      : pool_(std::move(pool)), worker_(std::move(worker)) {}
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() override {
    if (!has_failed_) pool_->give_back(std::move(worker_));
  }

  CaseOutcome run(const Property& property, const Problem& problem, Coverage& coverage) override {
    CaseOutcome outcome = worker_->run(property, problem, coverage);
    has_failed_ = has_failed_ || outcome.finding || outcome.process_lost;
    return outcome;
  }
  bool start_afresh() override { return worker_->start_afresh(); }

 private:
  std::shared_ptr<WorkerPool> pool_;
  std::unique_ptr<Worker> worker_;
  bool has_failed_ = false;
};

std::unique_ptr<CaseRunner> WorkerPool::taken() {
  std::unique_ptr<Worker> worker;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      worker = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (worker == nullptr) worker = std::make_unique<Worker>(order_, deadline_);
  const MadeElsewhere made = worker->make();
  if (!made.why_not.empty()) {
    throw std::runtime_error("the subject " + order_.subject + " cannot be made any more: " + made.why_not);
  }
  return std::make_unique<Lent>(shared_from_this(), std::move(worker));
}

void WorkerPool::give_back(std::unique_ptr<Worker> worker) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(worker));
}

}  // namespace tileproof
