// The section of charts: error histograms, error against the shape, where errors lie, and what was covered.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "reports/page/section.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

constexpr std::size_t most_subjects = 6;  // number of subjects with charts of their own

// --- Distances ------------------------------------------------------------------------------------------------------

struct Distances {
  std::map<double, std::pair<double, std::uint64_t>> buckets;  // from -> (to, count)
  double max = 0;

  void add(const UlpFigures& ulp) {
    max = std::max(max, ulp.max);
    for (const Bucket& bucket : ulp.histogram) {
      auto& [to, count] = buckets[bucket.from];
      to = bucket.to;
      count += bucket.count;
    }
  }
  std::uint64_t count_at(double from) const {
    const auto found = buckets.find(from);
    return found == buckets.end() ? 0 : found->second.second;
  }
};

/// Distances by subject, operation and type, because ulp of different types cannot be added up.
using ByKind = std::map<std::string, Distances>;

ByKind distances_in(const Records& records) {
  ByKind all;
  for (const AccuracyRow& row : parts_of(records.measured, &Accuracy::rows)) {
    Distances& distances = all[row.key.subject + " " + row.key.operation + ", " + row.key.type];
    if (row.ulp) distances.add(*row.ulp);
  }
  return all;
}

/// "-3", "-0.5", "0", or "+2^4" for errors from 16 up to 32.
std::string name_of_bucket(double from, double to) {
  const std::string sign = from > 0 ? "+" : to < 0 ? "-" : "";
  const double nearest = std::fabs(from < 0 ? to : from);
  return sign + (from == to ? error_text(nearest) : "2^" + std::to_string(std::ilogb(nearest)));
}

Histogram histogram_of(const Distances& now, const Distances* before) {
  std::map<double, double> places = {{0, 0}};
  for (const Distances* one : {&now, before}) {
    if (one == nullptr) continue;
    for (const auto& [from, to_and_count] : one->buckets) places[from] = to_and_count.first;
  }
  Histogram histogram = {
      .buckets = {}, .samples = {}, .x = "signed error, in ulp; of codes, in steps", .y = "elements"};
  for (const auto& [from, to] : places) histogram.buckets.push_back(name_of_bucket(from, to));
  for (const Distances* one : {&now, before}) {
    if (one == nullptr) continue;
    histogram.samples.push_back({one == &now ? "this run" : "baseline", {}});
    for (const auto& [from, to] : places) histogram.samples.back().counts.push_back(one->count_at(from));
  }
  return histogram;
}

Markup histograms(ReportContext& context) {
  const ByKind now = distances_in(context.now);
  const ByKind before = context.before != nullptr ? distances_in(*context.before) : ByKind();
  std::vector<std::pair<std::string, const Distances*>> differing;
  Distances exact;
  for (const auto& [name, distances] : now) {
    if (distances.max != 0) differing.emplace_back(name, &distances);
    if (distances.max == 0) exact.buckets[0].second += distances.count_at(0);
  }
  const std::size_t exact_kinds = now.size() - differing.size();
  std::stable_sort(differing.begin(), differing.end(),
                   [](const auto& a, const auto& b) { return a.second->max > b.second->max; });
  Markup all;
  for (std::size_t i = 0; i < std::min(differing.size(), most_subjects); ++i) {
    const auto& [name, distances] = differing[i];
    const auto then = before.find(name);
    all += context.show(
        {"ulp-" + std::to_string(i), "How far off: " + name,
         "All at 0 is exact; a heap on one side is a bias; bars far out that nothing explains are mutants. 2^4 stands "
         "for 16 up to 32. Axis of counts: logarithmic.",
         histogram_of(*distances, then == before.end() ? nullptr : &then->second)});
  }
  if (differing.size() > most_subjects) {
    all += paragraph(std::to_string(differing.size() - most_subjects) + " more differ, by less: see report.json");
  }
  if (exact_kinds != 0) {
    all += context.show({"ulp-exact", "How far off: all others",
                         counted(exact_kinds, "kind") +
                             " of result (subject, operation, type) together: every finite one at distance 0.",
                         histogram_of(exact, nullptr)});
  }
  return all;
}

// --- Error against k, group and binade ------------------------------------------------------------------------------

/// Infinity if the text is not a whole number of at most nine characters.
double number_in(const std::string& text) {
  const bool looks = !text.empty() && text.find_first_not_of("-0123456789") == std::string::npos && text.size() < 10;
  return looks && text.find_last_of('-') + 1 <= 1 && text != "-" ? std::stod(text)
                                                                 : std::numeric_limits<double>::infinity();
}

/// Orders numbers by value, then words: -4, 0, 7, "NaN", "infinite", "zero".
struct Before {
  bool operator()(const std::string& a, const std::string& b) const {
    return std::pair(number_in(a), a) < std::pair(number_in(b), b);
  }
};
using Places = std::set<std::string, Before>;

