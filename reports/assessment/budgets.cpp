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
  return match.empty() ? "everything"
                       : joined(match, " ", [](const auto& one) { return one.first + "=" + one.second; });
}

std::string Budget::inputs() const {
  const auto found = from.find("inputs");
  return found == from.end() ? "" : found->second;
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

std::string text_of(const Budget& budget) {
  return in_ulp(budget.max_ulp) + ", " + counted(budget.non_finite, "non-finite disagreement");
}

bool is_same(const Budget& a, const Budget& b) { return a.max_ulp == b.max_ulp && a.non_finite == b.non_finite; }

}  // namespace

BudgetUpdate updated(const Budgets& before, const Accuracy& accuracy, const std::string& architecture,
                     const std::map<std::string, std::string>& from) {
  BudgetUpdate result;
  std::vector<Budget> rows = before.rows();
  const auto put = [&](const Budget& budget) {
    std::erase_if(rows, [&](const Budget& one) { return one.match == budget.match; });
    rows.push_back(budget);
  };
  // New budgets, under the key that all formats and groups share: if they all measure the same, they get one budget.
  std::map<std::map<std::string, std::string>, std::vector<Budget>> added;
  for (const AccuracyRow& row : accuracy.rows) {
    const std::string name = row.key.text() + " of " + row.key.subject;
    if (row.not_run != 0 || row.elements == 0) {
      result.refused.push_back(name + ": not all of it ran");
      continue;
    }
    if (row.unexplained != 0) {
      result.refused.push_back(name + ": " + counted(row.unexplained, "difference") +
                               " unexplained: a mutant is no budget");
      continue;
    }
    Budget measured = {members_of(row.key, architecture), row.max_ulp(), row.non_finite_disagreements, from};
    measured.from["elements"] = std::to_string(row.elements);
    measured.from["inputs"] = row.inputs;
    const Budget* now = before.of(row.key, architecture);
    if (now == nullptr) {
      auto key = measured.match;
      key.erase("format");
      key.erase("group");
      added[key].push_back(measured);
    } else if ((now->max_ulp == 0 && measured.max_ulp != 0) || (now->non_finite == 0 && measured.non_finite != 0)) {
      result.refused.push_back(name + ": its budget is 0 and stays 0; measured: " + text_of(measured));
    } else if (!is_same(*now, measured)) {
      result.changed.push_back(name + ": was " + text_of(*now) + "; now " + text_of(measured));
      put(measured);
    } else if (now->match == measured.match && now->inputs() != row.inputs) {
      result.changed.push_back(name + ": the same figures of other inputs");
      put(measured);
    }
  }
  for (auto& [key, budgets] : added) {
    const auto is_another = [&first = budgets.front()](const Budget& one) { return !is_same(one, first); };
    if (std::none_of(budgets.begin(), budgets.end(), is_another)) {
      budgets.resize(1);
      budgets.front().match = key;
      budgets.front().from.erase("inputs");  // each of the rows that it is for has its own
    }
    for (const Budget& one : budgets) {
      result.changed.push_back(one.text() + ": new: " + text_of(one));
      put(one);
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Budget& a, const Budget& b) { return a.match < b.match; });
  result.budgets = Budgets(std::move(rows));
  return result;
}

}  // namespace tileproof::reports
