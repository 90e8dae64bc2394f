/// What a reviewer signs: each thing that was looked at, in one word. Internal to reports/.
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
/// What the word says, as a sentence for a reader who has not met it.
const char* meaning_of(Status);

struct Item {
  Status word;
  std::string kind;  // property, accuracy, proof, campaign, speed, harness
  std::string name;
  std::string why;
  bool is_red = false;  // NOT RUN alone does not say
};

enum class Outcome { passed, failed, mistrusted };

struct Assessment {
  std::vector<Item> items;  // the worst first
  std::array<std::size_t, words> counts = {};
  Outcome outcome = Outcome::mistrusted;
  std::string sentence;
  std::vector<std::string> samples;  // a line for each subject whose proofs are not all whole

  std::size_t count(Status word) const { return counts.at(static_cast<std::size_t>(word)); }
  /// 0 passed, 1 failed, 3 mistrusted or nothing there.
  int exit_code() const { return outcome == Outcome::passed ? 0 : outcome == Outcome::failed ? 1 : 3; }
};

/// @param before  nullptr: there is no baseline, and nothing but budgets and properties to hold the run to
/// @throws std::runtime_error where two budgets are for the same
Assessment assess(const Records& now, const Records* before, const Budgets&);

/// The word for all of it: the worst that makes it red, else the weakest that all of it deserves.
Status headline_of(const Assessment&);
/// Whether a word is neither red nor green: it holds, but for what is known or was left out.
bool is_amber(Status);

/// Whether an item stands against the run.
bool is_red(const Item&);
/// What a reader is told first: what is red, then what is amber, then what improved, of each kind so many that no kind
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
std::vector<Item> items_of_campaigns(const Records& now, const Records* before);
std::vector<Item> items_of_speed(const Records& now, const Records* before);

/// The GPU's compute capability, "9.0", of a record that has one.
std::string architecture_of(const Provenance&);

/// What two runs have been made with that differs, and what of it makes them hard to compare.
struct Difference {
  std::string name, before, now;
  bool is_unlike = false;  // not like for like
};
std::vector<Difference> differences(const Provenance& now, const Provenance& before);
/// What the records of one run say differently of the program and the machine they were made with.
std::vector<std::string> made_in_several_ways(const Records&);

}  // namespace tileproof::reports
