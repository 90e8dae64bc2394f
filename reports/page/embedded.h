/// Files that are built into the program. Internal to reports/.
#pragma once

#include <string_view>

namespace tileproof::reports::embedded {

std::string_view page();   // report.html: the template
std::string_view style();  // report.css

}  // namespace tileproof::reports::embedded
