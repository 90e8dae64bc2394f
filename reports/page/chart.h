/// The report's charts, drawn as SVG or given as data. Internal to reports/.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

#include "reports/page/html.h"

namespace tileproof::reports {

/// Values at named places on the x axis, as points joined by lines.
struct Lines {
  std::vector<std::string> places;
  enum class Role { one, rest, bound };  // one subject; all other subjects together; a limit
  struct Line {
    std::string name;
    std::vector<double> values;  // one per place; NaN: no value
    Role role = Role::one;
  };
  std::vector<Line> lines;
  std::string x, y;
  bool is_linear = false;               // else over log2(1 + value); see picture()
  std::vector<std::size_t> marks = {};  // indices of places at which a new level begins
};

struct Heatmap {
  std::vector<std::string> rows, columns;
  std::vector<std::uint64_t> counts;  // [rows][columns], row by row
  std::string row, column, what;      // titles of rows, columns and counts
};

struct Chart {
  std::string id;  // unique in the page
  std::string title;
  std::string caption;  // tells the reader what to look for
  std::variant<Lines, Heatmap> drawing;
};

/// A figure with its caption. Values are drawn over log2(1 + value), so that 0 has a place and 1 remains visible beside
/// a million; Lines may be linear instead.
Markup picture(const Chart&);
/// The chart's values, not on a logarithmic scale, for report.json.
nlohmann::json figure(const Chart&);

}  // namespace tileproof::reports
