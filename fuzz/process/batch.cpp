#include "fuzz/process/batch.h"

#include <chrono>
#include <map>
#include <new>

#include "fuzz/records/journal.h"
#include "fuzz/records/protocol.h"
#include "properties/memory/generated_tensor.h"

namespace tileproof {

namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

SubjectRow with_capabilities(SubjectRow row, const json& capabilities) {
  row.capabilities = capabilities_of(capabilities);
  return row;
}

}  // namespace

json order_for_batches(const std::vector<std::string>& properties, std::uint64_t seed, const Capabilities& capabilities,
                       const std::filesystem::path& in_flight, std::size_t slots, std::size_t slot) {
  return {{"list",
           {{"properties", properties},
            {"seed", seed},
            {"capabilities", json_of(capabilities)},
            {"in_flight", in_flight.string()},
            {"slots", slots},
            {"slot", slot}}}};
}

json question_for_cases(const std::vector<std::uint64_t>& cases) { return {{"cases", cases}}; }

bool answers_a_canary(Memory& memory) {
  constexpr std::size_t words = 4096;
  const GeneratedTensor right = generated::Constant{0x5a5aa5a5, words};
  const GeneratedTensor wrong = generated::Constant{0x5a5aa5a4, words};
  try {
    void* arena = memory.arena(words * 4);
    memory.write(right, 4, arena);
    return memory.compare(right, 4, arena).wrong == 0 && memory.compare(wrong, 4, arena).wrong == words;
  } catch (const SubjectError&) {
    return false;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

Batches::Batches(const json& order, const SubjectRow& row, Subject& subject)
    : row_(with_capabilities(row, order["capabilities"])),
      subject_(subject),
      list_(properties_named(order["properties"]), row_, order["seed"]),
      in_flight_(order["in_flight"].get<std::string>(), order["slots"]),
      slot_(order["slot"]) {}

json Batches::run(const json& question, const std::function<void(const json&)>& note) {
  BatchCounts counts;
  // by property; asked: some case passed or was refused, so the property should have compared
  std::map<std::string, bool> compared, asked;
  std::vector<std::uint64_t> not_passed;
  const Clock::time_point begin = Clock::now();
  std::string ended_by;
  std::uint64_t last = 0;
  for (const std::uint64_t index : question["cases"].get<std::vector<std::uint64_t>>()) {
    const ListedCase listed = list_.at(index);
    Coverage coverage;
    in_flight_.begin(slot_, last = index);
    const CaseOutcome outcome = run_case(*listed.property, listed.problem, coverage);
    if (outcome.finding) {
      note({{"case", index}, {"problem", line_of(outcome.finding->problem)}, {"outcome", json_of(outcome)}});
    }
    if (outcome.device_lost) ended_by = "device";
    if (ended_by.empty() && outcome.finding && !answers_a_canary(subject_.memory())) ended_by = "canary";
    in_flight_.end(slot_);
    counts.elements += coverage.compared;
    compared[listed.property->name] |= coverage.compared != 0;
    const bool refused = outcome.refused && listed.property->on_refusal != OnRefusal::allowed;
    asked[listed.property->name] |= outcome.has_passed() || refused;
    if (!outcome.has_passed()) not_passed.push_back(index);
    ++(outcome.finding       ? counts.failed
       : outcome.refused     ? counts.refused
       : outcome.unavailable ? counts.unavailable
       : outcome.discarded   ? counts.discarded
                             : counts.passed);
    if (!ended_by.empty()) break;
  }
  if (ended_by.empty()) {
    in_flight_.begin(slot_, last);  // sets the deadline
    if (!answers_a_canary(subject_.memory())) ended_by = "canary";
    in_flight_.end(slot_);
  }
  for (const auto& [property, has_compared] : compared) {
    if (!has_compared) (asked[property] ? counts.idle : counts.absent).push_back(property);
  }
  counts.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return {{"counts", json_of(counts)}, {"ended_by", ended_by}, {"not_passed", not_passed}};
}

/// Running out of memory is not the subject's fault.
CaseOutcome Batches::run_case(const Property& property, const Problem& problem, Coverage& coverage) {
  try {
    return InThisProcess(row_.capabilities, subject_).run(property, problem, coverage);
  } catch (const std::bad_alloc&) {
    return {.unavailable = "out of memory"};
  }
}

}  // namespace tileproof
