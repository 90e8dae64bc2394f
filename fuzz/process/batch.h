/// A worker's part in a campaign: it runs batches of the case list and reports each case that fails.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "fuzz/process/case_list.h"
#include "fuzz/process/in_flight.h"
#include "fuzz/records/journal.h"
#include "properties/judging/judge.h"

namespace tileproof {

class Batches {
 public:
  /// @param order  made by order_for_batches()
  /// @param row    the subject's row, as this process has made it
  Batches(const nlohmann::json& order, const SubjectRow& row, Subject&);

  /// Runs the cases of a question made by question_for_cases().
  /// @param note  receives each failing case before the next case begins
  /// @return the counts, and what ended the batch early, if anything did
  nlohmann::json run(const nlohmann::json& question, const std::function<void(const nlohmann::json&)>& note);

 private:
  CaseOutcome run_case(const Property&, const Problem&, Coverage&);

  SubjectRow row_;
  Subject& subject_;
  CaseList list_;
  InFlight in_flight_;
  std::size_t slot_;
};

/// @param capabilities  of the subject, as the supervisor knows them
nlohmann::json order_for_batches(const std::vector<std::string>& properties, std::uint64_t seed,
                                 const Capabilities& capabilities, const std::filesystem::path& in_flight,
                                 std::size_t slots, std::size_t slot);
nlohmann::json question_for_cases(const std::vector<std::uint64_t>& cases);

/// Whether memory still holds what is written to it, and a comparison tells right from wrong. A wrong answer is the
/// machine's fault, not the subject's.
bool answers_a_canary(Memory&);

}  // namespace tileproof