struct Axis {
  const char* id;
  const char* title;
  const char* what;
  std::vector<CurvePoint> Curve::*points;
  std::string (*place)(const std::string& at);
};

/// Eight binades share one place on the axis, because fp32 has 277.
std::string first_of_eight(const std::string& binade) {
  const double value = number_in(binade);
  return std::isfinite(value) ? std::to_string(static_cast<int>(std::floor(value / 8) * 8)) : binade;
}
std::string itself(const std::string& at) { return at; }

const Axis axes[] = {
    {"error-k", "Largest error against k", "log2 of k, rounded down", &Curve::by_k, itself},
    {"error-group", "Largest error against the group size", "group size", &Curve::by_group, itself},
    {"error-binade", "Largest error against the scale", "log2 of the scale, eight binades together", &Curve::by_binade,
     first_of_eight},
};

double largest(const Curve& curve, const Axis& axis) {
  double most = 0;
  for (const CurvePoint& point : curve.*axis.points) most = std::max(most, point.max);
  return most;
}

/// The largest of some curves at each place.
Lines::Line line_of(const std::string& name, const std::vector<const Curve*>& curves, const Axis& axis,
                    const Places& places, Lines::Role role) {
  std::map<std::string, double> most;
  for (const Curve* curve : curves) {
    for (const CurvePoint& point : curve->*axis.points) {
      double& value = most.try_emplace(axis.place(point.at), point.max).first->second;
      value = std::max(value, point.max);
    }
  }
  Lines::Line line = {name, {}, role};
  for (const std::string& place : places) {
    line.values.push_back(most.contains(place) ? most[place] : std::numeric_limits<double>::quiet_NaN());
  }
  return line;
}

Markup curves(ReportContext& context) {
  Markup shown;
  for (const Axis& axis : axes) {
    Places places;
    std::map<double, std::string> bounds;
    std::vector<const Curve*> differing, exact;
    for (const Curve& curve : parts_of(context.now.measured, &Accuracy::curves)) {
      for (const CurvePoint& point : curve.*axis.points) places.insert(axis.place(point.at));
      if (!curve.bound_name.empty()) bounds[curve.bound] = curve.bound_name;
      (largest(curve, axis) > 0 ? differing : exact).push_back(&curve);
    }
    if (places.empty()) continue;
    std::stable_sort(differing.begin(), differing.end(),
                     [&](const Curve* a, const Curve* b) { return largest(*a, axis) > largest(*b, axis); });
    Lines lines = {.places = {places.begin(), places.end()}, .lines = {}, .x = axis.what, .y = "ulp"};
    std::vector<const Curve*> rest;
    for (const Curve* curve : differing) {
      if (lines.lines.size() == most_subjects) {
        rest.push_back(curve);
        continue;
      }
      const std::string name = curve->subject + " " + curve->operation + " " + curve->scheme + " " + curve->type;
      lines.lines.push_back(line_of(name, {curve}, axis, places, Lines::Role::one));
    }
    const auto add_rest = [&](const std::vector<const Curve*>& which, const std::string& name) {
      if (!which.empty()) lines.lines.push_back(line_of(name, which, axis, places, Lines::Role::rest));
    };
    add_rest(rest, "the largest of " + std::to_string(rest.size()) + " more");
    add_rest(exact, std::to_string(exact.size()) + " others, exact");
    for (const auto& [bound, name] : bounds) {
      lines.lines.push_back({"bound: " + name, std::vector<double>(places.size(), bound), Lines::Role::bound});
    }
    shown +=
        context.show({axis.id, axis.title,
                      "A line that climbs, or stands out at one place, points at that place; whether a formula "
                      "explains it, the table says. Lines that agree lie on one another. Axis of ulp: logarithmic.",
                      lines});
  }
  return shown;
}

// --- Where errors lie -----------------------------------------------------------------------------------------------

struct Wrong {
  CountsAt by_row_and_column;
  std::uint64_t all = 0;

  void add(const Curve& curve) {
    for (const auto& [place, wrong] : curve.by_row_and_column) {
      by_row_and_column[place] += wrong;
      all += wrong;
    }
  }
};

Heatmap map_of(const CountsAt& wrong, std::vector<std::string> rows, std::vector<std::string> columns,
               const std::string& row, const std::string& column) {
  Heatmap map = {std::move(rows), std::move(columns), {}, row, column, "elements that differ"};
  for (const std::string& one : map.rows) {
    for (const std::string& other : map.columns) {
      const auto found = wrong.find({one, other});
      map.counts.push_back(found == wrong.end() ? 0 : found->second);
    }
  }
  return map;
}

std::vector<std::string> numbers_below(int end) {
  std::vector<std::string> all;
  for (int i = 0; i < end; ++i) all.push_back(std::to_string(i));
  return all;
}

