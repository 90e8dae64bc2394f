/// Fills the template report.html. Internal to reports/.
#pragma once

#include <string>

#include "reports/page/html.h"

namespace tileproof::reports {

/// @return a complete HTML file that refers to no other file
std::string page(const std::string& title, const Markup& contents, const Markup& body);

}  // namespace tileproof::reports
