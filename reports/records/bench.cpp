// Reads bench records, prints their table, and compares two of them.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "reports/field.h"
#include "reports/records/bench.h"
#include "reports/records/summary.h"
#include "reports/reports.h"
#include "reports/statistics.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

Samples read_samples(const Field& field) {
  Samples samples;
  for (const Field& item : field.items()) {
    samples.push_back(item.seconds());
    item.require(samples.back() > 0, "more than no seconds");
  }
  field.require(!samples.empty(), "one repeat at least");
  return samples;
}

TimedRow read_timed_row(const Field& field) {
  TimedRow row;
  row.name = field["name"].text();
  row.unit = field["unit"].text();
  field["unit"].require(row.unit == "bytes" || row.unit == "cases", "bytes or cases");
  row.amount = static_cast<double>(field["amount"].count());
  field["amount"].require(row.amount > 0, "some");
  row.wrong = field["wrong"].text();
  row.note = field["note"].text();
  field["seconds"]["operation"].items();
  for (const auto& [what, samples] : field["seconds"].members()) row.seconds[what] = read_samples(samples);
  for (const auto& [what, samples] : row.seconds) {
    field["seconds"][what].require(samples.size() == row.operation().size(), "as many repeats as of the operation");
  }
  return row;
}

/// A bar with a resolution of an eighth of a character; 20 characters are the speed of a copy, 30 the longest bar.
std::string bar(const TimedRow& row) {
  if (!row.has("copy")) return "";
  constexpr double length_of_copy = 20, longest = 30;
  constexpr const char* parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double length = std::min(longest, length_of_copy * statistics::median(row.ratios_to("copy")));
  const int eighths = static_cast<int>(length * 8 + 0.5);
  std::string text;
  for (int i = 0; i < eighths / 8; ++i) text += "█";
  return text + parts[eighths % 8];
}

