/// The page that everything stands on: report.html, filled. Internal to reports/.
#pragma once

#include <string>

#include "reports/page/html.h"

namespace tileproof::reports {

/// @return one whole file, which refers to nothing
std::string page(const std::string& title, const Markup& contents, const Markup& body);

}  // namespace tileproof::reports
