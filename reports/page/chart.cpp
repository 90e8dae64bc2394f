#include "reports/page/chart.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "reports/text.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

std::string number(double value) {
  const std::string shown = fixed(value, 1);
  return shown.ends_with(".0") ? shown.substr(0, shown.size() - 2) : shown;
}

/// The sizes of one picture, in units of its SVG view box: the whole, and the margins around the plot.
struct Frame {
  double width = 640, height = 260, left = 72, right = 12, top = 12, bottom = 46;

  double plot_width() const { return width - left - right; }
  double plot_height() const { return height - top - bottom; }
  double base() const { return height - bottom; }
  /// The width of each of `count` places side by side in the plot.
  double step(std::size_t count) const { return plot_width() / static_cast<double>(std::max<std::size_t>(1, count)); }
};

double folded(double value) { return std::log2(1 + value); }

/// A short text for the narrow margin beside the axis: "1e6" for a million.
std::string tick_text(double value) {
  return value < 1e6 ? short_number(value) : "1e" + std::to_string(static_cast<int>(std::lround(std::log10(value))));
}

/// 0 and powers of ten, at most six ticks: large ranges skip powers. Below 10: 0, 1 and the range's end.
std::vector<double> ticks_up_to(double most) {
  if (most < 10) return most <= 1 ? std::vector<double>{0, 1} : std::vector<double>{0, 1, std::ceil(most)};
  const int tens = static_cast<int>(std::floor(std::log10(most)));
  const int step = tens / 5 + 1;
  std::vector<double> ticks = {0};
  for (int i = 0; i <= tens; i += step) ticks.push_back(std::pow(10, i));
  return ticks;
}

Markup label(double x, double y, const char* anchor, const std::string& text) {
  return element("text", {{"x", number(x)}, {"y", number(y)}, {"text-anchor", anchor}}, text);
}

Markup upright(double x, double y, const std::string& text) {
  return element("text",
                 {{"x", number(x)},
                  {"y", number(y)},
                  {"text-anchor", "middle"},
                  {"transform", "rotate(-90 " + number(x) + " " + number(y) + ")"}},
                 text);
}

struct Length {
  Name name;
  double value;
};
/// An element of one class, such as a line or a rectangle.
Markup shape(Name tag, const std::string& class_name, const std::vector<Length>& lengths) {
  std::vector<Attribute> attributes = {{"class", class_name}};
  for (const Length& one : lengths) attributes.push_back({one.name, number(one.value)});
  return element(tag, attributes, {});
}

Markup path(const std::string& class_name, const std::string& steps) {
  return element("path", {{"class", class_name}, {"d", steps}}, {});
}

Markup svg(const Frame& frame, const std::string& title, const Markup& inside) {
  return element(
      "svg",
      {{"viewBox", "0 0 " + number(frame.width) + " " + number(frame.height)}, {"role", "img"}, {"aria-label", title}},
      inside);
}

/// The vertical scale, linear or over log2(1 + value), and its grid lines.
class Heights {
 public:
  Heights(const Frame& frame, double most, bool is_linear = false)
      : frame_(frame), most_(is_linear ? most : std::max(1.0, most)), is_linear_(is_linear) {}

  double y(double value) const {
    const double part = is_linear_ ? value / most_ : folded(std::min(value, most_)) / folded(most_);
    return frame_.base() - frame_.plot_height() * part;
  }
  Markup axis(const std::string& what) const {
    Markup all;
    double last = frame_.height;
    for (const double tick : is_linear_ ? std::vector<double>{0, most_ / 2, most_} : ticks_up_to(most_)) {
      constexpr double height_of_text = 13;
      if (tick > most_ || last - y(tick) < height_of_text) continue;
      last = y(tick);
      all += shape("line", "grid",
                   {{"x1", frame_.left}, {"y1", y(tick)}, {"x2", frame_.width - frame_.right}, {"y2", y(tick)}});
      all += label(frame_.left - 6, y(tick) + 4, "end", tick_text(tick));
    }
    return all + upright(10, frame_.top + frame_.plot_height() / 2, what);
  }

