/// The assessment that a reviewer signs: one word for each thing that was looked at. Internal to reports/.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "reports/assessment/budgets.h"
#include "reports/records/records.h"

namespace tileproof::reports {

enum class Status {
  regressed,
  failed,
  over_budget,
  flaky,
  mistrusted,
  not_run,
  known,
  sampled,
  is_new,
  improved,
  passed,
  exact
};
inline constexpr std::size_t words = 12;

const char* name_of(Status);
/// Explains the word in a sentence, for a reader who does not know it.
const char* meaning_of(Status);

struct Item {
  Status word;
  std::string kind;  // property, accuracy, proof, campaign, speed, harness, input
  std::string name;
  std::string why;
  bool is_red = false;  // read for NOT RUN only; every other word says it itself
};

enum class Outcome { passed, failed, mistrusted };

struct Assessment {
  std::vector<Item> items;  // the worst first
  std::array<std::size_t, words> counts = {};
  Outcome outcome = Outcome::mistrusted;
  std::string sentence;
  std::vector<std::string> samples;  // a line for each subject with SAMPLED proofs

  std::size_t count(Status word) const { return counts.at(static_cast<std::size_t>(word)); }
  /// nullptr if there is no such item.
  const Item* find(const std::string& kind, const std::string& name) const;
  /// 0 passed, 1 failed, 3 mistrusted or nothing looked at.
  int exit_code() const { return outcome == Outcome::passed ? 0 : outcome == Outcome::failed ? 1 : 3; }
};

/// @param before  the baseline; nullptr: the run is judged by its budgets and properties alone
/// @throws std::runtime_error if two equally specific budgets match one result
Assessment assess(const Records& now, const Records* before, const Budgets&);

/// The word for the whole run: the worst red word; NOT RUN if too little was looked at; else the first of KNOWN,
/// SAMPLED, IMPROVED, PASSED, NEW and EXACT that an item has.
Status headline_of(const Assessment&);
/// The words that an item has, the worst first.
std::vector<Status> words_met(const Assessment&);
/// "3 FAILED, 1 KNOWN": the number of items with each of these words, without words that no item has.
std::string counts_text(const Assessment&, const std::vector<Status>&);
/// True for KNOWN and SAMPLED, which are neither red nor green: all holds except what is known or was left out.
bool is_amber(Status);

/// True if the item keeps the run from passing.
bool is_red(const Item&);
/// The items that a reader is told first: red, then amber, then improved ones; limited for each kind, so that no kind
/// hides another.
struct ToRead {
  std::vector<Item> items;
  std::vector<std::string> left_out;  // "182 more of accuracy"
};
ToRead to_read(const Assessment&, std::size_t most_of_a_kind);

// One function for each kind of record (accuracy.cpp, properties.cpp, campaigns.cpp, proofs.cpp, speed.cpp).
std::vector<Item> items_of_properties(const Records& now, const Records* before);
std::vector<Item> items_of_accuracy(const Records& now, const Records* before, const Budgets&);
std::vector<Item> items_of_proofs(const Records& now, const Records* before);
/// "cuda: 5 of 16 proofs whole, 11 SAMPLED; the smallest sample is 320 of 2,362,667,520 (0.000014 %) of layout/..."
std::vector<std::string> samples_in(const Records&);
/// "320 of 2,362,667,520 (0.000014 %)"; "-" for a proof without points
std::string part_of(const Proof&);
std::vector<Item> items_of_campaigns(const Records& now, const Records* before);
std::vector<Item> items_of_speed(const Records& now, const Records* before);

/// The GPU's compute capability, "9.0"; "" if the record names none.
std::string architecture_of(const Provenance&);

/// One difference in the provenance of two runs.
struct Difference {
  std::string name, before, now;
  bool is_unlike = false;  // the difference makes the runs hard to compare
};
std::vector<Difference> differences(const Provenance& now, const Provenance& before);
/// The parts of the provenance about the program and the machine in which the records of one run disagree.
std::vector<std::string> made_in_several_ways(const Records&);

}  // namespace tileproof::reports
