#include "reports/assessment/verdict.h"

#include <algorithm>
#include <map>
#include <set>

namespace tileproof::reports {

namespace {

struct WordRow {
  const char* name;
  const char* meaning;
};

// In the order of Status, the worst first.
constexpr WordRow rows[] = {
    {"REGRESSED", "worse than in the baseline, or failed where the baseline passed"},
    {"FAILED", "does not hold: a property, proof or campaign with a finding, or a difference that nothing explains"},
    {"OVER BUDGET", "all differences are explained, but some are further off than the budget allows"},
    {"FLAKY", "the same case now fails, now passes"},
    {"MISTRUSTED", "nothing failed, but too little was looked at to say that it holds"},
    {"NOT RUN", "was not looked at here; red where the baseline did look at it"},
    {"KNOWN", "fails, and the ledger of known findings says so: no new failure, and no success"},
    {"SAMPLED", "a part of the domain of a proof holds; it proves nothing of the rest"},
    {"NEW", "measured, and there is neither a baseline nor a budget to hold it to"},
    {"IMPROVED", "better than in the baseline"},
    {"PASSED", "within its bound or budget and no worse than the baseline; not everywhere bit-equal"},
    {"EXACT", "every bit compared is the specification's"},
};
static_assert(std::size(rows) == words);

Outcome outcome_of(const std::vector<Item>& items) {
  const auto has = [&](const auto& is) { return std::any_of(items.begin(), items.end(), is); };
  if (has([](const Item& item) { return item.word <= Status::flaky; })) return Outcome::failed;
  const bool holds = has([](const Item& item) { return item.word >= Status::known; });
  return !holds || has(is_red) ? Outcome::mistrusted : Outcome::passed;
}

std::string sentence_of(const Assessment& assessment, bool has_baseline) {
  const std::string against = has_baseline ? " against the baseline" : "; there is no baseline to compare with";
  if (assessment.items.empty()) return "Nothing was looked at" + against + ".";
  const std::size_t not_run = assessment.count(Status::not_run);
  const std::string amber = counts_text(assessment, {Status::known, Status::sampled});
  const std::string all = " of " + counted(assessment.items.size() - not_run, "thing") + " looked at" +
                          (not_run == 0 ? "" : " (" + std::to_string(not_run) + " not run)") +
                          (amber.empty() ? "" : ", " + amber + " among them");
  const std::string nothing = assessment.count(Status::known) == 0 ? "othing fails" : "othing new fails";
  if (assessment.outcome == Outcome::passed) {
    return (has_baseline ? "Nothing is worse and n" : "N") + nothing + all + against + ".";
  }
  if (assessment.outcome == Outcome::mistrusted) {
    const std::string which =
        counts_text(assessment, {Status::mistrusted, Status::not_run, Status::known, Status::sampled});
    return "N" + nothing + ", but this does not show that all holds: " + (which.empty() ? "nothing" : which) + " of " +
           counted(assessment.items.size(), "thing") + against + ".";
  }
  return (has_baseline ? "Something fails or is worse: " : "Something fails: ") +
         counts_text(assessment, {Status::regressed, Status::failed, Status::over_budget, Status::flaky}) + all +
         against + ".";
}

bool ends_with_one_of(const std::string& name, std::initializer_list<const char*> ends) {
  return std::any_of(ends.begin(), ends.end(), [&](const char* end) { return name.ends_with(end); });
}

bool is_of_machine(const std::string& name) {
  return name.starts_with("gpu") || name.starts_with("cpu") || name.starts_with("cuda") || name.starts_with("nvcc") ||
         name.starts_with("host_compiler") || name.starts_with("compiler") || name.starts_with("device") ||
         ends_with_one_of(name, {"torch", "cores", "dirty"});
}

/// True if the compared figures may depend on this part of the provenance, so that a difference in it makes runs hard
/// to compare.
bool is_unlike(const std::string& name) {
  return is_of_machine(name) || ends_with_one_of(name, {"seed", "cases per property"});
}

}  // namespace

const char* name_of(Status word) { return rows[static_cast<std::size_t>(word)].name; }
const char* meaning_of(Status word) { return rows[static_cast<std::size_t>(word)].meaning; }

const Item* Assessment::find(const std::string& kind, const std::string& name) const {
  const auto found = std::find_if(items.begin(), items.end(),
                                  [&](const Item& item) { return item.kind == kind && item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

Assessment assess(const Records& now, const Records* before, const Budgets& budgets) {
  Assessment result;
  for (const std::vector<Item>& items :
       {items_of_properties(now, before), items_of_proofs(now, before), items_of_campaigns(now, before),
        items_of_accuracy(now, before, budgets), items_of_speed(now, before)}) {
    result.items.insert(result.items.end(), items.begin(), items.end());
  }
  for (const Records* records : {&now, before}) {
    if (records == nullptr) continue;
    for (const std::string& trouble : records->troubles) {
      result.items.push_back({Status::mistrusted, "input", "a record could not be used", trouble, true});
    }
  }
  std::stable_sort(result.items.begin(), result.items.end(), [](const Item& a, const Item& b) {
    return std::pair(a.word, !is_red(a)) < std::pair(b.word, !is_red(b));
  });
  for (const Item& item : result.items) ++result.counts.at(static_cast<std::size_t>(item.word));
  result.outcome = outcome_of(result.items);
  result.sentence = sentence_of(result, before != nullptr);
  result.samples = samples_in(now);
  return result;
}

bool is_red(const Item& item) {
  return item.word <= Status::mistrusted || (item.word == Status::not_run && item.is_red);
}

bool is_amber(Status word) { return word == Status::known || word == Status::sampled; }

ToRead to_read(const Assessment& assessment, std::size_t most_of_a_kind) {
  ToRead result;
  std::map<std::string, std::size_t> of_kind;
  for (const Item& item : assessment.items) {
    if (!is_red(item) && !is_amber(item.word) && item.word != Status::improved) continue;
    if (++of_kind[item.kind] <= most_of_a_kind) result.items.push_back(item);
  }
  for (const auto& [kind, count] : of_kind) {
    if (count > most_of_a_kind) result.left_out.push_back(std::to_string(count - most_of_a_kind) + " more of " + kind);
  }
  return result;
}

Status headline_of(const Assessment& assessment) {
  const std::vector<Item>& items = assessment.items;
  if (!items.empty() && items.front().word <= Status::mistrusted) return items.front().word;
  if (assessment.outcome == Outcome::mistrusted) return Status::not_run;
  for (const Status word : {Status::known, Status::sampled, Status::improved, Status::passed, Status::is_new}) {
    if (assessment.count(word) != 0) return word;
  }
  return Status::exact;
}

std::vector<Status> words_met(const Assessment& assessment) {
  std::vector<Status> met;
  for (const Item& item : assessment.items) {
    if (met.empty() || met.back() != item.word) met.push_back(item.word);
  }
  return met;
}

std::string counts_text(const Assessment& assessment, const std::vector<Status>& which) {
  std::vector<std::string> texts;
  for (const Status word : which) {
    const std::size_t count = assessment.count(word);
    if (count != 0) texts.push_back(std::to_string(count) + " " + name_of(word));
  }
  return joined(texts, ", ");
}

std::string architecture_of(const Provenance& provenance) {
  const std::string of_gpu = value_named(provenance, "gpu.compute_capability");
  return of_gpu.empty() ? value_named(provenance, "device.compute_capability") : of_gpu;
}

std::vector<Difference> differences(const Provenance& now, const Provenance& before) {
  Provenance both = now;
  both.insert(before.begin(), before.end());
  std::vector<Difference> all;
  for (const auto& [name, value] : both) {
    const std::string then = value_named(before, name), here = value_named(now, name);
    if (then != here) all.push_back({name, then, here, is_unlike(name)});
  }
  return all;
}

std::vector<std::string> made_in_several_ways(const Records& records) {
  std::vector<std::string> names;
  for (const auto& [name, values] : records.values_of_provenance()) {
    const bool is_of_program = name == "commit" || name.starts_with("binaries");
    if (values.size() > 1 && (is_of_program || is_of_machine(name))) names.push_back(name);
  }
  return names;
}

}  // namespace tileproof::reports
