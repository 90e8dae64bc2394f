// The assembler's .incbin embeds the files unchanged.
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

namespace tileproof::reports::embedded {

std::string_view page() { return {tileproof_page, tileproof_page_end}; }
std::string_view style() { return {tileproof_style, tileproof_style_end}; }

}  // namespace tileproof::reports::embedded
