// The section of charts: error against the shape, where errors lie, and what was covered.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "reports/page/section.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

constexpr std::size_t most_subjects = 6;  // number of subjects with a line or a chart of their own

// --- Error against k, group and binade ------------------------------------------------------------------------------

/// Infinity if the text is not a whole number.
double number_in(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return is_number ? value : std::numeric_limits<double>::infinity();
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
  int numbers_a_place = 1;
};

/// The first of the numbers that share a place on the axis; another text is a place of its own.
std::string place_of(const std::string& at, int numbers_a_place) {
  const double value = number_in(at);
  if (!std::isfinite(value)) return at;
  return std::to_string(static_cast<int>(std::floor(value / numbers_a_place)) * numbers_a_place);
}

const Axis axes[] = {
    {"error-k", "Largest error against k", "log2 of k, rounded down", &Curve::by_k},
    {"error-group", "Largest error against the group size", "group size", &Curve::by_group},
    {"error-binade", "Largest error against the scale", "log2 of the scale, eight binades together", &Curve::by_binade,
     8},  // fp32 has 277 binades
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
      double& value = most.try_emplace(place_of(point.at, axis.numbers_a_place), point.max).first->second;
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
    std::vector<const Curve*> own, others;  // those with a line of their own, and those that share one
    for (const Curve& curve : parts_of(context.now.measured, &Accuracy::curves)) {
      for (const CurvePoint& point : curve.*axis.points) places.insert(place_of(point.at, axis.numbers_a_place));
      if (!curve.bound_name.empty()) bounds[curve.bound] = curve.bound_name;
      (largest(curve, axis) > 0 ? own : others).push_back(&curve);
    }
    if (places.empty()) continue;
    std::stable_sort(own.begin(), own.end(),
                     [&](const Curve* a, const Curve* b) { return largest(*a, axis) > largest(*b, axis); });
    const bool are_exact = own.size() <= most_subjects;
    for (; own.size() > most_subjects; own.pop_back()) others.push_back(own.back());
    Lines lines = {.places = {places.begin(), places.end()}, .lines = {}, .x = axis.what, .y = "ulp"};
    for (const Curve* curve : own) {
      const std::string name = curve->subject + " " + curve->operation + " " + curve->scheme + " " + curve->type;
      lines.lines.push_back(line_of(name, {curve}, axis, places, Lines::Role::one));
    }
    if (!others.empty()) {
      const std::string name = std::to_string(others.size()) + (are_exact ? " others, exact" : " others, the largest");
      lines.lines.push_back(line_of(name, others, axis, places, Lines::Role::rest));
    }
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

Heatmap map_of(const CountsAt& wrong, std::vector<std::string> rows, std::vector<std::string> columns,
               const std::string& row, const std::string& column, const std::string& what) {
  Heatmap map = {std::move(rows), std::move(columns), {}, row, column, what};
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
  struct Wrong {
    std::uint64_t all = 0;
    CountsAt at;
  };
  std::map<std::string, Wrong> by_subject;
  for (const Curve& curve : parts_of(context.now.measured, &Accuracy::curves)) {
    for (const auto& [place, count] : curve.by_row_and_column) {
      Wrong& wrong = by_subject[curve.subject + " " + curve.operation];
      wrong.all += count;
      wrong.at[place] += count;
    }
  }
  std::vector<std::pair<std::string, Wrong>> order(by_subject.begin(), by_subject.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second.all > b.second.all; });
  if (order.empty()) return paragraph("No element differs.");
  Markup all;
  for (std::size_t i = 0; i < std::min(order.size(), most_subjects); ++i) {
    all += context.show(
        {"place-" + std::to_string(i), "Where elements differ: " + order[i].first,
         "Rows and columns modulo 64; counts, not rates: the first rows are in every problem, the last in few. Noise "
         "is arithmetic; stripes within that, blocks and single columns are a layout mutant.",
         map_of(order[i].second.at, numbers_below(64), numbers_below(64), "row mod 64", "column mod 64",
                "elements that differ")});
  }
  if (order.size() > most_subjects)
    all += paragraph(std::to_string(order.size() - most_subjects) + " more differ, in fewer elements.");
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
    if (campaign.cells_reachable == 0) continue;
    all += paragraph("The campaign of " + campaign.subject + " was in " + with_commas(campaign.cells_hit) + " of " +
                     with_commas(campaign.cells_reachable) + " feature cells that it can reach (" +
                     percent(campaign.cells_hit, campaign.cells_reachable) +
                     "); the next case is in a new one with a chance of " +
                     short_number(campaign.chance_of_a_new_cell * 100) + " % (Good-Turing).");
  }
  if (!cells.empty()) {
    all += context.show({"coverage", "Feature cells that were hit",
                         "Cells of each profile of scales and size of k; blank has not been tried.",
                         map_of(cells, {profiles.begin(), profiles.end()}, {sizes.begin(), sizes.end()},
                                "profile of scales", "log2 of k", "cells hit")});
  }
  return all;
}

}  // namespace

Markup pictures_section(ReportContext& context) {
  Markup all;
  if (context.now.measured.empty()) {
    all += absent("how errors are distributed", "./tileproof verify");
  } else {
    all += element("h3", "Error against the shape and the scale") + of_class("div", "charts", curves(context)) +
           element("h3", "Where errors lie") + of_class("div", "charts", heatmaps(context));
  }
  return all + element("h3", "What was covered") + of_class("div", "charts", coverage(context));
}

}  // namespace tileproof::reports
