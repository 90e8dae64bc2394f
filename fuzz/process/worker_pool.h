/// Keeps a subject's workers between properties, because starting a process for each property would take longer than
/// its cases.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "fuzz/process/worker.h"

namespace tileproof {

class WorkerPool : public std::enable_shared_from_this<WorkerPool> {
 public:
  WorkerPool(const SubjectOrder& order, std::chrono::milliseconds deadline) : order_(order), deadline_(deadline) {}

  /// A runner whose process has made the subject anew. Destroying the runner returns the process to the pool, unless a
  /// case failed in it: such a process is not used for other properties.
  /// @throws std::runtime_error if the subject can no longer be made
  std::unique_ptr<CaseRunner> taken();

 private:
  class Lent;
  void give_back(std::unique_ptr<Worker>);

  SubjectOrder order_;
  std::chrono::milliseconds deadline_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> idle_;
};

}  // namespace tileproof
