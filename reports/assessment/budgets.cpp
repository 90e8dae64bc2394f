#include "reports/assessment/budgets.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "reports/field.h"
#include "reports/records/summary.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

std::map<std::string, std::string> members_of(const AccuracyKey& key, const std::string& architecture) {
  std::map<std::string, std::string> all = {
      {"subject", key.subject}, {"operation", key.operation}, {"scheme", key.scheme},        {"type", key.type},
      {"format", key.format},   {"group", key.group},         {"architecture", architecture}};
  std::erase_if(all, [](const auto& member) { return member.second.empty(); });
  return all;
}

bool is_for(const Budget& budget, const std::map<std::string, std::string>& key) {
  return std::all_of(budget.match.begin(), budget.match.end(), [&](const auto& member) {
    const auto found = key.find(member.first);
    return found != key.end() && found->second == member.second;
  });
}

}  // namespace

std::string Budget::text() const {
  std::string all;
  for (const auto& [name, value] : match) all += (all.empty() ? "" : " ") + name + "=" + value;
  return all.empty() ? "everything" : all;
}

const Budget* Budgets::of(const AccuracyKey& key, const std::string& architecture) const {
  const auto members = members_of(key, architecture);
  const Budget* most = nullptr;
  const Budget* as_much = nullptr;
  for (const Budget& budget : rows_) {
    if (!is_for(budget, members)) continue;
    if (most == nullptr || budget.match.size() > most->match.size()) {
      most = &budget;
      as_much = nullptr;
    } else if (budget.match.size() == most->match.size()) {
      as_much = &budget;
    }
  }
  if (as_much != nullptr) {
    throw std::runtime_error("budgets.json: two budgets are for " + key.text() + " of " + key.subject +
                             " and neither names more of it: " + most->text() + "; " + as_much->text());
  }
  return most;
}

Budgets read_budgets(const json& budgets) {
  const Field root(budgets, "budgets.json");
  root.require_schema(3);
  const std::set<std::string> legal = {"subject", "operation", "scheme", "type", "format", "group", "architecture"};
  std::vector<Budget> rows;
  std::set<std::map<std::string, std::string>> matches;
  for (const Field& item : root["budgets"].items()) {
    Budget budget;
    for (const auto& [name, value] : item["match"].members()) {
      value.require(legal.contains(name),
                    "one of subject, operation, scheme, type, format, group and architecture as its name");
      budget.match[name] = value.text();
    }
    item["match"].require(matches.insert(budget.match).second, "each match once");
    budget.max_ulp = item["max_ulp"].number();
    item["max_ulp"].require(budget.max_ulp >= 0, "a number, not negative");
    budget.non_finite = item["non_finite"].count();
    for (const auto& [name, value] : item["from"].members()) budget.from[name] = value.label();
    item["from"].require(!budget.from.empty(), "the run that it was measured in");
    rows.push_back(std::move(budget));
  }
  return Budgets(std::move(rows));
}

json json_of(const Budgets& budgets) {
  json rows = json::array();
  for (const Budget& budget : budgets.rows()) {
    rows.push_back({{"match", budget.match},
                    {"max_ulp", budget.max_ulp},
                    {"non_finite", budget.non_finite},
                    {"from", budget.from}});
  }
  return {{"schema", 3}, {"budgets", rows}};
}

namespace {

using Key = std::map<std::string, std::string>;

/// Updates budgets by the rows of one measurement; see updated().
class Update {
 public:
  Update(const Budgets& before, std::string architecture, std::map<std::string, std::string> from)
      : before_(before), rows_(before.rows()), architecture_(std::move(architecture)), from_(std::move(from)) {}

  void take(const AccuracyRow& row) {
    const std::string name = row.key.text() + " of " + row.key.subject;
    const auto refuse = [&](const std::string& why) { result_.refused.push_back(name + ": " + why); };
    if (row.not_run != 0 || row.elements == 0) return refuse("not all of it ran");
    if (row.unexplained != 0)
      return refuse(counted(row.unexplained, "difference") + " unexplained: a mutant is no budget");
    Budget measured = {members_of(row.key, architecture_), row.max_ulp(), row.non_finite_disagreements, from_};
    measured.from["elements"] = std::to_string(row.elements);
    const Budget* now = before_.of(row.key, architecture_);
    if (now == nullptr) {
      new_[without_layout(measured.match)].push_back(measured);
      return;
    }
    if (now->max_ulp == measured.max_ulp && now->non_finite == measured.non_finite) return;
    const bool leaves_zero =
        (now->max_ulp == 0 && measured.max_ulp != 0) || (now->non_finite == 0 && measured.non_finite != 0);
    if (leaves_zero) return refuse("its budget is 0 and stays 0; measured: " + figures(measured));
    result_.changed.push_back(name + ": was " + figures(*now) + "; now " + figures(measured));
    put(measured);
  }

  BudgetUpdate end() {
    for (const auto& [key, budgets] : new_) {
      const bool all_same = std::all_of(budgets.begin(), budgets.end(), [&](const Budget& one) {
        return one.max_ulp == budgets.front().max_ulp && one.non_finite == budgets.front().non_finite;
      });
      for (Budget one : budgets) {
        if (all_same) one.match = key;
        result_.changed.push_back(one.text() + ": new: " + figures(one));
        put(one);
        if (all_same) break;
      }
    }
    std::sort(rows_.begin(), rows_.end(), [](const Budget& a, const Budget& b) { return a.match < b.match; });
    result_.budgets = Budgets(std::move(rows_));
    return result_;
  }

 private:
  static std::string figures(const Budget& budget) {
    return in_ulp(budget.max_ulp) + ", " + counted(budget.non_finite, "non-finite disagreement");
  }
  /// The key that all formats and groups share: if they all measure the same, they get one budget under it.
  static Key without_layout(Key key) {
    key.erase("format");
    key.erase("group");
    return key;
  }
  void put(const Budget& budget) {
    std::erase_if(rows_, [&](const Budget& one) { return one.match == budget.match; });
    rows_.push_back(budget);
  }

  const Budgets& before_;
  std::vector<Budget> rows_;
  std::string architecture_;
  std::map<std::string, std::string> from_;
  std::map<Key, std::vector<Budget>> new_;
  BudgetUpdate result_;
};

}  // namespace

BudgetUpdate updated(const Budgets& before, const Accuracy& accuracy, const std::string& architecture,
                     const std::map<std::string, std::string>& from) {
  Update update(before, architecture, from);
  for (const AccuracyRow& row : accuracy.rows) update.take(row);
  return update.end();
}

}  // namespace tileproof::reports
