/// A worker's part in a campaign: it runs batches of the case list, and says of each case that fails.
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
  /// @param order   as order_for_batches() makes it
  /// @param row     of the subject as this process has made it
  Batches(const nlohmann::json& order, const SubjectRow& row, Subject&);

  /// Runs the cases that a question asks for, as question_for_cases() puts it.
  /// @param note  is told of each case that fails, before the next one begins; and of each neighbour that a case tries
  /// @return the counts; and what ended the batch before its end, where something did
  nlohmann::json run(const nlohmann::json& question, const std::function<void(const nlohmann::json&)>& note);

 private:
  CaseOutcome run_case(const Property&, const Problem&, Coverage&);
  void climb_from(std::uint64_t index, const ListedCase&, const Coverage&,
                  const std::function<void(const nlohmann::json&)>& note, BatchCounts&, CaseOutcome&);

  SubjectRow row_;
  Subject& subject_;
  CaseList list_;
  InFlight in_flight_;
  std::size_t slot_;
};

/// @param capabilities  what the subject takes, as the supervisor knows it
nlohmann::json order_for_batches(const std::vector<std::string>& properties, std::uint64_t seed,
                                 const Capabilities& capabilities, const std::filesystem::path& in_flight,
                                 std::size_t slots, std::size_t slot);
nlohmann::json question_for_cases(const std::vector<std::uint64_t>& cases);

/// Whether memory still holds what is written to it, and comparing it tells right from wrong: a machine's fault, and no
/// subject's.
bool answers_a_canary(Memory&);

}  // namespace tileproof
