/// Files that are built into the program. Internal to reports/.
#pragma once

#include <string_view>

namespace tileproof::reports::embedded {

std::string_view page();    // report.html: the template
std::string_view style();   // report.css
std::string_view script();  // report.js
/// plotly.min.js as the PyPI package `plotly` has it; "" where that was not there when this was built.
std::string_view plotly();

}  // namespace tileproof::reports::embedded
