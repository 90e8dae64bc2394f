#include "budgets.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "field.h"
#include "summary.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

std::map<std::string, std::string> members_of(const AccuracyKey& key, const std::string& architecture) {
  std::map<std::string, std::string> all = {{"subject", key.subject},
                                            {"operation", key.operation},
                                            {"domain", key.domain},
                                            {"type", key.type},
                                            {"inner_k_tiles", key.inner_k_tiles},
                                            {"group", key.group},
                                            {"architecture", architecture}};
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
  root["schema"].require(root["schema"].count() == 1, "1, the only one that this version reads");
  const std::set<std::string> legal = {"subject",       "operation", "domain",      "type",
                                       "inner_k_tiles", "group",     "architecture"};
  std::vector<Budget> rows;
  std::set<std::map<std::string, std::string>> matches;
  for (const Field& item : root["budgets"].items()) {
    Budget budget;
    for (const auto& [name, value] : item["match"].members()) {
      value.require(legal.contains(name),
                    "one of subject, operation, domain, type, inner_k_tiles, group and architecture as its name");
      budget.match[name] = value.text();
    }
    item["match"].require(matches.insert(budget.match).second, "each match once");
    budget.max_ulp = item["max_ulp"].count();
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
  return {{"schema", 1}, {"budgets", rows}};
}

BudgetUpdate updated(const Budgets& before, const Accuracy& accuracy, const std::string& architecture,
                     const std::map<std::string, std::string>& from) {
  BudgetUpdate update;
  std::vector<Budget> rows = before.rows();
  for (const AccuracyRow& row : accuracy.rows) {
    const std::string name = row.key.text() + " of " + row.key.subject;
    const auto refuse = [&](const std::string& why) { update.refused.push_back(name + ": " + why); };
    if (row.not_run != 0 || row.elements == 0) {
      refuse("not all of it ran");
      continue;
    }
    if (row.unexplained != 0) {
      refuse(counted(row.unexplained, "difference") + " unexplained: a fault is no budget");
      continue;
    }
    Budget measured = {members_of(row.key, architecture), row.max_ulp(), row.non_finite_disagreements, from};
    measured.from["elements"] = std::to_string(row.elements);
    const auto same =
        std::find_if(rows.begin(), rows.end(), [&](const Budget& one) { return one.match == measured.match; });
    const std::string now = std::to_string(measured.max_ulp) + " ulp, " + counted(measured.non_finite, "non-finite");
    if (same == rows.end()) {
      update.changed.push_back(name + ": new: " + now);
      rows.push_back(measured);
      continue;
    }
    if (same->max_ulp == measured.max_ulp && same->non_finite == measured.non_finite) continue;
    const bool leaves_zero =
        (same->max_ulp == 0 && measured.max_ulp != 0) || (same->non_finite == 0 && measured.non_finite != 0);
    if (leaves_zero) {
      refuse("its budget is 0 and stays 0; measured: " + now);
      continue;
    }
    update.changed.push_back(name + ": was " + std::to_string(same->max_ulp) + " ulp, " +
                             counted(same->non_finite, "non-finite") + "; now " + now);
    *same = measured;
  }
  std::sort(rows.begin(), rows.end(), [](const Budget& a, const Budget& b) { return a.match < b.match; });
  update.budgets = Budgets(std::move(rows));
  return update;
}

}  // namespace tileproof::reports
