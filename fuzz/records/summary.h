/// The summary of a run: the contents of summary.json, and the verdict of the whole run. Its schema is that
/// of reports/records/summary.h.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fuzz/records/expected_failures.h"
#include "properties/judging/judge.h"

namespace tileproof {

/// A subject of a run, and its results.
struct JudgedSubject {
  std::string name;
  std::string what;
  std::string why_not;     // the reason why it did not run
  bool asked_for = false;  // the user named it
  bool needs_gpu = false;
  std::vector<std::string> replay_flags;  // the flags that `tileproof replay` needs beside a problem
  SubjectFacts facts = {};
};

struct RunFacts {
  std::string command;
  std::string run_start;
  double seconds = 0;
  std::uint64_t seed = 0;
  std::int64_t cases_per_property = 0;
  nlohmann::json provenance;
  std::vector<JudgedSubject> subjects;
  std::vector<Judgement> judgements;
  nlohmann::json observations = nullptr;  // counts of those that are kept
};

nlohmann::json summary_of(const RunFacts&);

/// The words after `tileproof replay` that run the problem again.
std::vector<std::string> replay_words(const std::vector<std::string>& flags, const Problem&);

}  // namespace tileproof
