/// The report's pictures: what is drawn, as SVG and as data. Internal to reports/.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

#include "reports/page/html.h"

namespace tileproof::reports {

/// Counts of the same buckets in several samples, side by side.
struct Histogram {
  std::vector<std::string> buckets;
  struct Sample {
    std::string name;
    std::vector<std::uint64_t> counts;  // one a bucket
  };
  std::vector<Sample> samples;  // two at most: now, and the baseline
  std::string x, y;
};

/// Values over named places, as points joined by lines.
struct Lines {
  std::vector<std::string> places;
  enum class Role { one, rest, bound };  // one subject; all others together; a limit
  struct Line {
    std::string name;
    std::vector<double> values;  // one a place; NaN where there is none
    Role role = Role::one;
  };
  std::vector<Line> lines;
  std::string x, y;
  bool is_linear = false;               // heights from 0 to the largest; else folded, as below
  std::vector<std::size_t> marks = {};  // places before which something changed
};

struct Heatmap {
  std::vector<std::string> rows, columns;
  std::vector<std::uint64_t> counts;  // rows x columns
  std::string row, column, what;      // what rows, columns and counts are
};

struct Chart {
  std::string id;  // unique in the page
  std::string title;
  std::string caption;  // what to look for
  std::variant<Histogram, Lines, Heatmap> drawing;
};

/// A figure with its caption. Values are drawn over log2(1 + value), so that 0 has a place and 1 is seen beside a
/// million.
Markup picture(const Chart&);
/// The picture's values as they are, for report.json.
nlohmann::json figure(const Chart&);

}  // namespace tileproof::reports
