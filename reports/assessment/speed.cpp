// Speed: these are the only figures that are compared by statistics.
#include <algorithm>

#include "reports/assessment/verdict.h"

namespace tileproof::reports {

namespace {

const TimedRow* row_named(const Records* records, const std::string& name) {
  if (records == nullptr) return nullptr;
  for (const auto& found : records->timed) {
    for (const TimedRow& row : found.record.rows) {
      if (row.name == name) return &row;
    }
  }
  return nullptr;
}

Item judged(const TimedRow& row, const TimedRow* before, bool has_baseline) {
  Item item = {Status::passed, "speed", row.name, ""};
  if (!row.wrong.empty()) {
    item.word = before != nullptr && before->wrong.empty() ? Status::regressed : Status::failed;
    item.why = "its result is wrong: " + row.wrong;
    return item;
  }
  if (before == nullptr) {
    item.word = Status::is_new;
    item.why = has_baseline ? "only here" : "measured, with nothing to compare to";
    return item;
  }
  const Compared change = compared(row, *before);
  item.why = change_text(row, *before, change);
  item.why = item.why.substr(std::min(item.why.size(), one_line(row.name).size() + 2));
  switch (change.change) {
    case Change::slower:
      item.word = Status::regressed;
      break;
    case Change::faster:
      item.word = Status::improved;
      break;
    case Change::cannot_tell:
      item.word = Status::mistrusted;
      item.why = "too few repeats to tell: " + item.why;
      break;
    case Change::same:
      break;
  }
  return item;
}

}  // namespace

std::vector<Item> items_of_speed(const Records& now, const Records* before) {
  std::vector<Item> items;
  for (const auto& found : now.timed) {
    for (const TimedRow& row : found.record.rows) {
      items.push_back(judged(row, row_named(before, row.name), before != nullptr && !before->timed.empty()));
    }
    for (const auto& [name, why] : found.record.not_measured) {
      const bool was_measured = row_named(before, name) != nullptr;
      items.push_back({Status::not_run, "speed", name, why, was_measured});
    }
  }
  if (before == nullptr) return items;
  for (const auto& found : before->timed) {
    for (const TimedRow& row : found.record.rows) {
      const bool is_said =
          std::any_of(items.begin(), items.end(), [&](const Item& item) { return item.name == row.name; });
      if (!is_said) items.push_back({Status::not_run, "speed", row.name, "only the baseline has it", true});
    }
  }
  return items;
}

}  // namespace tileproof::reports
