#include "reports/page/page.h"

#include <stdexcept>

#include "reports/page/embedded.h"

namespace tileproof::reports {

/// Fills the placeholders in the order in which the template has them. The search goes on behind the text that was
/// filled in, so a placeholder inside that text stays text.
std::string page(const std::string& title, const Markup& contents, const Markup& body) {
  const Markup footer = "Made by tileproof report. The same as data stands beside this page, as JSON.";
  const std::pair<const char*, std::string> places[] = {
      {"{{title}}", Markup(title).bytes()}, {"{{style}}", std::string(embedded::style())},
      {"{{title}}", Markup(title).bytes()}, {"{{contents}}", contents.bytes()},
      {"{{body}}", body.bytes()},           {"{{footer}}", footer.bytes()}};
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
