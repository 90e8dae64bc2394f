#include "reports/page/page.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "reports/page/embedded.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

/// The library between the page's <script> and </script>, which it must not end. What would could only stand in a
/// string of it, where a backslash before these letters says nothing.
std::string as_inert_script(std::string_view source) {
  std::string text;
  for (std::size_t i = 0; i < source.size(); ++i) {
    text += source[i];
    const bool ends_it =
        source[i] == '<' && i + 2 < source.size() &&
        ((source[i + 1] == '/' && (source[i + 2] == 's' || source[i + 2] == 'S')) || source[i + 1] == '!');
    if (ends_it) text += '\\';
  }
  return text;
}

}  // namespace

/// The template's places are filled in the order in which they stand there, so that none is looked for in what has been
/// filled in.
std::string page(const std::string& title, const Markup& contents, const Markup& body,
                 const std::vector<Chart>& charts) {
  json figures = json::object();
  for (const Chart& chart : charts) figures[chart.id] = figure(chart);
  const Markup footer = "Made by tileproof report. The same as data stands beside this page, as JSON.";
  const std::string plotly = as_inert_script(embedded::plotly());
  const std::pair<const char*, std::string> places[] = {{"{{title}}", Markup(title).bytes()},
                                                        {"{{style}}", std::string(embedded::style())},
                                                        {"{{title}}", Markup(title).bytes()},
                                                        {"{{contents}}", contents.bytes()},
                                                        {"{{body}}", body.bytes()},
                                                        {"{{footer}}", footer.bytes()},
                                                        {"{{data}}", data_island("figures", figures).bytes()},
                                                        {"{{plotly}}", plotly},
                                                        {"{{script}}", std::string(embedded::script())}};
  std::string filled;
  std::string_view rest = embedded::page();
  for (const auto& [place, text] : places) {
    const std::size_t at = rest.find(place);
    if (at == std::string_view::npos) throw std::logic_error("report.html has no " + std::string(place));
    filled += std::string(rest.substr(0, at)) + text;
    rest.remove_prefix(at + std::string_view(place).size());
  }
  return filled + std::string(rest);
}

}  // namespace tileproof::reports
