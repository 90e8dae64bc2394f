/// Judging properties by several threads, so that what comes out is what one thread would have given: each property has
/// a subject of its own, in a process that no other property uses meanwhile, and draws its problems from its name and
/// the seed.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "properties/judging/judge.h"

namespace tileproof {

/// Calls `work(thread, i)` once for each i below `count`, by so many threads, each of which takes the least i that is
/// left. What a call throws ends the taking, and is thrown here when all threads have ended: of several, the least i's.
void in_threads(std::size_t threads, std::size_t count,
                const std::function<void(std::size_t thread, std::size_t i)>& work);

/// Properties in the order in which they are taken: those of fixed and large problems are dear, and would be waited
/// for.
std::vector<std::size_t> dear_first(const std::vector<const Property*>&);

/// What several writers write, in the order of the writers: of the first that has not ended at once, of the others when
/// it is their turn.
class InOrder {
 public:
  /// @param write  called by one thread at a time
  InOrder(std::size_t writers, std::function<void(const std::string&)> write)
      : write_(std::move(write)), waiting_(writers), ended_(writers, false) {}

  /// Every writer that has begun must end, and begin in the order of the writers: one with much to say waits for its
  /// turn.
  void add(std::size_t writer, const std::string& text);
  void end(std::size_t writer);

 private:
  static constexpr std::size_t much = std::size_t{64} << 20;

  std::function<void(const std::string&)> write_;
  std::mutex mutex_;
  std::condition_variable turn_;
  std::vector<std::string> waiting_;
  std::vector<bool> ended_;
  std::size_t first_ = 0;  // that has not ended
};

/// A property's judgement, or why there is none.
struct Judged {
  std::optional<Judgement> judgement;
  std::string not_run;  // "not run: ..."
};

/// All properties on a subject, once each.
struct Round {
  const SubjectRow& row;
  const std::vector<const Property*>& properties;
  Effort effort = {};  // without patience: each property has its own, so that none depends on how others fare
  std::size_t jobs = 1;
  /// Who runs a property's cases: another one for each property, unless there is but one job.
  std::function<std::unique_ptr<CaseRunner>()> runner = nullptr;
  // Told, and asked, by one thread at a time.
  std::function<void(const Property&)> begins = nullptr;
  std::function<void(const Judgement&)> ends = nullptr;
  std::function<void(const std::string&)> records = nullptr;      // lines, in the order of dear_first
  std::function<std::string(const Observation&)> line = nullptr;  // of the records; by several threads
};

/// @return of each property, in their order
std::vector<Judged> judged(const Round&);

}  // namespace tileproof
