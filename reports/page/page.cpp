#include "reports/page/page.h"

#include <stdexcept>

// The assembler's .incbin embeds the files unchanged.
#define EMBED(name, file)                   \
  asm(".section .rodata\n"                  \
      ".global tileproof_" #name            \
      "\n"                                  \
      ".global tileproof_" #name            \
      "_end\n"                              \
      "tileproof_" #name                    \
      ":\n"                                 \
      ".incbin \"" file                     \
      "\"\n"                                \
      "tileproof_" #name                    \
      "_end:\n"                             \
      ".byte 0\n"                           \
      ".previous\n");                       \
  extern "C" const char tileproof_##name[]; \
  extern "C" const char tileproof_##name##_end[];

EMBED(page, TILEPROOF_REPORT_HTML)
EMBED(style, TILEPROOF_REPORT_CSS)

namespace tileproof::reports {

/// Fills the placeholders in the order in which the template has them. The search goes on behind the text that was
/// filled in, so a placeholder inside that text stays text.
std::string page(const std::string& title, const Markup& contents, const Markup& body) {
  const Markup footer = "Made by tileproof report. The same as data stands beside this page, as JSON.";
  const std::pair<const char*, std::string> places[] = {
      {"{{title}}", Markup(title).bytes()}, {"{{style}}", std::string(tileproof_style, tileproof_style_end)},
      {"{{title}}", Markup(title).bytes()}, {"{{contents}}", contents.bytes()},
      {"{{body}}", body.bytes()},           {"{{footer}}", footer.bytes()}};
  std::string filled;
  std::string_view rest(tileproof_page, tileproof_page_end);
  for (const auto& [place, text] : places) {
    const std::size_t at = rest.find(place);
    if (at == std::string_view::npos) throw std::logic_error("report.html has no " + std::string(place));
    filled += std::string(rest.substr(0, at)) + text;
    rest.remove_prefix(at + std::string_view(place).size());
  }
  return filled + std::string(rest);
}

}  // namespace tileproof::reports