 private:
  const Frame& frame_;
  double most_;
  bool is_linear_;
};

/// Names below the plot; every nth only, if there is no room for all.
Markup names_below(const Frame& frame, const std::vector<std::string>& names, const std::string& what) {
  std::size_t longest = 1;
  for (const std::string& name : names) longest = std::max(longest, name.size());
  const double step = frame.step(names.size());
  const auto every = static_cast<std::size_t>(std::ceil((static_cast<double>(longest) * 7.5 + 8) / step));
  Markup all;
  for (std::size_t i = 0; i < names.size(); i += std::max<std::size_t>(1, every)) {
    const double half = static_cast<double>(names[i].size()) * 3.75;
    const double x = std::min(frame.left + step * (static_cast<double>(i) + 0.5), frame.width - half);
    all += label(x, frame.base() + 16, "middle", names[i]);
  }
  return all + label(frame.left + frame.plot_width() / 2, frame.height - 8, "middle", what);
}

Markup drawn(const Lines& lines, const std::string& title) {
  const Frame frame;
  double most = lines.is_linear ? 1e-9 : 1;
  for (const auto& line : lines.lines) {
    for (const double value : line.values) {
      if (std::isfinite(value)) most = std::max(most, value);
    }
  }
  const Heights heights(frame, most, lines.is_linear);
  const double step = frame.step(lines.places.size());
  Markup inside = heights.axis(lines.y) + names_below(frame, lines.places, lines.x);
  Markup legend;
  const auto explain = [&](const std::string& class_name, const std::string& text) {
    legend += of_class("span", "key", element("i", {{"class", class_name}}, {}) + " " + text) + " ";
  };
  for (const std::size_t mark : lines.marks) {
    const double x = frame.left + step * static_cast<double>(mark);
    inside += shape("line", "mark", {{"x1", x}, {"y1", frame.top}, {"x2", x}, {"y2", frame.base()}});
  }
  if (!lines.marks.empty()) explain("mark", "a step");
  std::size_t series = 0;
  for (const auto& line : lines.lines) {
    const std::string name = line.role == Lines::Role::bound  ? "bound"
                             : line.role == Lines::Role::rest ? "line rest"
                                                              : "line s" + std::to_string(series++ % 6);
    explain(name, line.name);
    constexpr std::size_t most_with_points = 40;
    const bool has_points = line.role != Lines::Role::bound && line.values.size() <= most_with_points;
    std::string steps;
    Markup points;
    for (std::size_t i = 0; i < line.values.size(); ++i) {
      if (!std::isfinite(line.values[i])) continue;
      const double x = frame.left + step * (static_cast<double>(i) + 0.5), y = heights.y(line.values[i]);
      const bool goes_on = i > 0 && std::isfinite(line.values[i - 1]);
      steps += (goes_on ? "L" : "M") + number(x) + " " + number(y);
      if (has_points) points += shape("circle", name, {{"cx", x}, {"cy", y}, {"r", 2.5}});
    }
    inside += path(name, steps) + points;
  }
  return svg(frame, title, inside) + of_class("div", "keys", legend);
}

constexpr int levels_of_heat = 6;

int level_of(std::uint64_t count, std::uint64_t most) {
  if (count == 0) return 0;
  const double part = folded(static_cast<double>(count)) / folded(static_cast<double>(most));
  return std::clamp(static_cast<int>(std::ceil(part * levels_of_heat)), 1, levels_of_heat);
}

