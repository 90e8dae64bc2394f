/// Workers of one subject that are kept between properties: starting a process for each would take longer than its
/// cases.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "fuzz/process/worker.h"

namespace tileproof {

class WorkerPool : public std::enable_shared_from_this<WorkerPool> {
 public:
  WorkerPool(const SubjectOrder& order, std::chrono::milliseconds deadline) : order_(order), deadline_(deadline) {}

  /// A runner whose process has made the subject anew. It goes back when it is destroyed, unless a case failed in it: a
  /// process in which something went wrong is not asked about other properties.
  /// @throws std::runtime_error where the subject cannot be made any more
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
