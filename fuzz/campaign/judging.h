/// Judges properties by several threads with the result that one thread would have given. Each property has a subject
/// of its own, in a process that no other property uses meanwhile, and draws its problems from its name and the seed.
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

/// Indices of the properties in the order in which they are taken. Properties of fixed problems come first: their
/// matrices are large, and all threads would wait for one that began last.
std::vector<std::size_t> dear_first(const std::vector<const Property*>&);

/// Joins the text of several writers in the order of the writers. The first writer that has not ended writes at once;
/// text of the others waits for their turn.
class InOrder {
 public:
  /// @param write  called by one thread at a time
  InOrder(std::size_t writers, std::function<void(const std::string&)> write)
      : write_(std::move(write)), waiting_(writers), ended_(writers, false) {}

  /// Every writer that has begun must call end(), and writers must begin in their order: a writer with more than `much`
  /// waiting text blocks until its turn.
  void add(std::size_t writer, const std::string& text);
  void end(std::size_t writer);

 private:
  static constexpr std::size_t much = std::size_t{64} << 20;

  std::function<void(const std::string&)> write_;
  std::mutex mutex_;
  std::condition_variable turn_;
  std::vector<std::string> waiting_;
  std::vector<bool> ended_;
  std::size_t first_ = 0;  // the first writer that has not ended
};

/// A property's judgement, or why there is none.
struct Judged {
  std::optional<Judgement> judgement;
  std::string not_run;  // "not run: ..."
};

/// Judges all properties on a subject, once each.
struct Round {
  const SubjectRow& row;
  const std::vector<const Property*>& properties;
  Effort effort = {};  // null patience: a crash budget a property, so that none depends on the others
  std::size_t jobs = 1;
  /// Gives the runner for a property's cases: a new one for each property, unless `jobs` is 1.
  std::function<std::shared_ptr<CaseRunner>()> runner = nullptr;
  // Called by one thread at a time.
  std::function<void(const Property&)> begins = nullptr;
  std::function<void(const Judgement&)> ends = nullptr;
  std::function<void(const std::string&)> records = nullptr;      // takes lines, in the order of dear_first
  std::function<std::string(const Observation&)> line = nullptr;  // formats a record line; called by several threads
};

/// @return one entry for each property, in the order of `round.properties`
std::vector<Judged> judged(const Round&);

}  // namespace tileproof
