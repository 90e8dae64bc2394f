// Speed: these are the only figures that are compared by statistics.
#include <algorithm>

#include "reports/assessment/verdict.h"

namespace tileproof::reports {

namespace {

const TimedRow* row_named(const Records* records, const std::string& name) {
  if (records == nullptr) return nullptr;
  for (const TimedRow& row : parts_of(records->timed, &Bench::rows)) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

Item judged(const TimedRow& row, const TimedRow* before, bool has_baseline) {
  const auto is = [&](Status word, const std::string& why) { return Item{word, "speed", row.name, why}; };
  if (!row.wrong.empty()) {
    const bool was_right = before != nullptr && before->wrong.empty();
    return is(was_right ? Status::regressed : Status::failed, "its result is wrong: " + row.wrong);
  }
  if (before == nullptr) return is(Status::is_new, has_baseline ? "only here" : "measured, with nothing to compare to");
  const Compared all = compared(row, *before);
  const std::string why = change_text(row, *before, all).substr(one_line(row.name).size() + 2);
  if (all.change == Change::cannot_tell) return is(Status::mistrusted, "too few repeats to tell: " + why);
  return is(all.change == Change::slower   ? Status::regressed
            : all.change == Change::faster ? Status::improved
                                           : Status::passed,
            why);
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
  for (const TimedRow& row : parts_of(before->timed, &Bench::rows)) {
    const bool is_said =
        std::any_of(items.begin(), items.end(), [&](const Item& item) { return item.name == row.name; });
    if (!is_said) items.push_back({Status::not_run, "speed", row.name, "only the baseline has it", true});
  }
  return items;
}

}  // namespace tileproof::reports