/// Aligns cells in columns, the first and the last to the left, the others to the right. The first row holds the
/// titles; a column with a title only is left out.
std::string in_columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  std::vector<bool> has(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], characters_of(row[i]).size());
      has[i] = has[i] || (&row != &rows.front() && !row[i].empty());
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!has[i]) continue;
      const std::string gap(widths[i] - characters_of(row[i]).size(), ' ');
      line += (line.empty() ? "" : "  ") + (i == 0 || i + 1 == row.size() ? row[i] + gap : gap + row[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string named(const std::string& name) { return name.empty() ? "none" : one_line(name); }

/// nullptr if the record has no such row.
const TimedRow* row_named(const Bench& bench, const std::string& name) {
  const auto found =
      std::find_if(bench.rows.begin(), bench.rows.end(), [&](const TimedRow& row) { return row.name == name; });
  return found == bench.rows.end() ? nullptr : &*found;
}

/// A change must be significant (Mann-Whitney p), and more than this part of the baseline's median.
constexpr double p_of_a_change = 0.01, least_change = 0.02;

}  // namespace

Bench read_bench(const json& bench) {
  const Field root(bench, "bench.json");
  root.require_schema(2);
  Bench result;
  result.run_start = root["run_start"].text();
  result.commit = root["machine"]["commit"].text();
  result.cpu = root["machine"]["cpu"].text();
  result.gpu = root["machine"]["gpu"].text();
  std::map<std::string, std::string> device = root["machine"]["device"].texts_by_name();
  device.erase("name");
  result.device = joined(device, ", ", [](const auto& fact) { return fact.first + " " + fact.second; });
  std::set<std::string> names;
  for (const Field& item : root["rows"].items()) {
    result.rows.push_back(read_timed_row(item));
    item["name"].require(names.insert(result.rows.back().name).second, "each name once");
  }
  result.skipped = root["skipped"].texts();
  result.not_measured = root["not_measured"].texts_by_name();
  return result;
}

std::string spread_text(const TimedRow& row) { return fixed(100 * statistics::spread(row.operation()), 1) + " %"; }

std::string speed_text(const TimedRow& row) {
  const double speed = statistics::median(row.speeds());
  if (row.unit == "cases") return fixed(speed, 0) + " cases/s";
  return fixed(speed / 1e9, speed < 100e9 ? 1 : 0) + " GB/s";
}

std::string ratio_text(const TimedRow& row, const std::string& yardstick) {
  if (!row.has(yardstick)) return "";
  const double ratio = statistics::median(row.ratios_to(yardstick));
  return ratio < 10 ? fixed(ratio, 3) : fixed(ratio, 0) + "x";
}

Compared compared(const TimedRow& now, const TimedRow& before) {
  const bool with_copy = now.has("copy") && before.has("copy");
  // Ratios to copy do not depend on the clock rate.
  const auto values_of = [&](const TimedRow& row) { return with_copy ? row.ratios_to("copy") : row.speeds(); };
  const Samples a = values_of(now), b = values_of(before);
  Compared result = {Change::same, statistics::median(a), statistics::median(b), statistics::mann_whitney_p(a, b)};
  const double part = result.now / result.before;
  if (statistics::least_p(a.size(), b.size()) >= p_of_a_change) {
    result.change = Change::cannot_tell;
  } else if (result.p < p_of_a_change && part < 1 - least_change) {
    result.change = Change::slower;
  } else if (result.p < p_of_a_change && part > 1 + least_change) {
    result.change = Change::faster;
  }
  return result;
}

std::string change_text(const TimedRow& row, const TimedRow& before, const Compared& c) {
  const bool with_copy = row.has("copy") && before.has("copy");
  const auto value = [&](double one) {
    return with_copy ? fixed(one, 3) : row.unit == "cases" ? fixed(one, 0) : fixed(one / 1e9, 1);
  };
  const char* of = with_copy ? " of copy" : row.unit == "cases" ? " cases/s" : " GB/s";
  std::ostringstream p;
  p.precision(2);
  p << c.p;
  return one_line(row.name) + ": " + value(c.before) + " -> " + value(c.now) + of + " (" +
         (c.now >= c.before ? "+" : "") + fixed(100 * (c.now / c.before - 1), 1) + " %, p = " + p.str() + ")";
}

void require_bench(const json& bench) { read_bench(bench); }

std::string bench_table(const json& bench_json, bool colours) {
  const Bench bench = read_bench(bench_json);
  std::ostringstream text;
  text << "CPU: " << named(bench.cpu) << "; GPU: " << named(bench.gpu)
       << (bench.device.empty() ? "" : " (" + one_line(bench.device) + ")") << "\n";
  std::vector<std::vector<std::string>> cells = {
      {"", "median", "spread", "speed", "of copy", "of fill", "of identity", "1.0 is a copy"}};
  for (const TimedRow& row : bench.rows) {
    cells.push_back({one_line(row.name), lasting(statistics::median(row.operation())), spread_text(row),
                     speed_text(row), ratio_text(row, "copy"), ratio_text(row, "fill"), ratio_text(row, "identity"),
                     bar(row)});
  }
  if (!bench.rows.empty()) text << in_columns(cells);
  for (const TimedRow& row : bench.rows) {
    if (!row.note.empty()) text << one_line(row.name + ": " + row.note) << "\n";
  }
  for (const std::string& line : bench.skipped) text << "left out: " << one_line(line) << "\n";
  for (const auto& [name, why] : bench.not_measured) {
    text << "not measured: " << one_line(name) << ": " << one_line(why) << "\n";
  }
  for (const TimedRow& row : bench.rows) {
    if (row.wrong.empty()) continue;
    text << painted(Colour::red, "WRONG", colours) << " " << one_line(row.name) << ": " << one_line(row.wrong) << "\n";
  }
  return text.str();
}

BenchComparison bench_comparison(const json& now_json, const json& before_json, bool colours) {
  const Bench now = read_bench(now_json), before = read_bench(before_json);
  std::ostringstream text;
  BenchComparison result;
  text << "against " << one_line(before.run_start) << ", commit " << named(before.commit) << "\n";
  const auto warn = [&](const char* what, const std::string& then, const std::string& here) {
    if (then == here) return;
    text << painted(Colour::yellow, std::string("WARNING: ANOTHER ") + what, colours) << ": the baseline is of "
         << named(then) << ", this run of " << named(here) << "; what differs may be the machines\n";
  };
  warn("CPU", before.cpu, now.cpu);
  warn("GPU", before.gpu, now.gpu);
  std::map<Change, std::size_t> counts;
  for (const TimedRow& row : now.rows) {
    const TimedRow* same = row_named(before, row.name);
    if (same == nullptr) {
      text << "only here: " << one_line(row.name) << "\n";
      continue;
    }
    const Compared c = compared(row, *same);
    ++counts[c.change];
    if (c.change == Change::same) continue;
    text << (c.change == Change::slower   ? painted(Colour::red, "SLOWER", colours) + " "
             : c.change == Change::faster ? painted(Colour::green, "faster", colours) + " "
                                          : "too few repeats to tell: ")
         << change_text(row, *same, c) << "\n";
  }
  for (const TimedRow& row : before.rows) {
    if (row_named(now, row.name) == nullptr) text << "only in the baseline: " << one_line(row.name) << "\n";
  }
  result.slower = counts[Change::slower];
  result.compared = counts[Change::same] + counts[Change::slower] + counts[Change::faster];
  text << counted(result.compared, "row") << " compared: " << result.slower << " slower, " << counts[Change::faster]
       << " faster, " << counts[Change::same] << " the same (p < 0.01 and more than 2 %)\n";
  result.text = text.str();
  return result;
}

}  // namespace tileproof::reports