Markup drawn(const Heatmap& map, const std::string& title) {
  std::size_t longest = 0;
  for (const std::string& name : map.rows) longest = std::max(longest, name.size());
  // The names of the rows stand in the left margin.
  const Frame frame = {.height = 340, .left = std::clamp(36 + 7.0 * static_cast<double>(longest), 72.0, 220.0)};
  const double step_x = frame.step(map.columns.size());
  const double step_y = frame.plot_height() / static_cast<double>(std::max<std::size_t>(1, map.rows.size()));
  std::uint64_t most = 0;
  for (const std::uint64_t count : map.counts) most = std::max(most, count);
  // All cells of a level are one path, so that a map of 64 x 64 cells stays small.
  std::vector<std::string> paths(levels_of_heat + 1);
  const auto level_at = [&](std::size_t row, std::size_t column) {
    return level_of(map.counts.at(row * map.columns.size() + column), most);
  };
  for (std::size_t row = 0; row < map.rows.size(); ++row) {
    for (std::size_t column = 0, end = 0; column < map.columns.size(); column = end) {
      const int level = level_at(row, column);
      end = column + 1;
      while (end < map.columns.size() && level_at(row, end) == level) ++end;
      const double width = step_x * static_cast<double>(end - column);
      paths[static_cast<std::size_t>(level)] += "M" + number(frame.left + step_x * static_cast<double>(column)) + " " +
                                                number(frame.top + step_y * static_cast<double>(row)) + "h" +
                                                number(width) + "v" + number(step_y) + "h-" + number(width) + "z";
    }
  }
  Markup inside =
      shape("rect", "plot",
            {{"x", frame.left}, {"y", frame.top}, {"width", frame.plot_width()}, {"height", frame.plot_height()}});
  Markup shades;
  for (int level = 1; level <= levels_of_heat && most != 0; ++level) {
    const std::string shade = "h" + std::to_string(level);
    if (const std::string& cells = paths[static_cast<std::size_t>(level)]; !cells.empty()) {
      inside += path("heat " + shade, cells);
    }
    shades += element("i", {{"class", "shade " + shade}}, {});
  }
  const auto every = static_cast<std::size_t>(std::max(1.0, std::ceil(13 / step_y)));
  for (std::size_t row = 0; row < map.rows.size(); row += every) {
    inside += label(frame.left - 6, frame.top + step_y * (static_cast<double>(row) + 0.5) + 4, "end", map.rows[row]);
  }
  inside += names_below(frame, map.columns, map.column) + upright(10, frame.top + frame.plot_height() / 2, map.row);
  const std::string scale = most == 0 ? "no " + map.what : map.what + ": 1 to " + with_commas(most);
  return svg(frame, title, inside) + of_class("div", "keys", of_class("span", "shades", shades) + " " + scale);
}

json values_of(const Lines& lines) {
  json traces = json::array();
  for (const auto& line : lines.lines) {
    json values = json::array();
    for (const double value : line.values) values.push_back(std::isfinite(value) ? json(value) : json());
    traces.push_back({{"type", "scatter"}, {"name", line.name}, {"x", lines.places}, {"y", values}});
  }
  return {{"data", traces}, {"x", lines.x}, {"y", lines.y}};
}

json values_of(const Heatmap& map) {
  json rows = json::array();
  const auto width = static_cast<std::ptrdiff_t>(map.columns.size());
  for (std::size_t row = 0; row < map.rows.size(); ++row) {
    const auto begin = map.counts.begin() + static_cast<std::ptrdiff_t>(row) * width;
    rows.push_back(std::vector<std::uint64_t>(begin, begin + width));
  }
  return {{"data", json::array({{{"type", "heatmap"}, {"x", map.columns}, {"y", map.rows}, {"z", rows}}})},
          {"x", map.column},
          {"y", map.row},
          {"what", map.what}};
}

}  // namespace

Markup picture(const Chart& chart) {
  const Markup inside = std::visit([&](const auto& drawing) { return drawn(drawing, chart.title); }, chart.drawing);
  return element(
      "figure", {{"id", chart.id}, {"class", "chart"}},
      of_class("h4", "title", chart.title) + of_class("div", "wide", inside) + element("figcaption", chart.caption));
}

json figure(const Chart& chart) {
  json whole = std::visit([](const auto& drawing) { return values_of(drawing); }, chart.drawing);
  whole["title"] = chart.title;
  return whole;
}

}  // namespace tileproof::reports
