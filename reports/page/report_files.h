/// What stands beside the page: a comment, test results, data. Internal to reports/.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "reports/page/section.h"

namespace tileproof::reports {

std::string report_markdown(const ReportContext&);
std::string report_junit(const ReportContext&);
nlohmann::json report_json(const ReportContext&);

}  // namespace tileproof::reports
