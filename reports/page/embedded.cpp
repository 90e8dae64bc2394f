// The assembler takes the files in as they are: a literal of five million characters is nothing for a compiler.
#include "reports/page/embedded.h"

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
EMBED(script, TILEPROOF_REPORT_JS)
#if defined(TILEPROOF_PLOTLY_JS)
EMBED(plotly, TILEPROOF_PLOTLY_JS)
#endif

namespace tileproof::reports::embedded {

std::string_view page() { return {tileproof_page, tileproof_page_end}; }
std::string_view style() { return {tileproof_style, tileproof_style_end}; }
std::string_view script() { return {tileproof_script, tileproof_script_end}; }
#if defined(TILEPROOF_PLOTLY_JS)
std::string_view plotly() { return {tileproof_plotly, tileproof_plotly_end}; }
#else
std::string_view plotly() { return {}; }
#endif

}  // namespace tileproof::reports::embedded