Markup heatmaps(ReportContext& context) {
  std::map<std::string, Wrong> by_subject;
  for (const auto& found : context.now.measured) {
    for (const Curve& curve : found.record.curves) by_subject[curve.subject + " " + curve.operation].add(curve);
  }
  std::vector<std::pair<std::string, const Wrong*>> shown;
  for (const auto& [name, wrong] : by_subject) {
    if (wrong.all != 0) shown.emplace_back(name, &wrong);
  }
  std::stable_sort(shown.begin(), shown.end(),
                   [](const auto& a, const auto& b) { return a.second->all > b.second->all; });
  const Wrong none;
  const std::size_t differing = shown.size();
  if (shown.empty() && !by_subject.empty()) shown.emplace_back("nobody", &none);
  if (shown.size() > most_subjects) shown.resize(most_subjects);
  Markup all;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const auto& [name, wrong] = shown[i];
    all += context.show(
        {"place-" + std::to_string(i), "Where elements differ: " + name,
         "Rows and columns modulo 64; counts, not rates: the first rows are in every problem, the last in few. Noise "
         "is arithmetic; stripes within that, blocks and single columns are a layout mutant.",
         map_of(wrong->by_row_and_column, numbers_below(64), numbers_below(64), "row mod 64", "column mod 64")});
  }
  if (differing > shown.size())
    all += paragraph(std::to_string(differing - shown.size()) + " more differ, in fewer elements: see report.json");
  return all;
}

// --- What was covered -----------------------------------------------------------------------------------------------

/// "k=2^9" of "dequantize tinygemm-4 float bf16 ... k=2^9 aligned profile=ordinary": "2^9".
std::string value_in(const std::string& cell, const std::string& name) {
  const std::size_t at = cell.find(" " + name + "=");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 2;
  return cell.substr(begin, cell.find(' ', begin) - begin);
}

Markup coverage(ReportContext& context) {
  if (context.now.campaigns.empty()) return absent("which feature cells a campaign has been in", "./tileproof fuzz");
  CountsAt cells;
  Places profiles, sizes;
  std::set<std::uint64_t> counts;  // of cases, at which some campaign knew how many cells it had hit
  Markup all;
  for (const auto& found : context.now.campaigns) {
    const Campaign& campaign = found.record;
    for (const std::string& cell : campaign.cells) {
      const std::string profile = value_in(cell, "profile"), size = value_in(cell, "k");
      if (profile.empty() || !size.starts_with("2^")) continue;
      profiles.insert(profile);
      sizes.insert(size.substr(2));
      ++cells[{profile, size.substr(2)}];
    }
    for (const auto& [count, known] : campaign.discovery) counts.insert(count);
    if (campaign.cells_reachable == 0) continue;
    all += paragraph("The campaign of " + campaign.subject + " was in " + with_commas(campaign.cells_hit) + " of " +
                     with_commas(campaign.cells_reachable) + " feature cells that it can reach (" +
                     percent(campaign.cells_hit, campaign.cells_reachable) +
                     "); the next case is in a new one with a chance of " +
                     short_number(campaign.chance_of_a_new_cell * 100) + " % (Good-Turing).");
  }
  if (!cells.empty()) {
    Heatmap map = map_of(cells, {profiles.begin(), profiles.end()}, {sizes.begin(), sizes.end()}, "profile of scales",
                         "log2 of k");
    map.what = "cells hit";
    all += context.show({"coverage", "Feature cells that were hit",
                         "Cells of each profile of scales and size of k; blank has not been tried.", map});
  }
  if (counts.empty()) return all;
  Lines lines = {.places = {}, .lines = {}, .x = "cases", .y = "cells"};
  for (const std::uint64_t count : counts) lines.places.push_back(with_commas(count));
  for (const auto& found : context.now.campaigns) {
    std::map<std::uint64_t, double> known;
    for (const auto& [count, cells_hit] : found.record.discovery) known[count] = static_cast<double>(cells_hit);
    Lines::Line line = {found.record.subject + ", seed " + found.record.seed, {}};
    for (const std::uint64_t count : counts) {
      line.values.push_back(known.contains(count) ? known[count] : std::numeric_limits<double>::quiet_NaN());
    }
    lines.lines.push_back(std::move(line));
  }
  return all +
         context.show({"discovery", "Discovery",
                       "Cells known after so many cases: a line that still climbs says that there is more to see.",
                       lines});
}

}  // namespace

Markup pictures_section(ReportContext& context) {
  Markup all;
  if (context.now.measured.empty()) {
    all += absent("how errors are distributed", "./tileproof verify");
  } else {
    all += element("h3", "Distances") + of_class("div", "charts", histograms(context)) +
           element("h3", "Error against the shape and the scale") + of_class("div", "charts", curves(context)) +
           element("h3", "Where errors lie") + of_class("div", "charts", heatmaps(context));
  }
  return all + element("h3", "What was covered") + of_class("div", "charts", coverage(context));
}

}  // namespace tileproof::reports
